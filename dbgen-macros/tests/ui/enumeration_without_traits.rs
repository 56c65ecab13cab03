//! An enumeration that lacks what records do with it: it is `Debug` alone.

use dbgen_macros::{Enumeration, Table, database};
use dbgen_runtime::Str;

#[derive(Enumeration, Debug)]
pub enum Class {
    Warrior,
    Mage,
}

#[derive(Table)]
#[table(index(class))]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    pub class: Class,
    pub classes: [Class; 3],
    pub last: Option<Class>,
    pub all: Vec<Class>,
}

database! { name: Arena, tables: [Player], types: [Class] }

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    let player = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla")));
    println!("{:?}", db.read().player().get(player.expect("a player")).map(|player| player.class()));
}
