//! A table that grows to ten million records without having been told so: no insert may stall a tick, and the last million
//! may not cost more than the first. A thousand inserts per transaction, each published.
//!
//! What the engine does at an insert follows from what is there: a doubling, a new page of slots, a catch-up come at the same
//! record in every run. What the machine does comes when it comes: it takes the core away for milliseconds, of which ten
//! million inserts meet some. So the table grows three times, and an insert takes what it took at its best: of these the worst
//! one counts. The worst of a single run stands beside it.

use super::worlds;
use crate::race::Runs;
use std::time::{Duration, Instant};

const MANY: usize = 10_000_000;
const FEW: usize = 1_000_000;
const PER_TRANSACTION: usize = 1000;
const RUNS: usize = 3;

/// The slowest single insert; what a doubling, a new slot page or a catch-up costs whoever meets it.
pub fn worst_insert() -> Vec<Runs> {
    let mut best = vec![u32::MAX; MANY];
    let worst_of_run = |_| {
        let mut worst = 0;
        grow(MANY, |n, time| {
            let ns = u32::try_from(time.as_nanos()).unwrap_or(u32::MAX);
            worst = worst.max(ns);
            best[n] = best[n].min(ns);
        });
        f64::from(worst)
    };
    let single = (0..RUNS).map(worst_of_run).collect();
    let worst = best.into_iter().max().unwrap_or(0);
    vec![Runs::of("dbgen", vec![f64::from(worst)]), Runs::of("dbgen, in a single run", single)]
}

pub fn ten_times() -> Vec<Runs> {
    let per_record = |count: usize| grow(count, |_, _| ()).as_nanos() as f64 / count as f64;
    let few = (0..3).map(|_| per_record(FEW)).collect();
    vec![Runs::of("dbgen", vec![per_record(MANY)]), Runs::of("dbgen, 1 M", few)]
}

/// Inserts so many records, and tells what each took; gives the time of all, commits included.
fn grow(count: usize, mut took: impl FnMut(usize, Duration)) -> Duration {
    let world = worlds::empty();
    let start = Instant::now();
    for first in (0..count).step_by(PER_TRANSACTION) {
        world
            .transact(|tx| {
                let mut npcs = tx.npc_mut();
                for n in first..first + PER_TRANSACTION {
                    let record = worlds::npc(n);
                    let before = Instant::now();
                    npcs.insert(record)?;
                    took(n, before.elapsed());
                }
                Ok(())
            })
            .expect("npcs");
    }
    start.elapsed()
}
