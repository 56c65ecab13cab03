//! Taking a view, and what a reader notices of the writer.

use super::{data, worlds};
use crate::peers::hashmap;
use crate::race::{Race, Runs};
use crate::world::{Player, World};
use dbgen_runtime::{Id, Reader};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const COUNT: usize = 100_000;
/// Views per call.
const VIEWS: usize = 1000;

/// With a handle that a thread keeps, while nothing new is published.
pub fn cached() -> Vec<Runs> {
    let (world, _) = worlds::with_players(1000);
    let mut reader = world.reader();
    let race = Race::new().side("dbgen", move || {
        (0..VIEWS).for_each(|_| {
            black_box(reader.view().as_ref().commit());
        });
        VIEWS
    });
    hashmap::view(race).run()
}

/// Without one.
pub fn loaded() -> Vec<Runs> {
    let (world, _) = worlds::with_players(1000);
    let race = Race::new().side("dbgen", move || {
        (0..VIEWS).for_each(|_| drop(black_box(world.read())));
        VIEWS
    });
    hashmap::view(race).run()
}

/// One thread takes views and gets records, each timed by itself, its clock included; another, in half of the rounds, runs a
/// loop whose ticks write one record in a hundred.
pub fn p99() -> Vec<Runs> {
    const ROUNDS: usize = 9;
    let (world, ids) = worlds::with_players(COUNT);
    let (mut busy, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        idle.push(p99_of_reads(&world, &ids));
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| write_until(&world, &ids, &stop));
            busy.push(p99_of_reads(&world, &ids));
            stop.store(true, Ordering::Relaxed);
        });
    }
    vec![Runs::of("dbgen", busy), Runs::of("dbgen, p99 idle", idle)]
}

fn p99_of_reads(world: &World, ids: &[Id<Player>]) -> f64 {
    const LASTS: Duration = Duration::from_millis(200);
    let (mut reader, mut wanted) = (world.reader(), data::Wanted::new(ids));
    let mut times_ns: Vec<u64> = Vec::with_capacity(4_000_000);
    let start = Instant::now();
    while start.elapsed() < LASTS {
        times_ns.push(read(&mut reader, wanted.next()).as_nanos() as u64);
    }
    let at = times_ns.len() * 99 / 100;
    *times_ns.select_nth_unstable(at).1 as f64
}

fn read(reader: &mut Reader<crate::world::WorldSchema>, id: Id<Player>) -> Duration {
    let start = Instant::now();
    black_box(reader.view().player().get(id).map_or(0, |player| player.hp()));
    start.elapsed()
}

fn write_until(world: &World, ids: &[Id<Player>], stop: &AtomicBool) {
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let tick = Instant::now() + Duration::from_micros(16_667);
        world
            .transact(|tx| {
                let mut players = tx.player_mut();
                for id in ids.iter().skip(round % 100).step_by(100) {
                    players.get_mut(*id)?.set_gold(round as u64);
                }
                Ok(())
            })
            .expect("a tick");
        thread::sleep(tick.saturating_duration_since(Instant::now()));
    }
}
