//! Reading the log to its end, and telling a torn end from damage.
//!
//! When power fails, the last writes that no sync had returned for may be there in part, in any order. That is a **torn
//! end**: nobody was told that those commits are durable, and they are cut off. But the same bytes may also be what rot
//! has made of commits that *were* acknowledged. Cutting those off would lose them silently, so it has to be known which
//! it is. Let
//!
//! - `last` be the commit of the last good record, or of the snapshot, whichever is larger,
//! - `o` the offset in segment `S` where the next record does not prove whole,
//! - `D` the largest "durable commit" that any valid record before or behind `o`, or any manifest, names.
//!
//! **The rule.**
//!
//! 1. `S` is not the last segment: damage. A segment is synced before the next one gets its name.
//! 2. `D > last`: damage. Somebody knew that commit `D` was synced, and it cannot be read.
//! 3. Else a torn end, even if valid records follow `o`: what was not synced together may persist out of order, and
//!    records without the one before them are worth nothing.
//!
//! Behind `o` records are looked for at every multiple of 8 bytes, since that is where they begin; their headers have a
//! checksum of their own, seeded with the salt of the segment, so leftovers of other files are none of them. A log that
//! ends in zeros has a clean end: rule 2 applies, and there is nothing to cut.

use super::{Folder, Given};
use crate::edit::Origins;
use crate::engine::Engine;
use crate::error::{Damage, DamageKind, Error, Result};
use crate::log::format::{Kind, Record};
use crate::log::read::{Segment, header, missing};
use crate::log::writer::End;
use crate::log::{log_dir, segment_name};
use crate::redo::stored::StoredSchema;
use crate::snapshot::Manifest;
use crate::storage::{Disk, Open};
use std::path::{Path, PathBuf};

/// How the log ends.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Ending {
    /// What the next record follows.
    pub end: End,
    /// What is torn: it lies behind the end in the last segment.
    pub torn: Vec<u8>,
    /// Segments behind the end that are given up: only when salvaging.
    pub given_up: Vec<u64>,
    /// Records done again.
    pub records: u64,
    /// Bytes of the log that were read.
    pub bytes: u64,
    /// The last commit that did something that the log keeps.
    pub last: u64,
    /// Whether the log ends with the word of who closed the database that nobody saw a later commit.
    pub is_closed: bool,
    /// The schema that the log changed to last.
    pub(super) schema: Option<StoredSchema>,
}

/// Where a scan of the log is.
struct Scan<'a> {
    data_dir: &'a Path,
    /// The commit of the snapshot.
    base: u64,
    /// The last good record's commit and checksum; `None` before the first.
    previous: Option<(u64, u32)>,
    /// The largest durable commit that was named so far.
    durable: u64,
    ending: Ending,
    ignore_damage: bool,
    /// Damage was met, and ignored: what follows is given up.
    is_over: bool,
}

/// What there is to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct What<'a> {
    pub(super) folder: &'a Folder,
    /// The snapshot that the log continues.
    pub(super) manifest: &'a Manifest,
    /// The largest durable commit that a manifest names.
    pub(super) durable: u64,
    /// What cannot be read is given up.
    pub(super) salvage: bool,
}

/// Reads the log behind a snapshot, and has the engine do again what it says.
pub(super) fn replay(
    disk: &Disk,
    data_dir: &Path,
    what: &What<'_>,
    engine: &mut Engine,
    given: &Given,
) -> Result<Ending> {
    let base = engine.commit;
    engine.begin_again();
    let ending = scan(disk, data_dir, what, &mut |ending, segment, record, offset, first| {
        if record.header.commit <= base || record.header.kind == Kind::Marker {
            return Ok(());
        }
        ending.records += 1;
        engine.tick = record.header.tick;
        let done = match record.header.kind {
            Kind::Schema => again_schema(engine, record, given).map(|stored| ending.schema = Some(stored)),
            _ => engine.replay(record.payload, first, record.header.commit),
        };
        let done = done.and_then(|()| Ok(engine.kept.restore(record.kept, record.header.commit)?));
        done.map_err(|what| nonsense(&segment.path, offset, what).into())
    })?;
    engine.commit = engine.commit.max(ending.last);
    engine.end_again();
    Ok(ending)
}

