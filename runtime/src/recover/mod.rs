//! Opening a data folder: the newest snapshot that proves whole, then the log, then the question how the log ends.
//!
//! ```text
//! data/
//!   LOCK                            held while the database is open
//!   snap-0000000000001234/          snapshots, see `snapshot`
//!   log/0000000000000007.log        segments of the log, see `log`
//!   quarantine/                     what was cut off the log's end, kept for whoever wants to look
//! ```
//!
//! # The life of an opening
//!
//! 1. `open` takes the lock, and looks (`Folder::look`). An empty folder becomes a new database (`create`): the
//!    first segment of the log, then a snapshot of commit 0, so that a folder with a snapshot always has a log.
//! 2. `base` reads the newest snapshot that proves whole; if a newer one does not, an older one with a longer log gives
//!    the same.
//! 3. `tail::replay` reads the log from the segment that the snapshot names, and has the engine do again what each
//!    record behind the snapshot's commit says. Where the next bytes are no record, [`tail`] tells a torn end from damage.
//! 4. `reconcile` mends what refers to records that are not logged and did not survive; then everything is checked from
//!    the bytes ([`verify`](crate::verify)).
//! 5. Only now is anything written: what was torn off goes to quarantine, a new segment begins, the schema migrates.
//!
//! A recovery that is interrupted begins again from the same files: until the new segment has its name, nothing that was
//! read has changed; once it has, it says where the segment before ends.

mod base;
mod migrate;
mod reconcile;
pub mod tail;
pub mod tools;

pub use tail::Ending;

use crate::catalog::{Catalog, Compiled};
use crate::engine::Engine;
use crate::error::{Damage, DamageKind, Error, Result};
use crate::limits::COMMITS_AHEAD_MAX;
use crate::log::writer::End;
use crate::log::{Log, LogConfig, SyncLevel, log_dir, read};
use crate::redo::logged_tables;
use crate::snapshot;
use crate::storage::{Disk, Lock};
use crate::view::View;
use dbgen_schema::Schema;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a data folder is to be opened.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) disk: Disk,
    pub(crate) data_dir: PathBuf,
    pub(crate) level: SyncLevel,
    pub(crate) segment_bytes: u64,
    pub(crate) inline: bool,
    /// What cannot be read is given up.
    pub(crate) salvage: bool,
}

/// The schema of the program that opens.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// The schema; `None` = whatever is stored.
    pub(crate) schema: Option<Schema>,
    /// What generated code was compiled for.
    pub(crate) compiled: Option<Arc<Compiled>>,
}

/// An open data folder.
pub(crate) struct Opened {
    pub(crate) engine: Box<Engine>,
    pub(crate) log: Log,
    pub(crate) lock: Box<dyn Lock>,
    pub(crate) database: [u8; 16],
    pub(crate) recovered: Recovered,
}

/// What opening a data folder came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// The last commit that is there: of those that the log knows, or the snapshot's. The numbers go on behind the last one that
    /// was seen or, if the database was not closed in order, may have been.
    pub commit: u64,
    /// The commit of the snapshot that it was read from.
    pub snapshot: u64,
    /// Records of the log that were done again.
    pub records: u64,
    /// Bytes of the log that were read.
    pub log_bytes: u64,
    /// Bytes cut off the log's end, which no commit that was acknowledged was made of.
    pub torn_bytes: u64,
    /// Stored indexes that did not hold what the rows say, and were built anew.
    pub rebuilt_indexes: u64,
    /// Snapshots that did not prove whole, with what is wrong with them.
    pub bad_snapshots: Vec<String>,
    /// Whether the folder was empty.
    pub is_new: bool,
}

/// What a data folder holds.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Commits of snapshots, oldest first.
    pub(crate) snapshots: Vec<u64>,
    /// Numbers of segments, in order.
    pub(crate) segments: Vec<u64>,
}

impl Folder {
    /// Looks at the names, and reads nothing.
    pub(crate) fn look(disk: &Disk, data_dir: &Path) -> Result<Folder> {
        Ok(Folder { snapshots: snapshot::list(disk, data_dir)?, segments: read::segments(disk, data_dir)? })
    }
}

