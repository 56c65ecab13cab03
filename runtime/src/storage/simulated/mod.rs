//! A disk in memory that forgets like a real one.
//!
//! ```text
//! file:    durable bytes | writes that no sync has made durable yet, in order          what is read: both
//! folder:  durable names | names made, changed and removed since                       what is listed: both
//! ```
//!
//! Every operation that changes something has a number. [`Simulated::power_off_at`] says at which of them power fails:
//! that one and all later ones fail, reads too. [`Simulated::crash`] then gives the disk as the next start finds it: what
//! was durable, and of the rest what the [`Profile`] and a seed choose. Faults are planned by the same numbers
//! ([`Fault`]); a failed sync has Linux semantics: what was pending is gone from the disk, is still read until the file
//! is opened anew, and the next sync says `Ok`.
//!
//! A disk can keep what it was before each operation ([`Simulated::remember`]): one run then stands for every place at
//! which power may fail. Copies share the files that neither of them changes.
//!
//! It is deterministic: the same calls, plans and seeds give the same bytes.

mod crash;
mod node;

pub use crash::Profile;

use super::{Entry, File, Lock, Open, Sabotage, Storage};
use crate::checksum::xxh3_128;
use node::{FileNode, Folder, Node, Pending};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A fault that an operation meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The device fails (EIO). Of a sync: what was pending is lost.
    Io,
    /// No room is left (ENOSPC).
    NoSpace,
    /// A write takes only half of its bytes.
    Short,
    /// The call is interrupted (EINTR).
    Interrupted,
}

/// A disk in memory. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Simulated {
    disk: Arc<Mutex<SimulatedDisk>>,
}

/// Files and folders by number; those that a change does not touch are shared with copies.
type Nodes = Vec<Arc<Node>>;

/// The disk's state.
#[derive(Debug, Clone)]
struct SimulatedDisk {
    nodes: Nodes,
    /// What it was before each operation, from the first that was to be remembered.
    past: Option<Vec<Nodes>>,
    locks: BTreeSet<PathBuf>,
    /// Operations that changed something, or tried to.
    operations: u64,
    power_off_at: Option<u64>,
    faults: BTreeMap<u64, Fault>,
    /// Bytes that files may have together.
    room: Option<u64>,
    dice: Dice,
    sabotage: Sabotage,
}

/// The folder that everything lies in.
const ROOT: usize = 0;

impl Simulated {
    /// An empty disk. `seed` is what its randomness is made of.
    pub fn new(seed: u64) -> Simulated {
        let disk = SimulatedDisk {
            nodes: vec![Arc::new(Node::Folder(Folder::default()))],
            past: None,
            locks: BTreeSet::new(),
            operations: 0,
            power_off_at: None,
            faults: BTreeMap::new(),
            room: None,
            dice: Dice(seed),
            sabotage: Sabotage::default(),
        };
        Simulated { disk: Arc::new(Mutex::new(disk)) }
    }

    fn disk(&self) -> MutexGuard<'_, SimulatedDisk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Operations so far that changed something, or tried to.
    pub fn operations(&self) -> u64 {
        self.disk().operations
    }

    /// Power fails at operation number `at`, counted from 0: it and everything after it fails.
    pub fn power_off_at(&self, at: u64) {
        self.disk().power_off_at = Some(at);
    }

    /// Operation number `at` meets `fault`.
    pub fn fault_at(&self, at: u64, fault: Fault) {
        self.disk().faults.insert(at, fault);
    }

    /// Files may have so many bytes together; `None` = as many as they like.
    pub fn room(&self, bytes: Option<u64>) {
        self.disk().room = bytes;
    }

    /// Has the database make mistakes on purpose.
    #[doc(hidden)]
    pub fn sabotage_with(&self, sabotage: Sabotage) {
        self.disk().sabotage = sabotage;
    }

    /// Keeps what the disk is before each operation from now on.
    pub fn remember(&self) {
        self.disk().past = Some(Vec::new());
    }

    /// The disks that power leaves behind when it fails at each of the operations that were remembered, and after the last:
    /// with what is pending, before [`Simulated::crash`].
    pub fn past(&self) -> Vec<Simulated> {
        let disk = self.disk();
        let states = disk.past.iter().flatten().chain([&disk.nodes]);
        states.map(|nodes| Simulated::over(nodes.clone(), disk.dice.clone(), disk.room, disk.sabotage)).collect()
    }

    /// The disk as the next start finds it after power failed now: nobody holds a lock, no fault is planned, and what was
    /// not durable is there, or not, as `profile` and `seed` choose.
    pub fn crash(&self, seed: u64, profile: Profile) -> Simulated {
        let disk = self.disk();
        let nodes = crash::after(&disk.nodes, profile, &mut Dice(seed));
        Simulated::over(nodes, Dice(seed ^ 0x9e37_79b9_7f4a_7c15), disk.room, disk.sabotage)
    }

    /// A copy of the disk as it is, what is pending included.
    pub fn copy(&self) -> Simulated {
        let disk = self.disk();
        Simulated { disk: Arc::new(Mutex::new(SimulatedDisk { locks: BTreeSet::new(), past: None, ..disk.clone() })) }
    }

