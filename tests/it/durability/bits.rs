//! Every bit of a finished log and of its snapshot, flipped: what is opened is what was, or it is not opened.

use super::campaign::{check, finished};
use super::world::{Model, World, builder, transact};
use dbgen_runtime::Error;
use dbgen_runtime::storage::Sabotage;
use dbgen_runtime::storage::simulated::Simulated;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Bits from one that is flipped to the next: every one where all is to be proved.
fn stride() -> usize {
    if super::campaign::is_whole() { 1 } else { 101 }
}

fn files(disk: &Simulated, part: &str) -> Vec<(PathBuf, usize)> {
    let files = disk.files().into_iter().filter(|(path, _)| path.to_string_lossy().contains(part));
    files.map(|(path, bytes)| (path, bytes.len())).collect()
}

/// Flips bits of files whose path holds `part`, opens each time, and gives how many were refused.
fn flip_all(part: &str, lost_max: u64) -> u64 {
    let (disk, model) = finished(3);
    let last = model.last();
    let mut refused = 0;
    for (path, len) in files(&disk, part) {
        for bit in (0..len * 8).step_by(stride()) {
            let damaged = disk.copy();
            damaged.damage(&path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
            let opened = catch_unwind(AssertUnwindSafe(|| builder(World::Small, &damaged).open()));
            match opened.unwrap_or_else(|_| panic!("{} bit {bit}: it panicked", path.display())) {
                Ok(db) => check(&db, last - lost_max, &model)
                    .unwrap_or_else(|what| panic!("{} bit {bit}: {what}", path.display())),
                Err(Error::Damaged(_)) => refused += 1,
                Err(error) => panic!("{} bit {bit}: {error}", path.display()),
            }
        }
    }
    refused
}

#[test]
fn every_flipped_bit_of_the_log_is_refused_or_harmless() {
    // The log ends with a marker, so every commit is provably durable: not one of them may be lost.
    assert!(flip_all("/log/", 0) > 10);
}

#[test]
fn every_flipped_bit_of_a_snapshot_is_refused_or_harmless() {
    // The older snapshot and the log give the same as the one that is damaged.
    flip_all("snap-", 0);
}

#[test]
fn cutting_at_any_error_is_caught() {
    let (disk, model) = finished(3);
    disk.sabotage_with(with_cut());
    let (path, _) = files(&disk, "/log/").remove(1);
    disk.damage(&path, |bytes| bytes[100] ^= 1);
    let opened = builder(World::Small, &disk).open().map_err(|error| error.to_string());
    let judged = opened.and_then(|db| check(&db, model.last(), &model));
    assert!(judged.is_err(), "what was durable is gone, and nobody noticed");
}

fn with_cut() -> Sabotage {
    let mut sabotage = Sabotage::default();
    sabotage.cut_at_any_error = true;
    sabotage
}

/// The blocks of a file may hold what another file held before. Two lives of one database: the second ends early, and
/// behind its last record lie the first one's.
fn with_stale_records(sabotage: Sabotage) -> Result<(), String> {
    let script = 5;
    let life = |seed: u64, steps: usize| {
        let disk = Simulated::new(seed);
        disk.sabotage_with(sabotage);
        let db = builder(World::Small, &disk).log_segment_bytes(1 << 20).open().expect("it opens");
        (0..steps).for_each(|step| transact(World::Small, &db, script, step).expect("nothing fails"));
        disk.power_off_at(disk.operations());
        disk
    };
    let (first, second) = (life(1, 12), life(2, 4));
    let path = Path::new("data/log/0000000000000001.log");
    let stale = first.files().remove(path).expect("it is there");
    let after = second.copy();
    after.damage(path, |bytes| {
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1).next_multiple_of(8);
        let len = bytes.len();
        bytes[end..].copy_from_slice(&stale[end..len]);
    });
    let after = after.crash(0, dbgen_runtime::storage::simulated::Profile::Prefix);
    let model = Model::new(World::Small, script, 4);
    let db = builder(World::Small, &after).open().map_err(|error| error.to_string())?;
    check(&db, model.last(), &model)
}

#[test]
fn what_a_block_held_before_is_no_record() {
    with_stale_records(Sabotage::default()).unwrap_or_else(|what| panic!("{what}"));
    let mut sabotage = Sabotage::default();
    sabotage.no_salt = true;
    assert!(with_stale_records(sabotage).is_err(), "a log without salt went unnoticed");
}
