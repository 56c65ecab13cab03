//! A result that the loop has yet to give: a future that any executor can poll, and that a thread can wait for.
//!
//! ```text
//!   waiter (Pending) ──► | Waiting, waker | ◄── the loop's answer (Promise)
//!                        | Ready(result)  | ◄── the deadline, if it comes first
//!                        | Taken          |
//! ```
//!
//! Whoever is first to make it ready decides; what comes later is dropped. A promise that is dropped unkept (the queue was
//! closed with the request in it) says that the database has stopped.

use super::Committed;
use super::deadline;
use crate::error::{Error, Result};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What a request will come to. Dropping it gives nothing up: the request is executed all the same.
#[must_use = "a request is executed, but whether it succeeded is only known to who awaits it"]
pub struct Pending<R> {
    shared: Arc<Shared<R>>,
}

/// The other end: what keeps a [`Pending`] waiting, and is to give it its result.
pub(crate) struct Promise<R> {
    shared: Arc<Shared<R>>,
}

pub(crate) struct Shared<R> {
    state: Mutex<State<R>>,
    ready: Condvar,
}

enum State<R> {
    Waiting(Option<Waker>),
    Ready(Result<Committed<R>>),
    Taken,
}

/// The two ends of one result.
pub(crate) fn promise<R>() -> (Promise<R>, Pending<R>) {
    let shared = Arc::new(Shared { state: Mutex::new(State::Waiting(None)), ready: Condvar::new() });
    (Promise { shared: shared.clone() }, Pending { shared })
}

impl<R> Shared<R> {
    fn settle(&self, result: impl FnOnce() -> Result<Committed<R>>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Waiting(waker) = &mut *state {
            let waker = waker.take();
            *state = State::Ready(result());
            drop(state);
            self.ready.notify_all();
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

/// Something that a deadline can settle, whatever its result is.
pub(super) trait Overdue: Send + Sync {
    /// The time is over.
    fn time_out(&self, at_most: Duration);
}

impl<R: Send> Overdue for Shared<R> {
    fn time_out(&self, at_most: Duration) {
        self.settle(|| Err(Error::TimedOut(at_most)));
    }
}

impl<R> Promise<R> {
    /// Gives the result, unless time is over.
    pub(crate) fn keep(self, result: Result<Committed<R>>) {
        self.shared.settle(|| result);
    }
}

impl<R> Drop for Promise<R> {
    fn drop(&mut self) {
        self.shared.settle(|| Err(Error::Stopped));
    }
}

impl<R: Send + 'static> Pending<R> {
    /// The same with a time-out: [`Error::TimedOut`] if there is no result by then. The request may still be executed.
    pub fn at_most(self, time: Duration) -> Pending<R> {
        let shared: Arc<dyn Overdue> = self.shared.clone();
        deadline::set(time, Arc::downgrade(&shared));
        self
    }
}

impl<R> Pending<R> {
    /// One that has its result already.
    pub(super) fn settled(result: Result<Committed<R>>) -> Pending<R> {
        let (promise, pending) = promise();
        promise.keep(result);
        pending
    }

    /// Blocks this thread until the result is there. Not for the loop's own thread, which would wait for itself.
    ///
    /// # Errors
    /// As the future's output.
    pub fn wait(self) -> Result<Committed<R>> {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Ready(result) => return result,
                waiting => *state = waiting,
            }
            state = self.shared.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<R> Future for Pending<R> {
    type Output = Result<Committed<R>>;

    /// Ready once. Polled again after that, it stays pending, as no result is left to give.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Taken) {
            State::Ready(result) => Poll::Ready(result),
            State::Taken => Poll::Pending,
            State::Waiting(_) => {
                *state = State::Waiting(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl<R> std::fmt::Debug for Pending<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        f.write_str(match *state {
            State::Waiting(_) => "Pending(waiting)",
            State::Ready(_) => "Pending(ready)",
            State::Taken => "Pending(taken)",
        })
    }
}
