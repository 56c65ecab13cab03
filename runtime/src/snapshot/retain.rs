//! What is kept: the newest snapshots, and the log from the oldest of them on.

use super::{Manifest, list, snapshot_dir};
use crate::error::Result;
use crate::log::{log_dir, read, segment_name};
use crate::storage::Disk;
use std::path::Path;

/// Removes a snapshot. It gets a name that a start deletes unread before any of its files goes, so half a snapshot is never
/// taken for one.
pub(crate) fn remove(disk: &Disk, data_dir: &Path, commit: u64) -> Result<()> {
    let dir = snapshot_dir(data_dir, commit);
    let aside = dir.with_extension("tmp");
    disk.rename(&dir, &aside)?;
    disk.sync_dir(data_dir)?;
    disk.remove_dir_all(&aside)
}

/// Removes snapshots but the newest `keep`, and segments of the log that none of those needs.
pub(crate) fn retain(disk: &Disk, data_dir: &Path, keep: usize) -> Result<()> {
    let commits = list(disk, data_dir)?;
    let (old, kept) = commits.split_at(commits.len().saturating_sub(keep.max(1)));
    for commit in old {
        remove(disk, data_dir, *commit)?;
    }
    // A manifest that does not prove whole says nothing of what it needs: all of the log is kept for the others.
    let mut needed = u64::MAX;
    for commit in kept {
        match Manifest::read(disk, &snapshot_dir(data_dir, *commit)) {
            Ok(manifest) => needed = needed.min(manifest.log_segment),
            Err(_) => return Ok(()),
        }
    }
    let dir = log_dir(data_dir);
    for segment in read::segments(disk, data_dir)?.into_iter().filter(|segment| *segment < needed) {
        disk.remove_file(&dir.join(segment_name(segment)))?;
    }
    disk.sync_dir(&dir)
}
