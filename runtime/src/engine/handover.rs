//! What the log is given: the effects of every commit, in one group for each publication.
//!
//! Operations note what they do as they do it (`redo`). A column group that is lent as a slice is compared afterwards: what
//! differs from before is noted when the next operation, savepoint or commit asks for it.

use super::Engine;
use crate::error::{Error, Result};
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::redo::Group;

impl Engine {
    /// Whether the last commit is in the log, or will be; one that only touched tables that are not logged is not.
    pub(crate) fn is_logged(&self) -> bool {
        self.sink.is_some() && self.redo.noted() == self.commit
    }

    /// Whether what the running transaction did can be logged together with what waits for the log: a group is one record,
    /// and a record has a limit.
    ///
    /// # Errors
    /// [`Error::Full`].
    #[inline]
    pub(crate) fn check_loggable(&mut self) -> Result<()> {
        if self.is_untouched() {
            return Ok(());
        }
        self.note_group();
        self.settle();
        if self.redo.fits() {
            return Ok(());
        }
        let what = "the transactions of a tick, or of a moment, in bytes,";
        Err(Error::Full { table: "the log".to_owned(), what, limit: PAYLOAD_BYTES_MAX })
    }

    /// Keeps a request that came under a key, in the log's record of what it did; it has just been executed. One that did
    /// nothing that the log keeps is a commit by itself. Must not run inside a transaction.
    #[cfg(feature = "server")]
    pub(crate) fn keep(&mut self, mut kept: crate::redo::Kept) {
        if self.sink.is_some() {
            if !self.redo.is_waiting() {
                self.commit += 1;
                self.is_renumbered = true;
            }
            (kept.commit, kept.logged) = (self.commit, self.commit);
            self.redo.keep(&kept, self.commit);
        }
        let now_us = kept.at_us;
        self.kept.keep(kept, now_us);
    }

    /// Hands what was committed since the last time to the log, as one group.
    #[inline]
    pub(super) fn hand_over(&mut self) {
        if self.sink.is_some() {
            self.hand_over_to_log();
        }
    }

    #[inline(never)]
    fn hand_over_to_log(&mut self) {
        let Some(sink) = &self.sink else { return };
        if !sink.wants(self.commit) && !self.redo.is_waiting() {
            return;
        }
        let (payload, has_kept) = self.redo.take(self.commit);
        let group = Group {
            commit: self.commit,
            tick: self.tick,
            schema: false,
            schema_version: self.catalog.version(),
            has_kept,
            payload,
        };
        if let Some(sink) = &mut self.sink {
            sink.append(group);
        }
    }

    /// Notes for the log what became of the column groups that were lent as slices.
    #[inline]
    pub(super) fn settle(&mut self) {
        if self.redo.has_lent() {
            self.settle_lent();
        }
    }

    #[cold]
    fn settle_lent(&mut self) {
        let (catalog, tables, commit) = (&self.catalog, &mut self.tables, self.commit + 1);
        self.redo.settle(catalog, tables, commit);
    }

    /// Has what is written to a column group, which is about to be lent as a slice, noted for the log.
    pub(crate) fn lend_group(&mut self, table: usize, group: usize) {
        if self.redo.notes(table) {
            self.settle();
            self.redo.lend(&self.catalog.tables()[table], group, &self.tables[table]);
        }
    }

    /// The same for all column groups that can be lent.
    pub(super) fn lend_all(&mut self) {
        self.settle();
        for (def, writer) in self.catalog.tables().iter().zip(&self.tables) {
            let groups = if self.redo.notes(def.at) { def.layout.groups.len() } else { 0 };
            for group in (0..groups).filter(|group| def.group_is_free(*group)) {
                self.redo.lend(def, group, writer);
            }
        }
    }
}
