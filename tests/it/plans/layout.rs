//! Where the bytes lie, and that what is read is those bytes.

use crate::generated::golden::arena::{Arena, Player, PlayersMut, Vec3, player};
use dbgen_runtime::{__private, Database, Error, Id, RecordId, Value};
use dbgen_schema::Schema;
use dbgen_schema::field_type::SCALARS;
use dbgen_schema::layout::{size_of as size_of_type, table_layout};

/// An arena with so many players.
fn arena(players: usize) -> (Arena, Vec<Id<Player>>) {
    let db = Arena::builder().open().expect("the arena opens");
    let fill = |mut table: PlayersMut<'_>| {
        (0..players).map(|n| table.insert(Player { hp: n as i32, ..Player::new(format!("p{n}")) })).collect()
    };
    let ids = db.transact(|tx| fill(tx.player_mut())).expect("filled");
    (db, ids)
}

#[test]
fn sl_1_a_buffer_has_the_capacity_that_the_schema_asks_for() {
    let schema = r#"{ "name": "a", "version": "1", "tables": { "t": {
        "capacity": 1000, "fields": [ {"name":"x","type":"i32"}, {"name":"y","type":"u64","group":"far"} ] } } }"#;
    let db = Database::builder().schema_json(schema).open().expect("it opens");
    let t = db.read().open_table("t").expect("a table").number();
    let held = || db.read().open_table("t").expect("a table").bytes();
    let (used, at_first) = held();
    // Per record: its id, its version, its slot, an i32 and a u64.
    assert!(at_first >= 1000 * (8 + 8 + 8 + 4 + 8), "{at_first} bytes");
    assert!(used < 1000);
    for n in 0..1000 {
        db.transact(|tx| tx.insert_values(t, &[(0, n.into()), (1, 1_u64.into())])).expect("inserted");
        assert_eq!(held().1, at_first, "record {n} needs no more room");
    }
}

#[test]
fn sl_5_what_is_read_is_what_was_written() {
    let (db, ids) = arena(100);
    let view = db.read();
    for (n, id) in ids.iter().enumerate() {
        let player = view.player().get(*id).expect("it is there");
        assert_eq!((player.name(), player.hp()), (format!("p{n}").as_str(), n as i32));
    }
    // An id that was good once is an error that says so, never another record in the same slot.
    db.transact(|tx| tx.player_mut().delete(ids[7])).expect("deleted");
    let new = db.transact(|tx| tx.player_mut().insert(Player::new("another"))).expect("inserted");
    let view = db.read();
    assert!(matches!(view.player().get(ids[7]), Err(Error::NotFound { stale: true, .. })));
    assert_eq!(view.player().get(new).expect("it is there").name(), "another");
    assert_eq!(view.player().get(ids[99]).expect("it moved to another row").hp(), 99);
    db.as_dynamic().read().verify().expect("whole");
}

#[test]
fn zc_1_a_field_is_a_reference_into_the_buffer() {
    let (db, ids) = arena(10);
    let view = db.read();
    let rows = view.player().motion();
    let within = |address: usize, slice: &[player::Motion]| slice.as_ptr_range().contains(&(address as *const _));
    for id in &ids {
        let player = view.player().get(*id).expect("it is there");
        let pos: &Vec3 = player.pos();
        assert!(within(std::ptr::from_ref(pos) as usize, rows), "no copy is made");
        assert!(std::ptr::eq(pos, view.player().get(*id).expect("it is there").pos()), "twice the same bytes");
    }
    // A text, too: the name of a record lies in its row.
    let names: Vec<usize> =
        ids.iter().map(|id| view.player().get(*id).expect("it is there").name().as_ptr() as usize).collect();
    assert!(names.windows(2).all(|pair| pair[1] - pair[0] == size_of::<player::Row>()), "{names:?}");
    // As long as nothing new is published, another view is the same memory.
    let again = db.read();
    assert!(std::ptr::eq(rows, again.player().motion()));
}

#[test]
fn zc_2_an_iterator_gives_references() {
    let (db, _) = arena(1000);
    let view = db.read();
    let rows = view.player().motion();
    let given: Vec<usize> = view.player().iter().map(|player| std::ptr::from_ref(player.motion()) as usize).collect();
    let lie: Vec<usize> = rows.iter().map(|row| std::ptr::from_ref(row) as usize).collect();
    assert_eq!(given, lie);
    let back: Vec<&str> = view.player().iter().rev().map(|player| player.name()).collect();
    assert_eq!((back.len(), back[0], back[999]), (1000, "p999", "p0"));
}

