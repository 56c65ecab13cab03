//! Values: random ones of every type, wrong ones, and their order.

use super::rules::Broken;
use super::tape::Tape;
use dbgen_schema::field_type::ScalarKind;
use dbgen_schema::{Field, Scalar, Schema, TableIdx, Type, Value};
use std::cmp::Ordering;

/// Chooses a record of a table to refer to.
pub type PickRef<'p> = &'p mut dyn FnMut(&mut Tape<'_>, TableIdx) -> Value;

/// A value of the field's type, mostly one that keeps its rules.
pub fn of_field(tape: &mut Tape<'_>, schema: &Schema, field: &Field, refs: PickRef<'_>) -> Value {
    if field.nullable && tape.one_in(4) {
        return Value::Null;
    }
    if field.auto_increment && !tape.one_in(3) {
        return Value::Int(0);
    }
    match (&field.ty, int(&field.min), int(&field.max)) {
        (Type::Scalar(scalar), min, max) if min.is_some() || max.is_some() => {
            let (low, high) = bounds(*scalar, min, max);
            let inside = low + i128::from(tape.word() % (high - low + 1).min(9) as u64);
            let value = if tape.one_in(30) { tape.of(&[low - 1, high + 1, low, high]) } else { inside };
            let (floor, ceiling) = bounds(*scalar, None, None);
            number(*scalar, value.clamp(floor, ceiling))
        }
        (Type::Scalar(scalar), ..) if matches!(scalar.desc().kind, ScalarKind::Float { .. }) => {
            let odd = tape.one_in(40);
            let value = if odd { tape.of(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]) } else { float(tape, *scalar) };
            Value::Float(value)
        }
        (ty, ..) => of_type(tape, schema, ty, refs),
    }
}

/// A value of a type.
pub fn of_type(tape: &mut Tape<'_>, schema: &Schema, ty: &Type, refs: PickRef<'_>) -> Value {
    match ty {
        Type::Scalar(scalar) => of_scalar(tape, *scalar),
        Type::Str(n) => Value::Text(text(tape, *n as usize)),
        Type::FixedBytes(n) => Value::Bytes(vec![tape.byte() % 3; *n as usize]),
        Type::Text => {
            let bytes_max = tape.of(&[8, 0, 1, 9, 40, 200]);
            Value::Text(text(tape, bytes_max))
        }
        Type::Bytes => Value::Bytes(vec![tape.byte(); tape.of(&[3, 0, 8, 17, 130])]),
        Type::Array(element, n) => Value::List((0..*n).map(|_| of_type(tape, schema, element, refs)).collect()),
        Type::List(element) => {
            let count = tape.of(&[1, 0, 2, 3, 7]);
            Value::List((0..count).map(|_| of_type(tape, schema, element, refs)).collect())
        }
        Type::Enum(idx) => {
            let variants = &schema.enums[idx.at()].variants;
            let variant = &variants[tape.below(variants.len())];
            let payload = variant.payload.as_ref().map(|ty| Box::new(of_type(tape, schema, ty, refs)));
            Value::Enum(variant.number, payload)
        }
        Type::Composite(idx) => {
            let members = &schema.composites[idx.at()].fields;
            Value::Struct(members.iter().map(|member| of_member(tape, schema, member, refs)).collect())
        }
        Type::Ref(table) => refs(tape, *table),
    }
}

/// A value of a composite's field that keeps its rules.
fn of_member(tape: &mut Tape<'_>, schema: &Schema, member: &Field, refs: PickRef<'_>) -> Value {
    match (&member.ty, int(&member.min), int(&member.max)) {
        _ if member.nullable && tape.one_in(3) => Value::Null,
        (Type::Scalar(scalar), min, max) if min.is_some() || max.is_some() => {
            let (low, high) = bounds(*scalar, min, max);
            number(*scalar, low + i128::from(tape.word() % (high - low + 1) as u64))
        }
        (ty, ..) => of_type(tape, schema, ty, refs),
    }
}

