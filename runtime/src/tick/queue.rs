//! The queue between other threads and the loop: bounded, and full is an answer.
//!
//! A request is a closure that runs as one transaction on the loop's thread. Requests that wait together are published
//! together, and only then answered: who has an answer finds its effect in every view taken afterwards.

use crate::db::{Shared, Writer};
use crate::error::{Error, Result};
use crate::limits::QUEUE_REQUESTS_MAX;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Tells the caller how its request ended, once that is as durable as is asked; it hears whether everything logged by then is
/// synced. An error says that it never will be. Never panics: `Db::enqueue_job` catches what the game's code does.
pub(crate) type Answer = Box<dyn FnOnce(Result<bool>) + Send>;
/// A request: executes its transaction and gives what is to be done once it is published.
pub(crate) type Job = Box<dyn FnOnce(&mut Writer<'_>) -> Answer + Send>;

/// The end of the queue that other threads have.
#[derive(Debug)]
pub(crate) struct Queue {
    /// `None` while no loop runs.
    sender: Mutex<Option<SyncSender<Job>>>,
    /// Requests in it.
    waiting: Arc<AtomicUsize>,
}

/// The end of the queue that the loop has. Dropping it closes the queue.
#[derive(Debug)]
pub(crate) struct Requests {
    receiver: Receiver<Job>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    pub(crate) fn new() -> Queue {
        Queue { sender: Mutex::new(None), waiting: Arc::default() }
    }

    /// Opens the queue for a loop. One loop at a time.
    pub(crate) fn open(&self) -> Result<Requests> {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let (new, receiver) = sync_channel::<Job>(QUEUE_REQUESTS_MAX);
        *sender = Some(new);
        self.waiting.store(0, Ordering::Relaxed);
        Ok(Requests { receiver, waiting: self.waiting.clone() })
    }

    /// Puts a request into the queue.
    pub(crate) fn push(&self, job: Job) -> Result<()> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_ref() else { return Err(Error::Stopped) };
        sender.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => Error::QueueFull { limit: QUEUE_REQUESTS_MAX },
            TrySendError::Disconnected(_) => Error::Stopped,
        })?;
        // Under the same lock as the sending, and the loop takes away what it has received: the number may be too
        // low for a moment, even below zero.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// How many requests are in it.
    pub(crate) fn waiting(&self) -> usize {
        (self.waiting.load(Ordering::Relaxed) as isize).max(0) as usize
    }
}

impl Requests {
    /// The next request, if one comes in time.
    pub(crate) fn wait(&self, at_most: Duration) -> Option<Job> {
        self.receiver.recv_timeout(at_most).ok().inspect(|_| self.taken())
    }

    fn taken(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// The next request, if one waits.
    pub(crate) fn next(&self) -> Option<Job> {
        self.receiver.try_recv().ok().inspect(|_| self.taken())
    }

    /// Executes a request and those that wait behind it, publishes them together, and answers them.
    pub(crate) fn execute(&self, shared: &Shared, first: Job) -> Result<()> {
        /// A group is bounded, so that a flood of requests does not hold up the tick.
        const GROUP_MAX: usize = 256;
        let mut writer = shared.lock()?;
        let mut answers = vec![first(&mut writer)];
        while answers.len() < GROUP_MAX
            && let Some(job) = self.next()
        {
            answers.push(job(&mut writer));
        }
        writer.engine().publish();
        drop(writer);
        for answer in answers {
            shared.when_durable(answer);
        }
        Ok(())
    }
}
