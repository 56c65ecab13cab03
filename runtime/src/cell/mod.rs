//! Cells: what a packed record is made of.
//!
//! A row of a table is a `#[repr(C)]` struct of cells. Every cell has alignment 1, so rows lie one after another without
//! padding, `&row.hp` is an ordinary reference, and a buffer of bytes is a slice of rows by a checked cast. Numbers are
//! little-endian; on the machines that games run on, `get` is a plain load.
//!
//! | cell | bytes | holds |
//! |---|---|---|
//! | [`I8`] ... [`U64`], [`F32`], [`F64`], [`Timestamp`], [`Duration`], [`Uuid`] | as the native type | the native type's little-endian bytes |
//! | [`Bool`] | 1 | 0 or 1 |
//! | [`Enum`], [`Enum16`] | 1, 2 | the variant's number |
//! | [`Str<N>`](Str), [`LongStr<N>`](LongStr) | 1 + N, 2 + N | length, UTF-8, zeros |
//! | [`FixedBytes<N>`](FixedBytes) | N | the bytes |
//! | [`Ref<T>`](Ref) | 8 | a record id, 0 = none |
//! | [`Array<C, N>`](Array) | N times C | the elements |
//! | [`Text`], [`Bytes`], [`List<C>`](List), [`TailedList<C>`](TailedList) | 8 | where the value lies in a heap |
//! | [`Nulls<B>`](Nulls) | B | a bit per nullable field, 1 = null |
//!
//! Zeroed memory is a valid value of every cell. What could be invalid in a cell (a string's bytes, an enum's number) is
//! validated where it enters, on insert, update and load; reading never fails, and damaged bytes yield some value of the
//! type. Sizes and layouts are those of `dbgen_schema::layout`.

pub(crate) mod ahead;
mod array;
mod enumeration;
mod fixed_bytes;
mod flag;
mod heap;
pub(crate) mod huge;
mod lanes;
mod nulls;
mod number;
mod packed;
mod pod;
mod reference;
mod string;
mod time;
mod uuid;
pub(crate) mod wide;

pub use array::Array;
// For composites of cells that are written by hand, so that a game depends on the runtime alone.
pub use bytemuck::{self, Pod, Zeroable};
pub use enumeration::{Enum, Enum16, Enumeration, Plain, UnknownVariant};
pub use fixed_bytes::FixedBytes;
pub use flag::Bool;
pub use heap::{Bytes, Elements, ElementsIter, List, Tailed, TailedList, Text};
pub use lanes::Lanes;
pub use nulls::Nulls;
pub use number::{F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
pub use packed::or_zero;
pub use reference::Ref;
pub(crate) use string::word_of;
pub use string::{LongStr, Str};
pub use time::{Duration, Timestamp};
pub use uuid::Uuid;

/// The values that cells of the same names store.
pub mod value {
    pub use super::time::value::{Duration, Timestamp};
    pub use super::uuid::value::{ParseUuidError, Uuid};
}

/// A cell whose value fits into it and is read by copying: everything but strings and what lies in a heap.
pub trait ValueCell: bytemuck::Pod {
    /// What the cell holds.
    type Value: Copy;

    /// A cell that holds `value`.
    fn pack(value: Self::Value) -> Self;

    /// The value it holds.
    fn unpack(self) -> Self::Value;
}
