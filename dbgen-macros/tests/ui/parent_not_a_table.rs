//! Only a table has components.

use dbgen_macros::{Composite, Table, database};

#[derive(Composite, Debug, Clone, PartialEq)]
pub struct Entity {
    pub kind: u8,
}

#[derive(Table)]
#[table(parent = Entity)]
pub struct Health {
    pub hp: i32,
}

database! { name: Arena, tables: [Health], types: [Entity] }

fn main() {
    let _ = arena::Arena::builder().open();
}
