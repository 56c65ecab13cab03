//! The data folder of an open database: its log, its snapshots in the background, and what is known of both.

use crate::clock::Clock;
use crate::db::{Db, WritingSide};
use crate::engine::{Engine, Version};
use crate::error::{Error, Result};
use crate::log::{Log, SyncLevel};
use crate::recover::{self, Given, Recovered};
use crate::redo::KeptRequests;
use crate::snapshot;
use crate::storage::{Disk, Lock, RealStorage};
use crate::table::publish::Published;
use crate::table::third::Growing;
use crate::typed::Facade;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes of log after which a snapshot is due, whatever the time.
const LOG_BYTES_DUE: u64 = 256 << 20;
/// How often it is asked whether one is due.
const POLL: Duration = Duration::from_millis(500);
/// Versions of a large table that circulate while a snapshot holds one.
const VERSIONS: usize = 3;
/// Bytes of a table from which on a snapshot has a third version made before it holds one.
const THIRD_BYTES: usize = 1 << 20;
/// Bytes of it that are copied while the writer waits: a tenth of a millisecond.
const THIRD_STEP_BYTES: usize = 512 << 10;
/// Notes of changes that a version catches up with while the writer waits.
const THIRD_STEP_ENTRIES: usize = 4096;
/// How often versions are brought up to date before a snapshot takes what there is.
const THIRD_ROUNDS_MAX: usize = 1000;
/// How often a snapshot has a version of a table made that came to lag too much before it could be used.
const THIRDS_MAX: usize = 3;
/// How long the writer has the writing side for itself between two such steps.
const THIRD_PAUSE: Duration = Duration::from_micros(250);

/// What a builder is told of the data folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) data_dir: PathBuf,
    pub(crate) disk: Disk,
    pub(crate) level: SyncLevel,
    pub(crate) snapshot_every: Duration,
    pub(crate) snapshots_kept: usize,
    pub(crate) segment_bytes: u64,
    pub(crate) inline: bool,
    pub(crate) salvage: bool,
}

impl Default for Folder {
    fn default() -> Self {
        Folder {
            data_dir: PathBuf::new(),
            disk: Disk::new(Arc::new(RealStorage)),
            level: SyncLevel::default(),
            snapshot_every: Duration::from_secs(300),
            snapshots_kept: 2,
            segment_bytes: 64 << 20,
            inline: false,
            salvage: false,
        }
    }
}

impl Folder {
    /// Whether there is to be a folder at all.
    pub(crate) fn is_named(&self) -> bool {
        !self.data_dir.as_os_str().is_empty()
    }
}

/// How durable the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DurabilityStatus {
    /// The data folder.
    pub data_dir: PathBuf,
    /// When a commit is acknowledged.
    pub level: SyncLevel,
    /// The last commit with something to log.
    pub logged: u64,
    /// The last of those that no loss of power takes away.
    pub durable: u64,
    /// Bytes of all log records since the database was opened.
    pub log_bytes: u64,
    /// How often a commit waited, since the queue of the log was full.
    pub queue_waits: u64,
    /// The commit of the last snapshot.
    pub snapshot: u64,
    /// Why the last snapshot failed, if it did.
    pub snapshot_error: Option<String>,
    /// Why the database is read-only, if it is.
    pub read_only: Option<String>,
    /// What opening the folder came to.
    pub recovered: Recovered,
}

/// The data folder of an open database.
pub(crate) struct Durable {
    pub(crate) log: Log,
    keeper: Arc<Keeper>,
    clock: Arc<dyn Clock>,
    /// What ends the background thread, and the thread.
    background: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
    recovered: Recovered,
    _lock: Box<dyn Lock>,
}