fn of_scalar(tape: &mut Tape<'_>, scalar: Scalar) -> Value {
    match scalar.desc().kind {
        // Few numbers, so that they meet again; now and then the first and the last.
        ScalarKind::Int { min, max } => {
            let few = i128::from(tape.byte() % 9);
            let few = if min < 0 { few - 4 } else { few };
            Value::Int(if tape.one_in(10) { tape.of(&[min, max, max / 2, 255.min(max)]) } else { few })
        }
        ScalarKind::Timestamp | ScalarKind::Duration => {
            let few = i128::from(tape.byte() % 9) * 1_000_000;
            Value::Int(if tape.one_in(10) { tape.of(&[i64::MIN, i64::MAX, -1]).into() } else { few })
        }
        ScalarKind::Float { .. } => Value::Float(float(tape, scalar)),
        ScalarKind::Bool => Value::Bool(tape.byte() % 2 == 1),
        ScalarKind::Uuid => Value::Bytes(vec![tape.byte() % 9; 16]),
    }
}

fn float(tape: &mut Tape<'_>, scalar: Scalar) -> f64 {
    let value = f64::from(tape.byte() % 9) / 4.0 - 1.0;
    match scalar.desc().kind {
        _ if !tape.one_in(10) => value,
        ScalarKind::Float { bits: 32 } => tape.of(&[-0.0, f64::from(f32::MAX), f64::from(f32::MIN), 1.0 / 1024.0]),
        _ => tape.of(&[-0.0, f64::MAX, f64::MIN_POSITIVE, 0.1]),
    }
}

/// A text of at most so many bytes, out of letters of one to four bytes.
fn text(tape: &mut Tape<'_>, bytes_max: usize) -> String {
    let letter = tape.of(&["a", "b", "é", "字", "🦉", "\0"]);
    let count = match tape.of(&[0, 1, 2]) {
        0 => tape.below(3),
        1 => tape.below(bytes_max + 1),
        _ => bytes_max,
    };
    letter.repeat(count.min(bytes_max / letter.len()))
}

/// A value that is not of the field's type, and the rule that it breaks.
pub fn wrong(tape: &mut Tape<'_>, schema: &Schema, field: &Field, refs: PickRef<'_>) -> (Value, Broken) {
    if !field.nullable && tape.one_in(4) {
        return (Value::Null, Broken::NotNull);
    }
    wrong_type(tape, schema, &field.ty, refs)
}

fn wrong_type(tape: &mut Tape<'_>, schema: &Schema, ty: &Type, refs: PickRef<'_>) -> (Value, Broken) {
    let alien = (Value::Struct(vec![Value::Null; 77]), Broken::Type);
    match ty {
        _ if tape.one_in(4) => alien,
        Type::Scalar(scalar) => match scalar.desc().kind {
            ScalarKind::Int { min, max } => (Value::Int(tape.of(&[min - 1, max + 1])), Broken::OutOfRange),
            ScalarKind::Float { bits: 32 } => (Value::Float(tape.of(&[1e300, -1e39])), Broken::OutOfRange),
            ScalarKind::Timestamp | ScalarKind::Duration => (Value::Int(1 << 64), Broken::OutOfRange),
            ScalarKind::Bool => (Value::Int(1), Broken::Type),
            ScalarKind::Uuid => (Value::Bytes(vec![1; 15]), Broken::Type),
            ScalarKind::Float { .. } => (Value::Text("1".to_owned()), Broken::Type),
        },
        Type::Str(n) => (Value::Text("x".repeat(*n as usize + 1)), Broken::TooLong),
        Type::FixedBytes(n) => (Value::Bytes(vec![0; *n as usize + 1]), Broken::Type),
        Type::Text => (Value::Bytes(vec![0xff]), Broken::Type),
        Type::Bytes => (Value::Text("bytes".to_owned()), Broken::Type),
        Type::Array(element, n) if tape.one_in(2) => {
            (Value::List((0..*n + 1).map(|_| of_type(tape, schema, element, refs)).collect()), Broken::Type)
        }
        Type::Array(element, n) => {
            let mut values: Vec<Value> = (0..*n).map(|_| of_type(tape, schema, element, refs)).collect();
            match values.last_mut() {
                Some(last) => {
                    let (value, rule) = wrong_type(tape, schema, element, refs);
                    *last = value;
                    (Value::List(values), rule)
                }
                None => alien,
            }
        }
        Type::List(element) => {
            let (value, rule) = wrong_type(tape, schema, element, refs);
            (Value::List(vec![of_type(tape, schema, element, refs), value]), rule)
        }
        Type::Enum(idx) => {
            let none = (0..=u16::MAX).rev().find(|n| schema.enums[idx.at()].variants.iter().all(|v| v.number != *n));
            (Value::Enum(none.unwrap_or(u16::MAX), None), Broken::Type)
        }
        Type::Composite(idx) => wrong_composite(tape, schema, &schema.composites[idx.at()].fields, refs),
        Type::Ref(_) => (Value::Int(1), Broken::Type),
    }
}

