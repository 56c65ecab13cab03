//! A type that is no record, where a table is asked for.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
pub struct Player {
    pub name: Str<16>,
}

database! { name: Arena, tables: [Player] }

fn count<T: dbgen_runtime::Table>(_: &arena::View) {}

fn main() {
    let db = arena::Arena::builder().open().expect("it opens");
    count::<String>(&db.read());
}
