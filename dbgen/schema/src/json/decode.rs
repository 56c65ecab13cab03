//! JSON to values.

use serde_json::{Map, Value as Json};

use crate::diagnostic::nearest;
use crate::field_type::{Scalar, ScalarKind, Type};
use crate::limits::{DEFAULT_VALUES_MAX, RECORD_ID_MAX};
use crate::model::{CompositeIdx, EnumIdx, Field, Schema, Variant};
use crate::source::shown;
use crate::value::Value;

use super::number::{NotInteger, integer, integer_text, narrow};
use super::{PROBLEMS_MAX, Problem, binary, code, expected, time};

/// The value of this type that a JSON value stands for. `None`: it is none, and `problems` has every reason, each with a
/// pointer that begins with `pointer`; of more than [`PROBLEMS_MAX`] only the first.
pub fn decode(
    schema: &Schema,
    ty: &Type,
    nullable: bool,
    json: &Json,
    problems: &mut Vec<Problem>,
    pointer: &str,
) -> Option<Value> {
    Decoder::new(schema, problems, pointer).value(ty, Rules { nullable, allow_nan: false }, json)
}

/// The same for a field, whose rules hold too: `nullable`, `allow_nan`, `min` and `max`.
pub fn decode_field(
    schema: &Schema,
    field: &Field,
    json: &Json,
    problems: &mut Vec<Problem>,
    pointer: &str,
) -> Option<Value> {
    Decoder::new(schema, problems, pointer).field(field, json)
}

/// What a place adds to its type.
#[derive(Clone, Copy)]
struct Rules {
    nullable: bool,
    allow_nan: bool,
}

