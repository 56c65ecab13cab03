//! Tables and fields, types and their registry, and the schema as JSON.

use dbgen_runtime::{Database, Error, SchemaEdit, Value};
use dbgen_schema::field_type::{SCALARS, ScalarKind};
use dbgen_schema::{Format, Schema, Source, write};
use serde_json::json;

fn parsed(text: &str) -> Schema {
    let source = Source { name: "written".to_owned(), text: text.to_owned(), format: Format::Json };
    Schema::parse(&source).unwrap_or_else(|wrong| panic!("{wrong}"))
}

#[test]
fn ts_1_a_table_is_its_fields() {
    let db = Database::builder().schema_file(dbgen_tests::root().join("schemas/arena.json")).open().expect("it opens");
    let view = db.read();
    let table = view.open_table("player").expect("a table").schema();
    let names: Vec<&str> = table.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["name", "class", "hp", "kills", "pos", "vel", "bag", "guild"]);
    let (idx, hp) = table.field("hp").expect("a field");
    assert_eq!((idx.at(), hp.default.clone(), hp.max.clone()), (2, Some(100.into()), Some(9999.into())));
    assert_eq!(table.groups, ["row", "motion"]);
}

/// A value at each end of a scalar.
fn extremes(kind: ScalarKind) -> [Value; 2] {
    match kind {
        ScalarKind::Int { min, max } => [Value::Int(min), Value::Int(max)],
        ScalarKind::Float { bits: 32 } => [Value::from(f32::MIN), Value::from(f32::MAX)],
        ScalarKind::Float { .. } => [Value::from(f64::MIN), Value::from(f64::MAX)],
        ScalarKind::Bool => [false.into(), true.into()],
        ScalarKind::Timestamp | ScalarKind::Duration => [i64::MIN.into(), i64::MAX.into()],
        ScalarKind::Uuid => [vec![0_u8; 16].into(), vec![255_u8; 16].into()],
    }
}

#[test]
fn ct_1_every_scalar_is_kept_from_end_to_end() {
    let fields: Vec<_> = SCALARS.iter().map(|scalar| json!({ "name": scalar.name, "type": scalar.name })).collect();
    let db = Database::builder().open().expect("it opens");
    db.edit_schema(SchemaEdit::create_table("all", json!({ "fields": fields }))).expect("made");
    let all = db.read().open_table("all").expect("a table").number();
    for end in 0..2 {
        let values: Vec<_> = SCALARS.iter().map(|scalar| extremes(scalar.kind)[end].clone()).enumerate().collect();
        let id = db.transact(|tx| tx.insert_values(all, &values)).expect("inserted");
        let view = db.read();
        let stored = view.open_table("all").expect("a table").get(id).expect("it is there").values();
        assert_eq!(stored, values.into_iter().map(|(_, value)| value).collect::<Vec<_>>());
    }
    // One beyond either end is refused, for every integer.
    for (at, scalar) in SCALARS.iter().enumerate() {
        let ScalarKind::Int { min, max } = scalar.kind else { continue };
        for beyond in [min - 1, max + 1] {
            let refused = db.transact(|tx| {
                let id = tx.read_table(all)?.iter().next().expect("a record").id();
                tx.update_values(all, id, &[(at, Value::Int(beyond))])
            });
            assert!(matches!(refused, Err(Error::Invalid(_))), "{} {beyond}", scalar.name);
        }
    }
    db.read().verify().expect("whole");
}

#[test]
fn ct_2_composites_come_from_the_registry() {
    let schema = |point: &str, of: &str| {
        format!(
            r#"{{ "name": "a", "version": "1", "custom_types": {{
                "Point": {{ "fields": [ {{"name":"x","type":"i16"}}, {{"name":"y","type":"i16"}} ] }},
                "Line": {{ "fields": [ {{"name":"from","type":"{point}"}}, {{"name":"to","type":"{point}","nullable":true}} ] }} }},
              "tables": {{ "t": {{ "fields": [ {{"name":"lines","type":"list<{of}>"}} ] }} }} }}"#
        )
    };
    let db = Database::builder().schema_json(&schema("Point", "Line")).open().expect("it opens");
    let t = db.read().open_table("t").expect("a table").number();
    let point = |x: i16, y: i16| Value::Struct(vec![x.into(), y.into()]);
    let lines = Value::List(vec![
        Value::Struct(vec![point(1, -2), Value::Null]),
        Value::Struct(vec![point(3, 4), point(5, 6)]),
    ]);
    let id = db.transact(|tx| tx.insert_values(t, &[(0, lines.clone())])).expect("inserted");
    assert_eq!(db.read().open_table("t").expect("a table").get(id).expect("it is there").value(0), lines);
    // Tables that are made later know the same types; names that nobody registered are told the nearest.
    db.edit_schema(SchemaEdit::create_table("u", json!({ "fields": [{ "name": "at", "type": "Point" }] })))
        .expect("made");
    db.read().verify().expect("whole");
    for wrong in [schema("Piont", "Line"), schema("Line", "Line"), schema("Point", "Lines")] {
        let refused = Database::builder().schema_json(&wrong).open().expect_err("it is wrong").to_string();
        assert!(refused.contains("Point") || refused.contains("Line"), "{refused}");
    }
}

#[test]
fn sj_1_a_schema_goes_to_json_and_back() {
    for path in ["schemas/arena.json", "tests/fixtures/zoo.json", "tests/fixtures/menagerie.json"] {
        let schema = Schema::from_file(dbgen_tests::root().join(path)).unwrap_or_else(|wrong| panic!("{wrong}"));
        let text = write::to_json_pretty(&schema);
        let back = parsed(&text);
        assert!(back.says_the_same(&schema), "{path}");
        assert_eq!(write::to_json_pretty(&back), text, "{path}");
        assert_eq!(write::fingerprint(&back), write::fingerprint(&schema), "{path}");
    }
}

#[test]
fn sj_2_a_database_opens_from_the_json_of_another() {
    let db = Database::builder().schema_file(dbgen_tests::root().join("schemas/arena.json")).open().expect("it opens");
    db.edit_schema(SchemaEdit::create_table(
        "pet",
        json!({ "fields": [{ "name": "owner", "type": "ref<player>" }, { "name": "tricks", "type": "list<text>" }] }),
    ))
    .expect("made");
    let text = write::to_json_pretty(db.read().schema());
    let other = Database::builder().schema_json(&text).open().expect("it opens");
    assert_eq!(write::to_json_pretty(other.read().schema()), text);
    let pet = other.read().open_table("pet").expect("a table").number();
    let refused = other.transact(|tx| tx.insert_values(pet, &[(0, Value::Ref(1 << 32)), (1, Value::List(vec![]))]));
    assert!(matches!(refused, Err(Error::Invalid(_))), "its relations came with it");
    other.read().verify().expect("whole");
    // What is wrong is told with its line.
    let broken = text.replacen("\"type\": \"list<text>\"", "\"type\": \"list<texts>\"", 1);
    let told = Database::builder().schema_json(&broken).open().expect_err("it is wrong").to_string();
    let line = 1 + broken[..broken.find("list<texts>").expect("it is there")].matches('\n').count();
    assert!(told.contains(&format!(":{line}:")), "line {line}: {told}");
}
