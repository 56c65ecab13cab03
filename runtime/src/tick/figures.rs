//! What the loop measures of itself: histograms per tick and per system.

use super::durations::{Durations, Quantiles};
use crate::clock::Clock;
use crate::db::Database;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Figures of a loop, over a window or a whole run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Over how long.
    pub over: Duration,
    /// Ticks run.
    pub ticks: u64,
    /// How long they took.
    pub tick: Quantiles,
    /// How late they began.
    pub jitter: Quantiles,
    /// Ticks that took longer than their time, each of them once: those that began late because of one are in `jitter`.
    pub overruns: u64,
    /// Ticks that were dropped, since the loop lagged too far behind.
    pub dropped: u64,
    /// Systems and timers that failed or panicked, all runs together.
    pub failures: u64,
    /// The last failure: the system or the timer table, the tick, and what it said.
    pub last_failure: Option<(String, u64, String)>,
    /// Every system's name and how long it took.
    pub systems: Vec<(String, Quantiles)>,
    /// Transactions committed meanwhile, those of other threads included.
    pub commits: u64,
    /// Records in all tables.
    pub records: u64,
}

impl std::fmt::Display for Figures {
    /// One line for a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |d: Duration| d.as_secs_f64() * 1e3;
        write!(
            f,
            "ticks {} | p50 {:.2} ms | p99 {:.2} ms | jitter p99 {:.2} ms | overruns {} | records {} | commits {}",
            self.ticks,
            ms(self.tick.p50),
            ms(self.tick.p99),
            ms(self.jitter.p99),
            self.overruns,
            self.records,
            self.commits
        )?;
        if self.dropped > 0 {
            write!(f, " | dropped {}", self.dropped)?;
        }
        match &self.last_failure {
            Some((system, tick, error)) => {
                write!(f, " | failures {}, the last in `{system}` at tick {tick}: {error}", self.failures)
            }
            None => Ok(()),
        }
    }
}

/// Collects figures: those of the running window, and those of the windows before.
pub(super) struct Recorder {
    names: Vec<String>,
    clock: Arc<dyn Clock>,
    /// When this began: the time, and the clock's count.
    began: (Duration, u64),
    window: Window,
    /// How long systems took that are not in the window yet, by the clock's count, tick after tick: a histogram for each
    /// would fill the cache.
    laps: Vec<u64>,
    total: Window,
    minute: Window,
    hour: Window,
    /// Transactions that were committed before the running window began.
    commits_before: u64,
}

/// How many figures of each period are kept, for charts.
const KEPT_MAX: usize = 120;
/// Times of systems that are kept before they go into histograms.
const LAPS_MAX: usize = 4096;

/// Figures of the last seconds, minutes and hours, the newest last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// A report each; usually a second.
    pub seconds: VecDeque<Arc<Figures>>,
    /// A minute each.
    pub minutes: VecDeque<Arc<Figures>>,
    /// An hour each.
    pub hours: VecDeque<Arc<Figures>>,
}

struct Window {
    over: Duration,
    commits: u64,
    tick: Durations,
    jitter: Durations,
    systems: Vec<Durations>,
    overruns: u64,
    dropped: u64,
    failures: u64,
    last_failure: Option<(String, u64, String)>,
}

impl Window {
    fn new(systems: usize) -> Window {
        Window {
            over: Duration::ZERO,
            commits: 0,
            tick: Durations::default(),
            jitter: Durations::default(),
            systems: (0..systems).map(|_| Durations::default()).collect(),
            overruns: 0,
            dropped: 0,
            failures: 0,
            last_failure: None,
        }
    }

    fn add(&mut self, other: &Window) {
        self.over += other.over;
        self.commits += other.commits;
        self.tick.merge(&other.tick);
        self.jitter.merge(&other.jitter);
        for (mine, theirs) in self.systems.iter_mut().zip(&other.systems) {
            mine.merge(theirs);
        }
        self.overruns += other.overruns;
        self.dropped += other.dropped;
        self.failures += other.failures;
        if other.last_failure.is_some() {
            self.last_failure.clone_from(&other.last_failure);
        }
    }

    /// Takes in how long systems took, all of them in turn, as counts of so many nanoseconds each.
    fn add_laps(&mut self, laps: &[u64], count_ns: f64) {
        for lap in laps.chunks(self.systems.len().max(1)) {
            for (system, took) in self.systems.iter_mut().zip(lap) {
                system.add_ns((*took as f64 * count_ns) as u64);
            }
        }
    }

