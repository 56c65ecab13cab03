//! A union is no record.

use dbgen_macros::{Table, database};

#[derive(Table)]
pub union Player {
    pub hp: i32,
    pub mana: u32,
}

database! { name: Arena, tables: [Player] }

fn main() {
    let _ = arena::Arena::builder().open();
}
