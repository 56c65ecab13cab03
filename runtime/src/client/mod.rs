//! Transactions from other threads, through the loop's queue.
//!
//! `transact` takes the writing side by itself; a client instead hands its transaction to the loop, which executes it
//! between ticks (or at the next one) together with whatever else waits, publishes once, and answers. It never waits for a
//! lock, and a full queue is an answer.
//!
//! - [`Client`]: one call per request, each to be awaited ([`Pending`]); no runtime needed, any will do
//! - [`TransactionBuilder`]: several steps put together, then done as one transaction, here or in the loop
//! - [`Db::enqueue`]: what both stand on, with a function that is called with the result

mod builder;
mod deadline;
mod handle;
mod pending;

pub use builder::{Done, TransactionBuilder};
pub use handle::Client;
pub use pending::Pending;
pub(crate) use pending::promise;

use crate::caught::caught;
use crate::db::{Db, Writer};
use crate::error::Result;
use crate::tick::Answer;
use crate::typed::Facade;
use std::time::Duration;

/// A transaction's result, with the commit that made it visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed<R> {
    /// What the transaction returned.
    pub value: R,
    /// Its commit: every view with at least this number shows its effect.
    pub commit: u64,
    /// Whether no loss of power takes it away: it is in the log, and the log was synced. Of a transaction that only touched
    /// tables that are not logged, or at a [`SyncLevel`](crate::SyncLevel) that waits for no sync, it is not.
    pub durable: bool,
}

impl<S: Facade> Db<S> {
    /// Puts a transaction into the loop's queue. `answer` is called once the result is visible to readers, and as durable as
    /// the [`SyncLevel`](crate::SyncLevel) says: on the loop's thread, or, with a data folder, on that of the log. It must not
    /// block, since others wait for theirs; if it panics, that is told (`tracing`), and nothing else comes of it.
    ///
    /// # Errors
    /// [`QueueFull`](crate::Error::QueueFull) if too many wait already; [`Stopped`](crate::Error::Stopped) if no loop runs. `answer` is not called then.
    pub fn enqueue<R: Send + 'static>(
        &self,
        body: impl FnOnce(&mut S::Tx) -> Result<R> + Send + 'static,
        answer: impl FnOnce(Result<Committed<R>>) + Send + 'static,
    ) -> Result<()> {
        self.enqueue_job(move |writer| writer.run(S::Tx::from, body).into_result(), answer)
    }

    /// Puts something that is done with the writing side into the loop's queue.
    pub(crate) fn enqueue_job<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Writer<'_>) -> Result<R> + Send + 'static,
        answer: impl FnOnce(Result<Committed<R>>) + Send + 'static,
    ) -> Result<()> {
        self.shared.queue.push(Box::new(move |writer| {
            let result = job(writer);
            let (commit, is_logged) = (writer.engine().commit, writer.engine().is_logged());
            let committed = move |value, is_synced| Committed { value, commit, durable: is_logged && is_synced };
            // What was refused was refused, whatever became of the log.
            let told =
                move |synced: Result<bool>| result.and_then(|value| synced.map(|synced| committed(value, synced)));
            // The game's code, on a thread that has others to answer.
            let answered = move |synced| drop(caught("the answer of a request", || answer(told(synced))));
            Box::new(answered) as Answer
        }))
    }

    /// Puts a transaction into the loop's queue and waits for its result.
    ///
    /// # Errors
    /// What `body` returns; [`QueueFull`](crate::Error::QueueFull), [`Stopped`](crate::Error::Stopped), and [`TimedOut`](crate::Error::TimedOut) if there is no answer in
    /// time, in which case the transaction may still be executed.
    pub fn call<R: Send + 'static>(
        &self,
        at_most: Duration,
        body: impl FnOnce(&mut S::Tx) -> Result<R> + Send + 'static,
    ) -> Result<Committed<R>> {
        self.client().transact(body).at_most(at_most).wait()
    }
}
