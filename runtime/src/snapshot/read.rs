//! Reading a snapshot back. Nothing is believed before it has proved itself; see [`snapshot`](super).

use super::frame::{Unpacker, frame_bytes_max};
use super::manifest::{Manifest, StoredBlock, StoredBuffer, StoredTable, hash_text};
use super::write::{HEADER_BYTES, MAGIC, header};
use super::{BLOCK_BYTES, FORMAT_PLAIN, KEPT, require, table_file};
use crate::apply::keys::Keys;
use crate::catalog::Catalog;
use crate::cell::huge;
use crate::checksum::{crc32c, xxh3_128};
use crate::error::{Damage, DamageKind, Error, Result};
use crate::storage::{Disk, DiskFile, Open};
use crate::table::buffer::Buffer;
use crate::table::def::TableDef;
use crate::table::journal::Journal;
use crate::table::meta;
use crate::table::rows::{Rows, index_buffer};
use crate::table::version::{GROUPS, HEAP, IDS, META, SLOT_BYTES, SLOTS, TableVersion, TableView, VERSIONS};
use rayon::prelude::*;
use std::cell::RefCell;
use std::path::Path;

/// Memory that a buffer may be promised before its blocks have proved themselves, as a multiple of its file.
const PROMISE_RATIO_MAX: u64 = 64;

/// Reads the tables of a snapshot, in the catalog's order; tables that the snapshot does not hold are empty.
///
/// # Errors
/// [`Error::Io`]; [`Error::Damaged`].
pub(crate) fn tables(disk: &Disk, dir: &Path, manifest: &Manifest, catalog: &Catalog) -> Result<Vec<TableVersion>> {
    let nonsense = |what: &str| Error::from(Box::new(damage(&dir.join(super::manifest::MANIFEST), 0, nonsense(what))));
    let mut stored: Vec<Option<&StoredTable>> = vec![None; catalog.tables().len()];
    for table in &manifest.tables {
        let place = stored.get_mut(table.table).ok_or_else(|| nonsense("a table that its schema does not have"))?;
        if place.replace(table).is_some() {
            return Err(nonsense("a table twice"));
        }
    }
    let database = manifest.database_bytes().ok_or_else(|| nonsense("a database that is no UUID"))?;
    let read = |(def, stored): (&TableDef, &Option<&StoredTable>)| match stored {
        None => Ok(TableVersion::new(def)),
        Some(stored) => table(disk, dir, manifest.commit, database, def, stored),
    };
    catalog.tables().par_iter().zip(&stored).map(read).collect()
}

fn table(
    disk: &Disk,
    dir: &Path,
    commit: u64,
    database: [u8; 16],
    def: &TableDef,
    stored: &StoredTable,
) -> Result<TableVersion> {
    let path = dir.join(table_file(def.at));
    let wrong = |offset, what| Box::new(damage(&path, offset, what));
    // A file that is lost is damage, for which an older snapshot stands in; one that cannot be opened may be there tomorrow.
    let file = disk.open(&path, Open::Read).or_else(|error| require(disk, dir, &table_file(def.at)).and(Err(error)))?;
    check_header(&file, database, commit, def.at)?;
    let mut version = TableVersion::new(def);
    if stored.buffers.len() != version.buffers.len() {
        let what = format!("table `{}` has {} buffers, not {}", def.name, stored.buffers.len(), version.buffers.len());
        return Err(wrong(0, DamageKind::Nonsense(what)).into());
    }
    let blocks = || stored.buffers.iter().flat_map(|buffer| &buffer.blocks).map(|block| block.0);
    let expected = blocks().try_fold(HEADER_BYTES as u64, u64::checked_add);
    let found = file.bytes()?;
    if expected != Some(found) {
        let what = DamageKind::Length { found, expected: expected.unwrap_or(u64::MAX) };
        return Err(wrong(found, what).into());
    }
    let mut offset = HEADER_BYTES as u64;
    for (buffer, stored) in version.buffers.iter_mut().zip(&stored.buffers) {
        let capacity = buffer.capacity();
        *buffer = Buffer::of(read_buffer(&file, offset, stored, capacity, found)?);
        offset += stored.blocks.iter().map(|block| block.0).sum::<u64>();
    }
    check_shape(def, &version).map_err(|what| wrong(0, DamageKind::Nonsense(what)))?;
    Ok(version)
}

