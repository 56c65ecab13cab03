//! Our worlds, filled.

use super::data;
use crate::entities::{Entities, Entity};
use crate::world::{Class, Guild, Npc, Player, Projectile, Vec3, World};
use dbgen_runtime::Id;

pub fn empty() -> World {
    World::builder().open().expect("the world opens")
}

/// The guilds that players are in.
pub fn found_guilds(world: &World) -> Vec<Id<Guild>> {
    let guild = |n: usize| Guild::new(format!("guild-{n}"));
    world.transact(|tx| tx.guild_mut().insert_many((0..data::GUILDS).map(guild))).expect("guilds")
}

/// A world with so many players, each in a guild.
pub fn with_players(count: usize) -> (World, Vec<Id<Player>>) {
    let world = empty();
    let ids = fill_players(&world, count);
    (world, ids)
}

/// Puts so many players into an empty world, each in a guild.
pub fn fill_players(world: &World, count: usize) -> Vec<Id<Player>> {
    let guilds = found_guilds(world);
    let players = (0..count).map(|n| player(n, &guilds));
    world.transact(|tx| tx.player_mut().insert_many(players)).expect("players")
}

/// Player number `n`.
pub fn player(n: usize, guilds: &[Id<Guild>]) -> Player {
    Player {
        class: Class::ALL[usize::from(data::class(n))],
        level: data::level(n),
        gold: data::GOLD,
        guild: guilds.get(data::guild(n)).copied(),
        pos: Vec3::new(1.0, 1.0, 1.0),
        vel: Vec3::new(data::SCALE, data::SCALE, data::SCALE),
        ..Player::new(data::name(n))
    }
}

/// A world with so many records of a table without indexes.
pub fn with_npcs(count: usize) -> (World, Vec<Id<Npc>>) {
    let world = empty();
    let ids = world.transact(|tx| tx.npc_mut().insert_many((0..count).map(npc))).expect("npcs");
    (world, ids)
}

/// NPC number `n`.
pub fn npc(n: usize) -> Npc {
    let (pos, vel) = (Vec3::new(1.0, 1.0, 1.0), Vec3::new(data::SCALE, data::SCALE, data::SCALE));
    Npc { kind: n as u32, state: [n as u32; 15], pos, vel, ..Npc::new() }
}

/// A world with so many records whose position and velocity are groups of their own.
pub fn with_projectiles(count: usize) -> World {
    let world = empty();
    let projectile = |n: usize| Projectile {
        kind: n as u32,
        state: [0; 18],
        pos: Vec3::new(1.0, 1.0, 1.0),
        vel: Vec3::new(data::SCALE, data::SCALE, data::SCALE),
    };
    world.transact(|tx| tx.projectile_mut().insert_many((0..count).map(projectile))).expect("projectiles");
    world
}

/// A registry of so many entities without components.
pub fn with_entities(count: usize) -> (Entities, Vec<Id<Entity>>) {
    let world = Entities::builder().open().expect("the world opens");
    let entity = |n: usize| Entity { kind: n as u32 };
    let ids = world.transact(|tx| tx.entity_mut().insert_many((0..count).map(entity))).expect("entities");
    (world, ids)
}
