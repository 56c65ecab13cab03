//! A whole record as bytes, on its way into the engine.
//!
//! ```text
//! fixed:  the rows of all column groups, one after another (layout.rs of dbgen-schema); of several records those of a group
//!         lie side by side (chunk.rs)
//! heap:   values of `text`, `bytes` and `list` fields, each starting 8-byte aligned
//! ```
//!
//! A heap cell of an image has [`PENDING`] set in its length: it counts from the start of the image's own heap. A cell
//! without it was copied from a stored record and means "as it is there". The engine moves pending values into the
//! table's heap when the record is written.
//!
//! Encoders note what does not fit (a too long string) instead of failing one by one: all of a record's violations are
//! reported together.

use super::chunk::{CHUNK_RECORDS, Chunk, place};
use super::heap_ref::{Cells, HeapCell, HeapRef};
use crate::error::Rule;
use crate::limits::{HEAP_UNIT_BYTES, HEAP_VALUE_BYTES_MAX};
use dbgen_schema::Value;
use dbgen_schema::layout::GroupLayout;
use std::ops::Range;

/// Set in the length of a heap cell whose value lies in the image's own heap.
pub const PENDING: u32 = 1 << 31;

/// A field that could not be encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Misfit {
    /// The field.
    pub field: usize,
    /// The rule it breaks.
    pub rule: Rule,
    /// What was given.
    pub value: Value,
}

/// What a list's block stands in for while it is built.
#[derive(Debug)]
pub(crate) struct Outer {
    heap: Vec<u8>,
    heap_from: usize,
    in_block: bool,
}

/// A whole record as bytes, or several.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordImage {
    pub(crate) fixed: Vec<u8>,
    pub(crate) heap: Vec<u8>,
    pub(crate) misfits: Vec<Misfit>,
    /// Where in `fixed` the record begins that is being encoded, if its bytes lie together.
    fixed_from: usize,
    /// Whether there is room for a chunk of records, or for one.
    is_chunk: bool,
    /// How many there are.
    records: usize,
    /// How many there are before the one that is being encoded.
    before: usize,
    /// Where in the image of the record that is being encoded the next row begins.
    row_at: usize,
    /// Where in `heap` its values begin.
    heap_from: usize,
    /// `heap` is for now the block of a list that is being built: its cells are final.
    in_block: bool,
}

/// Of a batch, no more records are encoded into one image once their heap values are as long as this.
const BATCH_HEAP_BYTES: usize = 64 << 10;

impl RecordImage {
    /// An empty image.
    pub const fn new() -> RecordImage {
        RecordImage {
            fixed: Vec::new(),
            heap: Vec::new(),
            misfits: Vec::new(),
            fixed_from: 0,
            is_chunk: false,
            records: 0,
            before: 0,
            row_at: 0,
            heap_from: 0,
            in_block: false,
        }
    }

    /// Forgets everything but its allocations.
    #[inline]
    pub fn clear(&mut self) {
        self.fixed.clear();
        self.heap.clear();
        if !self.misfits.is_empty() {
            self.misfits.clear();
        }
        self.is_chunk = false;
        (self.before, self.row_at, self.fixed_from, self.heap_from) = (0, 0, 0, 0);
    }

    /// Forgets everything, and begins the image of one record with so many bytes.
    #[inline(always)]
    pub(crate) fn begin_one(&mut self, image_bytes: usize) {
        // What is there from the record before will be written over.
        if self.fixed.len() != image_bytes {
            self.resize_fixed(image_bytes);
        }
        self.heap.clear();
        if !self.misfits.is_empty() {
            self.misfits.clear();
        }
        self.is_chunk = false;
        (self.before, self.row_at, self.fixed_from, self.heap_from) = (0, 0, 0, 0);
    }

    #[cold]
    #[inline(never)]
    fn resize_fixed(&mut self, bytes: usize) {
        self.fixed.resize(bytes, 0);
    }

    /// Forgets everything, and begins a chunk of records with images of so many bytes, or one record.
    pub(crate) fn begin_chunk(&mut self, records_max: usize, image_bytes: usize) {
        self.is_chunk = records_max > 1;
        // What is there from the chunk before will be written over.
        self.fixed.resize(self.room() * image_bytes, 0);
        self.heap.clear();
        self.misfits.clear();
        (self.records, self.fixed_from) = (0, 0);
    }

    /// Begins the next record of a chunk.
    #[inline]
    pub(crate) fn begin_record(&mut self) {
        self.before = self.records;
        self.records += 1;
        self.row_at = 0;
        self.heap_from = self.heap.len();
    }

    /// Lets the record that is being encoded lie together, as so many zeros for now, until
    /// [`end_whole`](RecordImage::end_whole).
    pub(crate) fn begin_whole(&mut self, image_bytes: usize) {
        self.fixed_from = if self.is_chunk { CHUNK_RECORDS * image_bytes } else { 0 };
        self.fixed.truncate(self.fixed_from);
        self.fixed.resize(self.fixed_from + image_bytes, 0);
    }

