//! Time, injected: the one place that asks the system what time it is, and the one that sleeps.

mod counter;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Where time comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
    /// A count that goes on with [`Clock::monotonic`], at a fixed rate, and takes less time to read: for the parts of
    /// something whose whole is timed. Nanoseconds, if a clock has nothing cheaper.
    fn count(&self) -> u64 {
        self.monotonic().as_nanos() as u64
    }
    /// Microseconds since 1970-01-01T00:00:00Z.
    fn wall_us(&self) -> i64;
    /// Sleeps until [`Clock::monotonic`] reaches `deadline`.
    fn sleep_until(&self, deadline: Duration);
    /// Has the system wake this thread as exactly as it can, from now on: for a thread that sleeps until deadlines.
    fn wake_exactly(&self) {}
    /// How long before a deadline to wake, and to spin from then on: how late the system wakes threads here.
    fn margin(&self) -> Duration {
        Duration::ZERO
    }
    /// The system was to wake this thread at `due`, and it runs again only now: what [`Clock::margin`] learns from.
    fn woken(&self, due: Duration) {
        let _ = due;
    }
    /// How long to wait, in the system's time, for something that may come within `span` of this clock's.
    fn patience(&self, span: Duration) -> Duration {
        span
    }
}

/// How early before a deadline a thread wakes, learned from how late it was woken.
///
/// It follows the value that one wake-up of [`ONE_IN`](Margin::ONE_IN) exceeds: it grows at once after a late one, by a step,
/// and shrinks by the `ONE_IN`th part of a step after each that was in time. So a machine that wakes within 60 us spins for
/// little more than that, and one that is late by a millisecond now and then keeps its ticks on time for 6 % of a core.
#[derive(Debug)]
struct Margin {
    ns: AtomicU64,
}

impl Margin {
    /// One wake-up of so many may be later: fewer than the hundredth that the 99th percentile of the jitter leaves aside.
    const ONE_IN: u64 = 512;
    const STEP_NS: u64 = 200_000;
    const MIN_NS: u64 = 100_000;
    /// At 60 Hz a tenth of a core; later than that is not the timer's doing but another thread's that has the core.
    const MAX_NS: u64 = 2_000_000;

    fn get(&self) -> Duration {
        Duration::from_nanos(self.ns.load(Ordering::Relaxed))
    }

    fn learn(&self, late: Duration) {
        let margin = self.ns.load(Ordering::Relaxed);
        let next = match late.as_nanos() > margin.into() {
            true => margin + Margin::STEP_NS,
            false => margin - margin.min(Margin::STEP_NS / Margin::ONE_IN),
        };
        self.ns.store(next.clamp(Margin::MIN_NS, Margin::MAX_NS), Ordering::Relaxed);
    }
}

/// What is not worth a sleep: going to sleep and waking takes as long.
const SLEEP_MIN: Duration = Duration::from_micros(50);

/// The system's clock; sleeps in the system first and spins for the last stretch, whose length it learns.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
    margin: Margin,
}

impl SystemClock {
    /// Starts counting now.
    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    pub fn new() -> SystemClock {
        let margin = Margin { ns: AtomicU64::new(300_000) };
        SystemClock { start: std::time::Instant::now(), margin }
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

    #[inline]
    fn count(&self) -> u64 {
        counter::read().unwrap_or_else(|| self.monotonic().as_nanos() as u64)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    fn wall_us(&self) -> i64 {
        let now = std::time::SystemTime::now();
        match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => since.as_micros().min(i64::MAX as u128) as i64,
            Err(before) => -(before.duration().as_micros().min(i64::MAX as u128) as i64),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    fn sleep_until(&self, deadline: Duration) {
        let (now, due) = (self.monotonic(), deadline.saturating_sub(self.margin()));
        if due > now + SLEEP_MIN {
            std::thread::sleep(due - now);
            self.woken(due);
        }
        // Not yielding: who gets the core then keeps it for milliseconds.
        while self.monotonic() < deadline {
            std::hint::spin_loop();
        }
    }

    fn margin(&self) -> Duration {
        self.margin.get()
    }

    fn woken(&self, due: Duration) {
        self.margin.learn(self.monotonic().saturating_sub(due));
    }

    /// Linux may wake a thread 50 us late, so that wake-ups coincide; a thread that keeps a rate asks it not to.
    fn wake_exactly(&self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)) {
            tracing::debug!(%error, "the timer slack of the loop's thread stays as it is");
        }
    }
}

/// Has the calling thread let others go first where there are more of them than cores: it does what nobody waits for. Linux
/// knows of this for a single thread; elsewhere nothing changes.
pub(crate) fn give_way() {
    #[cfg(target_os = "linux")]
    {
        const NICE: i32 = 10;
        if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE) {
            tracing::debug!(%error, "the priority of a background thread stays as it is");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_goes_on_with_the_time() {
        let clock = SystemClock::new();
        let (time, count) = (clock.monotonic(), clock.count());
        while clock.monotonic() == time {}
        assert!(clock.count() > count);
        let manual = ManualClock::new();
        manual.advance(Duration::from_micros(3));
        assert_eq!(manual.count(), 3000);
    }

    fn after(late_us: impl Iterator<Item = u64>) -> u128 {
        let margin = Margin { ns: AtomicU64::new(300_000) };
        late_us.for_each(|late| margin.learn(Duration::from_micros(late)));
        margin.get().as_micros()
    }

    #[test]
    fn the_margin_follows_how_late_threads_are_woken() {
        assert_eq!(after((0..2000).map(|_| 60)), 100, "no less than its least");
        // One of a hundred is late by 0.8 ms: nearly all ticks are in time then.
        let margin = after((0..6000).map(|n| if n % 100 == 0 { 800 } else { 70 }));
        assert!((700..=1100).contains(&margin), "{margin}");
        assert_eq!(after((0..100).map(|_| 50_000)), 2000, "no more than its most");
        let margin = after((0..6000).map(|n| if n == 0 { 30_000 } else { 60 }));
        assert!(margin < 110, "one that was very late is forgotten: {margin}");
    }
}
