//! The dynamic face beside the typed one: the same records, a layout that was only known at run time. A number is read as a
//! number, and beside that as a value, which may be anything.

use super::{data, worlds};
use crate::race::{Race, Runs};
use dbgen_runtime::Value;
use std::hint::black_box;

pub fn field() -> Vec<Runs> {
    const COUNT: usize = 100_000;
    let (world, ids) = worlds::with_players(COUNT);
    let wanted: Vec<_> = data::shuffled(COUNT).into_iter().map(|n| ids[n]).collect();
    let (view, same_wanted, wanted_of_it) = (world.read(), wanted.clone(), wanted.clone());
    let (untyped, same) = (world.as_dynamic().read(), world.as_dynamic().read());
    let hp = untyped.open_table("player").expect("the table").schema().field("hp").expect("the field").0.at();
    Race::new()
        .side("dbgen", move || {
            let players = untyped.open_table("player").expect("the table");
            let hp = players.reader(hp).expect("the field");
            let number = |record| hp.int(record).unwrap_or(0) as i64;
            let read = |id: &dbgen_runtime::Id<_>| players.get(id.record_id()).map_or(0, number);
            black_box(wanted.iter().map(read).sum::<i64>());
            wanted.len()
        })
        .side("dbgen, as a value", move || {
            let players = same.open_table("player").expect("the table");
            let hp = players.reader(hp).expect("the field");
            let number = |record| match hp.of(record) {
                Value::Int(hp) => hp as i64,
                _ => 0,
            };
            let read = |id: &dbgen_runtime::Id<_>| players.get(id.record_id()).map_or(0, number);
            black_box(wanted_of_it.iter().map(read).sum::<i64>());
            wanted_of_it.len()
        })
        .side("dbgen, typed", move || {
            let players = view.player();
            let read = |id: &_| players.get(*id).map_or(0, |player| player.hp());
            black_box(same_wanted.iter().map(read).sum::<i32>());
            same_wanted.len()
        })
        .run()
}
