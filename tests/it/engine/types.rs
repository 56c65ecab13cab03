//! Types edited while the database runs: what becomes of values wherever they lie, what is refused, what views keep.

use crate::generated::golden::arena::Arena;
use dbgen_runtime::error::SchemaEditError;
use dbgen_runtime::{__private, Database, Error, RecordId, Rule, SchemaEdit, Value};
use serde_json::{Value as Json, json};

/// `Spot` lies in a field, in an array, in a list, in another composite, in a payload; so does `Mood`.
const ZOO: &str = r#"{ "name": "zoo", "version": "1",
    "custom_types": {
        "Spot": { "fields": [ {"name":"x","type":"i16"}, {"name":"y","type":"i16","default":-1} ] },
        "Trip": { "fields": [ {"name":"from","type":"Spot"}, {"name":"why","type":"text"},
            {"name":"mood","type":"Mood","nullable":true} ] } },
    "enums": {
        "Mood": { "variants": ["calm", "wild", {"name":"gone","number":7}] },
        "Act": { "variants": ["wait", {"name":"go","payload":"Spot"}, {"name":"tour","payload":"list<Trip>"}] } },
    "tables": {
        "animal": { "fields": [
            {"name":"name","type":"str<8>","unique":true}, {"name":"at","type":"Spot","default":{"x":1,"y":2}},
            {"name":"seen","type":"list<Spot>"}, {"name":"ends","type":"[Spot; 2]"},
            {"name":"trip","type":"Trip","nullable":true}, {"name":"act","type":"Act","default":{"go":{"x":3,"y":4}}},
            {"name":"mood","type":"Mood","default":"wild","indexed":true} ] },
        "bare": { "fields": [ {"name":"n","type":"u8"} ] } } }"#;

fn spot(x: i16, y: i16) -> Value {
    Value::Struct(vec![x.into(), y.into()])
}

fn trip(why: &str) -> Value {
    Value::Struct(vec![spot(5, 6), why.into(), Value::Enum(1, None)])
}

struct Zoo {
    db: Database,
    ids: Vec<RecordId>,
}

impl Zoo {
    fn open() -> Zoo {
        let db = Database::builder().schema_json(ZOO).open().expect("it opens");
        let mut ids = Vec::new();
        db.transact(|tx| {
            let animal = tx.open_table("animal")?;
            for n in 0..9_i16 {
                let tour = Value::List(vec![trip("a reason that lies in the block of the list"), trip("")]);
                let act = [None, Some((1, spot(n, 9))), Some((2, tour))][n as usize % 3].clone();
                let act =
                    act.map_or(Value::Enum(0, None), |(number, payload)| Value::Enum(number, Some(payload.into())));
                let values = [
                    (0, format!("a{n}").into()),
                    (1, spot(n, -n)),
                    (2, Value::List((0..n).map(|k| spot(k, n)).collect())),
                    (3, Value::List(vec![spot(1, n), spot(n, 1)])),
                    (4, if n % 2 == 0 { Value::Null } else { trip("why not") }),
                    (5, act),
                    (6, Value::Enum([0, 1, 7][n as usize % 3], None)),
                ];
                ids.push(tx.insert_values(animal, &values)?);
            }
            // Rows that do not lie in the order of their ids.
            tx.delete_record(animal, ids.remove(2)).map(drop)
        })
        .expect("filled");
        Zoo { db, ids }
    }

    /// Makes edits; the database is whole after them, and a view from before shows what it showed.
    #[track_caller]
    fn edit(&self, edits: impl AsRef<[SchemaEdit]>) {
        let before = self.db.read();
        let (schema, rows) = (before.schema().clone(), all(&before));
        self.db.edit_schema(edits).expect("an edit that is allowed");
        self.db.read().verify().expect("the new version is whole");
        before.verify().expect("the old version is whole");
        assert!(all(&before) == rows && *before.schema() == schema, "a view does not change");
    }

    /// Makes edits that are refused; nothing has changed then.
    #[track_caller]
    fn refused(&self, edits: impl AsRef<[SchemaEdit]>) -> Error {
        let (before, bytes) = (self.db.read(), __private::buffers(&self.db).expect("no transaction runs"));
        let error = self.db.edit_schema(edits).expect_err("an edit that is not allowed");
        assert!(__private::buffers(&self.db).expect("no transaction runs") == bytes, "{error}: bytes have changed");
        assert_eq!(self.db.read().schema(), before.schema(), "{error}");
        error
    }