pub(super) struct Decoder<'a> {
    schema: &'a Schema,
    problems: &'a mut Vec<Problem>,
    pointer: String,
    /// Defaults come on top of what was sent: bounded, so that `{}` a million times cannot fill the memory.
    default_values_left: usize,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(schema: &'a Schema, problems: &'a mut Vec<Problem>, pointer: &str) -> Decoder<'a> {
        Decoder { schema, problems, pointer: pointer.to_string(), default_values_left: DEFAULT_VALUES_MAX }
    }

    pub(super) fn field(&mut self, field: &Field, json: &Json) -> Option<Value> {
        let value = self.value(&field.ty, Rules { nullable: field.nullable, allow_nan: field.allow_nan }, json)?;
        let below = !value.is_null() && field.min.as_ref().is_some_and(|min| value < *min);
        let above = !value.is_null() && field.max.as_ref().is_some_and(|max| value > *max);
        if below || above {
            let right = bounds_text(self.schema, field);
            return self.fail(code::OUT_OF_RANGE, format!("{} is out of range", shown_json(json)), Some(right));
        }
        Some(value)
    }

    fn value(&mut self, ty: &Type, rules: Rules, json: &Json) -> Option<Value> {
        if json.is_null() {
            if rules.nullable {
                return Some(Value::Null);
            }
            let right = expected(self.schema, ty);
            return self.fail(code::NOT_NULLABLE, "null where a value is needed".to_string(), Some(right));
        }
        match ty {
            Type::Scalar(scalar) => self.scalar(*scalar, rules, json),
            Type::Str(n) => self.text(ty, Some(*n), json),
            Type::Text => self.text(ty, None, json),
            Type::FixedBytes(n) => self.bytes(ty, Some(*n), json),
            Type::Bytes => self.bytes(ty, None, json),
            Type::Array(element, n) => self.array(element, *n, rules, json),
            Type::List(element) => self.list(ty, element, rules, json),
            Type::Enum(idx) => self.variant(*idx, json),
            Type::Composite(idx) => self.composite(*idx, json),
            Type::Ref(_) => match self.integer(ty, 1, RECORD_ID_MAX.into(), false, json)? {
                Value::Int(id) => Some(Value::Ref(id as u64)),
                other => Some(other),
            },
        }
    }

    fn scalar(&mut self, scalar: Scalar, rules: Rules, json: &Json) -> Option<Value> {
        let ty = Type::Scalar(scalar);
        match (scalar.desc().kind, json) {
            (ScalarKind::Int { min, max }, _) => self.integer(&ty, min, max, scalar.desc().size_bytes == 8, json),
            (ScalarKind::Float { bits }, _) => self.float(&ty, bits, rules.allow_nan, json),
            (ScalarKind::Bool, Json::Bool(value)) => Some(Value::Bool(*value)),
            (ScalarKind::Timestamp, Json::Number(_)) | (ScalarKind::Duration, Json::Number(_)) => {
                self.time_number(scalar, json)
            }
            (ScalarKind::Timestamp, Json::String(text)) => {
                self.readable(&ty, json, time::timestamp(text).map(Value::from))
            }
            (ScalarKind::Duration, Json::String(text)) => {
                self.readable(&ty, json, time::duration(text).map(Value::from))
            }
            (ScalarKind::Uuid, Json::String(text)) => self.readable(&ty, json, binary::uuid(text).map(Value::from)),
            _ => self.wrong_type(&ty, json),
        }
    }

    fn integer(&mut self, ty: &Type, min: i128, max: i128, or_text: bool, json: &Json) -> Option<Value> {
        let value = match json {
            Json::Number(number) => match integer(number) {
                Ok(value) => value,
                Err(NotInteger::Fraction) => return self.wrong_type(ty, json),
                // Beyond every type, whatever its last digits were.
                Err(NotInteger::Inexact) => {
                    let huge = number.as_f64().unwrap_or(f64::MAX);
                    if huge >= max as f64 || huge < min as f64 {
                        return self.out_of_range(ty, json);
                    }
                    let detail = format!("{} has lost its last digits", shown_json(json));
                    let right = "the digits alone, or a string of them".to_string();
                    return self.fail(code::INVALID_VALUE, detail, Some(right));
                }
            },
            Json::String(text) if or_text => match integer_text(text) {
                Some(value) => value,
                None => return self.invalid(ty, json),
            },
            _ => return self.wrong_type(ty, json),
        };
        if value < min || value > max { self.out_of_range(ty, json) } else { Some(Value::Int(value)) }
    }

    fn float(&mut self, ty: &Type, bits: u8, allow_nan: bool, json: &Json) -> Option<Value> {
        let value = match json {
            Json::Number(number) => number.as_f64(),
            Json::String(text) => {
                let special = match text.as_str() {
                    "NaN" => f64::NAN,
                    "Infinity" => f64::INFINITY,
                    "-Infinity" => f64::NEG_INFINITY,
                    _ => return self.wrong_type(ty, json),
                };
                if allow_nan {
                    return Some(Value::Float(special));
                }
                let detail = format!("{} is not finite, and the field does not say `allow_nan`", shown_json(json));
                return self.fail(code::INVALID_VALUE, detail, Some("a finite number".to_string()));
            }
            _ => return self.wrong_type(ty, json),
        };
        match value.and_then(|value| if bits == 32 { narrow(value) } else { Some(value) }) {
            Some(value) => Some(Value::Float(value)),
            None => self.out_of_range(ty, json),
        }
    }

    /// Microseconds for a timestamp, seconds for a duration.
    fn time_number(&mut self, scalar: Scalar, json: &Json) -> Option<Value> {
        let ty = Type::Scalar(scalar);
        if scalar == Scalar::Timestamp {
            return self.integer(&ty, i64::MIN.into(), i64::MAX.into(), false, json);
        }
        let Json::Number(number) = json else { return self.wrong_type(&ty, json) };
        let text = match number.as_f64() {
            // The plain form of a float: digits without an exponent.
            Some(seconds) if number.is_f64() => seconds.to_string(),
            _ => number.to_string(),
        };
        match time::seconds(&text) {
            Some(micros) => Some(Value::from(micros)),
            None => self.out_of_range(&ty, json),
        }
    }

    fn text(&mut self, ty: &Type, bytes_max: Option<u16>, json: &Json) -> Option<Value> {
        let Json::String(text) = json else { return self.wrong_type(ty, json) };
        if bytes_max.is_some_and(|max| text.len() > usize::from(max)) {
            return self.too_long(ty, text.len());
        }
        Some(Value::Text(text.clone()))
    }

    fn bytes(&mut self, ty: &Type, exactly: Option<u16>, json: &Json) -> Option<Value> {
        let Json::String(text) = json else { return self.wrong_type(ty, json) };
        let Some(bytes) = binary::base64(text) else { return self.invalid(ty, json) };
        match exactly.map(usize::from) {
            Some(n) if bytes.len() > n => self.too_long(ty, bytes.len()),
            Some(n) if bytes.len() < n => {
                let detail = format!("these are {} bytes", bytes.len());
                let right = expected(self.schema, ty);
                self.fail(code::WRONG_LENGTH, detail, Some(right))
            }
            _ => Some(Value::Bytes(bytes)),
        }
    }

    fn array(&mut self, element: &Type, n: u32, rules: Rules, json: &Json) -> Option<Value> {
        let Json::Array(items) = json else {
            let detail = format!("{} where a list is needed", describe(json));
            return self.fail(code::WRONG_TYPE, detail, Some(format!("a list of {n}")));
        };
        if items.len() != n as usize {
            let detail = format!("the list has {} elements", items.len());
            return self.fail(code::WRONG_LENGTH, detail, Some(format!("a list of {n}")));
        }
        self.elements(element, rules, items)
    }

    fn list(&mut self, ty: &Type, element: &Type, rules: Rules, json: &Json) -> Option<Value> {
        match json {
            Json::Array(items) => self.elements(element, rules, items),
            _ => self.wrong_type(ty, json),
        }
    }

    fn elements(&mut self, element: &Type, rules: Rules, items: &[Json]) -> Option<Value> {
        let rules = Rules { nullable: false, ..rules };
        let mut values = Some(Vec::with_capacity(items.len()));
        for (at, item) in items.iter().enumerate() {
            let value = self.inside(&at.to_string(), |decoder| decoder.value(element, rules, item));
            values = keep(values, value);
        }
        values.map(Value::List)
    }

    fn variant(&mut self, idx: EnumIdx, json: &Json) -> Option<Value> {
        let schema = self.schema;
        let variants = &schema.enums[idx.at()].variants;
        match json {
            Json::String(name) => match variants.iter().find(|variant| variant.name == *name) {
                Some(variant) => self.unit(variant),
                None => self.unknown_variant(idx, json),
            },
            Json::Number(number) => {
                let number = integer(number).ok();
                match variants.iter().find(|variant| number == Some(variant.number.into())) {
                    Some(variant) => self.unit(variant),
                    None => self.unknown_variant(idx, json),
                }
            }
            Json::Object(members) => match members.iter().next() {
                Some((name, payload)) if members.len() == 1 => self.tagged(idx, variants, name, payload),
                _ => {
                    let right = "an object with one key, the name of the variant".to_string();
                    self.fail(code::INVALID_VALUE, format!("an object with {} keys", members.len()), Some(right))
                }
            },
            _ => self.wrong_type(&Type::Enum(idx), json),
        }
    }

    /// A variant given by its name or number alone.
    fn unit(&mut self, variant: &Variant) -> Option<Value> {
        match &variant.payload {
            None => Some(Value::Enum(variant.number, None)),
            Some(payload) => {
                let detail = format!("the variant `{}` needs its payload", variant.name);
                let right = format!("{{\"{}\": ...}} with {}", variant.name, expected(self.schema, payload));
                self.fail(code::INVALID_VALUE, detail, Some(right))
            }
        }
    }

    /// A variant given as `{"name": payload}`.
    fn tagged(&mut self, idx: EnumIdx, variants: &[Variant], name: &str, payload: &Json) -> Option<Value> {
        let Some(variant) = variants.iter().find(|variant| variant.name == name) else {
            return self.unknown_variant(idx, &Json::from(name));
        };
        let Some(ty) = &variant.payload else {
            if payload.is_null() {
                return Some(Value::Enum(variant.number, None));
            }
            let detail = format!("the variant `{name}` has no payload");
            return self.fail(code::INVALID_VALUE, detail, Some(format!("\"{name}\"")));
        };
        let rules = Rules { nullable: false, allow_nan: false };
        let payload = self.inside(name, |decoder| decoder.value(ty, rules, payload))?;
        Some(Value::Enum(variant.number, Some(Box::new(payload))))
    }

    fn composite(&mut self, idx: CompositeIdx, json: &Json) -> Option<Value> {
        let Json::Object(members) = json else { return self.wrong_type(&Type::Composite(idx), json) };
        let composite = &self.schema.composites[idx.at()];
        let all_known = self.unknown_fields(&format!("`{}`", composite.name), &composite.fields, members, &[]);
        let mut values = Some(Vec::with_capacity(composite.fields.len()));
        for field in &composite.fields {
            let value = match members.get(&field.name) {
                Some(json) => self.inside(&field.name, |decoder| decoder.field(field, json)),
                None => self.left_out(field),
            };
            values = keep(values, value);
        }
        values.filter(|_| all_known).map(Value::Struct)
    }

    /// Reports every key that is no field and not one of `others`; `owner` names whose fields they should be.
    pub(super) fn unknown_fields(
        &mut self,
        owner: &str,
        fields: &[Field],
        members: &Map<String, Json>,
        others: &[&str],
    ) -> bool {
        let mut all_known = true;
        let is_known = |key: &str| fields.iter().any(|field| field.name == key) || others.contains(&key);
        for key in members.keys().filter(|key| !is_known(key)) {
            all_known = false;
            if self.problems.len() >= PROBLEMS_MAX {
                break;
            }
            let suggestion = nearest(key, fields.iter().map(|field| field.name.as_str())).map(str::to_string);
            let hint = suggestion.as_ref().map_or_else(String::new, |name| format!(". Did you mean `{name}`?"));
            let detail = format!("{owner} has no field `{}`{hint}", shown(key));
            self.inside(key, |decoder| decoder.push(code::UNKNOWN_FIELD, detail, None, suggestion));
        }
        all_known
    }

    /// The value of a field that was not given.
    pub(super) fn left_out(&mut self, field: &Field) -> Option<Value> {
        match &field.default {
            Some(default) => {
                let left = self.default_values_left.checked_sub(count(default, self.default_values_left));
                self.default_values_left = left.unwrap_or(0);
                if left.is_none() {
                    let detail = "the defaults of what is left out are too many".to_string();
                    return self.fail(code::TOO_LONG, detail, None);
                }
                Some(default.clone())
            }
            None if field.nullable => Some(Value::Null),
            None => {
                let right = expected(self.schema, &field.ty);
                let detail = format!("the field `{}` is missing", field.name);
                self.inside(&field.name, |decoder| decoder.fail(code::MISSING_FIELD, detail, Some(right)))
            }
        }
    }

    /// Runs with the pointer one step further down.
    pub(super) fn inside<T>(&mut self, step: &str, run: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        if step.contains(['~', '/']) {
            self.pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        } else {
            self.pointer.push_str(step);
        }
        let result = run(self);
        self.pointer.truncate(length);
        result
    }

    fn readable(&mut self, ty: &Type, json: &Json, value: Option<Value>) -> Option<Value> {
        value.or_else(|| self.invalid(ty, json))
    }

    fn wrong_type<T>(&mut self, ty: &Type, json: &Json) -> Option<T> {
        let right = expected(self.schema, ty);
        self.fail(code::WRONG_TYPE, format!("{} is of the wrong type", shown_json(json)), Some(right))
    }

    fn invalid<T>(&mut self, ty: &Type, json: &Json) -> Option<T> {
        let right = expected(self.schema, ty);
        self.fail(code::INVALID_VALUE, format!("{} cannot be read", shown_json(json)), Some(right))
    }

    fn out_of_range<T>(&mut self, ty: &Type, json: &Json) -> Option<T> {
        let right = expected(self.schema, ty);
        self.fail(code::OUT_OF_RANGE, format!("{} is out of range", shown_json(json)), Some(right))
    }

    fn too_long<T>(&mut self, ty: &Type, bytes: usize) -> Option<T> {
        let right = expected(self.schema, ty);
        self.fail(code::TOO_LONG, format!("these are {bytes} bytes"), Some(right))
    }

    fn unknown_variant<T>(&mut self, idx: EnumIdx, json: &Json) -> Option<T> {
        if self.problems.len() >= PROBLEMS_MAX {
            return None;
        }
        let enumeration = &self.schema.enums[idx.at()];
        let detail = format!("`{}` has no variant {}", enumeration.name, shown_json(json));
        let right = expected(self.schema, &Type::Enum(idx));
        let names = enumeration.variants.iter().map(|variant| variant.name.as_str());
        let suggestion = json.as_str().and_then(|name| nearest(name, names)).map(str::to_string);
        self.push(code::UNKNOWN_VARIANT, detail, Some(right), suggestion);
        None
    }

    fn fail<T>(&mut self, code: &'static str, detail: String, expected: Option<String>) -> Option<T> {
        self.push(code, detail, expected, None);
        None
    }

    fn push(&mut self, code: &'static str, detail: String, expected: Option<String>, suggestion: Option<String>) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem { pointer: self.pointer.clone(), code, detail, expected, suggestion });
        }
    }
}

