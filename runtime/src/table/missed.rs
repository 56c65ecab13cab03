//! What was written to a table since a version of it was published, for who makes something of that version meanwhile.
//!
//! The table's history of publications (`history.rs`) says which bytes of which buffers changed; here they are put in order,
//! so that each is looked at once. Who needs that for long asks for the history to be kept ([`TableWriter::keep_since`]): a
//! few hundred publications are gone in a moment where clients commit one by one.

use super::buffer::Buffer;
use super::journal::{Entry, Kind};
use super::rows::Rows;
use super::version::{GROUPS, IDS};
use super::writer::TableWriter;
use std::ops::Range;
use std::sync::{Arc, Weak};

/// The bytes that were written, of every buffer: in order, none twice.
#[derive(Debug, Default)]
pub(crate) struct Missed {
    buffers: Vec<Vec<Range<usize>>>,
}

/// As long as this is there, a table's history is kept from a publication on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept(Arc<()>);

/// Publications that are kept for somebody.
#[derive(Debug, Default)]
pub(super) struct Keeping(Vec<(u64, Weak<()>)>);

impl Keeping {
    /// Keeps what is published from number `seq` on for somebody more.
    fn add(&mut self, seq: u64, kept: &Kept) {
        self.tidy();
        self.0.push((seq, Arc::downgrade(&kept.0)));
    }

    fn tidy(&mut self) {
        self.0.retain(|(_, kept)| kept.strong_count() > 0);
    }

    /// Whether somebody still needs what was published as number `seq`.
    #[inline]
    pub(super) fn needs(&mut self, seq: u64) -> bool {
        !self.0.is_empty() && self.is_needed(seq)
    }

    #[cold]
    fn is_needed(&mut self, seq: u64) -> bool {
        self.tidy();
        self.0.iter().any(|(since, _)| *since < seq)
    }
}

impl TableWriter {
    /// Has what is published from now on be remembered for as long as `kept` is there, within bounds; gives the number of the
    /// publication that it follows.
    pub(crate) fn keep_since(&mut self, kept: &Kept) -> u64 {
        let seq = self.current().seq;
        self.keeping().add(seq, kept);
        seq
    }

    /// What was written since publication `seq`; `None` if that is no longer known.
    pub(crate) fn missed_since(&self, seq: u64) -> Option<Missed> {
        let mut missed = Missed { buffers: vec![Vec::new(); self.current().buffers.len()] };
        for entry in self.published_since(seq)? {
            missed.buffers[entry.buffer()].push(entry.bytes());
        }
        missed.buffers.iter_mut().for_each(merge);
        Some(missed)
    }
}

impl Entry {
    /// The bytes that it is about.
    fn bytes(&self) -> Range<usize> {
        match self.kind {
            Kind::Range | Kind::RangeFromPublished | Kind::Zeros => self.offset..self.offset + self.len,
            // What has grown may have been written again without a note.
            Kind::Grow => self.offset..usize::MAX,
            Kind::Whole | Kind::WholeFromPublished => 0..usize::MAX,
        }
    }
}

/// Puts ranges in order, those that meet in one.
fn merge(ranges: &mut Vec<Range<usize>>) {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let meets = next.start <= last.end;
        if meets {
            last.end = last.end.max(next.end);
        }
        meets
    });
}

impl Missed {
    /// What was written of a buffer.
    pub(crate) fn of(&self, buffer: usize) -> &[Range<usize>] {
        self.buffers.get(buffer).map_or(&[], Vec::as_slice)
    }

    /// The rows, of the first `rows`, that are other ones now, or of which something was written in a column group that
    /// `asks` is true of; `strides` are the bytes of a row of each.
    pub(crate) fn rows(&self, strides: &[usize], asks: impl Fn(usize) -> bool, rows: usize) -> Vec<Range<usize>> {
        let groups = strides.iter().enumerate().filter(|(at, stride)| **stride > 0 && asks(*at));
        let buffers = groups.map(|(at, stride)| (GROUPS + at, *stride)).chain([(IDS, 8)]);
        let in_rows = buffers.flat_map(|(buffer, stride)| {
            let ranges = self.of(buffer).iter();
            ranges.map(move |bytes| (bytes.start / stride).min(rows)..bytes.end.div_ceil(stride).min(rows))
        });
        let mut found: Vec<Range<usize>> = in_rows.filter(|rows| !rows.is_empty()).collect();
        merge(&mut found);
        found
    }
}

impl Rows<'_> {
    /// Makes buffer `at` what `from` is, of which `ranges` were written since they were equal.
    pub(crate) fn follow(&mut self, at: usize, from: &Buffer, ranges: &[Range<usize>]) {
        let had = self.buffers[at].len();
        if from.len() > had {
            self.buffer(at).append(&from.bytes()[had..]);
        }
        let written = |range: &Range<usize>| range.start.min(had)..range.end.min(had);
        let bytes: usize = ranges.iter().map(|range| written(range).len()).sum();
        if bytes > had / 2 {
            let all = self.buffer(at).edit_whole();
            all[..had].copy_from_slice(&from.bytes()[..had]);
            return;
        }
        for range in ranges.iter().map(written).filter(|range| !range.is_empty()) {
            self.buffer(at).write(range.start, &from.bytes()[range]);
        }
    }

    /// Writes a row of a column group, be it there or the first behind the last.
    pub(crate) fn write_row(&mut self, group: usize, row: usize, bytes: &[u8]) {
        let (mut buffer, at) = (self.buffer(GROUPS + group), row * bytes.len());
        if at < buffer.len() { buffer.write(at, bytes) } else { buffer.append(bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_meet_become_one_and_rows_are_told_once() {
        let mut ranges = vec![40..44, 0..8, 8..10, 9..12, 100..usize::MAX];
        merge(&mut ranges);
        assert_eq!(ranges, [0..12, 40..44, 100..usize::MAX]);
        let mut missed = Missed { buffers: vec![Vec::new(); GROUPS + 2] };
        missed.buffers[GROUPS] = ranges;
        missed.buffers[GROUPS + 1] = vec![16..17, 60..64];
        missed.buffers[IDS] = vec![8..16, 400..408];
        assert_eq!(missed.rows(&[20, 4], |_| true, 6), [0..3, 4..6]);
        assert_eq!(missed.rows(&[20, 4], |group| group == 1, 6), [1..2, 4..5]);
    }
}
