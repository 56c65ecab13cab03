//! Values to JSON and back.

use dbgen_schema::json::{
    Direction, Int64, Mode, Shapes, code, decode, decode_record, encode, encode_as, encode_record,
};
use dbgen_schema::{Format, Scalar, Schema, Type, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::support::parse;

/// A table with a field of every type; `x` is the type.
const TYPES: &[&str] = &[
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "u64",
    "f32",
    "f64",
    "bool",
    "timestamp",
    "duration",
    "uuid",
    "str<8>",
    "text",
    "bytes<4>",
    "bytes",
    "Class",
    "Move",
    "Vec2",
    "[u16; 3]",
    "list<u8>",
    "list<list<Vec2>>",
    "ref<other>",
];

fn schema() -> Schema {
    let fields: Vec<Json> =
        TYPES.iter().enumerate().map(|(at, ty)| json!({"name": format!("f{at}"), "type": ty})).collect();
    let text = json!({
        "name": "test",
        "enums": {
            "Class": { "variants": ["warrior", "mage", { "name": "rogue", "number": 7 }] },
            "Move": { "variants": ["none", { "name": "to", "payload": "Vec2" }, { "name": "say", "payload": "text" }] },
        },
        "custom_types": { "Vec2": { "fields": [
            { "name": "x", "type": "f32" }, { "name": "y", "type": "f32", "default": 0.1 },
            { "name": "tag", "type": "i64", "nullable": true },
        ] } },
        "tables": {
            "other": { "fields": [{ "name": "a", "type": "u8" }] },
            "all": { "fields": fields },
            "player": { "fields": [
                { "name": "id", "type": "u64", "primary_key": true, "auto_increment": true },
                { "name": "name", "type": "str<8>", "unique": true },
                { "name": "hp", "type": "i32", "default": 100, "min": 0, "max": 9999 },
                { "name": "title", "type": "text", "nullable": true },
                { "name": "pos", "type": "Vec2" },
                { "name": "luck", "type": "f32", "default": 0, "allow_nan": true },
            ] },
        },
    });
    parse(&text.to_string(), Format::Json)
}

fn type_named(schema: &Schema, name: &str) -> Type {
    let at = TYPES.iter().position(|ty| *ty == name).unwrap_or_else(|| panic!("{name}"));
    schema.table("all").map(|(_, table)| table.fields[at].ty.clone()).unwrap_or_else(|| panic!("{name}"))
}

/// The value, or the codes of what is wrong with it.
fn read(schema: &Schema, ty: &str, json: &Json) -> Result<Value, Vec<(String, &'static str)>> {
    let mut problems = Vec::new();
    let value = decode(schema, &type_named(schema, ty), false, json, &mut problems, "#");
    assert_eq!(value.is_none(), !problems.is_empty(), "{ty} {json}: {problems:?}");
    value.ok_or_else(|| problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect())
}

#[test]
fn values_are_read_exactly() {
    let schema = schema();
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    let vec2 = |x: f64, y: f64| Value::Struct(vec![Value::Float(x), Value::Float(y), Value::Null]);
    let tenth = f64::from(0.1_f32);
    for (ty, json, value) in [
        ("u8", json!(255), Value::Int(255)),
        ("u8", json!(5.0), Value::Int(5)),
        ("i32", json!(-1e3), Value::Int(-1000)),
        ("u64", json!("18446744073709551615"), Value::Int(u64::MAX.into())),
        ("u64", json!(u64::MAX), Value::Int(u64::MAX.into())),
        ("i64", json!("-9223372036854775808"), Value::Int(i64::MIN.into())),
        ("i64", json!(9_007_199_254_740_993_i64), Value::Int(9_007_199_254_740_993)),
        ("f32", json!(0.1), Value::Float(tenth)),
        ("f64", json!(0.1), Value::Float(0.1)),
        ("f64", json!(5), Value::Float(5.0)),
        ("bool", json!(true), Value::Bool(true)),
        ("timestamp", json!("1970-01-01T00:00:01.5Z"), Value::Int(1_500_000)),
        ("timestamp", json!("1970-01-01T01:00:00+01:00"), Value::Int(0)),
        ("timestamp", json!(1_500_000), Value::Int(1_500_000)),
        ("duration", json!(1.5), Value::Int(1_500_000)),
        ("duration", json!(1e-6), Value::Int(1)),
        ("duration", json!(3600), Value::Int(3_600_000_000)),
        ("duration", json!("-1.5s"), Value::Int(-1_500_000)),
        ("str<8>", json!("größe"), Value::from("größe")),
        ("bytes<4>", json!("AAECAw=="), bytes(&[0, 1, 2, 3])),
        ("bytes", json!("_w"), bytes(&[255])),
        ("Class", json!("rogue"), Value::Enum(7, None)),
        ("Class", json!(7), Value::Enum(7, None)),
        ("Move", json!("none"), Value::Enum(0, None)),
        ("Move", json!({ "none": null }), Value::Enum(0, None)),
        ("Move", json!({ "to": { "x": 1 } }), Value::Enum(1, Some(Box::new(vec2(1.0, tenth))))),
        ("Vec2", json!({ "y": 2, "x": 1 }), vec2(1.0, 2.0)),
        ("[u16; 3]", json!([1, 2, 3]), Value::List(vec![Value::Int(1), Value::Int(2), Value::Int(3)])),
        ("list<u8>", json!([]), Value::List(vec![])),
        ("ref<other>", json!(4_294_967_298_u64), Value::Ref(4_294_967_298)),
    ] {
        assert_eq!(read(&schema, ty, &json), Ok(value), "{ty} {json}");
    }
}

#[test]
fn every_problem_has_its_place_and_code() {
    let schema = schema();
    let at = |pointer: &str, code| vec![(pointer.to_string(), code)];
    for (ty, json, problems) in [
        ("u8", json!(256), at("#", code::OUT_OF_RANGE)),
        ("u8", json!(-1), at("#", code::OUT_OF_RANGE)),
        ("u8", json!(1e300), at("#", code::OUT_OF_RANGE)),
        ("u8", json!(1.5), at("#", code::WRONG_TYPE)),
        ("u8", json!("5"), at("#", code::WRONG_TYPE)),
        ("u8", json!(null), at("#", code::NOT_NULLABLE)),
        ("u64", json!(1.8446744073709552e19), at("#", code::OUT_OF_RANGE)),
        ("u64", json!(1e18), at("#", code::INVALID_VALUE)),
        ("u64", json!("5.0"), at("#", code::INVALID_VALUE)),
        ("u64", json!("18446744073709551616"), at("#", code::OUT_OF_RANGE)),
        ("f32", json!(1e39), at("#", code::OUT_OF_RANGE)),
        ("f32", json!("NaN"), at("#", code::INVALID_VALUE)),
        ("f32", json!("1"), at("#", code::WRONG_TYPE)),
        ("bool", json!(1), at("#", code::WRONG_TYPE)),
        ("timestamp", json!("yesterday"), at("#", code::INVALID_VALUE)),
        ("timestamp", json!(true), at("#", code::WRONG_TYPE)),
        ("duration", json!("1 minute"), at("#", code::INVALID_VALUE)),
        ("duration", json!(1e300), at("#", code::OUT_OF_RANGE)),
        ("uuid", json!("123"), at("#", code::INVALID_VALUE)),
        ("str<8>", json!("größer als"), at("#", code::TOO_LONG)),
        ("bytes<4>", json!("AAECAwQ="), at("#", code::TOO_LONG)),
        ("bytes<4>", json!("AAEC"), at("#", code::WRONG_LENGTH)),
        ("bytes", json!("a"), at("#", code::INVALID_VALUE)),
        ("Class", json!("mge"), at("#", code::UNKNOWN_VARIANT)),
        ("Class", json!(2), at("#", code::UNKNOWN_VARIANT)),
        ("Class", json!(true), at("#", code::WRONG_TYPE)),
        ("Move", json!("to"), at("#", code::INVALID_VALUE)),
        ("Move", json!({}), at("#", code::INVALID_VALUE)),
        ("Move", json!({ "to": { "x": "1" } }), at("#/to/x", code::WRONG_TYPE)),
        ("Move", json!({ "none": 1 }), at("#", code::INVALID_VALUE)),
        ("Vec2", json!({}), at("#/x", code::MISSING_FIELD)),
        ("Vec2", json!([1, 2]), at("#", code::WRONG_TYPE)),
        ("[u16; 3]", json!([1, 2]), at("#", code::WRONG_LENGTH)),
        ("ref<other>", json!(0), at("#", code::OUT_OF_RANGE)),
        ("ref<other>", json!(9_007_199_254_740_992_u64), at("#", code::OUT_OF_RANGE)),
        ("ref<other>", json!("5"), at("#", code::WRONG_TYPE)),
    ] {
        assert_eq!(read(&schema, ty, &json), Err(problems), "{ty} {json}");
    }
    let several = read(&schema, "list<list<Vec2>>", &json!([[{ "x": true }], 5, [{ "x": 1, "a/b~": 2 }]]));
    let places = [("#/0/0/x", code::WRONG_TYPE), ("#/1", code::WRONG_TYPE), ("#/2/0/a~1b~0", code::UNKNOWN_FIELD)];
    assert_eq!(several, Err(places.map(|(pointer, code)| (pointer.to_string(), code)).to_vec()));
}

/// What `json`'s documentation says is rounded, and nothing else.
#[test]
fn numbers_are_rounded_to_doubles_and_times_to_microseconds() {
    let schema = schema();
    let number = |text: &str| serde_json::from_str::<Json>(text).unwrap();
    for (ty, text, value) in [
        ("u8", "1.0000000000000000001", Ok(Value::Int(1))),
        ("u8", "1.000000000000001", Err(vec![("#".to_string(), code::WRONG_TYPE)])),
        ("i64", "9007199254740993", Ok(Value::Int(9_007_199_254_740_993))),
        ("i64", "9007199254740993.0", Err(vec![("#".to_string(), code::INVALID_VALUE)])),
        ("duration", "1e-7", Ok(Value::Int(0))),
        ("duration", "5e-7", Ok(Value::Int(1))),
        ("duration", "0.30000000000000004", Ok(Value::Int(300_000))),
    ] {
        assert_eq!(read(&schema, ty, &number(text)), value, "{ty} {text}");
    }
}

/// A number stands for a time that RFC 3339 cannot write: the shape of what is written says so, as that of what is read.
#[test]
fn shapes_of_times_are_those_that_are_written_and_read() {
    let schema = schema();
    let timestamp = type_named(&schema, "timestamp");
    assert_eq!(encode(&schema, &timestamp, &Value::Int(0)), json!("1970-01-01T00:00:00Z"));
    assert_eq!(encode(&schema, &timestamp, &Value::Int(i64::MAX.into())), json!(i64::MAX));
    let (_, table) = schema.table("all").unwrap();
    let field = table.fields.iter().find(|field| field.ty == timestamp).unwrap();
    for direction in [Direction::Written, Direction::Read] {
        let shape = Shapes::new(&schema, direction, |name, _| name.to_string()).field(field);
        let shapes = shape["anyOf"].as_array().unwrap();
        assert_eq!((&shapes[0]["format"], &shapes[1]["type"]), (&json!("date-time"), &json!("integer")), "{shape}");
    }
}

#[test]
fn a_long_list_of_wrong_values_reports_a_hundred() {
    let schema = schema();
    let problems = read(&schema, "list<u8>", &Json::from(vec!["x"; 10_000]));
    assert_eq!(problems.map_err(|problems| problems.len()), Err(100));
}

fn object(json: Json) -> serde_json::Map<String, Json> {
    json.as_object().cloned().unwrap_or_default()
}

#[test]
fn a_record_takes_defaults_and_reports_everything_at_once() {
    let schema = schema();
    let (_, player) = schema.table("player").unwrap_or_else(|| panic!("no player"));
    let given = object(json!({ "_id": 5, "_version": 1, "name": "Ayla", "pos": { "x": 1 } }));
    let values = decode_record(&schema, player, &given, Mode::Insert).unwrap_or_else(|problems| panic!("{problems:?}"));
    let values: Vec<(&str, Value)> =
        values.into_iter().map(|(idx, value)| (player.fields[idx.at()].name.as_str(), value)).collect();
    let pos = Value::Struct(vec![Value::Float(1.0), Value::Float(f64::from(0.1_f32)), Value::Null]);
    let expected = [
        ("name", Value::from("Ayla")),
        ("hp", Value::Int(100)),
        ("title", Value::Null),
        ("pos", pos),
        ("luck", Value::Float(0.0)),
    ];
    assert_eq!(values, expected);

    let wrong = object(json!({ "name": "far too long", "hp": 10_000, "titel": "Sir", "luck": null }));
    let problems = decode_record(&schema, player, &wrong, Mode::Insert).expect_err("four mistakes");
    let mut found: Vec<(&str, &str)> = problems.iter().map(|it| (it.pointer.as_str(), it.code)).collect();
    found.sort_unstable();
    let expected = [
        ("#/hp", code::OUT_OF_RANGE),
        ("#/luck", code::NOT_NULLABLE),
        ("#/name", code::TOO_LONG),
        ("#/pos", code::MISSING_FIELD),
        ("#/titel", code::UNKNOWN_FIELD),
    ];
    assert_eq!(found, expected);
    let misspelt = problems.iter().find(|it| it.code == code::UNKNOWN_FIELD);
    assert_eq!(misspelt.and_then(|it| it.suggestion.as_deref()), Some("title"));
    let range = problems.iter().find(|it| it.code == code::OUT_OF_RANGE);
    assert_eq!(range.and_then(|it| it.expected.as_deref()), Some("from 0 to 9999"));
}

#[test]
fn a_patch_has_only_what_it_names() {
    let schema = schema();
    let (_, player) = schema.table("player").unwrap_or_else(|| panic!("no player"));
    let patch = object(json!({ "title": null, "luck": "NaN" }));
    let values = decode_record(&schema, player, &patch, Mode::Patch).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(values.len(), 2);
    assert!(values[0].1.is_null() && matches!(values[1].1, Value::Float(luck) if luck.is_nan()));
    assert!(decode_record(&schema, player, &object(json!({ "name": null })), Mode::Patch).is_err());
}

#[test]
fn records_are_written_as_they_are_read() {
    let schema = schema();
    let (_, player) = schema.table("player").unwrap_or_else(|| panic!("no player"));
    let given = object(json!({ "id": "7", "name": "Ayla", "hp": 5, "title": "Dr", "pos": { "x": 1.5, "tag": "-3" } }));
    let values = decode_record(&schema, player, &given, Mode::Insert).unwrap_or_else(|problems| panic!("{problems:?}"));
    let values: Vec<Value> = values.into_iter().map(|(_, value)| value).collect();
    let written = encode_record(&schema, player, &values, Int64::Text);
    let expected = json!({
        "id": "7", "name": "Ayla", "hp": 5, "title": "Dr", "pos": { "x": 1.5, "y": 0.1, "tag": "-3" }, "luck": 0.0,
    });
    assert_eq!(Json::Object(written), expected);
    let numbers = encode_record(&schema, player, &values, Int64::Number);
    assert_eq!(numbers.get("id"), Some(&json!(7)));
}

#[test]
fn times_outside_of_rfc_3339_are_written_as_numbers() {
    let schema = schema();
    let timestamp = Type::Scalar(Scalar::Timestamp);
    assert_eq!(encode(&schema, &timestamp, &Value::Int(i64::MAX.into())), json!(i64::MAX));
    let duration = Type::Scalar(Scalar::Duration);
    assert_eq!(encode(&schema, &duration, &Value::Int(i64::MAX.into())), json!("9223372036854.775807s"));
    assert_eq!(encode(&schema, &duration, &Value::Int(1_500_000)), json!(1.5));
    assert_eq!(encode(&schema, &duration, &Value::Int(-60_000_000)), json!(-60));
}

/// Any value of a type.
fn value_of(schema: &Schema, ty: &Type) -> BoxedStrategy<Value> {
    match ty {
        Type::Scalar(scalar) => scalar_value(*scalar),
        Type::Str(n) => {
            let n = usize::from(*n);
            any::<String>().prop_map(move |text| Value::Text(text[..text.floor_char_boundary(n)].to_string())).boxed()
        }
        Type::FixedBytes(n) => proptest::collection::vec(any::<u8>(), usize::from(*n)).prop_map(Value::Bytes).boxed(),
        Type::Text => any::<String>().prop_map(Value::Text).boxed(),
        Type::Bytes => proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes).boxed(),
        Type::Array(element, n) => {
            proptest::collection::vec(value_of(schema, element), *n as usize).prop_map(Value::List).boxed()
        }
        Type::List(element) => proptest::collection::vec(value_of(schema, element), 0..4).prop_map(Value::List).boxed(),
        Type::Enum(idx) => {
            let variants = schema.enums[idx.at()].variants.iter().map(|variant| {
                let number = variant.number;
                match &variant.payload {
                    None => Just(Value::Enum(number, None)).boxed(),
                    Some(ty) => {
                        value_of(schema, ty).prop_map(move |it| Value::Enum(number, Some(Box::new(it)))).boxed()
                    }
                }
            });
            proptest::strategy::Union::new(variants).boxed()
        }
        Type::Composite(idx) => {
            let fields = schema.composites[idx.at()].fields.iter().map(|field| {
                let value = value_of(schema, &field.ty);
                if field.nullable { prop_oneof![Just(Value::Null), value].boxed() } else { value }
            });
            fields.collect::<Vec<_>>().prop_map(Value::Struct).boxed()
        }
        Type::Ref(_) => (1..=dbgen_schema::limits::RECORD_ID_MAX).prop_map(Value::Ref).boxed(),
    }
}

