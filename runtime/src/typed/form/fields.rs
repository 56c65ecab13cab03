//! Structs of named fields: objects in formats for people, their fields in order in compact ones.
//!
//! Reading begins with what stands in a record of which nothing is said, and replaces what is. As on the server, a name that
//! the struct does not have is an error, and so is a field that is left out though the schema has no default for it.

use super::payload::Name;
use super::{Form, Nullable, Read, Written};
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserializer, Serializer, de};
use std::fmt;
use std::marker::PhantomData;

/// What generated code says of a struct.
pub trait Fields: Sized {
    /// Its name in the schema.
    const NAME: &'static str;
    /// The names of its fields, in the order of the schema.
    const NAMES: &'static [&'static str];
    /// For each field whether it may be left out.
    const MAY_MISS: &'static [bool];
    /// Names that may stand there and say nothing: the server adds `_id` and `_version` to a record.
    const SKIPPED: &'static [&'static str];

    /// What stands where nothing is said.
    fn blank() -> Self;

    /// Writes all fields, in order.
    ///
    /// # Errors
    /// Those of the format.
    fn write<S: SerializeStruct>(&self, to: &mut Outgoing<S>) -> Result<(), S::Error>;

    /// Reads the field at this position.
    ///
    /// # Errors
    /// Those of the format, and what is no value of the field's type.
    fn read<'de, I: Incoming<'de>>(&mut self, at: usize, from: &mut I) -> Result<(), I::Error>;
}

/// A struct that is being written.
pub struct Outgoing<S> {
    to: S,
    /// Compact formats have no names, so nothing can be left out.
    is_compact: bool,
}

impl<S: SerializeStruct> Outgoing<S> {
    /// A field.
    ///
    /// # Errors
    /// Those of the format.
    pub fn field<C: Form<V>, V>(&mut self, name: &'static str, value: &V) -> Result<(), S::Error> {
        self.to.serialize_field(name, &Written::<C, V>::new(value))
    }

    /// A field of a patch, if it is given.
    ///
    /// # Errors
    /// Those of the format.
    pub fn given<C: Form<V>, V>(&mut self, name: &'static str, value: &Option<V>) -> Result<(), S::Error> {
        match value {
            Some(value) if !self.is_compact => self.field::<C, V>(name, value),
            None if !self.is_compact => self.to.skip_field(name),
            value => self.field::<Nullable<C>, Option<V>>(name, value),
        }
    }
}

/// Writes a struct.
///
/// # Errors
/// Those of the format.
pub fn write_fields<T: Fields, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    let is_compact = !to.is_human_readable();
    let mut out = Outgoing { to: to.serialize_struct(T::NAME, T::NAMES.len())?, is_compact };
    value.write(&mut out)?;
    out.to.end()
}

/// A struct that is being read: gives the value of one field after the other.
pub trait Incoming<'de> {
    /// What may go wrong.
    type Error: Error;

    /// The value of a field.
    ///
    /// # Errors
    /// Those of the format, and what is no value of the field's type.
    fn field<C: Form<V>, V>(&mut self, into: &mut V) -> Result<(), Self::Error>;

    /// The value of a patch's field.
    ///
    /// # Errors
    /// As for [`Incoming::field`].
    fn given<C: Form<V>, V>(&mut self, into: &mut Option<V>) -> Result<(), Self::Error>;
}

/// Values behind names.
struct Named<A>(A);

impl<'de, A: MapAccess<'de>> Incoming<'de> for Named<A> {
    type Error = A::Error;

    fn field<C: Form<V>, V>(&mut self, into: &mut V) -> Result<(), A::Error> {
        *into = self.0.next_value_seed(Read::<C, V>::new())?;
        Ok(())
    }

    fn given<C: Form<V>, V>(&mut self, into: &mut Option<V>) -> Result<(), A::Error> {
        *into = Some(self.0.next_value_seed(Read::<C, V>::new())?);
        Ok(())
    }
}

/// Values in order.
struct Ordered<A> {
    from: A,
    fields: usize,
}

impl<'de, A: SeqAccess<'de>> Incoming<'de> for Ordered<A> {
    type Error = A::Error;

    fn field<C: Form<V>, V>(&mut self, into: &mut V) -> Result<(), A::Error> {
        let value = self.from.next_element_seed(Read::<C, V>::new())?;
        *into = value.ok_or_else(|| A::Error::invalid_length(self.fields, &"more fields"))?;
        Ok(())
    }

    fn given<C: Form<V>, V>(&mut self, into: &mut Option<V>) -> Result<(), A::Error> {
        self.field::<Nullable<C>, Option<V>>(into)
    }
}

