//! Transactions: one at a time, with savepoints, committed or undone as a whole.

use super::Engine;
use crate::error::Result;
use crate::table::writer as table;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// A moment of a transaction.
#[derive(Debug, Clone)]
pub struct Savepoint {
    /// The tables that it had touched, with where each stood.
    tables: Vec<(u32, table::Savepoint)>,
    /// Operations that had been noted for the recording.
    noted: usize,
    /// What was noted for the log.
    redo: usize,
    /// No other, of any database, has it.
    number: u64,
}

/// Which savepoints of the running transaction can be gone back to: one that was itself undone cannot.
#[derive(Debug, Default)]
pub(super) struct Savepoints {
    live: Vec<u64>,
}

impl Savepoints {
    /// Numbers a new one.
    fn add(&mut self) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.live.push(number);
        number
    }

    /// Forgets those that came after this one; says whether it is there.
    fn back_to(&mut self, number: u64) -> bool {
        let at = self.live.iter().position(|live| *live == number);
        if let Some(at) = at {
            self.live.truncate(at + 1);
        }
        at.is_some()
    }

    /// Forgets this one; those that came after it stay.
    fn release(&mut self, number: u64) {
        if let Some(at) = self.live.iter().rposition(|live| *live == number) {
            self.live.remove(at);
        }
    }
}

impl Engine {
    /// Does an operation [whole] or not at all.
    pub(crate) fn whole<R>(&mut self, operation: impl FnOnce(&mut Engine) -> Result<R>) -> Result<R> {
        whole(self, |engine| engine, operation)
    }

    /// Begins a transaction. There is one at a time.
    #[inline]
    pub fn begin(&mut self) {
        debug_assert!(self.touched.is_empty(), "one transaction at a time");
        self.hooks.reset();
        self.savepoints.live.clear();
        self.tape.begin();
        if self.refused.is_some() {
            self.refused = None;
        }
        self.refreshed = false;
    }

    /// Why the running transaction cannot be committed, if so: what a handler refused where there was no result to say so, or
    /// that it is more than the log can take.
    #[inline]
    pub(crate) fn refusal(&mut self) -> Option<crate::error::Error> {
        match self.refused.is_none() && (self.is_untouched() || self.redo.is_off()) {
            true => None,
            false => self.refused.take().or_else(|| self.check_loggable().err()),
        }
    }

    /// Ends the transaction: its changes stay, and become visible with the next publication. One that changed nothing
    /// takes no number.
    #[inline]
    pub fn commit(&mut self) {
        self.stats.commits += 1;
        if !self.is_untouched() || !self.tape.is_idle() {
            self.commit_changes();
        }
    }

    #[inline(never)]
    fn commit_changes(&mut self) {
        self.note_group();
        self.tape.commit();
        self.settle();
        let mut has_changed = false;
        for at in &self.touched {
            if self.tables[*at as usize].commit() {
                has_changed = true;
                if self.dirty.is_empty() || !self.dirty.contains(at) {
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

    /// A moment of the running transaction, to be gone back to.
    pub(crate) fn savepoint(&mut self) -> Savepoint {
        self.note_group();
        self.settle();
        let tables = self.touched.iter().map(|at| (*at, self.tables[*at as usize].savepoint())).collect();
        let (noted, redo) = (self.tape.noted(), self.redo.mark());
        Savepoint { tables, noted, redo, number: self.savepoints.add() }
    }

    /// Undoes what came after a savepoint, which can be gone back to again.
    ///
    /// # Panics
    /// If the savepoint is none of the running transaction's, or was itself undone.
    pub(crate) fn rollback_to(&mut self, savepoint: &Savepoint) {
        assert!(self.savepoints.back_to(savepoint.number), "the savepoint was undone, or is another transaction's");
        self.note_group();
        // What was written to a slice since goes with the rest, and is not logged with what comes next.
        self.settle();
        self.tape.forget_since(savepoint.noted);
        self.redo.forget_since(savepoint.redo);
        for at in &self.touched {
            let table = &mut self.tables[*at as usize];
            let known = savepoint.tables.iter().find(|(table, _)| table == at).map(|(_, savepoint)| *savepoint);
            if let Some(savepoint) = known.or(table.began()) {
                table.rollback_to(savepoint);
            }
        }
    }
}

/// Does a part of the running transaction whole or not at all, be it an operation of the engine or the game's own code in
/// whatever guise it has the transaction: `engine` says where in `holder` the engine is. What the part did is undone where it
/// fails, and where it panics. The panic goes on, and whoever catches it inside of the transaction finds nothing half done.
pub(crate) fn whole<T, R>(
    holder: &mut T,
    engine: impl Fn(&mut T) -> &mut Engine,
    part: impl FnOnce(&mut T) -> Result<R>,
) -> Result<R> {
    let savepoint = engine(holder).savepoint();
    let before = engine(holder).hooks.begin();
    let done = catch_unwind(AssertUnwindSafe(|| part(holder)));
    let engine = engine(holder);
    if matches!(done, Ok(Ok(_))) {
        engine.hooks.keep(before);
    } else {
        engine.hooks.undo(before);
        engine.rollback_to(&savepoint);
    }
    engine.savepoints.release(savepoint.number);
    done.unwrap_or_else(|panic| resume_unwind(panic))
}