type Visit<'v> = dyn FnMut(&mut Ending, &Segment, &Record<'_>, usize, u64) -> Result<()> + 'v;

/// Reads the log from the segment that `manifest` names to its end, and applies the rule to it. `visit` gets every record
/// with its place and the first commit that it may hold.
pub(super) fn scan(disk: &Disk, data_dir: &Path, what: &What<'_>, visit: &mut Visit<'_>) -> Result<Ending> {
    let What { folder, manifest, durable, .. } = *what;
    let first = manifest.log_segment;
    let database = manifest.database_bytes();
    let last = folder.segments.last().copied().filter(|last| *last >= first);
    let last = last.ok_or_else(|| missing(data_dir, first))?;
    if let Some(gap) = (first..=last).find(|segment| !folder.segments.contains(segment)) {
        return Err(missing(data_dir, gap).into());
    }
    let ignore_damage = what.salvage || disk.sabotage().cut_at_any_error;
    let ending = Ending::default();
    let mut scan =
        Scan { data_dir, base: manifest.commit, previous: None, durable, ending, ignore_damage, is_over: false };
    for number in first..=last {
        if scan.is_over {
            scan.ending.given_up.push(number);
            continue;
        }
        let next = match header(disk, data_dir, number + 1, database) {
            _ if number == last => None,
            Err(Error::Damaged(_)) if ignore_damage => None,
            next => Some(next?),
        };
        let segment = Segment::read(disk, data_dir, number, database, next.map(|next| next.previous_bytes))?;
        scan.segment(&segment, next.is_none(), visit)?;
        scan.is_over |= next.is_none();
    }
    Ok(scan.ending)
}

impl Scan<'_> {
    fn segment(&mut self, segment: &Segment, is_last: bool, visit: &mut Visit<'_>) -> Result<()> {
        let mut first = segment.header.first_commit;
        let known = self.previous.map_or(first, |(commit, _)| commit + 1);
        // A start leaves numbers out that may have been seen; nobody else does.
        if first != known && !(segment.header.begins_start && first > known) {
            return self.damaged(segment, 0, first.max(known) - 1);
        }
        self.ending.end.commit = self.ending.end.commit.max(first - 1);
        self.ending.is_closed = false;
        let mut records = segment.records(self.previous);
        for (offset, record) in records.by_ref() {
            self.durable = self.durable.max(record.header.durable);
            self.previous = Some((record.header.commit, record.check));
            visit(&mut self.ending, segment, &record, offset, first)?;
            first = record.header.commit + 1;
            self.ending.end.check = record.check;
            (self.ending.end.commit, self.ending.end.tick) = (record.header.commit, record.header.tick);
            self.ending.is_closed = record.header.is_closed;
            if record.header.kind != Kind::Marker {
                self.ending.last = record.header.commit;
            }
            self.ending.end.schema_version = record.header.schema_version;
        }
        let offset = records.offset();
        (self.ending.end.segment, self.ending.end.bytes) = (segment.header.segment, offset as u64);
        self.ending.bytes += offset as u64;
        self.ended(segment, offset, is_last)
    }

    /// The rule: at `offset` no record follows.
    fn ended(&mut self, segment: &Segment, offset: usize, is_last: bool) -> Result<()> {
        if !is_last {
            // 1. Everything up to the length that the next segment names was synced.
            return if offset == segment.len() { Ok(()) } else { self.damaged(segment, offset, self.durable) };
        }
        let rest = segment.rest(offset);
        self.ending.is_closed &= rest.is_empty();
        let durable = self.durable.max(segment.durable_behind(offset));
        if durable > self.ending.end.commit.max(self.base) && !self.ignore_damage {
            // 2. Somebody knew that it was synced.
            return self.damaged(segment, offset, durable);
        }
        // 3. Nobody did.
        self.ending.torn = rest.to_vec();
        Ok(())
    }

    fn damaged(&mut self, segment: &Segment, offset: usize, durable: u64) -> Result<()> {
        if self.ignore_damage {
            (self.is_over, self.ending.is_closed) = (true, false);
            self.ending.torn = segment.rest(offset).to_vec();
            return Ok(());
        }
        let first = self.ending.end.commit + 1;
        let advice = format!(
            "restore a backup, or cut the log there and lose what follows: `dbgen recover --salvage --data {}`",
            self.data_dir.display()
        );
        Err(Box::new(Damage {
            path: segment.path.display().to_string(),
            offset: offset as u64,
            what: DamageKind::Lost { first, last: durable.max(first) },
            advice: Some(advice),
        })
        .into())
    }
}

