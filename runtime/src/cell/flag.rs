//! Truth values, packed.

use super::ValueCell;
use bytemuck::{Pod, Zeroable};
use std::fmt;

/// A `bool` in one byte: 0 is false, 1 is true. Any other byte, which no write leaves behind, reads as true.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Bool(u8);

impl Bool {
    /// A cell that holds `value`.
    #[inline]
    pub const fn new(value: bool) -> Bool {
        Bool(value as u8)
    }

    /// The value it holds.
    #[inline]
    pub const fn get(self) -> bool {
        self.0 != 0
    }

    /// Replaces the value.
    #[inline]
    pub const fn set(&mut self, value: bool) {
        self.0 = value as u8;
    }
}

impl ValueCell for Bool {
    type Value = bool;

    #[inline]
    fn pack(value: bool) -> Bool {
        Bool::new(value)
    }

    #[inline]
    fn unpack(self) -> bool {
        self.get()
    }
}

impl From<bool> for Bool {
    fn from(value: bool) -> Bool {
        Bool::new(value)
    }
}

impl From<Bool> for bool {
    fn from(cell: Bool) -> bool {
        cell.get()
    }
}

impl PartialEq<bool> for Bool {
    fn eq(&self, other: &bool) -> bool {
        self.get() == *other
    }
}

impl fmt::Debug for Bool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.get(), f)
    }
}

impl fmt::Display for Bool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.get(), f)
    }
}
