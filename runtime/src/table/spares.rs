//! The versions of a table that no longer are the published one: which of them the writer turns to, how it is brought up to
//! date, and when one is too many.
//!
//! A spare lacks what was published since it was current. The last publications' notes are kept (`table/history.rs`), so taking
//! a spare means copying those ranges from `current`, nothing else; only when all spares are pinned (or too old) is a
//! version copied whole. Nobody waits: a reader that holds a version for minutes costs one more copy, not a stall.

use super::buffer::Buffer;
use super::def::TableDef;
use super::reaper::drop_later;
use super::rows::row_buffers;
use super::version::TableVersion;
use super::writer::{Back, PublicationStats, TableWriter};
use crate::sync::Arc;
use std::collections::TryReserveError;

/// Publications that a version may lack and still be turned to at once.
const FRESH_PUBLICATIONS: u64 = 4;

/// Free spares that are kept.
const FREE_SPARES_MAX: usize = 2;

impl TableWriter {
    /// Turns to a version to write on, with the content of the buffer `skip` left undefined.
    #[inline(never)]
    pub(super) fn turn_to(&mut self, skip: Option<usize>) {
        if !self.take_spare(skip) {
            self.copy_current();
        }
    }

    /// Turns to the spare that lacks what was published last and nothing else, of which `handle`, a free root's, is the only
    /// other holder; says whether there is one. So it is while two versions take turns, and then nothing need be counted: the
    /// root keeps its handle, and finds what is written there at publication ([`TableWriter::publish_into`]).
    #[inline]
    pub fn turn_beside(&mut self, handle: &mut Arc<TableVersion>) -> bool {
        let ([spare], Some(last)) = (&mut self.spares[..], self.history.last()) else { return false };
        let Some(version) = Arc::get_mut_of_both(spare, handle).filter(|version| version.seq + 1 == last.seq) else {
            return false;
        };
        let copied = self.catch_up.follow(&mut version.buffers, &self.current.buffers, &last.entries);
        bring_up(version, &self.current, copied, self.shrunk_from, &mut self.stats);
        std::mem::swap(&mut self.back.version, version);
        self.back.place = self.spares.pop();
        true
    }

    /// Takes a spare that nobody holds, brought up to date, to write on; says whether there was one.
    fn take_spare(&mut self, skip: Option<usize>) -> bool {
        let oldest = self.history.oldest(self.current.seq);
        if self.spares.len() > FREE_SPARES_MAX || self.spares.iter().any(|spare| spare.seq + 1 < oldest) {
            self.stats.drops_deferred += drop_idle(&mut self.spares, oldest);
        }
        let current = &*self.current;
        // The newest free spare lacks least.
        for at in (0..self.spares.len()).rev() {
            let Some(spare) = Arc::get_mut(&mut self.spares[at]) else { continue };
            // A reader may have let go of an old one since the idle ones were dropped: what it lacks is forgotten.
            let Some(missed) = self.history.since(spare.seq, current.seq) else { continue };
            let missed = missed.map(|published| published.entries.as_slice());
            let copied = self.catch_up.run(&mut spare.buffers, &current.buffers, missed, skip);
            bring_up(spare, current, copied, self.shrunk_from, &mut self.stats);
            std::mem::swap(&mut self.back.version, spare);
            self.back.place = Some(self.spares.remove(at));
            return true;
        }
        false
    }

    /// Copies the current version, to write on.
    #[cold]
    fn copy_current(&mut self) {
        let current = &self.current;
        self.stats.whole_copies += 1;
        let is_shrunk = current.seq >= self.shrunk_from;
        let copy = |buffer: &Buffer| if is_shrunk { buffer.copy() } else { buffer.clone() };
        let version = TableVersion {
            seq: current.seq,
            buffers: current.buffers.iter().map(copy).collect(),
            runs: current.runs.clone(),
            settled: current.settled.clone(),
        };
        self.back = Back { version, place: Some(Arc::default()) };
    }

    /// Makes room for so many records more, but for what they put into the heap and the indexes, and has the system give
    /// that memory now: on the version that is written, and on the one that will be written after it. No reader has either.
    ///
    /// # Errors
    /// The system has not so much.
    pub fn reserve(&mut self, def: &TableDef, records: usize) -> Result<(), TryReserveError> {
        let sizes: Vec<usize> = self.rows(def).buffers.iter().map(Buffer::len).collect();
        if !self.spares.iter_mut().any(|spare| Arc::get_mut(spare).is_some()) {
            self.stats.whole_copies += 1;
            self.spares.push(Arc::new(TableVersion::clone(&self.current)));
        }
        let versions = self.spares.iter_mut().filter_map(Arc::get_mut).chain(self.back.get_mut());
        for version in versions {
            for (at, stride) in row_buffers(def) {
                let len = version.buffers[at].len();
                let wanted = sizes[at].saturating_add(records.saturating_mul(stride));
                version.buffers[at].reserve(wanted.saturating_sub(len))?;
            }
        }
        Ok(())
    }

