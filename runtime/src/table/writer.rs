//! The writing side of a table: which versions circulate, and how one that comes back is brought up to date.
//!
//! ```text
//!   readers ──► current ◄── published, never changes
//!                  ▲
//!   writer  ──► back        exclusively ours (`Arc::get_mut`), becomes current at the next publication
//!               spares      published before; one that no reader holds any more becomes the next back
//! ```
//!
//! A spare lacks what was published since it was current. The last publications' notes are kept (`table/history.rs`), so taking
//! a spare means copying those ranges from `current`, nothing else; only when all spares are pinned (or too old) is a
//! version copied whole. Nobody waits: a reader that holds a version for minutes costs one more copy, not a stall.
//!
//! In the steady state two versions circulate. Taking, publishing and taking again allocates nothing. Who is going to hold a
//! version for long has a third one made first, a piece at a time between the transactions (`table/third.rs`).

use super::buffer::Buffer;
use super::catch_up::CatchUp;
use super::def::{FieldDef, TableDef};
use super::history::History;
pub use super::history::{Change, ChangeKind};
use super::id_runs::{IdRuns, Run};
use super::journal::{Entry, Journal, Mark};
use super::missed::Keeping;
use super::reaper::drop_later;
use super::rows::{Rows, row_buffers};
use super::settled::Settled;
use super::version::{GROUPS, IDS, SLOT_BYTES, SLOTS, TableVersion, TableView, VERSIONS};
use crate::cell::ahead::fetch_soon;
use crate::id::RecordId;
use crate::sync::Arc;
use std::collections::TryReserveError;

/// Publications that a version may lack and still be turned to at once.
const FRESH_PUBLICATIONS: u64 = 4;

/// Free spares that are kept.
const FREE_SPARES_MAX: usize = 2;

/// The version that is being written, if there is one. It lies outside of its `Arc` meanwhile: nothing need be asked at each
/// write.
#[derive(Debug, Default)]
struct Back {
    /// Empty while nothing is written.
    version: TableVersion,
    /// Where it goes at publication: what lies there is empty meanwhile, and nobody else holds it. `None` while nothing is
    /// written.
    place: Option<Arc<TableVersion>>,
}

impl Back {
    #[inline]
    fn get(&self) -> Option<&TableVersion> {
        self.place.is_some().then_some(&self.version)
    }

    #[inline]
    fn get_mut(&mut self) -> Option<&mut TableVersion> {
        self.place.is_some().then_some(&mut self.version)
    }
}

/// Figures of a table's publication, since the database was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublicationStats {
    /// Versions made by copying a whole table, since no spare was free.
    pub whole_copies: u64,
    /// Bytes copied to bring spares up to date.
    pub catch_up_bytes: u64,
    /// Versions at the last publication, those that readers hold included.
    pub versions: u64,
    /// Column groups written whole out of the published one (`motion_next`) while nothing else was written to them, which
    /// copies nothing.
    pub groups_next: u64,
    /// The same behind another write to the group that is not published yet: it was copied first.
    pub groups_next_copied: u64,
    /// Versions of some size that came to be in nobody's way, given back to the system on another thread.
    pub drops_deferred: u64,
    /// Publications of which it is remembered what they wrote: for catching up, and for "what changed since".
    pub dirty_sets: u64,
    /// Notes of written ranges that these are made of.
    pub dirty_ranges: u64,
    /// Changes of records that they tell of.
    pub dirty_records: u64,
    /// Publications of which it is remembered no more.
    pub dirty_sets_forgotten: u64,
}

/// The writing side of a table.
#[derive(Debug)]
pub struct TableWriter {
    current: Arc<TableVersion>,
    back: Back,
    spares: Vec<Arc<TableVersion>>,
    journal: Journal,
    changes: Vec<Change>,
    history: History,
    catch_up: CatchUp,
    /// Versions before this one have room that was to be given back.
    shrunk_from: u64,
    /// Where the running transaction began in this table, if it has touched it.
    began: Option<Savepoint>,
    /// Publication figures.
    pub stats: PublicationStats,
}

/// A moment to which a table can be rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Savepoint {
    journal: Mark,
    changes: usize,
}

impl TableWriter {
    /// Starts with `version` published.
    pub fn new(version: TableVersion) -> TableWriter {
        let settled = Settled::of(version.buffers[SLOTS].bytes());
        TableWriter {
            current: Arc::new(TableVersion { runs: IdRuns::unknown(), settled, ..version }),
            back: Back::default(),
            spares: Vec::new(),
            journal: Journal::default(),
            changes: Vec::new(),
            history: History::default(),
            catch_up: CatchUp::default(),
            shrunk_from: 0,
            began: None,
            stats: PublicationStats::default(),
        }
    }

