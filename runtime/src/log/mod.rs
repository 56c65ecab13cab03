//! The log: every commit, in order, on the disk before it is acknowledged.
//!
//! [`format`](mod@format) draws the bytes. [`writer`] appends them, `thread` does so beside the loop and says when what is durable,
//! [`read`] reads them back and finds where they end. Which of two ends it is, torn or damaged, is
//! [`recover`](crate::recover)'s to say.
//!
//! ```text
//! Engine::publish ─► CommitSink::append ─► bounded queue ─► log thread: write, sync ─► Progress ─► whoever waits
//! ```

pub mod format;
pub mod read;
mod thread;
pub mod writer;

pub(crate) use thread::LogConfig;
pub use thread::{Log, SyncLevel};

use std::path::{Path, PathBuf};

/// The folder of the log in a data folder.
pub fn log_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("log")
}

/// The file of a segment.
pub fn segment_name(segment: u64) -> String {
    format!("{segment:016}.log")
}

/// The segment that a file of this name holds.
pub fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log").filter(|digits| digits.len() == 16)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}
