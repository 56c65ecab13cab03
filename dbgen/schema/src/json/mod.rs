//! Values as JSON: one mapping for defaults in a schema, for the server and for the command line.
//!
//! | type | written | read |
//! |---|---|---|
//! | `i8` .. `u32` | number | number without a fraction: `5`, `5.0`, `5e0` |
//! | `i64` `u64` | string | string or number |
//! | `f32` `f64` | number, as short as it reads back; not finite: `"NaN"`, `"Infinity"`, `"-Infinity"` | the same; not finite only where `allow_nan` says so |
//! | `bool` | `true` `false` | the same |
//! | `str<N>` `text` | string | string; never cut |
//! | `bytes<N>` `bytes` | base64 | base64, also the URL alphabet, also without padding |
//! | `uuid` | hyphenated | hyphenated, or the 32 digits alone |
//! | `timestamp` | RFC 3339 in UTC; microseconds since 1970 outside of the years 0 to 9999 | RFC 3339 with any offset, or microseconds since 1970 |
//! | `duration` | seconds | seconds, or `"1.5s"` |
//! | `ref<table>` | number | number |
//! | enum | `"warrior"`; with a payload `{"withdraw": ...}` | the same; the number for a variant without payload |
//! | composite | object | object; what is left out takes its default |
//! | `[T; N]` `list<T>` | list | list |
//! | nullable | `null` or as above | the same |
//!
//! Nothing is stored as something else than what was sent: an integer beyond 2^53 with a fraction or an exponent is
//! refused, since JSON readers have lost its last digits by then. Two things are rounded, and to the nearest: a time to the
//! microsecond (`1e-7` seconds are none), and a number that is written with a fraction or an exponent to a double, as JSON
//! readers have it; so `1.0000000000000000001`, of which a double keeps nothing but the 1, is the integer 1, and
//! `1.000000000000001`, which a double tells from 1, is refused. Digits alone are never rounded.
//!
//! Reading reports every problem of a value, not the first.

mod binary;
mod decode;
mod encode;
mod number;
mod record;
mod shape;
pub mod text;
mod time;

pub use decode::{decode, decode_field};
pub use encode::{Int64, encode, encode_as};
pub use record::{Mode, decode_record, encode_record};
pub use shape::{Direction, Shapes};

use crate::field_type::{ScalarKind, Type};
use crate::model::{Enumeration, Schema};

/// Problems that are kept of one value; a list of a million wrong elements is as wrong as one of a hundred.
pub const PROBLEMS_MAX: usize = 100;

/// The codes of [`Problem`]s.
pub mod code {
    /// A number that the type, or the field's `min` and `max`, do not allow.
    pub const OUT_OF_RANGE: &str = "out_of_range";
    /// A string or bytes longer than the type.
    pub const TOO_LONG: &str = "too_long";
    /// Another kind of JSON value than the type's.
    pub const WRONG_TYPE: &str = "wrong_type";
    /// A key that names no field.
    pub const UNKNOWN_FIELD: &str = "unknown_field";
    /// A name or number that is no variant of the enum.
    pub const UNKNOWN_VARIANT: &str = "unknown_variant";
    /// A field that has no default and was not given.
    pub const MISSING_FIELD: &str = "missing_field";
    /// A null where the field is not nullable.
    pub const NOT_NULLABLE: &str = "not_nullable";
    /// The right kind of JSON value, but not one that the type can read: `"yesterday"` as a timestamp.
    pub const INVALID_VALUE: &str = "invalid_value";
    /// A list of another length than the array's.
    pub const WRONG_LENGTH: &str = "wrong_length";
}

/// Why a JSON value is not one of the type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer to the value, behind the prefix that the caller gave: `#/pos/x`.
    pub pointer: String,
    /// One of the [codes](code).
    pub code: &'static str,
    /// The problem in one sentence.
    pub detail: String,
    /// What would be right.
    pub expected: Option<String>,
    /// The nearest name, for a misspelt one.
    pub suggestion: Option<String>,
}

/// What a type takes, in words: `an integer from 0 to 255`.
pub fn expected(schema: &Schema, ty: &Type) -> String {
    match ty {
        Type::Scalar(scalar) => match scalar.desc().kind {
            ScalarKind::Int { min, max } => format!("an integer from {min} to {max}"),
            ScalarKind::Float { bits: 32 } => "a number up to 3.4e38".to_string(),
            ScalarKind::Float { .. } => "a number".to_string(),
            ScalarKind::Bool => "true or false".to_string(),
            ScalarKind::Timestamp => "a time like \"2030-01-31T12:00:00Z\", or microseconds since 1970".to_string(),
            ScalarKind::Duration => "seconds, as a number or like \"1.5s\"".to_string(),
            ScalarKind::Uuid => "a UUID like \"01234567-89ab-4def-8123-456789abcdef\"".to_string(),
        },
        Type::Str(n) => format!("text of at most {n} bytes"),
        Type::Text => "text".to_string(),
        Type::FixedBytes(n) => format!("{n} bytes in base64"),
        Type::Bytes => "bytes in base64".to_string(),
        Type::Array(_, n) => format!("a list of {n}"),
        Type::List(_) => "a list".to_string(),
        Type::Enum(idx) => expected_variant(&schema.enums[idx.at()]),
        Type::Composite(idx) => format!("an object, a `{}`", schema.composites[idx.at()].name),
        Type::Ref(idx) => format!("the `_id` of a record of `{}`", schema.tables[idx.at()].name),
    }
}

fn expected_variant(enumeration: &Enumeration) -> String {
    const SHOWN: usize = 8;
    let names: Vec<&str> = enumeration.variants.iter().take(SHOWN).map(|variant| variant.name.as_str()).collect();
    let more = if enumeration.variants.len() > SHOWN { ", ..." } else { "" };
    format!("one of {}{more}", names.join(", "))
}
