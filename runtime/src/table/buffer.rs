//! Byte buffers.
//!
//! Everything a table holds lies in plain `Vec<u8>` buffers, and every change goes through [`BufferMut`], which notes it
//! in the table's [`Journal`].
//!
//! A buffer only ever grows (undo excepted); bytes beyond its logical end do not exist. Offsets given to this module come
//! from the engine, never from outside: a bad one is a bug and panics at the slice.

use super::journal::Journal;
use super::room;
use crate::cell::ahead::fetch_room_soon;
use std::collections::TryReserveError;
use std::ops::Range;

/// A growable run of bytes that belongs to one table version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Buffer {
    pub(super) bytes: Vec<u8>,
}

impl Buffer {
    /// An empty buffer with room for `capacity_bytes`; without, where the system has not so much.
    pub fn with_capacity(capacity_bytes: usize) -> Buffer {
        Buffer::with_room(capacity_bytes, 0)
    }

    /// An empty buffer with room for `capacity` bytes, of which the first `content` will be used at once.
    fn with_room(capacity: usize, content: usize) -> Buffer {
        let mut bytes = Vec::new();
        room::wish(&mut bytes, capacity, content);
        Buffer { bytes }
    }

    /// A buffer of `len` zero bytes.
    pub fn zeroed(len: usize) -> Buffer {
        Buffer { bytes: vec![0; len] }
    }

    /// Makes room for `capacity` bytes, of which `content` are going to be used, and has the system give memory for `range`
    /// of it, which lies behind the content.
    pub(super) fn touch(&mut self, range: Range<usize>, content: usize, capacity: usize) {
        if self.bytes.capacity() < range.end {
            room::wish(&mut self.bytes, capacity, content);
        }
        room::prefault(&mut self.bytes, range);
    }

