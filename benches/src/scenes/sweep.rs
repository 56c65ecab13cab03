//! `pos += vel * dt` over all players: ours in a column group of 24 bytes, the ECSs' in their component columns.
//!
//! The slice is timed inside one transaction, as the body of a system meets it; taking it, committing and publishing are in
//! the scene `system_1m`.

use super::{data, worlds};
use crate::peers::{bevy, hecs};
use crate::race::{Race, Runs};
use crate::world::player::Motion;

pub fn group_10k() -> Vec<Runs> {
    group(10_000)
}

pub fn group_1m() -> Vec<Runs> {
    group(1_000_000)
}

fn group(count: usize) -> Vec<Runs> {
    let (world, _) = worlds::with_players(count);
    let race = |motion: &mut [Motion]| {
        let race = Race::new().side("dbgen", || {
            sweep(motion);
            count
        });
        bevy::sweep(hecs::sweep(race, count), count).run()
    };
    world.transact(|tx| Ok(race(tx.player_mut().motion_mut()))).expect("a sweep")
}

/// The system's body.
pub fn sweep(motion: &mut [Motion]) {
    let dt = data::dt();
    for m in motion {
        m.pos += m.vel * dt;
    }
}
