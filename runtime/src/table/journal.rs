//! The journal: what was done to the buffers of a table.
//!
//! One note serves three ends:
//!
//! - **undo**: the before-image puts the bytes back, newest first, so that a rolled back transaction leaves every buffer
//!   byte-equal to before;
//! - **catch-up** (`catch_up.rs`): when a version comes back from its readers, the ranges noted since are copied over,
//!   nothing else;
//! - **what changed**: the last commits' notes are kept for feeds and incremental snapshots.
//!
//! ```text
//! entries:  | offset, len, buffer, kind | ... |        a savepoint is a position in here
//! images:   | before-image | before-image | ... |      of each buffer, in the order of its entries: lengths locate them
//! ```
//!
//! A write that goes on where the last one of its buffer ended makes that note longer instead of adding one, and bytes that
//! were noted are not noted again; a note that has been made longer reaches ahead. So ten thousand components that come and go in order are a note a buffer, and catching
//! up with them is one copy.
//!
//! What is written first since a publication equals the published version's: it is undone from there, and has no image. Who
//! writes a field of a record then reads nothing of it, so the line is waited for at publication alone, and until then there is
//! much else to do.

use super::buffer::Buffer;
use std::ops::Range;

/// What an [`Entry`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `offset..offset + len` was overwritten; its before-image is the next `len` bytes of the images.
    Range,
    /// The same; before, these bytes equalled the published version's. No image: who writes a row need not wait for it.
    RangeFromPublished,
    /// The buffer grew from `offset` bytes by `len`; no image.
    Grow,
    /// From `offset` on there were only zeros, of which `len` may have been overwritten; no image.
    Zeros,
    /// The whole buffer may have changed; its before-image of `len` bytes is in the images.
    Whole,
    /// The whole buffer may have changed; before, it equalled the published version's. No image.
    WholeFromPublished,
}

/// One noted change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub(super) offset: usize,
    pub(super) len: usize,
    pub(super) buffer: u32,
    pub(super) kind: Kind,
}

/// Of so many notes since a publication it is asked whether they can do without an image. What comes later is not looked at,
/// and need not be: what is noted before it was.
const FEW_ENTRIES: usize = 16;

/// A position in a [`Journal`]: what came later can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    entries: usize,
}

/// What was done to the buffers of one table since it was last published.
#[derive(Debug, Default)]
pub struct Journal {
    entries: Vec<Entry>,
    /// What belongs to each buffer by itself.
    buffers: Vec<OfBuffer>,
    /// Buffers with an entry since the last publication; a bit per buffer, the last bit for all beyond.
    touched: u64,
    /// Entries before this position belong to committed transactions: nothing before it is undone.
    committed: usize,
    /// The latest mark: a note before it does not stand for a change after it.
    marked: usize,
    /// Counts marks, and whatever else ends the validity of what follows.
    epoch: u64,
    /// Counts what ended the need for the images before: commits.
    commits: u64,
    /// Counts what made the buffers equal to the published version's: publications.
    publications: u64,
    /// Numbers of the meta buffer whose before-image has been kept since the mark, a bit each.
    numbers: u128,
    /// Rows that came since the mark, in all of their buffers: nothing more need be noted of them.
    fresh_rows: FreshRows,
}

/// Rows of which all is noted that may be done to them, in the epoch that is named.
#[derive(Debug, Default)]
struct FreshRows {
    epoch: u64,
    rows: Range<usize>,
}

/// What the journal has of one buffer.
#[derive(Debug)]
struct OfBuffer {
    /// What its notes since the mark stand for.
    since: Since,
    /// Before-images of its entries, in their order, and room for more. Those of a commit before are let be until the next one
    /// is kept.
    images: Vec<u8>,
    /// Bytes of `images` that are in use.
    kept: usize,
    /// The count of commits in which they were kept.
    kept_of: u64,
    /// All bytes that may differ from the published version's lie from here to there, as far as the first [`FEW_ENTRIES`] notes
    /// say.
    unlike: (usize, usize),
    /// The count of publications in which that is true.
    unlike_of: u64,
}

/// What was noted of a buffer since a mark. The notes are positions in the journal.
#[derive(Debug, Clone, Copy)]
struct Since {
    /// The epoch in which this is true.
    epoch: u64,
    /// The last note with an image, and the range that it is about: it is not noted again.
    last: usize,
    noted: (usize, usize),
    /// What has come to the buffer, by growth or where there were only zeros, and is noted already.
    fresh: (usize, usize),
    /// From here on the buffer has grown: what is written there needs no note, since undoing cuts it off and catching up
    /// copies it.
    grown_from: usize,
    grown: usize,
    /// From here on, as far as it was there, were only zeros: what is written there makes that note longer.
    zeros_from: usize,
    zeros: usize,
}

