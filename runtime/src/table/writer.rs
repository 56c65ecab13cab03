//! The writing side of a table: which versions circulate, and what a transaction does to the one that is written.
//!
//! ```text
//!   readers ──► current ◄── published, never changes
//!                  ▲
//!   writer  ──► back        exclusively ours (`Arc::get_mut`), becomes current at the next publication
//!               spares      published before; one that no reader holds any more becomes the next back
//! ```
//!
//! Which spare that is, and how it is brought up to date, is said in `table/spares.rs`.
//!
//! In the steady state two versions circulate. Taking, publishing and taking again allocates nothing. Who is going to hold a
//! version for long has a third one made first, a piece at a time between the transactions (`table/third.rs`).

use super::buffer::BufferMut;
use super::catch_up::CatchUp;
use super::def::{FieldDef, TableDef};
pub use super::history::{Change, ChangeKind};
use super::history::{ChangeNote, History};
use super::id_runs::{IdRuns, Run};
use super::journal::{Entry, Journal, Mark};
use super::missed::Keeping;
use super::rows::Rows;
use super::settled::Settled;
use super::version::{GROUPS, IDS, SLOT_BYTES, SLOTS, TableVersion, TableView, VERSIONS};
use crate::cell::ahead::fetch_soon;
use crate::id::RecordId;
use crate::sync::Arc;

/// The version that is being written, if there is one. It lies outside of its `Arc` meanwhile: nothing need be asked at each
/// write.
#[derive(Debug, Default)]
pub(super) struct Back {
    /// Empty while nothing is written.
    pub(super) version: TableVersion,
    /// Where it goes at publication: what lies there is empty meanwhile, and nobody else holds it. `None` while nothing is
    /// written.
    pub(super) place: Option<Arc<TableVersion>>,
}

impl Back {
    #[inline]
    fn get(&self) -> Option<&TableVersion> {
        self.place.is_some().then_some(&self.version)
    }

    #[inline]
    pub(super) fn get_mut(&mut self) -> Option<&mut TableVersion> {
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
    pub(super) current: Arc<TableVersion>,
    pub(super) back: Back,
    pub(super) spares: Vec<Arc<TableVersion>>,
    journal: Journal,
    changes: Vec<ChangeNote>,
    pub(super) history: History,
    pub(super) catch_up: CatchUp,
    /// Versions before this one have room that was to be given back.
    pub(super) shrunk_from: u64,
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

    /// Whether the running transaction changes this table already, and there is a version to write on.
    #[inline]
    pub fn is_in_hand(&self) -> bool {
        self.began.is_some() && self.has_back()
    }

    /// The version to write on, which is empty where there is none.
    #[inline]
    pub fn back(&self) -> &TableVersion {
        &self.back.version
    }

    /// One of its buffers, to be changed by a transaction that has it in hand.
    #[inline]
    pub fn buffer(&mut self, at: usize) -> BufferMut<'_> {
        debug_assert!(self.is_in_hand(), "there is a version to write on");
        BufferMut::new(&mut self.back.version.buffers[at], &mut self.journal, at as u32)
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

    /// Whether anything was written to it behind commit `commit`, as far as is remembered.
    pub fn is_written_since(&self, commit: u64) -> bool {
        match self.history.last() {
            Some(last) => last.commit > commit,
            // One that was read from the disk and never written since has no other version either.
            None => !self.spares.is_empty() && self.history.forgotten() > commit,
        }
    }

    /// What was published since publication `seq`, oldest first; `None` if that is no longer known.
    pub(super) fn published_since(&self, seq: u64) -> Option<impl Iterator<Item = &Entry>> {
        Some(self.history.since(seq, self.current.seq)?.flat_map(|published| &published.entries))
    }

    /// Whether a column group may differ from the published version's.
    pub fn has_touched_group(&self, group: usize) -> bool {
        self.journal.has_touched((GROUPS + group) as u32)
    }

    /// Notes a change to a record.
    #[inline]
    pub fn note(&mut self, id: RecordId, kind: ChangeKind) {
        self.changes.push(ChangeNote::new(id, kind));
    }

    /// Makes room for so many changes that are about to come.
    pub fn expect(&mut self, changes: usize) {
        self.changes.reserve(changes);
    }

    /// Notes the same change to many records.
    pub fn note_all(&mut self, ids: &[RecordId], kind: ChangeKind) {
        self.changes.extend(ids.iter().map(|id| ChangeNote::new(*id, kind)));
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
