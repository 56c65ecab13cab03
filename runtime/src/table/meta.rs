//! The few numbers of a table, kept in a buffer like everything else, so that they are undone and published with it.
//!
//! ```text
//! | rows | slots | free slot + 1 | heap bytes in use | watermark | 48 heads of free heap blocks | counters ... |   u64 each
//! ```

use super::buffer::{Buffer, BufferMut};
use super::heap;

/// Records.
pub const ROWS: usize = 0;
/// Slots ever used.
pub const SLOTS: usize = 1;
/// Head of the list of free slots, plus one; 0 = none.
pub const FREE_SLOT: usize = 2;
/// Bytes of heap blocks in use.
pub const HEAP_USED: usize = 3;
/// The commit that last overwrote a whole column group: no record is older than that.
pub const WATERMARK: usize = 4;
/// The first head of free heap blocks, in units; 0 = none.
pub const HEAP_FREE: usize = 5;
/// The first auto-increment counter: the last number given.
pub const COUNTERS: usize = HEAP_FREE + heap::CLASSES;

/// Bytes of the buffer of a table with this many counters.
pub const fn size_bytes(counters: usize) -> usize {
    (COUNTERS + counters) * 8
}

/// Reads number `at`; 0 if the buffer does not have it.
#[inline]
pub fn get(buffer: &Buffer, at: usize) -> u64 {
    buffer.bytes().get(at * 8..at * 8 + 8).map_or(0, crate::record::codec::le_u64)
}

/// The numbers, being changed.
pub struct Meta<'a>(pub BufferMut<'a>);

impl Meta<'_> {
    /// Reads number `at`.
    #[inline]
    pub fn get(&self, at: usize) -> u64 {
        crate::record::codec::le_u64(&self.0.bytes()[at * 8..])
    }

    /// Writes number `at`.
    #[inline]
    pub fn set(&mut self, at: usize, value: u64) {
        self.0.write_number(at, value);
    }

    /// Adds to number `at`.
    #[inline]
    pub fn add(&mut self, at: usize, by: i64) {
        self.set(at, self.get(at).wrapping_add_signed(by));
    }
}