/// Reads the requests that came under a key; empty if the snapshot has none.
///
/// # Errors
/// [`Error::Io`]; [`Error::Damaged`].
pub(crate) fn kept(disk: &Disk, dir: &Path, manifest: &Manifest) -> Result<Vec<u8>> {
    let Some(stored) = &manifest.kept else { return Ok(Vec::new()) };
    require(disk, dir, KEPT)?;
    let path = dir.join(KEPT);
    let bytes = disk.read(&path, u64::MAX)?;
    if bytes.len() as u64 != stored.bytes || hash_text(xxh3_128(&bytes)) != stored.hash {
        return Err(Box::new(damage(&path, 0, DamageKind::Checksum { what: "the requests with keys" })).into());
    }
    Ok(bytes)
}

fn damage(path: &Path, offset: u64, what: DamageKind) -> Damage {
    Damage { path: path.display().to_string(), offset, what, advice: None }
}

fn nonsense(what: &str) -> DamageKind {
    DamageKind::Nonsense(format!("the manifest names {what}"))
}

fn check_header(file: &DiskFile, database: [u8; 16], commit: u64, table: usize) -> Result<()> {
    let wrong = |what| Err(Box::new(damage(file.path(), 0, what)).into());
    let mut bytes = [0; HEADER_BYTES];
    let read = file.read_up_to(0, &mut bytes)?;
    if bytes == header(database, commit, table) {
        return Ok(());
    }
    let is_whole = read == HEADER_BYTES && crc32c(0, &bytes[..60]).to_le_bytes() == bytes[60..];
    let reader = u16::from_le_bytes([bytes[10], bytes[11]]);
    match () {
        () if bytes[..8] != MAGIC => wrong(DamageKind::Foreign),
        () if !is_whole => wrong(DamageKind::Checksum { what: "the header of the table" }),
        () if reader > FORMAT_PLAIN => wrong(DamageKind::Newer { found: reader.into(), known: FORMAT_PLAIN.into() }),
        () if bytes[16..32] != database => wrong(DamageKind::AnotherDatabase),
        () => wrong(DamageKind::Nonsense("the file holds another table, or another commit".to_owned())),
    }
}

/// Reads a buffer whose blocks begin at `offset`.
fn read_buffer(
    file: &DiskFile,
    offset: u64,
    stored: &StoredBuffer,
    capacity: usize,
    file_bytes: u64,
) -> Result<Vec<u8>> {
    let wrong = |offset, what: &'static str| Box::new(damage(file.path(), offset, nonsense(what)));
    if stored.raw_bytes.div_ceil(BLOCK_BYTES as u64) != stored.blocks.len() as u64 {
        return Err(wrong(offset, "a length that its blocks do not have").into());
    }
    let raw_bytes = usize::try_from(stored.raw_bytes).map_err(|_| wrong(offset, "a length beyond this machine's"))?;
    let starts: Vec<u64> = stored
        .blocks
        .iter()
        .scan(offset, |at, block| Some(std::mem::replace(at, at.saturating_add(block.0))))
        .collect();
    if stored.raw_bytes <= file_bytes.saturating_mul(PROMISE_RATIO_MAX).max(BLOCK_BYTES as u64) {
        // Zeros that nobody writes: the system gives the memory to the threads that fill it.
        let mut raw = vec![0; capacity.max(raw_bytes)];
        huge::ask(&mut raw);
        raw.truncate(raw_bytes);
        raw.par_chunks_mut(BLOCK_BYTES)
            .zip(starts.par_iter().zip(&stored.blocks))
            .try_for_each(|(raw, (start, block))| read_block(file, *start, block, raw))?;
        return Ok(raw);
    }
    // It says that it is far longer than its file: each block has to prove itself before there is room for the next.
    let mut raw = Vec::new();
    for (start, block) in starts.iter().zip(&stored.blocks) {
        let done = raw.len();
        raw.resize(raw_bytes.min(done + BLOCK_BYTES), 0);
        read_block(file, *start, block, &mut raw[done..])?;
    }
    Ok(raw)
}

