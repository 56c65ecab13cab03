//! A table that is listed twice.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
pub struct Player {
    pub name: Str<16>,
}

database! { name: Arena, tables: [Player, Player] }

fn main() {}
