//! A warning, made an error: the second record that does not give the name collides with the first.
#![deny(warnings)]

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table, Debug, Clone)]
pub struct Player {
    #[field(unique, default = "nobody")]
    pub name: Str<16>,
    pub hp: i32,
}

database! { name: Arena, tables: [Player] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player { hp: 3, ..Player::default() }));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
