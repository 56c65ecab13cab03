//! Enums, packed: the number of a variant.

use super::ValueCell;
use std::fmt;
use std::marker::PhantomData;

/// What an enum without payloads must be: records are shown and copied, and it with them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` must be `Debug`, `Clone` and `Copy`: records show and copy it",
    label = "lacks one of them",
    note = "write `#[derive(Debug, Clone, Copy, PartialEq)]` on it"
)]
pub trait Plain: Copy + fmt::Debug {}

#[diagnostic::do_not_recommend]
impl<T: Copy + fmt::Debug> Plain for T {}

/// An enum of a schema whose variants carry no payload. Generated code implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum of a dbgen schema",
    note = "give it `#[derive(dbgen_macros::Enumeration)]`, or declare it under `enums` in the schema"
)]
pub trait Enumeration: Plain + Default + 'static {
    /// Its name in the schema.
    const NAME: &'static str;

    /// The names of its variants, in the order of the schema.
    const VARIANTS: &'static [&'static str];

    /// Bytes of its cell: 1, or 2 where [`Enum16`] stores it.
    const CELL_BYTES: usize;

    /// The variant with this number, if there is one. Numbers may have gaps.
    fn from_number(number: u16) -> Option<Self>;

    /// The number that is stored.
    fn number(self) -> u16;
}

/// A text that names no variant of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVariant {
    /// The enum.
    pub enumeration: &'static str,
    /// The names it has.
    pub variants: &'static [&'static str],
    /// What was given.
    pub given: String,
}

impl UnknownVariant {
    /// `given` names no variant of `E`.
    pub fn new<E: Enumeration>(given: &str) -> UnknownVariant {
        UnknownVariant { enumeration: E::NAME, variants: E::VARIANTS, given: given.to_owned() }
    }
}

impl fmt::Display for UnknownVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a variant of `{}`: expected ", self.given, self.enumeration)?;
        for (at, name) in self.variants.iter().enumerate() {
            let before = match at {
                0 => "",
                _ if at + 1 == self.variants.len() => " or ",
                _ => ", ",
            };
            write!(f, "{before}`{name}`")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownVariant {}

macro_rules! enum_cell {
    ($(#[$doc:meta])* $cell:ident $number:ident $bytes:literal) => {
        $(#[$doc])*
        ///
        /// A number that no variant has, which no write leaves behind, reads as the default variant.
        #[repr(C)]
        pub struct $cell<E> {
            number: [u8; $bytes],
            enumeration: PhantomData<fn() -> E>,
        }

        impl<E: Enumeration> $cell<E> {
            /// A cell that holds `value`.
            #[inline]
            pub fn new(value: E) -> $cell<E> {
                $cell { number: (value.number() as $number).to_le_bytes(), enumeration: PhantomData }
            }

            /// A cell that holds a copy of `value`.
            #[inline]
            pub fn of(value: &E) -> $cell<E> {
                $cell::new(*value)
            }

            /// The value it holds.
            #[inline]
            pub fn get(self) -> E {
                E::from_number($number::from_le_bytes(self.number).into()).unwrap_or_default()
            }

            /// Replaces the value.
            #[inline]
            pub fn set(&mut self, value: E) {
                *self = $cell::new(value);
            }
        }

        impl<E: Enumeration> ValueCell for $cell<E> {
            type Value = E;

            #[inline]
            fn pack(value: E) -> $cell<E> {
                $cell::new(value)
            }

            #[inline]
            fn unpack(self) -> E {
                self.get()
            }
        }

        impl<E> Clone for $cell<E> {
            #[inline]
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<E> Copy for $cell<E> {}

        impl<E: Enumeration> Default for $cell<E> {
            fn default() -> Self {
                $cell::new(E::default())
            }
        }

        impl<E: Enumeration> From<E> for $cell<E> {
            fn from(value: E) -> Self {
                $cell::new(value)
            }
        }

        impl<E> PartialEq for $cell<E> {
            fn eq(&self, other: &Self) -> bool {
                self.number == other.number
            }
        }

        impl<E> Eq for $cell<E> {}

        impl<E: Enumeration + PartialEq> PartialEq<E> for $cell<E> {
            fn eq(&self, other: &E) -> bool {
                self.get() == *other
            }
        }

        impl<E: Enumeration> fmt::Debug for $cell<E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.get(), f)
            }
        }
    };
}

enum_cell! {
    /// An enum in one byte: variants' numbers reach at most 255.
    Enum u8 1
}

enum_cell! {
    /// An enum in two bytes, for more than 256 variants.
    Enum16 u16 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Default)]
    enum Class {
        #[default]
        Warrior = 0,
        Mage = 7,
    }

    impl Enumeration for Class {
        const NAME: &'static str = "Class";
        const VARIANTS: &'static [&'static str] = &["warrior", "mage"];
        const CELL_BYTES: usize = 1;

        fn from_number(number: u16) -> Option<Self> {
            [Class::Warrior, Class::Mage].into_iter().find(|class| class.number() == number)
        }

        fn number(self) -> u16 {
            self as u16
        }
    }

    #[test]
    fn a_number_without_a_variant_reads_as_the_default() {
        let mage = Enum::new(Class::Mage);
        assert_eq!(bytemuck::bytes_of(&mage), [7]);
        assert_eq!(mage, Class::Mage);
        assert_eq!(bytemuck::from_bytes::<Enum<Class>>(&[3]).get(), Class::Warrior);
        assert_eq!(bytemuck::from_bytes::<Enum16<Class>>(&[7, 1]).get(), Class::Warrior);
        assert_eq!(bytemuck::bytes_of(&Enum16::new(Class::Mage)), [7, 0]);
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let mut error = UnknownVariant::new::<Class>("bard");
        assert_eq!(error.to_string(), "`bard` is not a variant of `Class`: expected `warrior` or `mage`");
        error.variants = &["warrior", "mage", "rogue"];
        assert_eq!(error.to_string(), "`bard` is not a variant of `Class`: expected `warrior`, `mage` or `rogue`");
    }
}
