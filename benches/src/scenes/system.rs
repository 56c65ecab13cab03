//! Systems in a loop: one that sweeps while readers read, and fifty that do nothing.

use super::{sweep, worlds};
use crate::peers::bevy;
use crate::race::{Race, Runs};
use crate::world::{World, WorldSchema};
use dbgen_runtime::Stepper;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const RATE_HZ: f64 = 60.0;

/// The sweep as a system, at 60 Hz, publication included, while four readers take a view and read a thousand records
/// some hundreds of times a second. Bevy has neither readers nor publication: it sweeps in place, in the same rhythm.
pub fn sweep_1m() -> Vec<Runs> {
    const COUNT: usize = 1_000_000;
    const TICKS: usize = 60;
    let (world, _) = worlds::with_players(COUNT);
    let mut ours = world
        .tick_loop(RATE_HZ)
        .system("movement", |tick| {
            sweep::sweep(tick.player_mut().motion_mut());
            Ok(())
        })
        .stepped()
        .expect("a loop");
    let mut theirs = bevy::Sweep::new(COUNT);
    let stop = AtomicBool::new(false);
    let (mut our_ticks, mut their_ticks) = (Vec::new(), Vec::new());
    thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(|| read_until(&world, &stop))));
        for tick in 0..TICKS + 10 {
            let deadline = Instant::now() + Duration::from_secs_f64(1.0 / RATE_HZ);
            let (ours, theirs) = (per_row(COUNT, || step(&mut ours)), per_row(COUNT, || theirs.run()));
            // The first ticks make the versions that circulate.
            if tick >= 10 {
                our_ticks.push(ours);
                their_ticks.push(theirs);
            }
            thread::sleep(deadline.saturating_duration_since(Instant::now()));
        }
        stop.store(true, Ordering::Relaxed);
    });
    vec![Runs::of("dbgen", our_ticks), Runs::of("bevy iter_mut, in place", their_ticks)]
}

/// What a connection does with a world: a view, a thousand records, a rest.
fn read_until(world: &World, stop: &AtomicBool) {
    let mut reader = world.reader();
    while !stop.load(Ordering::Relaxed) {
        let players = reader.view().player();
        black_box(players.iter().take(1000).map(|player| player.hp()).sum::<i32>());
        thread::sleep(Duration::from_millis(3));
    }
}

fn per_row(count: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64 / count as f64
}

fn step(stepper: &mut Stepper<WorldSchema>) {
    stepper.step().expect("a tick");
}

/// Fifty systems that do nothing: what the loop itself costs.
pub fn empty() -> Vec<Runs> {
    const SYSTEMS: usize = 50;
    let (world, _) = worlds::with_players(1000);
    let named = (0..SYSTEMS).map(|n| format!("system {n}"));
    let tick_loop = named.fold(world.tick_loop(RATE_HZ), |tick_loop, name| tick_loop.system(name, |_| Ok(())));
    let mut stepper = tick_loop.stepped().expect("a loop");
    let race = Race::new().side("dbgen", move || {
        step(&mut stepper);
        1
    });
    bevy::empty_systems(race, SYSTEMS).run()
}
