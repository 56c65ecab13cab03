//! Time, injected: the one place that asks the system what time it is, and the one that sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Where time comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
    /// Microseconds since 1970-01-01T00:00:00Z.
    fn wall_us(&self) -> i64;
    /// Sleeps until [`Clock::monotonic`] reaches `deadline`.
    fn sleep_until(&self, deadline: Duration);
    /// Has the system wake this thread as exactly as it can, from now on: for a thread that sleeps until deadlines.
    fn wake_exactly(&self) {}
    /// How long to wait, in the system's time, for something that may come within `span` of this clock's.
    fn patience(&self, span: Duration) -> Duration {
        span
    }
}

/// How long before a deadline the system's sleep ends and spinning begins, in nanoseconds. Nine wake-ups of ten are less
/// late than this on the slowest machine that was measured, a small virtual one (120 us); at 60 Hz it costs 2 % of a core.
pub(crate) const SPIN_NS: u32 = 300_000;

/// The system's clock; sleeps in the system first and spins for the last stretch.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
    sleeper: spin_sleep::SpinSleeper,
}

impl SystemClock {
    /// Starts counting now.
    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    pub fn new() -> SystemClock {
        SystemClock { start: std::time::Instant::now(), sleeper: spin_sleep::SpinSleeper::new(SPIN_NS) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    fn wall_us(&self) -> i64 {
        let now = std::time::SystemTime::now();
        match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => since.as_micros().min(i64::MAX as u128) as i64,
            Err(before) => -(before.duration().as_micros().min(i64::MAX as u128) as i64),
        }
    }

    fn sleep_until(&self, deadline: Duration) {
        let now = self.monotonic();
        if deadline > now {
            self.sleeper.sleep(deadline - now);
        }
    }

    /// Linux may wake a thread 50 us late, so that wake-ups coincide; a thread that keeps a rate asks it not to.
    fn wake_exactly(&self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)) {
            tracing::debug!(%error, "the timer slack of the loop's thread stays as it is");
        }
    }
}

/// How long something takes, in the system's time: for decisions about effort, never about what happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }

    /// Time since.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// A clock that moves only when it is told to: thousands of ticks in a test without sleeping.
#[derive(Debug, Default, Clone)]
pub struct ManualClock {
    now_ns: Arc<AtomicU64>,
}

impl ManualClock {
    /// At zero.
    pub fn new() -> ManualClock {
        ManualClock::default()
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.now_ns.fetch_add(by.as_nanos() as u64, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.now_ns.load(Ordering::SeqCst))
    }

    fn wall_us(&self) -> i64 {
        (self.now_ns.load(Ordering::SeqCst) / 1000) as i64
    }

    /// Sleeping moves the clock.
    fn sleep_until(&self, deadline: Duration) {
        self.now_ns.fetch_max(deadline.as_nanos() as u64, Ordering::SeqCst);
    }

    /// What is not there yet does not come: nobody moves this clock while it is asked.
    fn patience(&self, _: Duration) -> Duration {
        Duration::ZERO
    }
}