    #[track_caller]
    fn refused_by(&self, edits: impl AsRef<[SchemaEdit]>) -> SchemaEditError {
        match self.refused(edits) {
            Error::SchemaEdit(error) => error,
            other => panic!("{other}"),
        }
    }

    fn value(&self, at: usize, field: &str) -> Value {
        let view = self.db.read();
        let animal = view.open_table("animal").expect("the table is there");
        animal.get(self.ids[at]).expect("the record is there").get(field).expect("the field is there")
    }

    /// The definition of a type, or of a field of `animal`.
    fn schema(&self) -> Json {
        let text = dbgen_runtime::schema::write::to_json_pretty(self.db.read().schema());
        serde_json::from_str(&text).expect("it is JSON")
    }
}

fn all(view: &dbgen_runtime::View) -> Vec<Vec<Value>> {
    view.open_table("animal").expect("the table is there").iter().map(|it| it.values()).collect()
}

#[test]
fn a_new_variant_moves_no_bytes() {
    let zoo = Zoo::open();
    let bytes = __private::buffers(&zoo.db).expect("no transaction runs");
    zoo.edit([
        SchemaEdit::add_member("Mood", json!("shy")),
        SchemaEdit::add_member("Act", json!({ "name": "sing", "payload": "u8" })),
    ]);
    assert!(__private::buffers(&zoo.db).expect("no transaction runs") == bytes, "values of enums lie as they lay");
    zoo.db
        .transact(|tx| {
            let animal = tx.open_table("animal")?;
            tx.update_values(animal, zoo.ids[0], &[(6, Value::Enum(8, None))])?;
            tx.update_values(animal, zoo.ids[1], &[(5, Value::Enum(3, Some(Box::new(7_u8.into()))))])
        })
        .expect("values of the new variants");
    assert_eq!(zoo.value(0, "mood"), Value::Enum(8, None), "a variant's number follows the last one's");
    zoo.db.read().verify().expect("whole");
}

#[test]
fn a_new_field_of_a_composite_is_in_every_value_of_it() {
    let zoo = Zoo::open();
    zoo.edit(SchemaEdit::add_member("Spot", json!({ "name": "z", "type": "f32", "default": 0.5 })));
    let with_z = |x: i16, y: i16| Value::Struct(vec![x.into(), y.into(), 0.5.into()]);
    assert_eq!(zoo.value(4, "at"), with_z(5, -5));
    assert_eq!(zoo.value(1, "seen"), Value::List(vec![with_z(0, 1)]));
    assert_eq!(zoo.value(1, "ends"), Value::List(vec![with_z(1, 1), with_z(1, 1)]));
    let far = Value::Struct(vec![with_z(5, 6), "why not".into(), Value::Enum(1, None)]);
    assert_eq!(zoo.value(1, "trip"), far, "in another composite");
    assert_eq!(zoo.value(1, "act"), Value::Enum(1, Some(Box::new(with_z(1, 9)))), "in a payload");
    let Value::Enum(2, Some(tour)) = zoo.value(4, "act") else { panic!("a tour") };
    let Value::List(trips) = *tour else { panic!("trips") };
    assert_eq!(trips.len(), 2, "in a composite in a list in a payload");
    assert_eq!(trips[1], Value::Struct(vec![with_z(5, 6), "".into(), Value::Enum(1, None)]));
    // Null where it may be, and a default only for the records that are there.
    zoo.edit(SchemaEdit::add_member("Spot", json!({ "name": "sign", "type": "text", "nullable": true })));
    assert_eq!(zoo.value(4, "at"), Value::Struct(vec![5.into(), (-5).into(), 0.5.into(), Value::Null]));
    // Defaults that say null are values of it too.
    let signed = json!({ "x": 1, "y": 2, "z": 0, "sign": "here" });
    zoo.edit([
        SchemaEdit::AlterMember {
            of: "Spot".into(),
            member: "sign".into(),
            changes: json!({ "nullable": null, "default": "none" }),
        },
        SchemaEdit::alter_field("animal", "at", json!({ "default": signed })),
        SchemaEdit::alter_field("animal", "act", json!({ "default": "wait" })),
    ]);
    assert_eq!(zoo.value(4, "at"), Value::Struct(vec![5.into(), (-5).into(), 0.5.into(), "none".into()]));
}