#[test]
fn ms_1_offsets_and_sizes_add_up() {
    let menagerie = Schema::from_file(dbgen_tests::root().join("tests/fixtures/menagerie.json")).expect("it is valid");
    let zoo = Schema::from_file(dbgen_tests::root().join("tests/fixtures/zoo.json")).expect("it is valid");
    for schema in [&menagerie, &zoo] {
        for table in &schema.tables {
            let layout = table_layout(schema, table);
            for group in &layout.groups {
                // The bitmap, then field after field: every byte belongs to exactly one.
                let end = group.fields.iter().fold(group.null_bytes, |end, idx| {
                    let at = layout.fields[idx.at()];
                    assert_eq!(at.offset, end, "{}.{}", table.name, table.fields[idx.at()].name);
                    assert_eq!(at.size, size_of_type(schema, &table.fields[idx.at()].ty));
                    end + at.size
                });
                assert_eq!(end, group.stride, "{}", table.name);
            }
            assert_eq!(layout.image_bytes, layout.groups.iter().map(|group| group.stride).sum::<usize>());
        }
    }
    let huge =
        r#"{ "name": "a", "version": "1", "tables": { "t": { "fields": [ {"name":"x","type":"[u64; 9000]"} ] } } }"#;
    assert!(matches!(Database::builder().schema_json(huge).open(), Err(Error::Schema(_))), "72 KiB are too much");
}

#[test]
fn ms_2_nothing_beyond_a_record_or_its_fields_is_read() {
    let (db, ids) = arena(3);
    let view = db.as_dynamic().read();
    let table = view.open_table("player").expect("a table");
    let record = table.get(ids[0].record_id()).expect("it is there");
    assert_eq!(record.value(10_000), Value::Null);
    for number in [1 << 32 | 3, 1 << 32 | 0xffff_ffff, 0x1f_ffff << 32] {
        let id = RecordId::from_u64(number).expect("a record could have it");
        assert!(matches!(table.get(id), Err(Error::NotFound { stale: false, .. })), "{number}");
    }
    assert!(RecordId::from_u64(0).is_none() && RecordId::from_u64(u64::MAX).is_none());
    assert!(matches!(view.open_table("players"), Err(Error::UnknownTable { suggestion: Some(_), .. })));
}

#[test]
fn ce_1_rows_have_no_padding() {
    assert_eq!((size_of::<player::Motion>(), align_of::<player::Motion>()), (6 * 4, 1));
    let schema = Schema::from_file(dbgen_tests::root().join("schemas/arena.json")).expect("it is valid");
    let (_, table) = schema.table("player").expect("a table");
    let strides: Vec<usize> = table_layout(&schema, table).groups.iter().map(|group| group.stride).collect();
    assert_eq!(strides, [size_of::<player::Row>(), size_of::<player::Motion>()]);
    let cells: usize = SCALARS.iter().map(|scalar| scalar.size_bytes).sum();
    assert_eq!(cells, 2 * (1 + 2 + 4 + 8) + 4 + 8 + 1 + 8 + 8 + 16, "scalars take what they need");
}

#[test]
fn ce_2_a_column_group_is_one_buffer() {
    let (db, ids) = arena(257);
    let view = db.read();
    let rows = view.player().motion();
    let step = |pair: &[player::Motion]| std::ptr::from_ref(&pair[1]) as usize - std::ptr::from_ref(&pair[0]) as usize;
    assert!(rows.windows(2).all(|pair| step(pair) == size_of::<player::Motion>()));
    // Deleting from the middle leaves no hole: the last record moves in.
    db.transact(|tx| tx.player_mut().delete(ids[100])).expect("deleted");
    let view = db.read();
    assert_eq!(view.player().motion().len(), 256);
    assert_eq!(view.player().iter().map(|player| player.hp()).nth(100), Some(256));
    let buffers = __private::buffers(&db).expect("no transaction runs");
    let motions: Vec<&Vec<u8>> =
        buffers.iter().flatten().filter(|bytes| bytes.len() == 257 * size_of::<player::Motion>()).collect();
    assert_eq!(motions.len(), 1, "the rows, and the zeroed one where the last record was");
}
