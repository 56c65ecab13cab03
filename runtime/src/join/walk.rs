//! Walking the entities that have what is asked for: tables as bytes, no types.

use super::MEMBERS_MAX;
use crate::id::RecordId;
use crate::record::codec::le_u64;
use crate::table::id_runs::{self, Run};
use crate::table::mask::{MaskTest, Masks};
use crate::table::version::IN_USE;
use std::ops::Range;

/// The row of a member that is not there, and all beyond it: rows behind it in a block are not there either.
pub(crate) const NONE: u64 = 1 << 63;
/// Rows that are lined up at once at first: their ids are a few cache lines, which one comparison covers.
pub(crate) const BLOCK_ROWS: usize = 64;
/// The same where blocks before were lined up.
const BLOCK_ROWS_MAX: usize = 1024;

/// What a member asks of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The component must be there, and its row is given.
    Required,
    /// Its row is given if it is there.
    Optional,
    /// It must be there; no row is given.
    With,
    /// It must not be there.
    Without,
    /// Nothing: the entity is enough.
    Nothing,
}

/// Where the ids and slots of a table are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Source<'v> {
    pub(crate) ids: &'v [[u8; 8]],
    pub(crate) slots: &'v [[u8; 8]],
    /// Which rows have ids that follow each other, if that is known.
    runs: &'v [Run],
}

impl<'v> Source<'v> {
    /// Of the first `len` rows of a table with these buffers.
    pub(crate) fn new(ids: &'v [u8], slots: &'v [u8], len: usize) -> Source<'v> {
        let (ids, slots) = (ids.as_chunks().0, slots.as_chunks().0);
        Source { ids: ids.get(..len).unwrap_or_default(), slots, runs: &[] }
    }

    /// The same, where these rows are known to have ids that follow each other.
    pub(crate) fn with_runs(self, runs: &'v [Run]) -> Source<'v> {
        Source { runs, ..self }
    }

    /// How many rows from this one on have ids that follow each other, as far as that is known.
    fn in_run(self, row: usize) -> usize {
        id_runs::left(self.runs, row, self.ids.len())
    }

    /// The row of the record, if it is there.
    #[inline]
    fn row_of(self, id: RecordId) -> Option<u64> {
        let slot = le_u64(self.slots.get(id.slot() as usize)?);
        ((slot >> 32) as u32 == id.generation() | IN_USE).then_some(u64::from(slot as u32))
    }
}

/// A member while it is walked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'v> {
    pub(crate) need: Need,
    pub(crate) source: Source<'v>,
    /// The row that goes with the first one of the block; `NONE` = its rows are looked up, or there are none.
    base: u64,
}