    /// A buffer of these bytes.
    pub fn of(bytes: Vec<u8>) -> Buffer {
        Buffer { bytes }
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes in use.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes allocated.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Bytes of memory that it takes, about.
    pub fn held(&self) -> usize {
        room::held(&self.bytes)
    }

    /// Bytes for which it has addresses.
    #[cfg(test)]
    pub fn room(&self) -> usize {
        self.bytes.capacity()
    }

    /// All bytes, to be overwritten at will; noted in `journal` as those of buffer `id`.
    pub(super) fn edit_whole(&mut self, journal: &mut Journal, id: u32) -> &mut [u8] {
        journal.note_whole(id, &self.bytes);
        &mut self.bytes
    }

    /// Overwrites bytes of which it is noted that they may change.
    #[inline]
    pub(super) fn overwrite(&mut self, offset: usize, bytes: &[u8]) {
        put(&mut self.bytes[offset..offset + bytes.len()], bytes);
    }

    /// Moves row `from` of `stride` bytes to `to` and zeroes where it was. It is noted of both that they may change.
    #[inline(always)]
    pub(super) fn move_row(&mut self, from: usize, to: usize, stride: usize) {
        match stride {
            8 => self.move_number::<8>(from, to),
            4 => self.move_number::<4>(from, to),
            _ => {
                self.bytes.copy_within(from * stride..(from + 1) * stride, to * stride);
                self.bytes[from * stride..(from + 1) * stride].fill(0);
            }
        }
    }

    #[inline(always)]
    fn move_number<const N: usize>(&mut self, from: usize, to: usize) {
        let (numbers, _) = self.bytes.as_chunks_mut::<N>();
        // In this order: it may be the same row.
        numbers[to] = numbers[from];
        numbers[from] = [0; N];
    }

    /// A copy with the same room to grow.
    pub fn copy(&self) -> Buffer {
        let mut copy = Buffer::with_room(self.bytes.capacity(), self.len());
        copy.bytes.extend_from_slice(&self.bytes);
        copy
    }

    /// Makes room for `additional` bytes more, and has the system give that memory now.
    ///
    /// # Errors
    /// The system has not so much.
    pub fn reserve(&mut self, additional: usize) -> Result<(), TryReserveError> {
        room::announce(&mut self.bytes, additional)?;
        let len = self.bytes.len();
        room::prefault(&mut self.bytes, len..len + additional);
        Ok(())
    }

    /// Has the lines come that so many bytes more are going to lie in.
    pub(super) fn fetch_room_soon(&mut self, additional: usize) {
        fetch_room_soon(&mut self.bytes, 0..additional);
    }

    /// Makes room for `additional` bytes that are about to come.
    pub fn expect(&mut self, additional: usize) {
        // Where there is none they will find out: they may be fewer than was thought.
        room::announce_batch(&mut self.bytes, additional).ok();
    }

    /// Makes room for about so many bytes that are likely to come in one go.
    pub fn expect_at_once(&mut self, additional: usize) {
        room::expect_at_once(&mut self.bytes, additional);
    }

    /// Gives room back that is not used.
    pub fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Takes over all of `from`.
    pub(super) fn copy_whole(&mut self, from: &Buffer) {
        self.bytes.clear();
        room::make_like(&mut self.bytes, from.len(), from.capacity());
        self.bytes.extend_from_slice(&from.bytes);
    }

    /// Takes over `range` of `from`, as far as this buffer already has it; the rest comes with [`Buffer::copy_tail`].
    pub(super) fn copy_range(&mut self, from: &Buffer, range: Range<usize>) {
        let end = range.end.min(self.bytes.len());
        if range.start < end {
            self.bytes[range.start..end].copy_from_slice(&from.bytes[range.start..end]);
        }
    }

    /// Takes over at most `bytes` of what `from` has beyond this buffer's end; says how many.
    pub(super) fn copy_some(&mut self, from: &Buffer, bytes: usize) -> usize {
        let rest = from.bytes.get(self.bytes.len()..).unwrap_or_default();
        let taken = rest.len().min(bytes);
        self.bytes.extend_from_slice(&rest[..taken]);
        taken
    }

    /// Forgets the content, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Takes over what `from` has beyond this buffer's end.
    pub(super) fn copy_tail(&mut self, from: &Buffer) {
        let len = self.bytes.len();
        if len < from.len() {
            // The same room as the source has, so that both copies grow at the same time.
            room::make_like(&mut self.bytes, from.len(), from.capacity());
            self.bytes.extend_from_slice(&from.bytes[len..]);
        }
    }
}

/// Overwrites `range` with as many bytes. Most are numbers: no call for those.
#[inline]
fn put(range: &mut [u8], bytes: &[u8]) {
    if let Ok(number) = <&[u8; 8]>::try_from(bytes) {
        range.copy_from_slice(number);
    } else if let Ok(number) = <&[u8; 4]>::try_from(bytes) {
        range.copy_from_slice(number);
    } else {
        range.copy_from_slice(bytes);
    }
}

/// A buffer being changed, with the journal that notes it.
#[derive(Debug)]
pub struct BufferMut<'a> {
    buffer: &'a mut Buffer,
    journal: &'a mut Journal,
    id: u32,
}

