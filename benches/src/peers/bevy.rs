//! bevy_ecs: an archetypal ECS with change detection and a schedule.

use super::components::{Frozen, Health, Position, Velocity, npc, player};
use crate::race::{Race, timed};
use crate::scenes::data::{self, SCALE};
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{MultiThreadedExecutor, SingleThreadedExecutor};
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
    let mut query = world.query::<&Position>();
    race.side("bevy Query::get", move || {
        let query = query.query(&world);
        black_box(wanted.iter().map(|entity| query.get(*entity).map_or(0.0, |pos| pos.0[0])).sum::<f32>());
        wanted.len()
    })
}

/// `pos += vel * dt`.
pub fn sweep(race: Race<'_>, count: usize) -> Race<'_> {
    let mut sweep = Sweep::new(count);
    race.side("bevy iter_mut", move || {
        sweep.run();
        count
    })
}

/// The sweep by itself, for scenes that time it in their own way.
pub struct Sweep {
    world: World,
    query: QueryState<(&'static mut Position, &'static Velocity)>,
}

impl Sweep {
    pub fn new(count: usize) -> Sweep {
        let (mut world, _) = players(count);
        let query = world.query();
        Sweep { world, query }
    }

    pub fn run(&mut self) {
        let dt = data::dt();
        self.query.iter_mut(&mut self.world).for_each(|(mut pos, vel)| {
            for (p, v) in pos.0.iter_mut().zip(vel.0) {
                *p += v * dt;
            }
        });
    }
}

/// Spawns players into a new world.
pub fn insert_players(race: Race<'_>, count: usize) -> Race<'_> {
    race.timed_side("bevy spawn_batch", move || {
        let mut world = World::new();
        timed(count, || world.spawn_batch((0..count).map(player)).for_each(drop))
    })
}

/// Spawns NPCs into a new world.
pub fn insert_npcs(race: Race<'_>, count: usize) -> Race<'_> {
    race.timed_side("bevy spawn_batch", move || {
        let mut world = World::new();
        timed(count, || world.spawn_batch((0..count).map(npc)).for_each(drop))
    })
}

/// Adds a component to every entity and takes it away again.
pub fn add_remove(race: Race<'_>, count: usize) -> Race<'_> {
    let mut world = World::new();
    let entities: Vec<Entity> = world.spawn_batch((0..count).map(|_| Health(100))).collect();
    race.side("bevy insert, remove (sparse)", move || {
        for entity in &entities {
            world.entity_mut(*entity).insert(Frozen(1));
        }
        for entity in &entities {
            world.entity_mut(*entity).remove::<Frozen>();
        }
        2 * count
    })
}

/// Visits the entities that have three components.
pub fn join(race: Race<'_>, count: usize) -> Race<'_> {
    let mut world = World::new();
    let row = |_| (Position([1.0; 3]), Velocity([SCALE; 3]), Health(100));
    world.spawn_batch((0..count).map(row)).for_each(drop);
    let mut query = world.query::<(&Position, &Velocity, &Health)>();
    race.side("bevy iter", move || {
        let joined = query.iter(&world);
        black_box(joined.map(|(pos, vel, health)| pos.0[0] + vel.0[0] + health.0 as f32).sum::<f32>());
        count
    })
}

/// Finds the one record in a hundred that changed, by scanning. Per scan.
pub fn changed(race: Race<'_>, count: usize) -> Race<'_> {
    let (mut world, entities) = players(count);
    world.clear_trackers();
    for entity in entities.iter().step_by(100) {
        world.get_mut::<Position>(*entity).expect("it lives").0[0] += 1.0;
    }
    let mut query = world.query_filtered::<Entity, Changed<Position>>();
    race.side("bevy Changed", move || {
        black_box(query.iter(&world).fold(0, |sum, entity| sum ^ entity.to_bits()));
        1
    })
}

/// Runs a schedule of systems that do nothing. Per run.
pub fn empty_systems(race: Race<'_>, systems: usize) -> Race<'_> {
    fn nothing() {}
    bevy_tasks();
    let schedule = |threaded: bool| {
        let mut schedule = Schedule::default();
        if threaded {
            schedule.set_executor(MultiThreadedExecutor::new());
        } else {
            schedule.set_executor(SingleThreadedExecutor::new());
        }
        for _ in 0..systems {
            schedule.add_systems(nothing);
        }
        schedule
    };
    let (mut single, mut single_world) = (schedule(false), World::new());
    let (mut multi, mut multi_world) = (schedule(true), World::new());
    race.side("bevy single-threaded", move || {
        single.run(&mut single_world);
        1
    })
    .side("bevy multi-threaded", move || {
        multi.run(&mut multi_world);
        1
    })
}

/// Starts bevy's threads, as its app does.
fn bevy_tasks() {
    bevy_tasks::ComputeTaskPool::get_or_init(bevy_tasks::TaskPool::default);
}

/// A world of NPCs, for the probe of memory.
pub fn npcs(count: usize) -> World {
    let mut world = World::new();
    world.spawn_batch((0..count).map(npc)).for_each(drop);
    world
}
