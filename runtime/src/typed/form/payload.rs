//! Enums. One without payloads is the name of its variant; `{"withdraw": …}` is a variant that carries something. In compact
//! formats a plain enum is its number, which is stable, and one with payloads the position of its variant.

use super::{Form, Read};
use crate::cell::{Enumeration, UnknownVariant};
use serde::de::{EnumAccess, Error, VariantAccess, Visitor};
use serde::{Deserializer, Serializer, de};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// What generated code says of an enum with payloads.
pub trait Variants: Sized {
    /// Its name in the schema.
    const NAME: &'static str;
    /// The names of its variants, in the order of the schema.
    const NAMES: &'static [&'static str];

    /// The variant at this position, with what it carries.
    ///
    /// # Errors
    /// Those of the format.
    fn read<'de, A: VariantAccess<'de>>(at: usize, from: A) -> Result<Self, A::Error>;
}

/// Reads an enum with payloads.
///
/// # Errors
/// Those of the format, and names that no variant has.
pub fn read_variants<'de, T: Variants, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_enum(T::NAME, T::NAMES, Whole::<T>(PhantomData))
}

struct Whole<T>(PhantomData<fn() -> T>);

impl<'de, T: Variants> Visitor<'de> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a variant of `{}`", T::NAME)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, from: A) -> Result<T, A::Error> {
        let (at, rest) = from.variant_seed(Name { names: T::NAMES })?;
        T::read(at, rest)
    }
}

/// Takes a name and gives its position among those that may stand there.
pub(super) struct Name {
    pub(super) names: &'static [&'static str],
}

impl<'de> de::DeserializeSeed<'de> for Name {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<usize, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_u64<E: Error>(self, at: u64) -> Result<usize, E> {
        let at = usize::try_from(at).ok().filter(|at| *at < self.names.len());
        at.ok_or_else(|| E::custom("a variant that this version does not know"))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        let at = self.names.iter().position(|known| *known == name);
        at.ok_or_else(|| E::unknown_variant(name, self.names))
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<usize, E> {
        self.visit_str(&String::from_utf8_lossy(name))
    }
}

/// A plain enum: its name, or the number of the variant.
struct Plain<E>(PhantomData<fn() -> E>);

impl<E: Enumeration + FromStr<Err = UnknownVariant>> Visitor<'_> for Plain<E> {
    type Value = E;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a variant of `{}`", E::NAME)
    }

    fn visit_u64<X: Error>(self, number: u64) -> Result<E, X> {
        let variant = u16::try_from(number).ok().and_then(E::from_number);
        variant.ok_or_else(|| X::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_str<X: Error>(self, name: &str) -> Result<E, X> {
        name.parse().map_err(|_| X::unknown_variant(name, E::VARIANTS))
    }
}

/// Writes a plain enum.
///
/// # Errors
/// Those of the format.
pub fn write_plain<E: Enumeration, S: Serializer>(name: &str, value: E, to: S) -> Result<S::Ok, S::Error> {
    if to.is_human_readable() { to.serialize_str(name) } else { to.serialize_u16(value.number()) }
}

/// Reads a plain enum.
///
/// # Errors
/// Those of the format, and what is no variant.
pub fn read_plain<'de, E, D: Deserializer<'de>>(from: D) -> Result<E, D::Error>
where
    E: Enumeration + FromStr<Err = UnknownVariant>,
{
    if from.is_human_readable() {
        from.deserialize_any(Plain::<E>(PhantomData))
    } else {
        from.deserialize_u16(Plain::<E>(PhantomData))
    }
}

/// Reads what a variant carries.
///
/// # Errors
/// Those of the format.
pub fn payload<'de, C: Form<V>, V, A: VariantAccess<'de>>(from: A) -> Result<V, A::Error> {
    from.newtype_variant_seed(Read::<C, V>::new())
}

/// Implements serde's traits for an enum without payloads.
#[doc(hidden)]
#[macro_export]
macro_rules! __serde_enum {
    ($ty:ident) => {
        impl $crate::__private::form::Serialize for $ty {
            fn serialize<S: $crate::__private::form::Serializer>(
                &self,
                to: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::__private::form::write_plain(self.name(), *self, to)
            }
        }

        impl<'de> $crate::__private::form::Deserialize<'de> for $ty {
            fn deserialize<D: $crate::__private::form::Deserializer<'de>>(
                from: D,
            ) -> ::core::result::Result<$ty, D::Error> {
                $crate::__private::form::read_plain(from)
            }
        }
    };
}

/// Implements serde's traits for an enum with payloads.
#[doc(hidden)]
#[macro_export]
macro_rules! __serde_payload {
    ($ty:ident is $name:literal [$($names:literal),*];
     { $($unit_at:literal $unit:ident $unit_name:literal;)* }
     { $($at:literal $variant:ident $variant_name:literal as $cell:ty;)* }) => {
        impl $crate::__private::form::Variants for $ty {
            const NAME: &'static str = $name;
            const NAMES: &'static [&'static str] = &[$($names),*];

            fn read<'de, A: $crate::__private::form::VariantAccess<'de>>(
                at: usize,
                from: A,
            ) -> ::core::result::Result<$ty, A::Error> {
                match at {
                    $($unit_at => from.unit_variant().map(|()| $ty::$unit),)*
                    $($at => $crate::__private::form::payload::<$cell, _, _>(from).map($ty::$variant),)*
                    _ => ::core::result::Result::Err($crate::__private::form::Error::custom("no such variant")),
                }
            }
        }

        impl $crate::__private::form::Serialize for $ty {
            fn serialize<S: $crate::__private::form::Serializer>(
                &self,
                to: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                match self {
                    $($ty::$unit => to.serialize_unit_variant($name, $unit_at, $unit_name),)*
                    $($ty::$variant(value) => to.serialize_newtype_variant(
                        $name,
                        $at,
                        $variant_name,
                        &$crate::__private::form::Written::<$cell, _>::new(value),
                    ),)*
                }
            }
        }

        impl<'de> $crate::__private::form::Deserialize<'de> for $ty {
            fn deserialize<D: $crate::__private::form::Deserializer<'de>>(
                from: D,
            ) -> ::core::result::Result<$ty, D::Error> {
                $crate::__private::form::read_variants(from)
            }
        }
    };
}

/// What rows hold of a type stands for the type.
#[doc(hidden)]
#[macro_export]
macro_rules! __serde_cell {
    ($cell:ident of $ty:ident) => {
        impl $crate::__private::form::Form<$ty> for $cell {
            fn write<S: $crate::__private::form::Serializer>(
                value: &$ty,
                to: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::__private::form::Serialize::serialize(value, to)
            }

            fn read<'de, D: $crate::__private::form::Deserializer<'de>>(
                from: D,
            ) -> ::core::result::Result<$ty, D::Error> {
                $crate::__private::form::Deserialize::deserialize(from)
            }
        }
    };
}
