//! The example schemas load, say what they should, and read back as they were written.

use dbgen_schema::write::{fingerprint, to_json_pretty, to_toml};
use dbgen_schema::{Format, OnDelete};

use crate::support::{fixtures, load, parse, workspace};

#[test]
fn what_is_written_reads_back() {
    for schema in fixtures() {
        let (json, toml) = (to_json_pretty(&schema), to_toml(&schema));
        for back in [parse(&json, Format::Json), parse(&toml, Format::Toml)] {
            assert!(back.says_the_same(&schema), "{json}\n{toml}");
            assert_eq!(fingerprint(&back), fingerprint(&schema));
            assert_eq!(to_json_pretty(&back), json);
        }
    }
}

#[test]
fn arena_is_the_same_in_both_languages() {
    let (json, toml) = (load(&workspace("schemas/arena.json")), load(&workspace("schemas/arena.toml")));
    assert!(json.says_the_same(&toml));
}

#[test]
fn arena_has_the_indexes_and_relations_that_follow() {
    let arena = load(&workspace("schemas/arena.json"));
    let names = |table: &str| -> Vec<(String, bool, bool)> {
        let (_, table) = arena.table(table).unwrap();
        table.indexes.iter().map(|index| (index.name.clone(), index.unique, index.written)).collect()
    };
    assert_eq!(names("guild"), [("by_name".to_string(), true, false)]);
    let player = [("by_class_hp", false, true), ("by_name", true, false), ("by_guild", false, false)];
    assert_eq!(names("player"), player.map(|(name, unique, written)| (name.to_string(), unique, written)));
    assert_eq!(arena.relations.len(), 1);
    assert_eq!(arena.relations[0].on_delete, OnDelete::SetNull);
}