/// Opens a data folder, or makes one.
///
/// # Errors
/// [`Error::InUse`], [`Error::Damaged`], [`Error::Migration`], [`Error::Schema`], [`Error::Io`]. Nothing that the folder
/// holds has changed then, unless the disk itself failed while writing.
pub(crate) fn open(options: &Options, given: &Given) -> Result<Opened> {
    open_folder(options, given).map_err(|error| advised(error, &options.data_dir))
}

/// Has a damage say what can be done, where nobody has said it yet who knew better.
fn advised(error: Error, data_dir: &Path) -> Error {
    let Error::Damaged(mut damage) = error else { return error };
    let data = data_dir.display();
    let is_log = Path::new(&damage.path).starts_with(log_dir(data_dir));
    damage.advice.get_or_insert_with(|| match damage.what {
        DamageKind::Newer { .. } => "open it with the program that wrote it, or a later one".to_owned(),
        DamageKind::AnotherDatabase => "put back the file that was there, or restore a backup".to_owned(),
        _ if is_log => format!(
            "restore a backup, or give up what lies behind it and lose that: `dbgen recover --salvage --data {data}`"
        ),
        _ => format!(
            "restore a backup, or go back to a snapshot that is whole: `dbgen snapshot verify --data {data}` says which are"
        ),
    });
    Error::Damaged(damage)
}

fn open_folder(options: &Options, given: &Given) -> Result<Opened> {
    let Options { disk, data_dir, .. } = options;
    disk.create_dirs(data_dir)?;
    let lock = disk.lock(&data_dir.join("LOCK"))?;
    let folder = Folder::look(disk, data_dir)?;
    if folder.snapshots.is_empty() {
        if !is_unfinished(disk, data_dir, &folder)? {
            return Err(without_snapshot(data_dir).into());
        }
        return create(options, given, lock);
    }
    let base = base::base(disk, data_dir, &folder, given)?;
    let mut engine = base.engine;
    let mut recovered = Recovered {
        snapshot: base.manifest.commit,
        rebuilt_indexes: base.rebuilt_indexes,
        bad_snapshots: base.bad,
        ..Recovered::default()
    };
    let what =
        tail::What { folder: &folder, manifest: &base.manifest, durable: base.durable, salvage: options.salvage };
    let mut ending = tail::replay(disk, data_dir, &what, &mut engine, given)?;
    recovered.commit = engine.commit;
    (engine.commit, engine.is_renumbered) = (go_on_behind(&engine, &mut ending), true);
    engine.redo.begin(logged_tables(&engine.catalog), ending.end.commit);
    reconcile::reconcile(&mut engine)?;
    engine.publish();
    verify(&engine, data_dir)?;
    (recovered.records, recovered.log_bytes) = (ending.records, ending.bytes);
    recovered.torn_bytes = ending.torn.len() as u64;
    let migration = migrate::plan(&engine, &base.manifest.schema, &ending, given)?;
    // Everything is known to be well: from here on the folder changes.
    tidy(disk, data_dir)?;
    tail::settle(disk, data_dir, &ending)?;
    if options.salvage {
        // They are damaged, and know of commits that were given up.
        for newer in folder.snapshots.iter().filter(|newer| **newer > base.manifest.commit) {
            snapshot::remove(disk, data_dir, *newer)?;
        }
    }
    let log = begin_log(options, base.database, ending.end)?;
    tail::cut(disk, data_dir, &ending);
    engine.sink = Some(Box::new(log.clone()));
    engine.is_index_late = disk.sabotage().publish_before_index;
    migrate::carry_out(&mut engine, migration)?;
    engine.publish();
    log.wait()?;
    log.is_open();
    Ok(Opened { engine, log, lock, database: base.database, recovered })
}

/// The commit behind which the database goes on: unless it was closed in order, far enough behind the last one known that no
/// number comes back that somebody has seen.
fn go_on_behind(engine: &Engine, ending: &mut Ending) -> u64 {
    let known = engine.commit.max(ending.end.commit);
    if !ending.is_closed {
        ending.end.commit = known + COMMITS_AHEAD_MAX;
    }
    known.max(ending.end.commit)
}

