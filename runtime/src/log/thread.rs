//! The log's thread: it writes and syncs, so that the loop never does, and says when what is durable.
//!
//! **Group commit.** It takes everything that waits, writes it at once and syncs once; what comes meanwhile is the next
//! round. So one slow sync acknowledges all commits that queued behind the one before.
//!
//! **The queue is bounded**, in groups and in bytes. When it is full, the writer of the database waits; readers go on.
//! `queue_waits` counts it.
//!
//! **A failure is final.** The first error of a write or a sync is kept; whoever waits gets it, and so does every later
//! commit ([`CommitSink::refusal`]). The disk is not asked again.
//!
//! **No number ahead of the log.** At most [`COMMITS_AHEAD_MAX`] commits are given out behind the last one that is durable,
//! synced or not, logged or not: `format` says why. Half of that behind, a sync is asked for, whatever the level; who
//! commits that much faster than the disk syncs waits.
//!
//! In a simulation there is no thread: `append` writes and syncs by itself, in the same order.

use super::writer::{End, LogWriter};
use crate::error::{Error, Result};
use crate::limits::COMMITS_AHEAD_MAX;
use crate::redo::{CommitSink, Group};
use crate::storage::Disk;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Groups that wait for the log before the writer does.
const QUEUE_GROUPS_MAX: usize = 1024;
/// Bytes of groups that wait for the log before the writer does; one group may be longer.
const QUEUE_BYTES_MAX: usize = 64 << 20;
/// Bytes written at once.
const ROUND_BYTES_MAX: usize = 8 << 20;
/// How long nothing may come before a marker is written, and before what need not be synced is.
const IDLE: Duration = Duration::from_millis(200);

/// When a commit is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncLevel {
    /// Once it is visible. Survives nothing.
    Memory,
    /// Once it is written to the log file. Survives the end of the process.
    Buffered,
    /// Once it is synced, with all that waits beside it. Survives the loss of power.
    #[default]
    Group,
    /// Once it is synced, by a sync of its own. Survives the loss of power.
    Immediate,
}

impl SyncLevel {
    /// Whether a commit is not acknowledged before it is synced.
    #[cfg(feature = "server")]
    pub(crate) fn waits_for_sync(self) -> bool {
        matches!(self, SyncLevel::Group | SyncLevel::Immediate)
    }
}

/// Called on the log's thread once a commit is as durable as is asked; must not block.
/// Hears whether it is synced.
pub(crate) type WhenDurable = Box<dyn FnOnce(Result<bool>) + Send>;

/// What the log is told when it begins.
#[derive(Debug, Clone)]
pub(crate) struct LogConfig {
    pub(crate) disk: Disk,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: [u8; 16],
    pub(crate) segment_bytes: u64,
    pub(crate) level: SyncLevel,
    /// No thread: for simulations.
    pub(crate) inline: bool,
}

/// How far the log is.
#[derive(Default)]
struct Progress {
    /// The last commit that is as durable as the level asks.
    acknowledged: u64,
    /// The last commit that is synced.
    durable: u64,
    /// The last commit that was appended.
    appended: u64,
    /// Segments with the first commit that each may hold, oldest first.
    segments: Vec<(u64, u64)>,
    /// Bytes appended since the log began.
    bytes: u64,
    /// The first failure.
    fault: Option<String>,
    waiting: Vec<(u64, WhenDurable)>,
    /// How often the writer found the queue full.
    queue_waits: u64,
    /// Bytes of groups in the queue, or being written.
    queued_bytes: usize,
}

#[derive(Default)]
struct State {
    progress: Mutex<Progress>,
    changed: Condvar,
    /// The last commit that anybody may have seen.
    seen: AtomicU64,
    /// From here on a sync is asked for.
    due: AtomicU64,
    /// The database is open, and can be closed.
    is_open: AtomicBool,
}

enum Message {
    Group(Group),
    /// Sync everything before it, whatever the level, and tell who waits.
    Sync(Option<SyncSender<()>>),
}

enum Writing {
    Thread { queue: Option<SyncSender<Message>>, thread: Option<JoinHandle<()>> },
    Inline(Box<Mutex<Worker>>),
}

/// The log of an open database. Clones are handles to the same one.
#[derive(Clone)]
pub struct Log {
    shared: Arc<Shared>,
}

struct Shared {
    state: Arc<State>,
    writing: Mutex<Writing>,
    level: SyncLevel,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Log(durable {})", self.durable())
    }
}

