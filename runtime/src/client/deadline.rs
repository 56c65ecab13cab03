//! Time-outs without a runtime: one thread for the whole process that sleeps until the next deadline.
//!
//! It is started by the first time-out that anybody asks for. What has its result by then costs it a look at a weak
//! reference that leads nowhere.

use super::pending::Overdue;
use crate::clock::{Clock, SystemClock};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

struct Deadline {
    at: Duration,
    at_most: Duration,
    of: Weak<dyn Overdue>,
}

struct Deadlines {
    clock: SystemClock,
    /// The next one first.
    waiting: Mutex<BinaryHeap<Reverse<Deadline>>>,
    earlier: Condvar,
}

/// Has `of` timed out after `at_most`, if it is still there.
pub(super) fn set(at_most: Duration, of: Weak<dyn Overdue>) {
    static DEADLINES: OnceLock<Deadlines> = OnceLock::new();
    let mut is_new = false;
    let deadlines = DEADLINES.get_or_init(|| {
        is_new = true;
        Deadlines { clock: SystemClock::new(), waiting: Mutex::default(), earlier: Condvar::new() }
    });
    let at = deadlines.clock.monotonic().saturating_add(at_most);
    deadlines.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Reverse(Deadline { at, at_most, of }));
    deadlines.earlier.notify_one();
    if is_new {
        let thread = std::thread::Builder::new().name("dbgen-deadlines".to_owned());
        if let Err(error) = thread.spawn(|| deadlines.run()) {
            tracing::error!(%error, "no thread for time-outs: requests wait for as long as it takes");
        }
    }
}

impl Deadlines {
    fn run(&self) -> ! {
        /// How long it sleeps if there is nothing to wait for; setting a deadline wakes it.
        const IDLE: Duration = Duration::from_secs(3600);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let now = self.clock.monotonic();
            let next = waiting.peek().map_or(IDLE, |Reverse(deadline)| deadline.at.saturating_sub(now));
            if next > Duration::ZERO {
                let woken = self.earlier.wait_timeout(waiting, next);
                waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let Some(Reverse(due)) = waiting.pop() else { continue };
            // Whoever is woken may set a deadline at once.
            drop(waiting);
            if let Some(of) = due.of.upgrade() {
                of.time_out(due.at_most);
            }
            waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl PartialEq for Deadline {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Deadline {}

impl PartialOrd for Deadline {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Deadline {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at)
    }
}
