//! A misspelt key of `database!`.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
pub struct Player {
    pub name: Str<16>,
}

database! { name: Arena, table: [Player] }

fn main() {}
