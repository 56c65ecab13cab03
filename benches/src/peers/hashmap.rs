//! What one writes without thinking about it: the standard `HashMap` behind an `RwLock`.

use super::PlayerRow;
use crate::race::Race;
use crate::scenes::data;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::RwLock;

const NAME: &str = "RwLock<HashMap>";

fn players(count: usize) -> RwLock<HashMap<u64, PlayerRow>> {
    RwLock::new((0..count).map(|n| (n as u64, PlayerRow::new(n))).collect())
}

/// Reads a position of records at random.
pub fn get(race: Race<'_>, count: usize) -> Race<'_> {
    let map = players(count);
    let wanted = data::shuffled(count);
    race.side(NAME, move || {
        let get = |n: &usize| map.read().expect("no panic").get(&(*n as u64)).map_or(0.0, |player| player.pos[0]);
        black_box(wanted.iter().map(get).sum::<f32>());
        wanted.len()
    })
}

/// Reads a field of records found by name.
pub fn by_name(race: Race<'_>, count: usize) -> Race<'_> {
    let map: HashMap<String, PlayerRow> = (0..count).map(|n| (data::name(n), PlayerRow::new(n))).collect();
    let map = RwLock::new(map);
    let wanted: Vec<String> = data::shuffled(count).into_iter().map(data::name).collect();
    race.side(NAME, move || {
        let get = |name: &String| map.read().expect("no panic").get(name).map_or(0, |player| player.hp);
        black_box(wanted.iter().map(get).sum::<i32>());
        wanted.len()
    })
}

/// Writes one field of one record.
pub fn update(race: Race<'_>, count: usize) -> Race<'_> {
    let map = players(count);
    let mut walk = data::Walk::new(count);
    race.side(NAME, move || {
        let n = walk.next_row();
        if let Some(player) = map.write().expect("no panic").get_mut(&(n as u64)) {
            player.gold = n as u64;
        }
        1
    })
}

/// Takes a view, as far as there is one: the lock.
pub fn view(race: Race<'_>) -> Race<'_> {
    let map = players(1000);
    race.side(NAME, move || black_box(map.read().expect("no panic")).len() / 1000)
}
