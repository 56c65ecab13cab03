//! Writing and publishing one record in a hundred: a transaction that touches 1 % of the rows, until readers see it.

use super::world_with_npcs;
use crate::harness::Bench;

pub fn run(bench: &mut Bench) {
    for count in [100_000_usize, 1_000_000] {
        let name = format!("write and publish 1 % of {count} rows, per commit");
        if !bench.wants(&name) {
            continue;
        }
        let (world, ids) = world_with_npcs(count);
        let mut offset = 0;
        let mut commit = move || {
            offset += 1;
            world
                .transact(|tx| {
                    let mut npcs = tx.npc_mut();
                    for id in ids.iter().skip(offset % 100).step_by(100) {
                        npcs.get_mut(*id)?.set_gold(offset as u64);
                    }
                    Ok(())
                })
                .expect("a commit");
            1
        };
        // The first rounds make the versions that circulate.
        for _ in 0..5 {
            commit();
        }
        bench.alone(&name, Box::new(commit));
    }
}
