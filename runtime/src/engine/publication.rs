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
//! **The usual case.** One spare root, which no reader holds, still names the version that its table writes next, and the
//! table does: these two pointers are all that there are. So the table turns to that version without asking the root to let
//! go ([`Engine::turn_beside`]); at publication the root finds its pointer naming what was written. Nothing is counted on the
//! way. Where more roots circulate, spares are brought in step first, and let go of old versions by that.
//!
//! **Interleavings.** A reader clones the root's `Arc` or does not; the writer reuses a root or a table version only
//! through `Arc::get_mut` or `Arc::get_mut_of_both`, which succeed only if there is no other clone. A root that is not current
//! can gain no new readers, since the cell no longer names it; so once `get_mut` succeeds it stays exclusive. A table version is
//! reachable only through roots, so it becomes exclusive when the last root that names it has been reused or dropped, or is
//! exclusive itself.

use super::{Engine, Version};
use crate::sync::Arc;
use crate::table::third::Measures;
use crate::table::version::{GROUPS, TableVersion};
use crate::table::writer::TableWriter;

/// Free roots that are kept.
const SPARE_ROOTS_MAX: usize = 4;

/// A root that was current once.
#[derive(Debug)]
pub(super) struct SpareRoot {
    /// `None` only while it is published.
    root: Option<Arc<Version>>,
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
        if self.is_starved() && self.is_starved_by_readers() {
            self.published.set_behind(true);
            return false;
        }
        if self.is_index_late {
            self.publish_rows_first();
        } else {
            self.publish_all();
        }
        self.dirty.clear();
        self.is_renumbered = false;
        self.published.set_behind(false);
        true
    }

    /// Publishes with a root that nobody holds any more, or else with a new one.
    #[inline(always)]
    fn publish_all(&mut self) {
        for at in 0..self.spares.len() {
            let SpareRoot { root, stale } = &mut self.spares[at];
            let Some(root) = root.as_mut().and_then(Arc::get_mut) else { continue };
            (root.commit, root.tick) = (self.commit, self.tick);
            for at in self.dirty.iter().map(|at| *at as usize) {
                self.tables[at].publish_into(self.commit, &mut root.tables[at]);
            }
            bring_in_step(root, stale, &self.tables);
            return self.swap_root(at);
        }
        self.publish_new_root();
    }

    #[cold]
    fn publish_new_root(&mut self) {
        let root = self.new_root();
        self.spares.push(SpareRoot { root: Some(root), stale: Vec::new() });
        self.swap_root(self.spares.len() - 1);
    }

    /// The mistake of [`Engine::is_index_late`].
    #[cold]
    fn publish_rows_first(&mut self) {
        let before = self.published.load();
        self.publish_all();
        self.publish_old_indexes(&before);
    }

    /// The mistake of [`Engine::is_index_late`]: the tables that were just published have the indexes of `before`.
    fn publish_old_indexes(&mut self, before: &Version) {
        let mut root = Version::clone(&self.published.load());
        for at in self.dirty.iter().map(|at| *at as usize) {
            let indexes = GROUPS + root.catalog.tables()[at].layout.groups.len();
            let (mut table, old) = (TableVersion::clone(&root.tables[at]), &before.tables[at]);
            table.buffers[indexes..].clone_from_slice(&old.buffers[indexes..]);
            root.tables[at] = Arc::new(table);
        }
        self.swap_in(Arc::new(root));
    }

    #[inline]
    fn is_starved(&mut self) -> bool {
        self.dirty.iter().any(|at| self.tables[*at as usize].is_starved(self.versions_max))
    }

    /// The same once old roots that nobody holds, and that may be all that keeps versions from being free, are out of the way.
    #[cold]
    fn is_starved_by_readers(&mut self) -> bool {
        self.refresh_spares();
        self.is_starved()
    }

    /// Publishes the root in place `at` of the spares; the one before takes its place, and lags in what is dirty.
    #[inline(always)]
    fn swap_root(&mut self, at: usize) {
        let Some(next) = self.spares[at].root.take() else { unreachable!("every spare has its root") };
        self.spares[at].root = Some(self.swap_in(next));
        self.stats.publications += 1;
        for spare in &mut self.spares {
            spare.lags_in(&self.dirty, self.tables.len());
        }
    }

    /// Publishes `next` and gives the root before.
    #[inline(always)]
    pub(super) fn swap_in(&mut self, next: Arc<Version>) -> Arc<Version> {
        match &mut self.publisher {
            Some(publisher) => publisher.swap(next),
            None => unreachable!("what stands in for an engine publishes nothing"),
        }
    }

    /// Publishes `next`, of another catalog: roots of the old one are nobody's spare.
    pub(super) fn replace_root(&mut self, next: Arc<Version>) {
        self.swap_in(next);
        self.spares.clear();
        self.stats.publications += 1;
    }

    fn new_root(&mut self) -> Arc<Version> {
        self.stats.roots_made += 1;
        let Engine { tables, dirty, commit, tick, .. } = self;
        for at in dirty {
            tables[*at as usize].publish(*commit);
        }
        let tables = tables.iter().map(|table| table.current().clone()).collect();
        Arc::new(Version { commit: *commit, tick: *tick, catalog: self.catalog.clone(), tables })
    }

    /// Has table `at` turn to the version that only the spare root names beside it, and says whether it could: so it is in the
    /// usual case, with one spare root, which no reader holds. The root stays as it is, and is stale in this table.
    #[inline]
    pub(super) fn turn_beside(&mut self, at: usize) -> bool {
        let [SpareRoot { root: Some(root), .. }] = &mut self.spares[..] else { return false };
        Arc::get_mut(root).is_some_and(|root| self.tables[at].turn_beside(&mut root.tables[at]))
    }

    /// Brings spare roots that no reader holds any more in step, which lets go of old table versions; those beyond what
    /// circulates are dropped.
    pub(super) fn refresh_spares(&mut self) {
        if let Some(publisher) = &mut self.publisher {
            publisher.tidy();
        }
        let mut free = 0;
        for SpareRoot { root, stale } in &mut self.spares {
            free += usize::from(refresh(root, stale, &self.tables));
        }
        if free > SPARE_ROOTS_MAX {
            self.drop_spare_roots();
        }
    }

    #[cold]
    fn drop_spare_roots(&mut self) {
        let mut free = 0;
        self.spares.retain_mut(|spare| {
            free += usize::from(spare.root.as_mut().and_then(Arc::get_mut).is_some());
            free <= SPARE_ROOTS_MAX
        });
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

/// If no reader holds the spare root, points it at the current versions of the tables in which it is stale; says whether it
/// is free.
#[inline]
fn refresh(root: &mut Option<Arc<Version>>, stale: &mut Vec<u32>, tables: &[TableWriter]) -> bool {
    let Some(root) = root.as_mut().and_then(Arc::get_mut) else { return false };
    bring_in_step(root, stale, tables);
    true
}

/// Points a root at the current versions of the tables in which it is stale.
#[inline]
fn bring_in_step(root: &mut Version, stale: &mut Vec<u32>, tables: &[TableWriter]) {
    for at in stale.drain(..).map(|at| at as usize) {
        tables[at].name_current(&mut root.tables[at]);
    }
}

impl SpareRoot {
    /// Notes that it lags in these of so many tables.
    #[inline]
    fn lags_in(&mut self, dirty: &[u32], tables: usize) {
        dirty.iter().for_each(|at| self.stale.push(*at));
        if self.stale.len() > 2 * tables {
            self.stale.sort_unstable();
            self.stale.dedup();
        }
    }
}