    fn over(nodes: Nodes, dice: Dice, room: Option<u64>, sabotage: Sabotage) -> Simulated {
        let disk = Simulated::new(0);
        {
            let mut state = disk.disk();
            (state.nodes, state.dice, state.room, state.sabotage) = (nodes, dice, room, sabotage);
        }
        disk
    }

    /// A number that tells disks apart by the names and the bytes that are read.
    pub fn fingerprint(&self) -> u128 {
        let (mut text, disk) = (Vec::new(), self.disk());
        disk.visit(&mut |path, file| {
            text.extend_from_slice(path.as_os_str().as_encoded_bytes());
            text.extend_from_slice(&(file.bytes.len() as u64).to_le_bytes());
            text.extend_from_slice(&file.bytes);
        });
        xxh3_128(&text)
    }

    /// All files with their bytes, as they are read now.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        self.disk().visit(&mut |path, file| drop(found.insert(path, file.bytes.clone())));
        found
    }

    /// The names of all files, and the bytes that they have together.
    pub fn names_and_size(&self) -> (Vec<PathBuf>, usize) {
        let (mut names, mut bytes) = (Vec::new(), 0);
        self.disk().visit(&mut |path, file| {
            names.push(path);
            bytes += file.bytes.len();
        });
        (names, bytes)
    }

    /// Changes the bytes of a file, durably, as rot and hands do.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk();
        let found = disk.find(path);
        if let Ok(at) = found
            && let Node::File(file) = Arc::make_mut(&mut disk.nodes[at])
        {
            change(&mut file.bytes);
            file.durable = file.bytes.clone();
            file.pending.clear();
        }
    }
}

impl SimulatedDisk {
    /// Counts an operation; says what it meets.
    fn operation(&mut self) -> io::Result<Option<Fault>> {
        let number = self.operations;
        self.operations += 1;
        self.powered()?;
        if let Some(past) = &mut self.past {
            past.push(self.nodes.clone());
        }
        Ok(self.faults.get(&number).copied())
    }

    fn powered(&self) -> io::Result<()> {
        match self.power_off_at {
            Some(at) if self.operations > at => Err(io::Error::other("power is off")),
            _ => Ok(()),
        }
    }

