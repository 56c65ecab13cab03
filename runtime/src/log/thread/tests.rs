//! Which numbers the log lets be given out.

use super::*;
use crate::storage::simulated::Simulated;

fn log(inline: bool) -> Log {
    let disk = Disk::new(Arc::new(Simulated::new(1)));
    let data_dir = PathBuf::from("data");
    disk.create_dirs(&super::super::log_dir(&data_dir)).expect("there is room");
    let level = SyncLevel::Memory;
    let config = LogConfig { disk, data_dir, database: [1; 16], segment_bytes: 1 << 12, level, inline };
    Log::begin(config, End::default()).expect("there is room")
}

fn nothing(commit: u64) -> Group {
    let payload = Vec::new();
    Group { commit, tick: 0, schema: false, schema_version: 1, has_kept: false, payload }
}

/// A loop that commits to tables that are not logged, for days.
#[test]
fn no_more_commits_are_given_out_than_the_next_start_leaves_out() {
    for inline in [true, false] {
        let mut log = log(inline);
        let (step, mut commit, mut groups) = (COMMITS_AHEAD_MAX / 16, 0, 0);
        for _ in 0..100 {
            commit += step;
            if log.wants(commit) {
                groups += 1;
                log.append(nothing(commit));
            }
            assert!(commit - log.durable() < COMMITS_AHEAD_MAX, "{commit} is seen, {} durable", log.durable());
        }
        // A thread of its own may take a while to sync, and until it has, each commit asks again.
        let most = if inline { 60 } else { 100 };
        assert!((5..=most).contains(&groups), "{groups} groups for nothing");
    }
}
