//! A version is a string.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
}

database! { name: Arena, version: 2, tables: [Player] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
