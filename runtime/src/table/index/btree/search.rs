//! Finding the place of a prefix within a page.
//!
//! This is where a lookup spends its time, so comparing bytes is avoided: entries are compared by their first 8 or 16
//! bytes as one big-endian number, which orders like the bytes do, and the rest is looked at only where these are equal.
//! The search counts without branches, since a branch on the outcome would be mispredicted every other time.

use std::cmp::Ordering;

/// On which side of the items that begin with a prefix the sought place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// In front of them: the items before the place are smaller than the prefix.
    Before,
    /// Behind them: the items before the place are smaller than the prefix or begin with it.
    After,
}

/// A place in the order of items, given by a prefix.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe<'p> {
    prefix: &'p [u8],
    /// The first 16 bytes of the prefix as a number; see `Words`.
    head: u128,
    words: Words,
    side: Side,
}

/// How entries are read as numbers, by the length of the prefix.
#[derive(Debug, Clone, Copy)]
enum Words {
    /// Up to 8 bytes: the entry's first 8 bytes. The prefix is filled up with 00 (before) or FF (after).
    One,
    /// 9 to 16 bytes: the entry's first 8 bytes, and the 8 that end where the prefix ends. They may overlap: where the
    /// first are equal, so are the overlapping ones.
    Two { second_at: usize },
    /// More: the first 16 bytes, then the rest.
    Many,
}

impl<'p> Probe<'p> {
    /// The place beside the items of `item_bytes` that begin with `prefix`.
    #[inline]
    pub(super) fn new(prefix: &'p [u8], side: Side, item_bytes: usize) -> Probe<'p> {
        // An item that is a true prefix of the probe is smaller than it, whatever the side.
        let (prefix, side) =
            if prefix.len() > item_bytes { (&prefix[..item_bytes], Side::After) } else { (prefix, side) };
        let (words, head) = match prefix.len() {
            0..=8 => {
                let mut padded = if side == Side::Before { [0; 8] } else { [0xFF; 8] };
                padded[..prefix.len()].copy_from_slice(prefix);
                (Words::One, u128::from(u64::from_be_bytes(padded)))
            }
            len @ 9..=16 => (Words::Two { second_at: len - 8 }, two_words(prefix, len - 8)),
            _ => (Words::Many, two_words(prefix, 8)),
        };
        Probe { prefix, head, words, side }
    }

    /// How many of `entries` lie before the place. They are `stride` bytes each, in order, and begin with an item.
    #[inline]
    pub(super) fn rank(&self, entries: &[u8], stride: usize) -> usize {
        match (self.words, self.side) {
            (Words::One, Side::Before) => rank_by(entries, stride, |entry| word(entry, 0) < self.head as u64),
            (Words::One, Side::After) => rank_by(entries, stride, |entry| word(entry, 0) <= self.head as u64),
            (Words::Two { second_at }, Side::Before) => {
                rank_by(entries, stride, |entry| two_words(entry, second_at) < self.head)
            }
            (Words::Two { second_at }, Side::After) => {
                rank_by(entries, stride, |entry| two_words(entry, second_at) <= self.head)
            }
            (Words::Many, _) => rank_by(entries, stride, |entry| self.is_after_many(entry)),
        }
    }

    /// Whether the place lies behind `item`.
    #[inline]
    pub(super) fn is_after(&self, item: &[u8]) -> bool {
        self.is_after_from(item, 0)
    }

    #[inline]
    fn is_after_many(&self, entry: &[u8]) -> bool {
        let head = two_words(entry, 8);
        if head == self.head { self.is_after_from(entry, 16) } else { head < self.head }
    }

    /// Whether the place lies behind `item`, which has the same bytes as the prefix up to `from`.
    #[inline]
    fn is_after_from(&self, item: &[u8], from: usize) -> bool {
        match item[from..self.prefix.len()].cmp(&self.prefix[from..]) {
            Ordering::Less => true,
            Ordering::Equal => self.side == Side::After,
            Ordering::Greater => false,
        }
    }
}

#[inline(always)]
fn word(entry: &[u8], at: usize) -> u64 {
    entry.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_be_bytes(*word))
}

#[inline(always)]
fn two_words(entry: &[u8], second_at: usize) -> u128 {
    u128::from(word(entry, 0)) << 64 | u128::from(word(entry, second_at))
}

/// The number of entries at the front for which `before` holds.
#[inline(always)]
fn rank_by(entries: &[u8], stride: usize, before: impl Fn(&[u8]) -> bool) -> usize {
    entries.chunks_exact(stride).map(|entry| usize::from(before(entry))).sum()
}
