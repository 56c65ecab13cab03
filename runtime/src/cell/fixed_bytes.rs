//! `bytes<N>`: exactly N bytes.

use super::ValueCell;
use bytemuck::Pod;
use std::fmt;

/// N bytes, stored in the record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct FixedBytes<const N: usize>([u8; N]);

impl<const N: usize> FixedBytes<N> {
    /// A cell that holds `bytes`.
    #[inline]
    pub const fn new(bytes: [u8; N]) -> Self {
        FixedBytes(bytes)
    }

    /// The bytes it holds.
    #[inline]
    pub const fn get(self) -> [u8; N] {
        self.0
    }

    /// The bytes it holds, in place.
    #[inline]
    pub const fn as_array(&self) -> &[u8; N] {
        &self.0
    }

    /// Replaces the bytes.
    #[inline]
    pub const fn set(&mut self, bytes: [u8; N]) {
        self.0 = bytes;
    }

    /// A cell whose first bytes are those of another, and whose rest is zero: how the payload of a variant is stored in
    /// the room that the longest one needs.
    #[inline]
    pub fn holding<C: Pod>(cell: &C) -> Self {
        const { assert!(size_of::<C>() <= N, "the payload is larger than its room") };
        let mut bytes = [0; N];
        bytes[..size_of::<C>()].copy_from_slice(bytemuck::bytes_of(cell));
        FixedBytes(bytes)
    }

    /// The cell in the first bytes: the inverse of [`FixedBytes::holding`].
    #[inline]
    pub fn held<C: Pod>(&self) -> &C {
        const { assert!(size_of::<C>() <= N && align_of::<C>() == 1, "the payload is larger than its room") };
        bytemuck::from_bytes(&self.0[..size_of::<C>()])
    }
}

impl<const N: usize> ValueCell for FixedBytes<N> {
    type Value = [u8; N];

    #[inline]
    fn pack(value: [u8; N]) -> Self {
        FixedBytes(value)
    }

    #[inline]
    fn unpack(self) -> [u8; N] {
        self.0
    }
}

impl<const N: usize> Default for FixedBytes<N> {
    fn default() -> Self {
        FixedBytes([0; N])
    }
}

impl<const N: usize> From<[u8; N]> for FixedBytes<N> {
    fn from(bytes: [u8; N]) -> Self {
        FixedBytes(bytes)
    }
}

impl<const N: usize> AsRef<[u8]> for FixedBytes<N> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> PartialEq<[u8; N]> for FixedBytes<N> {
    fn eq(&self, other: &[u8; N]) -> bool {
        self.0 == *other
    }
}

/// The bytes in hexadecimal.
impl<const N: usize> fmt::Debug for FixedBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{U16, U32};

    #[test]
    fn a_short_payload_is_followed_by_zeros() {
        let room = FixedBytes::<4>::holding(&U16::new(0x0102));
        assert_eq!(room, [2, 1, 0, 0]);
        assert_eq!(*room.held::<U16>(), 0x0102);
        assert_eq!(*room.held::<U32>(), 0x0102);
        assert_eq!(format!("{room:?}"), "02010000");
    }
}
