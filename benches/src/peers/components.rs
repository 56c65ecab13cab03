//! A player as components, for hecs and bevy: cut as a game would cut it. Some are there for their width alone.
#![allow(dead_code)]

use super::PlayerRow;
use bevy_ecs::prelude::Component;

#[derive(Component, Debug, Clone, Copy)]
pub struct Position(pub [f32; 3]);

#[derive(Component, Debug, Clone, Copy)]
pub struct Velocity(pub [f32; 3]);

#[derive(Component, Debug, Clone, Copy)]
pub struct Name(pub [u8; 17]);

#[derive(Component, Debug, Clone, Copy)]
pub struct Stats {
    pub gold: u64,
    pub hp: i32,
    pub experience: u32,
    pub level: u16,
    pub class: u8,
}

#[derive(Component, Debug, Clone, Copy)]
pub struct Bag(pub [u16; 16]);

#[derive(Component, Debug, Clone, Copy)]
pub struct Member(pub u64);

/// The components of player number `n`.
pub fn player(n: usize) -> (Position, Velocity, Name, Stats, Bag, Member) {
    let PlayerRow { gold, guild, pos, vel, hp, experience, bag, level, class, name } = PlayerRow::new(n);
    let stats = Stats { gold, hp, experience, level, class };
    (Position(pos), Velocity(vel), Name(name), stats, Bag(bag), Member(guild))
}

/// What an NPC has besides: as wide as our table's row.
#[derive(Component, Debug, Clone, Copy)]
pub struct State(pub [u32; 19]);

/// The components of an NPC: 100 bytes.
pub fn npc(n: usize) -> (Position, Velocity, State) {
    (Position([1.0; 3]), Velocity([1.0; 3]), State([n as u32; 19]))
}

#[derive(Component, Debug, Clone, Copy)]
pub struct Health(pub i32);

#[derive(Component, Debug, Clone, Copy)]
#[component(storage = "SparseSet")]
pub struct Frozen(pub u32);
