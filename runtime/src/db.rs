//! The database: one writer, any number of readers.

use crate::catalog::{Catalog, Compiled};
use crate::client::Committed;
use crate::clock::{Clock, SystemClock};
use crate::durable::{Durable, Folder};
use crate::editing::Turns;
use crate::engine::{Engine, EngineStats, Version};
use crate::error::{Error, Result};
use crate::limits::{TABLE_VERSIONS_MAX, TABLE_VERSIONS_MAX_HIGHEST, TABLE_VERSIONS_MAX_LOWEST};
use crate::log::SyncLevel;
use crate::procedure::Procedures;
use crate::recover::Given;
use crate::redo::stored::empty_schema;
use crate::storage::{Disk, Storage};
use crate::table::publish::{CachedReader, Published};
use crate::table::writer::PublicationStats;
use crate::tick::{Answer, LoopStats, Queue, StuckTimers, TickLoop};
use crate::txn::{Outcome, Transaction};
use crate::typed::Facade;
use crate::view::View;
use dbgen_schema::{Format, Schema, Source};
use std::cell::Cell;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

/// A database without generated code: tables by name, values in and out.
pub type Database = Db<Dynamic>;

/// The facade of a [`Database`].
#[derive(Debug, Clone, Copy)]
pub enum Dynamic {}

impl Facade for Dynamic {
    const SCHEMA_JSON: &'static str = "";
    const FINGERPRINT: u64 = 0;
    type View = View;
    type Tx = Transaction;
}

/// A database. Clones are handles to the same one.
pub struct Db<S> {
    pub(crate) shared: Arc<Shared>,
    facade: PhantomData<fn() -> S>,
}

/// What all handles of a database share.
pub(crate) struct Shared {
    pub(crate) writing: Arc<WritingSide>,
    pub(crate) published: Published<Version>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: Queue,
    pub(crate) loop_stats: Mutex<Option<Arc<LoopStats>>>,
    pub(crate) procedures: Procedures,
    /// Timers that could not be settled: kept from one loop to the next.
    pub(crate) stuck_timers: Mutex<StuckTimers>,
    /// Whose edit of the schema is made beside the loop.
    pub(crate) turns: Turns,
    /// Requests that came under a key.
    #[cfg(feature = "server")]
    pub(crate) kept: crate::redo::KeptRequests,
    /// The data folder, if there is one.
    pub(crate) durable: Option<Durable>,
}

/// The writing side, which one thread at a time has. Who works beside the database, for its snapshots, holds this and not
/// the database: so it is the last handle of the user's that closes it.
#[derive(Debug)]
pub(crate) struct WritingSide {
    /// `None` only while a transaction runs, which holds the lock.
    engine: Mutex<Option<Box<Engine>>>,
    /// Which thread runs a transaction, so that one inside another is told instead of waiting for itself for ever.
    holder: AtomicU64,
}

impl<S> Clone for Db<S> {
    fn clone(&self) -> Self {
        Db { shared: self.shared.clone(), facade: PhantomData }
    }
}

impl<S> std::fmt::Debug for Db<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let version = self.shared.published.load();
        write!(f, "Db({}, commit {})", version.catalog.schema().name, version.commit)
    }
}

/// How a database is opened.
#[derive(Debug)]
pub struct Builder<S> {
    schema: Result<Option<Schema>>,
    clock: Arc<dyn Clock>,
    versions_max: usize,
    folder: Option<Folder>,
    facade: PhantomData<fn() -> S>,
}

impl<S: Facade> Db<S> {
    /// Says how the database is to be opened.
    pub fn builder() -> Builder<S> {
        let (clock, versions_max) = (Arc::new(SystemClock::new()), TABLE_VERSIONS_MAX);
        Builder { schema: Ok(None), clock, versions_max, folder: None, facade: PhantomData }
    }

