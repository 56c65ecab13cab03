//! A word that names no durability.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
#[table(durability = "forever")]
pub struct Player {
    pub name: Str<16>,
}

database! { name: Arena, tables: [Player] }

fn main() {
    let _ = arena::Arena::builder().open();
}
