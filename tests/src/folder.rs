//! Data folders that somebody made by hand: every checksum is right, what they say is not.
//!
//! Flipped bits are found by checksums. Here bytes, from a fuzzer or from a seed, go *behind* the checksums: they become
//! records of the log, or take the place of buffers and of the manifest's text, and everything above is computed anew. What
//! is opened must be whole and usable, or refused with a typed error; nothing may panic.

use dbgen_runtime::checksum::xxh3_128;
use dbgen_runtime::log::format::{Kind, Record, RecordHeader, SEGMENT_HEADER_BYTES, SegmentHeader};
use dbgen_runtime::storage::simulated::Simulated;
use dbgen_runtime::storage::{Disk, Open};
use dbgen_runtime::{Database, Error, Value};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The data folder of format 1 that is kept.
const FIXTURE: &str = "tests/fixtures/format-1";
/// The newest snapshot in it.
const SNAPSHOT: &str = "data/snap-0000000000000003";
/// The one before, which would serve instead.
const OLDER: &str = "data/snap-0000000000000000";
/// Bytes of a table's header.
const TABLE_HEADER_BYTES: usize = 64;
/// Bytes of a buffer that are compressed together.
const BLOCK_BYTES: usize = 1 << 20;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The files of a folder of the repository, by their paths below it.
pub fn fixture(folder: &str) -> Files {
    let read = |file: String| {
        let bytes = std::fs::read(crate::root().join(&file)).expect("it was listed");
        (Path::new(&file).strip_prefix(folder).expect("it was found there").to_owned(), bytes)
    };
    crate::files(folder, "").into_iter().map(read).collect()
}

/// A simulated disk with these files.
pub fn disk(files: &Files) -> Simulated {
    let simulated = Simulated::new(1);
    let disk = Disk::new(Arc::new(simulated.clone()));
    for (path, bytes) in files {
        disk.create_dirs(path.parent().expect("it lies in a folder")).expect("memory does not fail");
        let target = disk.open(path, Open::Create).expect("memory does not fail");
        target.write_all_at(0, bytes).expect("memory does not fail");
        target.sync_data().expect("memory does not fail");
    }
    simulated
}

fn base() -> &'static Files {
    static BASE: OnceLock<Files> = OnceLock::new();
    BASE.get_or_init(|| fixture(FIXTURE))
}

/// What a folder came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Came {
    /// It was opened, is whole, and takes transactions.
    Opened,
    /// It was refused.
    Refused,
}

/// Bytes as the last records of the log.
///
/// # Panics
/// If the folder is opened and not whole, or something panics.
pub fn log(bytes: &[u8]) -> Came {
    let mut files = base().clone();
    let (path, segment) =
        files.iter_mut().rfind(|(path, _)| path.extension().is_some_and(|it| it == "log")).expect("one");
    let header = SegmentHeader::decode(path, segment).expect("it is whole");
    let (mut at, mut last) = (SEGMENT_HEADER_BYTES, None);
    while let Some(record) = Record::decode(&segment[at..], header.salt) {
        at += record.bytes;
        last = Some((record.header, record.check));
    }
    let Some((last, mut previous)) = last else { return Came::Refused };
    segment.truncate(at);
    let (mut commit, mut rest) = (last.commit, bytes);
    // A byte for its kind, one for how many commits it stands for, one for its length, the payload.
    while let [kind, commits, len, behind @ ..] = rest {
        let payload;
        (payload, rest) = behind.split_at(behind.len().min(usize::from(*len)));
        commit = commit.saturating_add(u64::from(*commits));
        let header = RecordHeader {
            commit,
            tick: last.tick,
            durable: last.commit,
            payload_bytes: payload.len() as u32,
            kind: [Kind::Effects, Kind::Effects, Kind::Effects, Kind::Schema, Kind::Marker][usize::from(kind % 5)],
            has_kept: kind & 0x80 != 0,
            is_closed: kind & 0x40 != 0,
            schema_version: last.schema_version,
            previous,
        };
        previous = header.append(payload, header_salt(&segment[..]), segment);
    }
    open(&files)
}

fn header_salt(segment: &[u8]) -> u32 {
    segment.get(48..52).and_then(<[u8]>::first_chunk).map_or(0, |salt| u32::from_le_bytes(*salt))
}

