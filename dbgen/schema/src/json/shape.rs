//! Types as JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1): what [`encode`](super::encode()) writes, and what
//! [`decode`](super::decode()) reads.

use serde_json::{Map, Value as Json, json};

use crate::field_type::{Scalar, ScalarKind, Type};
use crate::model::{Composite, Enumeration, Field, Schema};
use crate::value::Value;

use super::encode;

/// Which way a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// As the database writes it: every member is there.
    Written,
    /// As the database reads it: what has a default may be left out, what is written as text may be a number.
    Read,
}

/// The shapes of a schema's types. `reference` gives the place where the shape of a composite or an enum stands, by the
/// name of the type.
#[derive(Debug, Clone, Copy)]
pub struct Shapes<'a> {
    schema: &'a Schema,
    direction: Direction,
    reference: fn(&str, Direction) -> String,
}

impl<'a> Shapes<'a> {
    /// Shapes of values that go this way.
    pub fn new(schema: &'a Schema, direction: Direction, reference: fn(&str, Direction) -> String) -> Shapes<'a> {
        Shapes { schema, direction, reference }
    }

    /// The shape of a field: its type, whether it may be null, its bounds, its default, its description.
    pub fn field(&self, field: &Field) -> Json {
        let mut shape = self.value(&field.ty, field.allow_nan);
        if let Json::Object(members) = &mut shape {
            // Bounds of a 64-bit integer are said in words: JSON Schema compares no strings.
            let number = matches!(members.get("type").and_then(Json::as_str), Some("integer" | "number"));
            for (name, bound) in [("minimum", &field.min), ("maximum", &field.max)].into_iter().filter(|_| number) {
                if let Some(bound) = bound {
                    members.insert(name.to_owned(), encode(self.schema, &field.ty, bound));
                }
            }
        }
        if field.nullable {
            shape = json!({ "anyOf": [shape, { "type": "null" }] });
        }
        if let Json::Object(members) = &mut shape {
            if let (Direction::Read, Some(default)) = (self.direction, &field.default)
                && !matches!(default, Value::Null)
            {
                members.insert("default".to_owned(), encode(self.schema, &field.ty, default));
            }
            if let Some(description) = &field.description {
                members.insert("description".to_owned(), Json::from(description.as_str()));
            }
        }
        shape
    }

    /// The shape of a composite.
    pub fn composite(&self, composite: &Composite) -> Json {
        let required = composite.fields.iter().filter(|field| self.is_always_there(field));
        let mut shape = self.object(&composite.fields, required.map(|field| field.name.as_str()));
        describe(&mut shape, composite.description.as_deref());
        shape
    }

    /// The shape of an enum: a name; with a payload an object with the name as its one member.
    pub fn enumeration(&self, enumeration: &Enumeration) -> Json {
        let plain = enumeration.variants.iter().filter(|variant| variant.payload.is_none());
        let names: Vec<&str> = plain.map(|variant| variant.name.as_str()).collect();
        let mut shapes = Vec::new();
        if !names.is_empty() {
            shapes.push(json!({ "type": "string", "enum": names }));
        }
        for variant in &enumeration.variants {
            if let Some(payload) = &variant.payload {
                shapes.push(json!({
                    "type": "object",
                    "properties": { &variant.name: self.value(payload, false) },
                    "required": [variant.name],
                    "additionalProperties": false,
                }));
            }
        }
        let mut shape = match shapes.len() {
            1 => shapes.remove(0),
            _ => json!({ "oneOf": shapes }),
        };
        describe(&mut shape, enumeration.description.as_deref());
        shape
    }

    /// An object with these fields as members, and no others.
    pub fn object<'f>(&self, fields: &[Field], required: impl Iterator<Item = &'f str>) -> Json {
        let properties: Map<String, Json> =
            fields.iter().map(|field| (field.name.clone(), self.field(field))).collect();
        let required: Vec<&str> = required.collect();
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    }

    fn is_always_there(&self, field: &Field) -> bool {
        self.direction == Direction::Written || field.is_required()
    }

    fn value(&self, ty: &Type, allow_nan: bool) -> Json {
        match ty {
            Type::Scalar(scalar) => self.scalar(*scalar, allow_nan),
            // Characters are at least a byte each: the length in characters bounds nothing that the bytes allow.
            Type::Str(bytes_max) => {
                json!({ "type": "string", "maxLength": bytes_max, "x-max-bytes": bytes_max })
            }
            Type::Text => json!({ "type": "string" }),
            Type::FixedBytes(_) | Type::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
            Type::Array(element, length) => json!({
                "type": "array", "items": self.value(element, false), "minItems": length, "maxItems": length,
            }),
            Type::List(element) => json!({ "type": "array", "items": self.value(element, false) }),
            Type::Enum(idx) => self.named(&self.schema.enums[idx.at()].name),
            Type::Composite(idx) => self.named(&self.schema.composites[idx.at()].name),
            Type::Ref(idx) => json!({
                "type": "integer", "format": "int64", "minimum": 1, "maximum": (1u64 << 53) - 1,
                "description": format!("The `_id` of a record of `{}`", self.schema.tables[idx.at()].name),
            }),
        }
    }

    fn named(&self, name: &str) -> Json {
        json!({ "$ref": (self.reference)(name, self.direction) })
    }

    fn scalar(&self, scalar: Scalar, allow_nan: bool) -> Json {
        let desc = scalar.desc();
        let is_read = self.direction == Direction::Read;
        match desc.kind {
            ScalarKind::Int { min, max } if desc.size_bytes == 8 => {
                let pattern = if min < 0 { "^-?[0-9]{1,19}$" } else { "^[0-9]{1,20}$" };
                let text = json!({ "type": "string", "format": "int64", "pattern": pattern });
                let (min, max) = (i64::try_from(min).unwrap_or(i64::MIN), u64::try_from(max).unwrap_or(u64::MAX));
                match is_read {
                    true => json!({ "anyOf": [text, { "type": "integer", "minimum": min, "maximum": max }] }),
                    false => text,
                }
            }
            ScalarKind::Int { min, max } => {
                json!({ "type": "integer", "minimum": min as i64, "maximum": max as i64, "format": desc.name })
            }
            ScalarKind::Float { bits } => {
                let number = json!({ "type": "number", "format": if bits == 32 { "float" } else { "double" } });
                match allow_nan {
                    true => json!({ "anyOf": [number, { "enum": ["NaN", "Infinity", "-Infinity"] }] }),
                    false => number,
                }
            }
            ScalarKind::Bool => json!({ "type": "boolean" }),
            ScalarKind::Timestamp => {
                let text = json!({ "type": "string", "format": "date-time" });
                let when = match is_read {
                    true => "Microseconds since 1970-01-01T00:00:00Z",
                    false => "Microseconds since 1970-01-01T00:00:00Z, for years that RFC 3339 cannot write",
                };
                let micros = json!({ "type": "integer", "format": "int64", "description": when });
                json!({ "anyOf": [text, micros] })
            }
            ScalarKind::Duration => json!({ "anyOf": [
                { "type": "number", "description": "Seconds" },
                { "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?s$" },
            ] }),
            ScalarKind::Uuid => json!({ "type": "string", "format": "uuid" }),
        }
    }
}

fn describe(shape: &mut Json, description: Option<&str>) {
    if let (Json::Object(members), Some(description)) = (shape, description) {
        members.insert("description".to_owned(), Json::from(description));
    }
}
