//! Time-outs without a runtime: one thread for the whole process that sleeps until the next deadline.
//!
//! It is started by the first time-out that anybody asks for. What has its result by then costs it a look at a weak
//! reference that leads nowhere; such references do not gather until their time has come, but are thrown out whenever there
//! are twice as many as were left the last time. So there are no more than twice as many as requests that really wait, or
//! [`KEPT_MIN`], however far away their deadlines are.

use super::pending::Overdue;
use crate::caught::caught;
use crate::clock::{Clock, SystemClock};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

/// Deadlines that are kept before anybody looks whether they are still waited for.
const KEPT_MIN: usize = 1024;

struct Deadline {
    at: Duration,
    at_most: Duration,
    of: Weak<dyn Overdue>,
}

struct Deadlines {
    clock: SystemClock,
    waiting: Mutex<Waiting>,
    earlier: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// The next one first.
    heap: BinaryHeap<Reverse<Deadline>>,
    /// How many were waited for when it was last looked.
    live: usize,
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
    deadlines.waiting().push(Deadline { at, at_most, of });
    deadlines.earlier.notify_one();
    if is_new {
        let thread = std::thread::Builder::new().name("dbgen-deadlines".to_owned());
        if let Err(error) = thread.spawn(|| deadlines.run()) {
            tracing::error!(%error, "no thread for time-outs: requests wait for as long as it takes");
        }
    }
}

impl Waiting {
    fn push(&mut self, deadline: Deadline) {
        if self.heap.len() >= KEPT_MIN.max(2 * self.live) {
            self.heap.retain(|Reverse(deadline)| deadline.of.strong_count() > 0);
            self.live = self.heap.len();
        }
        self.heap.push(Reverse(deadline));
    }
}

impl Deadlines {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) -> ! {
        /// How long it sleeps if there is nothing to wait for; setting a deadline wakes it.
        const IDLE: Duration = Duration::from_secs(3600);
        let mut waiting = self.waiting();
        loop {
            let now = self.clock.monotonic();
            let next = waiting.heap.peek().map_or(IDLE, |Reverse(deadline)| deadline.at.saturating_sub(now));
            if next > Duration::ZERO {
                let woken = self.earlier.wait_timeout(waiting, next.min(IDLE));
                waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let Some(Reverse(due)) = waiting.heap.pop() else { continue };
            // Whoever is woken may set a deadline at once.
            drop(waiting);
            if let Some(of) = due.of.upgrade() {
                // A waker is the code of some executor, and this thread everybody's. If it panics, that is told.
                let _ = caught("the waker of a request", move || of.time_out(due.at_most));
            }
            waiting = self.waiting();
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    struct Request;

    impl Overdue for Request {
        fn time_out(&self, _: Duration) {}
    }

    fn deadline(of: &Arc<dyn Overdue>) -> Deadline {
        // The time of `at_most(Duration::MAX)`, which never comes.
        Deadline { at: Duration::MAX, at_most: Duration::MAX, of: Arc::downgrade(of) }
    }

    /// Every request that was answered in time left its deadline behind until that came: with a time-out of a minute and 50,000
    /// requests a second, three million of them, and with one that never comes, all.
    #[test]
    fn what_has_its_answer_is_not_kept_until_its_deadline() {
        let mut waiting = Waiting::default();
        let slow: Vec<Arc<dyn Overdue>> = (0..3000).map(|_| Arc::new(Request) as Arc<dyn Overdue>).collect();
        slow.iter().for_each(|request| waiting.push(deadline(request)));
        for _ in 0..100_000 {
            let answered: Arc<dyn Overdue> = Arc::new(Request);
            waiting.push(deadline(&answered));
        }
        assert!(waiting.heap.len() <= 2 * slow.len() + 1, "{}", waiting.heap.len());
        let kept = waiting.heap.iter().filter(|Reverse(deadline)| deadline.of.strong_count() > 0).count();
        assert_eq!(kept, slow.len(), "who waits is still waited for");
    }
}