/// Reads a struct.
///
/// # Errors
/// Those of the format; what is no value of a field's type; names that it does not have, and fields that are missing.
pub fn read_fields<'de, T: Fields, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    if from.is_human_readable() {
        from.deserialize_map(Object::<T>(PhantomData))
    } else {
        from.deserialize_struct(T::NAME, T::NAMES, Object::<T>(PhantomData))
    }
}

struct Object<T>(PhantomData<fn() -> T>);

impl<'de, T: Fields> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object, a `{}`", T::NAME)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, from: A) -> Result<T, A::Error> {
        let (mut value, mut from) = (T::blank(), Ordered { from, fields: 0 });
        for at in 0..T::NAMES.len() {
            from.fields = at;
            value.read(at, &mut from)?;
        }
        Ok(value)
    }

    fn visit_map<A: MapAccess<'de>>(self, from: A) -> Result<T, A::Error> {
        let (mut value, mut from) = (T::blank(), Named(from));
        let mut seen = vec![false; T::NAMES.len()];
        while let Some(at) = from.0.next_key_seed(Key::<T>(PhantomData))? {
            let Some(at) = at else {
                from.0.next_value::<IgnoredAny>()?;
                continue;
            };
            if std::mem::replace(&mut seen[at], true) {
                return Err(A::Error::duplicate_field(T::NAMES[at]));
            }
            value.read(at, &mut from)?;
        }
        let missing = (0..seen.len()).find(|at| !seen[*at] && !T::MAY_MISS[*at]);
        missing.map_or(Ok(value), |at| Err(A::Error::missing_field(T::NAMES[at])))
    }
}

/// Takes the name of a field: its position, or nothing for a name that says nothing.
struct Key<T>(PhantomData<fn() -> T>);

impl<'de, T: Fields> de::DeserializeSeed<'de> for Key<T> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<usize>, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl<T: Fields> Visitor<'_> for Key<T> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a field of `{}`", T::NAME)
    }

    fn visit_u64<E: Error>(self, at: u64) -> Result<Option<usize>, E> {
        Name { names: T::NAMES }.visit_u64(at).map(Some)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        if T::SKIPPED.contains(&name) {
            return Ok(None);
        }
        let at = T::NAMES.iter().position(|known| *known == name);
        at.map(Some).ok_or_else(|| E::unknown_field(name, T::NAMES))
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Option<usize>, E> {
        self.visit_str(&String::from_utf8_lossy(name))
    }
}

/// Implements serde's traits for a struct: a record, a patch (`given`), or a composite with the cell that rows hold of it.
#[doc(hidden)]
#[macro_export]
macro_rules! __serde_fields {
    ($ty:ident is $name:literal, skips [$($skipped:literal),*], blank $blank:expr;
     $($how:ident $at:literal $field:ident $key:literal $may_miss:literal as $cell:ty;)*) => {
        impl $crate::__private::form::Fields for $ty {
            const NAME: &'static str = $name;
            const NAMES: &'static [&'static str] = &[$($key),*];
            const MAY_MISS: &'static [bool] = &[$($may_miss),*];
            const SKIPPED: &'static [&'static str] = &[$($skipped),*];

            fn blank() -> $ty {
                $blank
            }

            fn write<S: $crate::__private::form::SerializeStruct>(
                &self,
                to: &mut $crate::__private::form::Outgoing<S>,
            ) -> ::core::result::Result<(), S::Error> {
                $(to.$how::<$cell, _>($key, &self.$field)?;)*
                ::core::result::Result::Ok(())
            }

            fn read<'de, I: $crate::__private::form::Incoming<'de>>(
                &mut self,
                at: usize,
                from: &mut I,
            ) -> ::core::result::Result<(), I::Error> {
                match at {
                    $($at => from.$how::<$cell, _>(&mut self.$field),)*
                    _ => ::core::result::Result::Ok(()),
                }
            }
        }

        impl $crate::__private::form::Serialize for $ty {
            fn serialize<S: $crate::__private::form::Serializer>(
                &self,
                to: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::__private::form::write_fields(self, to)
            }
        }

        impl<'de> $crate::__private::form::Deserialize<'de> for $ty {
            fn deserialize<D: $crate::__private::form::Deserializer<'de>>(
                from: D,
            ) -> ::core::result::Result<$ty, D::Error> {
                $crate::__private::form::read_fields(from)
            }
        }
    };
}
