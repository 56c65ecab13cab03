//! A bucket: a page of items in no order, found by their tags.

use super::super::btree::Shape;
use super::super::pages::{PAGE_BYTES_MAX, kind};
use super::{HashShape, hash_of, id_of};
use crate::cell::ahead::fetch_soon;
use crate::cell::wide::equal_bytes;

/// Where a bucket says how many bits its items' hashes have in common.
pub(super) const DEPTH_AT: usize = 1;
/// Where a bucket says how many items it has.
pub(super) const COUNT_AT: usize = 2;
/// The tags of a bucket.
pub(super) const TAGS_AT: usize = 4;

/// How many items fit a bucket: each with its tag.
pub(super) const fn items_max(shape: Shape) -> usize {
    (shape.page_bytes() - TAGS_AT) / (shape.item_bytes() + 1)
}

/// The tag of an item with this hash.
#[inline]
pub(super) fn tag_of(hash: u64) -> u8 {
    hash as u8
}

/// Where item `at` of a bucket is.
#[inline]
pub(super) fn item_at(shape: HashShape, at: usize) -> usize {
    TAGS_AT + shape.items_max() + at * shape.tree.item_bytes()
}

/// Tags that are compared before any item is looked at.
const ASKED_AT_ONCE: usize = 32;

/// A bucket, for reading. Nothing in its bytes can make it panic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket<'a> {
    page: &'a [u8],
    shape: HashShape,
}

impl<'a> Bucket<'a> {
    #[inline]
    pub(super) fn new(page: &'a [u8], shape: HashShape) -> Bucket<'a> {
        Bucket { page, shape }
    }

    /// Has the page's other lines come, while its tags do: a bucket that is not in the cache comes as a whole, and costs one
    /// miss and not two.
    #[inline]
    pub(super) fn look_ahead(self) {
        const LINE_BYTES: usize = 64;
        (1..8).for_each(|line| fetch_soon(self.page, line * LINE_BYTES));
    }

    pub(super) fn depth(self) -> u32 {
        self.page.get(DEPTH_AT).map_or(0, |depth| u32::from(*depth))
    }

    /// How many items there are; never more than fit.
    #[inline]
    pub(super) fn count(self) -> usize {
        self.claimed_count().min(self.shape.items_max())
    }

    /// How many items the page says there are.
    #[inline]
    pub(super) fn claimed_count(self) -> usize {
        self.page.get(COUNT_AT).map_or(0, |count| usize::from(*count))
    }

    pub(super) fn tag(self, at: usize) -> u8 {
        self.page.get(TAGS_AT + at).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn item(self, at: usize) -> Option<&'a [u8]> {
        self.page.get(item_at(self.shape, at)..)?.get(..self.shape.tree.item_bytes())
    }

    /// All items, one behind the other.
    pub(super) fn items(self) -> &'a [u8] {
        let from = item_at(self.shape, 0);
        self.page.get(from..from + self.count() * self.shape.tree.item_bytes()).unwrap_or(&[])
    }

    /// The first item with this key, which has this hash, from number `from` on.
    #[inline]
    pub(super) fn find(self, key: &[u8], hash: u64, from: usize) -> Option<usize> {
        let mut start = from;
        while start < self.shape.items_max() {
            let mut hits = self.hits(hash, start);
            while hits != 0 {
                let at = start + hits.trailing_zeros() as usize;
                if self.item(at).is_some_and(|item| is_key_of(item, key)) {
                    return Some(at);
                }
                hits &= hits - 1;
            }
            start += ASKED_AT_ONCE;
        }
        None
    }

    /// Which of the items from number `start` on, at most 32 of them, have the tag of this hash; a bit each. All 32 are looked
    /// at, however many there are: a processor that guesses the number of items from bucket to bucket is
    /// wrong half of the time, and waits for memory to learn it.
    #[inline]
    fn hits(self, hash: u64, start: usize) -> u64 {
        // What lies behind the tags is items, never the end of the page.
        let Some(tags) = self.page.get(TAGS_AT + start..).and_then(<[u8]>::first_chunk::<ASKED_AT_ONCE>) else {
            return 0;
        };
        let (halves, _) = tags.as_chunks::<16>();
        let hits = halves.iter().rev().fold(0, |hits, tags| hits << 16 | u64::from(equal_bytes(tags, tag_of(hash))));
        let there = self.count().saturating_sub(start).min(ASKED_AT_ONCE);
        hits & ((1 << there) - 1)
    }

    /// The item with this key, which has this hash, and this record.
    pub(super) fn find_pair(self, key: &[u8], hash: u64, record: u64) -> Option<usize> {
        let mut from = 0;
        loop {
            let at = self.find(key, hash, from)?;
            if self.item(at).map(id_of) == Some(record) {
                return Some(at);
            }
            from = at + 1;
        }
    }
}

/// Whether an item has this key. Most keys are a few words, for which a call takes longer than the comparison.
#[inline]
fn is_key_of(item: &[u8], key: &[u8]) -> bool {
    let Some(item) = item.get(..key.len()) else { return false };
    let (mine, theirs) = (item.as_chunks::<8>(), key.as_chunks::<8>());
    let words = mine.0.iter().zip(theirs.0).fold(0, |differ, (one, other)| differ | (word(one) ^ word(other)));
    match (item.last_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(one), Some(other)) => words | (word(one) ^ word(other)) == 0,
        _ => mine.1 == theirs.1,
    }
}

#[inline]
fn word(bytes: &[u8; 8]) -> u64 {
    u64::from_ne_bytes(*bytes)
}

/// The page of a bucket with these items, and how many of its bytes are in use.
pub(super) fn image(shape: HashShape, depth: u32, items: &[u8]) -> ([u8; PAGE_BYTES_MAX], usize) {
    let (width, from) = (shape.tree.item_bytes(), item_at(shape, 0));
    let mut page = [0; PAGE_BYTES_MAX];
    page[0] = kind::BUCKET;
    page[DEPTH_AT] = depth as u8;
    page[COUNT_AT] = (items.len() / width) as u8;
    for (at, item) in items.chunks_exact(width).enumerate() {
        page[TAGS_AT + at] = tag_of(hash_of(&item[..shape.key_bytes()]));
    }
    page[from..from + items.len()].copy_from_slice(items);
    (page, from + items.len())
}
