//! What the last publications of a table changed.
//!
//! ```text
//! sets:  | seq 17: notes, changes | seq 18: notes, changes | ... | the last publication |      numbered without gaps
//! ```
//!
//! A version that comes back is brought up to date by following the notes behind its own number; who asks what changed since a
//! commit gets the changes. The oldest sets are forgotten where they become too many, unless somebody needs them
//! ([`Keeping`]), and lend their room to the next.

use super::journal::{Entry, Journal};
use super::missed::Keeping;
use super::writer::PublicationStats;
use crate::id::{GENERATION_BITS, GENERATION_MAX, RecordId};
use crate::limits::{HISTORY_BYTES_MAX, HISTORY_COMMITS_MAX, HISTORY_KEPT_BYTES_MAX, HISTORY_KEPT_COMMITS_MAX};
use std::collections::VecDeque;

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Insert,
    /// Some of its fields were written.
    Update,
    /// It is gone.
    Delete,
}

/// A change to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The record.
    pub id: RecordId,
    /// What happened.
    pub kind: ChangeKind,
}

/// A change as it is kept. There is one for every write of every record.
///
/// ```text
/// bit 63       58 57     56 55       53 52                 0
///    |    zero   |   kind  |   zero    |     record id      |
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChangeNote(u64);

impl ChangeNote {
    const KIND_BIT: u32 = 56;

    #[inline]
    pub(super) fn new(id: RecordId, kind: ChangeKind) -> ChangeNote {
        ChangeNote(id.get() | (kind as u64) << Self::KIND_BIT)
    }

    #[inline]
    fn change(self) -> Change {
        let kind = match self.0 >> Self::KIND_BIT {
            0 => ChangeKind::Insert,
            1 => ChangeKind::Update,
            _ => ChangeKind::Delete,
        };
        let generation = (self.0 >> u32::BITS) as u32 & GENERATION_MAX;
        Change { id: RecordId::new(self.0 as u32, generation), kind }
    }
}

const _: () = assert!(u32::BITS + GENERATION_BITS <= ChangeNote::KIND_BIT);

/// What one publication changed.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) seq: u64,
    pub(super) commit: u64,
    pub(super) entries: Vec<Entry>,
    changes: Vec<ChangeNote>,
}

impl Published {
    #[inline]
    fn bytes(&self) -> usize {
        self.entries.len() * size_of::<Entry>() + self.changes.len() * size_of::<ChangeNote>()
    }
}

/// Gives room back that is far more than what is in it: that of a long batch, lent to a short one.
#[inline]
fn fit<T>(list: &mut Vec<T>) {
    /// Bytes that are not worth it.
    const SPARE_BYTES_MAX: usize = 16 << 10;
    // A batch takes room for as many again, and a list that grows twice what it had.
    if list.capacity() > SPARE_BYTES_MAX / size_of::<T>() && list.capacity() > 4 * list.len() {
        list.shrink_to_fit();
    }
}

/// What the last publications changed.
#[derive(Debug, Default)]
pub(super) struct History {
    sets: VecDeque<Box<Published>>,
    /// Bytes of all of them together.
    bytes: usize,
    /// The last commit of which it holds nothing, though there was something to hold.
    forgotten: u64,
    /// Who needs it to reach further back than usual.
    pub(super) keeping: Keeping,
}

impl History {
    /// Number of the first publication that is remembered, if the last one was number `current`.
    #[inline]
    pub(super) fn oldest(&self, current: u64) -> u64 {
        self.sets.front().map_or(current + 1, |first| first.seq)
    }

    /// The last publication, if it is remembered.
    #[inline]
    pub(super) fn last(&self) -> Option<&Published> {
        self.sets.back().map(|set| &**set)
    }

    /// What was published since publication `seq`, oldest first, if the last one was number `current`; `None` if that is no
    /// longer known.
    pub(super) fn since(
        &self,
        seq: u64,
        current: u64,
    ) -> Option<impl DoubleEndedIterator<Item = &Published> + ExactSizeIterator + Clone> {
        // Publications are numbered without gaps, so the place of the first one follows from its number.
        let first = (seq + 1).checked_sub(self.oldest(current))?;
        Some(self.sets.range(first as usize..).map(|set| &**set))
    }

    /// The last commit of which nothing is known, though there was something to know.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Of what changed until commit `commit` nothing is known.
    pub(super) fn forget_until(&mut self, commit: u64) {
        self.forgotten = self.forgotten.max(commit);
    }

    /// Forgets all sets, as if there had been none.
    pub(super) fn clear(&mut self) {
        self.sets.clear();
        self.bytes = 0;
    }

