//! A table that grows to ten million records without having been told so: no insert may stall a tick, and the last million
//! may not cost more than the first. A thousand inserts per transaction, each published.

use super::worlds;
use crate::race::Runs;
use std::time::{Duration, Instant};

const MANY: usize = 10_000_000;
const FEW: usize = 1_000_000;
const PER_TRANSACTION: usize = 1000;

/// The slowest single insert; what a doubling, a new slot page or a catch-up costs whoever meets it.
pub fn worst_insert() -> Vec<Runs> {
    vec![Runs::of("dbgen", vec![grow(MANY).1.as_nanos() as f64])]
}

pub fn ten_times() -> Vec<Runs> {
    let per_record = |count: usize| grow(count).0.as_nanos() as f64 / count as f64;
    let few = (0..3).map(|_| per_record(FEW)).collect();
    vec![Runs::of("dbgen", vec![per_record(MANY)]), Runs::of("dbgen, 1 M", few)]
}

/// Inserts so many records; gives the time of all, commits included, and of the slowest insert.
fn grow(count: usize) -> (Duration, Duration) {
    let world = worlds::empty();
    let (start, mut worst) = (Instant::now(), Duration::ZERO);
    for first in (0..count).step_by(PER_TRANSACTION) {
        world
            .transact(|tx| {
                let mut npcs = tx.npc_mut();
                for n in first..first + PER_TRANSACTION {
                    let record = worlds::npc(n);
                    let before = Instant::now();
                    npcs.insert(record)?;
                    worst = worst.max(before.elapsed());
                }
                Ok(())
            })
            .expect("npcs");
    }
    (start.elapsed(), worst)
}