/// Who takes snapshots.
#[derive(Debug)]
struct Keeper {
    folder: Folder,
    log: Log,
    database: [u8; 16],
    published: Published<Version>,
    given: Arc<dbgen_schema::Schema>,
    kept: KeptRequests,
    /// That of the database whose folder it is.
    writing: OnceLock<Arc<WritingSide>>,
    /// The database is being closed: what goes on in the background is given up.
    is_closing: AtomicBool,
    /// Who takes a snapshot has it: one at a time. He takes the writing side now and then, so nobody may wait for it who has
    /// that.
    turn: Mutex<()>,
    /// The commit of the last snapshot, and why one failed since. Held for a moment.
    last: Mutex<(u64, Option<String>)>,
}

impl Durable {
    /// Opens a data folder, or makes one.
    pub(crate) fn open(folder: Folder, given: &Given, clock: Arc<dyn Clock>) -> Result<(Box<Engine>, Durable)> {
        let options = recover::Options {
            disk: folder.disk.clone(),
            data_dir: folder.data_dir.clone(),
            level: folder.level,
            segment_bytes: folder.segment_bytes,
            inline: folder.inline,
            salvage: folder.salvage,
        };
        let opened = recover::open(&options, given)?;
        let keeper = Arc::new(Keeper {
            folder,
            log: opened.log.clone(),
            database: opened.database,
            published: opened.engine.published(),
            given: opened.engine.given.clone(),
            kept: opened.engine.kept.clone(),
            writing: OnceLock::new(),
            is_closing: AtomicBool::new(false),
            turn: Mutex::new(()),
            last: Mutex::new((opened.recovered.snapshot, None)),
        });
        let (log, recovered, lock) = (opened.log, opened.recovered, opened.lock);
        let durable = Durable { log, keeper, clock, background: Mutex::default(), recovered, _lock: lock };
        Ok((opened.engine, durable))
    }

    /// Says whose data folder this is, when the database has just been opened. What goes on beside it begins.
    pub(crate) fn begin(&self, writing: &Arc<WritingSide>) -> Result<()> {
        if self.keeper.writing.set(writing.clone()).is_ok() && !self.keeper.folder.inline {
            let begun = background(self.keeper.clone(), self.clock.clone())?;
            *self.background.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
        }
        Ok(())
    }

    fn status(&self) -> DurabilityStatus {
        let (snapshot, snapshot_error) = self.keeper.last().clone();
        DurabilityStatus {
            data_dir: self.keeper.folder.data_dir.clone(),
            level: self.log.level(),
            logged: self.log.appended(),
            durable: self.log.durable(),
            log_bytes: self.log.bytes(),
            queue_waits: self.log.queue_waits(),
            snapshot,
            snapshot_error,
            read_only: self.log.fault(),
            recovered: self.recovered.clone(),
        }
    }
}

impl Drop for Durable {
    /// The background ends before the lock is given back, so that the folder can be opened again at once. A snapshot that it
    /// is writing is given up: the log holds everything, and the next start removes what there is of it.
    fn drop(&mut self) {
        self.keeper.is_closing.store(true, Ordering::Relaxed);
        let background = self.background.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = background {
            drop(stop);
            if thread.join().is_err() {
                tracing::error!("the snapshot thread panicked");
            }
        }
    }
}

/// Takes snapshots when they are due, until the sender is dropped.
fn background(keeper: Arc<Keeper>, clock: Arc<dyn Clock>) -> Result<(Sender<()>, JoinHandle<()>)> {
    let (stop, stopped) = channel::<()>();
    let run = move || {
        let (mut taken, mut log_bytes) = (clock.monotonic(), keeper.log.bytes());
        while stopped.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
            let is_long = keeper.log.bytes() - log_bytes >= LOG_BYTES_DUE;
            if !is_long && clock.monotonic() - taken < keeper.folder.snapshot_every {
                continue;
            }
            // A failure is kept for whoever asks, and told; the log goes on holding everything.
            match keeper.snapshot(&mut |_, _| {}) {
                Err(Error::Stopped) => return,
                Err(error) => tracing::error!(%error, "a snapshot failed"),
                Ok(_) => {}
            }
            (taken, log_bytes) = (clock.monotonic(), keeper.log.bytes());
        }
    };
    let thread = std::thread::Builder::new().name("dbgen-snapshot".to_owned()).spawn(run);
    let thread = thread.map_err(|source| Error::Io { path: "the snapshot thread".to_owned(), source })?;
    Ok((stop, thread))
}

