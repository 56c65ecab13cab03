//! A record does not lie inside another.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table, Debug, Clone, PartialEq)]
pub struct Guild {
    pub motto: Str<8>,
}

#[derive(Table)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    pub guild: Guild,
}

database! { name: Arena, tables: [Player, Guild] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