    fn figures(&self, names: &[String], records: u64) -> Figures {
        Figures {
            over: self.over,
            ticks: self.tick.count(),
            tick: self.tick.quantiles(),
            jitter: self.jitter.quantiles(),
            overruns: self.overruns,
            dropped: self.dropped,
            failures: self.failures,
            last_failure: self.last_failure.clone(),
            systems: names.iter().cloned().zip(self.systems.iter().map(Durations::quantiles)).collect(),
            commits: self.commits,
            records,
        }
    }
}

impl Recorder {
    /// Begins, after so many transactions of the database were committed.
    pub(super) fn new(names: Vec<String>, clock: Arc<dyn Clock>, commits_before: u64) -> Recorder {
        let systems = names.len();
        let window = || Window::new(systems);
        let (began, laps) = ((clock.monotonic(), clock.count()), Vec::new());
        let (total, minute, hour) = (window(), window(), window());
        Recorder { names, clock, began, window: window(), laps, total, minute, hour, commits_before }
    }

    pub(super) fn tick(&mut self, took: Duration) {
        self.window.tick.add(took);
        if self.laps.len() >= LAPS_MAX {
            self.file_laps();
        }
    }

    /// How long the next system took, by the clock's count; a tick runs all of them in turn.
    #[inline]
    pub(super) fn system(&mut self, took: u64) {
        self.laps.push(took);
    }

    fn file_laps(&mut self) {
        self.window.add_laps(&self.laps, self.count_ns());
        self.laps.clear();
    }

    /// Nanoseconds that one of the clock's count stands for.
    fn count_ns(&self) -> f64 {
        let (time, count) = self.began;
        let (time, count) = (self.clock.monotonic().saturating_sub(time), self.clock.count().saturating_sub(count));
        if count == 0 { 1.0 } else { time.as_nanos() as f64 / count as f64 }
    }

    pub(super) fn jitter(&mut self, late: Duration) {
        self.window.jitter.add(late);
    }

    pub(super) fn overrun(&mut self) {
        self.window.overruns += 1;
    }

    pub(super) fn dropped(&mut self, ticks: u64) {
        self.window.dropped += ticks;
    }

    /// A system failed.
    #[cold]
    pub(super) fn system_failure(&mut self, at: usize, tick: u64, error: &Error) {
        let system = self.names.get(at).cloned().unwrap_or_default();
        tracing::error!(%system, tick, %error, "a system failed and was rolled back");
        self.failure(&system, tick, error);
    }

    pub(super) fn failure(&mut self, system: &str, tick: u64, error: &Error) {
        self.window.failures += 1;
        self.window.last_failure = Some((system.to_owned(), tick, error.to_string()));
    }

    /// Ends the window, which took `over`, and gives its figures; `history` gets what they complete.
    pub(super) fn window(&mut self, over: Duration, db: &Database, history: &mut History) -> Result<Arc<Figures>> {
        self.end(over, db)?;
        let window = std::mem::replace(&mut self.window, Window::new(self.names.len()));
        self.total.add(&window);
        let (names, records) = (&self.names, records(db));
        let figures = Arc::new(window.figures(names, records));
        keep(&mut history.seconds, figures.clone());
        self.minute.add(&window);
        if self.minute.over >= MINUTE {
            let minute = std::mem::replace(&mut self.minute, Window::new(names.len()));
            keep(&mut history.minutes, Arc::new(minute.figures(names, records)));
            self.hour.add(&minute);
        }
        if self.hour.over >= HOUR {
            let hour = std::mem::replace(&mut self.hour, Window::new(names.len()));
            keep(&mut history.hours, Arc::new(hour.figures(names, records)));
        }
        Ok(figures)
    }

    /// Says how long the running window took.
    pub(super) fn end(&mut self, over: Duration, db: &Database) -> Result<()> {
        let commits = db.stats()?.commits;
        self.file_laps();
        self.window.over = over;
        self.window.commits = commits - self.commits_before;
        self.commits_before = commits;
        Ok(())
    }

    /// The figures since the start.
    pub(super) fn total(&self, db: &Database) -> Result<Figures> {
        let mut all = Window::new(self.names.len());
        for part in [&self.total, &self.window] {
            all.add(part);
        }
        all.add_laps(&self.laps, self.count_ns());
        all.commits += db.stats()?.commits - self.commits_before;
        Ok(all.figures(&self.names, records(db)))
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn records(db: &Database) -> u64 {
    db.read().tables().map(|table| table.len() as u64).sum()
}

fn keep(ring: &mut VecDeque<Arc<Figures>>, figures: Arc<Figures>) {
    if ring.len() == KEPT_MAX {
        ring.pop_front();
    }
    ring.push_back(figures);
}