/// Does something on a thread that gives way to all others, and `meanwhile` here; waits for both. Never anything that holds
/// the writing side: who has given way and lost its core would keep it, and ticks would wait for a thread that comes last.
/// A thread of its own, since the way back is not open: nobody but an administrator may raise a priority again.
fn gently<R: Send>(work: impl FnOnce() -> R + Send, meanwhile: impl FnOnce()) -> Result<R> {
    std::thread::scope(|scope| {
        let give_way_and_work = || {
            crate::clock::give_way();
            work()
        };
        let thread = std::thread::Builder::new().name("dbgen-gently".to_owned()).spawn_scoped(scope, give_way_and_work);
        let thread = thread.map_err(|source| Error::Io { path: "a background thread".to_owned(), source })?;
        meanwhile();
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

impl Keeper {
    /// Takes a snapshot of what is published now, one at a time, and remembers what came of it; gives its commit.
    fn snapshot(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<u64> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.last().0;
        let taken = self.take(before, progress);
        match &taken {
            Ok(commit) => *self.last() = (*commit, None),
            Err(error) => self.last().1 = Some(error.to_string()),
        }
        taken
    }

    fn last(&self) -> MutexGuard<'_, (u64, Option<String>)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, last: u64, progress: &mut dyn FnMut(u64, u64)) -> Result<u64> {
        if self.published.load().commit == last {
            return Ok(last);
        }
        if !self.folder.inline {
            self.make_thirds(last);
        }
        let version = self.pin(last);
        // Before the sync: what they are the answers to is durable then.
        let kept = self.kept.encode(version.commit);
        // The log holds all that the snapshot shows before the snapshot is there: commits have no gaps.
        self.log.sync()?;
        let Folder { disk, data_dir, snapshots_kept, inline, .. } = &self.folder;
        let source = snapshot::Source {
            version: &version,
            database: self.database,
            tick: version.tick,
            given: &self.given,
            durable: self.log.durable(),
            log_segment: self.log.segment_of(version.commit + 1),
            kept,
        };
        if *inline {
            let mut hears = |done, total| {
                progress(done, total);
                Ok(())
            };
            snapshot::write(disk, data_dir, &source, &mut hears)?;
        } else {
            let (tell, told) = channel();
            let mut hears = move |done, total| {
                // Who asked waits for the end, and may not want to hear of the way there.
                tell.send((done, total)).ok();
                self.go_on()
            };
            let write = move || snapshot::write(disk, data_dir, &source, &mut hears).map(drop);
            gently(write, || told.iter().for_each(|(done, total)| progress(done, total)))??;
        }
        snapshot::retain(disk, data_dir, *snapshots_kept)?;
        Ok(version.commit)
    }

    /// That the database is not being closed.
    fn go_on(&self) -> Result<()> {
        if self.is_closing.load(Ordering::Relaxed) { Err(Error::Stopped) } else { Ok(()) }
    }

    /// Has three versions circulate of every large table: two are what the writer turns between, and a third is what a
    /// snapshot holds meanwhile.
    fn make_thirds(&self, since: u64) {
        let tables = self.published.load().tables.len();
        for table in 0..tables {
            // Where it cannot be, the writer copies the table when it has to.
            let _ = self.make_third(table, since);
        }
    }

    /// Takes what is published, once the versions that it leaves to the writer are there and up to date: one that is not
    /// would cost a tick what many ticks wrote.
    fn pin(&self, since: u64) -> crate::sync::Arc<Version> {
        let mut made = 0;
        for _ in 0..THIRD_ROUNDS_MAX {
            let Some(Ok(mut writer)) = self.writing.get().map(|writing| writing.lock()) else { break };
            let engine = writer.engine();
            // Every table: who stops at the first that lags would never come to the last.
            let lagging = (0..engine.tables.len()).filter(|table| !engine.freshen(*table, THIRD_STEP_ENTRIES)).count();
            if lagging == 0 {
                // While those of other tables were made, the first may have come to lag beyond what is remembered.
                let mut tables = 0..engine.tables.len();
                let lost = tables.find(|table| engine.version_wanted(*table, VERSIONS, THIRD_BYTES, since).is_some());
                match lost.filter(|_| made < THIRDS_MAX && !self.folder.inline) {
                    None => return self.published.load(),
                    Some(table) => {
                        drop(writer);
                        made += 1;
                        let _ = self.make_third(table, since);
                        continue;
                    }
                }
            }
            drop(writer);
            std::thread::park_timeout(THIRD_PAUSE);
        }
        self.published.load()
    }

    /// The same for a table.
    fn make_third(&self, table: usize, since: u64) -> Option<()> {
        make_third(self.writing.get()?, || self.go_on().is_ok(), table, since)
    }
}

/// Has three versions circulate of a table, if it is large and was written since commit `since`, for as long as `goes_on`
/// says so; `None` when that is done, or there is no need, or no way.
pub(crate) fn make_third(writing: &WritingSide, goes_on: impl Fn() -> bool, table: usize, since: u64) -> Option<()> {
    let (mut wanted, schema) = {
        let mut writer = writing.lock().ok()?;
        let engine = writer.engine();
        (engine.version_wanted(table, VERSIONS, THIRD_BYTES, since)?, engine.catalog.version())
    };
    let mut growing = gently(|| Growing::new(&wanted), || ()).ok()?;
    while goes_on() {
        let mut writer = writing.lock().ok()?;
        let engine = writer.engine();
        // Another may have been made meanwhile, by a writer that could not wait.
        wanted = engine.version_wanted(table, VERSIONS, THIRD_BYTES, since)?;
        if engine.catalog.version() != schema {
            return None;
        }
        if growing.lacks_room(&wanted) {
            drop(writer);
            growing = gently(
                move || {
                    growing.make_room(&wanted);
                    growing
                },
                || (),
            )
            .ok()?;
            continue;
        }
        growing = growing.step(engine.tables.get_mut(table)?, THIRD_STEP_BYTES)?;
        drop(writer);
        std::thread::park_timeout(THIRD_PAUSE);
    }
    None
}

impl<S: Facade> Db<S> {
    /// How durable the database is; `None` without a data folder.
    pub fn durability(&self) -> Option<DurabilityStatus> {
        self.shared.durable.as_ref().map(Durable::status)
    }

    /// Makes everything committed so far durable, whatever the level says. Nothing to do without a data folder.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] if that cannot be.
    pub fn sync(&self) -> Result<()> {
        match &self.shared.durable {
            Some(durable) => durable.log.sync(),
            None => Ok(()),
        }
    }

    /// Takes a snapshot of what is published now, and gives its commit. The loop does not stop for it, and nobody waits but
    /// who asks. Tables with `durability: snapshot` survive as the last snapshot has them.
    ///
    /// # Errors
    /// [`Error::NoDataDir`]; [`Error::ReadOnly`]; [`Error::Io`]; [`Error::Reentrant`] inside a transaction of the same thread,
    /// which it would wait for.
    pub fn snapshot(&self) -> Result<u64> {
        self.snapshot_with(|_, _| {})
    }

    /// The same; `progress` hears of bytes done, and of how many there are.
    ///
    /// # Errors
    /// As [`snapshot`](Db::snapshot).
    pub fn snapshot_with(&self, mut progress: impl FnMut(u64, u64)) -> Result<u64> {
        let durable = self.shared.durable.as_ref().ok_or(Error::NoDataDir)?;
        drop(self.shared.lock()?);
        durable.keeper.snapshot(&mut progress)
    }
}