    /// Says that this is a table in another shape, from commit `commit` on: of what changed until then nothing is known.
    pub fn is_carried(&mut self, commit: u64) {
        self.history.forget_until(commit);
    }

    /// Whose history it is kept for.
    pub(super) fn keeping(&mut self) -> &mut Keeping {
        &mut self.history.keeping
    }

    /// Starts with an empty table published.
    pub fn empty(def: &TableDef) -> TableWriter {
        TableWriter::new(TableVersion::new(def))
    }

    /// The published version.
    pub fn current(&self) -> &Arc<TableVersion> {
        &self.current
    }

    /// What a transaction reads: its own writes, if there are any.
    #[inline]
    pub fn view<'v>(&'v self, def: &'v TableDef) -> TableView<'v> {
        TableView { def, version: self.back.get().unwrap_or(&self.current) }
    }

    /// A field of a row is about to be written, and the row's version with it. Brings those lines closer that this takes, in
    /// the version that will be written and in the published one, which lacks the write when it comes back: they arrive
    /// together, while the transaction does what it has to do first.
    #[inline]
    pub fn foresee(&self, field: &FieldDef, row: usize) {
        let start = row * field.row_bytes + field.at.offset;
        for version in self.next_and_current() {
            let group = version.buffers[GROUPS + field.at.group].bytes();
            fetch_soon(group, start);
            // A field of eight bytes lies across the end of a line in one row of nine.
            fetch_soon(group, (start + field.at.size).saturating_sub(1));
            fetch_soon(version.buffers[VERSIONS].bytes(), row * 8);
        }
    }

    /// The version that is written, or is likely to be written next, and the published one.
    #[inline]
    fn next_and_current(&self) -> [&TableVersion; 2] {
        let next = match (self.back.get(), self.spares.last()) {
            (Some(back), _) => back,
            (None, Some(spare)) => spare,
            (None, None) => &self.current,
        };
        [next, &self.current]
    }

    /// Some fields of a record are about to be written, and all of them to be read. Brings its rows closer as
    /// [`foresee`](TableWriter::foresee) does, where they lie if nothing was ever deleted: a wrong guess costs nothing that is
    /// waited for.
    pub fn foresee_record(&self, def: &TableDef, id: RecordId) {
        const LINE_BYTES: usize = 64;
        let row = id.slot() as usize;
        for version in self.next_and_current() {
            fetch_soon(version.buffers[VERSIONS].bytes(), row * 8);
            for (group, buffer) in def.layout.groups.iter().zip(version.buffers.get(GROUPS..).unwrap_or_default()) {
                let start = row * group.stride;
                let Some(bytes) = buffer.bytes().get(start..start + group.stride) else { continue };
                let mut line = 0;
                while line < bytes.len() {
                    fetch_soon(bytes, line);
                    line += LINE_BYTES;
                }
                // It may reach into one line more.
                fetch_soon(bytes, bytes.len().saturating_sub(1));
            }
        }
    }

    /// Notes that the running transaction changes this table; says whether that is new.
    #[inline]
    pub fn touch(&mut self) -> bool {
        let new = self.began.is_none();
        if new {
            self.began = Some(Savepoint { journal: self.journal.mark(), changes: self.changes.len() });
        }
        new
    }

    /// Whether there is a version to write on already.
    #[inline]
    pub fn has_back(&self) -> bool {
        self.back.place.is_some()
    }

    /// The rows, to be changed. [`touch`](TableWriter::touch) comes first.
    #[inline]
    pub fn rows<'w>(&'w mut self, def: &'w TableDef) -> Rows<'w> {
        self.rows_but(def, None)
    }

    /// The same, with the content of the buffer `skip` left undefined if nothing has been written since the last
    /// publication.
    #[inline]
    fn rows_but<'w>(&'w mut self, def: &'w TableDef, skip: Option<usize>) -> Rows<'w> {
        debug_assert!(self.began.is_some(), "only inside a transaction");
        if !self.has_back() {
            self.turn_to(skip);
        }
        let TableVersion { buffers, settled, .. } = &mut self.back.version;
        Rows { def, buffers, journal: &mut self.journal, settled }
    }

