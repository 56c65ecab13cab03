//! A bucket: a page of items in no order, found by their tags.

use super::super::btree::{Shape, begins_with};
use super::super::pages::{PAGE_BYTES_MAX, kind, u64_at};
use super::{HashShape, hash_of, id_of};

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

    pub(super) fn depth(self) -> u32 {
        self.page.get(DEPTH_AT).map_or(0, |depth| u32::from(*depth))
    }

    /// How many items there are; never more than fit.
    #[inline]
    pub(super) fn count(self) -> usize {
        self.claimed_count().min(self.shape.items_max())
    }

    /// How many items the page says there are.
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
        const EACH_BYTE: u64 = u64::from_ne_bytes([1; 8]);
        let wanted = u64::from(tag_of(hash)) * EACH_BYTE;
        let count = self.count();
        let mut group = from - from % 8;
        let mut asked = u64::MAX << (8 * (from % 8));
        while group < count {
            let mut hits = zero_bytes(u64_at(self.page, TAGS_AT + group) ^ wanted) & asked;
            while hits != 0 {
                let at = group + hits.trailing_zeros() as usize / 8;
                if at >= count {
                    return None;
                }
                if self.item(at).is_some_and(|item| begins_with(item, key)) {
                    return Some(at);
                }
                hits &= hits - 1;
            }
            group += 8;
            asked = u64::MAX;
        }
        None
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

/// The top bit of each byte that is zero.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    const LOW_BITS: u64 = u64::from_ne_bytes([0x7F; 8]);
    !(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS)
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
