//! `pos += vel * dt` over all records: ours in a column group of 24 bytes, hecs in its component columns.

use super::world_with_players;
use crate::harness::Bench;
use std::hint::black_box;

#[derive(Clone, Copy)]
struct Position([f32; 3]);
#[derive(Clone, Copy)]
struct Velocity([f32; 3]);
/// What else a player has, so that both sides hold the same bytes.
#[allow(dead_code)]
struct Rest([u8; 76]);

pub fn run(bench: &mut Bench) {
    for count in [10_000, 1_000_000] {
        let name = format!("sweep: pos += vel * dt, group, {count}");
        if !bench.wants(&name) {
            continue;
        }
        let mut hecs = hecs::World::new();
        let row = |_| (Position([1.0; 3]), Velocity([1.0; 3]), Rest([1; 76]));
        hecs.spawn_batch((0..count).map(row)).for_each(drop);
        let dt = black_box(1.0 / 60.0_f32);
        let (world, _) = world_with_players(count);
        // The slice is timed inside one transaction, as a system meets it: publication has a scene of its own.
        world
            .transact(|tx| {
                let motion = tx.player_mut().motion_mut();
                let ours = Box::new(|| {
                    for m in motion.iter_mut() {
                        m.pos += m.vel * dt;
                    }
                    count as u64
                });
                let peer = Box::new(|| {
                    for (pos, vel) in hecs.query_mut::<(&mut Position, &Velocity)>() {
                        for (p, v) in pos.0.iter_mut().zip(vel.0) {
                            *p += v * dt;
                        }
                    }
                    count as u64
                });
                bench.beside(&name, ours, "hecs query_mut", peer);
                Ok(())
            })
            .expect("a sweep");
    }
}
