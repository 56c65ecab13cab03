//! The widest that is promised: indexes over eight columns of every kind that can be null, joins over six components.

use dbgen_macros::{Table, database};
use dbgen_runtime::{Database, Error, Id, RecordId, Rule, Value};
use dbgen_tests::machine::values::compare_prefix;
use std::ops::Bound;

const SCHEMA: &str = r#"{ "name": "w", "version": "1",
    "enums": { "Kind": { "variants": ["hen", "owl"] } },
    "tables": { "t": { "fields": [
        {"name":"lit","type":"bool","nullable":true}, {"name":"kind","type":"Kind","nullable":true},
        {"name":"far","type":"f64","nullable":true,"allow_nan":true}, {"name":"near","type":"f32","nullable":true,"allow_nan":true},
        {"name":"at","type":"timestamp","nullable":true}, {"name":"nap","type":"duration","nullable":true},
        {"name":"name","type":"text","nullable":true}, {"name":"n","type":"i16","nullable":true} ],
      "indexes": [
        {"name":"by_eight","fields":["lit","kind","far","near","at","nap","name","n"]},
        {"name":"backwards","fields":["n","name","nap","at","near","far","kind","lit"]},
        {"name":"hashed","fields":["far","lit","kind","near","at","nap","name","n"],"kind":"hash"},
        {"name":"one","fields":["n","lit","kind","far","near","at","nap","name"],"unique":true} ] } } }"#;

/// Few values of each column, so that keys have long parts in common.
fn columns() -> [Vec<Value>; 8] {
    let floats = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, f64::MIN_POSITIVE / 2.0, 2.5, f64::INFINITY, f64::NAN];
    let long = "a name that is longer than any key holds, ";
    let (a, b) = (format!("{long}a"), format!("{long}b"));
    let mut columns = [
        vec![false.into(), true.into()],
        vec![Value::Enum(0, None), Value::Enum(1, None)],
        floats.map(Value::from).to_vec(),
        floats.map(|f| Value::from(f as f32)).to_vec(),
        vec![i64::MIN.into(), (-1_i64).into(), 0_i64.into(), i64::MAX.into()],
        vec![(-7_i64).into(), 7_i64.into()],
        vec!["".into(), "a".into(), "a\0".into(), a.as_str().into(), b.as_str().into(), "b".into()],
        vec![i16::MIN.into(), (-1_i16).into(), 0_i16.into(), 1_i16.into(), i16::MAX.into()],
    ];
    columns.iter_mut().for_each(|values| values.push(Value::Null));
    columns
}

type Row = Vec<Value>;

/// A table of rows by chance, with the same beside it.
fn filled() -> (Database, Vec<(RecordId, Row)>) {
    let db = Database::builder().schema_json(SCHEMA).open().expect("it opens");
    let t = db.read().open_table("t").expect("a table").number();
    let (columns, mut seed) = (columns(), 1_u64);
    let mut chance = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut rows: Vec<Row> = Vec::new();
    while rows.len() < 400 {
        // Most are as another one was, in all columns but one.
        let mut row: Row = match rows.len() {
            0 => columns.iter().map(|values| values[0].clone()).collect(),
            len => rows[chance(len)].clone(),
        };
        let at = chance(8);
        row[at] = columns[at][chance(columns[at].len())].clone();
        // The unique index takes no key twice: one that is null in part may be there more often.
        let is_taken = || rows.iter().any(|other| compare_prefix(other, &row).is_eq());
        if row.iter().any(Value::is_null) || !is_taken() {
            rows.push(row);
        }
    }
    let (single, many) = rows.split_at(200);
    let given = |row: &Row| -> Vec<(usize, Value)> { row.iter().cloned().enumerate().collect() };
    let mut ids: Vec<RecordId> =
        db.transact(|tx| single.iter().map(|row| tx.insert_values(t, &given(row))).collect()).expect("one by one");
    let many: Vec<_> = many.iter().map(given).collect();
    ids.extend(db.transact(|tx| tx.insert_many(t, many.iter().map(Vec::as_slice))).expect("together"));
    (db, ids.into_iter().zip(rows).collect())
}

