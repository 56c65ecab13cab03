//! How the sides of a scene are timed: in rounds, ours, a peer, the next peer, ours again, so that all of them meet the
//! same moods of the machine.
//!
//! A side does its work once per call and says how many items that was. Before the first round each side runs until the
//! caches, the allocator and the versions that circulate are as they are after a while; that also tells how many calls make
//! a run long enough for the clock. What remains of a run is nanoseconds per item; of the runs, the minimum and the median.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Runs of each side.
const ROUNDS: usize = 21;
/// A scene whose runs are long ends early, but not before this many.
const ROUNDS_MIN: usize = 5;
/// What a scene may take before it ends early.
const SCENE_TIME_MAX: Duration = Duration::from_secs(15);
/// One run of one side takes at least this long.
const RUN_TIME_MIN: Duration = Duration::from_millis(5);
const WARM_UP_CALLS: usize = 3;

/// What a side that times itself measured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    pub time: Duration,
    pub items: u64,
}

impl std::iter::Sum for Sample {
    fn sum<I: Iterator<Item = Sample>>(samples: I) -> Sample {
        samples
            .fold(Sample::default(), |sum, next| Sample { time: sum.time + next.time, items: sum.items + next.items })
    }
}

/// Times `work`, which handles so many items.
pub fn timed<R>(items: usize, work: impl FnOnce() -> R) -> Sample {
    let start = Instant::now();
    black_box(work());
    Sample { time: start.elapsed(), items: items as u64 }
}

enum Work<'a> {
    /// Says how many items it did; the race times it.
    Items(Box<dyn FnMut() -> usize + 'a>),
    /// Times itself, since there is something to prepare.
    Timed(Box<dyn FnMut() -> Sample + 'a>),
}

struct Side<'a> {
    name: String,
    work: Work<'a>,
    calls: usize,
    runs: Vec<f64>,
}

/// The runs of one side: nanoseconds (or another unit) per item.
#[derive(Debug, Clone)]
pub struct Runs {
    pub side: String,
    pub min: f64,
    pub median: f64,
    pub count: usize,
}

impl Runs {
    pub fn of(side: impl Into<String>, mut runs: Vec<f64>) -> Runs {
        runs.sort_by(f64::total_cmp);
        let at = |n: usize| runs.get(n).copied().unwrap_or(f64::NAN);
        Runs { side: side.into(), min: at(0), median: at(runs.len() / 2), count: runs.len() }
    }
}

/// Sides of a scene, to be run against each other.
#[derive(Default)]
pub struct Race<'a>(Vec<Side<'a>>);

impl<'a> Race<'a> {
    pub fn new() -> Race<'a> {
        Race::default()
    }

    /// A side that does its work once per call and says how many items that was.
    pub fn side(mut self, name: impl Into<String>, work: impl FnMut() -> usize + 'a) -> Race<'a> {
        self.add(name.into(), Work::Items(Box::new(work)));
        self
    }

    /// A side that prepares something before each call and times itself.
    pub fn timed_side(mut self, name: impl Into<String>, work: impl FnMut() -> Sample + 'a) -> Race<'a> {
        self.add(name.into(), Work::Timed(Box::new(work)));
        self
    }

    fn add(&mut self, name: String, work: Work<'a>) {
        self.0.push(Side { name, work, calls: 1, runs: Vec::with_capacity(ROUNDS) });
    }

    /// Runs all sides, round by round.
    pub fn run(self) -> Vec<Runs> {
        let mut sides = self.0;
        let start = Instant::now();
        sides.iter_mut().for_each(Side::calibrate);
        for round in 0..ROUNDS {
            if round >= ROUNDS_MIN && start.elapsed() > SCENE_TIME_MAX {
                break;
            }
            for side in &mut sides {
                let sample = side.run();
                side.runs.push(sample.time.as_nanos() as f64 / sample.items.max(1) as f64);
            }
        }
        sides.into_iter().map(|side| Runs::of(side.name, side.runs)).collect()
    }
}

impl Side<'_> {
    /// Warms up, and finds out how many calls make a run.
    fn calibrate(&mut self) {
        let start = Instant::now();
        for _ in 0..WARM_UP_CALLS {
            self.run();
            if start.elapsed() > Duration::from_secs(1) {
                return;
            }
        }
        let (mut time, mut calls) = (Duration::ZERO, 0);
        while time < RUN_TIME_MIN {
            time += self.run().time;
            calls += 1;
        }
        self.calls = calls;
    }

    fn run(&mut self) -> Sample {
        let calls = self.calls;
        match &mut self.work {
            Work::Items(work) => {
                let start = Instant::now();
                let items: usize = (0..calls).map(|_| black_box(work())).sum();
                Sample { time: start.elapsed(), items: items as u64 }
            }
            Work::Timed(work) => (0..calls).map(|_| work()).sum(),
        }
    }
}