fn scalar_value(scalar: Scalar) -> BoxedStrategy<Value> {
    use dbgen_schema::field_type::ScalarKind;
    match scalar.desc().kind {
        ScalarKind::Int { min, max } => (min..=max).prop_map(Value::Int).boxed(),
        ScalarKind::Float { bits: 32 } => {
            proptest::num::f32::NORMAL.prop_map(|value| Value::Float(value.into())).boxed()
        }
        ScalarKind::Float { .. } => proptest::num::f64::NORMAL.prop_map(Value::Float).boxed(),
        ScalarKind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        ScalarKind::Timestamp | ScalarKind::Duration => any::<i64>().prop_map(Value::from).boxed(),
        ScalarKind::Uuid => proptest::collection::vec(any::<u8>(), 16).prop_map(Value::Bytes).boxed(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Through the text of JSON, as over the wire.
    #[test]
    fn what_is_written_reads_back(
        (at, value) in (0..TYPES.len()).prop_flat_map(|at| {
            let schema = schema();
            (Just(at), value_of(&schema, &type_named(&schema, TYPES[at])))
        }),
        int64 in prop_oneof![Just(Int64::Text), Just(Int64::Number)],
    ) {
        let schema = schema();
        let ty = type_named(&schema, TYPES[at]);
        let text = encode_as(&schema, &ty, &value, int64).to_string();
        let json: Json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        prop_assert_eq!(read(&schema, TYPES[at], &json), Ok(value), "{}", text);
    }
}