/// The list with the value, as long as both are there: a bad value spoils the list, but the others are still read.
fn keep(values: Option<Vec<Value>>, value: Option<Value>) -> Option<Vec<Value>> {
    let (mut values, value) = (values?, value?);
    values.push(value);
    Some(values)
}

/// How many values a value is made of; beyond `enough` it does not matter how many.
fn count(value: &Value, enough: usize) -> usize {
    match value {
        Value::List(values) | Value::Struct(values) => {
            let mut sum = 1;
            for value in values {
                if sum > enough {
                    break;
                }
                sum += count(value, enough - sum);
            }
            sum
        }
        Value::Enum(_, Some(payload)) => 1 + count(payload, enough),
        Value::Text(text) => 1 + text.len() / 32,
        Value::Bytes(bytes) => 1 + bytes.len() / 32,
        _ => 1,
    }
}

fn bounds_text(schema: &Schema, field: &Field) -> String {
    let text = |value: &Value| super::encode_as(schema, &field.ty, value, super::Int64::Number).to_string();
    match (&field.min, &field.max) {
        (Some(min), Some(max)) => format!("from {} to {}", text(min), text(max)),
        (Some(min), None) => format!("at least {}", text(min)),
        (None, Some(max)) => format!("at most {}", text(max)),
        (None, None) => expected(schema, &field.ty),
    }
}

/// A JSON value in a sentence: short ones as they are, the others by their kind.
fn shown_json(json: &Json) -> String {
    match json {
        Json::String(text) => format!("\"{}\"", shown(text)),
        Json::Array(_) | Json::Object(_) => describe(json).to_string(),
        other => other.to_string(),
    }
}

fn describe(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
