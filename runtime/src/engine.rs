//! The writing side of the database: all tables, the running transaction, and the publication of the root.
//!
//! ```text
//! root:    | commit | catalog | table 0 ─► version | table 1 ─► version | ... |      what a reader holds: one pointer
//! ```
//!
//! **Publication.** `publish` turns the back version of every dirty table into its current one, takes a root that no
//! reader holds, points it at them, and swaps it in: one atomic store makes the commit visible in all tables at once. The
//! root that was current becomes a spare. Spares are kept in step lazily: each has a list of the tables in which it lags, so
//! a commit costs what it touched, with five tables or three hundred, and allocates nothing.
//!
//! **Interleavings.** A reader clones the root's `Arc` (`load_full`) or does not; the writer reuses a root or a table
//! version only through `Arc::get_mut`, which succeeds only if no clone exists. A root that is not current can gain no new
//! readers, since the cell no longer names it; so once `get_mut` succeeds it stays exclusive. A table version is reachable
//! only through roots, so it becomes exclusive when the last root that names it has been reused or dropped.

use crate::apply::Hooks;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::record::image::RecordImage;
use crate::recording::{Noted, Tape};
use crate::redo::{CommitSink, Group, KeptRequests, Redo};
use crate::sync::Arc;
use crate::table::def::TableDef;
use crate::table::publish::Published;
use crate::table::third::Measures;
use crate::table::version::{GROUPS, TableVersion, TableView};
use crate::table::writer::{Change, PublicationStats, Savepoint, TableWriter};
use dbgen_schema::Schema;
use std::sync::atomic::{AtomicU64, Ordering};

/// A consistent state of all tables.
#[derive(Debug, Clone)]
pub struct Version {
    pub(crate) commit: u64,
    /// The tick that ran last.
    pub(crate) tick: u64,
    pub(crate) catalog: std::sync::Arc<Catalog>,
    pub(crate) tables: Vec<Arc<TableVersion>>,
}

impl Version {
    /// Table number `at`.
    #[inline]
    pub fn table(&self, at: usize) -> TableView<'_> {
        TableView { def: &self.catalog.tables()[at], version: &self.tables[at] }
    }
}

/// A root that was current once.
#[derive(Debug)]
struct SpareRoot {
    root: Arc<Version>,
    /// Tables in which it lags.
    stale: Vec<u32>,
}

/// A table of a catalog that replaces another.
pub(crate) enum NewTable {
    /// Stored as the table of this number was.
    Kept(usize),
    /// In another shape, or new.
    Made(Box<TableWriter>),
}

/// Figures of publication, since the database was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineStats {
    /// Transactions committed.
    pub commits: u64,
    /// Transactions rolled back.
    pub rollbacks: u64,
    /// Roots published.
    pub publications: u64,
    /// Publications put off, since readers pinned every version.
    pub publications_skipped: u64,
    /// Roots made, since readers pinned every spare.
    pub roots_made: u64,
}

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

/// The writing side of the database.
#[derive(Debug)]
pub struct Engine {
    pub(crate) catalog: std::sync::Arc<Catalog>,
    pub(crate) tables: Vec<TableWriter>,
    /// The last commit.
    pub(crate) commit: u64,
    published: Published<Version>,
    spares: Vec<SpareRoot>,
    /// Tables touched by the running transaction.
    touched: Vec<u32>,
    /// Its savepoints.
    pub(crate) savepoints: Savepoints,
    /// Whether tables were given out that may have been touched without saying so.
    given_out: bool,
    /// Tables with something to publish.
    dirty: Vec<u32>,
    /// The running transaction has brought the spare roots in step.
    refreshed: bool,
    /// Room for the image of a stored record, kept for its allocation.
    pub(crate) scratch: Vec<u8>,
    /// Room for the image of a record on its way in, kept for its allocations.
    pub(crate) image: RecordImage,
    pub(crate) stats: EngineStats,
    /// The game's handlers.
    pub(crate) hooks: Hooks,
    /// The recording of what comes from outside.
    pub(crate) tape: Tape,
    /// What a handler refused where there was no result to say so: the transaction ends with it.
    pub(crate) refused: Option<Error>,
    /// What was committed and is not in the log yet.
    pub(crate) redo: Redo,
    /// Requests that came under a key.
    pub(crate) kept: KeptRequests,
    /// A commit was counted that no table shows.
    pub(crate) is_renumbered: bool,
    /// While the log is done again: tables of which more was written than cells that stand for themselves.
    pub(crate) is_unproved: Vec<bool>,
    /// A mistake on purpose: rows are published before their indexes. Never but in a simulation.
    pub(crate) is_index_late: bool,
    /// The log, if there is one.
    pub(crate) sink: Option<Box<dyn CommitSink>>,
    /// The tick that runs, or ran last.
    pub(crate) tick: u64,
    /// The schema that the program gave when the database was opened: what differs was made at run time.
    pub(crate) given: std::sync::Arc<Schema>,
}

