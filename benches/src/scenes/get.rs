//! A record by its id. Ours goes through the slot, proves the generation, and reads the row; so do the ECSs. The ids wanted
//! lie in one array in random order, so the processor overlaps the misses of several gets, as it does in a game.

use super::{data, worlds};
use crate::peers::{bevy, hashmap, hecs, redb, slotmap, sqlite};
use crate::race::{Race, Runs};
use crate::world::World;
use dbgen_runtime::Id;
use std::hint::black_box;

pub fn by_id_100k() -> Vec<Runs> {
    const COUNT: usize = 100_000;
    sqlite::get(redb::get(in_memory(COUNT), COUNT), COUNT).run()
}

pub fn by_id_1m() -> Vec<Runs> {
    in_memory(1_000_000).run()
}

fn in_memory<'a>(count: usize) -> Race<'a> {
    let race = ours(Race::new(), worlds::with_players(count));
    hashmap::get(slotmap::get(bevy::get(hecs::get(race, count), count), count), count)
}

fn ours<'a>(race: Race<'a>, (world, ids): (World, Vec<Id<crate::world::Player>>)) -> Race<'a> {
    let wanted: Vec<_> = data::shuffled(ids.len()).into_iter().map(|n| ids[n]).collect();
    let view = world.read();
    race.side("dbgen", move || {
        let players = view.player();
        black_box(wanted.iter().map(|id| players.get(*id).map_or(0.0, |player| player.pos().x.get())).sum::<f32>());
        wanted.len()
    })
}
