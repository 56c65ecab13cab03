//! A foreign key that leads to no field.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
pub struct Guild {
    #[field(unique)]
    pub name: Str<8>,
}

#[derive(Table)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    #[field(foreign_key = Guild::nmae)]
    pub guild: Str<8>,
}

database! { name: Arena, tables: [Player, Guild] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
