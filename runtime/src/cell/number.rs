//! Numbers, packed: [`I32`] is an `i32` of alignment 1.
//!
//! Arithmetic between cells, or a cell and its native type, gives the native type; assigning operators store back:
//! `m.pos.x += m.vel.x * dt`. Overflow is what it is for the native type.

use super::ValueCell;
use bytemuck::{Pod, Zeroable};
use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign};

macro_rules! cells {
    ($($(#[$derive:meta])* $cell:ident $native:ident $bytes:literal;)*) => {$(
        #[doc = concat!("An `", stringify!($native), "` of alignment 1.")]
        #[derive(Clone, Copy, Default, Pod, Zeroable)]
        $(#[$derive])*
        #[repr(transparent)]
        pub struct $cell([u8; $bytes]);

        impl $cell {
            /// A cell that holds `value`.
            #[inline]
            pub const fn new(value: $native) -> $cell {
                $cell(value.to_le_bytes())
            }

            /// The value it holds.
            #[inline]
            pub const fn get(self) -> $native {
                $native::from_le_bytes(self.0)
            }

            /// Replaces the value.
            #[inline]
            pub const fn set(&mut self, value: $native) {
                self.0 = value.to_le_bytes();
            }
        }

        impl ValueCell for $cell {
            type Value = $native;

            #[inline]
            fn pack(value: $native) -> $cell {
                $cell::new(value)
            }

            #[inline]
            fn unpack(self) -> $native {
                self.get()
            }
        }

        impl From<$native> for $cell {
            #[inline]
            fn from(value: $native) -> $cell {
                $cell::new(value)
            }
        }

        impl From<$cell> for $native {
            #[inline]
            fn from(cell: $cell) -> $native {
                cell.get()
            }
        }

        impl PartialEq<$native> for $cell {
            #[inline]
            fn eq(&self, other: &$native) -> bool {
                self.get() == *other
            }
        }

        impl PartialOrd<$native> for $cell {
            #[inline]
            fn partial_cmp(&self, other: &$native) -> Option<Ordering> {
                self.get().partial_cmp(other)
            }
        }

        impl fmt::Debug for $cell {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.get(), f)
            }
        }

        impl fmt::Display for $cell {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.get(), f)
            }
        }

        operators!($cell $native: Add add AddAssign add_assign, Sub sub SubAssign sub_assign,
            Mul mul MulAssign mul_assign, Div div DivAssign div_assign, Rem rem RemAssign rem_assign);
    )*};
}

macro_rules! operators {
    ($cell:ident $native:ident: $($op:ident $call:ident $op_assign:ident $call_assign:ident),*) => {$(
        impl $op<$native> for $cell {
            type Output = $native;

            #[inline]
            fn $call(self, other: $native) -> $native {
                self.get().$call(other)
            }
        }

        impl $op for $cell {
            type Output = $native;

            #[inline]
            fn $call(self, other: $cell) -> $native {
                self.get().$call(other.get())
            }
        }

        impl $op<$cell> for $native {
            type Output = $native;

            #[inline]
            fn $call(self, other: $cell) -> $native {
                self.$call(other.get())
            }
        }

        impl $op_assign<$native> for $cell {
            #[inline]
            fn $call_assign(&mut self, other: $native) {
                self.set(self.get().$call(other));
            }
        }

        impl $op_assign for $cell {
            #[inline]
            fn $call_assign(&mut self, other: $cell) {
                self.set(self.get().$call(other.get()));
            }
        }
    )*};
}

macro_rules! total_order {
    ($($cell:ident)*) => {$(
        impl Ord for $cell {
            #[inline]
            fn cmp(&self, other: &$cell) -> Ordering {
                self.get().cmp(&other.get())
            }
        }

        impl PartialOrd for $cell {
            #[inline]
            fn partial_cmp(&self, other: &$cell) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    )*};
}

macro_rules! partial_order {
    ($($cell:ident)*) => {$(
        impl PartialEq for $cell {
            #[inline]
            fn eq(&self, other: &$cell) -> bool {
                self.get() == other.get()
            }
        }

        impl PartialOrd for $cell {
            #[inline]
            fn partial_cmp(&self, other: &$cell) -> Option<Ordering> {
                self.get().partial_cmp(&other.get())
            }
        }
    )*};
}

macro_rules! negation {
    ($($cell:ident $native:ident)*) => {$(
        impl Neg for $cell {
            type Output = $native;

            #[inline]
            fn neg(self) -> $native {
                -self.get()
            }
        }
    )*};
}

cells! {
    #[derive(PartialEq, Eq, Hash)] I8 i8 1;
    #[derive(PartialEq, Eq, Hash)] I16 i16 2;
    #[derive(PartialEq, Eq, Hash)] I32 i32 4;
    #[derive(PartialEq, Eq, Hash)] I64 i64 8;
    #[derive(PartialEq, Eq, Hash)] U8 u8 1;
    #[derive(PartialEq, Eq, Hash)] U16 u16 2;
    #[derive(PartialEq, Eq, Hash)] U32 u32 4;
    #[derive(PartialEq, Eq, Hash)] U64 u64 8;
    F32 f32 4;
    F64 f64 8;
}
total_order!(I8 I16 I32 I64 U8 U16 U32 U64);
partial_order!(F32 F64);
negation!(I8 i8 I16 i16 I32 i32 I64 i64 F32 f32 F64 f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_computes_as_its_native_type() {
        let (mut x, v) = (F32::new(1.0), F32::new(2.0));
        x += v * 0.5;
        assert_eq!(x, 2.0);
        assert_eq!(10.0 - x, 8.0_f32);
        assert_eq!(-x, -2.0);
        let mut hp = I32::new(7);
        hp -= 10;
        assert!(hp < 0 && hp == -3 && hp % 2 == -1);
    }

    #[test]
    fn integers_are_ordered_by_value_and_not_by_bytes() {
        assert!(U16::new(255) < U16::new(256));
        assert!(I64::new(-1) < I64::new(0));
    }

    #[test]
    fn floats_are_compared_as_floats() {
        assert_eq!(F64::new(0.0), F64::new(-0.0));
        assert_ne!(F32::new(f32::NAN), F32::new(f32::NAN));
    }

    #[test]
    fn bytes_are_little_endian_and_unaligned() {
        assert_eq!(bytemuck::bytes_of(&U32::new(0x0102_0304)), [4, 3, 2, 1]);
        assert_eq!(align_of::<F64>(), 1);
        assert_eq!(*bytemuck::from_bytes::<U16>(&[9, 1, 0, 9][1..3]), 1);
    }
}
