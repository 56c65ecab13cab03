//! The scenes: each does the same work on both sides, with rows of the same width.

mod publish;
mod read;
mod sweep;
mod update;

use crate::harness::Bench;
use crate::world::{Npc, Player, Vec3, World};
use dbgen_runtime::Id;

/// Runs all scenes.
pub fn run(bench: &mut Bench) {
    sweep::run(bench);
    update::run(bench);
    publish::run(bench);
    read::run(bench);
}

/// A world with so many players.
fn world_with_players(count: usize) -> (World, Vec<Id<Player>>) {
    let world = World::builder().open().expect("the world opens");
    let ids = world.transact(|tx| tx.player_mut().insert_many((0..count).map(player))).expect("players");
    (world, ids)
}

fn player(n: usize) -> Player {
    Player { pos: Vec3::new(1.0, 1.0, 1.0), vel: Vec3::new(1.0, 1.0, 1.0), ..Player::new(format!("player-{n}")) }
}

/// A world with so many records of a table without indexes.
fn world_with_npcs(count: usize) -> (World, Vec<Id<Npc>>) {
    let world = World::builder().open().expect("the world opens");
    let npc =
        |n: usize| Npc { kind: n as u32, pos: Vec3::new(1.0, 1.0, 1.0), vel: Vec3::new(1.0, 1.0, 1.0), ..Npc::new() };
    let ids = world.transact(|tx| tx.npc_mut().insert_many((0..count).map(npc))).expect("npcs");
    (world, ids)
}
