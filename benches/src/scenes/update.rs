//! One-record transactions, publication included, in a catalog of twenty tables. Memory level: nothing is durable.

use super::world_with_players;
use crate::harness::Bench;
use crate::world::Tx;

pub fn run(bench: &mut Bench) {
    const COUNT: usize = 100_000;
    let mut n = 0_usize;
    let names = [
        "update one record, free field, published (memory)",
        "update one record, checked field, published (memory)",
        "update one record through a closure (memory)",
    ];
    if !names.iter().any(|name| bench.wants(name)) {
        return;
    }
    let (world, ids) = world_with_players(COUNT);
    let mut next = || {
        n = n.wrapping_add(7919);
        (ids[n % COUNT], n)
    };
    if bench.wants(names[0]) {
        let ours = Box::new(|| {
            let (id, n) = next();
            let set = |tx: &mut Tx| {
                tx.player_mut().get_mut(id)?.set_gold(n as u64);
                Ok(())
            };
            world.transact(set).expect("an update");
            1
        });
        bench.alone(names[0], ours);
    }
    if bench.wants(names[1]) {
        let ours = Box::new(|| {
            let (id, n) = next();
            world.transact(|tx| tx.player_mut().get_mut(id)?.set_hp((n % 9000) as i32)).expect("an update");
            1
        });
        bench.alone(names[1], ours);
    }
    if bench.wants(names[2]) {
        let ours = Box::new(|| {
            let (id, n) = next();
            world.transact(|tx| tx.player_mut().update(id, |player| player.hp = (n % 9000) as i32)).expect("an update");
            1
        });
        bench.alone(names[2], ours);
    }
}
