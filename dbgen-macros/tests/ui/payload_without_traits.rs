//! An enumeration with payloads that lacks what records do with it.

use dbgen_macros::{Enumeration, Table, database};
use dbgen_runtime::{Str, Text};

#[derive(Enumeration)]
pub enum Act {
    Wait,
    Say(Text),
}

#[derive(Table)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    pub act: Act,
    pub acts: Vec<Act>,
    pub last: Option<Act>,
}

database! { name: Arena, tables: [Player], types: [Act] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
