//! One version of a table: its buffers, and how they are read.
//!
//! ```text
//! buffers:  | meta | ids | versions | slots | heap | group 0 | group 1 | ... | index 0 | index 1 | ... | masks |
//!           masks only in tables that own components, see `mask`
//! ids:      row -> record id u64            versions: row -> commit of the last write u64
//! slots:    slot -> | row u32 | generation u32, top bit = in use |
//!           a free slot holds the next free slot + 1 in place of the row, and the generation its next record will have
//! group:    row -> its packed fields, stride bytes each
//! ```
//!
//! Rows are dense: a deletion moves the last row into the hole. Rows beyond the last are zero.

use super::buffer::Buffer;
use super::def::TableDef;
use super::id_runs::{IdRuns, Run};
use super::meta;
use super::settled::Settled;
use crate::cell::ahead::fetch_soon;
use crate::error::{Error, Result};
use crate::id::{GENERATION_MAX, RecordId};
use crate::record::codec::{self, le_u64};
use crate::record::heap_ref::{Cells, HeapCell, HeapRef};
use crate::record::image::PENDING;
use crate::record::plan::CellPlan;
use dbgen_schema::Value;
use dbgen_schema::layout::FieldLayout;

/// Position of the meta buffer.
pub const META: usize = 0;
/// Position of the buffer of record ids.
pub const IDS: usize = 1;
/// Position of the buffer of record versions.
pub const VERSIONS: usize = 2;
/// Position of the slots.
pub const SLOTS: usize = 3;
/// Position of the heap.
pub const HEAP: usize = 4;
/// Position of the first column group.
pub const GROUPS: usize = 5;

/// Bytes of a slot.
pub const SLOT_BYTES: usize = 8;
/// Set in the generation of a slot that holds a record.
pub const IN_USE: u32 = 1 << 31;

const _: () = assert!(GENERATION_MAX < IN_USE);

/// One version of a table. Published ones never change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableVersion {
    /// How many times the table was published, this time included.
    pub(crate) seq: u64,
    pub(crate) buffers: Vec<Buffer>,
    /// What is known of its ids, if it was published.
    pub(super) runs: IdRuns,
    /// Which of its slots need not be asked.
    pub(crate) settled: Settled,
}

impl TableVersion {
    /// An empty table.
    pub fn new(def: &TableDef) -> TableVersion {
        let masks = usize::from(!def.components.is_empty());
        let count = GROUPS + def.layout.groups.len() + def.indexes.len() + masks;
        let mut buffers = Vec::with_capacity(count);
        buffers.resize_with(count, Buffer::default);
        buffers[META] = Buffer::zeroed(meta::size_bytes(def.counters));
        buffers[IDS] = Buffer::with_capacity(def.capacity * 8);
        buffers[VERSIONS] = Buffer::with_capacity(def.capacity * 8);
        buffers[SLOTS] = Buffer::with_capacity(def.capacity * SLOT_BYTES);
        for (at, group) in def.layout.groups.iter().enumerate() {
            buffers[GROUPS + at] = Buffer::with_capacity(def.capacity * group.stride);
        }
        TableVersion { seq: 0, buffers, runs: IdRuns::default(), settled: Settled::default() }
    }

