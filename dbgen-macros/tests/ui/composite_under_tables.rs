//! A composite in the list of tables.

use dbgen_macros::{Composite, database};

#[derive(Composite, Debug, Clone, PartialEq)]
pub struct Point {
    pub x: f32,
}

database! { name: Arena, tables: [Point] }

fn main() {
    let _ = arena::Arena::builder().open();
}
