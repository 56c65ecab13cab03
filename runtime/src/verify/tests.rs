//! What is damaged is told: each fault of bytes is made on purpose, in a version of its own, and must be named.

use super::{Version, View};
use crate::record::codec::le_u64;
use crate::record::heap_ref::HeapCell;
use crate::sync::Arc;
use crate::table::buffer::Buffer;
use crate::table::heap::class_of;
use crate::table::meta::{FREE_SLOT, HEAP_FREE, HEAP_USED};
use crate::table::version::{GROUPS, HEAP, IDS, META, SLOTS, TableVersion};
use crate::{Database, RecordId, Value};

const SCHEMA: &str = r#"{ "name": "w", "version": "1",
    "custom_types": { "Spot": { "fields": [ {"name":"x","type":"u8"}, {"name":"lit","type":"bool"} ] } },
    "enums": { "Kind": { "variants": ["hen", "owl"] },
               "Act": { "variants": ["wait", {"name":"say","payload":"text"}] } },
    "tables": {
        "sheet": { "fields": [
            {"name":"name","type":"str<8>"}, {"name":"label","type":"str<300>"}, {"name":"kind","type":"Kind"},
            {"name":"open","type":"bool"}, {"name":"flags","type":"[bool; 3]"}, {"name":"at","type":"Spot"},
            {"name":"story","type":"text"}, {"name":"tags","type":"list<text>"}, {"name":"act","type":"Act"},
            {"name":"score","type":"i32","nullable":true,"group":"far"}, {"name":"code","type":"u32","unique":true} ] },
        "extra": { "parent_table": "sheet", "fields": [ {"name":"n","type":"u8"} ] },
        "pin": { "fields": [ {"name":"on","type":"ref<sheet>"} ] } } }"#;

/// A word that takes a block of its own in every heap that it is in.
const STORY: &str = "a story of some length";

fn sheet(n: u32) -> Vec<(&'static str, Value)> {
    vec![
        ("name", "name".into()),
        ("label", "label".into()),
        ("kind", Value::Enum(1, None)),
        ("open", true.into()),
        ("flags", vec![Value::from(true), false.into(), true.into()].into()),
        ("at", Value::Struct(vec![3_u8.into(), true.into()])),
        ("story", STORY.into()),
        ("tags", vec![Value::from("one"), "two".into()].into()),
        ("act", Value::Enum(1, Some(Box::new("hoot, hoot".into())))),
        ("code", n.into()),
    ]
}

/// Three sheets, of which the last has an extra and a pin.
fn world() -> (Database, [RecordId; 3]) {
    let db = Database::builder().schema_json(SCHEMA).open().expect("it opens");
    let ids = db.transact(|tx| Ok([0, 1, 2].map(|n| tx.insert_named("sheet", &sheet(n)).expect("it fits"))));
    let ids = ids.expect("filled");
    db.transact(|tx| {
        tx.attach_named("extra", ids[2], &[("n", 1_u8.into())])?;
        tx.insert_named("pin", &[("on", Value::Ref(ids[2].get()))]).map(drop)
    })
    .expect("filled");
    (db, ids)
}

/// The view with other bytes in one buffer of one table.
fn damaged(view: &View, table: &str, buffer: usize, damage: impl FnOnce(&mut Vec<u8>)) -> View {
    let at = view.version.catalog.table(table).expect("a table").at;
    let mut of_table = TableVersion::clone(&view.version.tables[at]);
    let mut bytes = of_table.buffers[buffer].bytes().to_vec();
    damage(&mut bytes);
    of_table.buffers[buffer] = Buffer::of(bytes);
    with_table(view, at, of_table)
}

fn with_table(view: &View, at: usize, table: TableVersion) -> View {
    let mut version = Version::clone(&view.version);
    version.tables[at] = Arc::new(table);
    View::new(Arc::new(version))
}

/// The buffer of a field of `sheet`, and where its cell lies in a row.
fn cell(view: &View, field: &str, row: usize) -> (usize, std::ops::Range<usize>) {
    let def = view.version.catalog.table("sheet").expect("a table");
    let at = def.fields.iter().find(|it| it.name == field).expect("a field").at;
    let start = row * def.layout.groups[at.group].stride + at.offset;
    (GROUPS + at.group, start..start + at.size)
}

/// The view with other bytes in the cell of the second sheet.
fn with_cell(view: &View, field: &str, damage: impl FnOnce(&mut [u8])) -> View {
    let (buffer, place) = cell(view, field, 1);
    damaged(view, "sheet", buffer, |bytes| damage(&mut bytes[place]))
}

/// What a heap cell of a sheet names.
fn heap_cell(view: &View, field: &str, row: usize) -> HeapCell {
    let at = view.version.catalog.table("sheet").expect("a table").at;
    let (buffer, place) = cell(view, field, row);
    HeapCell::from_bytes(&view.version.tables[at].buffers[buffer].bytes()[place][..8])
}

