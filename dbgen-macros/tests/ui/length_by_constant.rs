//! A length is read before constants have values.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

const TITLE_MAX: usize = 24;

#[derive(Table)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    pub title: Str<TITLE_MAX>,
}

database! { name: Arena, tables: [Player] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
