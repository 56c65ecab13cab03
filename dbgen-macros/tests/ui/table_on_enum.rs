//! A table is a struct.

use dbgen_macros::{Table, database};

#[derive(Table)]
pub enum Player {
    Warrior,
    Mage,
}

database! { name: Arena, tables: [Player] }

fn main() {
    let _ = arena::Arena::builder().open();
}
