//! Mistakes of the engine that the state machine found, each with what it did.

use dbgen_runtime::{__private, Database, Error, RecordId, Result, Rule, SchemaEdit, TableNo, Value};
use serde_json::json;

fn open(schema: &str) -> (Database, TableNo) {
    let db = Database::builder().schema_json(schema).open().expect("it opens");
    let table = db.read().tables().next().expect("a table").number();
    (db, table)
}

fn insert(db: &Database, table: TableNo, values: &[(usize, Value)]) -> Result<RecordId> {
    db.transact(|tx| tx.insert_values(table, values))
}

#[track_caller]
fn rules<R: std::fmt::Debug>(result: Result<R>) -> Vec<(String, Rule)> {
    match result {
        Err(Error::Invalid(violations)) => violations.into_iter().map(|v| (v.field, v.rule)).collect(),
        other => panic!("{other:?}"),
    }
}

const SPOT: &str = r#"{ "name": "a", "version": "1",
    "custom_types": { "Spot": { "fields": [ {"name":"x","type":"f32"}, {"name":"level","type":"i16","min":0,"max":9},
        {"name":"word","type":"text"} ] } },
    "enums": { "Act": { "variants": ["wait", {"name":"go","payload":"Spot"}] } },
    "tables": { "t": { "fields": [ {"name":"at","type":"Spot"}, {"name":"path","type":"list<Spot>"},
        {"name":"act","type":"Act"}, {"name":"luck","type":"f64","default":0}, {"name":"odd","type":"f64","allow_nan":true,"default":0} ] } } }"#;

fn spot(x: f32, level: i16) -> Value {
    Value::Struct(vec![x.into(), level.into(), "here".into()])
}

#[test]
fn what_is_deep_inside_a_value_keeps_its_rules_too() {
    // Over HTTP the bounds of a composite's field were asked, by the other faces they were not; nor was NaN, by either.
    let (db, t) = open(SPOT);
    let with = |at: Value, path: Vec<Value>, act: Value| insert(&db, t, &[(0, at), (1, path.into()), (2, act)]);
    let wait = || Value::Enum(0, None);
    with(spot(1.0, 9), vec![spot(2.0, 0)], wait()).expect("it is right");
    let go = Value::Enum(1, Some(Box::new(spot(0.0, -1))));
    let broken = rules(with(spot(1.0, 10), vec![spot(0.0, 1), spot(f32::NAN, 1)], go));
    let fields: Vec<&str> = broken.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["at", "path", "act"]);
    assert!(matches!(broken[0].1, Rule::OutOfRange { .. }) && matches!(broken[2].1, Rule::OutOfRange { .. }));
    assert_eq!(broken[1].1, Rule::NotANumber);
    let id = with(spot(1.0, 9), vec![], wait()).expect("it is right");
    let set = |field: usize, value: f64| db.transact(|tx| tx.update_values(t, id, &[(field, value.into())]));
    assert_eq!(rules(set(3, f64::INFINITY)), [("luck".to_owned(), Rule::NotANumber)]);
    set(4, f64::NAN).expect("the schema allows it");
}

#[test]
fn a_value_of_another_type_is_told_for_that_alone() {
    // The zero that stood in its place was judged as well: an empty name that was taken, a number below its bound.
    let (db, t) = open(
        r#"{ "name": "a", "version": "1", "tables": { "t": { "fields": [
            {"name":"name","type":"str<4>","unique":true}, {"name":"level","type":"u8","min":1} ] } } }"#,
    );
    insert(&db, t, &[(0, "".into()), (1, 1.into())]).expect("it is right");
    let broken = rules(insert(&db, t, &[(0, "longer".into()), (1, "high".into())]));
    let expected = [
        ("name".to_owned(), Rule::TooLong { max: 4, got: 6 }),
        ("level".to_owned(), Rule::Type { expected: "u8".to_owned() }),
    ];
    assert_eq!(broken, expected);
}

#[test]
fn a_composite_written_as_it_was_is_no_change() {
    // Its text was stored anew: another version of the record, told to everybody who listens.
    let (db, t) = open(SPOT);
    let values = [(0, spot(1.0, 2)), (1, vec![spot(1.0, 1)].into()), (2, Value::Enum(1, Some(Box::new(spot(5.0, 5)))))];
    let id = insert(&db, t, &values).expect("it is right");
    let (before, version) = (__private::buffers(&db).expect("it is free"), db.read().commit());
    db.transact(|tx| tx.update_values(t, id, &values)).expect("nothing to do");
    assert!(__private::buffers(&db).expect("it is free") == before);
    assert_eq!(db.read().commit(), version);
}

#[test]
fn a_unique_zero_may_change_its_sign() {
    // +0 and -0 are one key, so the record itself was found to have it already.
    let (db, t) = open(
        r#"{ "name": "a", "version": "1", "tables": { "t": { "fields": [ {"name":"x","type":"f64","unique":true} ] } } }"#,
    );
    let id = insert(&db, t, &[(0, 0.0.into())]).expect("inserted");
    db.transact(|tx| tx.update_values(t, id, &[(0, (-0.0).into())])).expect("it is its own");
    assert_eq!(rules(insert(&db, t, &[(0, 0.0.into())])).len(), 1, "it is still taken for others");
    db.read().verify().expect("whole");
}

#[test]
fn a_table_in_a_new_shape_does_not_claim_to_know_its_past() {
    // After an edit the list of changes was empty, which read as "nothing changed since then".
    let (db, t) =
        open(r#"{ "name": "a", "version": "1", "tables": { "t": { "fields": [ {"name":"x","type":"i32"} ] } } }"#);
    for n in 0..3 {
        insert(&db, t, &[(0, n.into())]).expect("inserted");
    }
    let changes = |since| __private::changes_since(&db, 0, since).expect("it is free").map(|changes| changes.len());
    assert_eq!((changes(0), changes(2)), (Some(3), Some(1)));
    db.edit_schema(SchemaEdit::add_field("t", json!({ "name": "y", "type": "u8", "nullable": true }))).expect("added");
    assert_eq!((changes(0), changes(3), changes(4)), (None, None, Some(0)));
    insert(&db, t, &[(0, 9.into())]).expect("inserted");
    assert_eq!((changes(3), changes(4)), (None, Some(1)));
}

#[test]
fn what_was_held_for_longer_than_is_remembered_is_not_written_on() {
    // Versions lack what was published since; more publications than are remembered make one worthless.
    let (db, t) =
        open(r#"{ "name": "a", "version": "1", "tables": { "t": { "fields": [ {"name":"x","type":"i32"} ] } } }"#);
    let id = insert(&db, t, &[(0, 0.into())]).expect("inserted");
    for round in 0..3 {
        let held: Vec<_> = (0..4)
            .map(|n| {
                db.transact(|tx| tx.update_values(t, id, &[(0, (round * 1000 + n).into())])).expect("written");
                db.read()
            })
            .collect();
        for n in 4..600 {
            db.transact(|tx| tx.update_values(t, id, &[(0, (round * 1000 + n).into())])).expect("written");
        }
        for (n, view) in held.into_iter().enumerate() {
            let value = view.open_table("t").expect("a table").get(id).expect("it is there").value(0);
            assert_eq!(value, Value::from(round * 1000 + n as i32));
        }
    }
    db.read().verify().expect("whole");
}
