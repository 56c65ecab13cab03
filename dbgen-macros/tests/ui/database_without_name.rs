//! A database has a name.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
pub struct Player {
    pub name: Str<16>,
}

database! { tables: [Player] }

fn main() {}