    /// All tables at the last commit. Never waits: one atomic load.
    #[inline]
    pub fn read(&self) -> S::View {
        if self.shared.published.is_behind() {
            self.shared.publish_put_off();
        }
        S::View::from(View::new(self.shared.published.load()))
    }

    /// A handle for a thread that reads often: asking for a view that has not changed since costs a comparison.
    pub fn reader(&self) -> Reader<S> {
        let mut cached = self.shared.published.reader();
        let view = S::View::from(View::new(cached.load().clone()));
        Reader { cached, view }
    }

    /// Runs `body` as one transaction: committed and visible to readers on `Ok`; rolled back, every byte as before, on
    /// `Err` and on panic. Waits while another transaction runs.
    ///
    /// ```
    /// # use dbgen_runtime::{Database, Error, Value};
    /// # let db = Database::builder().schema_json(r#"{"name":"a","version":"1","tables":{"t":{"fields":[{"name":"n","type":"i32"}]}}}"#).open()?;
    /// let failed = db.transact(|tx| {
    ///     tx.insert_named("t", &[("n", Value::from(1))])?;
    ///     Err::<(), _>(Error::abort("changed my mind"))
    /// });
    /// assert_eq!(failed.unwrap_err().to_string(), "changed my mind");
    /// assert!(db.read().open_table("t")?.is_empty());
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// What `body` returns; [`Error::Reentrant`] inside another transaction of the same thread.
    ///
    /// # Panics
    /// If `body` does, after everything was rolled back.
    pub fn transact<R>(&self, body: impl FnOnce(&mut S::Tx) -> Result<R>) -> Result<R> {
        self.transact_committed(body).map(|committed| committed.value)
    }

    /// The same, and says which commit it was, and whether that is durable by now.
    ///
    /// # Errors
    /// As [`transact`](Db::transact).
    ///
    /// # Panics
    /// As [`transact`](Db::transact).
    pub fn transact_committed<R>(&self, body: impl FnOnce(&mut S::Tx) -> Result<R>) -> Result<Committed<R>> {
        let mut writer = self.shared.lock()?;
        let outcome = writer.run(S::Tx::from, body);
        let engine = writer.engine();
        engine.publish();
        let (commit, is_logged) = (engine.commit, engine.is_logged());
        drop(writer);
        match outcome {
            Outcome::Returned(result) => {
                let (value, is_synced) = self.shared.settle(result)?;
                Ok(Committed { value, commit, durable: is_logged && is_synced })
            }
            Outcome::Panicked(payload) => std::panic::resume_unwind(payload),
        }
    }

    /// A loop that runs systems at a fixed rate; see [`TickLoop`].
    pub fn tick_loop(&self, rate_hz: f64) -> TickLoop<S> {
        TickLoop::new(self.clone(), rate_hz)
    }

    /// Figures of transactions and publication since the database was opened.
    ///
    /// # Errors
    /// [`Error::Reentrant`] inside a transaction of the same thread.
    pub fn stats(&self) -> Result<EngineStats> {
        Ok(self.shared.lock()?.engine().stats)
    }

    /// Figures of every table's publication since the database was opened, each under the table's name.
    ///
    /// ```
    /// # use dbgen_runtime::{Database, Error, Value};
    /// # let schema = r#"{"name":"a","version":"1","tables":{"t":{"fields":[{"name":"n","type":"i32"}]}}}"#;
    /// # let db = Database::builder().schema_json(schema).open()?;
    /// db.transact(|tx| tx.insert_named("t", &[("n", Value::from(1))]))?;
    /// let (name, stats) = &db.publication_stats()?[0];
    /// assert_eq!((name.as_str(), stats.dirty_sets, stats.dirty_records), ("t", 1, 1));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Reentrant`] inside a transaction of the same thread.
    pub fn publication_stats(&self) -> Result<Vec<(String, PublicationStats)>> {
        Ok(self.shared.lock()?.engine().figures().1)
    }

