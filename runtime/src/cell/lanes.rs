//! Flat lanes: a slice of vector-like values as one slice of numbers, which compilers turn into SIMD instructions.

use bytemuck::Pod;

/// A type that is nothing but N cells of one number type: a `Vec3`, or a column group of such.
///
/// ```
/// use dbgen_runtime::cell::{Array, F32, Lanes};
/// let mut points = [Array::<F32, 3>::new([1.0, 2.0, 3.0]), Array::new([4.0, 5.0, 6.0])];
/// for lane in Lanes::as_lanes_mut(&mut points) {
///     *lane *= 2.0;
/// }
/// assert_eq!(Lanes::as_lanes(&points)[5], 12.0);
/// ```
pub trait Lanes: Pod {
    /// The number's cell.
    type Lane: Pod;

    /// Every number of every value, one after another.
    #[inline]
    fn as_lanes(values: &[Self]) -> &[Self::Lane] {
        const { assert!(is_flat::<Self, Self::Lane>()) };
        bytemuck::cast_slice(values)
    }

    /// Every number of every value, one after another, to be changed.
    #[inline]
    fn as_lanes_mut(values: &mut [Self]) -> &mut [Self::Lane] {
        const { assert!(is_flat::<Self, Self::Lane>()) };
        bytemuck::cast_slice_mut(values)
    }
}

/// Whether a slice of `T` can be cut into `L` without a remainder and without alignment.
const fn is_flat<T, L>() -> bool {
    size_of::<L>() > 0 && size_of::<T>().is_multiple_of(size_of::<L>()) && align_of::<L>() == 1
}

impl<C: Pod, const N: usize> Lanes for super::Array<C, N> {
    type Lane = C;
}
