//! The queue between other threads and the loop: bounded, and full is an answer.
//!
//! A request is a closure that runs as one transaction on the loop's thread. Requests that wait together are published
//! together, and only then answered: who has an answer finds its effect in every view taken afterwards.

use crate::db::{Shared, Writer};
use crate::error::{Error, Result};
use crate::limits::QUEUE_REQUESTS_MAX;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Tells the caller how its request ended, once that is as durable as is asked; it hears whether everything logged by then is
/// synced. An error says that it never will be. Never panics: `Db::enqueue_job` catches what the game's code does.
pub(crate) type Answer = Box<dyn FnOnce(Result<bool>) + Send>;
/// A request: executes its transaction and gives what is to be done once it is published.
pub(crate) type Job = Box<dyn FnOnce(&mut Writer<'_>) -> Answer + Send>;

/// A group is bounded, so that a flood of requests does not hold up the tick, and that who waits sees an end.
pub(super) const GROUP_MAX: usize = 256;

/// The end of the queue that other threads have.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    entrance: Arc<Entrance>,
}

/// Where requests come in.
#[derive(Debug, Default)]
struct Entrance {
    /// There is one exactly while a loop has the other end: it opens the entrance, and closes it when it ends, however it ends.
    sender: Mutex<Option<SyncSender<Job>>>,
    /// Requests in the queue.
    waiting: AtomicUsize,
}

/// The end of the queue that the loop has. Dropping it closes the queue: what waits is dropped, and its callers are told so.
#[derive(Debug)]
pub(crate) struct Requests {
    receiver: Receiver<Job>,
    entrance: Arc<Entrance>,
}

impl Entrance {
    fn sender(&self) -> MutexGuard<'_, Option<SyncSender<Job>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests are in the queue.
    fn waiting(&self) -> usize {
        (self.waiting.load(Ordering::Relaxed) as isize).max(0) as usize
    }
}

impl Queue {
    /// Opens the queue for a loop.
    ///
    /// # Errors
    /// [`Error::Stopped`] while another loop has it: there is one at a time.
    pub(crate) fn open(&self) -> Result<Requests> {
        let mut sender = self.entrance.sender();
        if sender.is_some() {
            return Err(Error::Stopped);
        }
        let (new, receiver) = sync_channel::<Job>(QUEUE_REQUESTS_MAX);
        *sender = Some(new);
        Ok(Requests { receiver, entrance: self.entrance.clone() })
    }

    /// Puts a request into the queue.
    pub(crate) fn push(&self, job: Job) -> Result<()> {
        let sender = self.entrance.sender();
        let Some(sender) = sender.as_ref() else { return Err(Error::Stopped) };
        sender.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => Error::QueueFull { limit: QUEUE_REQUESTS_MAX },
            TrySendError::Disconnected(_) => Error::Stopped,
        })?;
        // Under the same lock as the sending, and the loop takes away what it has received: the number may be too
        // low for a moment, even below zero.
        self.entrance.waiting.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// How many requests are in it.
    pub(crate) fn waiting(&self) -> usize {
        self.entrance.waiting()
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        // The receiver goes after this, and with it what waits: nothing comes in any more by then, and whoever is told may
        // ask again, and hears that nobody runs.
        let mut sender = self.entrance.sender();
        *sender = None;
        self.entrance.waiting.store(0, Ordering::Relaxed);
    }
}

impl Requests {
    /// The next request, if one comes in time.
    pub(crate) fn wait(&self, at_most: Duration) -> Option<Job> {
        self.receiver.recv_timeout(at_most).ok().inspect(|_| self.taken())
    }

    fn taken(&self) {
        self.entrance.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// The next request, if one waits.
    pub(crate) fn next(&self) -> Option<Job> {
        self.receiver.try_recv().ok().inspect(|_| self.taken())
    }

    /// How many requests wait.
    pub(crate) fn waiting(&self) -> usize {
        self.entrance.waiting()
    }

    /// Executes `first` and requests that wait behind it, as one group of at most so many: publishes them together, and then
    /// answers them. Gives how many they were.
    ///
    /// # Errors
    /// [`Error::Reentrant`] inside a transaction of the same thread: then none was taken out of the queue.
    pub(crate) fn execute(&self, shared: &Shared, first: Option<Job>, at_most: usize) -> Result<usize> {
        let mut writer = shared.lock()?;
        let waiting = first.into_iter().chain(std::iter::from_fn(|| self.next()));
        let group = waiting.take(at_most.min(GROUP_MAX));
        let answers: Vec<Answer> = group.map(|job| job(&mut writer)).collect();
        writer.engine().publish();
        drop(writer);
        let executed = answers.len();
        for answer in answers {
            shared.when_durable(answer);
        }
        Ok(executed)
    }
}
