//! A schema in one line, without a build script.

dbgen_macros::schema!("../schemas/arena.json");

use arena::{Arena, Guild};

#[test]
fn a_schema_in_one_line_is_a_database() {
    let db = Arena::builder().open().expect("a database in memory opens");
    let id = db.transact(|tx| tx.guild_mut().insert(Guild::new("Night Watch"))).expect("a guild");
    assert_eq!(db.read().guild().get(id).expect("it was inserted").name(), "Night Watch");
}
