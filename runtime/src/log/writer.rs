//! Appending to the log: segments, records, syncs. It knows no threads; `super::thread` has one do it.
//!
//! A segment comes to be aside: written as `<number>.tmp`, synced, renamed, and its folder synced, before the first record.
//! So a file with a segment's name has a header, and one that does not prove whole was damaged later. The segment before
//! is synced first: of a segment that is not the last, everything was durable.
//!
//! After any failure the writer is spent. Linux drops the pages that it could not write and lets the next sync succeed, so
//! trying again would acknowledge what is lost.

use super::format::{Kind, PAYLOAD_BYTES_MAX, RecordHeader, SEGMENT_HEADER_BYTES, SegmentHeader};
use super::{log_dir, segment_name};
use crate::error::{Error, Result};
use crate::redo::Group;
use crate::storage::{Disk, DiskFile, Open};

use std::path::{Path, PathBuf};

/// Where the log ends: what its next record follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct End {
    /// The number of the last segment; 0 = there is none.
    pub segment: u64,
    /// Its valid bytes.
    pub bytes: u64,
    /// The commit before the next one: the last record's, or that before the segment's first.
    pub commit: u64,
    /// The last record's checksum.
    pub check: u32,
    /// The last record's tick.
    pub tick: u64,
    /// The last record's schema version, its lower half.
    pub schema_version: u16,
}

/// The end of the log that is written to.
#[derive(Debug)]
pub struct LogWriter {
    disk: Disk,
    dir: PathBuf,
    database: [u8; 16],
    segment_bytes: u64,
    file: DiskFile,
    salt: u32,
    /// Where the log ends once `buffer` is written.
    end: End,
    /// Records that are not written yet.
    buffer: Vec<u8>,
    /// The last commit known to be durable.
    durable: u64,
    /// The last thing written is a marker.
    is_marked: bool,
    /// Segments begun that nobody has asked for yet.
    begun: Vec<SegmentHeader>,
}