impl Log {
    /// Begins a new segment behind `end`, where everything is durable.
    pub(crate) fn begin(config: LogConfig, end: End) -> Result<Log> {
        let LogConfig { disk, data_dir, database, segment_bytes, level, inline } = config;
        let level = if disk.sabotage().acknowledge_before_sync { SyncLevel::Buffered } else { level };
        let writer = LogWriter::begin(disk, &data_dir, database, segment_bytes, end)?;
        let state = Arc::new(State::default());
        {
            let mut progress = state.lock();
            (progress.acknowledged, progress.durable, progress.appended) = (end.commit, end.commit, end.commit);
            progress.segments = vec![(writer.end().segment, end.commit + 1)];
        }
        state.seen.store(end.commit, Ordering::Relaxed);
        state.is_durable(end.commit);
        let worker = Worker { writer, state: state.clone(), level, is_spent: false };
        let writing = if inline {
            Writing::Inline(Box::new(Mutex::new(worker)))
        } else {
            let (queue, messages) = sync_channel(QUEUE_GROUPS_MAX);
            let thread = std::thread::Builder::new().name("dbgen-log".to_owned()).spawn(move || worker.run(&messages));
            let thread = thread.map_err(|source| Error::Io { path: "the log's thread".to_owned(), source })?;
            Writing::Thread { queue: Some(queue), thread: Some(thread) }
        };
        Ok(Log { shared: Arc::new(Shared { state, writing: Mutex::new(writing), level }) })
    }

    /// The database is open: its end will be noted. What a start that fails leaves behind is the log as it was.
    pub(crate) fn is_open(&self) {
        self.shared.state.is_open.store(true, Ordering::Relaxed);
    }

    /// When a commit is acknowledged.
    pub fn level(&self) -> SyncLevel {
        self.shared.level
    }

    /// The last commit that is synced.
    pub fn durable(&self) -> u64 {
        self.shared.state.lock().durable
    }

    /// The last commit that the log was given.
    pub fn appended(&self) -> u64 {
        self.shared.state.lock().appended
    }

    /// The number of a segment in which, or behind which, every commit from `commit` on lies.
    pub(crate) fn segment_of(&self, commit: u64) -> u64 {
        let progress = self.shared.state.lock();
        let before = progress.segments.iter().rfind(|(_, first)| *first <= commit);
        before.or(progress.segments.first()).map_or(1, |(segment, _)| *segment)
    }

    /// Bytes of all records since the database was opened.
    pub fn bytes(&self) -> u64 {
        self.shared.state.lock().bytes
    }

    /// Why nothing can be committed any more, if so.
    pub fn fault(&self) -> Option<String> {
        self.shared.state.lock().fault.clone()
    }

    /// How often a commit waited, since the log's queue was full.
    pub fn queue_waits(&self) -> u64 {
        self.shared.state.lock().queue_waits
    }

    /// Waits until everything appended so far is as durable as the level asks; says whether it is synced.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] if it never will be.
    pub fn wait(&self) -> Result<bool> {
        let state = &self.shared.state;
        let mut progress = state.lock();
        let commit = progress.appended;
        if self.shared.level == SyncLevel::Memory {
            return progress.check().map(|()| progress.durable >= commit);
        }
        while progress.acknowledged < commit {
            progress.check()?;
            progress = state.changed.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(progress.durable >= commit)
    }

    /// Calls `then` once everything appended so far is as durable as the level asks, or never will be.
    pub(crate) fn when_durable(&self, then: WhenDurable) {
        let mut progress = self.shared.state.lock();
        let commit = progress.appended;
        let checked = if progress.acknowledged >= commit { Ok(()) } else { progress.check() };
        let checked = checked.map(|()| progress.durable >= commit);
        if checked.is_err() || self.shared.level == SyncLevel::Memory || progress.acknowledged >= commit {
            drop(progress);
            return then(checked);
        }
        progress.waiting.push((commit, then));
    }

    /// Syncs everything appended so far, whatever the level.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] if that fails, or something failed before.
    pub fn sync(&self) -> Result<()> {
        let wait = {
            let writing = self.shared.writing.lock().unwrap_or_else(PoisonError::into_inner);
            match &*writing {
                Writing::Inline(worker) => {
                    lock(worker).sync_now();
                    None
                }
                Writing::Thread { queue, .. } => {
                    let (sender, receiver) = sync_channel(1);
                    // A thread that has ended has left its failure behind, which is told below.
                    queue.as_ref().and_then(|queue| queue.send(Message::Sync(Some(sender))).ok());
                    Some(receiver)
                }
            }
        };
        if let Some(receiver) = wait {
            receiver.recv().ok();
        }
        self.shared.state.lock().check()
    }
}

impl CommitSink for Log {
    fn wants(&self, commit: u64) -> bool {
        // Only who writes commits: no two do it at once.
        self.shared.state.seen.store(commit, Ordering::Relaxed);
        commit >= self.shared.state.due.load(Ordering::Relaxed)
    }