/// That the first fault of the view says this of the table.
#[track_caller]
fn assert_told(view: &View, table: &str, said: &str) {
    let faults = view.verify().expect_err("it is damaged");
    assert_eq!(faults[0].table, table, "{faults:?}");
    assert!(faults[0].what.contains(said), "{faults:?} does not say: {said}");
}

/// That the field is named by the table and by the record itself, and that no other record is.
#[track_caller]
fn assert_field(view: &View, ids: [RecordId; 3], field: &str, said: &str) {
    let whole = format!("row 1, field `{field}`: ");
    assert_told(view, "sheet", &whole);
    assert_told(view, "sheet", said);
    let sheets = view.open_table("sheet").expect("a table");
    let fault = sheets.get(ids[1]).expect("it is there").check().expect_err("it is damaged");
    assert_eq!(fault.table, "sheet");
    assert!(fault.what.starts_with(&whole) && fault.what.contains(said), "{fault} does not say: {said}");
    for id in [ids[0], ids[2]] {
        assert_eq!(sheets.get(id).expect("it is there").check(), Ok(()), "another record");
    }
}

#[test]
fn sl_5_a_cell_that_is_no_value_is_told_with_its_field() {
    let (db, ids) = world();
    let view = db.read();
    view.verify().expect("whole");
    type Damage = fn(&mut [u8]);
    let cases: &[(&str, Damage, &str)] = &[
        ("name", |cell| cell[0] = 200, "a length of 200 of 8"),
        ("name", |cell| cell[2] = 0xff, "not UTF-8"),
        ("name", |cell| cell[8] = b'x', "bytes behind the text"),
        ("label", |cell| cell[1] = 0xff, "of 300"),
        ("label", |cell| cell[2] = 0xc3, "not UTF-8"),
        ("kind", |cell| cell[0] = 9, "variant 9 of `Kind`"),
        ("open", |cell| cell[0] = 2, "a bool of 2"),
        ("flags", |cell| cell[2] = 0x80, "a bool of 128"),
        ("at", |cell| cell[1] = 7, "a bool of 7"),
        ("story", |cell| cell[4] = 250, "outside of the heap"),
        ("story", |cell| cell[7] = 0x40, "outside of the heap"),
        ("story", |cell| cell[3] = 0x40, "outside of the heap"),
        ("tags", |cell| cell[4] = 2, "a list without a count"),
        ("act", |cell| cell[0] = 77, "variant 77 of `Act`"),
        ("act", |cell| cell[8] = 0xff, "outside of the heap"),
        ("score", |cell| cell[0] = 1, "null, with a value behind it"),
    ];
    for (field, damage, said) in cases {
        assert_field(&with_cell(&view, field, damage), ids, field, said);
    }
}

#[test]
fn sl_5_what_lies_in_the_heap_is_told_with_the_field_that_names_it() {
    let (db, ids) = world();
    let view = db.read();
    let in_heap = |field: &str, at: usize, byte: u8| {
        let cell = if field == "act" {
            let (buffer, place) = cell(&view, "act", 1);
            let sheet = view.version.catalog.table("sheet").expect("a table").at;
            HeapCell::from_bytes(&view.version.tables[sheet].buffers[buffer].bytes()[place][1..])
        } else {
            heap_cell(&view, field, 1)
        };
        damaged(&view, "sheet", HEAP, |heap| heap[cell.offset as usize * 8 + at] = byte)
    };
    assert_field(&in_heap("story", 3, 0xff), ids, "story", "not UTF-8");
    assert_field(&in_heap("act", 0, 0x80), ids, "act", "not UTF-8");
    // A list: its count, the cell of its first text, and that text.
    assert_field(&in_heap("tags", 1, 0xff), ids, "tags", "a list of");
    assert_field(&in_heap("tags", 4, 0xee), ids, "tags", "outside of the heap");
    let first_text = HeapCell::from_bytes(
        &view.version.tables[0].buffers[HEAP].bytes()[{
            let start = heap_cell(&view, "tags", 1).offset as usize * 8 + 4;
            start..start + 8
        }],
    );
    assert_field(&in_heap("tags", first_text.offset as usize * 8, 0xff), ids, "tags", "not UTF-8");
}

