//! A composite that lacks what records do with it.

use dbgen_macros::{Composite, Table, database};
use dbgen_runtime::Str;

#[derive(Composite)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

#[derive(Table)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    pub at: Point,
    pub path: Vec<Point>,
}

#[derive(Table)]
pub struct Monster {
    pub at: Option<Point>,
}

database! { name: Arena, tables: [Player, Monster], types: [Point] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
