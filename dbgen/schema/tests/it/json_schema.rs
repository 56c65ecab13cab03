//! The JSON Schema for editors accepts what the compiler accepts, and notices what has the wrong shape.

use dbgen_schema::json_schema;
use dbgen_schema::write::to_json_pretty;
use serde_json::{Value, json};

use crate::support::{expect_file, fixtures, workspace};

#[test]
fn it_is_up_to_date() {
    expect_file(&workspace("schemas/dbgen.schema.json"), &json_schema());
}

#[test]
fn it_accepts_the_examples() {
    let root = root();
    for schema in fixtures() {
        let text = to_json_pretty(&schema);
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(violation(&root, &root, &document), None, "{text}");
    }
}

#[test]
fn it_notices_wrong_shapes() {
    let root = root();
    let with_field = |field: Value| json!({ "name": "a", "tables": { "t": { "fields": [field] } } });
    assert_eq!(violation(&root, &root, &with_field(json!({ "name": "hp", "type": "i32" }))), None);
    for wrong in [
        json!({}),
        json!({ "name": 5 }),
        json!({ "name": "a", "tabels": {} }),
        json!({ "name": "a", "tables": [] }),
        json!({ "name": "a", "tables": { "t": {} } }),
        with_field(json!({ "name": "hp" })),
        with_field(json!({ "name": "hp", "type": "i32", "nulable": true })),
        with_field(json!({ "name": "hp", "type": "i32", "unique": "yes" })),
        with_field(json!({ "name": "hp", "type": "i32", "on_delete": "explode" })),
        with_field(json!({ "name": "hp", "type": "i32", "id": 0 })),
        json!({ "name": "a", "enums": { "E": { "variants": [5] } } }),
    ] {
        assert!(violation(&root, &root, &wrong).is_some(), "{wrong}");
    }
}

fn root() -> Value {
    serde_json::from_str(&json_schema()).unwrap_or_else(|error| panic!("{error}"))
}

/// The first way in which a value breaks a schema, as far as ours go: no patterns, no formats.
fn violation(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => schema,
    };
    assert!(schema.is_object(), "a reference to nothing");
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if schema["type"].as_str().is_some_and(|wanted| wanted != kind) {
        return Some(format!("{value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Some(format!("{value} is none of {}", schema["enum"]));
    }
    let number = value.as_u64();
    if schema["minimum"].as_u64().is_some_and(|min| number < Some(min)) {
        return Some(format!("{value} is too small"));
    }
    if let Some(any_of) = schema["anyOf"].as_array() {
        let violations: Option<Vec<String>> = any_of.iter().map(|schema| violation(root, schema, value)).collect();
        if let Some(violations) = violations {
            return Some(violations.join(" and "));
        }
    }
    let inside = match value {
        Value::Array(items) => items.iter().find_map(|item| match &schema["items"] {
            Value::Null => None,
            schema => violation(root, schema, item),
        }),
        Value::Object(members) => members.iter().find_map(|(key, value)| {
            match (schema["properties"].get(key), &schema["additionalProperties"]) {
                (Some(schema), _) => violation(root, schema, value),
                (None, Value::Bool(false)) => Some(format!("unknown key {key}")),
                (None, Value::Null) => None,
                (None, schema) => violation(root, schema, value),
            }
        }),
        _ => None,
    };
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required.filter_map(Value::as_str).find(|key| value.get(key).is_none());
    inside.or_else(|| missing.map(|key| format!("no {key}")))
}
