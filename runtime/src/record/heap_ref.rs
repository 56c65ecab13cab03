//! Following a heap cell to its bytes.
//!
//! ```text
//! cell:   | offset u32, units of 8 bytes | length u32, bytes |       (0, 0) = empty
//! list:   | count u32 | elements, each a cell of its type, packed | tails, each starting 8-byte aligned |
//! ```
//!
//! A cell in a record counts from the start of the table's heap; a cell inside a list's block counts from the start of
//! that block, so a block is self-contained and can be moved or logged as it is.

use super::codec::le_u64;
use super::image::PENDING;
use crate::limits::HEAP_UNIT_BYTES;

/// Where heap cells point into: the table's heap, or the block of the list that holds the cells.
#[derive(Debug, Clone, Copy)]
pub struct HeapRef<'v>(pub &'v [u8]);

impl<'v> HeapRef<'v> {
    /// The bytes that the cell names; empty if it names none, or points outside (a damaged cell harms nobody else).
    #[inline]
    pub fn block(self, cell: HeapCell) -> &'v [u8] {
        let start = cell.offset as usize * HEAP_UNIT_BYTES;
        self.0.get(start..start + cell.len as usize).unwrap_or(&[])
    }
}

/// A heap cell, decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapCell {
    /// Units of 8 bytes from the start.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
}

impl HeapCell {
    /// Bytes of a cell.
    pub const BYTES: usize = dbgen_schema::field_type::HEAP_CELL_BYTES;
    /// The cell of an empty value.
    pub const EMPTY: HeapCell = HeapCell { offset: 0, len: 0 };

    /// Decodes a cell.
    #[inline]
    pub fn from_bytes(bytes: &[u8]) -> HeapCell {
        let word = le_u64(bytes);
        HeapCell { offset: word as u32, len: (word >> 32) as u32 }
    }

    /// Encodes a cell.
    #[inline]
    pub fn to_bytes(self) -> [u8; 8] {
        (self.offset as u64 | (self.len as u64) << 32).to_le_bytes()
    }
}

/// The fixed part of a record, with where the heap cells in it point.
#[derive(Debug, Clone, Copy)]
pub struct Cells<'a> {
    /// The fixed part of its image.
    pub fixed: &'a [u8],
    /// Where cells point that are marked as pending: the image's own heap.
    pub pending: HeapRef<'a>,
    /// Where the others point: the table's heap.
    pub stored: HeapRef<'a>,
}

impl<'a> Cells<'a> {
    /// The cells of a record that is stored.
    pub fn stored(fixed: &'a [u8], heap: HeapRef<'a>) -> Cells<'a> {
        Cells { fixed, pending: HeapRef(&[]), stored: heap }
    }

    /// The bytes that the heap cell at `offset` names.
    pub fn block(self, offset: usize) -> &'a [u8] {
        let cell = HeapCell::from_bytes(&self.fixed[offset..]);
        let len = cell.len & !PENDING;
        if len == cell.len { self.stored.block(cell) } else { self.pending.block(HeapCell { len, ..cell }) }
    }
}
