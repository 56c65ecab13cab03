//! Many records in one call: what they leave is what they would have left one by one, or nothing.

use dbgen_runtime::{__private, Database, Error, RecordId, Result, Rule, Value, Violation};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

const SCHEMA: &str = r#"{ "name": "shop", "version": "1", "tables": {
    "maker": { "fields": [ {"name":"name","type":"str<8>","unique":true} ] },
    "item": {
        "fields": [
            {"name":"code","type":"u32","primary_key":true},
            {"name":"label","type":"text","nullable":true,"unique":true},
            {"name":"price","type":"i32","min":0,"max":100,"indexed":true},
            {"name":"maker","type":"ref<maker>","nullable":true},
            {"name":"part_of","type":"u32","nullable":true,"foreign_key":"item.code"},
            {"name":"number","type":"u32","auto_increment":true}
        ],
        "indexes": [ {"name":"by_price_code","fields":["price","code"]}, {"name":"by_maker_hash","fields":["maker"],"kind":"hash"} ]
    },
    "plain": { "fields": [ {"name":"code","type":"u32","unique":true}, {"name":"note","type":"text","indexed":true,"default":""} ] } } }"#;

fn shop() -> Database {
    Database::builder().schema_json(SCHEMA).open().expect("the shop opens")
}

type Row = Vec<(usize, Value)>;

fn row() -> impl Strategy<Value = Row> {
    let label = proptest::option::of(prop_oneof![
        (0..9_u8).prop_map(|n| format!("label {n}")),
        (0..9_u8).prop_map(|n| format!("a label that is longer than a key holds {n}"))
    ]);
    let part_of = prop_oneof![6 => Just(None), 1 => (0..40_u32).prop_map(Some)];
    (0..40_u32, label, prop_oneof![9 => 0..=100_i32, 1 => 101..104_i32], part_of).prop_map(
        |(code, label, price, part_of)| {
            vec![(0, code.into()), (1, label.into()), (2, price.into()), (4, part_of.map_or(Value::Null, Value::from))]
        },
    )
}

/// What is wrong with each row.
fn wrong(error: &Error) -> Vec<(Option<usize>, String)> {
    let Error::Invalid(violations) = error else { panic!("{error}") };
    violations.iter().map(|violation| (violation.row, violation.field.clone())).collect()
}

/// A record of the table without numbers or references to itself, of which many are encoded together.
fn plain_row() -> impl Strategy<Value = Row> {
    let code = prop_oneof![60 => (0..100_000_u32).prop_map(Value::from), 1 => Just(Value::from("no number"))];
    let note = prop_oneof![
        Just(None),
        (0..9_u8).prop_map(|n| Some(format!("note {n}"))),
        (0..9_u8).prop_map(|n| Some(format!("a note that is longer than a key holds {n}"))),
    ];
    (code, note).prop_map(|(code, note)| {
        [Some((0, code)), note.map(|note| (1, Value::from(note)))].into_iter().flatten().collect()
    })
}

/// That batches leave in a table what their rows leave one by one.
fn assert_same(table: &str, batches: &[Vec<Row>]) -> std::result::Result<(), TestCaseError> {
    let (many, single) = (shop(), shop());
    for rows in batches {
        let number = many.read().open_table(table).expect("a table").number();
        let before = __private::buffers(&many).expect("no transaction runs");
        let inserted = many.transact(|tx| tx.insert_many(number, rows.iter().map(Vec::as_slice)));
        let alone: Result<Vec<RecordId>> =
            single.transact(|tx| rows.iter().map(|row| tx.insert_values(number, row)).collect());
        match (inserted, alone) {
            (Ok(ids), Ok(alone)) => prop_assert_eq!(ids, alone),
            (Err(error), Err(_)) => {
                prop_assert!(wrong(&error).iter().all(|(row, _)| row.is_some_and(|row| row < rows.len())));
                prop_assert_eq!(__private::buffers(&many).expect("no transaction runs"), before);
            }
            (inserted, alone) => prop_assert!(false, "{:?}, one by one {:?}", inserted, alone),
        }
        let shown = |db: &Database| -> Vec<Vec<Value>> {
            db.read().open_table(table).expect("a table").iter().map(|record| record.values()).collect()
        };
        prop_assert_eq!(shown(&many), shown(&single));
        prop_assert_eq!(many.read().verify(), Ok(()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_leaves_what_its_rows_leave_one_by_one(batches in vec(vec(row(), 0..12), 1..5)) {
        assert_same("item", &batches)?;
    }

    #[test]
    fn a_batch_of_rows_that_are_encoded_together_does_too(batches in vec(vec(plain_row(), 0..150), 1..4)) {
        assert_same("plain", &batches)?;
    }
}

#[test]
fn every_bad_row_of_a_batch_is_named() {
    let db = shop();
    let plain = db.read().open_table("plain").expect("a table").number();
    let code = |n: u32| vec![(0, Value::from(n))];
    db.transact(|tx| tx.insert_values(plain, &code(7))).expect("the first");
    let rows = [code(1), code(7), code(2), code(1), vec![(1, "no code".into())], code(2)];
    let error = db.transact(|tx| tx.insert_many(plain, rows.iter().map(Vec::as_slice))).expect_err("a bad batch");
    let named: Vec<(Option<usize>, String)> = wrong(&error);
    assert_eq!(named.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [Some(1), Some(3), Some(4), Some(5)]);
    let Error::Invalid(violations) = &error else { unreachable!("it is one") };
    assert!(violations.iter().any(|Violation { rule, .. }| *rule == Rule::NotNull), "{error}");
    assert!(error.to_string().contains("of row 3"), "{error}");
    assert_eq!(db.read().open_table("plain").expect("a table").len(), 1);
}

#[test]
fn a_thousand_rows_fill_every_index_in_one_go() {
    let db = shop();
    let view = db.read();
    let (maker, item) = ("maker", "item");
    let (maker, item) = (view.open_table(maker).expect("it").number(), view.open_table(item).expect("it").number());
    let ids = db
        .transact(|tx| {
            let maker = tx.insert_values(maker, &[(0, "smith".into())])?;
            let row = |n: u32| -> Row {
                vec![(0, (n * 7919 % 1000).into()), (2, ((n % 101) as i32).into()), (3, Value::Ref(maker.get()))]
            };
            let rows: Vec<Row> = (0..1000).map(row).collect();
            tx.insert_many(item, rows.iter().map(Vec::as_slice))
        })
        .expect("a batch");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 1000);
    let view = db.read();
    view.verify().expect("whole");
    let items = view.open_table("item").expect("a table");
    assert_eq!(items.find_all("by_price", &[5.into()]).expect("an index").count(), 10);
    let gone = db.transact(|tx| tx.delete_where(item, |record| record.value(2) >= Value::from(50))).expect("deleted");
    let left = db.read().open_table("item").expect("a table").len();
    assert_eq!((gone + left, db.read().verify()), (1000, Ok(())));
    let cheap = |tx: &mut dbgen_runtime::Transaction, price: i32| {
        tx.update_where(item, |record| record.value(2) < Value::from(10), &[(2, price.into())])
    };
    assert_eq!(db.transact(|tx| cheap(tx, 99)).expect("updated"), 100);
    let error = db.transact(|tx| tx.update_where(item, |_| true, &[(2, 101.into())])).expect_err("too dear");
    let Error::Invalid(violations) = error else { panic!("{error}") };
    assert!(violations.len() > 1 && violations.iter().all(|violation| violation.id.is_some()));
    assert_eq!(db.read().verify(), Ok(()));
}
