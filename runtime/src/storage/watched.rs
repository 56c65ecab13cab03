//! A storage that tells how many bytes were read: what a progress bar is made of.

use super::{Entry, File, Lock, Open, Sabotage, Storage};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Hears of bytes that were read, on the threads that read them.
type Told = Arc<dyn Fn(u64) + Send + Sync>;

/// A storage that tells how many bytes were read.
pub struct Watched<S> {
    inner: S,
    told: Told,
}

impl<S: Storage> Watched<S> {
    /// The storage `inner`; `told` hears of every read.
    pub fn new(inner: S, told: impl Fn(u64) + Send + Sync + 'static) -> Watched<S> {
        Watched { inner, told: Arc::new(told) }
    }
}

impl<S: fmt::Debug> fmt::Debug for Watched<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watched({:?})", self.inner)
    }
}

impl<S: Storage> Storage for Watched<S> {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>> {
        let inner = self.inner.open(path, how)?;
        Ok(Box::new(WatchedFile { inner, told: self.told.clone() }))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.inner.create_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.inner.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.inner.remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.inner.sync_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.inner.list(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.inner.lock(path)
    }

    fn random(&self, bytes: &mut [u8]) {
        self.inner.random(bytes);
    }

    fn wall_us(&self) -> i64 {
        self.inner.wall_us()
    }

    fn sabotage(&self) -> Sabotage {
        self.inner.sabotage()
    }
}

struct WatchedFile {
    inner: Box<dyn File>,
    told: Told,
}

impl fmt::Debug for WatchedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WatchedFile({:?})", self.inner)
    }
}

impl File for WatchedFile {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read_at(offset, bytes)?;
        (self.told)(read as u64);
        Ok(read)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write_at(offset, bytes)
    }

    fn bytes(&self) -> io::Result<u64> {
        self.inner.bytes()
    }

    fn written_bytes(&self) -> io::Result<u64> {
        self.inner.written_bytes()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.inner.allocate(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }
}
