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
