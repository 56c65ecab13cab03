//! Snapshots: all tables at one commit, on the disk.
//!
//! ```text
//! snap-0000000000001234/            the commit, so names sort by age
//!   MANIFEST                        written last: what the snapshot is made of, and the checksums of all of it
//!   0000.table  0001.table  …       a table each: a header, then the blocks of its buffers, one after another
//!   KEPT                            requests that came under a key, if any are still kept; `redo` draws them
//!
//! table file: | header, 64 bytes | zstd frame of 1 MiB of a buffer | … |
//!
//!   0  "DBGSNAP\n"             8          32  commit                   8
//!   8  format                  2          40  number of the table      4
//!  10  oldest format of reader 2          44  0                       16
//!  12  0                       4          60  CRC-32C of the above     4
//!  16  database, a UUID       16
//! ```
//!
//! **Writing** (`write()`). The source is a published [`Version`](crate::engine::Version): it never changes, so nobody
//! waits for the disk. Everything goes into `snap-<commit>.tmp`; each file is synced, then the manifest, then the folder;
//! it is renamed, and the parent folder is synced. A start deletes what ends in `.tmp` unread.
//!
//! **Reading** ([`read`]). Nothing is believed before it has proved itself: sizes by checked arithmetic against the file,
//! stored bytes by their hash, raw bytes by theirs, shapes against the schema, and at last the records
//! ([`verify`](crate::verify)). Memory is taken as blocks prove themselves.
//!
//! **Retention** (`retain`). The newest two are kept, and the log from the older of them on: if the newest does not
//! prove whole, the other one with a longer log gives the same.

mod frame;
pub mod manifest;
pub mod read;
mod retain;
mod write;

pub use manifest::Manifest;
pub(crate) use retain::{remove, retain};
pub(crate) use write::{Source, write};

use crate::error::{Damage, DamageKind, Result};
use crate::storage::Disk;
use std::path::{Path, PathBuf};

/// The format that is written where there are requests that came under a key: format 1 does not know them.
pub const FORMAT: u16 = 2;
/// The format of everything else.
pub(crate) const FORMAT_PLAIN: u16 = 1;
/// Bytes of a buffer that are compressed together.
pub const BLOCK_BYTES: usize = 1 << 20;

/// The folder of the snapshot of a commit.
pub fn snapshot_dir(data_dir: &Path, commit: u64) -> PathBuf {
    data_dir.join(format!("snap-{commit:016}"))
}

/// The commits of the snapshots that there are, oldest first.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io).
pub fn list(disk: &Disk, data_dir: &Path) -> Result<Vec<u64>> {
    let commit = |name: &str| {
        let digits = name.strip_prefix("snap-").filter(|digits| digits.len() == 16)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok())?
    };
    let entries = disk.list(data_dir)?;
    let mut found: Vec<u64> =
        entries.iter().filter(|entry| entry.is_folder).filter_map(|entry| commit(&entry.name)).collect();
    found.sort_unstable();
    Ok(found)
}

/// The file of requests that came under a key.
pub(crate) const KEPT: &str = "KEPT";

/// The file of a table.
pub(crate) fn table_file(table: usize) -> String {
    format!("{table:04}.table")
}

/// That a snapshot has a file.
fn require(disk: &Disk, dir: &Path, name: &str) -> Result<()> {
    if disk.list(dir)?.iter().any(|entry| entry.name == name) {
        return Ok(());
    }
    let path = dir.join(name).display().to_string();
    Err(Box::new(Damage { path, offset: 0, what: DamageKind::Missing, advice: None }).into())
}

/// The last part of a path.
pub(crate) fn dir_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
