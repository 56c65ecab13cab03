//! The fixed parts of several records that arrive together, column group by column group.
//!
//! ```text
//! | row of group 0 | ... 128 of them | row of group 1 | ... 128 of them | ...
//! ```
//!
//! So the rows of a group lie side by side, as they do in the table, and are taken over in one go. Whether there are as many
//! records or fewer, each group begins where it would with all of them. With room for one record it is that record's image.

use super::strided::Strided;
use dbgen_schema::layout::GroupLayout;
use std::ops::Range;

/// Records that a chunk has room for: enough that what is done once per chunk does not count, few enough that it stays in the
/// cache.
pub const CHUNK_RECORDS: usize = 128;

/// Some records that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    bytes: &'a [u8],
    groups: &'a [GroupLayout],
    /// Records that there is room for.
    room: usize,
    /// The first of them that is meant.
    first: usize,
    /// How many are.
    len: usize,
}

impl<'a> Chunk<'a> {
    /// These records of `bytes`, which has room for so many.
    pub fn new(bytes: &'a [u8], groups: &'a [GroupLayout], room: usize, records: Range<usize>) -> Chunk<'a> {
        Chunk { bytes, groups, room, first: records.start, len: records.len() }
    }

    /// The rows of a column group, one of each record.
    #[inline]
    pub fn rows(self, group: &GroupLayout) -> &'a [u8] {
        let start = group.image_offset * self.room + self.first * group.stride;
        &self.bytes[start..start + self.len * group.stride]
    }

    /// What lies at byte `at` of the image of a record, of each of them.
    #[inline]
    pub fn cells(self, at: usize) -> Strided<'a> {
        let is_behind = |group: &&GroupLayout| at < group.image_offset + group.stride;
        let Some(group) = self.groups.iter().find(is_behind) else { return Strided { bytes: &[], stride: 1, at: 0 } };
        Strided { bytes: self.rows(group), stride: group.stride, at: at - group.image_offset }
    }

    /// Appends the image of record number `at` to `image`.
    pub fn gather(self, at: usize, image: &mut Vec<u8>) {
        for group in self.groups {
            image.extend_from_slice(&self.rows(group)[at * group.stride..(at + 1) * group.stride]);
        }
    }
}

/// Where in a chunk with room for so many records what lies at byte `at` of the image of record number `record` lies.
pub fn place(groups: &[GroupLayout], room: usize, record: usize, at: usize) -> usize {
    let group = groups.iter().find(|group| at < group.image_offset + group.stride);
    group.map_or(at, |group| group.image_offset * room + record * group.stride + (at - group.image_offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_place_is_found_there() {
        let strides = [3, 0, 5, 1];
        let mut image_bytes = 0;
        let groups = strides.map(|stride| {
            image_bytes += stride;
            GroupLayout { stride, null_bytes: 0, image_offset: image_bytes - stride, fields: Vec::new() }
        });
        let byte = |record: usize, at: usize| (1 + record * image_bytes + at) as u8;
        for (room, records) in [(1, 0..1), (4, 0..4), (4, 0..3), (4, 1..3)] {
            let mut bytes = vec![0; room * image_bytes];
            let each = |record: usize| (0..image_bytes).map(move |at| (record, at));
            records
                .clone()
                .flat_map(each)
                .for_each(|(record, at)| bytes[place(&groups, room, record, at)] = byte(record, at));
            let chunk = Chunk::new(&bytes, &groups, room, records.clone());
            for (number, record) in records.clone().enumerate() {
                let mut image = Vec::new();
                chunk.gather(number, &mut image);
                let expected: Vec<u8> = (0..image_bytes).map(|at| byte(record, at)).collect();
                assert_eq!(image, expected, "record {record} of {records:?} in {room}");
            }
            for at in 0..image_bytes {
                let cells: Vec<u8> = chunk.cells(at).cells::<1>().map(|cell| cell[0]).collect();
                assert_eq!(cells, records.clone().map(|record| byte(record, at)).collect::<Vec<_>>(), "byte {at}");
            }
        }
    }
}
