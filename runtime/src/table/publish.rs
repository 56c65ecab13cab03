//! The cell through which versions reach readers.
//!
//! [`Published`] is the pointer cell of [`sync`](crate::sync), one decision in one place. A load takes a count on the
//! version and holds nothing of the cell, so a view may be kept for minutes.

use crate::sync::{Arc, AtomicBool, CachedCell, Cell, CellWriter};
use std::sync::atomic::Ordering;

/// A value that one writer replaces and any number of readers load, none of them waiting.
#[derive(Debug)]
pub struct Published<T> {
    cell: Cell<T>,
    /// The writer has something newer that it could not publish yet.
    is_behind: std::sync::Arc<AtomicBool>,
}

/// Publishes values: the only one that does, for all copies of a [`Published`].
#[derive(Debug)]
pub struct Publisher<T>(CellWriter<T>);

impl<T> Publisher<T> {
    /// Publishes `value` and gives the one before.
    #[inline]
    pub fn swap(&mut self, value: Arc<T>) -> Arc<T> {
        self.0.swap(value)
    }

    /// Lets go of values that a reader was just counting when they were replaced.
    #[inline]
    pub fn tidy(&mut self) {
        self.0.tidy();
    }
}

impl<T> Published<T> {
    /// Publishes the first value; gives where it is found, and who publishes the next.
    pub fn new(value: Arc<T>) -> (Published<T>, Publisher<T>) {
        let (cell, writer) = Cell::new(value);
        (Published { cell, is_behind: std::sync::Arc::new(AtomicBool::new(false)) }, Publisher(writer))
    }

    /// The value published last.
    #[inline]
    pub fn load(&self) -> Arc<T> {
        self.cell.load()
    }

    /// Whether the writer has something newer that it could not publish yet, since readers pinned every version.
    #[inline]
    pub fn is_behind(&self) -> bool {
        self.is_behind.load(Ordering::Relaxed)
    }

    /// Says whether the writer has something newer that it cannot publish.
    #[inline]
    pub fn set_behind(&self, is_behind: bool) {
        if self.is_behind() != is_behind {
            self.is_behind.store(is_behind, Ordering::Relaxed);
        }
    }

    /// A handle for a thread that reads often.
    pub fn reader(&self) -> CachedReader<T> {
        CachedReader(self.cell.cached())
    }
}

impl<T> Clone for Published<T> {
    fn clone(&self) -> Self {
        Published { cell: self.cell.clone(), is_behind: self.is_behind.clone() }
    }
}

/// Keeps the value it loaded last: a load is a comparison when nothing new was published. It pins that value until its
/// next load.
pub struct CachedReader<T>(CachedCell<T>);

impl<T> CachedReader<T> {
    /// The value published last.
    #[inline]
    pub fn load(&mut self) -> &Arc<T> {
        self.0.load()
    }
}

impl<T> Clone for CachedReader<T> {
    fn clone(&self) -> Self {
        CachedReader(self.0.clone())
    }
}

impl<T> std::fmt::Debug for CachedReader<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CachedReader")
    }
}
