//! A variant carries one value.

use dbgen_macros::{Enumeration, Table, database};
use dbgen_runtime::Str;

#[derive(Enumeration, Debug, Clone, PartialEq)]
pub enum Order {
    Wait,
    Go { x: f32, y: f32 },
}

#[derive(Table)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    pub order: Order,
}

database! { name: Arena, tables: [Player], types: [Order] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
