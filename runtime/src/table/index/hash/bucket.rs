//! A bucket: a page of items in no order, found by their tags.

use super::super::btree::{ITEM_BYTES_MIN, Shape};
use super::super::pages::{PAGE_BYTES_MAX, PAGE_BYTES_MIN, kind};
use super::{HashShape, ID_BYTES, hash_of};
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

/// No bucket has more items, so that a bit of a word is enough for each.
const ITEMS_MAX: usize = 63;
/// Bytes that are looked at for tags.
const TAGS_ROOM: usize = 64;

const _: () = assert!(items_max(Shape::new(ITEM_BYTES_MIN).expect("the shortest items have a shape")) <= ITEMS_MAX);
const _: () = assert!(TAGS_AT + TAGS_ROOM <= PAGE_BYTES_MIN);

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
        let Some(lines) = self.page.first_chunk::<PAGE_BYTES_MIN>() else { return };
        (1..PAGE_BYTES_MIN / LINE_BYTES).for_each(|line| fetch_soon(lines, line * LINE_BYTES));
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

    /// All items, one behind the other.
    pub(super) fn items(self) -> &'a [u8] {
        let from = item_at(self.shape, 0);
        self.page.get(from..from + self.count() * self.shape.tree.item_bytes()).unwrap_or(&[])
    }

    /// The first item with this key, which has this hash and is as wide as the items' keys, from number `from` on: its number
    /// and its record.
    #[inline]
    pub(super) fn find(self, key: &[u8], hash: u64, from: usize) -> Option<(usize, u64)> {
        self.find_among(key, self.hits(hash) & (u64::MAX << from.min(ITEMS_MAX)))
    }

    /// The first item with this key among those that have its tag.
    #[inline]
    pub(super) fn find_among(self, key: &[u8], mut hits: u64) -> Option<(usize, u64)> {
        let width = key.len() + ID_BYTES;
        while hits != 0 {
            let at = hits.trailing_zeros() as usize;
            let item_at = TAGS_AT + self.shape.items_max() + at * width;
            if let Some((own, id)) = self.page.get(item_at..item_at + width)?.split_last_chunk()
                && are_equal(own, key)
            {
                return Some((at, u64::from_be_bytes(*id)));
            }
            hits &= hits - 1;
        }
        None
    }

    /// Has the lines of the first of these items come.
    #[inline]
    pub(super) fn fetch_soon(self, hits: u64) {
        let at = item_at(self.shape, hits.trailing_zeros() as usize & ITEMS_MAX);
        fetch_soon(self.page, at);
        fetch_soon(self.page, at + self.shape.tree.item_bytes() - 1);
    }

    /// Which of the items have the tag of this hash; a bit each. Most buckets have no more than 32: those are looked at, however
    /// many there are. A processor that guesses the number of items from bucket to bucket is wrong half of the time, and waits
    /// for memory to learn it.
    #[inline]
    pub(super) fn hits(self, hash: u64) -> u64 {
        // What lies behind the tags is items, never the end of the page.
        let Some(tags) = self.page.get(TAGS_AT..).and_then(<[u8]>::first_chunk::<TAGS_ROOM>) else { return 0 };
        let (parts, _) = tags.as_chunks::<16>();
        let hits = |part: usize| u64::from(equal_bytes(&parts[part], tag_of(hash))) << (16 * part);
        let mut hit = hits(0) | hits(1);
        if self.shape.items_max() > 32 {
            hit |= hits(2) | hits(3);
        }
        hit & !(u64::MAX << self.count())
    }

    /// The item with this key, which has this hash, and this record.
    pub(super) fn find_pair(self, key: &[u8], hash: u64, record: u64) -> Option<usize> {
        let mut from = 0;
        loop {
            let (at, found) = self.find(key, hash, from)?;
            if found == record {
                return Some(at);
            }
            from = at + 1;
        }
    }
}

/// Whether two keys are equal. Most are a few words and a byte, for which a call takes longer than the comparison.
#[inline]
fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let block = |bytes: &[u8; 16]| u128::from_ne_bytes(*bytes);
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
    let ((blocks, rest), (other_blocks, other_rest)) = (one.as_chunks::<16>(), other.as_chunks::<16>());
    let differ = blocks.iter().zip(other_blocks).fold(0, |differ, (one, other)| differ | (block(one) ^ block(other)));
    let ends = |bytes: &[u8]| Some((word(bytes.first_chunk()?), word(bytes.last_chunk()?)));
    let are_rests_equal = match (rest, other_rest) {
        ([], []) => true,
        ([one], [other]) => one == other,
        // Of eight bytes and more some are compared twice.
        (one, other) => match (ends(one), ends(other)) {
            (None, None) => one.iter().eq(other),
            (one, other) => one == other,
        },
    };
    one.len() == other.len() && differ == 0 && are_rests_equal
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