impl Engine {
    /// An empty database.
    pub fn new(catalog: Catalog) -> Engine {
        let tables = catalog.tables().iter().map(TableWriter::empty).collect();
        Engine::with_tables(catalog, tables, 0, 0)
    }

    /// A database with these tables, at `commit`, after `tick`.
    pub(crate) fn with_tables(catalog: Catalog, tables: Vec<TableWriter>, commit: u64, tick: u64) -> Engine {
        let catalog = std::sync::Arc::new(catalog);
        let current = Arc::new(Version {
            commit,
            tick,
            catalog: catalog.clone(),
            tables: tables.iter().map(|table| table.current().clone()).collect(),
        });
        Engine::over(catalog, tables, Published::new(current), (commit, tick))
    }

    /// What stands in for an engine while a handler has it: of the same database, with nothing in it.
    pub(crate) fn hollow(&self) -> Engine {
        Engine::over(self.catalog.clone(), Vec::new(), self.published.clone(), (self.commit, self.tick))
    }

    fn over(
        catalog: std::sync::Arc<Catalog>,
        tables: Vec<TableWriter>,
        published: Published<Version>,
        (commit, tick): (u64, u64),
    ) -> Engine {
        Engine {
            given: catalog.schema().clone(),
            commit,
            tick,
            catalog,
            tables,
            published,
            spares: Vec::new(),
            touched: Vec::new(),
            savepoints: Savepoints::default(),
            given_out: false,
            dirty: Vec::new(),
            refreshed: false,
            scratch: Vec::new(),
            image: RecordImage::new(),
            stats: EngineStats::default(),
            hooks: Hooks::default(),
            tape: Tape::default(),
            refused: None,
            redo: Redo::default(),
            kept: KeptRequests::default(),
            is_renumbered: false,
            is_unproved: Vec::new(),
            is_index_late: false,
            sink: None,
        }
    }

    /// Where readers find the published root.
    pub fn published(&self) -> Published<Version> {
        self.published.clone()
    }

