//! THE table of field types.
//!
//! One row per scalar: its name in a schema, its size in a packed record, the Rust type a getter returns, the cell
//! that stores it, and the numbers it can hold. Parsing, layout, generated code, JSON, OpenAPI and the documentation
//! all read this table; a scalar that is added here exists everywhere.

use crate::model::{CompositeIdx, EnumIdx, TableIdx};

/// A type of fixed width without structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scalar {
    /// Signed, 8 bits.
    I8,
    /// Signed, 16 bits.
    I16,
    /// Signed, 32 bits.
    I32,
    /// Signed, 64 bits.
    I64,
    /// Unsigned, 8 bits.
    U8,
    /// Unsigned, 16 bits.
    U16,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 64 bits.
    U64,
    /// IEEE 754, 32 bits.
    F32,
    /// IEEE 754, 64 bits.
    F64,
    /// One byte, 0 or 1.
    Bool,
    /// Microseconds since 1970-01-01T00:00:00Z, signed 64 bits.
    Timestamp,
    /// Microseconds, signed 64 bits.
    Duration,
    /// 16 bytes, RFC 9562.
    Uuid,
}

/// What a scalar is made of; decides how it is parsed, compared and written as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarKind {
    /// An integer between these bounds, both included.
    Int {
        /// Smallest value.
        min: i128,
        /// Largest value.
        max: i128,
    },
    /// A float of this many bits.
    Float {
        /// 32 or 64.
        bits: u8,
    },
    /// `true` or `false`.
    Bool,
    /// A point in time.
    Timestamp,
    /// A span of time.
    Duration,
    /// A UUID.
    Uuid,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct ScalarDesc {
    /// The scalar this row describes.
    pub scalar: Scalar,
    /// Its name in a schema: `i32`.
    pub name: &'static str,
    /// Bytes in a packed record.
    pub size_bytes: usize,
    /// The Rust type of a record's field and of a getter's result.
    pub rust: &'static str,
    /// The cell in `dbgen_runtime::cell` that stores it.
    pub cell: &'static str,
    /// What it is made of.
    pub kind: ScalarKind,
}

const fn int(
    scalar: Scalar,
    name: &'static str,
    size_bytes: usize,
    cell: &'static str,
    min: i128,
    max: i128,
) -> ScalarDesc {
    ScalarDesc { scalar, name, size_bytes, rust: name, cell, kind: ScalarKind::Int { min, max } }
}

const fn other(
    scalar: Scalar,
    name: &'static str,
    size_bytes: usize,
    rust: &'static str,
    cell: &'static str,
    kind: ScalarKind,
) -> ScalarDesc {
    ScalarDesc { scalar, name, size_bytes, rust, cell, kind }
}

/// The table, in the order of [`Scalar`].
pub const SCALARS: &[ScalarDesc] = &[
    int(Scalar::I8, "i8", 1, "I8", i8::MIN as i128, i8::MAX as i128),
    int(Scalar::I16, "i16", 2, "I16", i16::MIN as i128, i16::MAX as i128),
    int(Scalar::I32, "i32", 4, "I32", i32::MIN as i128, i32::MAX as i128),
    int(Scalar::I64, "i64", 8, "I64", i64::MIN as i128, i64::MAX as i128),
    int(Scalar::U8, "u8", 1, "U8", 0, u8::MAX as i128),
    int(Scalar::U16, "u16", 2, "U16", 0, u16::MAX as i128),
    int(Scalar::U32, "u32", 4, "U32", 0, u32::MAX as i128),
    int(Scalar::U64, "u64", 8, "U64", 0, u64::MAX as i128),
    other(Scalar::F32, "f32", 4, "f32", "F32", ScalarKind::Float { bits: 32 }),
    other(Scalar::F64, "f64", 8, "f64", "F64", ScalarKind::Float { bits: 64 }),
    other(Scalar::Bool, "bool", 1, "bool", "Bool", ScalarKind::Bool),
    other(Scalar::Timestamp, "timestamp", 8, "Timestamp", "Timestamp", ScalarKind::Timestamp),
    other(Scalar::Duration, "duration", 8, "Duration", "Duration", ScalarKind::Duration),
    other(Scalar::Uuid, "uuid", 16, "Uuid", "Uuid", ScalarKind::Uuid),
];

const _: () = {
    let mut i = 0;
    while i < SCALARS.len() {
        assert!(SCALARS[i].scalar as usize == i, "SCALARS stands in the order of the enum");
        i += 1;
    }
};

impl Scalar {
    /// The row of the table for this scalar.
    pub const fn desc(self) -> &'static ScalarDesc {
        &SCALARS[self as usize]
    }

    /// The scalar of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Scalar> {
        SCALARS.iter().find(|desc| desc.name == name).map(|desc| desc.scalar)
    }
}

/// The type of a field, resolved: names have become indices into the [`Schema`](crate::Schema).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Type {
    /// A scalar: `i32`.
    Scalar(Scalar),
    /// `str<N>`: up to N bytes of UTF-8, stored in the record.
    Str(u16),
    /// `bytes<N>`: exactly N bytes, stored in the record.
    FixedBytes(u16),
    /// `text`: UTF-8 of any length, stored in the table's heap.
    Text,
    /// `bytes`: bytes of any length, stored in the table's heap.
    Bytes,
    /// `[T; N]`: N values, stored in the record.
    Array(Box<Type>, u32),
    /// `list<T>`: any number of values, stored in the table's heap.
    List(Box<Type>),
    /// One of the schema's enums.
    Enum(EnumIdx),
    /// One of the schema's composites.
    Composite(CompositeIdx),
    /// `ref<table>`: the id of a record.
    Ref(TableIdx),
}

/// Bytes of the cell that points into the heap: offset u32 in units of 8 bytes, length u32 in bytes.
pub const HEAP_CELL_BYTES: usize = 8;
/// Bytes of a record id in a record.
pub const REF_BYTES: usize = 8;

/// Bytes of the length in front of a `str<N>`.
#[inline]
pub const fn str_length_bytes(n: u16) -> usize {
    if n > 255 { 2 } else { 1 }
}

/// Bytes of the number of an enum with this many variants.
pub const fn enum_tag_bytes(variants: usize) -> usize {
    if variants > 256 { 2 } else { 1 }
}