impl<'a> BufferMut<'a> {
    /// Changes `buffer`, number `id` of its table, noting it in `journal`.
    pub fn new(buffer: &'a mut Buffer, journal: &'a mut Journal, id: u32) -> BufferMut<'a> {
        BufferMut { buffer, journal, id }
    }

    /// The same buffer, lent for a shorter while.
    pub fn reborrow(&mut self) -> BufferMut<'_> {
        BufferMut { buffer: self.buffer, journal: self.journal, id: self.id }
    }

    /// The bytes as they are now.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer.bytes
    }

    /// Bytes in use.
    #[inline]
    pub fn len(&self) -> usize {
        self.buffer.bytes.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The `len` bytes at `offset`, to be overwritten. Their before-image is kept.
    #[inline]
    pub fn edit(&mut self, offset: usize, len: usize) -> &mut [u8] {
        self.journal.note_range(self.id, &self.buffer.bytes, offset, len, false);
        &mut self.buffer.bytes[offset..offset + len]
    }

    /// Overwrites bytes at `offset` that are zeros, as all behind them are.
    #[inline]
    pub fn write_zeros(&mut self, offset: usize, bytes: &[u8]) {
        debug_assert!(self.buffer.bytes[offset..].iter().take(bytes.len()).all(|byte| *byte == 0), "only zeros");
        self.journal.note_range(self.id, &self.buffer.bytes, offset, bytes.len(), true);
        put(&mut self.buffer.bytes[offset..offset + bytes.len()], bytes);
    }

    /// Overwrites the bytes at `offset`.
    #[inline]
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        put(self.edit(offset, bytes.len()), bytes);
    }

    /// Overwrites the `len` bytes at `to` with those at `from`.
    #[inline]
    pub fn copy_within(&mut self, from: usize, to: usize, len: usize) {
        self.journal.note_range(self.id, &self.buffer.bytes, to, len, false);
        let bytes = &mut self.buffer.bytes;
        let moved = bytes.get(from..from + len).unwrap_or_default();
        // Columns of a table's own are numbers, and the smallest components are.
        if let Ok(number) = <[u8; 8]>::try_from(moved) {
            bytes[to..to + 8].copy_from_slice(&number);
        } else if let Ok(number) = <[u8; 4]>::try_from(moved) {
            bytes[to..to + 4].copy_from_slice(&number);
        } else {
            bytes.copy_within(from..from + len, to);
        }
    }

    /// Overwrites number `at` of a buffer of u64. Its before-image is kept once until the next mark, however often it
    /// changes.
    #[inline]
    pub fn write_number(&mut self, at: usize, value: u64) {
        if self.journal.keeps_number(at) {
            self.buffer.bytes[at * 8..at * 8 + 8].copy_from_slice(&value.to_le_bytes());
        } else {
            self.write(at * 8, &value.to_le_bytes());
        }
    }

    /// Makes room for `additional` bytes that are about to be written in one go.
    pub fn expect(&mut self, additional: usize) {
        room::make_at_once(&mut self.buffer.bytes, additional);
    }

    /// Has the lines come that bytes `range` behind the end are going to lie in.
    #[inline]
    pub fn fetch_room_soon(&mut self, range: Range<usize>) {
        fetch_room_soon(&mut self.buffer.bytes, range);
    }

    /// Makes the buffer `additional` zero bytes longer.
    pub fn grow(&mut self, additional: usize) {
        let len = self.buffer.bytes.len();
        room::make(&mut self.buffer.bytes, additional);
        self.buffer.bytes.resize(len + additional, 0);
        self.journal.note_growth(self.id, len, additional);
    }

    /// Makes the buffer longer by `bytes`.
    #[inline]
    pub fn append(&mut self, bytes: &[u8]) {
        let len = self.buffer.bytes.len();
        room::make(&mut self.buffer.bytes, bytes.len());
        self.buffer.bytes.extend_from_slice(bytes);
        self.journal.note_growth(self.id, len, bytes.len());
    }

    /// Makes the buffer longer by numbers.
    #[inline]
    pub fn append_each(&mut self, numbers: impl ExactSizeIterator<Item = u64>) {
        let (len, additional) = (self.buffer.bytes.len(), numbers.len() * 8);
        if additional == 0 {
            return;
        }
        room::make(&mut self.buffer.bytes, additional);
        self.buffer.bytes.resize(len + additional, 0);
        let (cells, _) = self.buffer.bytes[len..].as_chunks_mut::<8>();
        cells.iter_mut().zip(numbers).for_each(|(cell, number)| *cell = number.to_le_bytes());
        self.journal.note_growth(self.id, len, additional);
    }

    /// All bytes, to be overwritten at will. The before-image is taken from the published version if nothing has touched
    /// this buffer since, else copied.
    pub fn edit_whole(self) -> &'a mut [u8] {
        self.buffer.edit_whole(self.journal, self.id)
    }
}
