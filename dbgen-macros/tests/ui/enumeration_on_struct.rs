//! An enumeration is an enum.

use dbgen_macros::{Enumeration, Table, database};
use dbgen_runtime::Str;

#[derive(Enumeration)]
pub struct Class {
    pub name: Str<8>,
}

#[derive(Table)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    pub class: Class,
}

database! { name: Arena, tables: [Player], types: [Class] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
