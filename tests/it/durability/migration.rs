//! Opening data with another schema: safe changes are made, others refused with the plan.

use super::snapshots::{SCHEMA, add_crab, folder, open, table};
use dbgen_runtime::{Database, Error, SchemaEdit, Value};
use serde_json::json;
use std::path::Path;

fn open_with(dir: &Path, schema: &str) -> dbgen_runtime::Result<Database> {
    Database::builder().schema_json(schema).data_dir(dir).open()
}

#[test]
fn safe_changes_are_made_and_stay() {
    let dir = folder();
    let db = open(dir.path()).expect("it opens");
    add_crab(&db, "ada").expect("it fits");
    drop(db);
    let wider = SCHEMA.replace(
        r#"{"name":"legs","type":"i32","default":10}"#,
        r#"{"name":"feet","type":"i64","default":10,"renamed_from":"legs"}, {"name":"age","type":"u8","default":3}"#,
    );
    for _ in 0..2 {
        let db = open_with(dir.path(), &wider).expect("it is safe");
        let view = db.read();
        let crab = view.open_table("crab").expect("it is there");
        let fields: Vec<&str> = crab.schema().fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(fields, ["name", "feet", "age", "song"]);
        let values = crab.iter().next().expect("there is one").values();
        assert_eq!(values, [Value::from("ada"), Value::from(8), Value::from(3), Value::from("la la")]);
    }
    // Without a schema it is what is stored.
    let db = Database::builder().data_dir(dir.path()).open().expect("it opens");
    assert!(db.read().open_table("crab").expect("it is there").schema().fields.iter().any(|field| field.name == "age"));
}

