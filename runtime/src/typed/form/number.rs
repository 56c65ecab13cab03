//! Numbers. In formats for people, integers of 64 bits are strings, and floats that are not finite are words.

use super::{Form, form_of_cell};
use crate::cell::{F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
use dbgen_schema::json::text::{integral, narrow, widen};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

macro_rules! integers {
    ($($cell:ident $native:ident $is_wide:literal),*) => {$(
        impl Form<$native> for $cell {
            fn write<S: Serializer>(value: &$native, to: S) -> Result<S::Ok, S::Error> {
                if $is_wide && to.is_human_readable() { to.collect_str(value) } else { value.serialize(to) }
            }

            fn read<'de, D: Deserializer<'de>>(from: D) -> Result<$native, D::Error> {
                if !from.is_human_readable() {
                    return $native::deserialize(from);
                }
                let (min, max) = ($native::MIN.into(), $native::MAX.into());
                // The visitor has proved that it is one.
                Ok(from.deserialize_any(Integer { min, max, or_text: $is_wide })? as $native)
            }
        }

        form_of_cell!($cell => $native);
    )*};
}
integers!(I8 i8 false, I16 i16 false, I32 i32 false, I64 i64 true, U8 u8 false, U16 u16 false, U32 u32 false, U64 u64 true);

/// Takes what a person may write for an integer: `5`, `5.0`, and for wide ones `"5"`.
pub(super) struct Integer {
    pub(super) min: i128,
    pub(super) max: i128,
    pub(super) or_text: bool,
}

impl Integer {
    fn within<E: Error>(&self, value: i128, given: Unexpected<'_>) -> Result<i128, E> {
        if value < self.min || value > self.max { Err(E::invalid_value(given, self)) } else { Ok(value) }
    }
}

impl Visitor<'_> for Integer {
    type Value = i128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an integer from {} to {}", self.min, self.max)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<i128, E> {
        self.within(value.into(), Unexpected::Signed(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i128, E> {
        self.within(value.into(), Unexpected::Unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<i128, E> {
        let given = Unexpected::Float(value);
        match integral(value) {
            Some(value) => self.within(value, given),
            None => Err(E::invalid_value(given, &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i128, E> {
        let given = Unexpected::Str(text);
        match dbgen_schema::json::text::integer(text).filter(|_| self.or_text) {
            Some(value) => self.within(value, given),
            None => Err(E::invalid_type(given, &self)),
        }
    }
}

impl Form<f64> for F64 {
    fn write<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        write_float(*value, to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        if from.is_human_readable() { from.deserialize_any(Float) } else { f64::deserialize(from) }
    }
}

impl Form<f32> for F32 {
    fn write<S: Serializer>(value: &f32, to: S) -> Result<S::Ok, S::Error> {
        // As the shortest decimals that read back: 0.1, also where a format knows doubles alone.
        if to.is_human_readable() { write_float(widen(f64::from(*value)), to) } else { to.serialize_f32(*value) }
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
        if !from.is_human_readable() {
            return f32::deserialize(from);
        }
        let value = from.deserialize_any(Float)?;
        let near = if value.is_finite() { narrow(value) } else { Some(value) };
        let near = near.ok_or_else(|| D::Error::invalid_value(Unexpected::Float(value), &"a number up to 3.4e38"))?;
        Ok(near as f32)
    }
}

form_of_cell!(F32 => f32, F64 => f64);

fn write_float<S: Serializer>(value: f64, to: S) -> Result<S::Ok, S::Error> {
    match value {
        value if value.is_finite() || !to.is_human_readable() => to.serialize_f64(value),
        value if value.is_nan() => to.serialize_str("NaN"),
        value => to.serialize_str(if value > 0.0 { "Infinity" } else { "-Infinity" }),
    }
}

/// Takes numbers and the words for those that are not finite.
struct Float;

impl Visitor<'_> for Float {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        match text {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => Err(E::invalid_type(Unexpected::Str(text), &self)),
        }
    }
}
