//! What an operator does with a data folder that no database has open, or, for what only reads, that one has.
//!
//! [`dump`] and [`check`] read the log, [`prove`] proves a snapshot, [`restore`] goes back to one, [`backup`] copies a
//! folder while a server writes to it. All of them read through the same functions as a recovery.

use super::tail::{self, Ending, What};
use super::{Folder, base};
use crate::error::{Error, Result};
use crate::log::format::{Kind, SEGMENT_HEADER_BYTES};
use crate::log::read::{Segment, segments};
use crate::log::{log_dir, segment_name};
use crate::recover::Given;
use crate::snapshot::{self, Manifest, manifest, snapshot_dir};
use crate::storage::{Disk, Open};
use std::path::{Path, PathBuf};

/// Bytes copied at once.
const COPY_BYTES: usize = 1 << 20;
/// How often a backup begins anew when what it copies is cleared away behind a newer snapshot.
const BACKUP_TRIES: usize = 5;

/// A record of the log, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRecord {
    /// Its segment.
    pub segment: u64,
    /// Where it begins in the segment.
    pub offset: u64,
    /// The last commit in it.
    pub commit: u64,
    /// The tick that it belongs to.
    pub tick: u64,
    /// The last commit that was known to be durable when it was written.
    pub durable: u64,
    /// What it is.
    pub kind: Kind,
    /// Whether the database was closed here.
    pub is_closed: bool,
    /// Bytes of its payload.
    pub payload_bytes: u32,
}

/// Whether a folder holds a database, or what is left of one.
///
/// # Errors
/// [`Error::Io`].
pub fn is_database(disk: &Disk, data_dir: &Path) -> Result<bool> {
    let Folder { snapshots, segments } = Folder::look(disk, data_dir)?;
    Ok(!snapshots.is_empty() || !segments.is_empty())
}

/// Bytes in a segment that are no record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread {
    /// The file.
    pub path: PathBuf,
    /// Where they begin.
    pub offset: u64,
    /// How many there are, without zeros at the end.
    pub bytes: u64,
}

/// Calls `each` with every whole record of all segments that there are, and gives what is none.
///
/// # Errors
/// [`Error::Io`]; [`Error::Damaged`] if the header of a segment is; what `each` returns.
pub fn dump(disk: &Disk, data_dir: &Path, each: &mut dyn FnMut(&LogRecord) -> Result<()>) -> Result<Vec<Unread>> {
    let numbers = segments(disk, data_dir)?;
    let (mut previous, mut unread) = (None, Vec::new());
    for (at, number) in numbers.iter().enumerate() {
        let next = numbers.get(at + 1).filter(|next| **next == number + 1);
        let valid = next.map(|next| crate::log::read::header(disk, data_dir, *next, None)).transpose()?;
        let segment = Segment::read(disk, data_dir, *number, None, valid.map(|next| next.previous_bytes))?;
        let mut records = segment.records(previous);
        for (offset, record) in records.by_ref() {
            previous = Some((record.header.commit, record.check));
            each(&LogRecord {
                segment: *number,
                offset: offset as u64,
                commit: record.header.commit,
                tick: record.header.tick,
                durable: record.header.durable,
                kind: record.header.kind,
                is_closed: record.header.is_closed,
                payload_bytes: record.header.payload_bytes,
            })?;
        }
        let (offset, bytes) = (records.offset() as u64, segment.rest(records.offset()).len() as u64);
        if bytes > 0 {
            unread.push(Unread { path: segment.path, offset, bytes });
        }
    }
    Ok(unread)
}

/// Reads the log behind the newest snapshot whose manifest proves whole, and judges its end as a recovery would.
///
/// # Errors
/// [`Error::Io`]; [`Error::Damaged`] if it is.
pub fn check(disk: &Disk, data_dir: &Path) -> Result<Ending> {
    let folder = Folder::look(disk, data_dir)?;
    let manifest = newest_manifest(disk, data_dir, &folder)?;
    let what = What { folder: &folder, manifest: &manifest, durable: manifest.durable, salvage: false };
    let mut ending = tail::scan(disk, data_dir, &what, &mut |ending, _, record, _, _| {
        ending.records += u64::from(record.header.kind != Kind::Marker);
        Ok(())
    })?;
    ending.last = ending.last.max(manifest.commit);
    Ok(ending)
}

