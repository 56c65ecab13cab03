//! Resident memory per record, each side in a process of its own: what the system had to give, not what was asked for.
//!
//! The world is filled, then every record is written once in small commits, so that all versions that circulate exist and
//! have been touched. Linux only: it reads `/proc/self/statm`. Elsewhere the scene has no sides.

use super::worlds;
use crate::peers::{bevy, hecs};
use crate::race::Runs;
use std::hint::black_box;
use std::process::{Command, ExitCode};

const COUNT: usize = 1_000_000;
/// Bytes of an NPC, packed.
const PACKED: f64 = 100.0;
const PROBE: &str = "--memory-probe";

pub fn per_record() -> Vec<Runs> {
    let measured = ["dbgen", "hecs", "bevy"].into_iter().filter_map(|side| Some(Runs::of(side, vec![probe(side)?])));
    let mut sides: Vec<Runs> = measured.collect();
    if !sides.is_empty() {
        sides.insert(1, Runs::of("three times packed", vec![3.0 * PACKED]));
    }
    sides
}

/// Runs this program again, to fill one side and report.
fn probe(side: &str) -> Option<f64> {
    let program = std::env::current_exe().ok()?;
    let output = Command::new(program).args([PROBE, side]).output().ok()?;
    let bytes: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(bytes / COUNT as f64)
}

/// If the program was started as a probe, does its work.
pub fn probe_if_asked() -> Option<ExitCode> {
    let mut args = std::env::args().skip(1);
    let side = args.next().filter(|arg| arg == PROBE).and_then(|_| args.next())?;
    let before = resident_bytes()?;
    let after = match side.as_str() {
        "dbgen" => ours(),
        "hecs" => kept(hecs::npcs(COUNT)),
        "bevy" => kept(bevy::npcs(COUNT)),
        _ => return Some(ExitCode::from(2)),
    };
    println!("{}", after?.saturating_sub(before));
    Some(ExitCode::SUCCESS)
}

/// Resident memory while `world` lives.
fn kept<W>(world: W) -> Option<u64> {
    let bytes = resident_bytes();
    black_box(world);
    bytes
}

fn ours() -> Option<u64> {
    const PER_COMMIT: usize = 1000;
    let (world, ids) = worlds::with_npcs(COUNT);
    for (round, some) in ids.chunks(PER_COMMIT).enumerate() {
        let set = |tx: &mut crate::world::Tx| {
            let mut npcs = tx.npc_mut();
            some.iter().try_for_each(|id| npcs.get_mut(*id).map(|mut npc| npc.set_gold(round as u64)))
        };
        world.transact(set).expect("an update");
    }
    drop(ids);
    kept(world)
}

fn resident_bytes() -> Option<u64> {
    const PAGE_BYTES: u64 = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split_whitespace().nth(1)?.parse::<u64>().ok()? * PAGE_BYTES)
}