fn nonsense(path: &Path, offset: usize, what: String) -> Box<Damage> {
    let (path, what) = (path.display().to_string(), DamageKind::Nonsense(what));
    Box::new(Damage { path, offset: offset as u64, what, advice: None })
}

/// Takes the schema of a record over.
fn again_schema(engine: &mut Engine, record: &Record<'_>, given: &Given) -> Result<StoredSchema, String> {
    let stored: StoredSchema = serde_json::from_slice(record.payload).map_err(|error| error.to_string())?;
    let catalog = stored.catalog(given.compiled.clone()).map_err(|error| error.to_string())?;
    let origins = stored.origins.as_deref().ok_or("a schema that does not say what it was")?;
    let origins = Origins::of_stored(origins, stored.types.as_ref(), &engine.catalog, &catalog);
    let origins = origins.ok_or("a schema that does not fit the one before")?;
    engine.commit = record.header.commit - 1;
    engine.end_again();
    engine.adopt(catalog, origins).map_err(|error: Error| error.to_string())?;
    engine.begin_again();
    // Some are in another shape now, of which nothing has been proved.
    engine.is_unproved.fill(true);
    Ok(stored)
}

/// Makes durable what was read, and copies what is torn into quarantine.
pub(super) fn settle(disk: &Disk, data_dir: &Path, ending: &Ending) -> Result<()> {
    let path = segment_path(data_dir, ending);
    // After the end of a process alone, what was read may still be on its way to the disk.
    disk.open(&path, Open::Write)?.sync_data()?;
    if !ending.torn.is_empty() {
        let name = format!("{:016}-{}.torn", ending.end.segment, ending.end.bytes);
        quarantine(disk, data_dir, &name, &ending.torn)?;
        tracing::warn!(bytes = ending.torn.len(), file = %path.display(), "the log had a torn end: it is in quarantine");
    }
    for segment in ending.given_up.iter().rev() {
        let path = log_dir(data_dir).join(segment_name(*segment));
        quarantine(disk, data_dir, &segment_name(*segment), &disk.read(&path, u64::MAX)?)?;
        disk.remove_file(&path)?;
    }
    disk.sync_dir(&log_dir(data_dir))
}

/// Keeps bytes that are none of the log, for whoever wants to look.
fn quarantine(disk: &Disk, data_dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let dir = data_dir.join("quarantine");
    disk.create_dirs(&dir)?;
    if disk.list(&dir)?.iter().any(|entry| entry.name == name) {
        // A recovery was interrupted here before.
        disk.remove_file(&dir.join(name))?;
    }
    disk.write_new(&dir.join(name), bytes)?;
    disk.sync_dir(&dir)?;
    disk.sync_dir(data_dir)
}

/// Gives back what the last segment takes behind its end. The segment behind it says by now where that is.
pub(super) fn cut(disk: &Disk, data_dir: &Path, ending: &Ending) {
    let path = segment_path(data_dir, ending);
    if let Err(error) = disk.open(&path, Open::Write).and_then(|file| file.set_len(ending.end.bytes)) {
        tracing::warn!(%error, "a segment could not be cut to its length: it only takes more room");
    }
}

fn segment_path(data_dir: &Path, ending: &Ending) -> PathBuf {
    log_dir(data_dir).join(segment_name(ending.end.segment))
}