fn newest_manifest(disk: &Disk, data_dir: &Path, folder: &Folder) -> Result<Manifest> {
    let read = |commit: &u64| Manifest::read(disk, &snapshot_dir(data_dir, *commit));
    let mut manifests = folder.snapshots.iter().rev().map(read);
    match manifests.next() {
        None => Err(super::without_snapshot(data_dir).into()),
        Some(Ok(manifest)) => Ok(manifest),
        Some(Err(error)) => manifests.find_map(Result::ok).ok_or(error),
    }
}

/// Proves a snapshot: every checksum, every length, every record.
///
/// # Errors
/// [`Error::Io`]; [`Error::Damaged`] with what is wrong.
pub fn prove(disk: &Disk, data_dir: &Path, commit: u64) -> Result<Manifest> {
    let dir = snapshot_dir(data_dir, commit);
    let given = Given { schema: None, compiled: None };
    let base::Loaded { engine, manifest, .. } = base::load(disk, &dir, Manifest::read(disk, &dir)?, &given)?;
    super::verify(&engine, &dir)?;
    Ok(manifest)
}

/// Goes back to a snapshot: what came after it goes to quarantine, and the next start begins there.
///
/// # Errors
/// [`Error::InUse`] while a database has the folder open; [`Error::Damaged`] if the snapshot is; [`Error::Io`].
pub fn restore(disk: &Disk, data_dir: &Path, commit: u64) -> Result<()> {
    let _lock = disk.lock(&data_dir.join("LOCK"))?;
    let manifest = prove(disk, data_dir, commit)?;
    let folder = Folder::look(disk, data_dir)?;
    // The log behind the snapshot is read as far as it belongs to it; what follows is cut, as if it were torn.
    let what = What { folder: &folder, manifest: &manifest, durable: 0, salvage: true };
    let mut ending = Ending::default();
    let mut is_over = false;
    let scanned = tail::scan(disk, data_dir, &what, &mut |so_far, segment, record, offset, _| {
        if !is_over && record.header.commit > commit {
            is_over = true;
            ending = so_far.clone();
            (ending.end.segment, ending.end.bytes) = (segment.header.segment, offset as u64);
            ending.torn = segment.rest(offset).to_vec();
        }
        Ok(())
    })?;
    if !is_over {
        ending = scanned;
    }
    ending.given_up = folder.segments.into_iter().filter(|segment| *segment > ending.end.segment).collect();
    for newer in folder.snapshots.iter().filter(|newer| **newer > commit) {
        keep_aside(disk, data_dir, *newer)?;
        snapshot::remove(disk, data_dir, *newer)?;
    }
    tail::settle(disk, data_dir, &ending)?;
    tail::cut(disk, data_dir, &ending);
    Ok(())
}

/// Keeps a snapshot in quarantine that is to go: it may be all that there is of tables that are not logged.
fn keep_aside(disk: &Disk, data_dir: &Path, commit: u64) -> Result<()> {
    let (from, quarantine) = (snapshot_dir(data_dir, commit), data_dir.join("quarantine"));
    let to = snapshot_dir(&quarantine, commit);
    disk.create_dirs(&quarantine)?;
    if disk.list(&quarantine)?.iter().any(|entry| entry.name == snapshot::dir_name(&to)) {
        // Somebody went back from it before, or was interrupted here.
        disk.remove_dir_all(&to)?;
    }
    disk.create_dirs(&to)?;
    for entry in disk.list(&from)? {
        copy_file(disk, &from.join(&entry.name), &to.join(&entry.name), None, &mut |_| ())?;
    }
    [to.as_path(), &quarantine, data_dir].iter().try_for_each(|dir| disk.sync_dir(dir))
}