/// Where the columns of each index stand in a row.
const INDEXES: [(&str, [usize; 8]); 3] = [
    ("by_eight", [0, 1, 2, 3, 4, 5, 6, 7]),
    ("backwards", [7, 6, 5, 4, 3, 2, 1, 0]),
    ("one", [7, 0, 1, 2, 3, 4, 5, 6]),
];

#[test]
fn an_index_over_eight_columns_is_in_the_order_of_all_of_them() {
    let (db, rows) = filled();
    let view = db.read();
    view.verify().expect("whole");
    let table = view.open_table("t").expect("a table");
    for (index, columns) in INDEXES {
        let key = |row: &Row| -> Row { columns.iter().map(|at| row[*at].clone()).collect() };
        let mut sorted: Vec<(Row, RecordId)> = rows.iter().map(|(id, row)| (key(row), *id)).collect();
        sorted.sort_by(|a, b| compare_prefix(&a.0, &b.0).then(a.1.cmp(&b.1)));
        let check = |low: Bound<&[Value]>, high: Bound<&[Value]>, wanted: &dyn Fn(&Row) -> bool| {
            let expected: Vec<RecordId> = sorted.iter().filter(|(key, _)| wanted(key)).map(|(_, id)| *id).collect();
            let found = || table.find_range(index, low, high).expect("a range").map(|record| record.id());
            assert_eq!(found().collect::<Vec<_>>(), expected, "{index} {low:?} {high:?}");
            let mut back: Vec<RecordId> = found().rev().collect();
            back.reverse();
            assert_eq!(back, expected, "{index} {low:?} {high:?}, from the other end");
        };
        check(Bound::Unbounded, Bound::Unbounded, &|_| true);
        for (n, (row, _)) in sorted.iter().enumerate().step_by(7) {
            let other = &sorted[n * 31 % sorted.len()].0;
            for columns in 1..=8 {
                let (low, high) = (&row[..columns], &other[..columns]);
                check(Bound::Included(low), Bound::Included(low), &|key| compare_prefix(key, low).is_eq());
                check(Bound::Excluded(low), Bound::Included(high), &|key| {
                    compare_prefix(key, low).is_gt() && compare_prefix(key, high).is_le()
                });
                check(Bound::Included(low), Bound::Excluded(high), &|key| {
                    compare_prefix(key, low).is_ge() && compare_prefix(key, high).is_lt()
                });
            }
        }
    }
}

#[test]
fn a_hash_over_eight_columns_finds_what_is_equal_in_all_of_them() {
    let (db, rows) = filled();
    let view = db.read();
    let table = view.open_table("t").expect("a table");
    let key = |row: &Row| -> Row { [2, 0, 1, 3, 4, 5, 6, 7].map(|at| row[at].clone()).to_vec() };
    for (_, row) in &rows {
        let mut found: Vec<RecordId> =
            table.find_all("hashed", &key(row)).expect("a look-up").map(|record| record.id()).collect();
        found.sort();
        let mut expected: Vec<RecordId> =
            rows.iter().filter(|(_, other)| compare_prefix(other, row).is_eq()).map(|(id, _)| *id).collect();
        expected.sort();
        assert_eq!(found, expected, "{row:?}");
    }
}

#[test]
fn a_unique_index_over_eight_columns_names_them_all() {
    let (db, rows) = filled();
    let t = db.read().open_table("t").expect("a table").number();
    let whole = rows.iter().find(|(_, row)| !row.iter().any(Value::is_null)).expect("a row without nulls");
    let again: Vec<(usize, Value)> = whole.1.iter().cloned().enumerate().collect();
    let refused = db.transact(|tx| tx.insert_values(t, &again));
    let Err(Error::Invalid(violations)) = refused else { panic!("{refused:?}") };
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].field, "n,lit,kind,far,near,at,nap,name");
    assert!(matches!(&violations[0].rule, Rule::Unique { index, .. } if index == "one"), "{:?}", violations[0].rule);
    let mut null_in_part = again;
    null_in_part[3].1 = Value::Null;
    for _ in 0..2 {
        db.transact(|tx| tx.insert_values(t, &null_in_part)).expect("null is equal to nothing");
    }
    db.read().verify().expect("whole");
}