impl Since {
    const NOTHING: Since = Since {
        epoch: 0,
        last: usize::MAX,
        noted: (0, 0),
        fresh: (0, 0),
        grown_from: usize::MAX,
        grown: usize::MAX,
        zeros_from: usize::MAX,
        zeros: usize::MAX,
    };
}

impl OfBuffer {
    /// Keeps the before-image of an entry, by the transaction behind so many commits.
    fn keep_image(&mut self, bytes: &[u8], commits: u64) {
        const ROOM_BYTES: usize = 4096;
        self.forget_images_before(commits);
        let end = self.kept + bytes.len();
        if let Some(room) = self.images.get_mut(self.kept..end) {
            room.copy_from_slice(bytes);
        } else {
            self.images.truncate(self.kept);
            self.images.extend_from_slice(bytes);
            self.images.resize(self.images.capacity().min(end + ROOM_BYTES), 0);
        }
        self.kept = end;
    }

    /// The same, if it is a number of four or eight bytes and there is room; says whether it is kept.
    #[inline]
    fn keep_number(&mut self, bytes: &[u8], commits: u64) -> bool {
        self.forget_images_before(commits);
        let Some(room) = self.images.get_mut(self.kept..).and_then(<[u8]>::first_chunk_mut::<8>) else { return false };
        if let Ok(number) = <[u8; 8]>::try_from(bytes) {
            *room = number;
        } else if let Ok(number) = <[u8; 4]>::try_from(bytes) {
            *room = u64::from(u32::from_le_bytes(number)).to_le_bytes();
        } else {
            return false;
        }
        self.kept += bytes.len();
        true
    }

    /// Whether these bytes equal the published version's, behind so many publications. From now on they may differ.
    #[inline]
    fn was_published(&mut self, from: usize, to: usize, publications: u64) -> bool {
        if self.unlike_of != publications {
            (self.unlike, self.unlike_of) = ((usize::MAX, 0), publications);
        }
        let (first, end) = self.unlike;
        self.unlike = (first.min(from), end.max(to));
        to <= first || end <= from
    }

    #[inline]
    fn forget_images_before(&mut self, commits: u64) {
        if self.kept_of != commits {
            (self.kept, self.kept_of) = (0, commits);
        }
    }
}

impl Journal {
    /// Where the journal stands; what comes later can be undone without what came before.
    #[inline]
    pub fn mark(&mut self) -> Mark {
        self.begin_epoch();
        Mark { entries: self.entries.len() }
    }

    /// What was noted until now does not stand for what comes.
    #[inline]
    fn begin_epoch(&mut self) {
        self.marked = self.entries.len();
        self.epoch += 1;
        self.numbers = 0;
    }

    /// Whether nothing was noted since the last publication.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether anything was noted since.
    #[inline]
    pub fn has_noted_since(&self, mark: Mark) -> bool {
        self.entries.len() > mark.entries
    }

    /// Ends a transaction: what it did stays, and can no longer be undone.
    #[inline]
    pub fn commit(&mut self) {
        self.begin_epoch();
        self.committed = self.marked;
        self.commits += 1;
    }

    /// What belongs to a buffer.
    #[inline]
    fn of(&mut self, buffer: u32) -> &mut OfBuffer {
        let at = buffer as usize;
        if at >= self.buffers.len() {
            self.add_buffers(at + 1);
        }
        &mut self.buffers[at]
    }

    #[cold]
    fn add_buffers(&mut self, count: usize) {
        let of = || OfBuffer {
            since: Since::NOTHING,
            images: Vec::new(),
            kept: 0,
            kept_of: 0,
            unlike: (usize::MAX, 0),
            unlike_of: 0,
        };
        self.buffers.resize_with(count, of);
    }

    /// Keeps the before-image of an entry of a buffer.
    #[inline]
    fn keep_image(&mut self, buffer: u32, bytes: &[u8]) {
        let commits = self.commits;
        let of = self.of(buffer);
        if !of.keep_number(bytes, commits) {
            of.keep_image(bytes, commits);
        }
    }

    /// Whether these bytes of a buffer equal the published version's. From now on they may differ.
    #[inline]
    fn was_published(&mut self, buffer: u32, from: usize, to: usize) -> bool {
        let publications = self.publications;
        self.of(buffer).was_published(from, to, publications)
    }

    /// What was noted of a buffer since the mark.
    #[inline]
    fn since(&mut self, buffer: u32) -> &mut Since {
        let epoch = self.epoch;
        let since = &mut self.of(buffer).since;
        if since.epoch != epoch {
            *since = Since { epoch, ..Since::NOTHING };
        }
        since
    }

