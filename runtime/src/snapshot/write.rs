//! Writing a snapshot of a version that nobody changes.

use super::frame::Packer;
use super::manifest::{MANIFEST, Manifest, StoredBlock, StoredBuffer, StoredKept, StoredTable, hash_text};
use super::{BLOCK_BYTES, FORMAT_PLAIN, KEPT, snapshot_dir, table_file};
use crate::checksum::{crc32c, xxh3_128};
use crate::engine::Version;
use crate::error::{Error, Result};
use crate::redo::stored::StoredSchema;
use crate::storage::{Disk, Open};
use crate::table::def::TableDef;
use crate::table::version::{GROUPS, TableView};
use dbgen_schema::{Durability, Schema};
use std::path::{Path, PathBuf};

/// The first bytes of a table's file.
pub(super) const MAGIC: [u8; 8] = *b"DBGSNAP\n";
/// Bytes of its header.
pub(super) const HEADER_BYTES: usize = 64;

/// Bytes of a file that are written before they are synced. Hundreds of megabytes that the system has put off would be written
/// all at once at the end, and the syncs of the log would wait behind them.
const SYNC_BYTES: u64 = 32 << 20;

/// What a snapshot is made of.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) version: &'a Version,
    pub(crate) database: [u8; 16],
    /// The tick that had run by then.
    pub(crate) tick: u64,
    /// The schema that the program gave.
    pub(crate) given: &'a Schema,
    /// The last commit that the log holds durably: at least all that the version shows and the log was given.
    pub(crate) durable: u64,
    /// The segment of the log with the commits behind the version's.
    pub(crate) log_segment: u64,
    /// Requests that came under a key up to the version's commit, in bytes.
    pub(crate) kept: Vec<u8>,
}

/// Hears of bytes done, and of how many there are; an error ends the snapshot.
pub(crate) type Progress<'p> = dyn FnMut(u64, u64) -> Result<()> + 'p;

/// Writes a snapshot and gives its folder.
pub(crate) fn write(disk: &Disk, data_dir: &Path, source: &Source<'_>, progress: &mut Progress<'_>) -> Result<PathBuf> {
    let target = snapshot_dir(data_dir, source.version.commit);
    let aside = target.with_extension("tmp");
    if disk.list(data_dir)?.iter().any(|entry| entry.name == super::dir_name(&aside)) {
        disk.remove_dir_all(&aside)?;
    }
    disk.create_dirs(&aside)?;
    if disk.sabotage().rename_before_sync {
        disk.rename(&aside, &target)?;
        write_into(disk, &target, source, progress)?;
        disk.sync_dir(data_dir)?;
        return Ok(target);
    }
    write_into(disk, &aside, source, progress)?;
    disk.sync_dir(&aside)?;
    disk.rename(&aside, &target)?;
    disk.sync_dir(data_dir)?;
    Ok(target)
}

fn write_into(disk: &Disk, dir: &Path, source: &Source<'_>, progress: &mut Progress<'_>) -> Result<()> {
    let version = source.version;
    let views = (0..version.tables.len()).map(|at| version.table(at));
    let kept: Vec<TableView<'_>> = views.filter(|view| view.def.durability != Durability::None).collect();
    let total = kept.iter().map(|view| view.version.bytes().0 as u64).sum();
    let mut done = 0;
    let mut tables = Vec::with_capacity(kept.len());
    for view in kept {
        let bytes = &mut |bytes| {
            done += bytes;
            progress(done, total)
        };
        tables.push(write_table(disk, dir, source, view, bytes)?);
    }
    let kept = match source.kept.is_empty() {
        true => None,
        false => {
            disk.write_new(&dir.join(KEPT), &source.kept)?;
            Some(StoredKept { bytes: source.kept.len() as u64, hash: hash_text(xxh3_128(&source.kept)) })
        }
    };
    let manifest = Manifest {
        database: format!("{:032x}", u128::from_be_bytes(source.database)),
        commit: version.commit,
        tick: source.tick,
        durable: source.durable,
        log_segment: source.log_segment,
        written_us: disk.wall_us(),
        written_by: concat!("dbgen ", env!("CARGO_PKG_VERSION")).to_owned(),
        fingerprint: format!("{:016x}", dbgen_schema::write::fingerprint(version.catalog.schema())),
        schema: StoredSchema::of(&version.catalog, source.given)?,
        tables,
        kept,
    };
    disk.write_new(&dir.join(MANIFEST), &manifest.encode()?)
}

fn write_table(
    disk: &Disk,
    dir: &Path,
    source: &Source<'_>,
    view: TableView<'_>,
    progress: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<StoredTable> {
    let path = dir.join(table_file(view.def.at));
    let file = disk.open(&path, Open::Create)?;
    file.write_all_at(0, &header(source.database, source.version.commit, view.def.at))?;
    let failed = |error| Error::Io { path: path.display().to_string(), source: error };
    let mut packer = Packer::new().map_err(failed)?;
    let (mut offset, mut synced) = (HEADER_BYTES as u64, 0);
    let mut buffers = Vec::with_capacity(view.version.buffers.len());
    for (at, buffer) in view.version.buffers.iter().enumerate() {
        let mut blocks = Vec::new();
        for raw in buffer.bytes().chunks(BLOCK_BYTES) {
            let stored = packer.pack(raw).map_err(failed)?;
            file.write_all_at(offset, stored)?;
            offset += stored.len() as u64;
            if offset - synced >= SYNC_BYTES {
                file.sync_data()?;
                synced = offset;
            }
            blocks.push(StoredBlock(stored.len() as u64, hash_text(xxh3_128(stored)), hash_text(xxh3_128(raw))));
            progress(raw.len() as u64)?;
        }
        buffers.push(StoredBuffer { name: buffer_name(view.def, at), raw_bytes: buffer.len() as u64, blocks });
    }
    file.sync_data()?;
    Ok(StoredTable { table: view.def.at, name: view.def.name.clone(), rows: view.version.len() as u64, buffers })
}

/// The header of a table's file.
pub(super) fn header(database: [u8; 16], commit: u64, table: usize) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&FORMAT_PLAIN.to_le_bytes());
    bytes[10..12].copy_from_slice(&FORMAT_PLAIN.to_le_bytes());
    bytes[16..32].copy_from_slice(&database);
    bytes[32..40].copy_from_slice(&commit.to_le_bytes());
    bytes[40..44].copy_from_slice(&(table as u32).to_le_bytes());
    let check = crc32c(0, &bytes[..60]);
    bytes[60..].copy_from_slice(&check.to_le_bytes());
    bytes
}

/// What a buffer holds.
fn buffer_name(def: &TableDef, at: usize) -> String {
    const OWN: [&str; GROUPS] = ["meta", "ids", "versions", "slots", "heap"];
    let groups = def.layout.groups.len();
    match at {
        _ if at < GROUPS => OWN[at].to_owned(),
        _ if at < GROUPS + groups => format!("group {}", at - GROUPS),
        _ => def.indexes.get(at - GROUPS - groups).map_or("masks".to_owned(), |index| format!("index {}", index.name)),
    }
}
