//! The bytes of the log. All numbers are little-endian.
//!
//! ```text
//! segment header, 64 bytes                        record, a multiple of 8 bytes
//!   0  "DBGLOG\r\n"                        8        0  commit: the last one in it              8
//!   8  format                              2        8  tick                                    8
//!  10  oldest format of a reader           2       16  durable commit: the last one that was   8
//!  12  checksum: 1 = CRC-32C               1           known synced when this was written
//!  13  flags: bit 0 = a start began it     1       24  length of the payload                   4
//!  14  0                                   2       28  kind: 1 effects, 2 schema, 3 marker     1
//!  16  database, a UUID                   16       29  flags: bit 0 = requests that came       1
//!  32  number of the segment               8           under a key lead the payload;
//!  40  first commit that it may hold       8           bit 1 = the database was closed here
//!  48  salt                                4       30  schema version, its lower half          2
//!  52  length of the segment before        8       32  checksum of the record before           4
//!  60  checksum of the 60 bytes above      4       36  checksum of the 36 bytes above          4
//!                                                  40  payload | 0 up to 4 short of 8 |        n
//!                                                      checksum of everything above            4
//! ```
//!
//! The salt is random, and the checksums of records begin with it: what an earlier life of the file left behind never
//! passes for a record. The checksum of the header stands before the payload, so a length is believed only once proved.
//! "The checksum of the record before" chains them, over segments too: none can be left out, doubled or moved.
//!
//! Commits have no gaps: a record stands for the commits behind the record before it up to its own. Those that changed
//! nothing the log keeps take no room. A marker has the commit of the record before and no payload: it is written after
//! a sync that nothing followed for a while, so that the durable commit at the very end of the log is known as well.
//!
//! **No number twice.** Commits are seen before they are synced, and those that changed nothing the log keeps are never
//! logged. So after a crash nobody knows the last number that somebody saw. The first segment of a start (its flag says so)
//! therefore begins so far ahead that no number can come back: at most [`COMMITS_AHEAD_MAX`] are given out behind the last
//! one that is durable. Who closes the database writes a marker with a flag and the last number of all: behind that one
//! the next start goes on without a gap.
//!
//! With flag bit 0 the payload begins with a length (unsigned LEB128) and so many bytes of requests that came under a key,
//! which were executed in these commits; [`redo`](crate::redo) draws them. Format 1 knows the flag, but nothing wrote it;
//! formats 1 and 2 do not know the other two.

use crate::checksum::crc32c;
use crate::error::{Damage, DamageKind};
pub use crate::limits::{COMMITS_AHEAD_MAX, PAYLOAD_BYTES_MAX};
use std::path::Path;

/// The format that is written.
pub const FORMAT: u16 = 3;
/// Bytes of a segment's header.
pub const SEGMENT_HEADER_BYTES: usize = 64;
/// Bytes of a record's header.
pub const RECORD_HEADER_BYTES: usize = 40;
/// Bytes of a marker.
pub const MARKER_BYTES: usize = record_bytes(0);

const MAGIC: [u8; 8] = *b"DBGLOG\r\n";
const CHECKSUM_CRC32C: u8 = 1;
/// Flag of a record: the payload is led by requests that came under a key.
const FLAG_KEPT: u8 = 1;
/// Flag of a marker: nobody saw a commit behind it.
const FLAG_CLOSED: u8 = 2;
/// Flag of a segment: commits may have been seen and lost before its first.
const FLAG_START: u8 = 1;

const _: () = assert!(MARKER_BYTES == 48);

/// Bytes that a record takes.
pub const fn record_bytes(payload: usize) -> usize {
    (RECORD_HEADER_BYTES + payload + 4).next_multiple_of(8)
}

/// What a segment's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The database.
    pub database: [u8; 16],
    /// The number of the segment, from 1.
    pub segment: u64,
    /// The first commit that it may hold.
    pub first_commit: u64,
    /// Whether a start began it: its first commit may lie far behind the last one of the segment before.
    pub begins_start: bool,
    /// What the checksums of its records begin with.
    pub salt: u32,
    /// Bytes of the segment before that are valid: what lies behind them is none of the log.
    pub previous_bytes: u64,
}

impl SegmentHeader {
    /// As bytes.
    pub fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[10..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[12] = CHECKSUM_CRC32C;
        bytes[13] = if self.begins_start { FLAG_START } else { 0 };
        bytes[16..32].copy_from_slice(&self.database);
        bytes[32..40].copy_from_slice(&self.segment.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.first_commit.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.salt.to_le_bytes());
        bytes[52..60].copy_from_slice(&self.previous_bytes.to_le_bytes());
        let check = crc32c(0, &bytes[..60]);
        bytes[60..].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`Damage`] that says what is wrong: a file of something else, of a later version, or damaged.
    pub fn decode(path: &Path, bytes: &[u8]) -> Result<SegmentHeader, Damage> {
        let wrong = |offset, what| Damage { path: path.display().to_string(), offset, what, advice: None };
        let Some(bytes) = bytes.first_chunk::<SEGMENT_HEADER_BYTES>() else {
            let (found, expected) = (bytes.len() as u64, SEGMENT_HEADER_BYTES as u64);
            return Err(wrong(0, DamageKind::Length { found, expected }));
        };
        if crc32c(0, &bytes[..60]) != u32_at(bytes, 60) {
            // A later format may have another header, but not another beginning.
            let what = match (bytes[..8] == MAGIC, u16_at(bytes, 10)) {
                (false, _) => DamageKind::Foreign,
                (true, _) => DamageKind::Checksum { what: "the header of the segment" },
            };
            return Err(wrong(0, what));
        }
        if bytes[..8] != MAGIC {
            return Err(wrong(0, DamageKind::Foreign));
        }
        if u16_at(bytes, 10) > FORMAT || bytes[12] != CHECKSUM_CRC32C || bytes[13] & !FLAG_START != 0 {
            return Err(wrong(8, DamageKind::Newer { found: u16_at(bytes, 8).into(), known: FORMAT.into() }));
        }
        let mut database = [0; 16];
        database.copy_from_slice(&bytes[16..32]);
        Ok(SegmentHeader {
            database,
            segment: u64_at(bytes, 32),
            first_commit: u64_at(bytes, 40),
            begins_start: bytes[13] & FLAG_START != 0,
            salt: u32_at(bytes, 48),
            previous_bytes: u64_at(bytes, 52),
        })
    }
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Its payload is what commits did.
    Effects = 1,
    /// Its payload is a whole schema.
    Schema = 2,
    /// It has none.
    Marker = 3,
}