/// Bytes as changes to a snapshot: to what its buffers hold, and to the text of its manifest.
///
/// # Panics
/// As [`log`].
pub fn snapshot(bytes: &[u8]) -> Came {
    let mut files = base().clone();
    files.retain(|path, _| !path.starts_with(OLDER));
    let manifest = Path::new(SNAPSHOT).join("MANIFEST");
    let text = files.get(&manifest).cloned().unwrap_or_default();
    let json = text.iter().position(|byte| *byte == b'\n').map_or(&[][..], |end| &text[end + 1..]);
    let mut says: Json = serde_json::from_slice(json).expect("it is JSON");
    let mut edits = bytes.chunks_exact(4);
    let tables = says["tables"].as_array().map_or(0, Vec::len);
    let mut raw: Vec<Vec<Vec<u8>>> = (0..tables).map(|table| buffers(&files, &says, table)).collect();
    for edit in edits.by_ref() {
        // Which buffer of which table, where, and what.
        let (table, buffer) = (usize::from(edit[0] >> 4) % tables.max(1), usize::from(edit[0] & 15));
        let Some(buffer) = raw.get_mut(table).filter(|it| !it.is_empty()).map(|it| (buffer % it.len(), it)) else {
            continue;
        };
        let bytes = &mut buffer.1[buffer.0];
        match (edit[1], bytes.len()) {
            (255, len) => bytes.resize(len.saturating_add_signed(isize::from(edit[2] as i8)).min(BLOCK_BYTES), edit[3]),
            (_, 0) => {}
            (at, len) => bytes[(usize::from(at) << 8 | usize::from(edit[2])) % len] ^= edit[3],
        }
    }
    for (table, buffers) in raw.iter().enumerate() {
        store(&mut files, &mut says, table, buffers);
    }
    let mut json = says.to_string().into_bytes();
    if let [at, high, byte] = edits.remainder() {
        // And, if three bytes are left, a byte of the manifest.
        let at = (usize::from(*high) << 8 | usize::from(*at)) % json.len();
        json[at] ^= byte;
    }
    let hash = xxh3_128(&json);
    let mut text = format!("DBGMANIFEST 1 1 {} {hash:032x}\n", json.len()).into_bytes();
    text.extend_from_slice(&json);
    files.insert(manifest, text);
    open(&files)
}

fn table_path(table: usize) -> PathBuf {
    Path::new(SNAPSHOT).join(format!("{table:04}.table"))
}

/// What the buffers of a table hold.
fn buffers(files: &Files, says: &Json, table: usize) -> Vec<Vec<u8>> {
    let stored = files.get(&table_path(table)).map_or(&[][..], Vec::as_slice);
    let mut at = TABLE_HEADER_BYTES;
    let mut read = |buffer: &Json| {
        let mut raw = Vec::new();
        for block in buffer["blocks"].as_array().into_iter().flatten() {
            let len = block[0].as_u64().unwrap_or(0) as usize;
            raw.extend(zstd::bulk::decompress(&stored[at..at + len], BLOCK_BYTES).expect("it is whole"));
            at += len;
        }
        raw
    };
    says["tables"][table]["buffers"].as_array().into_iter().flatten().map(&mut read).collect()
}

/// Writes buffers of a table, each of at most a block, and has the manifest say so.
fn store(files: &mut Files, says: &mut Json, table: usize, buffers: &[Vec<u8>]) {
    let Some(file) = files.get_mut(&table_path(table)) else { return };
    file.truncate(TABLE_HEADER_BYTES);
    for (at, raw) in buffers.iter().enumerate() {
        let told = &mut says["tables"][table]["buffers"][at];
        told["raw_bytes"] = raw.len().into();
        let mut blocks = Vec::new();
        if !raw.is_empty() {
            let frame = zstd::bulk::compress(raw, 1).expect("memory does not fail");
            let hash = |bytes: &[u8]| format!("{:032x}", xxh3_128(bytes));
            blocks.push(serde_json::json!([frame.len(), hash(&frame), hash(raw)]));
            file.extend_from_slice(&frame);
        }
        told["blocks"] = blocks.into();
    }
}

/// Opens the folder. What opens is whole, and takes a transaction.
fn open(files: &Files) -> Came {
    let disk = disk(files);
    let builder = || {
        let builder = Database::builder().data_dir("data").storage(disk.clone(), true);
        builder.log_segment_bytes(4096).snapshot_every(Duration::MAX)
    };
    match builder().open() {
        Ok(db) => {
            db.read().verify().unwrap_or_else(|faults| panic!("it was opened, and {faults:?}"));
            for table in db.read().tables() {
                table.iter().for_each(|record| drop(record.values()));
            }
            use_it(&db);
            drop(db);
            let again = builder().open().unwrap_or_else(|error| panic!("it was opened, and not again: {error}"));
            again.read().verify().unwrap_or_else(|faults| panic!("it was opened again, and {faults:?}"));
            Came::Opened
        }
        Err(Error::Damaged(_) | Error::Schema(_) | Error::Migration { .. }) => {
            assert!(disk_is(&disk, files), "it was refused, and something on the disk changed");
            Came::Refused
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// Changes what there is; refusals are fine.
fn use_it(db: &Database) {
    let Ok(guild) = db.read().open_table("guild").map(|table| table.number()) else { return };
    drop(db.transact(|tx| tx.insert_values(guild, &[(0, Value::from("fuzzed"))])));
    let first = db.read().open_table("guild").ok().and_then(|table| table.iter().next().map(|record| record.id()));
    if let Some(id) = first {
        drop(db.transact(|tx| tx.delete_record(guild, id)));
    }
    db.read().verify().unwrap_or_else(|faults| panic!("it was used, and {faults:?}"));
}

/// Whether the disk holds these files and nothing else.
fn disk_is(disk: &Simulated, files: &Files) -> bool {
    disk.files() == *files
}
