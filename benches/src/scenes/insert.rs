//! Ten thousand records into a new world, cold: growth is included on all sides, opening on none.

use super::worlds;
use crate::peers::{bevy, hecs, redb, slotmap, sqlite};
use crate::race::{Race, Runs, timed};

const COUNT: usize = 10_000;

/// Into a table without any index.
pub fn npcs() -> Vec<Runs> {
    let race = Race::new().timed_side("dbgen", || {
        let world = worlds::empty();
        timed(COUNT, || world.transact(|tx| tx.npc_mut().insert_many((0..COUNT).map(worlds::npc))).expect("npcs"))
    });
    bevy::insert_npcs(hecs::insert_npcs(race, COUNT), COUNT).run()
}

/// Into a table with a unique name, a checked reference and two more indexes. The ECSs and slotmap have none of them.
pub fn players() -> Vec<Runs> {
    let race = Race::new().timed_side("dbgen", || {
        let world = worlds::empty();
        let guilds = worlds::found_guilds(&world);
        timed(COUNT, || {
            let players = (0..COUNT).map(|n| worlds::player(n, &guilds));
            world.transact(|tx| tx.player_mut().insert_many(players)).expect("players")
        })
    });
    let race = bevy::insert_players(hecs::insert_players(race, COUNT), COUNT);
    sqlite::insert_players(redb::insert_players(slotmap::insert_players(race, COUNT), COUNT), COUNT).run()
}
