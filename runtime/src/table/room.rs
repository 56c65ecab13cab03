//! How much room a buffer takes when it has none left.
//!
//! A small buffer doubles: its content is moved, which takes microseconds. A large one must not be moved inside somebody's
//! insert: 500 MB are half a second. So a buffer that outgrows [`MOVED_BYTES_MAX`] takes *addresses* for many times its
//! content. The system gives memory to addresses page by page, when they are written for the first time; what is never
//! written costs nothing. From then on the buffer grows in place, and nothing is copied.
//!
//! ```text
//! up to 64 KiB:   | content | room |                  doubling, moved
//! beyond:         | content | room ...          |     addresses for 1 GiB, of which only the written pages exist
//! beyond 1 GiB:   | content | room ...          |     for 64 GiB
//! beyond 64 GiB:  | content | room ...          |     for 4 TiB
//! ```
//!
//! When even that is used up, the allocator asks the system for more. A block of that size is not copied but mapped
//! elsewhere, which takes 3 us a MiB on Linux: a move is met at 1 GiB, 14 million rows of 76 bytes. (From 16 MiB it would be
//! copied: up to 32 MiB the C library takes blocks from its heap.) A processor has 128 TiB of addresses: they last for
//! 130,000 buffers of more than 64 KiB. Where the system has none to give, the buffer asks for less, and doubles in the
//! end; so it does where addresses are counted as memory (Windows).
//!
//! Content of at least 2 MiB that is written in one go, as a copy, a batch of records or a table of a snapshot is, gets pages of
//! 2 MiB (`cell/huge.rs` says why). Content that comes bit by bit does not: where memory is in pieces, the system makes room
//! for such a page when it is met for the first time, and one insert of ten million took 60 ms.

use crate::cell::huge::{self, HUGE_BYTES};
use std::collections::TryReserveError;
use std::ops::Range;

/// Content of up to this size is moved when its room runs out. Buffers that grow together are moved together: the ids, versions
/// and slots of a table by the same insert, which meets every page of the new places for the first time.
const MOVED_BYTES_MAX: usize = 64 << 10;
/// What a larger buffer takes addresses for: the first of these that is at least twice its content.
const STEPS: [u64; 3] = [1 << 30, 64 << 30, 4 << 40];
/// What is announced is given from the memory that the allocator has already, up to this size.
const ANNOUNCED_BYTES_MAX: usize = 32 << 20;
/// What is written in one go and grows bit by bit afterwards is given from that memory up to this size: it is moved once more,
/// which takes 0.2 ms at most. Memory from the system is met page by page, 0.5 us each: of ten thousand rows of 76 bytes, which
/// take 30 ns each to make, that were 10.
const AT_ONCE_BYTES_MAX: usize = 1 << 20;
/// Whether addresses cost nothing until they are written.
const ARE_ADDRESSES_FREE: bool = cfg!(all(unix, target_pointer_width = "64"));
/// The smallest unit in which systems give memory.
const PAGE_BYTES: usize = 4096;

/// Makes room for `additional` bytes more.
#[inline]
pub(super) fn make(bytes: &mut Vec<u8>, additional: usize) {
    if additional > bytes.capacity() - bytes.len() {
        extend(bytes, additional);
    }
}

#[cold]
fn extend(bytes: &mut Vec<u8>, additional: usize) {
    if !take_addresses(bytes, additional) {
        bytes.reserve(additional);
    }
}

/// Takes addresses for many times the content with `additional` bytes more, if that is large; says whether it has.
fn take_addresses(bytes: &mut Vec<u8>, additional: usize) -> bool {
    let needed = bytes.len().saturating_add(additional);
    let is_moved = !ARE_ADDRESSES_FREE || needed <= MOVED_BYTES_MAX;
    let least = needed.saturating_mul(2);
    let steps = STEPS.iter().filter_map(|step| usize::try_from(*step).ok());
    let mut room = steps.filter(|room| !is_moved && *room >= least).min().unwrap_or(0);
    while room >= least {
        if bytes.try_reserve_exact(room - bytes.len()).is_ok() {
            return true;
        }
        room /= 4;
    }
    false
}

