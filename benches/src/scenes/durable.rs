//! Durable updates: a tick's worth of one-field updates, and one fsync. The folder lies beside the program, on a real disk:
//! a temporary folder is often memory.

use super::{data, worlds};
use crate::peers::{redb, sqlite};
use crate::race::{Race, Runs, timed};
use crate::world::{Player, Tx, World};
use dbgen_runtime::{Id, SyncLevel};
use std::path::{Path, PathBuf};

/// Players in the world.
const PLAYERS: usize = 100_000;
/// Updates between two fsyncs: 500,000 a second at 60 Hz.
const BATCH: usize = 500_000 / 60;
/// Batches whose recovery is timed.
const BATCHES: usize = 60;

/// A folder that goes when the scene ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
        let path = beside.unwrap_or_else(std::env::temp_dir).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is in a build folder, and goes with it.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn open(folder: &Path) -> World {
    World::builder().data_dir(folder.join("world")).sync(SyncLevel::Group).open().expect("the world opens")
}

/// A world in a folder, its players in a snapshot.
fn filled(folder: &Path) -> (World, Vec<Id<Player>>) {
    let world = open(folder);
    let ids = worlds::fill_players(&world, PLAYERS);
    world.snapshot().expect("a snapshot");
    (world, ids)
}

/// One transaction of so many updates, durable when this returns.
fn update_batch(world: &World, ids: &[Id<Player>], walk: &mut data::Walk) {
    let set = |tx: &mut Tx| {
        let mut players = tx.player_mut();
        for _ in 0..BATCH {
            let n = walk.next_row();
            players.get_mut(ids[n])?.set_gold(n as u64);
        }
        Ok(())
    };
    world.transact(set).expect("updates");
    world.sync().expect("a sync");
}

pub fn updates() -> Vec<Runs> {
    let folder = Folder::new("durable-updates");
    let (world, ids) = filled(&folder.0);
    let mut walk = data::Walk::new(PLAYERS);
    let race = Race::new().side("dbgen", move || {
        update_batch(&world, &ids, &mut walk);
        BATCH
    });
    let race = sqlite::durable_updates(race, &folder.0, PLAYERS, BATCH);
    redb::durable_updates(race, &folder.0, PLAYERS, BATCH).run()
}

/// Opens a world whose log holds so many updates behind its snapshot. The snapshot's load is in it.
pub fn recovery() -> Vec<Runs> {
    let folder = Folder::new("durable-recovery");
    let (world, ids) = filled(&folder.0);
    let mut walk = data::Walk::new(PLAYERS);
    (0..BATCHES).for_each(|_| update_batch(&world, &ids, &mut walk));
    drop(world);
    Race::new().timed_side("dbgen", || timed(BATCHES * BATCH, || open(&folder.0))).run()
}
