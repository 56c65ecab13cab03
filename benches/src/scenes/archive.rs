//! Reading in place, beside formats made for nothing else. Ours goes by id and proves the generation; the archives go by
//! position, since they have no ids.

use super::{data, worlds};
use crate::peers::archive;
use crate::race::{Race, Runs};
use std::hint::black_box;

pub fn fields() -> Vec<Runs> {
    const COUNT: usize = 100_000;
    let (world, ids) = worlds::with_players(COUNT);
    let wanted: Vec<_> = data::shuffled(COUNT).into_iter().map(|n| ids[n]).collect();
    let view = world.read();
    let race = Race::new().side("dbgen", move || {
        let players = view.player();
        let read = |id: &_| {
            let Ok(player) = players.get(*id) else { return 0 };
            player.hp() as u64 + u64::from(player.level()) + player.name().len() as u64 + player.pos().x.get() as u64
        };
        black_box(wanted.iter().map(read).sum::<u64>());
        wanted.len()
    });
    archive::fields(race, COUNT).run()
}