#[test]
fn a_field_without_a_value_is_refused_while_anything_holds_the_composite() {
    let zoo = Zoo::open();
    let bare = json!({ "name": "z", "type": "f32" });
    match zoo.refused_by(SchemaEdit::add_member("Spot", bare.clone())) {
        SchemaEditError::DefaultRequired { table, field, records } => {
            assert_eq!((table.as_str(), field.as_str(), records), ("animal", "Spot.z", 8));
        }
        other => panic!("{other}"),
    }
    // A list that is empty holds none today; the schema does not know, and says so too.
    let ids = zoo.ids.clone();
    zoo.db
        .transact(|tx| {
            let animal = tx.open_table("animal")?;
            ids.iter().try_for_each(|id| tx.delete_record(animal, *id).map(drop))
        })
        .expect("deleted");
    let edits = [
        SchemaEdit::add_member("Spot", bare),
        SchemaEdit::alter_field("animal", "at", json!({ "default": null })),
        SchemaEdit::alter_field("animal", "act", json!({ "default": null })),
    ];
    zoo.edit(edits);
}

#[test]
fn names_are_renamed_wherever_they_stand() {
    let zoo = Zoo::open();
    let before = all(&zoo.db.read());
    zoo.edit([
        SchemaEdit::rename_type("Spot", "Place"),
        SchemaEdit::rename_member("Place", "x", "east"),
        SchemaEdit::rename_type("Mood", "Humour"),
        SchemaEdit::rename_member("Humour", "wild", "savage"),
        SchemaEdit::rename_member("Act", "go", "walk"),
    ]);
    assert_eq!(all(&zoo.db.read()), before, "values have no names");
    let schema = zoo.schema();
    let fields = &schema["tables"]["animal"]["fields"];
    let types: Vec<&str> = fields.as_array().expect("a list").iter().filter_map(|it| it["type"].as_str()).collect();
    assert_eq!(types, ["str<8>", "Place", "list<Place>", "[Place; 2]", "Trip", "Act", "Humour"]);
    assert_eq!(fields[1]["default"], json!({ "east": 1, "y": 2 }));
    assert_eq!(fields[5]["default"], json!({ "walk": { "east": 3, "y": 4 } }));
    assert_eq!(fields[6]["default"], "savage");
    assert_eq!(schema["custom_types"]["Trip"]["fields"][2]["type"], "Humour");
    assert_eq!(schema["enums"]["Humour"]["variants"][2], json!({ "name": "gone", "number": 7 }));
}

#[test]
fn what_values_are_of_cannot_go() {
    let zoo = Zoo::open();
    let wild = zoo.refused(SchemaEdit::drop_member("Mood", "wild"));
    assert!(matches!(&wild, Error::Schema(_)), "a default is of it: {wild}");
    // Another default, and nobody of it: then it can.
    let calm = |field: usize, value: Value| {
        zoo.db.transact(|tx| {
            let animal = tx.open_table("animal")?;
            zoo.ids.iter().try_for_each(|id| tx.update_values(animal, *id, &[(field, value.clone())]))
        })
    };
    let edits = [
        SchemaEdit::alter_field("animal", "mood", json!({ "default": "calm" })),
        SchemaEdit::drop_member("Mood", "wild"),
    ];
    match zoo.refused_by(&edits) {
        SchemaEditError::RecordsInTheWay { records, first } => {
            assert!(records > 0 && first.iter().all(|it| matches!(it.rule, Rule::Type { .. })), "{first:?}");
        }
        other => panic!("{other}"),
    }
    calm(6, Value::Enum(0, None)).expect("written");
    calm(4, Value::Null).expect("written");
    calm(5, Value::Enum(0, None)).expect("written");
    zoo.edit(&edits);
    // Its number is free again, and nobody's: a new variant takes it as its own.
    zoo.edit(SchemaEdit::add_member("Mood", json!({ "name": "tame", "number": 1 })));
    assert!(all(&zoo.db.read()).iter().all(|row| row[6] == Value::Enum(0, None)));
}

