//! hecs: an archetypal ECS.

use super::components::{Frozen, Health, Position, Velocity, npc, player};
use crate::race::{Race, timed};
use crate::scenes::data::{self, SCALE};
use hecs::{Entity, World};
use std::hint::black_box;

fn players(count: usize) -> (World, Vec<Entity>) {
    let mut world = World::new();
    let entities = world.spawn_batch((0..count).map(player)).collect();
    (world, entities)
}

/// Reads a position of entities at random.
pub fn get(race: Race<'_>, count: usize) -> Race<'_> {
    let (mut world, entities) = players(count);
    let wanted: Vec<Entity> = data::shuffled(count).into_iter().map(|n| entities[n]).collect();
    race.side("hecs view.get", move || {
        let view = world.view_mut::<&Position>();
        black_box(wanted.iter().map(|entity| view.get(*entity).map_or(0.0, |pos| pos.0[0])).sum::<f32>());
        wanted.len()
    })
}

/// `pos += vel * dt`.
pub fn sweep(race: Race<'_>, count: usize) -> Race<'_> {
    let (mut world, _) = players(count);
    race.side("hecs query_mut", move || {
        let dt = data::dt();
        for (pos, vel) in world.query_mut::<(&mut Position, &Velocity)>() {
            for (p, v) in pos.0.iter_mut().zip(vel.0) {
                *p += v * dt;
            }
        }
        count
    })
}

/// The sum of one field.
pub fn sum(race: Race<'_>, count: usize) -> Race<'_> {
    let (mut world, _) = players(count);
    race.side("hecs query_mut", move || {
        black_box(world.query_mut::<&Position>().into_iter().map(|pos| pos.0[0]).sum::<f32>());
        count
    })
}

/// Spawns players into a new world.
pub fn insert_players(race: Race<'_>, count: usize) -> Race<'_> {
    race.timed_side("hecs spawn_batch", move || {
        let mut world = World::new();
        timed(count, || world.spawn_batch((0..count).map(player)).for_each(drop))
    })
}

/// Spawns NPCs into a new world.
pub fn insert_npcs(race: Race<'_>, count: usize) -> Race<'_> {
    race.timed_side("hecs spawn_batch", move || {
        let mut world = World::new();
        timed(count, || world.spawn_batch((0..count).map(npc)).for_each(drop))
    })
}

/// Adds a component to every entity and takes it away again.
pub fn add_remove(race: Race<'_>, count: usize) -> Race<'_> {
    let mut world = World::new();
    let entities: Vec<Entity> = world.spawn_batch((0..count).map(|_| (Health(100),))).collect();
    race.side("hecs insert_one, remove_one", move || {
        for entity in &entities {
            world.insert_one(*entity, Frozen(1)).expect("it lives");
        }
        for entity in &entities {
            world.remove_one::<Frozen>(*entity).expect("it has it");
        }
        2 * count
    })
}

/// Visits the entities that have three components.
pub fn join(race: Race<'_>, count: usize) -> Race<'_> {
    let mut world = World::new();
    let row = |_| (Position([1.0; 3]), Velocity([SCALE; 3]), Health(100));
    world.spawn_batch((0..count).map(row)).for_each(drop);
    race.side("hecs query_mut", move || {
        let joined = world.query_mut::<(&Position, &Velocity, &Health)>().into_iter();
        black_box(joined.map(|(pos, vel, health)| pos.0[0] + vel.0[0] + health.0 as f32).sum::<f32>());
        count
    })
}

/// A world of NPCs, for the probe of memory.
pub fn npcs(count: usize) -> World {
    let mut world = World::new();
    world.spawn_batch((0..count).map(npc)).for_each(drop);
    world
}