/// What a thread reads blocks with, kept from one block to the next: memory that was just given has to be touched page by
/// page.
#[derive(Default)]
struct Desk {
    stored: Vec<u8>,
    unpacker: Option<Unpacker>,
}

/// Reads a block of exactly as many bytes as `raw` holds.
fn read_block(file: &DiskFile, start: u64, block: &StoredBlock, raw: &mut [u8]) -> Result<()> {
    thread_local!(static DESK: RefCell<Desk> = RefCell::default());
    DESK.with_borrow_mut(|desk| {
        let wrong = |what| Err(Box::new(damage(file.path(), start, what)).into());
        if block.0 > frame_bytes_max(BLOCK_BYTES) as u64 {
            return wrong(nonsense("a block longer than any is"));
        }
        let Desk { stored, unpacker } = desk;
        stored.resize(block.0 as usize, 0);
        let read = file.read_up_to(start, stored)?;
        if read != stored.len() || hash_text(xxh3_128(stored)) != block.1 {
            return wrong(DamageKind::Checksum { what: "a block" });
        }
        match unpack(unpacker, stored, raw) {
            Ok(n) if n == raw.len() && hash_text(xxh3_128(raw)) == block.2 => Ok(()),
            _ => wrong(DamageKind::Checksum { what: "a block, decompressed," }),
        }
    })
}

/// Reads one frame into the room that there is.
fn unpack(kept: &mut Option<Unpacker>, stored: &[u8], raw: &mut [u8]) -> std::io::Result<usize> {
    let mut unpacker = kept.take().map_or_else(Unpacker::new, Ok)?;
    let done = unpacker.unpack(stored, raw);
    *kept = Some(unpacker);
    done
}

/// That buffers are as long as the numbers in them say: what everything else relies on to stay inside of them.
fn check_shape(def: &TableDef, version: &TableVersion) -> Result<(), String> {
    let len = |at: usize| version.buffers[at].len();
    let number = |at: usize| usize::try_from(meta::get(&version.buffers[META], at)).unwrap_or(usize::MAX);
    let short = |what: &str| Err(format!("table `{}`: its {what} do not have the length that they should", def.name));
    if len(META) != meta::size_bytes(def.counters) {
        return short("numbers");
    }
    let (rows, slots) = (number(meta::ROWS), number(meta::SLOTS));
    // Whole rows, those that are zero behind the last included: an insertion relies on it.
    let holds = |buffer: usize, stride: usize| {
        rows.checked_mul(stride).is_some_and(|bytes| bytes <= len(buffer)) && len(buffer).is_multiple_of(stride)
    };
    if !holds(IDS, 8) || !holds(VERSIONS, 8) {
        return short("rows");
    }
    if slots.checked_mul(SLOT_BYTES) != Some(len(SLOTS)) {
        return short("slots");
    }
    if !len(HEAP).is_multiple_of(crate::limits::HEAP_UNIT_BYTES) {
        return short("heap blocks");
    }
    match def.layout.groups.iter().enumerate().all(|(at, group)| holds(GROUPS + at, group.stride)) {
        true => Ok(()),
        false => short("column groups"),
    }
}

/// Builds an index anew.
pub(crate) fn rebuild_index(def: &TableDef, version: &mut TableVersion, index: usize) {
    version.buffers[index_buffer(def, index)] = Buffer::default();
    let (keys, ids) = Keys::of_rows(TableView { def, version }, index);
    let TableVersion { buffers, settled, .. } = version;
    let mut rows = Rows { def, buffers, journal: &mut Journal::default(), settled };
    rows.index_insert_sorted(index, keys.items(&ids));
}
