//! Logs and snapshots made by hand, with right checksums around wrong content: from the fuzzer's corpus, and from seeds.
//!
//! `cargo +nightly fuzz run log` and `… run snapshot` look for more; what they keep in `fuzz/corpus` is played here.

use super::campaign::is_whole;
use super::world::Dice;
use dbgen_tests::folder::{Came, log, snapshot};
use std::collections::HashMap;

fn corpus(of: &str, play: fn(&[u8]) -> Came) {
    let kept = dbgen_tests::files(&format!("fuzz/corpus/{of}"), "");
    assert!(kept.len() >= 4, "{kept:?}");
    for file in kept {
        println!("{file}");
        play(&std::fs::read(dbgen_tests::root().join(file)).expect("a file of the corpus"));
    }
}

/// Plays bytes that follow from seeds; some must be refused, some opened.
fn seeds(play: fn(&[u8]) -> Came, bytes_max: usize) {
    let mut came: HashMap<Came, u64> = HashMap::new();
    for seed in 0..if is_whole() { 4000 } else { 150 } {
        let mut dice = Dice(seed);
        dice.next();
        // Small numbers more often: they are what formats are made of.
        let byte = |dice: &mut Dice| if dice.below(3) == 0 { dice.next() as u8 } else { dice.below(8) as u8 };
        let bytes: Vec<u8> = (0..dice.below(bytes_max)).map(|_| byte(&mut dice)).collect();
        println!("seed {seed}");
        *came.entry(play(&bytes)).or_default() += 1;
    }
    assert!(came.len() == 2, "{came:?}");
}

#[test]
fn what_the_fuzzer_kept_of_logs_is_played_again() {
    corpus("log", log);
}

#[test]
fn what_the_fuzzer_kept_of_snapshots_is_played_again() {
    corpus("snapshot", snapshot);
}

#[test]
fn forged_records_of_the_log_are_refused_or_harmless() {
    seeds(log, 60);
}

#[test]
fn forged_snapshots_are_refused_or_harmless() {
    seeds(snapshot, 16);
}
