//! The bitmap at the head of a row: which nullable fields hold nothing.

use std::fmt;

/// A bit per nullable field, bit 0 of byte 0 first; 1 = null.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Nulls<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> Nulls<BYTES> {
    /// Nothing is null.
    pub const NONE: Self = Nulls([0; BYTES]);

    /// Whether the field of this bit holds nothing.
    #[inline]
    pub const fn is_null(&self, bit: usize) -> bool {
        self.0[bit / 8] & (1 << (bit % 8)) != 0
    }

    /// Says whether the field of this bit holds nothing.
    #[inline]
    pub const fn set(&mut self, bit: usize, null: bool) {
        let mask = 1 << (bit % 8);
        self.0[bit / 8] = if null { self.0[bit / 8] | mask } else { self.0[bit / 8] & !mask };
    }

    /// The same with one bit changed: a row's bitmap is built by a chain of these.
    #[inline]
    #[must_use]
    pub const fn with(mut self, bit: usize, null: bool) -> Self {
        self.set(bit, null);
        self
    }
}

impl<const BYTES: usize> Default for Nulls<BYTES> {
    fn default() -> Self {
        Nulls::NONE
    }
}

impl<const BYTES: usize> fmt::Debug for Nulls<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries((0..BYTES * 8).filter(|bit| self.is_null(*bit))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_count_from_the_first_byte_up() {
        let mut nulls = Nulls::<2>::NONE.with(1, true).with(9, true);
        assert_eq!(bytemuck::bytes_of(&nulls), [0b10, 0b10]);
        nulls.set(1, false);
        assert!(!nulls.is_null(1) && nulls.is_null(9) && !nulls.is_null(8));
        assert_eq!(format!("{nulls:?}"), "{9}");
    }
}
