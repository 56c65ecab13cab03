//! A struct without a derive.

use dbgen_macros::database;
use dbgen_runtime::Str;

pub struct Player {
    pub name: Str<16>,
}

database! { name: Arena, tables: [Player] }

fn main() {}
