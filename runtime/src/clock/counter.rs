//! The unsafe of short times: the processor's own counter.
//!
//! Asking the system what time it is reads this counter too, and then makes nanoseconds of it: that is half of the price, and
//! whoever times fifty small things in a row would rather pay it once, for all of them.

#![allow(unsafe_code)]

/// What the processor has counted, if it counts: at one rate on all cores of every processor that is not older than 2008.
#[inline]
pub(super) fn read() -> Option<u64> {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: the instruction takes no address and changes nothing but its two result registers. Every x86-64 processor has
    // it, and Linux, Windows and macOS let programs use it: their own clocks do in the program's stead.
    let count = Some(unsafe { std::arch::x86_64::_rdtsc() });
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let count = None;
    count
}