    /// The same, and which of the rows have ids that follow each other.
    pub(crate) fn rows_and_runs<'w>(&'w mut self, def: &'w TableDef) -> (Rows<'w>, &'w [Run]) {
        self.rows(def);
        let runs = if self.journal.has_touched(IDS as u32) { &[] } else { self.current.id_runs() };
        let TableVersion { buffers, settled, .. } = &mut self.back.version;
        (Rows { def, buffers, journal: &mut self.journal, settled }, runs)
    }

    /// Which rows have ids that follow each other, as a transaction sees them: nothing is known once it has changed some.
    pub(crate) fn id_runs(&self) -> &[Run] {
        if self.journal.has_touched(IDS as u32) { &[] } else { self.current.id_runs() }
    }

    /// Lets `next` write a whole column group from what it was, by commit `version`. In the usual case nothing is copied:
    /// it reads the published version and writes the back one. [`touch`](TableWriter::touch) comes first.
    pub fn group_next<R>(
        &mut self,
        def: &TableDef,
        group: usize,
        version: u64,
        next: impl FnOnce(&[u8], &mut [u8]) -> R,
    ) -> R {
        let at = GROUPS + group;
        let current = self.current.clone();
        if self.journal.has_touched(at as u32) {
            self.stats.groups_next_copied += 1;
            let new = self.rows(def).group_mut(group, version);
            let old = new.to_vec();
            return next(&old, new);
        }
        self.stats.groups_next += 1;
        let new = self.rows_but(def, Some(at)).group_anew(group, version);
        next(&current.buffers[at].bytes()[..new.len()], new)
    }

    #[inline(never)]
    fn turn_to(&mut self, skip: Option<usize>) {
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

    /// Whether anything was written to it behind commit `commit`, as far as is remembered.
    pub fn is_written_since(&self, commit: u64) -> bool {
        match self.history.last() {
            Some(last) => last.commit > commit,
            // One that was read from the disk and never written since has no other version either.
            None => !self.spares.is_empty() && self.history.forgotten() > commit,
        }
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

    /// What was published since publication `seq`, oldest first; `None` if that is no longer known.
    pub(super) fn published_since(&self, seq: u64) -> Option<impl Iterator<Item = &Entry>> {
        Some(self.history.since(seq, self.current.seq)?.flat_map(|published| &published.entries))
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

    /// Whether a column group may differ from the published version's.
    pub fn has_touched_group(&self, group: usize) -> bool {
        self.journal.has_touched((GROUPS + group) as u32)
    }

    /// Notes a change to a record.
    #[inline]
    pub fn note(&mut self, id: RecordId, kind: ChangeKind) {
        self.changes.push(Change { id, kind });
    }

    /// Makes room for so many changes that are about to come.
    pub fn expect(&mut self, changes: usize) {
        self.changes.reserve(changes);
    }

    /// Notes the same change to many records.
    pub fn note_all(&mut self, ids: &[RecordId], kind: ChangeKind) {
        self.changes.extend(ids.iter().map(|id| Change { id: *id, kind }));
    }

    /// Changes since the last publication.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Ends the running transaction: its changes stay. Says whether there are any.
    #[inline]
    pub fn commit(&mut self) -> bool {
        let began = self.began.take();
        let changed = began
            .is_some_and(|began| self.changes.len() > began.changes || self.journal.has_noted_since(began.journal));
        self.journal.commit();
        changed
    }

    /// Ends the running transaction: every buffer is as it was when it began.
    pub fn rollback(&mut self) {
        if let Some(savepoint) = self.began.take() {
            self.rollback_to(savepoint);
        }
    }

    /// A moment of the running transaction.
    pub fn savepoint(&mut self) -> Savepoint {
        Savepoint { journal: self.journal.mark(), changes: self.changes.len() }
    }

    /// The savepoint at which the running transaction began, if it has touched this table.
    #[inline]
    pub fn began(&self) -> Option<Savepoint> {
        self.began
    }

    /// Puts every buffer back to where it was at `savepoint`.
    pub fn rollback_to(&mut self, savepoint: Savepoint) {
        self.changes.truncate(savepoint.changes);
        if let Some(back) = self.back.get_mut() {
            self.journal.rollback(savepoint.journal, &mut back.buffers, &self.current.buffers);
            back.settled.truncate((back.buffers[SLOTS].len() / SLOT_BYTES) as u32);
        }
    }

    /// Has the published version itself be written, which nobody may hold, until [`TableWriter::end_again`]: what comes is
    /// never taken back, and nobody reads. It is as if all that there is had been added by a transaction that still runs: then
    /// a write needs no note, and no before-image.
    pub fn begin_again(&mut self) {
        let version = match Arc::get_mut(&mut self.current) {
            Some(alone) => std::mem::take(alone),
            None => TableVersion::clone(&self.current),
        };
        self.journal = Journal::default();
        self.began = Some(self.savepoint());
        for (at, buffer) in version.buffers.iter().enumerate() {
            self.journal.note_growth(at as u32, 0, buffer.len());
        }
        self.spares.clear();
        self.history.clear();
        self.stats = PublicationStats::default();
        self.back = Back { version, place: Some(Arc::default()) };
    }

    /// Forgets what records changed, where nobody is going to ask.
    pub fn forget_changes(&mut self) {
        self.changes.clear();
    }

    /// Ends what [`TableWriter::begin_again`] began, with commit `commit`. `is_unproved` says that the table has to be checked
    /// again: it counts as published once more.
    pub fn end_again(&mut self, commit: u64, is_unproved: bool) {
        let Back { mut version, place: Some(_) } = std::mem::take(&mut self.back) else { return };
        version.seq += u64::from(is_unproved);
        version.runs = IdRuns::unknown();
        self.current = Arc::new(version);
        self.began = None;
        self.changes.clear();
        self.journal = Journal::default();
        self.history.forget_until(commit);
    }

    /// Whether there is something to publish.
    pub fn is_dirty(&self) -> bool {
        !self.journal.is_empty() || !self.changes.is_empty()
    }

    /// Whether a publication would leave no version to write on but by having more than `versions_max` of them.
    #[inline]
    pub fn is_starved(&mut self, versions_max: usize) -> bool {
        let versions = self.spares.len() + 2;
        versions >= versions_max && !self.spares.iter_mut().any(|spare| Arc::get_mut(spare).is_some())
    }

    /// Makes the back version the current one, and has `handle`, a free root's, name it.
    #[inline]
    pub fn publish_into(&mut self, commit: u64, handle: &mut Arc<TableVersion>) {
        if let Some(mut place) = self.back.place.take() {
            self.number_back();
            match Arc::get_mut_of_both(&mut place, handle) {
                Some(empty) => std::mem::swap(empty, &mut self.back.version),
                None => self.fill(&mut place),
            }
            self.set_current(place, commit);
        }
        self.name_current(handle);
    }

    /// Makes the back version the current one.
    pub fn publish(&mut self, commit: u64) {
        if let Some(mut place) = self.back.place.take() {
            self.number_back();
            self.fill(&mut place);
            self.set_current(place, commit);
        }
    }

    /// Has `handle` name the current version.
    #[inline]
    pub fn name_current(&self, handle: &mut Arc<TableVersion>) {
        if !Arc::ptr_eq(handle, &self.current) {
            *handle = self.current.clone();
        }
    }

    /// Says of the back version which publication it is going to be.
    #[inline]
    fn number_back(&mut self) {
        let version = &mut self.back.version;
        version.seq = self.current.seq + 1;
        match self.journal.has_touched(IDS as u32) {
            true => version.runs = IdRuns::unknown(),
            false => version.runs.follow(&self.current.runs),
        }
    }

    /// Puts the back version into its place, or into another if a root that was passed over still names that.
    #[inline(never)]
    fn fill(&mut self, place: &mut Arc<TableVersion>) {
        let version = std::mem::take(&mut self.back.version);
        match Arc::get_mut(place) {
            Some(empty) => *empty = version,
            None => *place = Arc::new(version),
        }
    }

    /// Makes what was the back version current.
    #[inline]
    fn set_current(&mut self, version: Arc<TableVersion>, commit: u64) {
        let old = std::mem::replace(&mut self.current, version);
        match self.spares.last() {
            // One that was prepared as a copy of it has room: it comes back first.
            Some(spare) if spare.seq == old.seq => self.spares.insert(self.spares.len() - 1, old),
            _ => self.spares.push(old),
        }
        self.stats.versions = 1 + self.spares.len() as u64;
        let number = (self.current.seq, commit);
        self.history.add(number, &mut self.journal, &mut self.changes, &mut self.stats);
    }

    /// Records changed after `commit`, oldest first, as far as it is remembered: `None` if that is too long ago.
    pub fn changes_since(&self, commit: u64) -> Option<impl Iterator<Item = Change> + '_> {
        self.history.changes_since(commit)
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