    /// Whether fewer than `count` versions circulate that the writer can turn to, the published one among them, so that it
    /// may have to copy more than `bytes` at once.
    pub fn wants_version(&mut self, count: usize, bytes: usize) -> bool {
        let fresh_from = self.current.seq.saturating_sub(FRESH_PUBLICATIONS);
        let fresh = self.spares.iter_mut().filter_map(Arc::get_mut).filter(|spare| spare.seq >= fresh_from).count();
        1 + fresh + usize::from(self.has_back()) < count && self.current.bytes().0 > bytes
    }

    /// Brings the free version that lags most up to date, for about so many notes; says whether none lags. The writer turns
    /// to the newest one, so a third one would lag more and more.
    pub fn freshen(&mut self, entries_max: usize) -> bool {
        let oldest = self.history.oldest(self.current.seq);
        let lagging = self.spares.iter_mut().filter_map(Arc::get_mut).filter(|spare| spare.seq + 1 >= oldest);
        let Some(spare) = lagging.min_by_key(|spare| spare.seq) else { return true };
        let Some(missed) = self.history.since(spare.seq, self.current.seq) else { return true };
        let mut left = entries_max;
        for published in missed {
            // What is copied is newer than the note: whatever changed since has a later note, and is copied again then.
            self.catch_up.run(&mut spare.buffers, &self.current.buffers, [&published.entries[..]].into_iter(), None);
            spare.seq = published.seq;
            if published.entries.len() > left {
                return spare.seq == self.current.seq;
            }
            left -= published.entries.len();
        }
        true
    }

    /// Has a version circulate that equals the current one.
    pub(super) fn add_spare(&mut self, version: TableVersion) {
        debug_assert_eq!(version.seq, self.current.seq, "it is up to date");
        self.spares.push(Arc::new(version));
        self.stats.versions = 1 + self.spares.len() as u64;
    }

    /// Gives room back that is not used: at once where no reader looks, and in the published version when it comes back.
    /// Must not run inside a transaction.
    pub fn shrink_to_fit(&mut self) {
        self.shrunk_from = self.current.seq + 1;
        let free = self.spares.iter_mut().filter_map(Arc::get_mut).chain(self.back.get_mut());
        free.for_each(|version| version.buffers.iter_mut().for_each(Buffer::shrink_to_fit));
    }

    /// Whether a publication would leave no version to write on but by having more than `versions_max` of them.
    #[inline]
    pub fn is_starved(&mut self, versions_max: usize) -> bool {
        let versions = self.spares.len() + 2;
        versions >= versions_max && !self.spares.iter_mut().any(|spare| Arc::get_mut(spare).is_some())
    }
}

/// Completes a version that has caught up with `current`, for which so many bytes were copied.
#[inline]
fn bring_up(
    version: &mut TableVersion,
    current: &TableVersion,
    copied: usize,
    shrunk_from: u64,
    stats: &mut PublicationStats,
) {
    stats.catch_up_bytes += copied as u64;
    if version.seq < shrunk_from {
        version.buffers.iter_mut().for_each(Buffer::shrink_to_fit);
    }
    version.seq = current.seq;
    version.settled.follow(&current.settled);
}

/// Drops free spares that are too old to be brought up to date, and all but the two newest of the others: three versions
/// circulate when a reader comes and goes, two when none does for a while. Says how many go on another thread.
#[cold]
fn drop_idle(spares: &mut Vec<Arc<TableVersion>>, oldest: u64) -> u64 {
    let mut free = spares.iter_mut().filter_map(|spare| Arc::get_mut(spare).map(|spare| spare.seq)).collect::<Vec<_>>();
    free.sort_unstable_by(|a, b| b.cmp(a));
    let keep = free.get(FREE_SPARES_MAX - 1).copied().unwrap_or(0).max(oldest.saturating_sub(1));
    let is_idle = |spare: &mut Arc<TableVersion>| Arc::get_mut(spare).is_some_and(|spare| spare.seq < keep);
    spares.extract_if(.., is_idle).map(|spare| u64::from(discard(spare))).sum()
}

/// Drops a version, a large one on another thread; says whether it was one.
fn discard(version: Arc<TableVersion>) -> bool {
    const HERE_BYTES_MAX: usize = 256 << 10;
    let is_large = version.bytes().1 > HERE_BYTES_MAX;
    if is_large {
        drop_later(version);
    }
    is_large
}
