//! Changing a table's rows: slots, dense rows (`rows/dense.rs`), heap values, index entries. No rule is checked here; `apply.rs` has done
//! that. Every change goes through [`BufferMut`], so it is undone and published like any other.

mod dense;

use super::buffer::{Buffer, BufferMut};
use super::def::{FieldDef, TableDef};
use super::heap;
use super::index::{IndexMut, Items};
use super::journal::Journal;
use super::meta::{self, Meta};
use super::settled::Settled;
use super::version::{GROUPS, HEAP, IDS, IN_USE, META, SLOT_BYTES, SLOTS, VERSIONS};
use crate::error::{Error, Result};
use crate::id::{GENERATION_MAX, RecordId};
use crate::limits::{HEAP_BYTES_MAX, HEAP_UNIT_BYTES, RECORDS_MAX};
use crate::record::codec::{le_u64, null_bit, set_null_bit};
use crate::record::heap_ref::{Cells, HeapCell, HeapRef};
use crate::record::image::{PENDING, RecordImage};
use crate::record::key::Key;
use std::ops::Range;

/// A table whose rows are being changed.
pub struct Rows<'a> {
    /// The table.
    pub def: &'a TableDef,
    /// The buffers of its back version.
    pub buffers: &'a mut [Buffer],
    /// Where changes are noted.
    pub journal: &'a mut Journal,
    /// Which of its slots need not be asked.
    pub settled: &'a mut Settled,
}

