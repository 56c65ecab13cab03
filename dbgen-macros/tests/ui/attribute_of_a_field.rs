//! A setting of fields on the table.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
#[table(unique)]
pub struct Player {
    pub name: Str<16>,
}

database! { name: Arena, tables: [Player] }

fn main() {
    let _ = arena::Arena::builder().open();
}
