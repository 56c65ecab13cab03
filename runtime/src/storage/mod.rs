//! The seam between the database and the machine: files, folders, randomness and the date.
//!
//! Everything durable goes through [`Storage`]: the log, snapshots, recovery and the lock. `std::fs` is banned elsewhere
//! (`clippy.toml`), so that one implementation can stand for another: [`real`] is the system's, [`simulated`] keeps
//! everything in memory, loses power where it is told to, and returns what a disk may return afterwards.
//!
//! What the database relies on, and nothing more:
//!
//! - bytes written are durable once `sync_data` of their file has returned `Ok`, and not before;
//! - a name is durable once `sync_dir` of its folder has returned `Ok`, and not before; a rename is all or nothing;
//! - a write that is under way when power fails may leave any mixture of old, new and garbage in the bytes that it
//!   covers, and none outside of them (disks call this power-safe overwrite);
//! - after a failed `sync_data` nothing is known of what was written, and a further one proves nothing.

mod disk;
pub mod real;
pub mod simulated;
mod watched;

pub use disk::{Disk, DiskFile};
pub use real::RealStorage;
pub use watched::Watched;

use std::fmt::Debug;
use std::io;
use std::path::Path;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// It exists; nothing is written.
    Read,
    /// It exists; it is read and written.
    Write,
    /// It does not exist, and does then.
    Create,
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name, without its folder.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Files and folders, randomness and the date. Paths are used as they are given.
pub trait Storage: Send + Sync + Debug {
    /// Opens a file.
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>>;
    /// Makes a folder in a folder that exists; one that exists already is fine.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Gives a file or a folder another name in the same folder; a file of that name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder, sorted.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;
    /// Takes the lock that a file stands for, making the file if need be; `None` if another holds it. Dropping it gives
    /// it back, and so does the end of the process, however it ends.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
    /// Fills `bytes` with what nobody can guess, or, simulated, with what a seed says.
    fn random(&self, bytes: &mut [u8]);
    /// Microseconds since 1970-01-01T00:00:00Z.
    fn wall_us(&self) -> i64;
    /// Mistakes to be made on purpose, to prove that tests would notice them. None but in a simulation.
    #[doc(hidden)]
    fn sabotage(&self) -> Sabotage {
        Sabotage::default()
    }
}

/// An open file.
pub trait File: Send + Sync + Debug {
    /// Reads at most as many bytes as fit, 0 at the end of the file.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize>;
    /// Writes at least one byte, at most all; makes the file longer as needed.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize>;
    /// Bytes of the file.
    fn bytes(&self) -> io::Result<u64>;
    /// A length behind which the storage knows that there are only zeros, without reading them: room that was taken and never
    /// written. The file's length where it does not know.
    fn written_bytes(&self) -> io::Result<u64> {
        self.bytes()
    }
    /// Cuts the file, or fills it up with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes the file `len` bytes long, with room on the disk for all of them; new bytes are zero.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// Makes everything written durable, the length included.
    fn sync_data(&self) -> io::Result<()>;
}

/// A lock that is held.
pub trait Lock: Send + Sync + Debug {}

/// Mistakes that a simulation has the database make, each of which a test must notice.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sabotage {
    /// Names are taken for durable without `sync_dir`.
    pub skip_sync_dir: bool,
    /// Commits are acknowledged once they are written.
    pub acknowledge_before_sync: bool,
    /// A failed `sync_data` is tried again.
    pub retry_sync: bool,
    /// Whatever cannot be read ends the log, be it provably once durable or not.
    pub cut_at_any_error: bool,
    /// Every segment has the same salt.
    pub no_salt: bool,
    /// Snapshots are named before they are synced.
    pub rename_before_sync: bool,
    /// Rows are published before their indexes, which follow with the next publication.
    pub publish_before_index: bool,
}