/// Asks for large pages, all of them, so that the block can still be mapped elsewhere, if `content` bytes are about to be
/// written in one go.
fn ask_for_large_pages(bytes: &mut Vec<u8>, content: usize) {
    if content >= HUGE_BYTES && bytes.capacity() >= HUGE_BYTES {
        huge::ask(bytes);
    }
}

/// Makes room for `capacity` bytes if the system has it, of which `content` will be used at once. A capacity is a wish: it
/// must not end the process.
pub(super) fn wish(bytes: &mut Vec<u8>, capacity: usize, content: usize) {
    if bytes.try_reserve_exact(capacity.saturating_sub(bytes.len())).is_err() {
        tracing::warn!(
            bytes = capacity,
            "the system has no room for this capacity; the buffer will grow as it is filled"
        );
    }
    ask_for_large_pages(bytes, content);
}

/// Makes room for `len` bytes in all, where that is missing: the `capacity` that another buffer has, or, where the system
/// has no more such addresses to give, just that.
pub(super) fn make_like(bytes: &mut Vec<u8>, len: usize, capacity: usize) {
    if bytes.capacity() < len {
        if bytes.try_reserve_exact(capacity - bytes.len()).is_err() {
            bytes.reserve_exact(len - bytes.len());
        }
        ask_for_large_pages(bytes, len);
    }
}

/// Makes room for `additional` bytes that are announced: for no more than those, unless that would move the content again
/// and again.
///
/// # Errors
/// The system has not so much.
pub(super) fn announce(bytes: &mut Vec<u8>, additional: usize) -> Result<(), TryReserveError> {
    let needed = bytes.len().saturating_add(additional);
    if needed <= bytes.capacity() {
        return Ok(());
    }
    if needed < 2 * bytes.capacity() || needed > ANNOUNCED_BYTES_MAX {
        if !take_addresses(bytes, additional) {
            bytes.try_reserve(additional)?;
        }
    } else {
        bytes.try_reserve_exact(additional)?;
    }
    // What is added to much that is there already may have come bit by bit, and so may what follows.
    if additional >= bytes.len() {
        ask_for_large_pages(bytes, needed);
    }
    Ok(())
}

/// The same for the rows of a batch, which may be one of many: where they are few there is room for as many again afterwards.
///
/// That has a second end. An allocator gives memory back to the system, and has it met anew page by page, when more of it is
/// free than some multiple of the largest block that it has seen (glibc: twice). A table of ten thousand rows of 76 bytes
/// with room for itself alone, its other buffers beside it, is just beyond that: 340 pages of 0.9 us, 32 ns for each row.
///
/// # Errors
/// The system has not so much.
pub(super) fn announce_batch(bytes: &mut Vec<u8>, additional: usize) -> Result<(), TryReserveError> {
    let needed = bytes.len().saturating_add(additional);
    let again = if needed < AT_ONCE_BYTES_MAX && needed > bytes.capacity() { needed } else { 0 };
    announce(bytes, additional + again)
}

/// Makes room for `additional` bytes that are about to be written in one go, though what comes later comes bit by bit: little
/// is taken from the memory that the allocator has already, and moved once more when it grows.
pub(super) fn make_at_once(bytes: &mut Vec<u8>, additional: usize) {
    let needed = bytes.len().saturating_add(additional);
    if needed <= bytes.capacity() {
        return;
    }
    if needed <= AT_ONCE_BYTES_MAX {
        bytes.reserve_exact(additional);
    } else {
        extend(bytes, additional);
        if additional >= bytes.len() {
            ask_for_large_pages(bytes, needed);
        }
    }
}

