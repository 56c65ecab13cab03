//! `pos += vel * dt` over all records: ours in a column group of 24 bytes, or in two groups as flat lanes; the ECSs' in their
//! component columns.
//!
//! The slice is timed inside one transaction, as the body of a system meets it; taking it, committing and publishing are in
//! the scene `system_1m`.

use super::{data, worlds};
use crate::peers::{bevy, hecs};
use crate::race::{Race, Runs};
use crate::world::World;
use crate::world::player::Motion;
use dbgen_runtime::cell::{F32, Lanes};
use dbgen_runtime::{ParRows, SweepRows};

pub fn group_10k() -> Vec<Runs> {
    group(10_000)
}

pub fn group_1m() -> Vec<Runs> {
    group(1_000_000)
}

fn group(count: usize) -> Vec<Runs> {
    let (world, _) = worlds::with_players(count);
    let (other, _) = worlds::with_players(count);
    let race = |motion: &mut [Motion], plain: &mut [Motion]| {
        let race = Race::new().side("dbgen", || {
            sweep(motion);
            count
        });
        let race = hecs::sweep(race, count).side("dbgen, a plain `for`", || {
            let dt = data::dt();
            for m in &mut *plain {
                m.pos += m.vel * dt;
            }
            count
        });
        bevy::sweep(race, count).run()
    };
    both(&world, &other, race)
}

pub fn par_10k() -> Vec<Runs> {
    par(10_000)
}

pub fn par_1m() -> Vec<Runs> {
    par(1_000_000)
}

/// Shared out over the cores if it is worth it, beside the loop on one.
fn par(count: usize) -> Vec<Runs> {
    let ((world, _), (other, _)) = (worlds::with_players(count), worlds::with_players(count));
    let race = |shared: &mut [Motion], serial: &mut [Motion]| {
        let race = Race::new().side("dbgen", || {
            let dt = data::dt();
            shared.par_for_each_mut(|m| m.pos += m.vel * dt);
            count
        });
        let race = race.side("dbgen, serial", || {
            sweep(serial);
            count
        });
        race.run()
    };
    both(&world, &other, race)
}

/// The motion of all players of two worlds.
fn both<R>(world: &World, other: &World, race: impl FnOnce(&mut [Motion], &mut [Motion]) -> R) -> R {
    let both = world
        .transact(|tx| other.transact(|other| Ok(race(tx.player_mut().motion_mut(), other.player_mut().motion_mut()))));
    both.expect("a sweep")
}

pub fn lanes_10k() -> Vec<Runs> {
    lanes(10_000)
}

pub fn lanes_1m() -> Vec<Runs> {
    lanes(1_000_000)
}

/// Position and velocity as one slice of floats each: the compiler makes vector instructions of the loop.
fn lanes(count: usize) -> Vec<Runs> {
    let world = worlds::with_projectiles(count);
    let race = |pos: &mut [F32], vel: &[F32]| {
        let race = Race::new().side("dbgen", || {
            let dt = data::dt();
            pos.sweep_with(vel, |p, v| p.set(p.get() + v.get() * dt));
            count
        });
        bevy::sweep(hecs::sweep(race, count), count).run()
    };
    let sweep = |tx: &mut crate::world::Tx| {
        let groups = tx.slices().projectile.groups();
        Ok(race(Lanes::as_lanes_mut(groups.position), Lanes::as_lanes(groups.velocity)))
    };
    world.transact(sweep).expect("a sweep")
}

/// The system's body.
pub fn sweep(motion: &mut [Motion]) {
    let dt = data::dt();
    motion.sweep_mut(|m| m.pos += m.vel * dt);
}