impl<'v> Part<'v> {
    pub(crate) fn new(need: Need, source: Source<'v>) -> Part<'v> {
        Part { need, source, base: NONE }
    }

    fn gives_rows(&self) -> bool {
        matches!(self.need, Need::Required | Need::Optional)
    }

    /// Whether its rows are looked up one by one in the block.
    fn is_looked_up(&self) -> bool {
        self.gives_rows() && self.base >= NONE
    }

    /// Whether its rows lie side by side with those of the block, which are `rows` of a table with these ids; at least the
    /// first `in_run` of the block have ids that follow each other.
    fn line_up(&mut self, all: &[[u8; 8]], rows: &Range<usize>, in_run: usize) -> bool {
        self.base = NONE;
        if !self.gives_rows() || (self.need == Need::Optional && self.source.ids.is_empty()) {
            return true;
        }
        if std::ptr::eq(self.source.ids, all) {
            self.base = rows.start as u64;
            return true;
        }
        let ids = &all[rows.clone()];
        let Some(row) = id_in(&ids[0]).and_then(|id| self.source.row_of(id)) else { return false };
        // Two runs with the same first id agree as far as both go. Otherwise ids are compared, as bytes, so that it is one
        // comparison of memory.
        let same = in_run.min(self.source.in_run(row as usize)) >= ids.len() || {
            let beside = self.source.ids.get(row as usize..row as usize + ids.len());
            beside.is_some_and(|beside| beside.as_flattened() == ids.as_flattened())
        };
        if same {
            self.base = row;
        }
        same
    }
}

/// All members, and the masks of the entities.
#[derive(Debug, Clone)]
pub(crate) struct Parts<'v> {
    pub(crate) parts: [Part<'v>; MEMBERS_MAX],
    pub(crate) count: usize,
    /// The table of the entities.
    pub(crate) owner: Source<'v>,
    pub(crate) masks: Masks<'v>,
    pub(crate) test: MaskTest,
}

/// Entities being walked.
#[derive(Debug, Clone)]
pub(crate) struct Walk<'v> {
    of: Parts<'v>,
    /// The table that is walked.
    walked: Source<'v>,
    /// Rows of it that are still to be walked; those of the block come first.
    rows: Range<usize>,
    block: Range<usize>,
    /// Rows of the next block.
    block_rows: usize,
    /// The rows that go with the block's first, member by member, if it is lined up.
    bases: Rows,
    /// Whether the rows of all members lie side by side in the block, and no mask need be asked.
    lined_up: bool,
    /// Whether some members ask for no more than the mask tells.
    filters: bool,
    /// Whether the mask is asked before rows are looked up in this block: it is one look for all members.
    asks_masks: bool,
    /// Whether rows of some member must be looked up in this block.
    looks_up: bool,
    /// The entities of a block whose rows were looked up, and how many of them have been given.
    found: Vec<Found<'v>>,
    given: usize,
}

/// An entity that has what is asked for.
pub(crate) type Found<'v> = (&'v [u8; 8], Rows);

/// The rows of an entity, member by member.
pub(crate) type Rows = [u64; MEMBERS_MAX];

impl<'v> Walk<'v> {
    /// Walks the smallest member that must be there, or all entities if none must.
    pub(crate) fn new(of: Parts<'v>) -> Walk<'v> {
        let must = of.parts[..of.count].iter().filter(|part| matches!(part.need, Need::Required | Need::With));
        let smallest = must.min_by_key(|part| part.source.ids.len());
        let walked = smallest.map_or(of.owner, |part| part.source);
        let filters = of.parts[..of.count].iter().any(|part| matches!(part.need, Need::With | Need::Without));
        let (rows, block_rows, bases) = (0..walked.ids.len(), BLOCK_ROWS, [NONE; MEMBERS_MAX]);
        let (block, lined_up, looks_up) = (0..0, false, false);
        let (found, given) = (Vec::new(), 0);
        Walk {
            walked,
            rows,
            block,
            block_rows,
            bases,
            lined_up,
            filters,
            asks_masks: filters,
            looks_up,
            found,
            given,
            of,
        }
    }

    /// Rows still to be walked, and entities found that are still to be given: no fewer than will be given.
    pub(crate) fn rows_left(&self) -> usize {
        self.rows.len() + self.found.len() - self.given
    }

    /// The same over some of the rows.
    pub(crate) fn part(&self, rows: Range<usize>) -> Walk<'v> {
        let mut part = self.clone();
        (part.rows, part.block) = (rows.clone(), rows.start..rows.start);
        part.found.clear();
        part.given = 0;
        part
    }