/// Copies a data folder, which a database may have open and write to, into a folder that is empty or not there: the newest
/// snapshot that proves whole, and the log behind it up to its end. `progress` hears of bytes done.
///
/// # Errors
/// [`Error::Io`]; [`Error::Damaged`]; [`Error::NotEmpty`].
pub fn backup(disk: &Disk, from: &Path, to: &Path, progress: &mut dyn FnMut(u64)) -> Result<u64> {
    if !disk.list(to)?.is_empty() {
        return Err(Error::NotEmpty { path: to.display().to_string() });
    }
    let mut tries = 1;
    loop {
        match copy_folder(disk, from, to, progress) {
            Err(error) if tries < BACKUP_TRIES && is_gone(&error) => {
                tries += 1;
                for entry in disk.list(to)? {
                    let path = to.join(&entry.name);
                    if entry.is_folder { disk.remove_dir_all(&path)? } else { disk.remove_file(&path)? }
                }
            }
            copied => return copied,
        }
    }
}

/// Whether a file went while it was copied: a newer snapshot had it cleared away.
fn is_gone(error: &Error) -> bool {
    use crate::error::DamageKind::Missing;
    match error {
        Error::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
        Error::Damaged(damage) => damage.what == Missing,
        _ => false,
    }
}

fn copy_folder(disk: &Disk, from: &Path, to: &Path, progress: &mut dyn FnMut(u64)) -> Result<u64> {
    let folder = Folder::look(disk, from)?;
    let manifest = newest_manifest(disk, from, &folder)?;
    disk.create_dirs(&log_dir(to))?;
    // The log first: what it holds by now is behind the snapshot whatever happens, and its end only grows.
    let folder = Folder { segments: segments(disk, from)?, ..folder };
    let what = What { folder: &folder, manifest: &manifest, durable: 0, salvage: false };
    let ending = tail::scan(disk, from, &what, &mut |_, _, _, _, _| Ok(()))?;
    for segment in manifest.log_segment..=ending.end.segment {
        let path = log_dir(from).join(segment_name(segment));
        let bytes = match segment == ending.end.segment {
            true => ending.end.bytes,
            false => crate::log::read::header(disk, from, segment + 1, None)?.previous_bytes,
        };
        let bytes = bytes.max(SEGMENT_HEADER_BYTES as u64);
        copy_file(disk, &path, &log_dir(to).join(segment_name(segment)), Some(bytes), progress)?;
    }
    disk.sync_dir(&log_dir(to))?;
    let (source, target) = (snapshot_dir(from, manifest.commit), snapshot_dir(to, manifest.commit));
    let aside = target.with_extension("tmp");
    disk.create_dirs(&aside)?;
    for entry in disk.list(&source)?.iter().filter(|entry| entry.name != manifest::MANIFEST) {
        copy_file(disk, &source.join(&entry.name), &aside.join(&entry.name), None, progress)?;
    }
    copy_file(disk, &source.join(manifest::MANIFEST), &aside.join(manifest::MANIFEST), None, progress)?;
    disk.sync_dir(&aside)?;
    disk.rename(&aside, &target)?;
    disk.sync_dir(to)?;
    prove(disk, to, manifest.commit)?;
    Ok(ending.last.max(manifest.commit))
}

fn copy_file(disk: &Disk, from: &Path, to: &Path, bytes: Option<u64>, progress: &mut dyn FnMut(u64)) -> Result<()> {
    let (source, target) = (disk.open(from, Open::Read)?, disk.open(to, Open::Create)?);
    let bytes = bytes.map_or_else(|| source.bytes(), Ok)?;
    let (mut done, mut piece) = (0, vec![0; COPY_BYTES]);
    while done < bytes {
        let wanted = piece.len().min((bytes - done) as usize);
        let read = source.read_up_to(done, &mut piece[..wanted])?;
        if read == 0 {
            break;
        }
        target.write_all_at(done, &piece[..read])?;
        done += read as u64;
        progress(read as u64);
    }
    target.sync_data()
}

/// The snapshots of a folder, newest first, each with its manifest or what is wrong with it.
///
/// # Errors
/// [`Error::Io`].
pub fn snapshots(disk: &Disk, data_dir: &Path) -> Result<Vec<(u64, Result<Manifest>)>> {
    let commits = snapshot::list(disk, data_dir)?;
    Ok(commits
        .into_iter()
        .rev()
        .map(|commit| (commit, Manifest::read(disk, &snapshot_dir(data_dir, commit))))
        .collect())
}
