//! Files and folders of the simulated disk: what is durable, and what is pending.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

/// A file or a folder.
#[derive(Debug, Clone)]
pub(super) enum Node {
    File(FileNode),
    Folder(Folder),
}

/// What was done to a file and is not durable yet.
#[derive(Debug, Clone)]
pub(super) enum Pending {
    Write { offset: u64, bytes: Vec<u8> },
    Len(u64),
}

/// A file.
#[derive(Debug, Clone, Default)]
pub(super) struct FileNode {
    /// What is read.
    pub(super) bytes: Vec<u8>,
    /// What survives for sure.
    pub(super) durable: Vec<u8>,
    /// What lies between the two, with the numbers of the operations, unless a sync has failed.
    pub(super) pending: Vec<(u64, Pending)>,
    /// A sync has failed: what is read is not what is on the disk.
    is_ahead: bool,
}

impl FileNode {
    /// A file with nothing pending.
    pub(super) fn durable(bytes: Vec<u8>) -> FileNode {
        FileNode { bytes: bytes.clone(), durable: bytes, ..FileNode::default() }
    }

    pub(super) fn apply(&mut self, operation: u64, pending: Pending) {
        apply(&mut self.bytes, &pending);
        self.pending.push((operation, pending));
    }

    pub(super) fn sync(&mut self) {
        for (_, pending) in self.pending.drain(..) {
            apply(&mut self.durable, &pending);
        }
        self.is_ahead = self.durable != self.bytes;
    }

    /// A sync that fails as Linux has it: the dirty pages are dropped. They are read until the file is opened anew, and
    /// never written; the next sync says that all is well.
    pub(super) fn fail_sync(&mut self) {
        self.pending.clear();
        self.is_ahead = self.durable != self.bytes;
    }

    /// Whether what is read is not what is on the disk, since a sync has failed.
    pub(super) fn is_ahead(&self) -> bool {
        self.is_ahead
    }

    /// Forgets what a failed sync has lost.
    pub(super) fn reopen(&mut self) {
        self.bytes = self.durable.clone();
        for (_, pending) in &self.pending {
            apply(&mut self.bytes, pending);
        }
        self.is_ahead = false;
    }
}

/// Does to `bytes` what `pending` says.
pub(super) fn apply(bytes: &mut Vec<u8>, pending: &Pending) {
    match pending {
        Pending::Len(len) => bytes.resize(*len as usize, 0),
        Pending::Write { offset, bytes: written } => {
            let (start, end) = (*offset as usize, *offset as usize + written.len());
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[start..end].copy_from_slice(written);
        }
    }
}

/// What was done to a folder and is not durable yet.
#[derive(Debug, Clone)]
pub(super) enum Naming {
    Link(String, usize),
    Unlink(String),
    Rename(String, String),
}

/// A folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    /// What is listed.
    pub(super) entries: BTreeMap<String, usize>,
    /// What survives for sure.
    pub(super) durable: BTreeMap<String, usize>,
    /// What lies between the two, in order.
    pub(super) pending: Vec<Naming>,
}

impl Folder {
    pub(super) fn link(&mut self, name: String, at: usize) {
        self.entries.insert(name.clone(), at);
        self.pending.push(Naming::Link(name, at));
    }

    pub(super) fn unlink(&mut self, name: &str) -> io::Result<()> {
        self.entries.remove(name).ok_or(ErrorKind::NotFound)?;
        self.pending.push(Naming::Unlink(name.to_owned()));
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &str, to: String) -> io::Result<()> {
        let at = self.entries.remove(from).ok_or(ErrorKind::NotFound)?;
        self.entries.insert(to.clone(), at);
        self.pending.push(Naming::Rename(from.to_owned(), to));
        Ok(())
    }

    pub(super) fn sync(&mut self) {
        self.durable = self.entries.clone();
        self.pending.clear();
    }
}

/// Does to `entries` what `naming` says, if it still can.
pub(super) fn name(entries: &mut BTreeMap<String, usize>, naming: &Naming) {
    match naming {
        Naming::Link(name, at) => drop(entries.insert(name.clone(), *at)),
        Naming::Unlink(name) => drop(entries.remove(name)),
        Naming::Rename(from, to) => {
            if let Some(at) = entries.remove(from) {
                entries.insert(to.clone(), at);
            }
        }
    }
}
