//! A type that does not exist: the compiler says so, once.

use dbgen_macros::{Composite, Table, database};
use dbgen_runtime::Str;

#[derive(Composite, Debug, Clone, PartialEq)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

#[derive(Table)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    pub at: Option<Poitn>,
}

database! { name: Arena, tables: [Player], types: [Point] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
