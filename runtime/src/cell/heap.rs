//! What lies in a heap: a cell says where.
//!
//! ```text
//! | offset u32, in units of 8 bytes | length u32, in bytes |      both 0 = empty
//! ```

use bytemuck::{Pod, Zeroable};
use std::fmt;
use std::marker::PhantomData;

macro_rules! heap_cell {
    ($(#[$doc:meta])* $cell:ident $(<$element:ident>)? { $($marker:ident: $phantom:ty)? }) => {
        impl $(<$element>)? $cell $(<$element>)? {
            /// A cell that points at `len_bytes` bytes, `offset_units` times 8 bytes into the heap.
            #[inline]
            pub const fn new(offset_units: u32, len_bytes: u32) -> Self {
                $cell { offset: offset_units.to_le_bytes(), len: len_bytes.to_le_bytes() $(, $marker: PhantomData)? }
            }

            /// Units of 8 bytes from the start of the heap.
            #[inline]
            pub const fn offset_units(self) -> u32 {
                u32::from_le_bytes(self.offset)
            }

            /// Bytes of the value.
            #[inline]
            pub const fn len_bytes(self) -> u32 {
                u32::from_le_bytes(self.len)
            }

            /// Whether the value is empty.
            #[inline]
            pub const fn is_empty(self) -> bool {
                self.len_bytes() == 0
            }
        }

        impl $(<$element>)? fmt::Debug for $cell $(<$element>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({} bytes at {})", stringify!($cell), self.len_bytes(), self.offset_units())
            }
        }
    };
}

/// Where the UTF-8 of a `text` field lies.
#[derive(Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Text {
    offset: [u8; 4],
    len: [u8; 4],
}
heap_cell!(Text {});

/// Where the bytes of a `bytes` field lie.
#[derive(Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Bytes {
    offset: [u8; 4],
    len: [u8; 4],
}
heap_cell!(Bytes {});

/// Where the elements of a `list<T>` field lie; `C` is the cell of an element.
#[repr(C)]
pub struct List<C> {
    offset: [u8; 4],
    len: [u8; 4],
    element: PhantomData<fn() -> C>,
}
heap_cell!(List<C> { element: PhantomData });

impl<C> Clone for List<C> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for List<C> {}

impl<C> Default for List<C> {
    fn default() -> Self {
        List::new(0, 0)
    }
}

impl<C> PartialEq for List<C> {
    fn eq(&self, other: &Self) -> bool {
        self.offset == other.offset && self.len == other.len
    }
}

impl<C> Eq for List<C> {}
