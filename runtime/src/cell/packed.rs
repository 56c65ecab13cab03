//! What generated code says of its packed structs: where their fields lie, and that they compute like vectors.

use bytemuck::Zeroable;

/// Asserts, when generated code is compiled, that a packed struct lies in memory as the engine lays it out: its size, an
/// alignment of 1, and the offset of every field.
#[doc(hidden)]
#[macro_export]
macro_rules! __layout {
    ($name:ident is $size:literal $(, $field:ident at $offset:literal)* $(,)?) => {
        const _: () = {
            assert!(::core::mem::size_of::<$name>() == $size);
            assert!(::core::mem::align_of::<$name>() == 1);
            $(assert!(::core::mem::offset_of!($name, $field) == $offset);)*
        };
    };
}

/// Arithmetic for a struct of N cells of one number: sums and differences of two, multiples by a number, to and from
/// arrays, flat [lanes](crate::cell::Lanes).
#[doc(hidden)]
#[macro_export]
macro_rules! __vector {
    (signed $native:ident $cell:ident, $count:literal, $name:ident { $($field:ident),* }) => {
        $crate::__vector!(unsigned $native $cell, $count, $name { $($field),* });

        impl ::core::ops::Neg for $name {
            type Output = $name;

            #[inline]
            fn neg(self) -> $name {
                $name { $($field: (-self.$field).into()),* }
            }
        }
    };
    (unsigned $native:ident $cell:ident, $count:literal, $name:ident { $($field:ident),* }) => {
        $crate::__vector!(@with Add add AddAssign add_assign $name { $($field),* });
        $crate::__vector!(@with Sub sub SubAssign sub_assign $name { $($field),* });
        $crate::__vector!(@by $native Mul mul MulAssign mul_assign $name { $($field),* });
        $crate::__vector!(@by $native Div div DivAssign div_assign $name { $($field),* });

        impl $crate::cell::Lanes for $name {
            type Lane = $crate::cell::$cell;
        }

        impl ::core::convert::From<[$native; $count]> for $name {
            #[inline]
            fn from([$($field),*]: [$native; $count]) -> $name {
                $name { $($field: $field.into()),* }
            }
        }

        impl ::core::convert::From<$name> for [$native; $count] {
            #[inline]
            fn from(value: $name) -> [$native; $count] {
                [$(value.$field.get()),*]
            }
        }
    };
    (@with $op:ident $call:ident $op_assign:ident $call_assign:ident $name:ident { $($field:ident),* }) => {
        impl ::core::ops::$op for $name {
            type Output = $name;

            #[inline]
            fn $call(self, other: $name) -> $name {
                $name { $($field: ::core::ops::$op::$call(self.$field, other.$field).into()),* }
            }
        }

        impl ::core::ops::$op_assign for $name {
            #[inline]
            fn $call_assign(&mut self, other: $name) {
                $(::core::ops::$op_assign::$call_assign(&mut self.$field, other.$field);)*
            }
        }
    };
    (@by $native:ident $op:ident $call:ident $op_assign:ident $call_assign:ident $name:ident { $($field:ident),* }) => {
        impl ::core::ops::$op<$native> for $name {
            type Output = $name;

            #[inline]
            fn $call(self, by: $native) -> $name {
                $name { $($field: ::core::ops::$op::$call(self.$field, by).into()),* }
            }
        }

        impl ::core::ops::$op_assign<$native> for $name {
            #[inline]
            fn $call_assign(&mut self, by: $native) {
                $(::core::ops::$op_assign::$call_assign(&mut self.$field, by);)*
            }
        }
    };
}

/// The cell of a value that may be none: zero if it is, so that equal records are equal bytes.
#[inline]
pub fn or_zero<V, C: Zeroable>(value: Option<V>, cell: impl FnOnce(V) -> C) -> C {
    value.map_or_else(C::zeroed, cell)
}

#[cfg(test)]
mod tests {
    use crate::cell::{F32, Lanes, U16};
    use bytemuck::{Pod, Zeroable};

    #[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
    #[repr(C)]
    struct Vec2 {
        x: F32,
        y: F32,
    }
    crate::__layout!(Vec2 is 8, x at 0, y at 4);
    crate::__vector!(signed f32 F32, 2, Vec2 { x, y });

    #[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
    #[repr(C)]
    struct Tile {
        x: U16,
        y: U16,
    }
    crate::__vector!(unsigned u16 U16, 2, Tile { x, y });

    #[test]
    fn a_vector_computes_by_component() {
        let (mut pos, vel) = (Vec2::from([1.0, 2.0]), Vec2::from([10.0, -10.0]));
        pos += vel * 0.5;
        assert_eq!(pos, Vec2::from([6.0, -3.0]));
        assert_eq!(<[f32; 2]>::from(-pos - vel / 2.0), [-11.0, 8.0]);
        assert_eq!(Lanes::as_lanes(&[pos, vel]), [6.0, -3.0, 10.0, -10.0].map(F32::new));
        let mut tile = Tile::from([3, 4]);
        tile *= 2;
        assert_eq!(tile + Tile::from([1, 1]), Tile::from([7, 9]));
    }
}