/// Makes a new database.
fn create(options: &Options, given: &Given, lock: Box<dyn Lock>) -> Result<Opened> {
    let Options { disk, data_dir, .. } = options;
    tidy(disk, data_dir)?;
    for segment in read::segments(disk, data_dir)? {
        disk.remove_file(&log_dir(data_dir).join(crate::log::segment_name(segment)))?;
        disk.sync_dir(&log_dir(data_dir))?;
    }
    disk.create_dirs(&log_dir(data_dir))?;
    disk.sync_dir(data_dir)?;
    let schema = match &given.schema {
        Some(schema) => schema.clone(),
        None => crate::redo::stored::empty_schema()?,
    };
    let catalog = Catalog::with_compiled(schema, given.compiled.clone(), 1)?;
    let mut engine = Box::new(Engine::new(catalog));
    let database = uuid(disk.random());
    let log = begin_log(options, database, End::default())?;
    let version = engine.published().load();
    let source = snapshot::Source {
        version: &version,
        database,
        tick: 0,
        given: &engine.given,
        durable: 0,
        log_segment: log.segment_of(1),
        kept: Vec::new(),
    };
    snapshot::write(disk, data_dir, &source, &mut |_, _| Ok(()))?;
    engine.redo.begin(logged_tables(&engine.catalog), 0);
    log.is_open();
    engine.sink = Some(Box::new(log.clone()));
    engine.is_index_late = disk.sabotage().publish_before_index;
    let recovered = Recovered { is_new: true, ..Recovered::default() };
    Ok(Opened { engine, log, lock, database, recovered })
}

/// Whether the folder is empty, or what is left of a creation that was interrupted: a first segment without a record.
fn is_unfinished(disk: &Disk, data_dir: &Path, folder: &Folder) -> Result<bool> {
    match folder.segments[..] {
        [] => Ok(true),
        [1] => {
            let segment = read::Segment::read(disk, data_dir, 1, None, None)?;
            Ok(segment.rest(crate::log::format::SEGMENT_HEADER_BYTES).is_empty())
        }
        _ => Ok(false),
    }
}

fn without_snapshot(data_dir: &Path) -> Box<Damage> {
    Box::new(Damage {
        path: data_dir.join("snap-*").join(snapshot::manifest::MANIFEST).display().to_string(),
        offset: 0,
        what: DamageKind::Missing,
        advice: Some("there is a log, and no snapshot that it continues: restore one from a backup".to_owned()),
    })
}

fn begin_log(options: &Options, database: [u8; 16], end: End) -> Result<Log> {
    let Options { disk, data_dir, level, segment_bytes, inline, .. } = options.clone();
    Log::begin(LogConfig { disk, data_dir, database, segment_bytes, level, inline }, end)
}

/// Removes what writers left behind that were interrupted: it ends in `.tmp`, and is not read. The removal is synced
/// before a file of that name is made again: of what happens in a folder any part may persist, and were it only the
/// renaming of the new file, it would rename the old one.
fn tidy(disk: &Disk, data_dir: &Path) -> Result<()> {
    for dir in [data_dir.to_owned(), log_dir(data_dir)] {
        let entries = disk.list(&dir)?;
        let mut left = entries.iter().filter(|entry| entry.name.ends_with(".tmp")).peekable();
        if left.peek().is_none() {
            continue;
        }
        for entry in left {
            let path = dir.join(&entry.name);
            if entry.is_folder { disk.remove_dir_all(&path)? } else { disk.remove_file(&path)? }
        }
        disk.sync_dir(&dir)?;
    }
    Ok(())
}

/// Checks what was recovered, from its bytes: tables that the log has changed, and what all say of one another.
fn verify(engine: &Engine, data_dir: &Path) -> Result<()> {
    View::new(engine.published().load()).verify_loaded().map_err(|faults| {
        let what = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let path = data_dir.display().to_string();
        Error::from(Box::new(Damage { path, offset: 0, what: DamageKind::Nonsense(what), advice: None }))
    })
}

/// A random UUID, version 4.
fn uuid(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}
