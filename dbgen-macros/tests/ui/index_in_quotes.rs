//! Fields of an index are named as they are.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
#[table(index("name", level))]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    pub level: u8,
}

database! { name: Arena, tables: [Player] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
