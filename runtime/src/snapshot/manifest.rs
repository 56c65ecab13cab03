//! The manifest of a snapshot: one line that says what it is and proves the rest, then JSON.
//!
//! ```text
//! DBGMANIFEST <format> <oldest format of a reader> <bytes of the JSON> <XXH3-128 of the JSON, 32 digits>\n
//! { … }
//! ```

use super::{FORMAT, FORMAT_PLAIN, require};
use crate::checksum::xxh3_128;
use crate::error::{Damage, DamageKind, Result};
use crate::redo::stored::StoredSchema;
use crate::storage::Disk;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The name of its file.
pub const MANIFEST: &str = "MANIFEST";
const MAGIC: &str = "DBGMANIFEST";
const MANIFEST_BYTES_MAX: u64 = 1 << 30;

/// What a snapshot is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The database, as 32 hexadecimal digits.
    pub database: String,
    /// The commit that it shows.
    pub commit: u64,
    /// The tick that had run by then.
    pub tick: u64,
    /// The last commit that the log held durably when it was written.
    pub durable: u64,
    /// The segment of the log with the commits behind this one.
    pub log_segment: u64,
    /// Microseconds since 1970 when it was written.
    pub written_us: i64,
    /// Which program wrote it.
    pub written_by: String,
    /// The fingerprint of the schema, as 16 hexadecimal digits.
    pub fingerprint: String,
    /// The schema.
    pub schema: StoredSchema,
    /// Its tables; those that survive no restart are missing.
    pub tables: Vec<StoredTable>,
    /// Requests that came under a key up to then and are still kept, if there are any. Not in format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<StoredKept>,
}

/// The file of requests that came under a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredKept {
    /// Its bytes.
    pub bytes: u64,
    /// Their XXH3-128.
    pub hash: String,
}

/// A table of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredTable {
    /// Its number in the schema.
    pub table: usize,
    /// Its name, for people.
    pub name: String,
    /// Its records, for people.
    pub rows: u64,
    /// Its buffers, in order.
    pub buffers: Vec<StoredBuffer>,
}

/// A buffer of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredBuffer {
    /// What it holds, for people.
    pub name: String,
    /// Its bytes.
    pub raw_bytes: u64,
    /// Its blocks, in order.
    pub blocks: Vec<StoredBlock>,
}

/// A block of a buffer: bytes in the file, their XXH3-128, and that of what they hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBlock(pub u64, pub String, pub String);

/// A hash as it is written.
pub(super) fn hash_text(hash: u128) -> String {
    format!("{hash:032x}")
}

impl Manifest {
    /// As the bytes of its file.
    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        let json = serde_json::to_vec(self).map_err(crate::Error::abort)?;
        let hash = hash_text(xxh3_128(&json));
        let format = if self.kept.is_some() { FORMAT } else { FORMAT_PLAIN };
        let mut bytes = format!("{MAGIC} {format} {format} {} {hash}\n", json.len()).into_bytes();
        bytes.extend_from_slice(&json);
        Ok(bytes)
    }

    /// Reads the manifest of a snapshot's folder.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io); [`Error::Damaged`](crate::Error::Damaged).
    pub fn read(disk: &Disk, snapshot_dir: &Path) -> Result<Manifest> {
        require(disk, snapshot_dir, MANIFEST)?;
        let path = snapshot_dir.join(MANIFEST);
        Ok(Manifest::decode(&path, &disk.read(&path, MANIFEST_BYTES_MAX)?).map_err(Box::new)?)
    }

    fn decode(path: &Path, bytes: &[u8]) -> Result<Manifest, Damage> {
        let wrong = |offset, what| Damage { path: path.display().to_string(), offset, what, advice: None };
        let end =
            bytes.iter().take(128).position(|byte| *byte == b'\n').ok_or_else(|| wrong(0, DamageKind::Foreign))?;
        let (line, json) = (std::str::from_utf8(&bytes[..end]).unwrap_or_default(), &bytes[end + 1..]);
        let words: Vec<&str> = line.split(' ').collect();
        let [MAGIC, format, reader, len, hash] = words[..] else { return Err(wrong(0, DamageKind::Foreign)) };
        let unread = || wrong(0, DamageKind::Checksum { what: "the first line of the manifest" });
        let number = |word: &str| word.parse::<u32>().ok().filter(|number| number.to_string() == word);
        let (format, reader) = (number(format).ok_or_else(unread)?, number(reader).ok_or_else(unread)?);
        if reader > FORMAT.into() {
            return Err(wrong(0, DamageKind::Newer { found: format, known: FORMAT.into() }));
        }
        let len = number(len).ok_or_else(unread)?;
        if json.len() as u64 != u64::from(len) {
            let (found, expected) = (bytes.len() as u64, end as u64 + 1 + u64::from(len));
            return Err(wrong(end as u64, DamageKind::Length { found, expected }));
        }
        if format == 0 || hash_text(xxh3_128(json)) != hash {
            return Err(wrong(end as u64 + 1, DamageKind::Checksum { what: "the manifest" }));
        }
        serde_json::from_slice(json).map_err(|error| {
            wrong(end as u64 + 1, DamageKind::Nonsense(format!("the manifest says what cannot be: {error}")))
        })
    }

    /// The database as bytes.
    pub fn database_bytes(&self) -> Option<[u8; 16]> {
        u128::from_str_radix(&self.database, 16).ok().filter(|_| self.database.len() == 32).map(u128::to_be_bytes)
    }

    /// Bytes of all tables, as they are stored, headers aside.
    pub fn stored_bytes(&self) -> u64 {
        self.blocks().map(|block| block.0).fold(0, u64::saturating_add)
    }

    /// Bytes of all tables in memory.
    pub fn raw_bytes(&self) -> u64 {
        self.tables.iter().flat_map(|table| &table.buffers).map(|buffer| buffer.raw_bytes).fold(0, u64::saturating_add)
    }

    fn blocks(&self) -> impl Iterator<Item = &StoredBlock> {
        self.tables.iter().flat_map(|table| &table.buffers).flat_map(|buffer| &buffer.blocks)
    }
}
