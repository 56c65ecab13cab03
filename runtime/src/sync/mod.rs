//! What publication is made of: the counted pointer that versions live behind, and the cell that names the current one.
//!
//! Their atomics are the standard library's, or loom's, which tries every interleaving of a few threads (`cfg(loom)`, see
//! `tests/loom`): what loom runs is this pointer and this cell, and the engine over them.
//!
//! In a transaction that is alone the writer locks three lines: its own lock, taken and given back, and the place of the
//! root before, to know that no reader is in there. All else that it asks about counts is asked by looking.

mod cell;
mod counted;

pub use cell::{CachedCell, Cell, CellWriter};
pub use counted::Arc;
#[cfg(loom)]
pub use loom::sync::atomic::{AtomicBool, AtomicU64};
#[cfg(loom)]
use loom::{hint::spin_loop, thread::yield_now};
#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicBool, AtomicU64};
#[cfg(not(loom))]
use std::{hint::spin_loop, thread::yield_now};
