//! A composite that holds itself has no size.

use dbgen_macros::{Composite, Table, database};
use dbgen_runtime::Str;

#[derive(Composite, Debug, Clone, PartialEq)]
pub struct Tree {
    pub branches: Vec<Tree>,
}

#[derive(Table)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    pub tree: Tree,
}

database! { name: Arena, tables: [Player], types: [Tree] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
