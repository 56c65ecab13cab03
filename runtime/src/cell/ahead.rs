//! The unsafe of looking ahead: telling the processor which lines will be wanted.
//!
//! A load that misses the caches holds up what comes behind it after some hundred instructions. A prefetch is done as soon as
//! it is asked for, so a dozen lines can be on their way at once, whatever the code does meanwhile.

#![allow(unsafe_code)]

use std::ops::Range;

/// Has the processor bring the cache line of byte `at` closer, without waiting for it. Beyond the end nothing happens.
#[inline(always)]
pub(crate) fn fetch_soon(bytes: &[u8], at: usize) {
    let Some(byte) = bytes.get(at) else { return };
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch reads and writes nothing that the program can see, and cannot fault, whatever the address is. This
    // one is that of a byte which is borrowed. Every x86-64 processor has the instruction (SSE).
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(byte).cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    // An ordinary load that nobody waits for.
    std::hint::black_box(*byte);
}

/// The same for the line in which row `at` begins.
#[inline(always)]
pub(crate) fn fetch_row_soon<R>(rows: &[R], at: usize) {
    let Some(row) = rows.get(at) else { return };
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: as above: a prefetch is no access, and the address is that of a row which is borrowed.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(row).cast());
    }
    // What a row holds is not known here, so there is nothing to load.
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    std::hint::black_box(row);
}

/// Has the lines come that bytes `range` behind the end of a list are going to lie in, as far as it has room for them.
#[inline]
pub(crate) fn fetch_room_soon(list: &mut Vec<u8>, range: Range<usize>) {
    const LINE_BYTES: usize = 64;
    let room = list.spare_capacity_mut();
    (range.start..range.end.min(room.len())).step_by(LINE_BYTES).for_each(|at| fetch_row_soon(room, at));
}

#[cfg(test)]
mod tests {
    use super::{fetch_room_soon, fetch_row_soon, fetch_soon};

    #[test]
    fn a_look_ahead_changes_nothing_and_may_go_beyond_the_end() {
        let bytes: Vec<u8> = (0..10_000).map(|n| (n % 251) as u8).collect();
        let before = bytes.clone();
        for at in [0, 1, 4096, bytes.len() - 1, bytes.len(), usize::MAX] {
            fetch_soon(&bytes, at);
        }
        fetch_soon(&[], 0);
        fetch_row_soon(&[[1_u8; 24]; 100], 99);
        fetch_row_soon(&[[1_u8; 24]; 100], 100);
        let mut bytes = bytes;
        bytes.reserve(5000);
        let room = bytes.capacity() - bytes.len();
        for range in [0..0, 0..5000, 100..room + 64, room + 1..room + 2, usize::MAX - 1..usize::MAX] {
            fetch_room_soon(&mut bytes, range);
        }
        assert_eq!(bytes, before);
    }
}
