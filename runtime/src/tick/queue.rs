//! The queue between other threads and the loop: bounded, and full is an answer.
//!
//! A request is a closure that runs as one transaction on the loop's thread. Requests that wait together are published
//! together, and only then answered: who has an answer finds its effect in every view taken afterwards.

use crate::db::{Shared, Writer};
use crate::error::{Error, Result};
use crate::limits::QUEUE_REQUESTS_MAX;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Tells the caller how its request ended.
pub(crate) type Answer = Box<dyn FnOnce() + Send>;
/// A request: executes its transaction and gives what is to be done once it is published.
pub(crate) type Job = Box<dyn FnOnce(&mut Writer<'_>) -> Answer + Send>;

/// The end of the queue that other threads have.
#[derive(Debug)]
pub(crate) struct Queue {
    /// `None` while no loop runs.
    sender: Mutex<Option<SyncSender<Job>>>,
}

/// The end of the queue that the loop has. Dropping it closes the queue.
#[derive(Debug)]
pub(crate) struct Requests {
    receiver: Receiver<Job>,
}

impl Queue {
    pub(crate) fn new() -> Queue {
        Queue { sender: Mutex::new(None) }
    }

    /// Opens the queue for a loop. One loop at a time.
    pub(crate) fn open(&self) -> Result<Requests> {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let (new, receiver) = sync_channel::<Job>(QUEUE_REQUESTS_MAX);
        *sender = Some(new);
        Ok(Requests { receiver })
    }

    /// Puts a request into the queue.
    pub(crate) fn push(&self, job: Job) -> Result<()> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_ref() else { return Err(Error::Stopped) };
        sender.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => Error::QueueFull { limit: QUEUE_REQUESTS_MAX },
            TrySendError::Disconnected(_) => Error::Stopped,
        })
    }
}

impl Requests {
    /// The next request, if one comes in time.
    pub(crate) fn wait(&self, at_most: Duration) -> Option<Job> {
        self.receiver.recv_timeout(at_most).ok()
    }

    /// The next request, if one waits.
    pub(crate) fn next(&self) -> Option<Job> {
        self.receiver.try_recv().ok()
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
        answers.into_iter().for_each(|answer| answer());
        Ok(())
    }
}
