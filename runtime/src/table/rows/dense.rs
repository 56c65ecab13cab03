//! Dense rows: a new one comes behind the last, and where one goes, the last takes its place.
//!
//! Room behind the last row may be there already, left by records that were deleted: zeros. Rows of which all is noted since the
//! mark, as those are that have just come, are written without a note, and a few stores each.

use super::{Rows, dense_buffers, slot_entry};
use crate::id::RecordId;
use crate::record::codec::le_u64;
use crate::table::buffer::Buffer;
use crate::table::meta;
use crate::table::version::{GROUPS, IDS, IN_USE, META, SLOT_BYTES, SLOTS, VERSIONS};
use dbgen_schema::layout::GroupLayout;

impl Rows<'_> {
    /// Writes the row behind the last: what [`insert_rows`](Rows::insert_rows) does to many.
    #[inline(always)]
    pub(super) fn append_row(&mut self, row: usize, image: &[u8], version: u64, id: RecordId) {
        if self.journal.has_noted_rows(row, row) {
            self.put_noted_row(row, image, version, id);
        } else {
            self.reborrow().put_new_row(row, image, version, id);
        }
    }

    /// Says how many rows there are, of which it is noted that they may be more or fewer.
    #[inline(always)]
    fn set_noted_count(&mut self, rows: usize) {
        self.buffers[META].overwrite(meta::ROWS * 8, &(rows as u64).to_le_bytes());
    }

    /// Writes a row of which all is noted, the count included.
    #[inline(always)]
    fn put_noted_row(&mut self, row: usize, image: &[u8], version: u64, id: RecordId) {
        debug_assert_eq!(le_u64(&self.buffers[IDS].bytes()[row * 8..]), 0, "only zeros");
        self.buffers[IDS].overwrite(row * 8, &id.get().to_le_bytes());
        self.buffers[VERSIONS].overwrite(row * 8, &version.to_le_bytes());
        let put = |buffer: &mut Buffer, group: &GroupLayout| {
            buffer.overwrite(row * group.stride, &image[group.image_offset..][..group.stride]);
        };
        match self.def.layout.groups.as_slice() {
            [one] => put(&mut self.buffers[GROUPS], one),
            groups => groups.iter().zip(&mut self.buffers[GROUPS..]).for_each(|(group, buffer)| put(buffer, group)),
        }
        self.set_noted_count(row + 1);
    }

    #[inline(never)]
    fn put_new_row(mut self, row: usize, image: &[u8], version: u64, id: RecordId) {
        let def = self.def;
        let had_room = row * 8 < self.buffers[IDS].len();
        self.put_number(IDS, row, id.get());
        self.put_number(VERSIONS, row, version);
        for (at, group) in def.layout.groups.iter().enumerate().filter(|(_, group)| group.stride > 0) {
            self.put_row(GROUPS + at, row, &image[group.image_offset..group.image_offset + group.stride]);
        }
        // A note of room reaches ahead: the next rows may find themselves noted. Where there was none, each is a growth.
        if had_room {
            self.journal.find_noted_rows(dense_buffers(def));
        }
        self.meta().set(meta::ROWS, row as u64 + 1);
    }

    /// Writes a number of a row. Room beyond the last may be there already: zeros.
    #[inline]
    fn put_number(&mut self, buffer: usize, row: usize, number: u64) {
        let (mut buffer, at) = (self.buffer(buffer), row * 8);
        if at < buffer.len() {
            buffer.write_zeros(at, &number.to_le_bytes());
        } else {
            buffer.append(&number.to_le_bytes());
        }
    }

    /// Writes a row. Room beyond the last may be there already: zeros.
    #[inline]
    fn put_row(&mut self, buffer: usize, row: usize, bytes: &[u8]) {
        let (mut buffer, at) = (self.buffer(buffer), row * bytes.len());
        if at < buffer.len() {
            buffer.write_zeros(at, bytes);
        } else {
            buffer.append(bytes);
        }
    }

    /// Writes numbers, one a row, from `row` on. Room beyond the last may be there already: zeros.
    #[inline]
    pub(super) fn put_numbers(&mut self, buffer: usize, row: usize, mut numbers: impl ExactSizeIterator<Item = u64>) {
        let mut buffer = self.buffer(buffer);
        let mut at = row * 8;
        while at < buffer.len() {
            let Some(number) = numbers.next() else { return };
            buffer.write_zeros(at, &number.to_le_bytes());
            at += 8;
        }
        buffer.append_each(numbers);
    }

    /// Writes rows from byte `at` on. Room beyond the last may be there already, left by records that were deleted: zeros.
    pub(super) fn put_rows(&mut self, buffer: usize, at: usize, rows: &[u8]) {
        let mut buffer = self.buffer(buffer);
        let room = buffer.len().saturating_sub(at);
        let (into_room, beyond) = rows.split_at(rows.len().min(room));
        if !into_room.is_empty() {
            buffer.write_zeros(at, into_room);
        }
        if !beyond.is_empty() {
            buffer.append(beyond);
        }
    }

    /// Moves the last row into the one that goes, and zeroes where it was.
    #[inline(always)]
    pub(super) fn remove_row(&mut self, row: usize) {
        let last = self.count() - 1;
        if row != last {
            let moved = le_u64(&self.buffers[IDS].bytes()[last * 8..]);
            // The slot's upper half, generation and mark, stays.
            let slot = moved as u32;
            self.settled.note(slot, slot_entry(row as u32, (moved >> 32) as u32 | IN_USE));
            self.buffer(SLOTS).write(slot as usize * SLOT_BYTES, &(row as u32).to_le_bytes());
        }
        if self.journal.has_noted_rows(row, last) {
            self.close_noted_holes(row, last);
        } else {
            self.reborrow().close_holes(row, last);
        }
    }

    /// Moves the last row into another, of which all is noted, the count included.
    #[inline(always)]
    fn close_noted_holes(&mut self, row: usize, last: usize) {
        self.buffers[IDS].move_row(last, row, 8);
        self.buffers[VERSIONS].move_row(last, row, 8);
        let close = |buffer: &mut Buffer, group: &GroupLayout| buffer.move_row(last, row, group.stride);
        match self.def.layout.groups.as_slice() {
            [one] => close(&mut self.buffers[GROUPS], one),
            groups => groups.iter().zip(&mut self.buffers[GROUPS..]).for_each(|(group, buffer)| close(buffer, group)),
        }
        self.set_noted_count(last);
    }

    #[inline(never)]
    fn close_holes(mut self, row: usize, last: usize) {
        self.close_number_hole(IDS, row, last);
        self.close_number_hole(VERSIONS, row, last);
        let def = self.def;
        for (at, group) in def.layout.groups.iter().enumerate() {
            self.close_hole(GROUPS + at, row, last, group.stride);
        }
        self.meta().set(meta::ROWS, last as u64);
    }

    /// Moves the last row's number into the hole and zeroes where it was.
    #[inline]
    fn close_number_hole(&mut self, buffer: usize, row: usize, last: usize) {
        let mut buffer = self.buffer(buffer);
        if row != last {
            let moved = le_u64(&buffer.bytes()[last * 8..]);
            buffer.write(row * 8, &moved.to_le_bytes());
        }
        buffer.write(last * 8, &[0; 8]);
    }

    /// Moves the last row into the hole and zeroes where it was.
    #[inline]
    fn close_hole(&mut self, buffer: usize, row: usize, last: usize, stride: usize) {
        if stride == 0 {
            return;
        }
        let mut buffer = self.buffer(buffer);
        if row != last {
            buffer.copy_within(last * stride, row * stride, stride);
        }
        match stride {
            // The smallest components: no call for those.
            8 => buffer.write(last * 8, &[0; 8]),
            4 => buffer.write(last * 4, &[0; 4]),
            _ => buffer.edit(last * stride, stride).fill(0),
        }
    }
}
