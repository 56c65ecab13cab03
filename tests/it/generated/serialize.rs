//! Generated types under `derive_serde(true)`: in JSON what the server shows, in compact formats bytes; there and back.

use dbgen_runtime::Result;
use dbgen_schema::json::{Int64, Mode, decode_record, encode_record};
use serde_json::{Value as Json, json};

/// As a user's crate would have it, under its own strictest lints.
#[forbid(unsafe_code)]
#[deny(warnings, missing_docs, clippy::all, rust_2018_idioms)]
mod with_serde {
    dbgen_runtime::include_schema!("zoo");
    dbgen_runtime::include_schema!("post");
}

use with_serde::post::{Note, Office, Parcel, ParcelPatch, Post, Size, Stamp};
use with_serde::zoo::{Act, Animal, AnimalPatch, Keeper, Kind, Label, Tile, Zoo};

fn stack() -> Json {
    json!({
        "title": "top", "counts": [1, 2], "tags": ["red", ""], "raw": "AP8=", "long": "l".repeat(290),
        "inner": [{ "nulls": 7, "at": null, "note": "deep", "to_record": false }],
    })
}

/// An animal with something in every field, as the server shows it.
fn animal(keeper: u64) -> Json {
    json!({
        "id": "18446744073709551615", "version": 255, "row": -5, "type": "all", "self": true, "image": "i", "nulls": -1,
        "value": "NaN", "key": "k", "long": "", "born": "2026-01-02T03:04:05.5Z", "nap": 1.5,
        "uuid": "67e55044-10b1-426f-9247-bb680e5fe0c8", "hash": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        "keeper": keeper,
        "label": {
            "name": "n", "type": "self", "at": { "x": 1, "y": 2 }, "path": [{ "x": 3, "y": 4 }, { "x": 5, "y": 6 }],
            "words": ["a", ""], "hash": "AQIDBA==",
        },
        "maybe": { "nulls": null, "at": { "x": 1, "y": 2 }, "note": null, "to_record": true },
        "stack": stack(), "act": { "many": [stack()] }, "last_act": "wait", "number": { "float": 0.1 },
        "tiles": [{ "x": 7, "y": 8 }], "names": ["one", "two"],
        "acts": ["wait", { "go": { "x": 3, "y": 4 } }, { "bits": [1, 2, 3, 4] }, { "name": "Otto" }, { "kind": "none" }],
        "grid": [[1], [], [2, 3]], "deep": [["x"], []], "matrix": [[0.1, 0.0], [-0.0, 1e30]], "pairs": [[1, 2]],
        "words": ["eins", "zwei"], "kinds": ["self", "all"],
    })
}

#[test]
fn json_is_what_the_server_shows() -> Result<()> {
    let db = Zoo::builder().open()?;
    let keeper = db.transact(|tx| tx.keeper_mut().insert(Keeper::new("Kim")))?;
    let mut json = animal(keeper.get());
    // The field does not allow what is not finite; a record can still hold and show it.
    assert_eq!(to_json(&from_json::<Animal>(&json)), json);
    json["value"] = json!(0.1);
    let id = db.transact(|tx| tx.animal_mut().insert(from_json::<Animal>(&json)))?;

    let view = db.read();
    let (schema, table) = (view.as_ref().schema(), view.as_ref().open_table("animal")?);
    let values = table.get(id.record_id())?.values();
    let shown = Json::Object(encode_record(schema, table.schema(), &values, Int64::Text));
    assert_eq!(shown, json, "the other face shows what was sent");
    let record = view.animal().get(id)?.to_record();
    assert_eq!(serde_json::to_string(&record).expect("it is JSON"), shown.to_string(), "byte for byte");
    let read = decode_record(schema, table.schema(), shown.as_object().expect("an object"), Mode::Insert);
    assert!(read.is_ok(), "{read:?}");
    view.check().expect("whole");
    Ok(())
}

