//! Fields of a table have names.

use dbgen_macros::{Table, database};
use dbgen_runtime::Str;

#[derive(Table)]
pub struct Player(pub Str<16>);

database! { name: Arena, tables: [Player] }

fn main() {
    let _ = arena::Arena::builder().open();
}