    /// Puts every buffer back to where it was at `mark`. `published` are the buffers of the published version.
    pub fn rollback(&mut self, mark: Mark, buffers: &mut [Buffer], published: &[Buffer]) {
        debug_assert!(mark.entries >= self.committed, "committed work is not undone");
        while self.entries.len() > mark.entries {
            let Some(entry) = self.entries.pop() else { return };
            let buffer = &mut buffers[entry.buffer as usize];
            match entry.kind {
                Kind::Grow => buffer.bytes.truncate(entry.offset),
                Kind::Zeros => {
                    // What it reached of growth is cut off already.
                    let end = buffer.len().min(entry.offset + entry.len);
                    buffer.bytes[entry.offset..end].fill(0);
                }
                Kind::WholeFromPublished => buffer.copy_whole(&published[entry.buffer as usize]),
                Kind::RangeFromPublished => {
                    buffer.copy_range(&published[entry.buffer as usize], entry.offset..entry.offset + entry.len);
                }
                Kind::Range | Kind::Whole => {
                    let OfBuffer { images, kept, .. } = &mut self.buffers[entry.buffer as usize];
                    let image = *kept - entry.len;
                    buffer.bytes[entry.offset..entry.offset + entry.len].copy_from_slice(&images[image..*kept]);
                    *kept = image;
                }
            }
        }
        self.begin_epoch();
    }

    /// Notes that a buffer of `len` bytes grows by `additional`.
    #[inline]
    pub(super) fn note_growth(&mut self, buffer: u32, len: usize, additional: usize) {
        let next = self.entries.len();
        let since = self.since(buffer);
        let is_first = since.grown_from == usize::MAX;
        if is_first {
            (since.grown_from, since.grown) = (len, next);
        }
        // What came up to here goes on.
        let from = if since.fresh.1 == len { since.fresh.0 } else { since.grown_from };
        since.fresh = (from, len + additional);
        let grown = since.grown;
        match is_first {
            true => {
                self.was_published(buffer, len, usize::MAX);
                self.note(Entry { offset: len, len: additional, buffer, kind: Kind::Grow });
            }
            false => self.entries[grown].len += additional,
        }
    }

    /// Notes that `len` bytes at `offset` are about to be overwritten, of which, and of all behind them, `are_zeros` says
    /// that they are zeros; `bytes` are those of the whole buffer.
    #[inline(always)]
    pub(super) fn note_range(&mut self, buffer: u32, bytes: &[u8], offset: usize, len: usize, are_zeros: bool) {
        let end = offset + len;
        let within = |(from, to): (usize, usize)| from <= offset && end <= to;
        match self.buffers.get(buffer as usize) {
            Some(of) if of.since.epoch == self.epoch && (within(of.since.noted) || within(of.since.fresh)) => {}
            _ => self.note_unnoted_range(buffer, bytes, offset, len, are_zeros),
        }
    }

    #[inline(never)]
    fn note_unnoted_range(&mut self, buffer: u32, bytes: &[u8], offset: usize, len: usize, are_zeros: bool) {
        let (epoch, commits, publications) = (self.epoch, self.commits, self.publications);
        let (next, end) = (self.entries.len(), offset + len);
        // A buffer of which nothing was noted since the mark: so it is with most small transactions. There is nothing that the
        // note could go on from; and there is no image, or that of a number and room for it, so nothing is called.
        if !are_zeros
            && let Some(of) = self.buffers.get_mut(buffer as usize).filter(|of| of.since.epoch != epoch)
            && let Some(old) = bytes.get(offset..end)
            && next < self.entries.capacity()
        {
            let was_published = next < FEW_ENTRIES && of.was_published(offset, end, publications);
            if was_published || of.keep_number(old, commits) {
                of.since = Since { epoch, last: next, noted: (offset, end), ..Since::NOTHING };
                let kind = if was_published { Kind::RangeFromPublished } else { Kind::Range };
                return self.note(Entry { offset, len, buffer, kind });
            }
        }
        self.note_any_range(buffer, bytes, offset..end, are_zeros);
    }