    /// Gives room back that no table uses: at once where no reader looks, and in published versions when they come back.
    ///
    /// # Errors
    /// [`Error::Reentrant`] inside a transaction of the same thread.
    pub fn shrink_to_fit(&self) -> Result<()> {
        self.shared.lock()?.engine().shrink_to_fit();
        Ok(())
    }

    /// The same database without its types.
    pub fn as_dynamic(&self) -> Database {
        Db { shared: self.shared.clone(), facade: PhantomData }
    }
}

impl<S: Facade> Builder<S> {
    /// The schema, for a database without generated code.
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = Ok(Some(schema));
        self
    }

    /// The schema as JSON text, for a database without generated code.
    pub fn schema_json(mut self, text: &str) -> Self {
        let source = Source { name: "the given schema".to_owned(), text: text.to_owned(), format: Format::Json };
        self.schema = Schema::parse(&source).map(Some).map_err(|wrong| Error::Schema(Box::new(wrong)));
        self
    }

    /// The schema file, JSON or TOML by its extension, for a database without generated code. TOML takes the feature
    /// `toml`.
    pub fn schema_file(mut self, path: impl AsRef<Path>) -> Self {
        self.schema = Schema::from_file(path.as_ref()).map(Some).map_err(|wrong| Error::Schema(Box::new(wrong)));
        self
    }

    /// Where time comes from; the system's clock if not said.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many versions of a table there may be at once, from 4 to 1024; 16 if not said. Readers that hold views for long keep
    /// the versions that they look at, each of which is the whole table. While they hold all that there may be, what is
    /// committed is not seen by new views until one is let go: the writer goes on, and such publications are counted in
    /// [`EngineStats::publications_skipped`].
    ///
    /// ```
    /// # use dbgen_runtime::{Database, Error};
    /// let refused = Database::builder().versions_max(3).open();
    /// assert_eq!(refused.unwrap_err().to_string(), "`versions_max` of 3 is outside of 4-1024");
    /// Database::builder().versions_max(64).open()?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn versions_max(mut self, count: usize) -> Self {
        self.versions_max = count;
        self
    }

    /// Keeps the database in a folder, so that it goes on where it was: commits in a log, all of it in a snapshot now and
    /// then. Without a folder it lives in memory alone.
    pub fn data_dir(self, path: impl Into<PathBuf>) -> Self {
        self.durable(|folder| folder.data_dir = path.into())
    }

    /// When a commit is acknowledged: [`SyncLevel::Group`] if not said. Only with a [`data_dir`](Builder::data_dir).
    pub fn sync(self, level: SyncLevel) -> Self {
        self.durable(|folder| folder.level = level)
    }

    /// How often a snapshot is taken in the background while something changes; every 5 minutes if not said. A long log
    /// makes one due earlier.
    pub fn snapshot_every(self, interval: Duration) -> Self {
        self.durable(|folder| folder.snapshot_every = interval)
    }

    /// How many snapshots are kept, with the log from the oldest of them on; 2 if not said, and at least 1.
    pub fn snapshots_kept(self, count: usize) -> Self {
        self.durable(|folder| folder.snapshots_kept = count.max(1))
    }

    /// How long a segment of the log grows, in bytes; 64 MiB if not said. Room for it is taken when it begins.
    pub fn log_segment_bytes(self, bytes: u64) -> Self {
        self.durable(|folder| folder.segment_bytes = bytes)
    }

    /// Where the data folder lies: in the system's files if not said. A simulated storage makes the whole database
    /// deterministic: it writes its log and its snapshots on the thread that asks for them.
    pub fn storage(self, storage: impl Storage + 'static, is_simulated: bool) -> Self {
        self.durable(|folder| (folder.disk, folder.inline) = (Disk::new(Arc::new(storage)), is_simulated))
    }

    /// Opens what is left of a damaged data folder: everything behind the first damage in the log is given up, and kept in
    /// its `quarantine`. Acknowledged commits may be lost; without this, the damage is told and nothing is changed.
    pub fn salvage(self) -> Self {
        self.durable(|folder| folder.salvage = true)
    }

    fn durable(mut self, change: impl FnOnce(&mut Folder)) -> Self {
        change(self.folder.get_or_insert_with(Folder::default));
        self
    }

    /// Opens the database.
    ///
    /// # Errors
    /// [`Error::Schema`] with all that is wrong with the schema; [`Error::Unsupported`]; [`Error::Setting`]; [`Error::Io`]. With
    /// a data folder also [`Error::InUse`], [`Error::Damaged`] and [`Error::Migration`].
    pub fn open(self) -> Result<Db<S>> {
        let (min, max) = (TABLE_VERSIONS_MAX_LOWEST, TABLE_VERSIONS_MAX_HIGHEST);
        if !(min..=max).contains(&self.versions_max) {
            return Err(Error::Setting { setting: "versions_max", value: self.versions_max, min, max });
        }
        let (clock, is_compiled) = (self.clock.clone(), !S::SCHEMA_JSON.is_empty());
        let given = match self.schema? {
            _ if is_compiled => {
                let (name, format) = ("the compiled schema".to_owned(), Format::Json);
                let source = Source { name, text: S::SCHEMA_JSON.to_owned(), format };
                Some(Schema::parse(&source).map_err(|wrong| Error::Schema(Box::new(wrong)))?)
            }
            given => given,
        };
        let compiled = match &given {
            Some(schema) if is_compiled => Some(Arc::new(Compiled::new(schema.clone())?)),
            _ => None,
        };
        let given = Given { schema: given, compiled };
        let (mut engine, durable) = match self.folder.filter(Folder::is_named) {
            Some(folder) => {
                let (engine, durable) = Durable::open(folder, &given, clock.clone())?;
                (engine, Some(durable))
            }
            None => {
                let schema = given.schema.map_or_else(empty_schema, Ok)?;
                (Box::new(Engine::new(Catalog::with_compiled(schema, given.compiled, 1)?)), None)
            }
        };
        engine.versions_max = self.versions_max;
        let shared = Shared {
            published: engine.published(),
            #[cfg(feature = "server")]
            kept: engine.kept.clone(),
            writing: Arc::new(WritingSide { engine: Mutex::new(Some(engine)), holder: AtomicU64::new(0) }),
            clock,
            queue: Queue::default(),
            loop_stats: Mutex::new(None),
            procedures: Procedures::default(),
            stuck_timers: Mutex::default(),
            turns: Turns::default(),
            durable,
        };
        if let Some(durable) = &shared.durable {
            durable.begin(&shared.writing)?;
        }
        Ok(Db { shared: Arc::new(shared), facade: PhantomData })
    }
}