    /// Counts an operation that no planned fault but failure itself makes sense for.
    fn plain_operation(&mut self) -> io::Result<()> {
        match self.operation()? {
            Some(Fault::Io) => Err(device_failed()),
            Some(Fault::NoSpace) => Err(ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    /// Calls `each` with every file, in an order that follows from the names.
    fn visit(&self, each: &mut dyn FnMut(PathBuf, &FileNode)) {
        let mut folders = vec![(PathBuf::new(), ROOT)];
        while let Some((path, at)) = folders.pop() {
            let Node::Folder(folder) = &*self.nodes[at] else { continue };
            for (name, at) in &folder.entries {
                match &*self.nodes[*at] {
                    Node::Folder(_) => folders.push((path.join(name), *at)),
                    Node::File(file) => each(path.join(name), file),
                }
            }
        }
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        let mut at = ROOT;
        for name in names(path) {
            let Node::Folder(folder) = &*self.nodes[at] else { return Err(ErrorKind::NotFound.into()) };
            at = *folder.entries.get(&name).ok_or(ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    /// The folder in which `path` lies, and its name there.
    fn place(&mut self, path: &Path) -> io::Result<(&mut Folder, String)> {
        let mut names = names(path);
        let name = names.pop().ok_or(ErrorKind::InvalidInput)?;
        let at = self.find(&names.iter().collect::<PathBuf>())?;
        match Arc::make_mut(&mut self.nodes[at]) {
            Node::Folder(folder) => Ok((folder, name)),
            Node::File(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn add(&mut self, path: &Path, node: Node) -> io::Result<usize> {
        let at = self.nodes.len();
        let (folder, name) = self.place(path)?;
        if folder.entries.contains_key(&name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        folder.link(name, at);
        self.nodes.push(Arc::new(node));
        Ok(at)
    }

    fn file_read(&self, at: usize) -> io::Result<&FileNode> {
        match &*self.nodes[at] {
            Node::File(file) => Ok(file),
            Node::Folder(_) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn file(&mut self, at: usize) -> io::Result<&mut FileNode> {
        match Arc::make_mut(&mut self.nodes[at]) {
            Node::File(file) => Ok(file),
            Node::Folder(_) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn has_room_for(&self, more: u64) -> bool {
        let Some(room) = self.room else { return true };
        let used: u64 = self
            .nodes
            .iter()
            .map(|node| if let Node::File(file) = &**node { file.bytes.len() as u64 } else { 0 })
            .sum();
        used + more <= room
    }
}

fn names(path: &Path) -> Vec<String> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

fn device_failed() -> io::Error {
    io::Error::other("the device failed")
}

impl Storage for Simulated {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn File>> {
        let mut disk = self.disk();
        let at = if how == Open::Create {
            disk.plain_operation()?;
            disk.add(path, Node::File(FileNode::default()))?
        } else {
            disk.powered()?;
            let at = disk.find(path)?;
            // What a failed sync lost is read no more.
            if disk.file_read(at)?.is_ahead() {
                disk.file(at)?.reopen();
            }
            at
        };
        drop(disk);
        Ok(Box::new(SimulatedFile { disk: self.clone(), at }))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.powered()?;
        if disk.find(path).is_ok() {
            return Ok(());
        }
        disk.plain_operation()?;
        disk.add(path, Node::Folder(Folder::default())).map(drop)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.plain_operation()?;
        if from.parent() != to.parent() {
            return Err(ErrorKind::CrossesDevices.into());
        }
        let to = names(to).pop().ok_or(ErrorKind::InvalidInput)?;
        let (folder, from) = disk.place(from)?;
        folder.rename(&from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.plain_operation()?;
        let (folder, name) = disk.place(path)?;
        folder.unlink(&name)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.plain_operation()?;
        let at = disk.find(path)?;
        if matches!(&*disk.nodes[at], Node::Folder(folder) if !folder.entries.is_empty()) {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        let (folder, name) = disk.place(path)?;
        folder.unlink(&name)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.plain_operation()?;
        let at = disk.find(path)?;
        if let Node::Folder(folder) = Arc::make_mut(&mut disk.nodes[at]) {
            folder.sync();
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let disk = self.disk();
        disk.powered()?;
        let at = disk.find(path)?;
        let Node::Folder(folder) = &*disk.nodes[at] else { return Err(ErrorKind::NotADirectory.into()) };
        let entry = |(name, at): (&String, &usize)| Entry {
            name: name.clone(),
            is_folder: matches!(*disk.nodes[*at], Node::Folder(_)),
        };
        Ok(folder.entries.iter().map(entry).collect())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let mut disk = self.disk();
        disk.powered()?;
        let path = path.to_owned();
        let is_free = disk.locks.insert(path.clone());
        drop(disk);
        Ok(is_free.then(|| Box::new(SimulatedLock { disk: self.clone(), path }) as Box<dyn Lock>))
    }

    fn random(&self, bytes: &mut [u8]) {
        let mut disk = self.disk();
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&disk.dice.next().to_le_bytes()[..chunk.len()]);
        }
    }

    fn wall_us(&self) -> i64 {
        self.disk().operations as i64
    }

    fn sabotage(&self) -> Sabotage {
        self.disk().sabotage
    }
}

#[derive(Debug)]
struct SimulatedLock {
    disk: Simulated,
    path: PathBuf,
}

impl Lock for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.disk.disk().locks.remove(&self.path);
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: Simulated,
    at: usize,
}

impl File for SimulatedFile {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let disk = self.disk.disk();
        disk.powered()?;
        let content = &disk.file_read(self.at)?.bytes;
        let from = content.get(offset.min(content.len() as u64) as usize..).unwrap_or_default();
        let n = from.len().min(bytes.len());
        bytes[..n].copy_from_slice(&from[..n]);
        Ok(n)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.disk.disk();
        let mut bytes = bytes;
        match disk.operation()? {
            Some(Fault::Io) => return Err(device_failed()),
            Some(Fault::NoSpace) => return Err(ErrorKind::StorageFull.into()),
            Some(Fault::Interrupted) => return Err(ErrorKind::Interrupted.into()),
            Some(Fault::Short) => bytes = &bytes[..bytes.len().div_ceil(2)],
            None => {}
        }
        let end = offset + bytes.len() as u64;
        let longer = end.saturating_sub(disk.file_read(self.at)?.bytes.len() as u64);
        if !disk.has_room_for(longer) {
            return Err(ErrorKind::StorageFull.into());
        }
        let number = disk.operations;
        disk.file(self.at)?.apply(number, Pending::Write { offset, bytes: bytes.to_vec() });
        Ok(bytes.len())
    }

    fn bytes(&self) -> io::Result<u64> {
        let disk = self.disk.disk();
        disk.powered()?;
        Ok(disk.file_read(self.at)?.bytes.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut disk = self.disk.disk();
        disk.plain_operation()?;
        let number = disk.operations;
        disk.file(self.at)?.apply(number, Pending::Len(len));
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut disk = self.disk.disk();
        disk.plain_operation()?;
        let now = disk.file_read(self.at)?.bytes.len() as u64;
        if !disk.has_room_for(len.saturating_sub(now)) {
            return Err(ErrorKind::StorageFull.into());
        }
        let number = disk.operations;
        if len > now {
            disk.file(self.at)?.apply(number, Pending::Len(len));
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.disk.disk();
        let fault = disk.operation()?;
        let file = disk.file(self.at)?;
        match fault {
            Some(Fault::Io | Fault::NoSpace) => {
                file.fail_sync();
                Err(device_failed())
            }
            _ => {
                file.sync();
                Ok(())
            }
        }
    }
}

/// Numbers that look random and follow from a seed (SplitMix64).
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }

    fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }
}