/// A record but for its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHeader {
    /// The last commit in it.
    pub commit: u64,
    /// The tick that it belongs to.
    pub tick: u64,
    /// The last commit that was known to be durable when it was written.
    pub durable: u64,
    /// Bytes of its payload.
    pub payload_bytes: u32,
    /// What it is.
    pub kind: Kind,
    /// Whether requests that came under a key lead its payload.
    pub has_kept: bool,
    /// Of a marker: whether the database was closed here, and its commit is the last one that anybody saw.
    pub is_closed: bool,
    /// The lower half of the number of the schema that its payload is to be read by.
    pub schema_version: u16,
    /// The checksum of the record before; 0 = there is none.
    pub previous: u32,
}

impl RecordHeader {
    /// Appends the record to `bytes`, and gives its checksum.
    pub fn append(&self, payload: &[u8], salt: u32, bytes: &mut Vec<u8>) -> u32 {
        let start = bytes.len();
        bytes.extend_from_slice(&self.commit.to_le_bytes());
        bytes.extend_from_slice(&self.tick.to_le_bytes());
        bytes.extend_from_slice(&self.durable.to_le_bytes());
        bytes.extend_from_slice(&self.payload_bytes.to_le_bytes());
        bytes.push(self.kind as u8);
        bytes.push(if self.has_kept { FLAG_KEPT } else { 0 } | if self.is_closed { FLAG_CLOSED } else { 0 });
        bytes.extend_from_slice(&self.schema_version.to_le_bytes());
        bytes.extend_from_slice(&self.previous.to_le_bytes());
        let check = crc32c(salt, &bytes[start..]);
        bytes.extend_from_slice(&check.to_le_bytes());
        bytes.extend_from_slice(payload);
        bytes.resize(start + record_bytes(payload.len()) - 4, 0);
        let check = crc32c(salt, &bytes[start..]);
        bytes.extend_from_slice(&check.to_le_bytes());
        check
    }

    /// From bytes that begin with it; `None` if they are not one of this segment.
    pub fn decode(bytes: &[u8], salt: u32) -> Option<RecordHeader> {
        let bytes = bytes.first_chunk::<RECORD_HEADER_BYTES>()?;
        if crc32c(salt, &bytes[..36]) != u32_at(bytes, 36) {
            return None;
        }
        let kind = match bytes[28] {
            1 => Kind::Effects,
            2 => Kind::Schema,
            3 => Kind::Marker,
            _ => return None,
        };
        let flags_known = if kind == Kind::Marker { FLAG_CLOSED } else { FLAG_KEPT };
        // No commit comes behind the last numbers: nobody has written those.
        if bytes[29] & !flags_known != 0 || u64_at(bytes, 0) > u64::MAX - 2 * COMMITS_AHEAD_MAX {
            return None;
        }
        Some(RecordHeader {
            commit: u64_at(bytes, 0),
            tick: u64_at(bytes, 8),
            durable: u64_at(bytes, 16),
            payload_bytes: u32_at(bytes, 24),
            kind,
            has_kept: bytes[29] & FLAG_KEPT != 0,
            is_closed: bytes[29] & FLAG_CLOSED != 0,
            schema_version: u16::from_le_bytes([bytes[30], bytes[31]]),
            previous: u32_at(bytes, 32),
        })
    }
}

/// A record that has proved whole.
#[derive(Debug, Clone, Copy)]
pub struct Record<'b> {
    /// Its header.
    pub header: RecordHeader,
    /// Requests that came under a key.
    pub kept: &'b [u8],
    /// Its payload behind them.
    pub payload: &'b [u8],
    /// Its checksum.
    pub check: u32,
    /// Bytes that it takes.
    pub bytes: usize,
}

impl<'b> Record<'b> {
    /// The record that `bytes` begin with; `None` if they do not begin with a whole one of this segment.
    pub fn decode(bytes: &'b [u8], salt: u32) -> Option<Record<'b>> {
        let header = RecordHeader::decode(bytes, salt)?;
        let len = header.payload_bytes as usize;
        if len > PAYLOAD_BYTES_MAX {
            return None;
        }
        let whole = bytes.get(..record_bytes(len))?;
        let (body, check) = whole.split_last_chunk::<4>()?;
        let check = u32::from_le_bytes(*check);
        if crc32c(salt, body) != check {
            return None;
        }
        let payload = &body[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + len];
        let (kept, payload) = if header.has_kept { split_kept(payload)? } else { payload.split_at(0) };
        Some(Record { header, kept, payload, check, bytes: whole.len() })
    }
}

/// What leads a payload, and what follows.
fn split_kept(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (at, byte) in payload.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if *byte < 0x80 {
            return payload[at + 1..].split_at_checked(length);
        }
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