impl<'a> Rows<'a> {
    /// The same rows, lent for a shorter while: who hands these over keeps its own where they are quickest to reach.
    #[inline(always)]
    pub(super) fn reborrow(&mut self) -> Rows<'_> {
        Rows { def: self.def, buffers: self.buffers, journal: self.journal, settled: self.settled }
    }

    /// Buffer number `at`.
    #[inline]
    pub(super) fn buffer(&mut self, at: usize) -> BufferMut<'_> {
        BufferMut::new(&mut self.buffers[at], self.journal, at as u32)
    }

    /// The table's numbers.
    #[inline]
    pub(super) fn meta(&mut self) -> Meta<'_> {
        Meta(self.buffer(META))
    }

    #[inline]
    fn count(&self) -> usize {
        meta::get(&self.buffers[META], meta::ROWS) as usize
    }

    /// Takes slots for so many new records in the rows behind the last, free ones first, and appends their ids to `ids`.
    pub fn take_slots(&mut self, count: usize, ids: &mut Vec<RecordId>) -> Result<()> {
        let row = self.count();
        let mut taken = 0;
        while taken < count && meta::get(&self.buffers[META], meta::FREE_SLOT) != 0 {
            ids.push(self.take_free_slot(row + taken));
            taken += 1;
        }
        let new = count - taken;
        if new > 0 {
            let slot = self.add_slots(row + taken, new)?;
            ids.extend((slot..slot + new as u32).map(|slot| RecordId::new(slot, 1)));
        }
        Ok(())
    }

    /// Adds so many slots, one at least, for records from `row` on; gives the first.
    fn add_slots(&mut self, row: usize, count: usize) -> Result<u32> {
        let slot = meta::get(&self.buffers[META], meta::SLOTS) as usize;
        if slot + count > RECORDS_MAX {
            let table = self.def.name.clone();
            return Err(Error::Full { table, what: "the number of records", limit: RECORDS_MAX });
        }
        self.meta().set(meta::SLOTS, (slot + count) as u64);
        if slot == row {
            self.settled.note_new(slot as u32, count as u32);
        }
        let rows = row as u32..(row + count) as u32;
        self.buffer(SLOTS).append_each(rows.map(|row| slot_entry(row, 1 | IN_USE)));
        Ok(slot as u32)
    }

    /// Takes the first of the free slots for a record in `row`.
    fn take_free_slot(&mut self, row: usize) -> RecordId {
        let slot = meta::get(&self.buffers[META], meta::FREE_SLOT) as u32 - 1;
        let entry = le_u64(&self.buffers[SLOTS].bytes()[slot as usize * SLOT_BYTES..]);
        let generation = (entry >> 32) as u32;
        self.meta().set(meta::FREE_SLOT, u64::from(entry as u32));
        self.write_slot(slot, row as u32, generation | IN_USE);
        RecordId::new(slot, generation)
    }

    /// Takes the slot of a component's owner for a new component in the row behind the last.
    #[inline(always)]
    fn take_owner_slot(&mut self, owner: RecordId, row: usize) -> RecordId {
        let end = (owner.slot() as usize + 1) * SLOT_BYTES;
        let missing = end.saturating_sub(self.buffers[SLOTS].len());
        if missing > 0 {
            self.reborrow().add_owner_slots(missing, owner);
        }
        self.write_slot(owner.slot(), row as u32, owner.generation() | IN_USE);
        owner
    }

    #[cold]
    fn add_owner_slots(mut self, missing: usize, owner: RecordId) {
        self.buffer(SLOTS).grow(missing);
        self.meta().set(meta::SLOTS, u64::from(owner.slot()) + 1);
    }

    #[inline(always)]
    fn write_slot(&mut self, slot: u32, row: u32, generation: u32) {
        let entry = slot_entry(row, generation);
        self.settled.note(slot, entry);
        self.buffer(SLOTS).write(slot as usize * SLOT_BYTES, &entry.to_le_bytes());
    }

    /// Gives the slot of a deleted record back. One whose generations have run out retires: it is never given out again.
    fn release_slot(&mut self, id: RecordId) {
        if self.def.owner.is_some() {
            // The slot is the owner's: a component table gives none out by itself.
            return self.write_slot(id.slot(), 0, 0);
        }
        let generation = id.generation() + 1;
        if generation > GENERATION_MAX {
            self.write_slot(id.slot(), 0, generation);
            return;
        }
        let head = meta::get(&self.buffers[META], meta::FREE_SLOT);
        self.write_slot(id.slot(), head as u32, generation);
        self.meta().set(meta::FREE_SLOT, id.slot() as u64 + 1);
    }

    /// Makes room for so many records that are about to come.
    pub fn expect(&mut self, records: usize) {
        for (at, stride) in row_buffers(self.def) {
            self.buffers[at].expect(records.saturating_mul(stride));
        }
    }

    /// Has the lines come that so many records more are going to lie in.
    pub fn fetch_room_soon(&mut self, records: usize) {
        for (at, stride) in row_buffers(self.def) {
            self.buffers[at].fetch_room_soon(records.saturating_mul(stride));
        }
    }

    /// Makes room for about so many bytes of heap values that are about to come.
    pub fn expect_heap(&mut self, additional: usize) {
        self.buffers[HEAP].expect_at_once(additional);
    }

    /// That there is room for the heap values of an image, and for so many records more: what comes then does not fail.
    pub fn check_room(&self, image: &RecordImage, records: usize) -> Result<()> {
        check_room(self.def, self.buffers, image, records)
    }

    /// Adds a record. Its image must obey every rule; pending heap values are moved into the heap, and the image's cells
    /// name them there afterwards.
    /// A component takes the id of its owner.
    pub fn insert(&mut self, image: &mut RecordImage, version: u64, owner: Option<RecordId>) -> Result<RecordId> {
        let id = self.insert_row(image, version, owner)?;
        for at in 0..self.def.indexes.len() {
            self.index_insert(at, &image.fixed, id);
        }
        Ok(id)
    }

    /// The same, but for the indexes.
    fn insert_row(&mut self, image: &mut RecordImage, version: u64, owner: Option<RecordId>) -> Result<RecordId> {
        let id = match owner {
            Some(owner) => self.take_owner_slot(owner, self.count()),
            None => self.take_slot()?,
        };
        for field in &self.def.heap_fields {
            self.store_pending(*field, image)?;
        }
        self.append_row(self.count(), &image.fixed, version, id);
        Ok(id)
    }

    /// Adds a component without heap values and indexes: what [`insert`](Rows::insert) comes to then.
    #[inline(always)]
    pub fn attach(&mut self, owner: RecordId, image: &[u8], version: u64) {
        let row = self.count();
        self.take_owner_slot(owner, row);
        self.append_row(row, image, version, owner);
    }

    /// Takes a slot for a new record in the row behind the last.
    fn take_slot(&mut self) -> Result<RecordId> {
        if meta::get(&self.buffers[META], meta::FREE_SLOT) != 0 {
            return Ok(self.take_free_slot(self.count()));
        }
        Ok(RecordId::new(self.add_slots(self.count(), 1)?, 1))
    }

    /// Adds some of the records of an image, whose slots have been taken; nothing goes into the indexes.
    pub fn insert_rows(
        &mut self,
        image: &mut RecordImage,
        records: Range<usize>,
        version: u64,
        ids: &[RecordId],
    ) -> Result<()> {
        let def = self.def;
        if !def.heap_fields.is_empty() {
            for record in records.clone() {
                for field in &def.heap_fields {
                    self.store_pending_at(*field, image, record)?;
                }
            }
        }
        let row = self.count();
        self.put_numbers(IDS, row, ids.iter().map(|id| id.get()));
        self.put_numbers(VERSIONS, row, ids.iter().map(|_| version));
        let chunk = image.chunk(&def.layout.groups, records);
        for (at, group) in def.layout.groups.iter().enumerate().filter(|(_, group)| group.stride > 0) {
            self.put_rows(GROUPS + at, row * group.stride, chunk.rows(group));
        }
        self.meta().set(meta::ROWS, (row + ids.len()) as u64);
        Ok(())
    }

    /// Removes the record in `row`. `image` is the fixed part of its image.
    pub fn remove(&mut self, row: usize, id: RecordId, image: &[u8]) {
        for at in 0..self.def.indexes.len() {
            self.index_remove(at, image, id);
        }
        let def = self.def;
        def.heap_fields.iter().for_each(|at| self.free_heap(*at, image, None));
        self.release_slot(id);
        self.remove_row(row);
    }

    /// Removes a component without heap values and indexes: what [`remove`](Rows::remove) comes to then.
    #[inline(always)]
    pub fn detach(&mut self, row: usize, owner: RecordId) {
        // The slot is the owner's: a component table gives none out by itself.
        self.write_slot(owner.slot(), 0, 0);
        self.remove_row(row);
    }

    /// Writes number `at` of the table's numbers.
    pub fn set_number(&mut self, at: usize, value: u64) {
        self.meta().set(at, value);
    }

    /// Notes that auto-increment counter `counter` has given `value`.
    pub fn set_counter(&mut self, counter: usize, value: u64) {
        self.meta().set(meta::COUNTERS + counter, value);
    }

    /// A whole column group, to be overwritten at will by commit `version`.
    pub fn group_mut(self, group: usize, version: u64) -> &'a mut [u8] {
        self.group_and_rest(group, version).0
    }

    /// The same for one whose bytes may be anything: those behind the rows become zeros.
    pub fn group_anew(self, group: usize, version: u64) -> &'a mut [u8] {
        let (rows, rest) = self.group_and_rest(group, version);
        rest.fill(0);
        rows
    }

    fn group_and_rest(mut self, group: usize, version: u64) -> (&'a mut [u8], &'a mut [u8]) {
        self.meta().set(meta::WATERMARK, version);
        let len = self.count() * self.def.layout.groups[group].stride;
        let at = GROUPS + group;
        BufferMut::new(&mut self.buffers[at], self.journal, at as u32).edit_whole().split_at_mut(len)
    }

    /// Says which commit overwrote a whole group last.
    pub fn set_watermark(&mut self, version: u64) {
        self.meta().set(meta::WATERMARK, version);
    }

    /// Overwrites a field of a row; `None` = null.
    #[inline(always)]
    pub fn write_field(&mut self, row: usize, field: usize, cell: Option<&[u8]>) {
        let FieldDef { at, row_bytes, .. } = &self.def.fields[field];
        let start = row * row_bytes;
        let mut group = self.buffer(GROUPS + at.group);
        match cell {
            Some(cell) => group.write(start + at.offset, cell),
            None => group.edit(start + at.offset, at.size).fill(0),
        }
        if let Some(bit) = at.null_bit {
            self.write_null_bit(at.group, start, bit, cell.is_none());
        }
    }

    #[inline(never)]
    fn write_null_bit(&mut self, group: usize, start: usize, bit: u32, is_null: bool) {
        let mut group = self.buffer(GROUPS + group);
        if null_bit(&group.bytes()[start..], bit) != is_null {
            set_null_bit(group.edit(start + bit as usize / 8, 1), bit % 8, is_null);
        }
    }

    /// Overwrites rows of a column group from byte `start` on, which commit `version` wrote; `None` if they do not exist.
    pub fn write_run(&mut self, group: usize, start: usize, bytes: &[u8], version: u64) -> Option<()> {
        let end = start.checked_add(bytes.len())?;
        if end > self.count() * self.def.layout.groups[group].stride {
            return None;
        }
        self.meta().set(meta::WATERMARK, version);
        self.buffer(GROUPS + group).write(start, bytes);
        Some(())
    }

    /// Notes the commit that wrote the row last.
    #[inline(always)]
    pub fn touch(&mut self, row: usize, version: u64) {
        // Without a look at what is there: nobody waits for it.
        self.buffer(VERSIONS).write(row * 8, &version.to_le_bytes());
    }

    /// Moves the pending heap values of a field into the heap.
    pub fn store_pending(&mut self, field: usize, image: &mut RecordImage) -> Result<()> {
        self.store_pending_at(field, image, 0)
    }

    /// The same for record number `record` of the image.
    fn store_pending_at(&mut self, field: usize, image: &mut RecordImage, record: usize) -> Result<()> {
        let FieldDef { plan, at, .. } = &self.def.fields[field];
        let offset = image.place(&self.def.layout.groups, record, at.image_offset);
        if plan.is_heap_cell() {
            return self.store_cell(offset, image);
        }
        let mut cells = Vec::new();
        plan.heap_cells(&image.fixed, offset, &mut |offset| cells.push(offset));
        cells.into_iter().try_for_each(|offset| self.store_cell(offset, image))
    }

    /// Moves a value into the heap if it is pending.
    fn store_cell(&mut self, offset: usize, image: &mut RecordImage) -> Result<()> {
        let cell = HeapCell::from_bytes(&image.fixed[offset..]);
        if cell.len & PENDING != 0 {
            let stored = heap::alloc(self, image.pending(cell))?;
            image.fixed[offset..offset + HeapCell::BYTES].copy_from_slice(&stored.to_bytes());
        }
        Ok(())
    }

    /// Gives the heap blocks of a field back, except those that `kept`, its new image, still names.
    pub fn free_heap(&mut self, field: usize, image: &[u8], kept: Option<&[u8]>) {
        self.free_cells(&self.def.fields[field], image, kept);
    }

    /// The same for a field of the table as it was before an edit.
    pub fn free_cells(&mut self, field: &FieldDef, image: &[u8], kept: Option<&[u8]>) {
        let FieldDef { plan, at, .. } = field;
        let mut keep = Vec::new();
        if let Some(kept) = kept {
            plan.heap_cells(kept, at.image_offset, &mut |offset| keep.push(HeapCell::from_bytes(&kept[offset..])));
        }
        plan.heap_cells(image, at.image_offset, &mut |offset| {
            let cell = HeapCell::from_bytes(&image[offset..]);
            if !keep.contains(&cell) {
                heap::free(self, cell);
            }
        });
    }

    /// Adds the record's key to an index.
    pub fn index_insert(&mut self, index: usize, image: &[u8], id: RecordId) {
        let item = self.item(index, image, id);
        self.index(index).insert(item.bytes());
    }

    /// Adds items that come in ascending order to an index.
    pub fn index_insert_sorted(&mut self, index: usize, items: Items<'_>) {
        self.index(index).insert_sorted(items);
    }

    /// Takes the record's key out of an index. The heap values that are part of it must still be there.
    pub fn index_remove(&mut self, index: usize, image: &[u8], id: RecordId) {
        let item = self.item(index, image, id);
        let removed = self.index(index).remove(item.bytes());
        debug_assert!(removed, "the index `{}` had the key of {id}", self.def.indexes[index].name);
    }

    /// Adds an item to an index.
    pub fn index_insert_item(&mut self, index: usize, item: &[u8]) {
        self.index(index).insert(item);
    }

    /// Takes an item out of an index, if it is there.
    pub fn index_remove_item(&mut self, index: usize, item: &[u8]) {
        self.index(index).remove(item);
    }

    /// Index number `index`.
    fn index(&mut self, index: usize) -> IndexMut<'_> {
        let def = self.def;
        IndexMut::new(self.buffer(index_buffer(def, index)), def.indexes[index].shape)
    }

    /// What an index holds of a stored record.
    pub fn item(&self, index: usize, image: &[u8], id: RecordId) -> Key {
        let mut key = Key::new();
        let cells = Cells::stored(image, HeapRef(self.buffers[HEAP].bytes()));
        self.def.indexes[index].key(cells, &self.def.fields, &mut key);
        key.raw(&id.get().to_be_bytes());
        key
    }
}