    /// Puts the rows of the record where they belong.
    pub(crate) fn end_whole(&mut self, groups: &[GroupLayout]) {
        if !self.is_chunk {
            return;
        }
        let (chunk, record) = self.fixed.split_at_mut(self.fixed_from);
        for group in groups {
            let at = place(groups, CHUNK_RECORDS, self.before, group.image_offset);
            chunk[at..at + group.stride].copy_from_slice(&record[group.image_offset..][..group.stride]);
        }
        self.fixed.truncate(self.fixed_from);
    }

    /// How many records there are.
    #[inline]
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// Records that there is room for.
    #[inline]
    fn room(&self) -> usize {
        if self.is_chunk { CHUNK_RECORDS } else { 1 }
    }

    /// The fixed parts of some of the records.
    #[inline]
    pub(crate) fn chunk<'a>(&'a self, groups: &'a [GroupLayout], records: Range<usize>) -> Chunk<'a> {
        Chunk::new(&self.fixed, groups, self.room(), records)
    }

    /// Where in the fixed part that lies which is at byte `at` of the image of record number `record`.
    pub(crate) fn place(&self, groups: &[GroupLayout], record: usize, at: usize) -> usize {
        place(groups, self.room(), record, at)
    }

    /// Whether the image is that of one record, as bytes that lie together.
    pub(crate) fn is_one(&self) -> bool {
        !self.is_chunk
    }

    /// The fixed part of the record that is being encoded.
    pub(crate) fn record_mut(&mut self) -> &mut [u8] {
        &mut self.fixed[self.fixed_from..]
    }

    /// Whether another record may be encoded behind those that are there.
    #[inline]
    pub(crate) fn takes_another(&self) -> bool {
        self.misfits.is_empty() && self.heap.len() < BATCH_HEAP_BYTES
    }

    /// The row of the next column group, to be written, all of it.
    #[inline]
    pub fn next_group<R: bytemuck::Pod>(&mut self) -> Option<&mut R> {
        let at = self.row_at * self.room() + self.before * size_of::<R>();
        let place = self.fixed.get_mut(at..).and_then(|rest| rest.get_mut(..size_of::<R>()));
        debug_assert!(place.is_some(), "there is room for the row");
        self.row_at += size_of::<R>();
        // Rows are bytes: they lie anywhere.
        place.and_then(|place| bytemuck::try_from_bytes_mut(place).ok())
    }

    /// Puts a value into the image's heap and gives the cell for it.
    pub fn heap_value(&mut self, field: usize, bytes: &[u8]) -> HeapCell {
        if bytes.is_empty() {
            return HeapCell::EMPTY;
        }
        if self.heap.len() - self.heap_from + bytes.len() > HEAP_VALUE_BYTES_MAX {
            self.misfit(field, Rule::TooLong { max: HEAP_VALUE_BYTES_MAX, got: bytes.len() }, Value::Null);
            return HeapCell::EMPTY;
        }
        self.heap.resize(self.heap.len().next_multiple_of(HEAP_UNIT_BYTES), 0);
        // The image's first unit stays empty, so that an offset of 0 always means "none".
        if self.heap.is_empty() {
            self.heap.resize(HEAP_UNIT_BYTES, 0);
        }
        let offset = (self.heap.len() / HEAP_UNIT_BYTES) as u32;
        self.heap.extend_from_slice(bytes);
        let pending = if self.in_block { 0 } else { PENDING };
        HeapCell { offset, len: bytes.len() as u32 | pending }
    }

    /// Lets `block` take the heap's place, for the tails of a list's elements; gives what [`RecordImage::end_block`] wants
    /// back.
    pub(crate) fn begin_block(&mut self, block: Vec<u8>) -> Outer {
        Outer {
            heap: std::mem::replace(&mut self.heap, block),
            heap_from: std::mem::take(&mut self.heap_from),
            in_block: std::mem::replace(&mut self.in_block, true),
        }
    }

    /// Puts the heap back and gives the block.
    pub(crate) fn end_block(&mut self, outer: Outer) -> Vec<u8> {
        self.in_block = outer.in_block;
        self.heap_from = outer.heap_from;
        std::mem::replace(&mut self.heap, outer.heap)
    }

    /// The bytes of a pending cell.
    pub(crate) fn pending(&self, cell: HeapCell) -> &[u8] {
        let start = cell.offset as usize * HEAP_UNIT_BYTES;
        self.heap.get(start..start + (cell.len & !PENDING) as usize).unwrap_or(&[])
    }

    /// The record's cells, of which those that are not pending point into `stored`.
    pub(crate) fn cells<'a>(&'a self, stored: HeapRef<'a>) -> Cells<'a> {
        Cells { fixed: &self.fixed, pending: HeapRef(&self.heap), stored }
    }

    /// Whether `field` could not be encoded.
    #[inline]
    pub(crate) fn is_misfit(&self, field: usize) -> bool {
        self.misfits.iter().any(|misfit| misfit.field == field)
    }

    /// Notes that `field` cannot be encoded.
    #[cold]
    pub fn misfit(&mut self, field: usize, rule: Rule, value: Value) {
        self.misfits.push(Misfit { field, rule, value });
    }
}
