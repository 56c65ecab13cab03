//! Worlds by chance: schemas of thirty to sixty tables with fields of every type, for the dynamic face.

use super::tape::Tape;
use serde_json::{Map, Value as Json, json};

/// Types of which a field may be the key of an index.
const KEYS: [&str; 17] = [
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "u64",
    "f32",
    "f64",
    "bool",
    "timestamp",
    "duration",
    "uuid",
    "str<9>",
    "bytes<5>",
    "Kind",
];
/// All others.
const REST: [&str; 12] = [
    "str<300>",
    "text",
    "bytes",
    "list<u16>",
    "list<text>",
    "list<list<i32>>",
    "[u8; 3]",
    "[text; 2]",
    "Tile",
    "Note",
    "list<Note>",
    "Act",
];

/// The text of a schema.
pub fn random(tape: &mut Tape<'_>) -> String {
    let count = 30 + tape.below(31);
    let tables: Map<String, Json> = (0..count).map(|at| (format!("r{at}"), table(tape, at))).collect();
    let schema = json!({
        "name": "chance", "version": "1",
        "custom_types": {
            "Tile": { "fields": [{ "name": "x", "type": "u16" }, { "name": "y", "type": "u16" }] },
            "Note": { "fields": [{ "name": "title", "type": "text" }, { "name": "at", "type": "Tile", "nullable": true },
                { "name": "rank", "type": "i8", "min": -3, "max": 3 }, { "name": "tags", "type": "list<text>" }] }
        },
        "enums": {
            "Kind": { "variants": ["hen", "owl", { "name": "yak", "number": 40 }] },
            "Act": { "variants": ["wait", { "name": "go", "payload": "Tile" }, { "name": "say", "payload": "text" },
                { "name": "many", "payload": "list<Note>" }] }
        },
        "tables": tables
    });
    schema.to_string()
}

fn table(tape: &mut Tape<'_>, at: usize) -> Json {
    let mut fields: Vec<Json> = (0..1 + tape.below(9)).map(|n| field(tape, at, n)).collect();
    // A key that others may refer to by value.
    fields.push(json!({ "name": "key", "type": "u16", "unique": true, "nullable": true }));
    let mut definition = json!({ "capacity": tape.of(&[0, 1, 40]) });
    if at > 3 && tape.one_in(5) {
        // No table is a component of a component's component: chains end here.
        definition["parent_table"] = json!(format!("r{}", tape.below(3)));
    }
    let keys: Vec<&str> = fields
        .iter()
        .filter(|field| field["type"].as_str().is_some_and(|ty| KEYS.contains(&ty)))
        .filter_map(|field| field["name"].as_str())
        .collect();
    if tape.one_in(2) {
        let columns: Vec<&str> = keys.iter().take(1 + tape.below(4)).copied().collect();
        let kind = tape.of(&["btree", "hash"]);
        definition["indexes"] = json!([{ "name": "wide", "fields": columns, "kind": kind, "unique": tape.one_in(4) }]);
    }
    definition["fields"] = Json::Array(fields);
    definition
}

fn field(tape: &mut Tape<'_>, table: usize, n: usize) -> Json {
    let name = format!("f{n}");
    let nullable = tape.one_in(3);
    match tape.below(10) {
        // References that are never null lead to tables before this one, so no ring of them begins nowhere.
        0 if table > 0 && !nullable => {
            let to = tape.below(table);
            json!({ "name": name, "type": format!("ref<r{to}>"), "on_delete": tape.of(&["restrict", "cascade"]) })
        }
        0..=1 => {
            let (to, rule) = (tape.below(table + 1), tape.of(&["restrict", "cascade", "set_null"]));
            json!({ "name": name, "type": format!("ref<r{to}>"), "nullable": true, "on_delete": rule })
        }
        2 if table > 0 => {
            let (to, rule) = (tape.below(table), tape.of(&["restrict", "cascade", "set_null"]));
            json!({ "name": name, "type": "u16", "nullable": true, "foreign_key": format!("r{to}.key"), "on_delete": rule })
        }
        3 => json!({ "name": name, "type": tape.of(&["u32", "u64", "i64"]), "auto_increment": true }),
        4 => json!({ "name": name, "type": "i32", "min": -4, "max": 4, "default": 1, "nullable": nullable }),
        5..=7 => {
            let mut field = json!({ "name": name, "type": tape.of(&KEYS), "nullable": nullable });
            match tape.below(4) {
                0 => field["unique"] = json!(true),
                1 => field["indexed"] = json!(true),
                2 if n > 0 => field["group"] = json!(tape.of(&["hot", "cold"])),
                _ => {}
            }
            field
        }
        _ => json!({ "name": name, "type": tape.of(&REST), "nullable": nullable }),
    }
}