    /// Records.
    #[inline]
    pub fn len(&self) -> usize {
        meta::get(&self.buffers[META], meta::ROWS) as usize
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row of a record, if it exists.
    ///
    /// Most records need no look at their slots ([`Settled`]). Others, if no deletion has moved them, lie in the row of their
    /// slot's number all the same. That is asked with a jump, so that a processor which guesses it right reads the row while
    /// the slot is still on its way, and need not wait for one miss after the other.
    #[inline]
    pub fn row_of(&self, id: RecordId) -> Option<usize> {
        if id.generation() == 1 && self.settled.holds(id.slot()) {
            return Some(id.slot() as usize);
        }
        let at = id.slot() as usize * SLOT_BYTES;
        let slot = le_u64(self.buffers[SLOTS].bytes().get(at..at + SLOT_BYTES)?);
        let unmoved = u64::from(id.generation() | IN_USE) << 32 | u64::from(id.slot());
        if slot == unmoved { Some(id.slot() as usize) } else { row_in(slot, id) }
    }

    /// Has the slot of a record come closer, if it is going to be asked.
    #[inline]
    pub fn fetch_slot_soon(&self, id: RecordId) {
        if id.generation() != 1 || !self.settled.holds(id.slot()) {
            fetch_soon(self.buffers[SLOTS].bytes(), id.slot() as usize * SLOT_BYTES);
        }
    }

    /// Slots, in use or not.
    pub fn slots(&self) -> u32 {
        (self.buffers[SLOTS].len() / SLOT_BYTES) as u32
    }

    /// The row of the record in a slot, if there is one.
    pub fn row_in_slot(&self, slot: u32) -> Option<usize> {
        let at = slot as usize * SLOT_BYTES;
        let entry = le_u64(self.buffers[SLOTS].bytes().get(at..at + SLOT_BYTES)?);
        ((entry >> 32) as u32 & IN_USE != 0).then_some(entry as u32 as usize)
    }

    /// The row of a record, if it exists, as its slot says: for who is going to write that anyway.
    #[inline]
    pub fn row_by_slot(&self, id: RecordId) -> Option<usize> {
        let at = id.slot() as usize * SLOT_BYTES;
        let entry = le_u64(self.buffers[SLOTS].bytes().get(at..at + SLOT_BYTES)?);
        ((entry >> 32) as u32 == id.generation() | IN_USE).then_some(entry as u32 as usize)
    }

    /// Whether the id was good once.
    pub fn is_stale(&self, id: RecordId) -> bool {
        let at = id.slot() as usize * SLOT_BYTES;
        let slot = self.buffers[SLOTS].bytes().get(at..at + SLOT_BYTES).map(le_u64);
        slot.is_some_and(|slot| ((slot >> 32) as u32 & !IN_USE) > id.generation())
    }

    /// The id of the record in a row.
    #[inline]
    pub fn id_at(&self, row: usize) -> Option<RecordId> {
        RecordId::from_u64(le_u64(self.buffers[IDS].bytes().get(row * 8..row * 8 + 8)?))
    }

    /// Which of its rows have ids that follow each other, as far as it was published.
    pub(crate) fn id_runs(&self) -> &[Run] {
        self.runs.of(self.buffers[IDS].bytes().as_chunks().0.get(..self.len()).unwrap_or_default())
    }

    /// The commit that wrote a whole column group last.
    #[inline]
    pub fn watermark(&self) -> u64 {
        meta::get(&self.buffers[META], meta::WATERMARK)
    }

    /// The commit of the last write of a row, be it its own or that of a whole column group.
    #[inline]
    pub fn version_at(&self, row: usize) -> u64 {
        let own = self.buffers[VERSIONS].bytes().get(row * 8..row * 8 + 8).map_or(0, le_u64);
        own.max(self.watermark())
    }

    /// The heap that cells of records point into.
    #[inline]
    pub fn heap(&self) -> HeapRef<'_> {
        HeapRef(self.buffers[HEAP].bytes())
    }

    /// Bytes of all buffers: in use, and held in memory.
    pub fn bytes(&self) -> (usize, usize) {
        self.buffers.iter().fold((0, 0), |(used, held), buffer| (used + buffer.len(), held + buffer.held()))
    }
}

/// The row that a slot names, if its record is `id`. Never inlined: the processor is to jump here, not to wait for what a choice
/// between two numbers gives.
#[inline(never)]
fn row_in(slot: u64, id: RecordId) -> Option<usize> {
    ((slot >> 32) as u32 == id.generation() | IN_USE).then_some(slot as u32 as usize)
}

/// A version of a table with what is known of the table: what both faces read through.
#[derive(Debug, Clone, Copy)]
pub struct TableView<'v> {
    /// The table.
    pub(crate) def: &'v TableDef,
    /// Its version.
    pub(crate) version: &'v TableVersion,
}

