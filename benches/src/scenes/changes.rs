//! What changed: the engine keeps a list per commit, so one record in a hundred is a walk over as many, not a scan of all.

use super::worlds;
use crate::peers::bevy;
use crate::race::{Race, Runs};
use crate::world::Player;
use std::hint::black_box;

pub fn walk() -> Vec<Runs> {
    const COUNT: usize = 50_000;
    let (world, ids) = worlds::with_players(COUNT);
    let before = world.read().as_ref().commit();
    let set = |tx: &mut crate::world::Tx| {
        let mut players = tx.player_mut();
        ids.iter().step_by(100).try_for_each(|id| players.get_mut(*id).map(|mut player| player.set_gold(7)))
    };
    world.transact(set).expect("changes");
    // The list is the writer's; the transaction around the race is what a system has anyway.
    let race = |tx: &mut crate::world::Tx| {
        let tx = tx.as_ref();
        let race = Race::new().side("dbgen", || {
            let changes = tx.changes_since::<Player>(before).expect("one commit is remembered");
            black_box(changes.fold(0, |sum, (id, _)| sum ^ id.get()));
            1
        });
        Ok(bevy::changed(race, COUNT).run())
    };
    world.transact(race).expect("a walk")
}