    fn append(&mut self, group: Group) {
        let commit = group.commit;
        self.put(group);
        if commit >= self.shared.state.due.load(Ordering::Relaxed) {
            self.catch_up(commit);
        }
    }

    fn refusal(&self) -> Option<Error> {
        self.shared.state.lock().check().err()
    }
}

impl Log {
    fn put(&self, group: Group) {
        let writing = self.shared.writing.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut progress = self.shared.state.lock();
            progress.appended = group.commit;
            progress.bytes += super::format::record_bytes(group.payload.len()) as u64;
        }
        match &*writing {
            Writing::Inline(worker) => lock(worker).round(vec![group]),
            Writing::Thread { queue, .. } => {
                let Some(queue) = queue else { return };
                self.shared.state.wait_for_room(group.payload.len());
                if let Err(std::sync::mpsc::TrySendError::Full(message)) = queue.try_send(Message::Group(group)) {
                    self.shared.state.lock().queue_waits += 1;
                    // If the thread has ended, its failure is what every commit meets.
                    queue.send(message).ok();
                }
            }
        }
    }

    /// Has everything up to `commit` synced, and waits if the log is too far behind.
    #[cold]
    fn catch_up(&self, commit: u64) {
        match &*lock(&self.shared.writing) {
            Writing::Inline(worker) => return lock(worker).sync_now(),
            // A full queue holds enough that is about to be synced, or asks for it.
            Writing::Thread { queue, .. } => drop(queue.as_ref().map(|queue| queue.try_send(Message::Sync(None)))),
        }
        let state = &self.shared.state;
        let mut progress = state.lock();
        while progress.durable + COMMITS_AHEAD_MAX <= commit && progress.fault.is_none() {
            progress = state.changed.wait_timeout(progress, IDLE).unwrap_or_else(PoisonError::into_inner).0;
            // It may have been full then.
            drop(progress);
            if let Writing::Thread { queue: Some(queue), .. } = &*lock(&self.shared.writing) {
                queue.try_send(Message::Sync(None)).ok();
            }
            progress = state.lock();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let writing = self.writing.get_mut().unwrap_or_else(PoisonError::into_inner);
        match writing {
            Writing::Inline(worker) => lock(worker).close(),
            Writing::Thread { queue, thread } => {
                *queue = None;
                // The last handle may be dropped by an answer, on the log's own thread.
                if let Some(thread) = thread.take().filter(|it| it.thread().id() != std::thread::current().id()) {
                    thread.join().ok();
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    /// Everything up to `commit` is.
    fn is_durable(&self, commit: u64) {
        self.due.store(commit + COMMITS_AHEAD_MAX / 2, Ordering::Relaxed);
    }

    /// Waits until so many bytes fit into the queue, and takes the room.
    fn wait_for_room(&self, bytes: usize) {
        let mut progress = self.lock();
        let is_full = |it: &Progress| it.queued_bytes > 0 && it.queued_bytes + bytes > QUEUE_BYTES_MAX;
        if is_full(&progress) {
            progress.queue_waits += 1;
        }
        // After a failure nothing is written any more, and the room not given back.
        while is_full(&progress) && progress.fault.is_none() {
            progress = self.changed.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        progress.queued_bytes += bytes;
    }
}

impl Progress {
    fn check(&self) -> Result<()> {
        match &self.fault {
            Some(why) => Err(Error::ReadOnly { why: why.clone() }),
            None => Ok(()),
        }
    }
}

/// A panic of the log's thread is a failure like those of the disk: without it nobody would write the log, and nobody know.
struct Ending(Arc<State>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut progress = self.0.lock();
            progress.fault.get_or_insert("the log's thread panicked; the log says nothing more".to_owned());
            let waiting = std::mem::take(&mut progress.waiting);
            drop(progress);
            self.0.changed.notify_all();
            // Who waits for them hears that they are gone.
            drop(waiting);
        }
    }
}

/// What the thread does.
struct Worker {
    writer: LogWriter,
    state: Arc<State>,
    level: SyncLevel,
    /// Something failed: the disk is not asked again.
    is_spent: bool,
}

impl Worker {
    fn run(mut self, messages: &Receiver<Message>) {
        let _ending = Ending(self.state.clone());
        let mut is_idle = true;
        loop {
            let message = if is_idle {
                messages.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                messages.recv_timeout(IDLE)
            };
            match message {
                Ok(message) => {
                    self.take(message, messages);
                    is_idle = false;
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.rest();
                    is_idle = true;
                }
                Err(RecvTimeoutError::Disconnected) => return self.close(),
            }
        }
    }

    /// Takes a message and all that wait behind it, as one round.
    fn take(&mut self, first: Message, messages: &Receiver<Message>) {
        let (mut groups, mut bytes, mut next) = (Vec::new(), 0, Some(first));
        while let Some(message) = next {
            match message {
                Message::Group(group) => {
                    bytes += group.payload.len();
                    groups.push(group);
                }
                Message::Sync(done) => {
                    self.round(std::mem::take(&mut groups));
                    self.sync_now();
                    // Who asked may have gone.
                    done.and_then(|done| done.send(()).ok());
                }
            }
            next = if bytes < ROUND_BYTES_MAX { messages.try_recv().ok() } else { None };
        }
        self.round(groups);
    }

    /// Writes groups, and syncs them if the level asks for it.
    fn round(&mut self, groups: Vec<Group>) {
        if groups.is_empty() {
            return;
        }
        if self.is_spent {
            return self.tell(Ok(()));
        }
        let bytes = groups.iter().map(|group| group.payload.len()).sum::<usize>();
        let synced = match self.level {
            SyncLevel::Immediate => groups.iter().try_for_each(|group| {
                self.writer.append(group)?;
                self.writer.sync()
            }),
            level => groups.iter().try_for_each(|group| self.writer.append(group)).and_then(|()| {
                self.writer.write()?;
                if level == SyncLevel::Group { self.writer.sync() } else { Ok(()) }
            }),
        };
        {
            let mut progress = self.state.lock();
            progress.queued_bytes = progress.queued_bytes.saturating_sub(bytes);
        }
        self.tell(synced);
    }

    fn sync_now(&mut self) {
        if !self.is_spent && self.writer.durable() < self.writer.end().commit {
            let synced = self.writer.sync();
            self.tell(synced);
        }
    }

    /// Nothing came for a while: what is not synced is, and the end of the log is marked.
    fn rest(&mut self) {
        self.sync_now();
        if !self.is_spent {
            let marked = self.writer.mark().and_then(|new| if new { self.writer.sync() } else { Ok(()) });
            self.tell(marked);
        }
    }

    /// Nothing will come any more: everything is synced, and so is that there is no more.
    fn close(&mut self) {
        if !self.state.is_open.load(Ordering::Relaxed) {
            return self.rest();
        }
        self.sync_now();
        if !self.is_spent {
            let closed = self.writer.close(self.state.seen.load(Ordering::Relaxed)).and_then(|()| self.writer.sync());
            self.tell(closed);
        }
    }

    /// Tells everybody how far the log is, or why it is no further.
    fn tell(&mut self, done: Result<()>) {
        let mut progress = self.state.lock();
        match done {
            Ok(()) if !self.is_spent => {
                progress.durable = self.writer.durable();
                self.state.is_durable(progress.durable);
                progress.acknowledged = self.writer.end().commit;
                progress.segments.extend(self.writer.begun().map(|begun| (begun.segment, begun.first_commit)));
            }
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, "the log cannot be written: the database is read-only from now on");
                self.is_spent = true;
                progress.fault.get_or_insert(error.to_string());
            }
        }
        let (acknowledged, durable, is_over) = (progress.acknowledged, progress.durable, progress.fault.is_some());
        let (ready, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut progress.waiting)
            .into_iter()
            .partition(|(commit, _)| is_over || *commit <= acknowledged);
        progress.waiting = waiting;
        let answers: Vec<_> = ready
            .into_iter()
            .map(|(commit, then)| {
                let checked = if commit <= acknowledged { Ok(()) } else { progress.check() };
                (then, checked.map(|()| commit <= durable))
            })
            .collect();
        drop(progress);
        self.state.changed.notify_all();
        answers.into_iter().for_each(|(then, result)| then(result));
    }
}

#[cfg(test)]
mod tests;
