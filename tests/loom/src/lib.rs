//! The publication protocol of the engine, small enough that loom can try every interleaving.
//!
//! It is that of `runtime/src/engine.rs` and `runtime/src/table/writer.rs`, step by step and name by name: a root with a
//! version per table behind one cell, spare roots and spare versions that are reused only where `Arc::get_mut` proves that
//! nobody else holds them, notes of what a spare lacks, a bound beyond which a publication is put off. The cell is
//! abstract: a load gives a counted reference or it does not, and a swap gives the one before; `arc-swap` has proofs of
//! its own for that.
//!
//! The content of a version is a loom cell, which notices when it is written while anybody reads it. What is asserted:
//! a reader sees all tables at one commit; what it holds never changes; commits never go back; the writer never waits.

use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};

/// Tables of the database.
pub const TABLES: usize = 2;
/// Versions of a table in circulation before publications are put off.
const TABLE_VERSIONS_MAX: usize = 3;

/// A version of a table: what it holds, and which publication it was.
pub struct TableVersion {
    seq: u64,
    held: UnsafeCell<u64>,
}

// SAFETY: the cell is written through `&mut` alone, which `Arc::get_mut` gives only where nobody else holds the version;
// loom itself checks at every access that this is so.
unsafe impl Sync for TableVersion {}

impl TableVersion {
    /// What it holds.
    pub fn get(&self) -> u64 {
        // SAFETY: a shared read; loom panics if anybody writes meanwhile.
        self.held.with(|held| unsafe { *held })
    }

    fn set(&mut self, value: u64) {
        // SAFETY: `&mut self`; loom panics if anybody reads meanwhile.
        self.held.with_mut(|held| unsafe { *held = value });
    }
}

/// A consistent state of all tables.
pub struct Version {
    /// The commit that it shows.
    pub commit: u64,
    /// Its tables.
    pub tables: Vec<Arc<TableVersion>>,
}

/// The cell through which versions reach readers.
pub struct Published(Mutex<Arc<Version>>);

impl Published {
    /// The root published last, counted.
    pub fn load(&self) -> Arc<Version> {
        self.0.lock().expect("no thread panics").clone()
    }

    fn swap(&self, root: Arc<Version>) -> Arc<Version> {
        std::mem::replace(&mut *self.0.lock().expect("no thread panics"), root)
    }
}

struct TableWriter {
    current: Arc<TableVersion>,
    spares: Vec<Arc<TableVersion>>,
}

/// The writing side.
pub struct Engine {
    published: Arc<Published>,
    tables: Vec<TableWriter>,
    commit: u64,
    spares: Vec<Arc<Version>>,
    /// Versions made since none was free.
    pub made: u64,
    /// Publications put off.
    pub skipped: u64,
}

impl Engine {
    /// An empty database.
    pub fn new() -> Engine {
        let version = || Arc::new(TableVersion { seq: 0, held: UnsafeCell::new(0) });
        let tables: Vec<TableWriter> =
            (0..TABLES).map(|_| TableWriter { current: version(), spares: Vec::new() }).collect();
        let root = Arc::new(Version { commit: 0, tables: tables.iter().map(|table| table.current.clone()).collect() });
        let published = Arc::new(Published(Mutex::new(root)));
        Engine { published, tables, commit: 0, spares: Vec::new(), made: 0, skipped: 0 }
    }

    /// Where readers find the root.
    pub fn published(&self) -> Arc<Published> {
        self.published.clone()
    }

    /// Commits and publishes: every table holds the number of the commit.
    pub fn write(&mut self) {
        self.refresh_spares();
        if self.tables.iter_mut().any(TableWriter::is_starved) {
            self.skipped += 1;
            return;
        }
        self.commit += 1;
        let mut tables = Vec::with_capacity(TABLES);
        for table in &mut self.tables {
            let mut back = table.take_back().unwrap_or_else(|| {
                self.made += 1;
                Arc::new(TableVersion { seq: table.current.seq, held: UnsafeCell::new(table.current.get()) })
            });
            let version = Arc::get_mut(&mut back).expect("the back version is ours alone");
            assert_eq!(version.get(), self.commit - 1, "what a spare lacked was copied");
            version.set(self.commit);
            version.seq += 1;
            let old = std::mem::replace(&mut table.current, back);
            table.spares.push(old);
            tables.push(table.current.clone());
        }
        let root = self.take_root(tables);
        let old = self.published.swap(root);
        self.spares.push(old);
        self.refresh_spares();
    }

    /// A root that nobody holds, pointed at these versions.
    fn take_root(&mut self, tables: Vec<Arc<TableVersion>>) -> Arc<Version> {
        for at in 0..self.spares.len() {
            if let Some(root) = Arc::get_mut(&mut self.spares[at]) {
                (root.commit, root.tables) = (self.commit, tables);
                return self.spares.swap_remove(at);
            }
        }
        Arc::new(Version { commit: self.commit, tables })
    }

    /// Spare roots that nobody holds let go of old versions.
    fn refresh_spares(&mut self) {
        let current: Vec<Arc<TableVersion>> = self.tables.iter().map(|table| table.current.clone()).collect();
        for spare in &mut self.spares {
            if let Some(root) = Arc::get_mut(spare) {
                root.tables.clone_from(&current);
            }
        }
    }
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new()
    }
}

impl TableWriter {
    /// A spare that nobody holds, brought up to date.
    fn take_back(&mut self) -> Option<Arc<TableVersion>> {
        for at in (0..self.spares.len()).rev() {
            let Some(spare) = Arc::get_mut(&mut self.spares[at]) else { continue };
            spare.set(self.current.get());
            spare.seq = self.current.seq;
            return Some(self.spares.remove(at));
        }
        None
    }

    fn is_starved(&mut self) -> bool {
        self.spares.len() + 2 > TABLE_VERSIONS_MAX && !self.spares.iter_mut().any(|spare| Arc::get_mut(spare).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom::thread;

    /// That the view is one commit in all its tables; gives it.
    fn look(view: &Version) -> u64 {
        for table in &view.tables {
            assert_eq!(table.get(), view.commit, "a version never changes, and is whole");
        }
        view.commit
    }

    /// Three threads: a writer and two readers that hold what they loaded across the next load.
    fn model(preemptions: usize, writes: u64) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(preemptions);
        model.check(move || {
            let mut engine = Engine::new();
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    let published = engine.published();
                    thread::spawn(move || {
                        let first = published.load();
                        let seen = look(&first);
                        let second = published.load();
                        assert!(look(&second) >= seen, "commits never go back");
                        assert_eq!(look(&first), seen, "what is held stays");
                    })
                })
                .collect();
            (0..writes).for_each(|_| engine.write());
            readers.into_iter().for_each(|reader| reader.join().expect("it saw nothing wrong"));
            // Nobody reads any more: whatever was put off, the next write is seen.
            engine.write();
            assert_eq!(look(&engine.published().load()), engine.commit);
        });
    }

    #[test]
    fn a_version_is_reused_only_when_nobody_holds_it() {
        model(3, 2);
    }

    #[test]
    fn versions_circulate_through_all_their_lives() {
        model(2, 3);
    }
}
