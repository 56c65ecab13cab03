//! A reference to a struct that does not exist: the compiler says so, once.

use dbgen_macros::{Table, database};
use dbgen_runtime::{Id, Str};

#[derive(Table, Debug, Clone)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    pub guild: Option<Id<Gild>>,
}

database! { name: Arena, tables: [Player] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
