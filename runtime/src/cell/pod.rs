//! The unsafe of the cells: why they may be made of bytes, and be read as bytes.
//!
//! `Zeroable` asks that zeroed memory is a valid value; `Pod` asks further that every bit pattern is, that there is no
//! padding, no interior mutability, and that the type is `Copy + 'static`. Every generic cell here is made of nothing but
//! byte arrays (and other cells), and a `PhantomData<fn() -> T>`, which has size 0, alignment 1 and holds no `T`.
//! Derives prove the same for the cells without parameters; they refuse generic ones.

#![allow(unsafe_code)]

use super::{Array, Enum, Enum16, FixedBytes, List, LongStr, Nulls, Ref, Str, TailedList};
use bytemuck::{Pod, Zeroable};

/// `bytes` as text, if every one of them is ASCII.
///
/// Short names are what games read all day: this costs a nanosecond where the full check costs ten.
#[inline]
pub(super) fn ascii_str(bytes: &[u8]) -> Option<&str> {
    if !bytes.is_ascii() {
        return None;
    }
    // SAFETY: every byte was just seen to be below 128, and each such byte is by itself well-formed UTF-8, so their
    // sequence is. The slice is borrowed shared for the whole life of the result: nobody changes it meanwhile.
    Some(unsafe { std::str::from_utf8_unchecked(bytes) })
}

// The sums of the fields' sizes equal the sizes: no padding. Alignment is 1 because that of every field is.
const _: () = {
    assert!(size_of::<Str<7>>() == 1 + 7 && align_of::<Str<7>>() == 1);
    assert!(size_of::<LongStr<300>>() == 2 + 300 && align_of::<LongStr<300>>() == 1);
    assert!(size_of::<Enum<u64>>() == 1 && align_of::<Enum<u64>>() == 1);
    assert!(size_of::<Enum16<u64>>() == 2 && align_of::<Enum16<u64>>() == 1);
    assert!(size_of::<Ref<u64>>() == 8 && align_of::<Ref<u64>>() == 1);
    assert!(size_of::<List<u64>>() == 8 && align_of::<List<u64>>() == 1);
    assert!(size_of::<TailedList<u64>>() == 8 && align_of::<TailedList<u64>>() == 1);
    assert!(size_of::<FixedBytes<5>>() == 5 && align_of::<FixedBytes<5>>() == 1);
    assert!(size_of::<Nulls<3>>() == 3 && align_of::<Nulls<3>>() == 1);
    assert!(size_of::<Array<Str<2>, 3>>() == 9 && align_of::<Array<Str<2>, 3>>() == 1);
};

// SAFETY: `repr(C)` over `[u8; 1]` and `[u8; N]`: alignment 1, hence no padding, and bytes are valid whatever they are.
// What is not a length or not UTF-8 is dealt with by every reader (`as_bytes` cuts, `as_str` checks).
unsafe impl<const N: usize> Zeroable for Str<N> {}
// SAFETY: as above; `Copy` and `'static` since it has no type parameters.
unsafe impl<const N: usize> Pod for Str<N> {}

// SAFETY: `repr(C)` over `[u8; 2]` and `[u8; N]`: the argument of `Str`.
unsafe impl<const N: usize> Zeroable for LongStr<N> {}
// SAFETY: the argument of `Str`.
unsafe impl<const N: usize> Pod for LongStr<N> {}

// SAFETY: `repr(transparent)` over `[u8; N]`.
unsafe impl<const N: usize> Zeroable for FixedBytes<N> {}
// SAFETY: `repr(transparent)` over `[u8; N]`, which is `Pod`.
unsafe impl<const N: usize> Pod for FixedBytes<N> {}

// SAFETY: `repr(transparent)` over `[u8; BYTES]`.
unsafe impl<const BYTES: usize> Zeroable for Nulls<BYTES> {}
// SAFETY: `repr(transparent)` over `[u8; BYTES]`, which is `Pod`.
unsafe impl<const BYTES: usize> Pod for Nulls<BYTES> {}

// SAFETY: `repr(transparent)` over `[C; N]`: zeroed memory is N zeroed `C`, each valid since `C: Zeroable`.
unsafe impl<C: Zeroable, const N: usize> Zeroable for Array<C, N> {}
// SAFETY: `repr(transparent)` over `[C; N]`: arrays have no padding between elements, and `C: Pod` has none within and
// takes every bit pattern; `'static` follows from `C: Pod`.
unsafe impl<C: Pod, const N: usize> Pod for Array<C, N> {}

// SAFETY: `repr(C)` over `[u8; 1]` and a marker of size 0 and alignment 1. No `E` is stored: a byte that is no variant is
// never taken for one (`get` goes through `E::from_number`).
unsafe impl<E: 'static> Zeroable for Enum<E> {}
// SAFETY: as above; `Copy` for every `E`.
unsafe impl<E: 'static> Pod for Enum<E> {}

// SAFETY: `repr(C)` over `[u8; 2]` and a marker: the argument of `Enum`.
unsafe impl<E: 'static> Zeroable for Enum16<E> {}
// SAFETY: the argument of `Enum`.
unsafe impl<E: 'static> Pod for Enum16<E> {}

// SAFETY: `repr(C)` over `[u8; 8]` and a marker of size 0 and alignment 1. A number that is no id reads as none.
unsafe impl<T: 'static> Zeroable for Ref<T> {}
// SAFETY: as above; `Copy` for every `T`.
unsafe impl<T: 'static> Pod for Ref<T> {}

// SAFETY: `repr(C)` over `[u8; 8]` and a marker of size 0 and alignment 1. A cell that points nowhere reads as an empty
// list.
unsafe impl<C: 'static> Zeroable for List<C> {}
// SAFETY: as above; `Copy` for every `C`.
unsafe impl<C: 'static> Pod for List<C> {}

// SAFETY: the argument of `List`.
unsafe impl<C: 'static> Zeroable for TailedList<C> {}
// SAFETY: the argument of `List`.
unsafe impl<C: 'static> Pod for TailedList<C> {}
