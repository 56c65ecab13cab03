//! Edits of the schema in two halves, in worlds of any schema: the bytes that they leave are those of an edit made at once.
//!
//! Two machines play the same tape. One prepares the edit, and makes it after some transactions; the other makes it at once
//! after them. Where nothing was written meanwhile, every buffer of every table is compared. What was caught up with lies
//! elsewhere in heaps and in the pages of indexes: then all else is compared as bytes, blocks as the values that they hold,
//! and each index by what [`verify`](dbgen_runtime::View::verify) demands of it, which leaves no choice but its order of pages.

use dbgen_runtime::schema::Schema;
use dbgen_runtime::schema::layout::table_layout;
use dbgen_runtime::table::version::{GROUPS, HEAP, IDS, SLOTS, VERSIONS};
use dbgen_runtime::{Database, Error, RecordId, SchemaEdit, Value, error::SchemaEditError};
use dbgen_tests::machine::tape::Tape;
use dbgen_tests::machine::{Machine, quiet_about_plans};
use serde_json::{Value as Json, json};

/// What came of an edit: the schema's version, or which words refused it.
fn outcome(edited: Result<u64, Error>) -> String {
    match edited {
        Ok(version) => format!("version {version}"),
        // Which records are named depends on when they were found.
        Err(Error::SchemaEdit(SchemaEditError::RecordsInTheWay { .. })) => "records in the way".to_owned(),
        Err(other) => other.to_string(),
    }
}

/// An edit of a table that has records, if there is one.
fn edit(db: &Database, tape: &mut Tape<'_>) -> Option<SchemaEdit> {
    let view = db.read();
    let filled: Vec<_> = view.tables().filter(|table| table.len() > 1).collect();
    let table = *filled.get(tape.below(filled.len().max(1)))?;
    let (name, fields, indexes) = (&table.schema().name, &table.schema().fields, &table.schema().indexes);
    let field = |tape: &mut Tape<'_>| fields.get(tape.below(fields.len().max(1))).map(|field| field.name.clone());
    let add = |definition: Json| Some(SchemaEdit::add_field(name, definition));
    match tape.below(13) {
        0 => add(json!({ "name": "added", "type": "i32", "default": 5 })),
        1 => add(
            json!({ "name": "added", "type": "text", "default": "long enough to need a block of its own in the heap" }),
        ),
        2 => add(json!({ "name": "added", "type": "list<text>", "nullable": true })),
        3 => add(json!({ "name": "added", "type": "u32", "auto_increment": true, "unique": true })),
        4 => add(json!({ "name": "added", "type": "Note", "nullable": true })),
        5 => Some(SchemaEdit::drop_field(name, &field(tape)?)),
        6 => Some(SchemaEdit::rename_field(name, &field(tape)?, "renamed")),
        7 => Some(SchemaEdit::alter_field(name, &field(tape)?, json!({ "nullable": true }))),
        8 => Some(SchemaEdit::alter_field(name, &field(tape)?, json!({ "unique": true }))),
        9 => Some(SchemaEdit::create_index(name, json!({ "name": "made", "fields": [field(tape)?] }))),
        10 => Some(SchemaEdit::create_index(name, json!({ "name": "made", "fields": [field(tape)?], "kind": "hash" }))),
        11 => Some(SchemaEdit::drop_index(name, &indexes.get(tape.below(indexes.len().max(1)))?.name)),
        _ => {
            let fields = json!([{ "name": "n", "type": "u8" }]);
            Some(SchemaEdit::create_table("worn", json!({ "parent_table": name, "fields": fields })))
        }
    }
}

type Rows = Vec<(RecordId, u64, Vec<Value>)>;

/// Every row in its place: id, version, values.
fn rows(db: &Database) -> Vec<Rows> {
    let view = db.read();
    let rows = |table: dbgen_runtime::DynTable<'_>| {
        table.iter().map(|record| (record.id(), record.version(), record.values())).collect()
    };
    view.tables().map(rows).collect()
}

/// That all is the same but for the places of blocks and of pages.
fn assert_alike(schema: &Schema, in_two: &[Vec<Vec<u8>>], at_once: &[Vec<Vec<u8>>], what: &str) {
    for (at, table) in schema.tables.iter().enumerate() {
        let (two, one) = (&in_two[at], &at_once[at]);
        let same = |buffer: usize| assert!(two[buffer] == one[buffer], "buffer {buffer} of `{}` of {what}", table.name);
        assert_eq!(two.len(), one.len());
        [IDS, VERSIONS, SLOTS].into_iter().for_each(same);
        // Two blocks with the same bytes may have changed places.
        if two[HEAP].is_empty() && one[HEAP].is_empty() {
            let groups = table_layout(schema, table).groups.len();
            (GROUPS..GROUPS + groups).for_each(same);
        }
        if schema.tables.iter().any(|component| component.parent.is_some_and(|parent| parent.at() == at)) {
            same(two.len() - 1);
        }
    }
}

/// Makes an edit in a world of chance both ways; says whether it was made.
fn compare(seed: u64) -> Option<bool> {
    let mut tape = Tape::Seed(seed);
    let mut other_tape = tape.clone();
    let mut in_two = Machine::by_chance(&mut tape).expect("the language has it");
    let mut at_once = Machine::by_chance(&mut other_tape).expect("it had it a moment ago");
    let mut both = |steps: usize, play: &mut dyn FnMut(&mut Machine, &mut Tape<'_>)| {
        for _ in 0..steps {
            play(&mut in_two, &mut tape);
            play(&mut at_once, &mut other_tape);
        }
        (in_two.db.clone(), at_once.db.clone(), tape.clone())
    };
    let (two, one, mut choices) = both(25, &mut |machine, tape| machine.step(tape));
    assert!(buffers(&two) == buffers(&one), "the same tape leaves the same bytes");
    let edit = edit(&two, &mut choices)?;
    let what = format!("{edit:?} of world {seed}");
    let prepared = match two.prepare_edit(&edit) {
        Ok(prepared) => prepared,
        Err(refused) => {
            assert_eq!(outcome(Err(refused)), outcome(one.edit_schema(&edit)), "{what}");
            return Some(false);
        }
    };
    let meanwhile = choices.below(4) * 3;
    let (two, one, _) = both(meanwhile, &mut |machine, tape| machine.transaction(tape));
    let came_to = outcome(prepared.apply());
    assert_eq!(came_to, outcome(one.edit_schema(&edit)), "{what}");
    let (bytes_of_two, bytes_of_one) = (buffers(&two), buffers(&one));
    if meanwhile == 0 {
        assert!(bytes_of_two == bytes_of_one, "{what}: with nothing to catch up with, every byte is the same");
    }
    assert_alike(two.read().schema(), &bytes_of_two, &bytes_of_one, &what);
    assert_eq!(rows(&two), rows(&one), "{what}");
    for db in [&two, &one] {
        db.read().verify().unwrap_or_else(|faults| panic!("{what}: {faults:?}"));
    }
    Some(came_to.starts_with("version"))
}

fn buffers(db: &Database) -> Vec<Vec<Vec<u8>>> {
    dbgen_runtime::__private::buffers(db).expect("no transaction runs")
}

#[test]
fn an_edit_in_two_halves_leaves_the_bytes_of_one_at_once() {
    quiet_about_plans();
    let made = (0..60).filter_map(|seed| compare(0x4a11 + seed)).filter(|is_made| *is_made).count();
    assert!(made >= 10, "{made} edits were made, the others refused alike");
}