    #[inline(never)]
    fn note_any_range(&mut self, buffer: u32, bytes: &[u8], range: Range<usize>, are_zeros: bool) {
        let next = self.entries.len();
        let since = self.since(buffer);
        if range.start >= since.grown_from {
            return;
        }
        if range.start >= since.zeros_from {
            let zeros = since.zeros;
            let zeros = &mut self.entries[zeros];
            let end = range.end + ahead(zeros.len, bytes.len().saturating_sub(range.end));
            zeros.len = zeros.len.max(end - zeros.offset);
            let fresh = (zeros.offset, zeros.offset + zeros.len);
            self.since(buffer).fresh = fresh;
            return;
        }
        let (offset, len) = (range.start, range.len());
        if are_zeros {
            (since.zeros_from, since.zeros) = (offset, next);
            since.fresh = (offset, range.end);
            self.was_published(buffer, offset, usize::MAX);
            return self.note(Entry { offset, len, buffer, kind: Kind::Zeros });
        }
        // A note that reached into what is undone before it would be undone in the wrong order.
        let old = bytes.len().min(since.grown_from).min(since.zeros_from);
        let goes_on = since.last != usize::MAX && since.noted.1 == offset && range.end <= old;
        let (last, noted) = (since.last, since.noted);
        let end = if goes_on { range.end + ahead(range.end - noted.0, old - range.end) } else { range.end };
        // Of many notes most would have an image anyway: to ask is no longer worth it.
        let was_published = next < FEW_ENTRIES && self.was_published(buffer, offset, end);
        let kind = if was_published { Kind::RangeFromPublished } else { Kind::Range };
        // A note has an image of all that it is about, or of nothing.
        if goes_on && self.entries[last].kind == kind {
            self.of(buffer).since.noted.1 = end;
            self.entries[last].len += end - offset;
        } else {
            let since = &mut self.of(buffer).since;
            (since.last, since.noted) = (next, (offset, end));
            self.note(Entry { offset, len: end - offset, buffer, kind });
        }
        if !was_published {
            self.keep_image(buffer, &bytes[offset..end]);
        }
    }

    /// Whether all that may be done to the rows from `first` to `last` is noted, in all of their buffers. That there may be more
    /// or fewer of them is noted then, too: a row came.
    #[inline(always)]
    pub(super) fn has_noted_rows(&self, first: usize, last: usize) -> bool {
        let FreshRows { epoch, rows } = &self.fresh_rows;
        *epoch == self.epoch && rows.start <= first && last < rows.end
    }

    /// Finds out of which rows all is noted that may be done to them. Each of the `buffers` has so many bytes of a row.
    #[inline(never)]
    pub(super) fn find_noted_rows(&mut self, buffers: impl Iterator<Item = (usize, usize)>) {
        let mut rows = 0..usize::MAX;
        for (at, stride) in buffers.filter(|(_, stride)| *stride > 0) {
            let (from, to) = self.since(at as u32).fresh;
            rows = rows.start.max(from.div_ceil(stride))..rows.end.min(to / stride);
        }
        self.fresh_rows = FreshRows { epoch: self.epoch, rows };
    }

    /// Notes that all of a buffer may be about to change; `bytes` are those it has.
    pub(super) fn note_whole(&mut self, buffer: u32, bytes: &[u8]) {
        let kind = if self.has_touched(buffer) { Kind::Whole } else { Kind::WholeFromPublished };
        if kind == Kind::Whole {
            self.keep_image(buffer, bytes);
        }
        self.was_published(buffer, 0, usize::MAX);
        // What was noted before stands for nothing after this.
        *self.since(buffer) = Since { epoch: self.epoch, ..Since::NOTHING };
        self.note(Entry { offset: 0, len: bytes.len(), buffer, kind });
    }

    /// Whether the before-image of number `at` of the meta buffer was kept since the mark; from now on it counts as kept.
    #[inline]
    pub(super) fn keeps_number(&mut self, at: usize) -> bool {
        let bit = 1_u128.checked_shl(at as u32).unwrap_or(0);
        let is_kept = self.numbers & bit != 0;
        self.numbers |= bit;
        is_kept
    }

    /// Ends the collection at a publication: leaves the entries noted since the last one in `entries`, in whose place the
    /// journal starts anew.
    pub fn publish(&mut self, entries: &mut Vec<Entry>) {
        entries.clear();
        std::mem::swap(&mut self.entries, entries);
        self.touched = 0;
        self.publications += 1;
        self.commit();
    }

    /// Whether a buffer may differ from the published version's.
    #[inline]
    pub fn has_touched(&self, buffer: u32) -> bool {
        self.touched & Self::touched_bit(buffer) != 0
    }

    #[inline]
    fn touched_bit(buffer: u32) -> u64 {
        1 << buffer.min(63)
    }

    #[inline]
    fn note(&mut self, entry: Entry) {
        self.touched |= Self::touched_bit(entry.buffer);
        self.entries.push(entry);
    }
}

/// How far a note that is made longer reaches ahead of what is written, of `left` bytes: as far again, so that what goes on
/// needs no look at it most of the time, and not beyond a page, since what it covers will be copied.
#[inline]
fn ahead(noted: usize, left: usize) -> usize {
    const AHEAD_BYTES_MAX: usize = 4096;
    noted.min(left).min(AHEAD_BYTES_MAX)
}

#[cfg(test)]
mod tests;