impl Shared {
    /// Publishes what could not be published while readers pinned every version, if that has changed and nobody is
    /// writing: who writes publishes by himself.
    #[cold]
    pub(crate) fn publish_put_off(&self) {
        let mut writer = match self.writing.engine.try_lock() {
            Ok(writer) => Some(writer),
            Err(TryLockError::Poisoned(writer)) => Some(writer.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(engine) = writer.as_deref_mut().and_then(Option::as_deref_mut) {
            engine.publish_if_free();
        }
    }

    /// Waits until what was committed is as durable as is asked, and says whether it is synced. A refusal stays one, whatever
    /// became of the log.
    pub(crate) fn settle<R>(&self, result: Result<R>) -> Result<(R, bool)> {
        let value = result?;
        let is_synced = self.durable.as_ref().map_or(Ok(false), |durable| durable.log.wait())?;
        Ok((value, is_synced))
    }

    /// Gives an answer once what was committed is as durable as is asked.
    pub(crate) fn when_durable(&self, answer: Answer) {
        match &self.durable {
            Some(durable) => durable.log.when_durable(answer),
            None => answer(Ok(false)),
        }
    }

    /// Takes the writing side.
    #[inline]
    pub(crate) fn lock(&self) -> Result<Writer<'_>> {
        self.writing.lock()
    }
}

impl WritingSide {
    /// Takes it.
    #[inline]
    pub(crate) fn lock(&self) -> Result<Writer<'_>> {
        let me = thread_number();
        if self.holder.load(Ordering::Relaxed) == me {
            return Err(Error::Reentrant);
        }
        // A panic inside a transaction is caught and rolled back before the lock is released: the engine is whole.
        let guard = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        self.holder.store(me, Ordering::Relaxed);
        Ok(Writer { guard, holder: &self.holder })
    }
}