    /// Table number `at` as the running transaction sees it.
    #[inline]
    pub fn view(&self, at: usize) -> TableView<'_> {
        self.tables[at].view(&self.catalog.tables()[at])
    }

    /// Figures of transactions, and of every table's publication.
    pub fn figures(&self) -> (EngineStats, Vec<(String, PublicationStats)>) {
        let tables = self.catalog.tables().iter().zip(&self.tables);
        (self.stats, tables.map(|(def, table)| (def.name.clone(), table.stats)).collect())
    }

    /// The commit number that the running transaction will have.
    pub fn next_commit(&self) -> u64 {
        self.commit + 1
    }

    /// Why nothing can be committed any more, if so.
    ///
    /// # Errors
    /// [`Error::ReadOnly`].
    pub(crate) fn check_writable(&self) -> Result<()> {
        match self.sink.as_ref().and_then(|sink| sink.refusal()) {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }

    /// Begins a transaction. There is one at a time.
    pub fn begin(&mut self) {
        debug_assert!(self.touched.is_empty(), "one transaction at a time");
        self.hooks.reset();
        self.savepoints.live.clear();
        self.tape.begin();
        self.refused = None;
        self.refreshed = false;
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
    fn is_untouched(&self) -> bool {
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

    /// Takes note of what became of groups that were lent as slices: for the recording, and for undo.
    pub(crate) fn note_group(&mut self) {
        if std::mem::take(&mut self.given_out) {
            self.note_given_out();
        }
        if let Some((table, group)) = self.tape.take_lent() {
            let bytes = self.view(table).group_bytes(group).to_vec();
            self.tape.push(Noted::Group { table, group, bytes });
        }
    }

    /// A moment of the running transaction.
    pub fn savepoint(&mut self) -> Moment {
        self.note_group();
        self.settle();
        let tables = self.touched.iter().map(|at| (*at, self.tables[*at as usize].savepoint())).collect();
        Moment { tables, noted: self.tape.noted(), redo: self.redo.mark() }
    }

    /// Undoes what came after `moment`.
    pub fn rollback_to(&mut self, moment: &Moment) {
        self.note_group();
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

    /// Notes for the log what became of the column groups that were lent as slices.
    #[inline]
    fn settle(&mut self) {
        if self.redo.has_lent() {
            let (catalog, tables, commit) = (&self.catalog, &self.tables, self.commit + 1);
            self.redo.settle(catalog, tables, commit);
        }
    }

    /// Has what is written to a column group, which is about to be lent as a slice, noted for the log.
    pub(crate) fn lend_group(&mut self, table: usize, group: usize) {
        if self.redo.notes(table) {
            self.settle();
            self.redo.lend(&self.catalog.tables()[table], group, &self.tables[table]);
        }
    }

    /// The same for all column groups that can be lent.
    fn lend_all(&mut self) {
        self.settle();
        for (def, writer) in self.catalog.tables().iter().zip(&self.tables) {
            let groups = if self.redo.notes(def.at) { def.layout.groups.len() } else { 0 };
            for group in (0..groups).filter(|group| def.group_is_free(*group)) {
                self.redo.lend(def, group, writer);
            }
        }
    }

    /// Table number `at`, to be changed by the running transaction.
    #[inline]
    pub(crate) fn table_mut(&mut self, at: usize) -> (&TableDef, &mut TableWriter) {
        self.settle();
        self.table_to_lend(at)
    }

    /// The same, for a column group that was just announced with [`Engine::lend_group`].
    #[inline]
    pub(crate) fn table_to_lend(&mut self, at: usize) -> (&TableDef, &mut TableWriter) {
        if self.tables[at].touch() {
            self.touched.push(at as u32);
            if !self.tables[at].has_back() {
                self.free_versions();
            }
        }
        let writer = &mut self.tables[at];
        (&self.catalog.tables()[at], writer)
    }

    /// Has old roots let go of the versions that nobody else holds, so that tables can write on them.
    fn free_versions(&mut self) {
        if !std::mem::replace(&mut self.refreshed, true) {
            self.refresh_spares();
        }
    }

    /// All tables side by side, to be changed by the running transaction, with the commit that it will be. Who changes one
    /// touches it first.
    pub(crate) fn side_by_side(&mut self) -> (&Catalog, &mut [TableWriter], u64) {
        self.note_group();
        self.lend_all();
        self.given_out = true;
        self.free_versions();
        (&self.catalog, &mut self.tables, self.commit + 1)
    }

    /// Notes which of the tables that were given out have been touched. Which of their groups were written is not known.
    fn note_given_out(&mut self) {
        let is_noting = self.tape.is_noting() && !self.hooks.is_running();
        for at in 0..self.tables.len() {
            if self.tables[at].began().is_none() {
                continue;
            }
            if !self.touched.contains(&(at as u32)) {
                self.touched.push(at as u32);
            }
            let view = self.tables[at].view(&self.catalog.tables()[at]);
            for group in (0..view.def.layout.groups.len()).filter(|group| is_noting && view.def.group_is_free(*group)) {
                let bytes = view.group_bytes(group).to_vec();
                self.tape.push(Noted::Group { table: at, group, bytes });
            }
        }
    }

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
    fn hand_over(&mut self) {
        if self.sink.is_none() {
            return;
        }
        let Some((payload, has_kept)) = self.redo.take(self.commit) else { return };
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

    /// Hands everything committed to the log, and makes it visible to readers; if they pin every version, puts it off until one is free.
    pub fn publish(&mut self) {
        self.hand_over();
        let done = self.publish_if_free();
        self.stats.publications_skipped += u64::from(!done);
    }

    /// Makes everything committed visible to readers, unless they pin every version; says whether they see it.
    pub fn publish_if_free(&mut self) -> bool {
        if self.dirty.is_empty() && !self.is_renumbered {
            return true;
        }
        if self.is_starved() {
            // Perhaps only old roots that nobody holds keep the versions from being free.
            self.refresh_spares();
            if self.is_starved() {
                self.published.set_behind(true);
                return false;
            }
        }
        let before = self.is_index_late.then(|| self.published.load());
        let SpareRoot { root, stale } = self.next_root();
        self.swap_root(root, stale);
        if let Some(before) = before {
            self.publish_old_indexes(&before);
        }
        for spare in &mut self.spares {
            spare.stale.extend_from_slice(&self.dirty);
            if spare.stale.len() > 2 * self.tables.len() {
                spare.stale.sort_unstable();
                spare.stale.dedup();
            }
        }
        self.dirty.clear();
        self.is_renumbered = false;
        self.published.set_behind(false);
        true
    }

    /// The mistake of [`Engine::is_index_late`]: the tables that were just published have the indexes of `before`.
    #[cold]
    fn publish_old_indexes(&mut self, before: &Version) {
        let mut root = Version::clone(&self.published.load());
        for at in self.dirty.iter().map(|at| *at as usize) {
            let indexes = GROUPS + root.catalog.tables()[at].layout.groups.len();
            let (mut table, old) = (TableVersion::clone(&root.tables[at]), &before.tables[at]);
            table.buffers[indexes..].clone_from_slice(&old.buffers[indexes..]);
            root.tables[at] = Arc::new(table);
        }
        self.published.swap(Arc::new(root));
    }

    fn is_starved(&mut self) -> bool {
        self.dirty.iter().any(|at| self.tables[*at as usize].is_starved())
    }

    /// Publishes `next`; the root before becomes a spare. `stale` is an empty list whose allocation is taken over.
    fn swap_root(&mut self, next: Arc<Version>, stale: Vec<u32>) {
        let old = self.published.swap(next);
        self.spares.push(SpareRoot { root: old, stale });
        self.stats.publications += 1;
    }

    /// The root to be published next: one that nobody holds any more, or else a new one.
    fn next_root(&mut self) -> SpareRoot {
        let Engine { spares, tables, dirty, catalog, commit, tick, .. } = self;
        let next = |root: &mut Version, tables: &mut [TableWriter]| {
            (root.commit, root.tick) = (*commit, *tick);
            for at in &*dirty {
                root.tables[*at as usize] = tables[*at as usize].publish(*commit);
            }
        };
        if let Some(at) = (0..spares.len()).find(|at| spares[*at].refresh(tables, next)) {
            return spares.swap_remove(at);
        }
        self.stats.roots_made += 1;
        let current = tables.iter().map(|table| table.current().clone()).collect();
        let mut root = Version { commit: *commit, tick: *tick, catalog: catalog.clone(), tables: current };
        next(&mut root, tables);
        SpareRoot { root: Arc::new(root), stale: Vec::new() }
    }

    /// Brings spare roots that no reader holds any more in step, which lets go of old table versions; those beyond what
    /// circulates are dropped.
    fn refresh_spares(&mut self) {
        const SPARE_ROOTS_MAX: usize = 4;
        self.published.tidy();
        let (mut free, mut at) = (0, 0);
        while at < self.spares.len() {
            free += usize::from(self.spares[at].refresh(&mut self.tables, |_, _| ()));
            if free > SPARE_ROOTS_MAX {
                self.spares.swap_remove(at);
                free -= 1;
            } else {
                at += 1;
            }
        }
    }

    /// Makes room in a table for so many records more.
    pub(crate) fn reserve(&mut self, table: usize, records: usize) {
        let (def, writer) = self.table_mut(table);
        writer.reserve(def, records);
    }

    /// The measures of one more version of table `at`, if it has more than `bytes` and fewer than `count` circulate: with two
    /// the writer turns from one to the other, and who holds one for long needs a third. Must not run inside a transaction.
    pub(crate) fn version_wanted(&mut self, at: usize, count: usize, bytes: usize) -> Option<Measures> {
        self.refresh_spares();
        let table = self.tables.get_mut(at)?;
        table.wants_version(count, bytes).then(|| Measures::of(table.current()))
    }

    /// Brings free versions of table `at` up to date, for about so many notes; says whether none lags. Must not run inside a
    /// transaction.
    pub(crate) fn freshen(&mut self, at: usize, entries_max: usize) -> bool {
        self.refresh_spares();
        self.tables.get_mut(at).is_none_or(|table| table.freshen(entries_max))
    }

    /// Gives room back that no table uses. Must not run inside a transaction.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.refresh_spares();
        self.tables.iter_mut().for_each(TableWriter::shrink_to_fit);
    }

    /// Has all tables be written where they lie, without versions, until [`Engine::end_again`]: nobody has the database yet.
    pub(crate) fn begin_again(&mut self) {
        let nothing =
            Version { commit: self.commit, tick: self.tick, catalog: self.catalog.clone(), tables: Vec::new() };
        // The root before goes, and with it what would keep the tables' versions from being written.
        self.published.swap(Arc::new(nothing));
        self.spares.clear();
        self.is_unproved.clear();
        self.is_unproved.resize(self.tables.len(), false);
        self.tables.iter_mut().for_each(TableWriter::begin_again);
    }

    /// Publishes what has been written since [`Engine::begin_again`].
    pub(crate) fn end_again(&mut self) {
        for (at, table) in self.tables.iter_mut().enumerate() {
            table.end_again(self.commit, self.is_unproved.get(at).copied().unwrap_or(true));
        }
        let tables = self.tables.iter().map(|table| table.current().clone()).collect();
        let root = Version { commit: self.commit, tick: self.tick, catalog: self.catalog.clone(), tables };
        self.published.swap(Arc::new(root));
        self.is_renumbered = false;
    }

    /// Replaces the catalog: an edit of the schema. `tables[i]` is table `i` of `catalog`. Must not run inside a
    /// transaction.
    pub(crate) fn replace_catalog(&mut self, catalog: Catalog, tables: Vec<NewTable>) {
        let catalog = std::sync::Arc::new(catalog);
        self.commit += 1;
        let mut old: Vec<Option<TableWriter>> = std::mem::take(&mut self.tables).into_iter().map(Some).collect();
        self.dirty.clear();
        for (def, table) in catalog.tables().iter().zip(tables) {
            let table = match table {
                NewTable::Made(table) => Some(*table),
                NewTable::Kept(at) => old[at].take(),
            };
            let mut table = table.unwrap_or_else(|| TableWriter::empty(def));
            // What readers kept from being published until now is published with the new schema.
            if table.is_dirty() {
                table.publish(self.commit);
            }
            self.tables.push(table);
        }
        self.hooks.bind(&catalog);
        self.catalog = catalog.clone();
        let root = Arc::new(Version {
            commit: self.commit,
            tick: self.tick,
            catalog,
            tables: self.tables.iter().map(|table| table.current().clone()).collect(),
        });
        self.swap_root(root, Vec::new());
        // Roots of the old catalog are nobody's spare.
        self.spares.clear();
    }

    /// Records of table `at` that changed after `commit`, oldest first; `None` if that is too long ago.
    pub fn changes_since(&self, at: usize, commit: u64) -> Option<Vec<Change>> {
        self.tables.get(at)?.changes_since(commit).map(Iterator::collect)
    }
}

impl SpareRoot {
    /// If no reader holds the root, points it at the current table versions, does with it what is to be done, and says so.
    fn refresh(&mut self, tables: &mut [TableWriter], then: impl FnOnce(&mut Version, &mut [TableWriter])) -> bool {
        let Some(root) = Arc::get_mut(&mut self.root) else { return false };
        for at in self.stale.drain(..) {
            let (mine, theirs) = (&mut root.tables[at as usize], tables[at as usize].current());
            if !Arc::ptr_eq(mine, theirs) {
                *mine = theirs.clone();
            }
        }
        then(root, tables);
        true
    }
}
