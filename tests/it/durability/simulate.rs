//! Crashes at every operation, crashes within recoveries, and faults at every operation.
//!
//! `DBGEN_CRASH_IMAGES=100000` sets how many disks are judged (a build for release judges them within a minute); a plain
//! `cargo test` judges a few thousand. A failure prints seed, operation and profile: add the seed to [`CORPUS`], which is
//! replayed for ever.

use super::campaign::{Campaign, Tally, is_whole};
use dbgen_runtime::storage::Sabotage;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds that found something once.
const CORPUS: &[u64] = &[1, 2];

fn images_wanted() -> u64 {
    std::env::var("DBGEN_CRASH_IMAGES").ok().and_then(|count| count.parse().ok()).unwrap_or(500)
}

#[test]
fn what_was_acknowledged_survives_a_crash_at_every_operation() {
    let (judged, next) = (Mutex::new(Tally::default()), AtomicU64::new(0));
    let wanted = images_wanted();
    let so_far = || *judged.lock().expect("nobody panics while it is held");
    let worker = || {
        while so_far().images < wanted {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let seed = CORPUS.get(number as usize).copied().unwrap_or(number + 1000);
            let tally = Campaign::new(seed).crashes().unwrap_or_else(|what| panic!("{what}"));
            *judged.lock().expect("nobody panics while it is held") += tally;
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
        (0..threads).for_each(|_| drop(scope.spawn(worker)));
    });
    let Tally { images, distinct } = so_far();
    println!("{images} crash images judged, {distinct} of them different");
    assert!(images >= wanted);
}

#[test]
fn what_was_acknowledged_survives_every_fault_at_every_operation() {
    let seeds: &[u64] = if is_whole() { &[6, 7] } else { &[7] };
    for seed in seeds.iter().copied() {
        let tally = Campaign::new(seed).faults().unwrap_or_else(|what| panic!("{what}"));
        assert!(tally.images > 200, "{tally:?}");
    }
}

/// Runs campaigns with a mistake made on purpose until one finds it.
#[track_caller]
fn must_be_caught(sabotage: Sabotage, campaign: impl Fn(&Campaign) -> Result<Tally, String>) {
    let caught = (0..6).any(|seed| {
        let honest = Campaign { recovery_every: 0, ..Campaign::new(seed) };
        campaign(&Campaign { sabotage, ..honest }).is_err()
    });
    assert!(caught, "{sabotage:?} went unnoticed");
}

fn with(change: impl FnOnce(&mut Sabotage)) -> Sabotage {
    let mut sabotage = Sabotage::default();
    change(&mut sabotage);
    sabotage
}

#[test]
fn forgetting_to_sync_a_folder_is_caught() {
    must_be_caught(with(|it| it.skip_sync_dir = true), Campaign::crashes);
}

#[test]
fn acknowledging_before_the_sync_is_caught() {
    must_be_caught(with(|it| it.acknowledge_before_sync = true), Campaign::crashes);
}

#[test]
fn trying_a_failed_sync_again_is_caught() {
    must_be_caught(with(|it| it.retry_sync = true), Campaign::faults);
}

#[test]
fn naming_a_snapshot_before_it_is_synced_is_caught() {
    must_be_caught(with(|it| it.rename_before_sync = true), Campaign::crashes);
}

#[test]
fn publishing_rows_before_their_indexes_is_caught() {
    must_be_caught(with(|it| it.publish_before_index = true), Campaign::crashes);
}