#[test]
fn changes_that_lose_data_are_refused_with_the_plan() {
    let dir = folder();
    let db = open(dir.path()).expect("it opens");
    add_crab(&db, "ada").expect("it fits");
    drop(db);
    let narrower = SCHEMA.replace(r#"{"name":"legs","type":"i32","default":10},"#, "");
    let error = open_with(dir.path(), &narrower).expect_err("legs would be gone");
    assert!(matches!(error, Error::Migration { .. }), "{error}");
    assert!(error.to_string().contains("crab.legs"), "{error}");
    assert_eq!(super::snapshots::crabs(&open(dir.path()).expect("nothing changed")).len(), 1);
}

#[test]
fn what_was_made_at_run_time_stays_beside_a_new_schema_and_is_adopted_by_name() {
    let dir = folder();
    let db = open(dir.path()).expect("it opens");
    let gull = json!({"fields":[{"name":"cry","type":"text"}]});
    db.edit_schema(SchemaEdit::create_table("gull", gull.clone())).expect("it is a table");
    let number = table(&db, "gull");
    db.transact(|tx| tx.insert_values(number, &[(0, Value::from("kree"))])).expect("it fits");
    drop(db);
    let cries = |db: &Database| db.read().open_table("gull").expect("it is there").len();
    // The program's schema changes elsewhere: the table stays.
    let wider = SCHEMA.replace(r#""tide":"#, r#""wave": { "fields": [ {"name":"height","type":"f32"} ] }, "tide":"#);
    let db = open_with(dir.path(), &wider).expect("it is safe");
    assert_eq!(cries(&db), 1);
    assert!(db.read().open_table("wave").is_ok());
    drop(db);
    // It is written into the program's schema: the same table, with its data.
    let mut frozen: serde_json::Value = serde_json::from_str(&wider).expect("it is JSON");
    frozen["tables"]["gull"] = gull;
    let db = open_with(dir.path(), &frozen.to_string()).expect("it is adopted");
    assert_eq!(cries(&db), 1);
}

const TYPED: &str = r#"{ "name": "typed", "version": "1",
    "custom_types": { "Spot": { "fields": [ {"name":"x","type":"i16"}, {"name":"y","type":"i16"} ] } },
    "enums": { "Mood": { "variants": ["calm", "wild"] } },
    "tables": { "crab": { "fields": [ {"name":"at","type":"Spot"}, {"name":"trail","type":"list<Spot>","default":[]},
        {"name":"mood","type":"Mood"} ] } } }"#;

fn crabs(db: &Database) -> Vec<Vec<Value>> {
    db.read().verify().expect("whole");
    db.read().open_table("crab").expect("there").iter().map(|it| it.values()).collect()
}

#[test]
fn types_that_were_edited_while_it_ran_are_found_again() {
    let dir = folder();
    let db = open_with(dir.path(), TYPED).expect("it opens");
    let spot = |x: i16| Value::Struct(vec![x.into(), 7.into()]);
    let add = |db: &Database, x: i16, mood: u16| {
        let values = [(0, spot(x)), (1, Value::List(vec![spot(1), spot(2)])), (2, Value::Enum(mood, None))];
        db.transact(|tx| tx.insert_values(tx.open_table("crab")?, &values).map(drop)).expect("it fits");
    };
    (0..5).for_each(|n| add(&db, n, n as u16 % 2));
    db.edit_schema([
        SchemaEdit::rename_member("Spot", "x", "east"),
        SchemaEdit::rename_type("Spot", "Place"),
        SchemaEdit::add_member("Mood", json!("shy")),
        SchemaEdit::rename_member("Mood", "wild", "savage"),
    ])
    .expect("edited");
    add(&db, 9, 2);
    db.edit_schema([
        SchemaEdit::drop_member("Place", "y"),
        SchemaEdit::add_member("Place", json!({ "name": "up", "type": "i16", "default": 40 })),
    ])
    .expect("edited");
    let (before, schema) = (crabs(&db), db.read().schema().clone());
    assert_eq!(before[3][0], Value::Struct(vec![3.into(), 40.into()]), "what took the place of another is not it");
    drop(db);
    // Out of the log alone, twice, and with the schema that the program gave.
    for given in [Some(TYPED), None] {
        let db = match given {
            Some(schema) => open_with(dir.path(), schema),
            None => Database::builder().data_dir(dir.path()).open(),
        };
        let db = db.expect("it opens");
        assert_eq!(crabs(&db), before);
        assert!(db.read().schema().says_the_same(&schema));
    }
}

#[test]
fn a_program_that_gives_another_type_finds_its_values_in_it() {
    let dir = folder();
    let db = open_with(dir.path(), TYPED).expect("it opens");
    let spot = Value::Struct(vec![3.into(), 7.into()]);
    let values = [(0, spot.clone()), (1, Value::List(vec![spot])), (2, Value::Enum(1, None))];
    db.transact(|tx| tx.insert_values(tx.open_table("crab")?, &values).map(drop)).expect("it fits");
    // What is made of types at run time stays beside what the program changes.
    db.edit_schema([
        SchemaEdit::create_type("Size", json!({ "variants": ["small", "large"] })),
        SchemaEdit::add_field("crab", json!({ "name": "size", "type": "Size", "default": "large" })),
        SchemaEdit::add_member("Mood", json!("shy")),
    ])
    .expect("edited");
    drop(db);
    let wider = TYPED.replace(
        r#"{"name":"y","type":"i16"}"#,
        r#"{"name":"north","type":"i32","renamed_from":"y"}, {"name":"up","type":"u8","default":5}"#,
    );
    let db = open_with(dir.path(), &wider).expect("it is safe");
    let spot = Value::Struct(vec![3.into(), 7.into(), 5.into()]);
    let expected = [spot.clone(), Value::List(vec![spot]), Value::Enum(1, None), Value::Enum(1, None)];
    assert_eq!(crabs(&db), [expected]);
    let moods: Vec<String> = db.read().schema().enums[0].variants.iter().map(|it| it.name.clone()).collect();
    assert_eq!(moods, ["calm", "wild", "shy"]);
}
