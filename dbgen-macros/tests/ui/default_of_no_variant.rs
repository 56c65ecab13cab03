//! A default that is no variant of the field's enumeration.

use dbgen_macros::{Enumeration, Table, database};
use dbgen_runtime::Str;

#[derive(Enumeration, Debug, Clone, Copy, PartialEq)]
pub enum Class {
    Warrior,
    Mage,
}

#[derive(Table)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    #[field(default = Class::Bard)]
    pub class: Class,
}

database! { name: Arena, tables: [Player], types: [Class] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.id()));
}
