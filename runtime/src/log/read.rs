//! Reading the log back, a segment at a time.

use super::format::{COMMITS_AHEAD_MAX, Kind, Record, RecordHeader, SEGMENT_HEADER_BYTES, SegmentHeader};
use super::{log_dir, segment_name, segment_number};
use crate::error::{Damage, DamageKind, Result};
use crate::storage::{Disk, DiskFile, Open};
use std::path::{Path, PathBuf};

/// The numbers of the segments that there are, in order.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io).
pub fn segments(disk: &Disk, data_dir: &Path) -> Result<Vec<u64>> {
    let dir = log_dir(data_dir);
    let mut found: Vec<u64> = disk.list(&dir)?.iter().filter_map(|entry| segment_number(&entry.name)).collect();
    found.sort_unstable();
    Ok(found)
}

/// That a segment should be there and is not.
pub(crate) fn missing(data_dir: &Path, segment: u64) -> Box<Damage> {
    Box::new(Damage {
        path: log_dir(data_dir).join(segment_name(segment)).display().to_string(),
        offset: 0,
        what: DamageKind::Missing,
        advice: Some("put the file back; without it, only `dbgen recover --salvage` opens what is left".to_owned()),
    })
}

/// A segment in memory.
#[derive(Debug)]
pub struct Segment {
    /// Its file.
    pub path: PathBuf,
    /// Its header.
    pub header: SegmentHeader,
    bytes: Vec<u8>,
    /// Behind this, all are zero.
    used: usize,
}

/// Reads the header of a segment.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io); [`Error::Damaged`](crate::Error::Damaged) if it is not whole, not of this database or
/// not of this number.
pub fn header(disk: &Disk, data_dir: &Path, segment: u64, database: Option<[u8; 16]>) -> Result<SegmentHeader> {
    let path = log_dir(data_dir).join(segment_name(segment));
    let file = disk.open(&path, Open::Read)?;
    let mut bytes = [0; SEGMENT_HEADER_BYTES];
    let read = file.read_up_to(0, &mut bytes)?;
    let header = SegmentHeader::decode(&path, &bytes[..read]).map_err(Box::new)?;
    let wrong = |what| Box::new(Damage { path: path.display().to_string(), offset: 16, what, advice: None });
    if database.is_some_and(|database| database != header.database) {
        return Err(wrong(DamageKind::AnotherDatabase).into());
    }
    if header.segment != segment {
        let what = format!("the file is named as segment {segment} and holds segment {}", header.segment);
        return Err(wrong(DamageKind::Nonsense(what)).into());
    }
    if !(1..u64::MAX - 2 * COMMITS_AHEAD_MAX).contains(&header.first_commit) {
        let what = format!("the segment begins with commit {}, which nobody makes", header.first_commit);
        let what = DamageKind::Nonsense(what);
        return Err(wrong(what).into());
    }
    Ok(header)
}

impl Segment {
    /// Reads a segment, of which `valid` bytes belong to the log; `None` = all of them.
    ///
    /// # Errors
    /// As [`header`]; [`Error::Damaged`](crate::Error::Damaged) if the file is shorter.
    pub fn read(
        disk: &Disk,
        data_dir: &Path,
        segment: u64,
        database: Option<[u8; 16]>,
        valid: Option<u64>,
    ) -> Result<Segment> {
        let header = header(disk, data_dir, segment, database)?;
        let path = log_dir(data_dir).join(segment_name(segment));
        let file = disk.open(&path, Open::Read)?;
        let found = file.bytes()?;
        if let Some(expected) = valid.filter(|valid| *valid > found) {
            let (path, what) = (path.display().to_string(), DamageKind::Length { found, expected });
            return Err(Box::new(Damage { path, offset: found, what, advice: None }).into());
        }
        let (bytes, used) = read_but_zeros(&file, valid.unwrap_or(found))?;
        Ok(Segment { path, header, bytes, used })
    }

    /// Its records, the first of which follows one with this commit and checksum; `None` = unknown.
    pub fn records(&self, previous: Option<(u64, u32)>) -> Records<'_> {
        Records { segment: self, at: SEGMENT_HEADER_BYTES, previous }
    }

    /// Bytes read.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing, not even a header.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What lies at and behind `offset`, without the zeros at its end.
    pub fn rest(&self, offset: usize) -> &[u8] {
        let rest = self.bytes.get(offset..self.used).unwrap_or_default();
        let len = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        &rest[..len]
    }

    /// The largest durable commit in any header of a record at or behind `offset`. Records begin at multiples of 8.
    pub fn durable_behind(&self, offset: usize) -> u64 {
        let end = offset + self.rest(offset).len();
        let starts = (offset.next_multiple_of(8)..end).step_by(8);
        let header = |at: usize| RecordHeader::decode(&self.bytes[at..], self.header.salt);
        starts.filter_map(header).map(|header| header.durable).max().unwrap_or(0)
    }
}

/// Reads `len` bytes of a file, and says behind which all are zero. Most of the last segment is room that was taken in
/// advance: it is not read where the storage knows, and memory for it is never touched.
fn read_but_zeros(file: &DiskFile, len: u64) -> Result<(Vec<u8>, usize)> {
    const PIECE_BYTES: usize = 1 << 18;
    let mut bytes = vec![0; len as usize];
    let written = file.written_bytes()?.min(len) as usize;
    let (mut piece, mut done, mut used) = (vec![0; PIECE_BYTES.min(written)], 0, 0);
    while done < written {
        let wanted = piece.len().min(written - done);
        let read = file.read_up_to(done as u64, &mut piece[..wanted])?;
        if read == 0 {
            bytes.truncate(done);
            break;
        }
        if !is_zero(&piece[..read]) {
            bytes[done..done + read].copy_from_slice(&piece[..read]);
            used = done + read;
        }
        done += read;
    }
    Ok((bytes, used))
}

fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<64>();
    words.iter().all(|word| *word == [0; 64]) && rest.iter().all(|byte| *byte == 0)
}

/// The records of a segment, each with where it begins, up to the first bytes that are none.
#[derive(Debug, Clone)]
pub struct Records<'s> {
    segment: &'s Segment,
    at: usize,
    previous: Option<(u64, u32)>,
}

impl Records<'_> {
    /// Where the next record begins, or the valid bytes end.
    pub fn offset(&self) -> usize {
        self.at
    }
}

impl<'s> Iterator for Records<'s> {
    type Item = (usize, Record<'s>);

    fn next(&mut self) -> Option<(usize, Record<'s>)> {
        let record = Record::decode(self.segment.bytes.get(self.at..)?, self.segment.header.salt)?;
        if let Some((commit, check)) = self.previous {
            let in_order = match record.header.kind {
                Kind::Marker if record.header.is_closed => record.header.commit >= commit,
                Kind::Marker => record.header.commit == commit,
                Kind::Effects | Kind::Schema => record.header.commit > commit,
            };
            if record.header.previous != check || !in_order {
                return None;
            }
        }
        let at = self.at;
        self.at += record.bytes;
        self.previous = Some((record.header.commit, record.check));
        Some((at, record))
    }
}
