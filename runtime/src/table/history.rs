//! What a table's last publications wrote: their dirty sets.
//!
//! One list serves three masters. A version that comes back from its readers follows the notes of the publications that it
//! lacks (`writer.rs`); "what changed since commit n" is a walk over the records that they name; and who works beside the
//! table for long finds out what it has missed (`missed.rs`).
//!
//! ```text
//! oldest kept ──► | seq, commit | notes of written ranges | changes of records |   numbered without gaps, so that the place
//!                 | seq + 1, …  |                         |                    |   of the first one that a version lacks
//! the last    ──► |             |                         |                    |   follows from the version's number
//! ```
//!
//! Some hundred publications are kept, or a million notes. While somebody asks for more ([`History::keeping`]) it may be some
//! ten thousand. What goes leaves its allocations to the publication that comes.

use super::journal::Entry;
use super::missed::Keeping;
use super::writer::{Change, PublicationStats};
use crate::limits::{HISTORY_COMMITS_MAX, HISTORY_ENTRIES_MAX, HISTORY_KEPT_COMMITS_MAX, HISTORY_KEPT_ENTRIES_MAX};
use std::collections::VecDeque;

/// What one publication changed.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) seq: u64,
    pub(super) commit: u64,
    pub(super) entries: Vec<Entry>,
    pub(super) changes: Vec<Change>,
}

/// The last publications of a table.
#[derive(Debug, Default)]
pub(super) struct History {
    publications: VecDeque<Published>,
    /// Notes, all publications together.
    entries: usize,
    /// Changes of records, all publications together.
    changes: usize,
    /// The last commit of which there is nothing, though there was something to be remembered.
    forgotten: u64,
    /// Publications that were forgotten.
    sets_forgotten: u64,
    keeping: Keeping,
}

impl History {
    /// Who needs it to reach further back than usual.
    pub(super) fn keeping(&mut self) -> &mut Keeping {
        &mut self.keeping
    }

    /// The number of the oldest publication there is; the one behind `last`, which came last, if there is none.
    #[inline]
    pub(super) fn oldest(&self, last: u64) -> u64 {
        self.publications.front().map_or(last + 1, |first| first.seq)
    }

    /// The publication that came last.
    #[inline]
    pub(super) fn last(&self) -> Option<&Published> {
        self.publications.back()
    }

    /// What was published behind number `seq` up to `last`, oldest first; `None` if that is no longer known.
    #[inline]
    pub(super) fn behind(&self, seq: u64, last: u64) -> Option<impl Iterator<Item = &Published> + Clone> {
        let missed = (seq + 1).checked_sub(self.oldest(last))?;
        Some(self.publications.range(missed as usize..))
    }

    /// Makes room for a publication: what is forgotten for it, emptied of all but its allocations.
    pub(super) fn make_room(&mut self) -> Published {
        let mut reuse = Published::default();
        while self.publications.len() >= HISTORY_COMMITS_MAX || self.entries > HISTORY_ENTRIES_MAX {
            let Some(oldest) = self.publications.front() else { break };
            let is_within =
                self.publications.len() < HISTORY_KEPT_COMMITS_MAX && self.entries <= HISTORY_KEPT_ENTRIES_MAX;
            if is_within && self.keeping.needs(oldest.seq) {
                break;
            }
            let Some(oldest) = self.publications.pop_front() else { break };
            self.entries -= oldest.entries.len();
            self.changes -= oldest.changes.len();
            self.sets_forgotten += 1;
            self.forgotten = self.forgotten.max(oldest.commit);
            reuse = oldest;
        }
        reuse.changes.clear();
        reuse
    }

    /// Remembers a publication, which has the number behind that of the last one.
    pub(super) fn add(&mut self, published: Published) {
        self.entries += published.entries.len();
        self.changes += published.changes.len();
        self.publications.push_back(published);
    }

    /// Forgets everything; the publications that come are remembered again.
    pub(super) fn clear(&mut self) {
        let (forgotten, keeping) = (self.forgotten, std::mem::take(&mut self.keeping));
        *self = History { forgotten, keeping, ..History::default() };
    }

    /// Takes note that until `commit` more was written than it tells of.
    pub(super) fn forget_until(&mut self, commit: u64) {
        self.forgotten = self.forgotten.max(commit);
    }

    /// The last commit of which there is nothing.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Records changed after `commit`, oldest first, as far as it is remembered: `None` if that is too long ago.
    pub(super) fn changes_since(&self, commit: u64) -> Option<impl Iterator<Item = Change> + '_> {
        let after = move |published: &&Published| published.commit > commit;
        let changes = || self.publications.iter().filter(after).flat_map(|published| published.changes.iter().copied());
        (self.forgotten <= commit).then(changes)
    }

    /// Tells what it holds.
    #[inline]
    pub(super) fn tell(&self, stats: &mut PublicationStats) {
        stats.dirty_sets = self.publications.len() as u64;
        stats.dirty_ranges = self.entries as u64;
        stats.dirty_records = self.changes as u64;
        stats.dirty_sets_forgotten = self.sets_forgotten;
    }
}