fn wrong_composite(tape: &mut Tape<'_>, schema: &Schema, members: &[Field], refs: PickRef<'_>) -> (Value, Broken) {
    let mut values: Vec<Value> = members.iter().map(|member| of_member(tape, schema, member, refs)).collect();
    let at = tape.below(values.len());
    let member = &members[at];
    let outside = int(&member.max).map(|max| Value::Int(max + 1)).filter(|_| tape.one_in(2));
    let (value, rule) = match outside {
        Some(value) => (value, Broken::OutOfRange),
        None => wrong_type(tape, schema, &member.ty, refs),
    };
    values[at] = value;
    (Value::Struct(values), rule)
}

/// The integer, or the whole part of the float, in a bound.
fn int(bound: &Option<Value>) -> Option<i128> {
    match bound {
        Some(Value::Int(value)) => Some(*value),
        Some(Value::Float(value)) => Some(*value as i128),
        _ => None,
    }
}

fn bounds(scalar: Scalar, min: Option<i128>, max: Option<i128>) -> (i128, i128) {
    let (low, high) = match scalar.desc().kind {
        ScalarKind::Int { min, max } => (min, max),
        ScalarKind::Float { .. } => (-1_000, 1_000),
        _ => (i64::MIN.into(), i64::MAX.into()),
    };
    (min.unwrap_or(low), max.unwrap_or(high))
}

fn number(scalar: Scalar, value: i128) -> Value {
    match scalar.desc().kind {
        ScalarKind::Float { .. } => Value::Float(value as f64),
        _ => Value::Int(value),
    }
}

/// What zeroed bytes say: what a field holds that generated code does not know and the schema gives no default for.
pub fn zero(schema: &Schema, ty: &Type) -> Value {
    match ty {
        Type::Scalar(scalar) => match scalar.desc().kind {
            ScalarKind::Int { .. } | ScalarKind::Timestamp | ScalarKind::Duration => Value::Int(0),
            ScalarKind::Float { .. } => Value::Float(0.0),
            ScalarKind::Bool => Value::Bool(false),
            ScalarKind::Uuid => Value::Bytes(vec![0; 16]),
        },
        Type::Str(_) | Type::Text => Value::Text(String::new()),
        Type::FixedBytes(n) => Value::Bytes(vec![0; *n as usize]),
        Type::Bytes => Value::Bytes(Vec::new()),
        Type::Array(element, n) => Value::List(vec![zero(schema, element); *n as usize]),
        Type::List(_) => Value::List(Vec::new()),
        Type::Enum(idx) => {
            let first = schema.enums[idx.at()].variants.iter().find(|variant| variant.number == 0);
            let payload = first.and_then(|variant| variant.payload.as_ref());
            Value::Enum(0, payload.map(|ty| Box::new(zero(schema, ty))))
        }
        Type::Composite(idx) => {
            Value::Struct(schema.composites[idx.at()].fields.iter().map(|member| zero(schema, &member.ty)).collect())
        }
        Type::Ref(_) => Value::Null,
    }
}

/// Whether both are the same bits: the order of floats is not asked.
pub fn same(a: &Value, b: &Value) -> bool {
    let all = |a: &[Value], b: &[Value]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
        (Value::List(a), Value::List(b)) | (Value::Struct(a), Value::Struct(b)) => all(a, b),
        (Value::Enum(a, Some(of_a)), Value::Enum(b, Some(of_b))) => a == b && same(of_a, of_b),
        (a, b) => a == b,
    }
}

/// Whether a number that is not finite is anywhere within.
pub fn holds_odd_float(value: &Value) -> bool {
    match value {
        Value::Float(value) => !value.is_finite(),
        Value::List(values) | Value::Struct(values) => values.iter().any(holds_odd_float),
        Value::Enum(_, Some(payload)) => holds_odd_float(payload),
        _ => false,
    }
}

/// The order of an index's columns: nulls first, floats with one zero and NaN last.
pub fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Float(a), Value::Float(b)) if a.is_nan() || b.is_nan() => a.is_nan().cmp(&b.is_nan()),
        (Value::Enum(a, _), Value::Enum(b, _)) => a.cmp(b),
        (a, b) => a.partial_cmp(b).expect("values of one column are of one type"),
    }
}

/// The same, column by column, as far as the shorter one goes.
pub fn compare_prefix(a: &[Value], b: &[Value]) -> Ordering {
    a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}