impl LogWriter {
    /// Begins a new segment behind `end`, as a start does. Everything up to `end` is durable.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn begin(disk: Disk, data_dir: &Path, database: [u8; 16], segment_bytes: u64, end: End) -> Result<LogWriter> {
        let dir = log_dir(data_dir);
        let (file, header) = begin_segment(&disk, &dir, database, (segment_bytes, true), end)?;
        let durable = end.commit;
        let end = End { segment: header.segment, bytes: SEGMENT_HEADER_BYTES as u64, ..end };
        let (buffer, salt) = (Vec::new(), header.salt);
        Ok(LogWriter {
            disk,
            dir,
            database,
            segment_bytes,
            file,
            salt,
            end,
            buffer,
            durable,
            is_marked: false,
            begun: Vec::new(),
        })
    }

    /// Where the log ends.
    pub fn end(&self) -> End {
        self.end
    }

    /// The segments begun since the last time.
    pub fn begun(&mut self) -> impl Iterator<Item = SegmentHeader> + '_ {
        self.begun.drain(..)
    }

    /// The last commit known to be durable.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Puts a group behind the log's end. It is not written yet.
    ///
    /// # Errors
    /// [`Error::Io`] if a segment is full and the next one cannot be begun.
    pub fn append(&mut self, group: &Group) -> Result<()> {
        let header = RecordHeader {
            commit: group.commit,
            tick: group.tick,
            durable: self.durable,
            payload_bytes: payload_bytes(group)?,
            kind: if group.schema { Kind::Schema } else { Kind::Effects },
            has_kept: group.has_kept,
            is_closed: false,
            schema_version: group.schema_version as u16,
            previous: self.end.check,
        };
        self.put(header, &group.payload)
    }

    /// Puts a marker behind the log's end, unless it ends with one or nothing was written to it.
    ///
    /// # Errors
    /// As [`LogWriter::append`].
    pub fn mark(&mut self) -> Result<bool> {
        if self.is_marked || self.end.bytes == SEGMENT_HEADER_BYTES as u64 {
            return Ok(false);
        }
        self.put(self.marker(), &[])?;
        self.is_marked = true;
        Ok(true)
    }

    /// Puts a marker behind the log's end that says that nobody saw a commit behind `seen`.
    ///
    /// # Errors
    /// As [`LogWriter::append`].
    pub fn close(&mut self, seen: u64) -> Result<()> {
        let header = RecordHeader { commit: seen.max(self.end.commit), is_closed: true, ..self.marker() };
        self.put(header, &[])
    }

    fn marker(&self) -> RecordHeader {
        RecordHeader {
            commit: self.end.commit,
            tick: self.end.tick,
            durable: self.durable,
            payload_bytes: 0,
            kind: Kind::Marker,
            has_kept: false,
            is_closed: false,
            schema_version: self.end.schema_version,
            previous: self.end.check,
        }
    }

    fn put(&mut self, header: RecordHeader, payload: &[u8]) -> Result<()> {
        let bytes = super::format::record_bytes(payload.len()) as u64;
        if self.end.bytes + bytes > self.segment_bytes && self.end.bytes > SEGMENT_HEADER_BYTES as u64 {
            self.roll()?;
        }
        let header = RecordHeader { durable: self.durable, ..header };
        self.end.check = header.append(payload, self.salt, &mut self.buffer);
        self.end.bytes += bytes;
        (self.end.commit, self.end.tick) = (header.commit, header.tick);
        self.end.schema_version = header.schema_version;
        self.is_marked = false;
        Ok(())
    }

    /// Writes what was appended to the file. A crash of the process no longer loses it.
    ///
    /// # Errors
    /// [`Error::Io`]; the writer is spent then.
    pub fn write(&mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            let start = self.end.bytes - self.buffer.len() as u64;
            self.file.write_all_at(start, &self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Makes everything appended durable.
    ///
    /// # Errors
    /// [`Error::Io`]; the writer is spent then: nothing is known of what was written.
    pub fn sync(&mut self) -> Result<()> {
        self.write()?;
        let synced = self.file.sync_data();
        if synced.is_err() && self.disk.sabotage().retry_sync {
            self.file.sync_data()?;
        } else {
            synced?;
        }
        self.durable = self.end.commit;
        Ok(())
    }

    /// Ends the segment and begins the next.
    fn roll(&mut self) -> Result<()> {
        self.sync()?;
        let (file, header) =
            begin_segment(&self.disk, &self.dir, self.database, (self.segment_bytes, false), self.end)?;
        (self.file, self.salt) = (file, header.salt);
        self.begun.push(header);
        (self.end.segment, self.end.bytes) = (header.segment, SEGMENT_HEADER_BYTES as u64);
        Ok(())
    }
}

/// Makes the segment behind `end`, durable with its name; it takes so many bytes, and a start begins it or not.
fn begin_segment(
    disk: &Disk,
    dir: &Path,
    database: [u8; 16],
    (bytes, begins_start): (u64, bool),
    end: End,
) -> Result<(DiskFile, SegmentHeader)> {
    let salt = if disk.sabotage().no_salt { 0 } else { u32::from_le_bytes(disk.random()) };
    let header = SegmentHeader {
        database,
        segment: end.segment + 1,
        first_commit: end.commit + 1,
        begins_start,
        salt,
        previous_bytes: end.bytes,
    };
    let path = dir.join(segment_name(header.segment));
    let aside = path.with_extension("tmp");
    let file = disk.open(&aside, Open::Create)?;
    file.reserve(bytes)?;
    file.write_all_at(0, &header.encode())?;
    file.sync_data()?;
    disk.rename(&aside, &path)?;
    disk.sync_dir(dir)?;
    Ok((disk.open(&path, Open::Write)?, header))
}

/// Bytes of a payload. One that no reader would take is not written.
fn payload_bytes(group: &Group) -> Result<u32> {
    let bytes = u32::try_from(group.payload.len()).ok().filter(|bytes| *bytes as usize <= PAYLOAD_BYTES_MAX);
    let what = "a group of commits, in bytes,";
    bytes.ok_or(Error::Full { table: "the log".to_owned(), what, limit: PAYLOAD_BYTES_MAX })
}