    /// The ids of all rows of the table that is walked.
    pub(crate) fn ids(&self) -> &'v [[u8; 8]] {
        self.walked.ids
    }

    /// The rows still to be walked.
    pub(crate) fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Lines the members up with the next block; `false` if there is none.
    fn next_block(&mut self) -> bool {
        if self.rows.is_empty() {
            return false;
        }
        self.block = self.rows.start..self.rows.end.min(self.rows.start + self.block_rows);
        let (mut looked_up, in_run) = (0, self.walked.in_run(self.rows.start));
        for part in &mut self.of.parts[..self.of.count] {
            looked_up += usize::from(!part.line_up(self.walked.ids, &self.block, in_run));
        }
        self.lined_up = !self.filters && looked_up == 0;
        self.looks_up = looked_up > 0;
        self.asks_masks = self.filters || looked_up > 1;
        if looked_up == 0 {
            self.block_rows = BLOCK_ROWS_MAX.min(2 * self.block_rows);
            self.bases = self.of.parts.map(|part| part.base);
        } else if self.block_rows > BLOCK_ROWS {
            // What is not in line as a whole may still be in pieces.
            self.block_rows = BLOCK_ROWS;
            return self.next_block();
        }
        true
    }

    /// The next block, if all members lie side by side in it: the rows of its first entity, and how many there are.
    pub(crate) fn next_lined_up(&mut self) -> Option<(&'v [[u8; 8]], Rows)> {
        if self.given < self.found.len() || self.rows.start >= self.block.end && !self.next_block() || !self.lined_up {
            return None;
        }
        let done = self.rows.start - self.block.start;
        let ids = &self.walked.ids[self.rows.start..self.block.end];
        self.rows.start = self.block.end;
        Some((ids, self.bases(done as u64)))
    }

    /// The rows of an entity of a block in which no row need be looked up.
    #[inline]
    fn bases(&self, offset: u64) -> Rows {
        self.bases.map(|base| base + offset)
    }

    /// The next entity that has what is asked for.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Found<'v>> {
        loop {
            if let Some(found) = self.next_found() {
                return Some(found);
            }
            if self.rows.start >= self.block.end && !self.next_block() {
                return None;
            }
            if self.looks_up {
                self.look_up();
                continue;
            }
            let row = self.rows.start;
            self.rows.start += 1;
            let id = &self.walked.ids[row];
            if self.lined_up || self.of.masks.passes(id_in(id)?.slot(), &self.of.test) {
                return Some((id, self.bases((row - self.block.start) as u64)));
            }
        }
    }

    /// The next of the entities that were looked up.
    #[inline]
    pub(crate) fn next_found(&mut self) -> Option<Found<'v>> {
        let found = self.found.get(self.given)?;
        self.given += 1;
        Some(*found)
    }

    /// Finds the entities in what is left of the block, member by member. A look that misses the caches depends on none
    /// of the others, and there is little in between: the processor has a dozen of them under way.
    #[inline(never)]
    fn look_up(&mut self) {
        let (first, of) = (self.block.start, &self.of);
        let rows = self.rows.start..self.block.end;
        self.rows.start = self.block.end;
        self.found.clear();
        self.given = 0;
        for (id, row) in self.walked.ids[rows.clone()].iter().zip(rows) {
            let passes = |id: RecordId| !self.asks_masks || of.masks.passes(id.slot(), &of.test);
            if id_in(id).is_some_and(passes) {
                // Members that are not looked up lie side by side with the row that is walked.
                let offset = (row - first) as u64;
                let beside = of.parts.each_ref().map(|part| if part.base < NONE { part.base + offset } else { NONE });
                self.found.push((id, beside));
            }
        }
        let mut are_all_there = true;
        for (at, part) in of.parts[..of.count].iter().enumerate().filter(|(_, part)| part.is_looked_up()) {
            for (id, rows) in &mut self.found {
                rows[at] = id_in(id).and_then(|id| part.source.row_of(id)).unwrap_or(NONE);
                are_all_there &= rows[at] < NONE || part.need == Need::Optional;
            }
        }
        if !are_all_there {
            let parts = &of.parts[..of.count];
            let is_there = |(row, part): (&u64, &Part<'_>)| *row < NONE || part.need != Need::Required;
            self.found.retain(|(_, rows)| rows.iter().zip(parts).all(is_there));
        }
    }
}

/// The id of a row.
#[inline]
pub(crate) fn id_in(bytes: &[u8; 8]) -> Option<RecordId> {
    RecordId::from_u64(u64::from_le_bytes(*bytes))
}
