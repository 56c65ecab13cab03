//! `[T; N]`: N cells, one after another.

use super::ValueCell;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// N cells, stored in the record. It is a slice of them, by `Deref`.
#[derive(Clone, Copy, PartialEq)]
#[repr(transparent)]
pub struct Array<C, const N: usize>([C; N]);

impl<C: ValueCell, const N: usize> Array<C, N> {
    /// A cell that holds `values`.
    #[inline]
    pub fn new(values: [C::Value; N]) -> Self {
        Array::copied(&values)
    }

    /// A cell that holds copies of `values`.
    #[inline]
    pub fn copied(values: &[C::Value; N]) -> Self {
        // `map` would take each value into a register of its own; of a loop the compiler makes one copy.
        let mut cells = [C::zeroed(); N];
        for (cell, value) in cells.iter_mut().zip(values) {
            *cell = C::pack(*value);
        }
        Array(cells)
    }

    /// The values it holds.
    #[inline]
    pub fn get(self) -> [C::Value; N] {
        self.0.map(C::unpack)
    }

    /// Replaces the values.
    #[inline]
    pub fn set(&mut self, values: [C::Value; N]) {
        *self = Array::new(values);
    }
}

impl<C, const N: usize> Array<C, N> {
    /// An array of these cells.
    #[inline]
    pub const fn of(cells: [C; N]) -> Self {
        Array(cells)
    }

    /// The cells.
    #[inline]
    pub const fn as_array(&self) -> &[C; N] {
        &self.0
    }
}

impl<C: ValueCell, const N: usize> ValueCell for Array<C, N> {
    type Value = [C::Value; N];

    #[inline]
    fn pack(value: [C::Value; N]) -> Self {
        Array::new(value)
    }

    #[inline]
    fn unpack(self) -> [C::Value; N] {
        self.get()
    }
}

impl<C: Default, const N: usize> Default for Array<C, N> {
    fn default() -> Self {
        Array(std::array::from_fn(|_| C::default()))
    }
}

impl<C, const N: usize> Deref for Array<C, N> {
    type Target = [C; N];

    #[inline]
    fn deref(&self) -> &[C; N] {
        &self.0
    }
}

impl<C, const N: usize> DerefMut for Array<C, N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [C; N] {
        &mut self.0
    }
}

impl<C: ValueCell, const N: usize> From<[C::Value; N]> for Array<C, N> {
    fn from(values: [C::Value; N]) -> Self {
        Array::new(values)
    }
}

impl<C: fmt::Debug, const N: usize> fmt::Debug for Array<C, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use crate::cell::{Array, U16};

    #[test]
    fn an_array_is_its_cells_without_gaps() {
        let mut bag = Array::<U16, 3>::new([1, 2, 3]);
        bag[1] += 5;
        assert_eq!(bag.get(), [1, 7, 3]);
        assert_eq!(bytemuck::bytes_of(&bag), [1, 0, 7, 0, 3, 0]);
        let nested = Array::<Array<U16, 2>, 2>::new([[1, 2], [3, 4]]);
        assert_eq!(bytemuck::bytes_of(&nested), [1, 0, 2, 0, 3, 0, 4, 0]);
    }
}