#[test]
fn a_variant_that_takes_the_number_of_one_that_goes_takes_over_no_value() {
    let zoo = Zoo::open();
    let edits = [
        SchemaEdit::alter_field("animal", "mood", json!({ "default": "calm" })),
        SchemaEdit::drop_member("Mood", "wild"),
        SchemaEdit::add_member("Mood", json!({ "name": "tame", "number": 1 })),
    ];
    let error = zoo.refused_by(&edits);
    assert!(matches!(error, SchemaEditError::RecordsInTheWay { .. }), "{error}");
    // The same for a field that takes the place of another of its type.
    zoo.edit([
        SchemaEdit::drop_member("Spot", "y"),
        SchemaEdit::add_member("Spot", json!({ "name": "up", "type": "i16", "default": 40 })),
        SchemaEdit::alter_field("animal", "at", json!({ "default": { "x": 1 } })),
        SchemaEdit::alter_field("animal", "act", json!({ "default": "wait" })),
    ]);
    assert_eq!(zoo.value(4, "at"), spot(5, 40));
}

#[test]
fn a_field_of_a_composite_takes_another_type_where_every_value_fits() {
    let zoo = Zoo::open();
    let to =
        |ty: &str| SchemaEdit::AlterMember { of: "Spot".into(), member: "y".into(), changes: json!({ "type": ty }) };
    zoo.edit(to("i64"));
    assert_eq!(zoo.value(4, "at"), spot(5, -5));
    let narrow = SchemaEdit::AlterMember { of: "Spot".into(), member: "y".into(), changes: json!({ "min": -3 }) };
    match zoo.refused_by([to("i8"), narrow]) {
        SchemaEditError::RecordsInTheWay { first, .. } => {
            assert!(first.iter().any(|it| matches!(it.rule, Rule::OutOfRange { .. })), "{first:?}");
        }
        other => panic!("{other}"),
    }
    zoo.edit(to("i8"));
    assert_eq!(zoo.value(4, "ends"), Value::List(vec![spot(1, 5), spot(5, 1)]));
    // Bounds that are new are asked of values whose bytes stay.
    let narrow = SchemaEdit::AlterMember { of: "Spot".into(), member: "y".into(), changes: json!({ "min": -3 }) };
    let error = zoo.refused_by(narrow);
    assert!(matches!(error, SchemaEditError::RecordsInTheWay { records: 5, .. }), "{error:?}");
}

#[test]
fn types_come_and_go() {
    let zoo = Zoo::open();
    zoo.edit([
        SchemaEdit::create_type("Size", json!({ "variants": ["small", "large"] })),
        SchemaEdit::create_type("Box", json!({ "fields": [{ "name": "size", "type": "Size" }] })),
        SchemaEdit::add_field("bare", json!({ "name": "box", "type": "Box", "nullable": true })),
    ]);
    let names = |error: SchemaEditError| match error {
        SchemaEditError::TypeUsed { by, .. } => by,
        other => panic!("{other}"),
    };
    assert_eq!(names(zoo.refused_by(SchemaEdit::drop_type("Size"))), ["Box.size"]);
    assert_eq!(names(zoo.refused_by(SchemaEdit::drop_type("Box"))), ["bare.box"]);
    let exists = zoo.refused_by(SchemaEdit::create_type("Size", json!({ "variants": ["a"] })));
    assert!(matches!(exists, SchemaEditError::TypeExists { .. }), "{exists}");
    let unknown = zoo.refused_by(SchemaEdit::drop_type("Sise"));
    assert_eq!(unknown.to_string(), "there is no type `Sise`; did you mean `Size`?");
    let unknown = zoo.refused_by(SchemaEdit::rename_member("Size", "smal", "tiny"));
    assert_eq!(unknown.to_string(), "type `Size` has no member `smal`; did you mean `small`?");
    let exists = zoo.refused_by(SchemaEdit::add_member("Size", json!("large")));
    assert!(matches!(exists, SchemaEditError::MemberExists { .. }), "{exists}");
    let ring = SchemaEdit::add_member("Box", json!({ "name": "inner", "type": "list<Box>", "default": [] }));
    assert!(matches!(zoo.refused(ring), Error::Schema(_)), "a type that holds itself is no type of the language");
    zoo.edit([SchemaEdit::drop_field("bare", "box"), SchemaEdit::drop_type("Box"), SchemaEdit::drop_type("Size")]);
}

