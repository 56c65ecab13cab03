//! Publishing one record in a hundred: from the end of the writes until readers see them, and the catch-up of the version
//! that comes back, which the next transaction pays with its first write. The writes themselves are not counted.

use super::world_with_npcs;
use crate::harness::Bench;
use std::time::{Duration, Instant};

/// Commits that are timed.
const COMMITS: usize = 60;

pub fn run(bench: &mut Bench) {
    for count in [100_000_usize, 1_000_000] {
        let name = format!("publish 1 % of {count} rows, per commit");
        if !bench.wants(&name) {
            continue;
        }
        let (world, ids) = world_with_npcs(count);
        let mut commit = |round: usize| -> Duration {
            let mut chosen = ids.iter().skip(round % 100).step_by(100);
            let (mut taken, mut written) = (Duration::ZERO, Instant::now());
            let set = |tx: &mut crate::world::Tx| {
                let mut npcs = tx.npc_mut();
                let start = Instant::now();
                if let Some(id) = chosen.next() {
                    npcs.get_mut(*id)?.set_gold(round as u64);
                }
                taken = start.elapsed();
                for id in chosen {
                    npcs.get_mut(*id)?.set_gold(round as u64);
                }
                written = Instant::now();
                Ok(())
            };
            world.transact(set).expect("a commit");
            taken + written.elapsed()
        };
        // The first rounds make the versions that circulate.
        (0..5).for_each(|round| drop(commit(round)));
        let times = (5..5 + COMMITS).map(|round| commit(round).as_nanos() as f64).collect();
        bench.print(&name, times);
    }
}
