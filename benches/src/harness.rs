//! Interleaved runs: ours, the peer's, ours, the peer's, ..., so that both meet the same moods of the machine.

use std::time::{Duration, Instant};

/// One side of a scene: does the work once and says how many items it was.
pub type Side<'a> = Box<dyn FnMut() -> u64 + 'a>;

/// Runs scenes and prints a row for each.
pub struct Bench {
    only: Option<String>,
}

/// Times of one side, per item.
#[derive(Clone, Copy)]
struct Times {
    min_ns: f64,
    median_ns: f64,
}

const RUNS: usize = 21;
const RUN_TIME_MIN: Duration = Duration::from_millis(5);

impl Bench {
    /// Runs the scenes whose name contains `only`.
    pub fn new(only: Option<String>) -> Bench {
        println!(
            "{:<52} {:>12} {:>12}  {:<18} {:>12} {:>12} {:>7}",
            "work (ns per item)", "min", "median", "peer", "min", "median", "ratio"
        );
        Bench { only }
    }

    /// Whether the scene is to be run.
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }

    /// Our side beside a peer's.
    pub fn beside(&mut self, name: &str, mut ours: Side<'_>, peer_name: &str, mut peer: Side<'_>) {
        let (a, b) = (repeats(&mut ours), repeats(&mut peer));
        let (mut mine, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            mine.push(time(&mut ours, a));
            theirs.push(time(&mut peer, b));
        }
        let (mine, theirs) = (times(mine), times(theirs));
        println!(
            "{name:<52} {:>12.2} {:>12.2}  {peer_name:<18} {:>12.2} {:>12.2} {:>7.2}",
            mine.min_ns,
            mine.median_ns,
            theirs.min_ns,
            theirs.median_ns,
            mine.min_ns / theirs.min_ns
        );
    }

    /// Our side by itself.
    pub fn alone(&mut self, name: &str, mut ours: Side<'_>) {
        let n = repeats(&mut ours);
        self.print(name, (0..RUNS).map(|_| time(&mut ours, n)).collect());
    }

    /// A row of times that the scene took by itself.
    pub fn print(&mut self, name: &str, runs_ns: Vec<f64>) {
        let mine = times(runs_ns);
        println!("{name:<52} {:>12.2} {:>12.2}", mine.min_ns, mine.median_ns);
    }
}

/// How often the work is done in one run, so that a run is long enough to be timed. The first rounds make what circulates
/// afterwards (versions, room in buffers) and do not count.
fn repeats(side: &mut Side<'_>) -> u32 {
    const WARM_UP: usize = 5;
    for _ in 0..WARM_UP {
        std::hint::black_box(side());
    }
    let start = Instant::now();
    let mut n = 0;
    while start.elapsed() < RUN_TIME_MIN {
        std::hint::black_box(side());
        n += 1;
    }
    n
}

/// Nanoseconds per item of one run.
fn time(side: &mut Side<'_>, repeats: u32) -> f64 {
    let start = Instant::now();
    let items: u64 = (0..repeats).map(|_| std::hint::black_box(side())).sum();
    start.elapsed().as_nanos() as f64 / items.max(1) as f64
}

fn times(mut runs: Vec<f64>) -> Times {
    runs.sort_by(f64::total_cmp);
    Times { min_ns: runs[0], median_ns: runs[runs.len() / 2] }
}
