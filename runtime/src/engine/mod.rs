//! The writing side of the database: all tables, the running transaction, and the publication of the root.
//!
//! One thread at a time has it, and runs one transaction on it at a time. Its rooms, in the order in which a transaction
//! comes through them:
//!
//! - `transaction`: how it begins, its savepoints, how it is committed or rolled back;
//! - `touch`: which tables it has taken to change, one by one or side by side;
//! - `handover`: what of it goes to the log;
//! - `publication`: how readers come to see it;
//! - `replace`: other tables and another catalog in place of these: an edit of the schema, a start.
//!
//! The operations themselves are done in [`apply`](crate::apply).

mod handover;
mod publication;
mod replace;
mod touch;
mod transaction;

use crate::apply::Hooks;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::limits::TABLE_VERSIONS_MAX;
use crate::record::image::RecordImage;
use crate::recording::Tape;
use crate::redo::{CommitSink, KeptRequests, Redo};
use crate::sync::Arc;
use crate::table::publish::{Published, Publisher};
use crate::table::version::{TableVersion, TableView};
use crate::table::writer::{Change, PublicationStats, TableWriter};
use dbgen_schema::Schema;
use publication::SpareRoot;
pub(crate) use replace::NewTable;
pub use transaction::Savepoint;
use transaction::Savepoints;
pub(crate) use transaction::whole;

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
    /// Tables that an edit of the schema dropped or made anew, given back to the system on another thread.
    pub tables_dropped_later: u64,
}

/// The writing side of the database.
#[derive(Debug)]
pub struct Engine {
    pub(crate) catalog: std::sync::Arc<Catalog>,
    pub(crate) tables: Vec<TableWriter>,
    /// The last commit.
    pub(crate) commit: u64,
    published: Published<Version>,
    /// Who publishes there; nobody in what stands in for an engine.
    publisher: Option<Publisher<Version>>,
    spares: Vec<SpareRoot>,
    /// Tables touched by the running transaction.
    touched: Vec<u32>,
    /// Its savepoints.
    savepoints: Savepoints,
    /// Whether tables were given out that may have been touched without saying so.
    given_out: bool,
    /// Versions of a table that may circulate before publications are put off instead of making another.
    pub(crate) versions_max: usize,
    /// Tables with something to publish.
    dirty: Vec<u32>,
    /// The running transaction has brought the spare roots in step.
    refreshed: bool,
    /// Room for the image of a stored record, kept for its allocation.
    pub(crate) scratch: Vec<u8>,
    /// Room for the image of a record on its way in, kept for its allocations.
    image: Option<Box<RecordImage>>,
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
        let (published, publisher) = Published::new(current);
        Engine { publisher: Some(publisher), ..Engine::over(catalog, tables, published, (commit, tick)) }
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
            publisher: None,
            spares: Vec::new(),
            touched: Vec::new(),
            savepoints: Savepoints::default(),
            given_out: false,
            versions_max: TABLE_VERSIONS_MAX,
            dirty: Vec::new(),
            refreshed: false,
            scratch: Vec::new(),
            image: None,
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
    #[inline]
    pub fn next_commit(&self) -> u64 {
        self.commit + 1
    }

    /// Why nothing can be committed any more, if so.
    ///
    /// # Errors
    /// [`Error::ReadOnly`].
    #[inline]
    pub(crate) fn check_writable(&self) -> Result<()> {
        match self.sink.as_ref().and_then(|sink| sink.refusal()) {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }

    /// Records of table `at` that changed after `commit`, oldest first; `None` if that is too long ago.
    pub fn changes_since(&self, at: usize, commit: u64) -> Option<Vec<Change>> {
        self.tables.get(at)?.changes_since(commit).map(Iterator::collect)
    }
}