#[test]
fn a_variant_keeps_its_number_and_gets_no_payload() {
    let zoo = Zoo::open();
    for (of, member, changes) in [
        ("Mood", "wild", json!({ "number": 5 })),
        ("Mood", "wild", json!({ "payload": "u8" })),
        ("Spot", "x", json!({ "id": 9 })),
    ] {
        let edit = SchemaEdit::AlterMember { of: of.into(), member: member.into(), changes };
        let error = zoo.refused_by(edit);
        assert!(matches!(error, SchemaEditError::NotAlterable { .. }), "{error}");
    }
}

#[test]
fn the_257th_variant_widens_every_value() {
    let zoo = Zoo::open();
    let more = (0..300).map(|n| SchemaEdit::add_member("Mood", json!(format!("m{n}")))).collect::<Vec<_>>();
    zoo.edit(&more[..200]);
    let before = all(&zoo.db.read());
    zoo.edit(&more[200..]);
    assert_eq!(all(&zoo.db.read()), before);
    let view = zoo.db.read();
    let animal = view.open_table("animal").expect("there");
    let calm = animal.find_all("by_mood", &[Value::Enum(0, None)]).expect("it can be asked").count();
    assert_eq!(calm, before.iter().filter(|row| row[6] == Value::Enum(0, None)).count(), "the index follows");
}

#[test]
fn one_schema_becomes_another_by_the_edits_between_them() {
    let zoo = Zoo::open();
    let before = zoo.db.read();
    let edits = [
        SchemaEdit::rename_type("Spot", "Place"),
        SchemaEdit::add_member("Mood", json!("shy")),
        SchemaEdit::rename_member("Mood", "wild", "savage"),
        SchemaEdit::add_member("Trip", json!({ "name": "far", "type": "bool", "default": true })),
        SchemaEdit::create_type("Size", json!({ "variants": ["small"] })),
        SchemaEdit::add_field("animal", json!({ "name": "size", "type": "Size", "default": "small" })),
    ];
    zoo.edit(&edits);
    let after = zoo.db.read();
    let (there, back) = (
        SchemaEdit::between(before.schema(), after.schema()).expect("edits lead there"),
        SchemaEdit::between(after.schema(), before.schema()).expect("edits lead back"),
    );
    let other = Zoo::open();
    other.edit(&there);
    assert_eq!(all(&other.db.read()), all(&after));
    assert!(other.db.read().schema().says_the_same(after.schema()));
    other.edit(&back);
    assert_eq!(all(&other.db.read()), all(&before));
}

#[test]
fn what_was_compiled_stays_as_it_was_compiled() {
    let db = Arena::builder().open().expect("it opens");
    let edit = |edit: SchemaEdit| db.edit_schema(edit);
    for refused in [
        SchemaEdit::add_member("Class", json!("bard")),
        SchemaEdit::rename_member("Class", "mage", "wizard"),
        SchemaEdit::rename_type("Class", "Calling"),
        SchemaEdit::drop_member("Class", "rogue"),
        SchemaEdit::add_member("Vec3", json!({ "name": "w", "type": "f32", "default": 0 })),
        SchemaEdit::rename_member("Vec3", "x", "east"),
    ] {
        let error = edit(refused.clone()).expect_err("generated code relies on it");
        assert!(matches!(error, Error::SchemaEdit(SchemaEditError::Compiled { .. })), "{refused:?}: {error}");
    }
    // Types made at run time are free, also in fields of compiled tables.
    edit(SchemaEdit::create_type("Rank", json!({ "variants": ["low", "high"] }))).expect("made");
    edit(SchemaEdit::add_field("player", json!({ "name": "rank", "type": "Rank", "default": "low" }))).expect("made");
    edit(SchemaEdit::add_member("Rank", json!("top"))).expect("made");
    edit(SchemaEdit::rename_type("Rank", "Degree")).expect("made");
}