    /// Takes what was noted since the last publication as that of publication `seq`, by commit `commit`.
    #[inline]
    pub(super) fn add(
        &mut self,
        (seq, commit): (u64, u64),
        journal: &mut Journal,
        changes: &mut Vec<ChangeNote>,
        stats: &mut PublicationStats,
    ) {
        let forgotten = if self.is_full() { self.forget_oldest(stats) } else { None };
        let mut set = forgotten.unwrap_or_default();
        (set.seq, set.commit) = (seq, commit);
        journal.publish(&mut set.entries);
        set.changes.clear();
        std::mem::swap(changes, &mut set.changes);
        fit(&mut set.entries);
        fit(&mut set.changes);
        self.bytes += set.bytes();
        stats.dirty_records += set.changes.len() as u64;
        stats.dirty_ranges += set.entries.len() as u64;
        self.sets.push_back(set);
        stats.dirty_sets = self.sets.len() as u64;
    }

    /// Whether it has so much that the oldest is forgotten, unless somebody needs it.
    #[inline]
    fn is_full(&self) -> bool {
        self.sets.len() >= HISTORY_COMMITS_MAX || self.bytes > HISTORY_BYTES_MAX
    }

    /// Whether it may keep what somebody needs.
    fn may_keep(&self) -> bool {
        self.sets.len() < HISTORY_KEPT_COMMITS_MAX && self.bytes <= HISTORY_KEPT_BYTES_MAX
    }

    /// Forgets what it has too much of, unless somebody needs it; gives what was forgotten last, for its room.
    fn forget_oldest(&mut self, stats: &mut PublicationStats) -> Option<Box<Published>> {
        let mut forgotten = None;
        while self.is_full() {
            let may_keep = self.may_keep();
            let is_dispensable = |oldest: &mut Box<Published>| !(self.keeping.needs(oldest.seq) && may_keep);
            let Some(oldest) = self.sets.pop_front_if(is_dispensable) else { break };
            self.bytes -= oldest.bytes();
            stats.dirty_records -= oldest.changes.len() as u64;
            stats.dirty_ranges -= oldest.entries.len() as u64;
            stats.dirty_sets_forgotten += 1;
            self.forgotten = self.forgotten.max(oldest.commit);
            forgotten = Some(oldest);
        }
        forgotten
    }

    /// Records changed after `commit`, oldest first, as far as it is remembered: `None` if that is too long ago.
    pub(super) fn changes_since(&self, commit: u64) -> Option<impl Iterator<Item = Change> + '_> {
        let complete = self.forgotten <= commit;
        complete.then(|| {
            self.sets.iter().filter(move |p| p.commit > commit).flat_map(|p| p.changes.iter().map(|note| note.change()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch that goes on where the last one ended takes a note a buffer, however long it is: before changes were counted
    /// too, 256 such batches were remembered, however many records each had.
    #[test]
    fn long_batches_are_forgotten_early() {
        const BATCH: usize = HISTORY_BYTES_MAX / size_of::<ChangeNote>() / 2;
        let (mut history, mut stats) = (History::default(), PublicationStats::default());
        let mut changes = Vec::new();
        for seq in 1..=4 {
            add(&mut history, seq, BATCH, &mut changes, &mut stats);
        }
        assert_eq!((history.sets.len(), history.forgotten(), stats.dirty_sets_forgotten), (3, 1, 1));
        assert!(history.changes_since(0).is_none(), "the first commit is no longer known");
        assert_eq!(history.changes_since(1).map(Iterator::count), Some(3 * BATCH));
    }

    /// Sets lend their room to the next: every tenth batch is long, and in the end each set would have had a long one.
    #[test]
    fn room_follows_what_is_in_it() {
        let (mut history, mut stats) = (History::default(), PublicationStats::default());
        let mut changes = Vec::new();
        for seq in 1..=10 * HISTORY_COMMITS_MAX as u64 {
            add(&mut history, seq, if seq % 10 == 0 { 10_000 } else { 3 }, &mut changes, &mut stats);
        }
        let room: usize = history.sets.iter().map(|set| set.changes.capacity() * size_of::<ChangeNote>()).sum();
        let small = history.sets.len() * (16 << 10);
        assert!(room <= 4 * history.bytes + small, "{room} bytes of room for {}", history.bytes);
    }

    /// Publishes so many changes.
    fn add(history: &mut History, seq: u64, count: usize, changes: &mut Vec<ChangeNote>, stats: &mut PublicationStats) {
        changes.extend((0..count as u32).map(|slot| ChangeNote::new(RecordId::new(slot, 1), ChangeKind::Insert)));
        history.add((seq, seq), &mut Journal::default(), changes, stats);
        assert_eq!(history.bytes, history.sets.iter().map(|set| set.bytes()).sum::<usize>());
        assert!(changes.is_empty(), "what was published is not published again");
    }

    #[test]
    fn a_change_is_kept_in_eight_bytes() {
        for kind in [ChangeKind::Insert, ChangeKind::Update, ChangeKind::Delete] {
            for id in [RecordId::new(0, 1), RecordId::new(7, 3), RecordId::new(u32::MAX, GENERATION_MAX)] {
                assert_eq!(ChangeNote::new(id, kind).change(), Change { id, kind });
            }
        }
    }
}
