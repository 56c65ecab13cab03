//! Components: added to entities and taken away again, and joined by entity.

use super::{data, worlds};
use crate::entities::{Entities, Entity, Frozen, Health, Position, Vec3, Velocity};
use crate::peers::{bevy, hecs};
use crate::race::{Race, Runs};
use dbgen_runtime::Id;
use std::hint::black_box;

/// Ten thousand of each in one transaction.
pub fn add_remove() -> Vec<Runs> {
    const COUNT: usize = 10_000;
    let (world, ids) = worlds::with_entities(COUNT);
    let race = Race::new().side("dbgen", move || {
        let both = world.transact(|tx| {
            let mut frozen = tx.frozen_mut();
            for id in &ids {
                frozen.attach(*id, Frozen { ticks: 1 })?;
            }
            for id in &ids {
                frozen.detach(*id)?;
            }
            Ok(2 * ids.len())
        });
        both.expect("components")
    });
    bevy::add_remove(hecs::add_remove(race, COUNT), COUNT).run()
}

const JOINED: usize = 100_000;

/// Three components of entities that got them one after another: rows lie in the same order in each table.
pub fn join_in_order() -> Vec<Runs> {
    let race = join(Race::new(), "dbgen", |_| ());
    bevy::join(hecs::join(race, JOINED), JOINED).run()
}

/// The same after each table was filled in an order of its own.
pub fn join_shuffled() -> Vec<Runs> {
    let race = join(Race::new(), "dbgen", data::shuffle);
    bevy::join(hecs::join(race, JOINED), JOINED).run()
}

fn join<'a>(race: Race<'a>, name: &str, reorder: impl Fn(&mut [Id<Entity>])) -> Race<'a> {
    let world = joined(reorder);
    let view = world.read();
    race.side(name, move || {
        let joined = view.join::<(&Position, &Velocity, &Health)>();
        let sum = joined.map(|(pos, vel, health)| pos.at.x.get() + vel.per_second.x.get() + health.points.get() as f32);
        black_box(sum.sum::<f32>());
        JOINED
    })
}

/// Entities that all have three components; `reorder` says in which order each table gets them.
fn joined(reorder: impl Fn(&mut [Id<Entity>])) -> Entities {
    let (world, mut ids) = worlds::with_entities(JOINED);
    let one = Vec3::new(1.0, 1.0, 1.0);
    world
        .transact(|tx| {
            reorder(&mut ids);
            ids.iter().try_for_each(|id| tx.position_mut().attach(*id, Position { at: one }))?;
            reorder(&mut ids);
            ids.iter().try_for_each(|id| tx.velocity_mut().attach(*id, Velocity { per_second: one }))?;
            reorder(&mut ids);
            ids.iter().try_for_each(|id| tx.health_mut().attach(*id, Health { points: 100 }))
        })
        .expect("components");
    world
}
