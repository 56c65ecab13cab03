//! Transactions: one at a time, with savepoints, committed or undone as a whole.

use super::Engine;
use crate::error::Result;
use crate::table::writer::Savepoint;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// A moment of a transaction.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The tables that it had touched, with where each stood.
    tables: Vec<(u32, Savepoint)>,
    /// Operations that had been noted for the recording.
    noted: usize,
    /// What was noted for the log.
    redo: usize,
}

/// Which savepoints of the running transaction can be gone back to: one that was itself undone cannot.
#[derive(Debug, Default)]
pub struct Savepoints {
    live: Vec<u64>,
}

impl Savepoints {
    /// Numbers a new one: no other, of any database, has its number.
    pub fn add(&mut self) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.live.push(number);
        number
    }

    /// Forgets those that came after this one; says whether it is there.
    pub fn back_to(&mut self, number: u64) -> bool {
        let at = self.live.iter().position(|live| *live == number);
        if let Some(at) = at {
            self.live.truncate(at + 1);
        }
        at.is_some()
    }

    /// Forgets this one; those that came after it stay.
    pub fn release(&mut self, number: u64) {
        self.live.retain(|live| *live != number);
    }
}

impl Engine {
    /// Begins a transaction. There is one at a time.
    pub fn begin(&mut self) {
        debug_assert!(self.touched.is_empty(), "one transaction at a time");
        self.hooks.reset();
        self.savepoints.live.clear();
        self.tape.begin();
        self.refused = None;
        self.refreshed = false;
    }

    /// Why the running transaction cannot be committed, if so: what a handler refused where there was no result to say so, or
    /// that it is more than the log can take.
    #[inline]
    pub(crate) fn refusal(&mut self) -> Option<crate::error::Error> {
        if self.refused.is_some() {
            return self.refused.take();
        }
        if self.is_untouched() { None } else { self.check_loggable().err() }
    }

    /// Ends the transaction: its changes stay, and become visible with the next publication. One that changed nothing
    /// takes no number.
    pub fn commit(&mut self) {
        if self.is_untouched() && self.tape.is_idle() {
            self.stats.commits += 1;
            return;
        }
        self.note_group();
        self.tape.commit();
        self.settle();
        let mut has_changed = false;
        for at in &self.touched {
            let table = &mut self.tables[*at as usize];
            if table.commit() {
                has_changed = true;
                if !self.dirty.contains(at) {
                    self.dirty.push(*at);
                }
            }
        }
        self.touched.clear();
        self.commit += u64::from(has_changed);
        match has_changed {
            true => self.redo.commit(self.commit),
            false => self.redo.rollback(),
        }
        self.stats.commits += 1;
    }

    /// Whether the running transaction has touched nothing: many systems find nothing to do in most ticks.
    #[inline]
    pub(super) fn is_untouched(&self) -> bool {
        self.touched.is_empty() && !self.given_out && !self.redo.has_lent()
    }

    /// Ends the transaction: every buffer is as it was when it began.
    pub fn rollback(&mut self) {
        self.note_group();
        self.redo.rollback();
        for at in self.touched.drain(..) {
            self.tables[at as usize].rollback();
        }
        self.tape.begin();
        self.stats.rollbacks += 1;
    }

    /// A moment of the running transaction.
    pub fn savepoint(&mut self) -> Moment {
        self.note_group();
        self.settle();
        let tables = self.touched.iter().map(|at| (*at, self.tables[*at as usize].savepoint())).collect();
        Moment { tables, noted: self.tape.noted(), redo: self.redo.mark() }
    }

    /// Does a part of the running transaction whole or not at all: what it did is undone where it fails, and where it panics.
    /// The panic goes on, and whoever catches it inside of the transaction finds nothing half done.
    pub(crate) fn whole<R>(&mut self, part: impl FnOnce(&mut Engine) -> Result<R>) -> Result<R> {
        let moment = self.savepoint();
        let before = self.hooks.begin();
        let done = catch_unwind(AssertUnwindSafe(|| part(self)));
        if matches!(done, Ok(Ok(_))) {
            self.hooks.keep(before);
        } else {
            self.hooks.undo(before);
            self.rollback_to(&moment);
        }
        done.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Undoes what came after `moment`.
    pub fn rollback_to(&mut self, moment: &Moment) {
        self.note_group();
        // What was written to a slice since goes with the rest, and is not logged with what comes next.
        self.settle();
        self.tape.forget_since(moment.noted);
        self.redo.forget_since(moment.redo);
        for at in &self.touched {
            let table = &mut self.tables[*at as usize];
            let known = moment.tables.iter().find(|(table, _)| table == at).map(|(_, savepoint)| *savepoint);
            if let Some(savepoint) = known.or(table.began()) {
                table.rollback_to(savepoint);
            }
        }
    }
}
