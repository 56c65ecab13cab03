//! Storage with manners: every error carries its path, every write is whole, every interruption is tried again.

use super::{Entry, File, Lock, Open, Sabotage, Storage};
use crate::error::{Error, Result};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A handle to a storage.
#[derive(Debug, Clone)]
pub struct Disk(Arc<dyn Storage>);

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io { path: path.display().to_string(), source }
}

impl Disk {
    /// The system's files, with manners.
    pub fn real() -> Disk {
        Disk(Arc::new(super::RealStorage))
    }

    /// The storage with manners.
    pub fn new(storage: Arc<dyn Storage>) -> Disk {
        Disk(storage)
    }

    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`], with the path; so do all methods here.
    pub fn open(&self, path: &Path, how: Open) -> Result<DiskFile> {
        let file = self.0.open(path, how).map_err(|error| io_error(path, error))?;
        Ok(DiskFile { path: path.to_owned(), file })
    }

    /// Makes a folder and those that it lies in, as far as they do not exist, durable with their names.
    pub fn create_dirs(&self, path: &Path) -> Result<()> {
        if self.0.list(path).is_ok() {
            return Ok(());
        }
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        match self.0.create_dir(path) {
            Err(error) if error.kind() == ErrorKind::NotFound && parent != Path::new(".") => {
                self.create_dirs(parent)?;
                self.0.create_dir(path).map_err(|error| io_error(path, error))?;
            }
            made => made.map_err(|error| io_error(path, error))?,
        }
        self.sync_dir(parent)
    }

    /// Gives a file or a folder another name in the same folder.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.0.rename(from, to).map_err(|error| io_error(from, error))
    }

    /// Removes a file.
    pub fn remove_file(&self, path: &Path) -> Result<()> {
        self.0.remove_file(path).map_err(|error| io_error(path, error))
    }

    /// Removes a folder with all that it holds.
    pub fn remove_dir_all(&self, path: &Path) -> Result<()> {
        for entry in self.list(path)? {
            let inner = path.join(&entry.name);
            if entry.is_folder { self.remove_dir_all(&inner)? } else { self.remove_file(&inner)? }
        }
        self.0.remove_dir(path).map_err(|error| io_error(path, error))
    }

    /// Makes the names in a folder durable.
    pub fn sync_dir(&self, path: &Path) -> Result<()> {
        if self.sabotage().skip_sync_dir {
            return Ok(());
        }
        self.0.sync_dir(path).map_err(|error| io_error(path, error))
    }

    /// The names in a folder, sorted; a folder that does not exist has none.
    pub fn list(&self, path: &Path) -> Result<Vec<Entry>> {
        match self.0.list(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed.map_err(|error| io_error(path, error)),
        }
    }

    /// Takes the lock that a file stands for.
    ///
    /// # Errors
    /// [`Error::InUse`] if another process holds it.
    pub fn lock(&self, path: &Path) -> Result<Box<dyn Lock>> {
        let lock = self.0.lock(path).map_err(|error| io_error(path, error))?;
        lock.ok_or_else(|| Error::InUse { path: path.display().to_string() })
    }

    /// Bytes that nobody can guess.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.random(&mut bytes);
        bytes
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn wall_us(&self) -> i64 {
        self.0.wall_us()
    }

    /// Mistakes to be made on purpose.
    pub(crate) fn sabotage(&self) -> Sabotage {
        self.0.sabotage()
    }

    /// Reads a whole file of at most `max` bytes.
    pub fn read(&self, path: &Path, max: u64) -> Result<Vec<u8>> {
        let file = self.open(path, Open::Read)?;
        let len = file.bytes()?;
        if len > max {
            let error = io::Error::new(ErrorKind::FileTooLarge, format!("{len} bytes, at most {max} were expected"));
            return Err(io_error(path, error));
        }
        let mut bytes = vec![0; len as usize];
        let read = file.read_up_to(0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Makes a file of these bytes, durable but for its name.
    pub fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let file = self.open(path, Open::Create)?;
        file.write_all_at(0, bytes)?;
        file.sync_data()
    }
}

/// An open file that knows its path.
#[derive(Debug)]
pub struct DiskFile {
    path: PathBuf,
    file: Box<dyn File>,
}

impl DiskFile {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn error(&self, source: io::Error) -> Error {
        io_error(&self.path, source)
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> Result<u64> {
        self.file.bytes().map_err(|error| self.error(error))
    }

    /// A length behind which there are only zeros, as far as the storage knows without reading them.
    pub fn written_bytes(&self) -> Result<u64> {
        self.file.written_bytes().map_err(|error| self.error(error))
    }

    /// Reads until `bytes` is full or the file ends; gives how much it read.
    pub fn read_up_to(&self, offset: u64, bytes: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while done < bytes.len() {
            match self.file.read_at(offset + done as u64, &mut bytes[done..]) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(error)),
            }
        }
        Ok(done)
    }

    /// Writes all of `bytes`.
    pub fn write_all_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            match self.file.write_at(offset + done as u64, &bytes[done..]) {
                Ok(0) => return Err(self.error(ErrorKind::WriteZero.into())),
                Ok(n) => done += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(error)),
            }
        }
        Ok(())
    }

    /// Cuts the file.
    pub fn set_len(&self, len: u64) -> Result<()> {
        self.file.set_len(len).map_err(|error| self.error(error))
    }

    /// Makes room for `len` bytes. A storage that has not got it is not an error yet: the write that needs it will say so.
    pub fn reserve(&self, len: u64) -> Result<()> {
        match self.file.allocate(len) {
            Err(error) if is_lack_of_room(&error) => Ok(()),
            done => done.map_err(|error| self.error(error)),
        }
    }

    /// Makes everything written durable. After an error nothing is known of what was written, and trying again would
    /// prove nothing: the caller gives the file up.
    pub fn sync_data(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| self.error(error))
    }
}

fn is_lack_of_room(error: &io::Error) -> bool {
    use ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull, Unsupported};
    matches!(error.kind(), StorageFull | FileTooLarge | QuotaExceeded | Unsupported)
}
