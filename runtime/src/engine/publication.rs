//! How readers come to see what was committed.
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

use super::{Engine, Version};
use crate::sync::Arc;
use crate::table::third::Measures;
use crate::table::version::{GROUPS, TableVersion};
use crate::table::writer::TableWriter;

/// A root that was current once.
#[derive(Debug)]
pub(super) struct SpareRoot {
    root: Arc<Version>,
    /// Tables in which it lags.
    stale: Vec<u32>,
}

impl Engine {
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
        self.dirty.iter().any(|at| self.tables[*at as usize].is_starved(self.versions_max))
    }

    /// Publishes `next`; the root before becomes a spare. `stale` is an empty list whose allocation is taken over.
    pub(super) fn swap_root(&mut self, next: Arc<Version>, stale: Vec<u32>) {
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
    pub(super) fn refresh_spares(&mut self) {
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

    /// The measures of one more version of table `at`, if it has more than `bytes` and fewer than `count` circulate: with two
    /// the writer turns from one to the other, and who holds one for long needs a third. What was not written since commit
    /// `since` is not expected to be. Must not run inside a transaction.
    pub(crate) fn version_wanted(&mut self, at: usize, count: usize, bytes: usize, since: u64) -> Option<Measures> {
        self.refresh_spares();
        let table = self.tables.get_mut(at)?;
        (table.is_written_since(since) && table.wants_version(count, bytes)).then(|| Measures::of(table.current()))
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