/// A number for this thread, from 1.
#[inline]
fn thread_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: Cell<u64> = const { Cell::new(0) });
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

/// The writing side, locked.
pub(crate) struct Writer<'a> {
    guard: MutexGuard<'a, Option<Box<Engine>>>,
    holder: &'a AtomicU64,
}

impl Drop for Writer<'_> {
    #[inline]
    fn drop(&mut self) {
        self.holder.store(0, Ordering::Relaxed);
    }
}

impl Writer<'_> {
    /// The engine.
    #[inline]
    pub(crate) fn engine(&mut self) -> &mut Engine {
        match self.guard.as_deref_mut() {
            Some(engine) => engine,
            None => unreachable!("a transaction gives the engine back before the lock is released"),
        }
    }

    /// Runs `body` as one transaction, in the guise that `wrap` gives it: committed on `Ok`, rolled back on `Err` and on panic.
    /// Nothing is published.
    #[inline]
    pub(crate) fn run<T: Into<Transaction> + AsMut<Transaction>, R>(
        &mut self,
        wrap: impl FnOnce(Transaction) -> T,
        body: impl FnOnce(&mut T) -> Result<R>,
    ) -> Outcome<R> {
        if let Err(refusal) = self.engine().check_writable() {
            return Outcome::Returned(Err(refusal));
        }
        let Some(engine) = self.guard.take() else {
            unreachable!("a transaction gives the engine back before the lock is released")
        };
        let mut tx = wrap(Transaction { engine });
        let outcome = Transaction::attempt(&mut tx, body);
        *self.guard = Some(tx.into().engine);
        outcome
    }

    /// Runs each of `bodies` as a transaction of its own, all in the one guise that `wrap` gives them, and says how each
    /// ended. Nothing is published. A guise may be worth more than a small transaction.
    pub(crate) fn run_each<T: Into<Transaction> + AsMut<Transaction>, B: FnOnce(&mut T) -> Result<()>>(
        &mut self,
        wrap: impl FnOnce(Transaction) -> T,
        bodies: impl Iterator<Item = B>,
        mut ended: impl FnMut(usize, Result<()>),
    ) {
        let Some(engine) = self.guard.take() else {
            unreachable!("a transaction gives the engine back before the lock is released")
        };
        let mut tx = wrap(Transaction { engine });
        for (at, body) in bodies.enumerate() {
            let done = match tx.as_mut().engine.check_writable() {
                Ok(()) => Transaction::attempt(&mut tx, body).into_result(),
                Err(refusal) => Err(refusal),
            };
            ended(at, done);
        }
        *self.guard = Some(tx.into().engine);
    }
}

/// A handle for a thread that reads often. It keeps the view that it gave last, and so pins that version until it is asked
/// again.
pub struct Reader<S: Facade> {
    cached: CachedReader<Version>,
    view: S::View,
}

impl<S: Facade> Reader<S> {
    /// All tables at the last commit.
    #[inline]
    pub fn view(&mut self) -> &S::View {
        let version = self.cached.load();
        if !self.view.as_ref().shows(version) {
            self.view = S::View::from(View::new(version.clone()));
        }
        &self.view
    }
}

impl<S: Facade> std::fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader(commit {})", self.view.as_ref().commit())
    }
}
