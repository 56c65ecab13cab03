//! slotmap: generational ids over one vector of whole records, no transactions, no readers.

use super::PlayerRow;
use crate::race::{Race, timed};
use crate::scenes::data;
use slotmap::{DefaultKey, SlotMap};
use std::hint::black_box;

/// Reads a position of records at random.
pub fn get(race: Race<'_>, count: usize) -> Race<'_> {
    let mut map = SlotMap::new();
    let keys: Vec<DefaultKey> = (0..count).map(|n| map.insert(PlayerRow::new(n))).collect();
    let wanted: Vec<DefaultKey> = data::shuffled(count).into_iter().map(|n| keys[n]).collect();
    race.side("slotmap", move || {
        black_box(wanted.iter().map(|key| map.get(*key).map_or(0.0, |player| player.pos[0])).sum::<f32>());
        wanted.len()
    })
}

/// Inserts players into a new map.
pub fn insert_players(race: Race<'_>, count: usize) -> Race<'_> {
    race.timed_side("slotmap", move || {
        let mut map: SlotMap<DefaultKey, PlayerRow> = SlotMap::new();
        timed(count, || (0..count).map(|n| map.insert(PlayerRow::new(n))).for_each(drop))
    })
}