/// That there is room in these buffers for the heap values of an image, and for so many records more.
#[inline]
pub fn check_room(def: &TableDef, buffers: &[Buffer], image: &RecordImage, records: usize) -> Result<()> {
    let full = |what, limit| Err(Error::Full { table: def.name.clone(), what, limit });
    // No block is more than half as long again as its value, or than two units.
    let heap_bytes = buffers[HEAP].len() + 2 * image.heap.len() + 2 * HEAP_UNIT_BYTES;
    if heap_bytes > HEAP_BYTES_MAX {
        return full("the heap, in bytes,", HEAP_BYTES_MAX);
    }
    let slots = meta::get(&buffers[META], meta::SLOTS) as usize;
    if slots + records > RECORDS_MAX && meta::get(&buffers[META], meta::FREE_SLOT) == 0 {
        return full("the number of records", RECORDS_MAX);
    }
    Ok(())
}

/// Position of the buffer of index number `index`.
pub fn index_buffer(def: &TableDef, index: usize) -> usize {
    GROUPS + def.layout.groups.len() + index
}

/// The buffers that grow with every record, and by how many bytes.
pub(super) fn row_buffers(def: &TableDef) -> impl Iterator<Item = (usize, usize)> {
    [(SLOTS, SLOT_BYTES)].into_iter().chain(dense_buffers(def))
}

/// The buffers that a row lies in, and how many bytes of it.
fn dense_buffers(def: &TableDef) -> impl Iterator<Item = (usize, usize)> {
    let fixed = [(IDS, 8), (VERSIONS, 8)].into_iter();
    fixed.chain(def.layout.groups.iter().enumerate().map(|(at, group)| (GROUPS + at, group.stride)))
}

#[inline]
fn slot_entry(row_or_next: u32, generation: u32) -> u64 {
    u64::from(generation) << 32 | u64::from(row_or_next)
}

#[cfg(test)]
mod tests;