#[test]
fn a_block_of_the_heap_that_leaks_or_is_shared_is_told() {
    let (db, ids) = world();
    let view = db.read();
    let leaked = with_cell(&view, "story", |cell| cell.fill(0));
    assert_told(&leaked, "sheet", "bytes of heap");
    let number = |view: &View, at: usize| le_u64(&view.version.tables[0].buffers[META].bytes()[at * 8..]);
    let with_number = |view: &View, at: usize, value: u64| {
        damaged(view, "sheet", META, |bytes| bytes[at * 8..at * 8 + 8].copy_from_slice(&value.to_le_bytes()))
    };
    // The same, where the number of bytes in use agrees with it.
    let forgotten = with_number(&leaked, HEAP_USED, number(&leaked, HEAP_USED) - 24);
    assert_told(&forgotten, "sheet", "units of heap belong to something");
    let other = heap_cell(&view, "story", 0);
    let shared = with_cell(&view, "story", |cell| cell.copy_from_slice(&other.to_bytes()));
    assert_told(&shared, "sheet", "belongs to two");
    // Half of it: the block begins inside of another.
    let inside = HeapCell { offset: other.offset + 1, ..other };
    let overlapping = with_cell(&view, "story", |cell| cell.copy_from_slice(&inside.to_bytes()));
    assert_told(&overlapping, "sheet", "belongs to two");
    assert_told(&with_number(&view, HEAP_USED, 8), "sheet", "bytes of heap");

    // Blocks that nobody uses stand in lists, one a class.
    let free = HEAP_FREE + class_of(STORY.len());
    assert_eq!(number(&view, free), 0);
    assert_told(&with_number(&view, free, u64::from(other.offset)), "sheet", "belongs to two");
    assert_told(&with_number(&view, free, 1 << 20), "sheet", "outside of the heap");
    db.transact(|tx| tx.delete_named("sheet", ids[1])).expect("deleted");
    let view = db.read();
    view.verify().expect("whole");
    let head = number(&view, free);
    assert_ne!(head, 0, "the block is free");
    assert_told(&with_number(&view, free, 0), "sheet", "units of heap belong to something");
    let ring = damaged(&view, "sheet", HEAP, |heap| {
        heap[head as usize * 8..head as usize * 8 + 4].copy_from_slice(&(head as u32).to_le_bytes());
    });
    assert_told(&ring, "sheet", "belongs to two");
}

#[test]
fn ids_slots_and_indexes_that_do_not_agree_with_the_rows_are_told() {
    let (db, ids) = world();
    let view = db.read();
    let swapped = damaged(&view, "sheet", IDS, |bytes| bytes[..16].rotate_left(8));
    assert_told(&swapped, "sheet", "whose slot names another row");
    assert_told(&damaged(&view, "sheet", IDS, |bytes| bytes[8..16].fill(0)), "sheet", "row 1 has no id");
    assert_told(&damaged(&view, "sheet", IDS, |bytes| bytes.extend([1; 8])), "sheet", "behind the last row");
    assert_told(&damaged(&view, "sheet", SLOTS, |bytes| bytes[8..16].fill(0)), "sheet", "2 slots in use");
    assert_told(&damaged(&view, "sheet", SLOTS, |bytes| bytes.truncate(16)), "sheet", "3 slots take 16 bytes");
    let used = damaged(&view, "sheet", META, |bytes| bytes[FREE_SLOT * 8] = 1);
    assert_told(&used, "sheet", "names slot 0, which is not free");
    // A value that its index does not know, and one that is there twice.
    assert_told(&with_cell(&view, "code", |cell| cell[0] = 99), "sheet", "does not have the key of row 1");
    assert_told(&with_cell(&view, "code", |cell| cell[0] = 0), "sheet", "does not have the key of row 1");
    let lost = view.version.catalog.table("sheet").expect("a table").layout.groups.len() + GROUPS;
    assert_told(&damaged(&view, "sheet", lost, Vec::clear), "sheet", "index `");
    db.transact(|tx| tx.delete_named("sheet", ids[0])).expect("deleted");
    let view = db.read();
    let unlisted = damaged(&view, "sheet", META, |bytes| bytes[FREE_SLOT * 8] = 0);
    assert_told(&unlisted, "sheet", "0 free, 0 retired, 3 in all");
}

#[test]
fn half_a_commit_is_told() {
    let (db, ids) = world();
    let (before, at) = (db.read(), |name: &str| db.read().version.catalog.table(name).expect("a table").at);
    assert!(db.transact(|tx| tx.delete_named("sheet", ids[2])).is_err(), "a pin is on it");
    db.transact(|tx| {
        let pin = tx.open_table("pin")?;
        let id = tx.read_table(pin)?.iter().next().expect("a pin").id();
        tx.delete_record(pin, id)?;
        tx.delete_named("sheet", ids[2])
    })
    .expect("deleted");
    let after = db.read();
    after.verify().expect("whole");
    let mixed = |of: &View, table: &str, with: &View| {
        with_table(of, at(table), TableVersion::clone(&with.version.tables[at(table)]))
    };
    assert_told(&mixed(&after, "pin", &before), "pin", "of `sheet`, which does not exist");
    assert_told(&mixed(&before, "extra", &after), "sheet", "does not say whether it has a `extra`");
    let orphan = mixed(&after, "extra", &before).verify().expect_err("it belongs to nobody");
    assert!(orphan.iter().any(|fault| fault.table == "extra" && fault.what.contains("belongs to no record")));
}