/// The same for about `additional` bytes, as far as somebody can tell beforehand: where the system has not so much, those who
/// come will find out.
pub(super) fn expect_at_once(bytes: &mut Vec<u8>, additional: usize) {
    let needed = bytes.len().saturating_add(additional);
    if needed <= bytes.capacity() {
        return;
    }
    let is_small = needed <= AT_ONCE_BYTES_MAX;
    if (is_small || !take_addresses(bytes, additional)) && bytes.try_reserve_exact(additional).is_err() {
        return;
    }
    if additional >= bytes.len() {
        ask_for_large_pages(bytes, needed);
    }
}

/// About how much memory the bytes take: their room, or, where that is addresses, the pages that were written.
pub(super) fn held(bytes: &Vec<u8>) -> usize {
    let is_addresses = ARE_ADDRESSES_FREE && bytes.capacity() / 2 > bytes.len().max(ANNOUNCED_BYTES_MAX);
    if is_addresses { bytes.len().next_multiple_of(PAGE_BYTES) } else { bytes.capacity() }
}

/// Has the system give the memory for `range`, which lies behind the content, as far as there is room for it.
pub(super) fn prefault(bytes: &mut Vec<u8>, range: Range<usize>) {
    let len = bytes.len();
    let room = bytes.spare_capacity_mut();
    let end = range.end.saturating_sub(len).min(room.len());
    let start = range.start.saturating_sub(len).min(end);
    room[start..end].iter_mut().step_by(PAGE_BYTES).for_each(|byte| {
        byte.write(0);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_buffer_grows_in_place() {
        let mut bytes = Vec::new();
        let mut moves = 0;
        for _ in 0..2048 {
            let before = bytes.as_ptr();
            make(&mut bytes, 16 << 10);
            bytes.resize(bytes.len() + (16 << 10), 1);
            moves += usize::from(before != bytes.as_ptr());
        }
        // 16 KiB to 64 KiB are three doublings; then there is room for 1 GiB.
        assert!(!ARE_ADDRESSES_FREE || moves <= 5, "{moves} moves on the way to 32 MiB");
        assert!(bytes.iter().all(|byte| *byte == 1));
    }

    #[test]
    fn what_is_written_in_one_go_is_not_moved_while_it_is() {
        for additional in [1000, 300 << 10, 3 << 20] {
            let mut bytes = vec![1; 100];
            make_at_once(&mut bytes, additional);
            let before = bytes.as_ptr();
            bytes.resize(100 + additional, 1);
            make_at_once(&mut bytes, 0);
            assert_eq!(before, bytes.as_ptr(), "{additional}");
            assert!(held(&bytes) < 2 * bytes.len() + PAGE_BYTES, "{} of {additional}", held(&bytes));
        }
    }

    #[test]
    fn addresses_are_not_held() {
        let mut bytes = vec![1; 300 << 10];
        make(&mut bytes, 1);
        assert!(held(&bytes) <= 600 << 10, "{} of {}", held(&bytes), bytes.capacity());
        assert_eq!(held(&Vec::with_capacity(100)), 100);
    }

    #[test]
    fn what_is_announced_is_taken_exactly_and_not_again_and_again() {
        let mut bytes: Vec<u8> = Vec::new();
        announce(&mut bytes, 1000).expect("there is room");
        assert_eq!(bytes.capacity(), 1000);
        bytes.resize(1000, 0);
        announce(&mut bytes, 10).expect("there is room");
        assert!(bytes.capacity() >= 2000);
        announce(&mut bytes, 100_000).expect("there is room");
        announce(&mut bytes, isize::MAX as usize).expect_err("no machine has as much");
        announce_batch(&mut Vec::new(), isize::MAX as usize).expect_err("no machine has as much");
        let mut batch = Vec::new();
        for additional in [isize::MAX as usize, usize::MAX] {
            expect_at_once(&mut batch, additional);
        }
        assert_eq!(batch.capacity(), 0, "an estimate that is wrong ends nothing");
        let mut batch = Vec::new();
        announce_batch(&mut batch, 500).expect("there is room");
        assert_eq!(batch.capacity(), 1000);
        prefault(&mut bytes, 1000..101_000);
        assert_eq!((bytes.len(), bytes.capacity()), (1000, 101_000));
    }
}
