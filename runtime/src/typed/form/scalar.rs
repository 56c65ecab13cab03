//! Values that are no numbers and hold no others.

use super::number::Integer;
use super::{Form, form_of_cell, serde_as_form};
use crate::cell::{self, Enum, Enum16, FixedBytes, LongStr, Ref, Str, value};
use crate::id::Id;
use dbgen_schema::json::text;
use serde::de::{DeserializeOwned, Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

impl Form<bool> for cell::Bool {
    fn write<S: Serializer>(value: &bool, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bool(*value)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
        bool::deserialize(from)
    }
}

form_of_cell!(cell::Bool => bool);

/// RFC 3339; microseconds since 1970 are read too. In compact formats those are written.
impl Form<value::Timestamp> for cell::Timestamp {
    fn write<S: Serializer>(value: &value::Timestamp, to: S) -> Result<S::Ok, S::Error> {
        let micros = value.as_micros();
        match text::timestamp_text(micros).filter(|_| to.is_human_readable()) {
            Some(text) => to.serialize_str(&text),
            None => to.serialize_i64(micros),
        }
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<value::Timestamp, D::Error> {
        const WHAT: &str = "a time like \"2030-01-31T12:00:00Z\", or microseconds since 1970";
        read_time(from, &Time { what: WHAT, text: text::timestamp, seconds: None }).map(value::Timestamp::from_micros)
    }
}

/// Seconds. In compact formats microseconds.
impl Form<value::Duration> for cell::Duration {
    fn write<S: Serializer>(value: &value::Duration, to: S) -> Result<S::Ok, S::Error> {
        let micros = value.as_micros();
        if !to.is_human_readable() {
            return to.serialize_i64(micros);
        }
        match text::exact_seconds(micros) {
            Some(seconds) if seconds.fract() == 0.0 => to.serialize_i64(seconds as i64),
            Some(seconds) => to.serialize_f64(seconds),
            None => to.collect_str(&format_args!("{}s", text::seconds_text(micros))),
        }
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<value::Duration, D::Error> {
        const WHAT: &str = "seconds, as a number or like \"1.5s\"";
        read_time(from, &Time { what: WHAT, text: text::duration, seconds: Some(text::seconds) })
            .map(value::Duration::from_micros)
    }
}

form_of_cell!(cell::Timestamp => value::Timestamp, cell::Duration => value::Duration, cell::Uuid => value::Uuid);

fn read_time<'de, D: Deserializer<'de>>(from: D, time: &Time) -> Result<i64, D::Error> {
    if from.is_human_readable() { from.deserialize_any(time) } else { i64::deserialize(from) }
}

/// Takes a time.
struct Time {
    what: &'static str,
    text: fn(&str) -> Option<i64>,
    /// Reads decimal seconds, if a number is seconds and not microseconds.
    seconds: Option<fn(&str) -> Option<i64>>,
}

impl Visitor<'_> for &Time {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<i64, E> {
        let micros = self.seconds.map_or(Some(value), |seconds| seconds(&value.to_string()));
        micros.ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i64, E> {
        let value = i64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))?;
        self.visit_i64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<i64, E> {
        let micros = match self.seconds {
            Some(seconds) => seconds(&value.to_string()),
            None => text::integral(value).and_then(|value| i64::try_from(value).ok()),
        };
        micros.ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
        (self.text)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// Hyphenated; in compact formats 16 bytes.
impl Form<value::Uuid> for cell::Uuid {
    fn write<S: Serializer>(value: &value::Uuid, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(value) } else { to.serialize_bytes(value.as_bytes()) }
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<value::Uuid, D::Error> {
        const WHAT: &str = "a UUID like \"01234567-89ab-4def-8123-456789abcdef\"";
        exactly(read_bytes(from, &Blob { what: WHAT, text: text::uuid })?, WHAT).map(value::Uuid::from_bytes)
    }
}

const BASE64: Blob = Blob { what: "bytes in base64", text: text::base64 };

/// Base64; in compact formats the bytes.
impl<const N: usize> Form<[u8; N]> for FixedBytes<N> {
    fn write<S: Serializer>(value: &[u8; N], to: S) -> Result<S::Ok, S::Error> {
        write_bytes(value, to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; N], D::Error> {
        exactly(read_bytes(from, &BASE64)?, &format!("{N} bytes in base64"))
    }
}

impl<const N: usize> Form<FixedBytes<N>> for FixedBytes<N> {
    fn write<S: Serializer>(value: &FixedBytes<N>, to: S) -> Result<S::Ok, S::Error> {
        write_bytes(value.as_array(), to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<FixedBytes<N>, D::Error> {
        <FixedBytes<N> as Form<[u8; N]>>::read(from).map(FixedBytes::new)
    }
}

impl Form<Vec<u8>> for cell::Bytes {
    fn write<S: Serializer>(value: &Vec<u8>, to: S) -> Result<S::Ok, S::Error> {
        write_bytes(value, to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        read_bytes(from, &BASE64)
    }
}

fn write_bytes<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    if to.is_human_readable() { to.serialize_str(&text::base64_text(bytes)) } else { to.serialize_bytes(bytes) }
}

fn read_bytes<'de, D: Deserializer<'de>>(from: D, blob: &Blob) -> Result<Vec<u8>, D::Error> {
    if from.is_human_readable() { from.deserialize_str(blob) } else { from.deserialize_byte_buf(blob) }
}

fn exactly<const N: usize, E: Error>(bytes: Vec<u8>, what: &str) -> Result<[u8; N], E> {
    bytes.try_into().map_err(|bytes: Vec<u8>| E::invalid_length(bytes.len(), &what))
}

/// Takes bytes: as text from people, as they are from machines.
struct Blob {
    what: &'static str,
    text: fn(&str) -> Option<Vec<u8>>,
}

impl<'de> Visitor<'de> for &Blob {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
        (self.text)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Vec<u8>, A::Error> {
        let mut out = Vec::new();
        while let Some(byte) = bytes.next_element()? {
            out.push(byte);
        }
        Ok(out)
    }
}

impl Form<String> for cell::Text {
    fn write<S: Serializer>(value: &String, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(value)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        String::deserialize(from)
    }
}

macro_rules! strings {
    ($($cell:ident),*) => {$(
        /// As long as the cell's type allows: what is longer is refused, never cut.
        impl<const N: usize> Form<String> for $cell<N> {
            fn write<S: Serializer>(value: &String, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(value)
            }

            fn read<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
                let text = String::deserialize(from)?;
                if text.len() > N {
                    return Err(D::Error::invalid_length(text.len(), &format!("text of at most {N} bytes").as_str()));
                }
                Ok(text)
            }
        }

        impl<const N: usize> Form<$cell<N>> for $cell<N> {
            fn write<S: Serializer>(value: &$cell<N>, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(value.as_str())
            }

            fn read<'de, D: Deserializer<'de>>(from: D) -> Result<$cell<N>, D::Error> {
                let text = <$cell<N> as Form<String>>::read(from)?;
                Ok($cell::try_new(&text).unwrap_or_default())
            }
        }
    )*};
}
strings!(Str, LongStr);

impl<T> Form<Id<T>> for Ref<T> {
    fn write<S: Serializer>(value: &Id<T>, to: S) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Id<T>, D::Error> {
        let number = if from.is_human_readable() {
            from.deserialize_any(Integer { min: 1, max: (1 << 53) - 1, or_text: false })? as u64
        } else {
            u64::deserialize(from)?
        };
        Id::from_u64(number).ok_or_else(|| D::Error::invalid_value(Unexpected::Unsigned(number), &"the id of a record"))
    }
}

impl<T> Form<Option<Id<T>>> for Ref<T> {
    fn write<S: Serializer>(value: &Option<Id<T>>, to: S) -> Result<S::Ok, S::Error> {
        <super::Nullable<Ref<T>> as Form<_>>::write(value, to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Id<T>>, D::Error> {
        <super::Nullable<Ref<T>> as Form<_>>::read(from)
    }
}

impl<T> Form<Ref<T>> for Ref<T> {
    fn write<S: Serializer>(value: &Ref<T>, to: S) -> Result<S::Ok, S::Error> {
        <Ref<T> as Form<Option<Id<T>>>>::write(&value.get(), to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Ref<T>, D::Error> {
        <Ref<T> as Form<Option<Id<T>>>>::read(from).map(Ref::new)
    }
}

macro_rules! enums {
    ($($cell:ident),*) => {$(
        impl<E: Serialize + DeserializeOwned> Form<E> for $cell<E> {
            fn write<S: Serializer>(value: &E, to: S) -> Result<S::Ok, S::Error> {
                value.serialize(to)
            }

            fn read<'de, D: Deserializer<'de>>(from: D) -> Result<E, D::Error> {
                E::deserialize(from)
            }
        }

        impl<E: cell::Enumeration + Serialize + DeserializeOwned> Form<$cell<E>> for $cell<E> {
            fn write<S: Serializer>(value: &$cell<E>, to: S) -> Result<S::Ok, S::Error> {
                value.get().serialize(to)
            }

            fn read<'de, D: Deserializer<'de>>(from: D) -> Result<$cell<E>, D::Error> {
                E::deserialize(from).map($cell::new)
            }
        }
    )*};
}
enums!(Enum, Enum16);

/// A value alone is written as its cell says: records of a game's own may hold it and derive serde's traits.
macro_rules! serde_of_values {
    ($($value:ident),*) => {$(
        impl Form<value::$value> for value::$value {
            fn write<S: Serializer>(value: &value::$value, to: S) -> Result<S::Ok, S::Error> {
                <cell::$value as Form<value::$value>>::write(value, to)
            }

            fn read<'de, D: Deserializer<'de>>(from: D) -> Result<value::$value, D::Error> {
                <cell::$value as Form<value::$value>>::read(from)
            }
        }

        serde_as_form!(value::$value);
    )*};
}
serde_of_values!(Timestamp, Duration, Uuid);
