//! Two tables of one name.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
pub struct Player {
    pub name: Str<16>,
}

#[derive(Table)]
#[table(name = "player")]
pub struct Person {
    pub name: Str<16>,
}

database! { name: Arena, tables: [Player, Person] }

fn main() {
    let _ = arena::Arena::builder().open();
}
