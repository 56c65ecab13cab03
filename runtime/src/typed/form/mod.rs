//! Generated types and `serde`: what `derive_serde(true)` of the compiler leans on.
//!
//! A Rust type does not say how its values are written: `[u8; 4]` is `bytes<4>` or four numbers, and a `u64` is a string in
//! JSON, so that readers which keep numbers as doubles lose nothing. The cell does say: [`Form<V>`](Form) is implemented by cells,
//! for the `V` that a record holds where the row holds the cell, and generated code names the cell of every field.
//!
//! In formats for people the result is the JSON of the server (`dbgen_schema::json` has the table), `_id` and `_version` aside;
//! in compact ones numbers are numbers, bytes are bytes, and structs are their fields in order.
//!
//! | file | what |
//! |---|---|
//! | `number` | integers, floats |
//! | `scalar` | truth, times, UUIDs, text, bytes, ids, enums |
//! | `nested` | arrays, lists, what may be null |
//! | `fields` | structs: records, patches, composites |
//! | `payload` | enums whose variants carry something |
//!
//! No derive of serde is involved: one visitor serves all structs, so that asking costs a user's build a fraction of what
//! `#[derive(Serialize, Deserialize)]` on every struct would.

mod fields;
mod nested;
mod number;
mod payload;
mod scalar;

pub use fields::{Fields, Incoming, Outgoing, read_fields, write_fields};
pub use nested::Nullable;
pub use payload::{Variants, payload, read_plain, read_variants, write_plain};
pub use serde::de::{Error, VariantAccess};
pub use serde::ser::SerializeStruct;
pub use serde::{Deserialize, Deserializer, Serialize, Serializer};

use serde::de::DeserializeSeed;
use std::marker::PhantomData;

/// How a value is serialized that a row holds in a cell of this type.
pub trait Form<V> {
    /// Writes it.
    ///
    /// # Errors
    /// Those of the format.
    fn write<S: Serializer>(value: &V, to: S) -> Result<S::Ok, S::Error>;

    /// Reads it.
    ///
    /// # Errors
    /// Those of the format, and what is no value of the type.
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<V, D::Error>;
}

/// A value, to be written as one of a cell `C`.
pub struct Written<'a, C, V>(&'a V, PhantomData<fn() -> C>);

impl<'a, C: Form<V>, V> Written<'a, C, V> {
    /// It, borrowed.
    pub fn new(value: &'a V) -> Self {
        Written(value, PhantomData)
    }
}

impl<C: Form<V>, V> Serialize for Written<'_, C, V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        C::write(self.0, to)
    }
}

/// What reads a value of a cell `C`.
pub struct Read<C, V>(PhantomData<fn() -> (C, V)>);

impl<C: Form<V>, V> Read<C, V> {
    /// A reader.
    #[expect(clippy::new_without_default, reason = "a seed is made where it is used, and nowhere else")]
    pub fn new() -> Self {
        Read(PhantomData)
    }
}

impl<'de, C: Form<V>, V> DeserializeSeed<'de> for Read<C, V> {
    type Value = V;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<V, D::Error> {
        C::read(from)
    }
}

/// `Serialize` and `Deserialize` of what is its own form.
macro_rules! serde_as_form {
    ($($ty:ty),* $(,)?) => {$(
        impl serde::Serialize for $ty {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                <$ty as $crate::typed::form::Form<$ty>>::write(self, to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $ty {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<$ty, D::Error> {
                <$ty as $crate::typed::form::Form<$ty>>::read(from)
            }
        }
    )*};
}

/// A cell that holds a value of another type is written as the value.
macro_rules! form_of_cell {
    ($($cell:ty => $native:ty),* $(,)?) => {$(
        impl Form<$cell> for $cell {
            fn write<S: Serializer>(value: &$cell, to: S) -> Result<S::Ok, S::Error> {
                <$cell as Form<$native>>::write(&value.get(), to)
            }

            fn read<'de, D: Deserializer<'de>>(from: D) -> Result<$cell, D::Error> {
                <$cell as Form<$native>>::read(from).map(<$cell>::new)
            }
        }

        $crate::typed::form::serde_as_form!($cell);
    )*};
}

use {form_of_cell, serde_as_form};