impl<'v> TableView<'v> {
    /// The row of a record; an error that names table and id if it does not exist.
    #[inline]
    pub fn row_of(self, id: RecordId) -> Result<usize> {
        match self.version.row_of(id) {
            Some(row) => Ok(row),
            None => Err(self.not_found(id)),
        }
    }

    #[cold]
    fn not_found(self, id: RecordId) -> Error {
        Error::NotFound { table: self.def.name.clone(), id: id.get(), stale: self.version.is_stale(id) }
    }

    /// The rows of a column group, as bytes.
    #[inline]
    pub fn group_bytes(self, group: usize) -> &'v [u8] {
        let len = self.version.len() * self.def.layout.groups[group].stride;
        &self.version.buffers[GROUPS + group].bytes()[..len]
    }

    /// The bytes of index number `index`.
    #[inline]
    pub fn index_bytes(self, index: usize) -> &'v [u8] {
        self.version.buffers[GROUPS + self.def.layout.groups.len() + index].bytes()
    }

    /// The cell of a field of the record in `row`; `None` if it is null.
    #[inline]
    pub fn cell(self, row: usize, field: usize) -> Option<&'v [u8]> {
        self.cell_of(row, self.def.fields[field].at)
    }

    #[inline]
    fn cell_of(self, row: usize, at: FieldLayout) -> Option<&'v [u8]> {
        let stride = self.def.layout.groups[at.group].stride;
        let bytes = &self.version.buffers[GROUPS + at.group].bytes()[row * stride..(row + 1) * stride];
        let null = at.null_bit.is_some_and(|bit| codec::null_bit(bytes, bit));
        (!null).then(|| &bytes[at.offset..at.offset + at.size])
    }

    /// A byte of the cell of a field of the record in `row`, for its cache line.
    #[inline]
    pub(crate) fn glance(self, row: usize, field: usize) -> u8 {
        let at = self.def.fields[field].at;
        let byte = row * self.def.layout.groups[at.group].stride + at.offset;
        self.version.buffers[GROUPS + at.group].bytes().get(byte).copied().unwrap_or(0)
    }

    /// Has the record in `row` come closer: where it begins. Which fields will be wanted is not known, and lines that nobody
    /// wants take as long as others.
    #[inline]
    pub(crate) fn fetch_row_soon(self, row: usize) {
        if let (Some(group), Some(buffer)) = (self.def.layout.groups.first(), self.version.buffers.get(GROUPS)) {
            fetch_soon(buffer.bytes(), row * group.stride);
        }
    }

    /// Appends the record in `row` to `image`, as a record image's fixed part.
    pub fn gather(self, row: usize, image: &mut Vec<u8>) {
        for (at, group) in self.def.layout.groups.iter().enumerate() {
            let start = row * group.stride;
            image.extend_from_slice(&self.version.buffers[GROUPS + at].bytes()[start..start + group.stride]);
        }
    }

    /// The value of a field of the record in `row`.
    #[inline]
    pub fn value(self, row: usize, field: usize) -> Value {
        let field = &self.def.fields[field];
        match self.cell_of(row, field.at) {
            Some(cell) => codec::read(&field.plan, cell, self.version.heap()),
            None => Value::Null,
        }
    }

    /// The value of a field in a record image whose heap cells, as far as they are not pending, point into this version.
    pub fn value_in(self, cells: Cells<'_>, field: usize) -> Value {
        if self.def.is_null(cells.fixed, field) {
            return Value::Null;
        }
        let (plan, cell) = (&self.def.fields[field].plan, self.def.cell(cells.fixed, field));
        let is_block = matches!(plan, CellPlan::Text | CellPlan::Bytes | CellPlan::List { .. });
        let at = HeapCell::from_bytes(if is_block { cell } else { &[0; HeapCell::BYTES] });
        if at.len & PENDING == 0 {
            return codec::read(plan, cell, self.version.heap());
        }
        codec::read(plan, &HeapCell { len: at.len & !PENDING, ..at }.to_bytes(), cells.pending)
    }
}
