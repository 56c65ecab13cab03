//! Values to JSON.

use serde_json::{Map, Number, Value as Json};

use crate::field_type::{Scalar, ScalarKind, Type};
use crate::model::{Field, Schema};
use crate::value::Value;

use super::{binary, number, time};

/// How 64-bit integers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Int64 {
    /// As strings: readers that keep numbers as doubles lose nothing.
    #[default]
    Text,
    /// As numbers, for readers that want them.
    Number,
}

/// The JSON of a value of this type.
pub fn encode(schema: &Schema, ty: &Type, value: &Value) -> Json {
    encode_as(schema, ty, value, Int64::Text)
}

/// The same, with a choice for 64-bit integers.
pub fn encode_as(schema: &Schema, ty: &Type, value: &Value, int64: Int64) -> Json {
    Encoder { schema, int64 }.value(ty, value)
}

struct Encoder<'a> {
    schema: &'a Schema,
    int64: Int64,
}

impl Encoder<'_> {
    fn value(&self, ty: &Type, value: &Value) -> Json {
        match (ty, value) {
            (_, Value::Null) => Json::Null,
            (_, Value::Bool(value)) => Json::Bool(*value),
            (_, Value::Text(text)) => Json::String(text.clone()),
            (_, Value::Ref(id)) => Json::from(*id),
            (Type::Scalar(scalar), Value::Int(value)) => self.integer(*scalar, *value),
            (Type::Scalar(scalar), Value::Float(value)) => float(*scalar, *value),
            (Type::Scalar(Scalar::Uuid), Value::Bytes(bytes)) => Json::String(binary::uuid_text(bytes)),
            (_, Value::Bytes(bytes)) => Json::String(binary::base64_text(bytes)),
            (Type::Array(element, _) | Type::List(element), Value::List(values)) => {
                values.iter().map(|value| self.value(element, value)).collect()
            }
            (Type::Composite(idx), Value::Struct(values)) => {
                let fields = &self.schema.composites[idx.at()].fields;
                Json::Object(fields.iter().zip(values).map(|(field, value)| self.member(field, value)).collect())
            }
            (Type::Enum(idx), Value::Enum(number, payload)) => {
                let variant = self.schema.enums[idx.at()].variants.iter().find(|variant| variant.number == *number);
                match (variant, variant.and_then(|variant| variant.payload.as_ref()), payload) {
                    (Some(variant), Some(ty), Some(payload)) => {
                        let payload = self.value(ty, payload);
                        Json::Object(Map::from_iter([(variant.name.clone(), payload)]))
                    }
                    (Some(variant), ..) => Json::String(variant.name.clone()),
                    (None, ..) => Json::from(*number),
                }
            }
            // A value of another type than its field's: the engine stores none.
            _ => Json::Null,
        }
    }

    fn member(&self, field: &Field, value: &Value) -> (String, Json) {
        (field.name.clone(), self.value(&field.ty, value))
    }

    fn integer(&self, scalar: Scalar, value: i128) -> Json {
        let micros = i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
        match scalar.desc().kind {
            ScalarKind::Timestamp => time::timestamp_text(micros).map_or_else(|| Json::from(micros), Json::String),
            ScalarKind::Duration => duration(micros),
            _ if scalar.desc().size_bytes == 8 && self.int64 == Int64::Text => Json::String(value.to_string()),
            _ => Number::from_i128(value).map_or(Json::Null, Json::Number),
        }
    }
}

/// Seconds as a number where a double holds them exactly, else as text.
fn duration(micros: i64) -> Json {
    match time::exact_seconds(micros) {
        Some(seconds) if seconds.fract() == 0.0 => Json::from(seconds as i64),
        Some(seconds) => Json::from(seconds),
        None => Json::String(time::seconds_text(micros) + "s"),
    }
}

fn float(scalar: Scalar, value: f64) -> Json {
    if value.is_nan() {
        return Json::from("NaN");
    }
    if value.is_infinite() {
        return Json::from(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let value = if scalar == Scalar::F32 { number::widen(value) } else { value };
    Json::from(value)
}
