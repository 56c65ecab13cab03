//! Publishing one record in a hundred: from the end of the writes until readers see them, and the catch-up of the version
//! that comes back, which the next transaction pays with its first write. The writes themselves are not counted.

use super::worlds;
use crate::race::Runs;
use crate::world::{Npc, Tx, World};
use dbgen_runtime::Id;
use std::time::{Duration, Instant};

pub fn rows_100k() -> Vec<Runs> {
    publish(100_000)
}

pub fn rows_1m() -> Vec<Runs> {
    publish(1_000_000)
}

fn publish(count: usize) -> Vec<Runs> {
    const COMMITS: usize = 60;
    const WARM_UP: usize = 5;
    let (world, ids) = worlds::with_npcs(count);
    let times = (0..WARM_UP + COMMITS).map(|round| commit(&world, &ids, round).as_nanos() as f64);
    vec![Runs::of("dbgen", times.skip(WARM_UP).collect())]
}

fn commit(world: &World, ids: &[Id<Npc>], round: usize) -> Duration {
    let mut chosen = ids.iter().skip(round % 100).step_by(100);
    let (mut taken, mut written) = (Duration::ZERO, Instant::now());
    let set = |tx: &mut Tx| {
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
}
