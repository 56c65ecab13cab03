//! The unsafe of large buffers: asking the system for large pages.
//!
//! A processor finds a byte through a table of pages, of which it remembers some thousand. Random reads of tens of megabytes
//! in pages of 4 KiB miss that memory nearly always; in pages of 2 MiB hardly ever, and a page is met for the first time
//! 512 times less often. Linux gives such pages to memory for which a program asks (`madvise` in
//! `/sys/kernel/mm/transparent_hugepage/enabled`). It is a wish: where it is not granted, nothing but the speed changes.

#![allow(unsafe_code)]

/// Bytes of a large page.
pub(crate) const HUGE_BYTES: usize = 2 << 20;

/// Asks for large pages for the room of `bytes`.
#[cfg(target_os = "linux")]
pub(crate) fn ask(bytes: &mut Vec<u8>) {
    use rustix::mm::{Advice, madvise};
    let room = bytes.as_mut_ptr();
    let page_bytes = page_bytes();
    let end = (room.addr() + bytes.capacity()).next_multiple_of(page_bytes);
    let start = room.addr() / page_bytes * page_bytes;
    if end.saturating_sub(start) < HUGE_BYTES {
        return;
    }
    // SAFETY: this advice changes how the system backs the pages, never what is in them, whether they are mapped, or who may
    // write them; so it is harmless for every byte in the range. Those are the pages of an allocation that is borrowed
    // mutably and hence alive: the first and the last may hold bytes of others, of which the same is true. The system
    // refuses a range that is not mapped, or not in whole pages, and then nothing has happened.
    let asked = unsafe { madvise(room.with_addr(start).cast(), end - start, Advice::LinuxHugepage) };
    if let Err(error) = asked {
        tracing::debug!(%error, "the system has no large pages");
    }
}

/// Bytes of an ordinary page. Asking for them takes a look at what the kernel told the process when it began, which is not
/// to be had under every emulator (valgrind); where all machines have the same there is no need to.
#[cfg(target_os = "linux")]
fn page_bytes() -> usize {
    if cfg!(target_arch = "x86_64") { 4096 } else { rustix::param::page_size() }
}

/// There is nobody to ask on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn ask(_: &mut Vec<u8>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_changes_no_byte_and_hinders_no_growth() {
        let mut bytes: Vec<u8> = Vec::with_capacity(5 * HUGE_BYTES);
        bytes.extend((0..HUGE_BYTES + 100).map(|n| n as u8));
        ask(&mut bytes);
        ask(&mut Vec::new());
        bytes.resize(3 * HUGE_BYTES, 7);
        bytes.reserve_exact(10 * HUGE_BYTES);
        assert!(bytes[..HUGE_BYTES + 100].iter().enumerate().all(|(n, byte)| *byte == n as u8));
        assert!(bytes[HUGE_BYTES + 100..].iter().all(|byte| *byte == 7));
    }
}