fn from_json<T: serde::de::DeserializeOwned>(json: &Json) -> T {
    serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn to_json(value: &impl serde::Serialize) -> Json {
    serde_json::to_value(value).expect("it is JSON")
}

fn parcel_of(office: dbgen_runtime::Id<Office>) -> Parcel {
    let stamp = Stamp { cents: u64::MAX.into(), ..Stamp::default() };
    Parcel {
        weight: f32::INFINITY,
        seal: [7; 64],
        many: std::array::from_fn(|at| at as i64 - 16),
        size: Size::Large,
        stamp,
        stamps: vec![stamp, Stamp::default()],
        note: Some(Note { r#type: "t".into(), ..Note::default() }),
        self_: vec![1, 2],
        ..Parcel::new(office)
    }
}

#[test]
fn long_arrays_numbers_of_64_bits_and_bytes_come_back() -> Result<()> {
    let db = Post::builder().open()?;
    let office = db.transact(|tx| tx.office_mut().insert(Office::new("main")))?;
    let sent = parcel_of(office);
    let json = to_json(&sent);
    assert_eq!(json["number"], "0");
    assert_eq!(json["many"][0], "-16");
    assert_eq!(json["weight"], "Infinity");
    assert_eq!(json["self"], json!([1, 2]), "a list of numbers, unlike bytes");
    assert_eq!(json["stamp"]["cents"], u64::MAX.to_string());
    assert_eq!((&json["office"], &json["next"]), (&json!(office.get()), &Json::Null));
    assert_eq!(json["note"], json!({ "type": "t", "at": 2.25 }));
    assert_eq!(from_json::<Parcel>(&json), sent);
    db.read().check().expect("whole");
    Ok(())
}

#[test]
fn compact_formats_hold_numbers_and_bytes() -> Result<()> {
    let db = Post::builder().open()?;
    let office = db.transact(|tx| tx.office_mut().insert(Office::new("main")))?;
    let sent = parcel_of(office);
    let bytes = postcard::to_stdvec(&sent).expect("it is written");
    assert_eq!(postcard::from_bytes::<Parcel>(&bytes).expect("it is read"), sent);
    assert!(bytes.len() < 350, "{} bytes, of which the seal, stamps and numbers are 320", bytes.len());
    let patch = ParcelPatch { note: Some(None), size: Some(Size::Small), ..ParcelPatch::default() };
    let bytes = postcard::to_stdvec(&patch).expect("it is written");
    let back = postcard::from_bytes::<ParcelPatch>(&bytes).expect("it is read");
    assert_eq!((back.note, back.size, back.next), (Some(None), Some(Size::Small), None));
    for act in [Act::Wait, Act::Go(Tile::new(1, 2)), Act::Kind(Kind::All)] {
        let bytes = postcard::to_stdvec(&act).expect("it is written");
        assert_eq!(postcard::from_bytes::<Act>(&bytes).expect("it is read"), act);
    }
    db.read().check().expect("whole");
    Ok(())
}

#[test]
fn a_patch_says_what_it_changes_and_no_more() {
    let patch = AnimalPatch { key: Some(None), row: Some(3), ..AnimalPatch::default() };
    assert_eq!(to_json(&patch), json!({ "row": 3, "key": null }));
    let back: AnimalPatch = from_json(&json!({ "key": null, "value": "Infinity", "_version": 7 }));
    assert_eq!((back.key, back.value, back.row), (Some(None), Some(Some(f64::INFINITY)), None));
}

#[test]
fn what_is_left_out_is_what_the_schema_says() {
    let label: Label = from_json(&json!({
        "at": { "x": 1.0, "y": 2 }, "path": [{ "x": 3, "y": 4 }, { "x": 5, "y": 6 }], "words": ["a", "b"], "hash": "AQIDBA",
    }));
    assert_eq!((label.name.as_str(), label.r#type.get(), label.at), ("none", Kind::Self_, Tile::new(1, 2)));
    let keeper: Keeper = from_json(
        &json!({ "_id": 4294967296_u64, "_version": 1, "name": "Kim", "at": {"x":0,"y":0}, "steps": [0, 1] }),
    );
    assert_eq!(keeper.mood, None);
}

#[test]
fn what_is_no_record_is_refused_with_its_reason() {
    let refused = |text: &str| serde_json::from_str::<Keeper>(text).expect_err(text).to_string();
    for (text, reason) in [
        (r#"{"name":"Kim"}"#, "missing field `at`"),
        (r#"{"nam":"Kim"}"#, "unknown field `nam`, expected one of `name`"),
        (r#"{"name":"Kim","name":"Kim"}"#, "duplicate field `name`"),
        (r#"{"name":"a name of seventeen"}"#, "text of at most 16 bytes"),
        (r#"{"at":{"x":65536}}"#, "an integer from 0 to 65535"),
        (r#"{"at":{"x":"1"}}"#, "an integer from 0 to 65535"),
        (r#"{"at":{"x":0.5}}"#, "an integer from 0 to 65535"),
        (r#"{"at":null}"#, "an object, a `Tile`"),
        (r#"{"steps":[1]}"#, "a list of 2"),
        (r#"{"steps":[1,2,3]}"#, "a list of 2"),
        (r#"["Kim"]"#, "an object, a `Keeper`"),
    ] {
        assert!(refused(text).contains(reason), "{text}: {}", refused(text));
    }
    let refused = |json: Json| serde_json::from_value::<Act>(json.clone()).expect_err("no act").to_string();
    assert!(refused(json!("waits")).contains("unknown variant `waits`"), "{}", refused(json!("waits")));
    assert!(refused(json!({ "name": "nine bytes" })).contains("at most 8 bytes"));
    let refused = |json: Json| serde_json::from_value::<Kind>(json).expect_err("no kind").to_string();
    assert!(refused(json!("al")).contains("unknown variant `al`, expected one of `none`, `self`, `all`"));
    assert!(refused(json!(8)).contains("a variant of `Kind`"), "{}", refused(json!(8)));
    assert_eq!(from_json::<Kind>(&json!(9)), Kind::All);
}