/// An entity.
#[derive(Table, Debug, Clone)]
struct Thing {
    number: u32,
}

macro_rules! components {
    ($($name:ident)*) => { $(
        /// A component.
        #[derive(Table, Debug, Clone)]
        #[table(parent = Thing)]
        struct $name {
            n: u32,
        }
    )* };
}

components! { One Two Three Four Five Six }

database! { name: Things, tables: [Thing, One, Two, Three, Four, Five, Six] }

#[test]
fn a_join_over_six_components_gives_what_a_look_at_every_entity_gives() {
    let db = things::Things::builder().open().expect("it opens");
    let ids: Vec<Id<Thing>> = db
        .transact(|tx| {
            let ids = tx.thing_mut().insert_many((0..2000).map(|number| Thing { number }))?;
            for (n, id) in (0_u32..).zip(&ids) {
                // Each in an order of its own, each missing elsewhere.
                for component in 0..6_u32 {
                    if n.is_multiple_of(component + 5) {
                        continue;
                    }
                    match component {
                        0 => tx.one_mut().attach(*id, One { n })?,
                        1 => tx.two_mut().attach(*id, Two { n })?,
                        2 => tx.three_mut().attach(*id, Three { n })?,
                        3 => tx.four_mut().attach(*id, Four { n })?,
                        4 => tx.five_mut().attach(*id, Five { n })?,
                        _ => tx.six_mut().attach(*id, Six { n })?,
                    }
                }
            }
            ids.iter().skip(3).step_by(10).try_for_each(|id| tx.thing_mut().delete(*id).map(drop))?;
            Ok(ids)
        })
        .expect("filled");
    let has = |n: u32, component: u32| n % 10 != 3 && !n.is_multiple_of(component + 5);
    let expected = |required: u32| -> Vec<u32> {
        (0..2000).filter(|n| n % 10 != 3 && (0..required).all(|component| has(*n, component))).collect()
    };
    let view = db.read();
    db.as_dynamic().read().verify().expect("whole");
    let sorted = |mut numbers: Vec<u32>| {
        numbers.sort_unstable();
        numbers
    };
    let all = view.join::<(&One, &Two, &Three, &Four, &Five, &Six)>().map(|(a, b, c, d, e, f)| {
        let numbers = [a.n.get(), b.n.get(), c.n.get(), d.n.get(), e.n.get(), f.n.get()];
        assert_eq!(numbers, [numbers[0]; 6], "the components of one entity");
        numbers[0]
    });
    assert_eq!(sorted(all.collect()), expected(6));
    let some = view.join::<(Id<Thing>, One, &Two, &Three, &Four, &Five, Option<&Six>)>();
    let some = some.map(|(id, a, _, _, _, e, f)| {
        assert_eq!((ids[a.n() as usize], e.n.get()), (id, a.n()));
        assert_eq!(f.map(|f| f.n.get()), has(a.n(), 5).then_some(a.n()));
        a.n()
    });
    assert_eq!(sorted(some.collect()), expected(5));
    db.transact(|tx| {
        tx.join_mut::<(&mut One, &Two, &Three, &Four, &Five, &Six)>().for_each(|(a, _, _, _, _, f)| {
            a.n.set(f.n.get() + 10_000);
        });
        Ok(())
    })
    .expect("written");
    let written: Vec<u32> = db.read().one().iter().map(|one| one.n()).filter(|n| *n >= 10_000).collect();
    assert_eq!(sorted(written), expected(6).iter().map(|n| n + 10_000).collect::<Vec<_>>());
}
