//! A schema knows no generics.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
pub struct Player<T> {
    pub name: Str<16>,
    pub extra: T,
}

database! { name: Arena, tables: [Player] }

fn main() {}
