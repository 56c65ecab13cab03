//! Records found through an index: by a unique name, and a range of levels within a class.

use super::{data, worlds};
use crate::peers::{hashmap, redb, sqlite};
use crate::race::{Race, Runs};
use crate::world::Class;
use std::hint::black_box;

const COUNT: usize = 100_000;

pub fn by_name() -> Vec<Runs> {
    let (world, _) = worlds::with_players(COUNT);
    let wanted: Vec<String> = data::shuffled(COUNT).into_iter().map(data::name).collect();
    let (view, wanted) = (world.read(), &wanted);
    let players = view.player();
    let race = Race::new().side("dbgen", move || {
        let found = players.by_name_many(wanted.iter().map(String::as_str));
        black_box(found.map(|player| player.map_or(0, |player| player.hp())).sum::<i32>());
        wanted.len()
    });
    let race = race.side("dbgen, one in a call", move || {
        black_box(wanted.iter().map(|name| players.by_name(name).map_or(0, |player| player.hp())).sum::<i32>());
        wanted.len()
    });
    sqlite::by_name(redb::by_name(hashmap::by_name(race, COUNT), COUNT), COUNT).run()
}

/// The scan finds a record per entry of the index; what the index itself costs is what it takes beyond getting the same
/// records by ids that are known.
pub fn range() -> Vec<Runs> {
    let (world, _) = worlds::with_players(COUNT);
    let (view, same_view) = (world.read(), world.read());
    let found: Vec<_> = view.player().range_class_level(Class::Mage, data::LEVELS).map(|player| player.id()).collect();
    let race = Race::new().side("dbgen", move || {
        let found = view.player().range_class_level(Class::Mage, data::LEVELS);
        let (rows, gold) = found.fold((0, 0), |(rows, gold), player| (rows + 1, gold + player.gold()));
        black_box(gold);
        rows
    });
    let race = race.side("dbgen, by known ids", move || {
        let players = same_view.player();
        black_box(found.iter().map(|id| players.get(*id).map_or(0, |player| player.gold())).sum::<u64>());
        found.len()
    });
    sqlite::range(redb::range(race, COUNT), COUNT).run()
}
