//! An extendible hash from fixed-width keys to record ids, in one buffer.
//!
//! It finds equal keys only, in about as many steps whether it holds a thousand or ten million, and grows page by page:
//! nothing is ever rehashed as a whole. A key may stand for many records; a unique index asks [`HashIndex::get`] before
//! it inserts.
//!
//! ```text
//! hash, 64 bits:   0 1 1 0 1 ... | 1 0 0 1 1 0 1 | ...          from the top bit on
//!                  roots           slot             the last 8 are the tag
//!
//! header ──> roots 2^g x 8, in pages that follow each other: the first g bits say which
//!            | directory u32 | prefix u8 | - 3 | ...
//!                  └──> directory, a page of 2^s u32: the s bits behind the first `prefix` say which
//!                       | page u32 | page u32 | ...
//!                            └──> bucket: all items whose hash begins with the same `depth` bits, at most a page full
//!                                 | kind 4 | depth | count | - | tags u8 ... | items W ... |
//!                            └──> or a tree, see below
//!                                 | kind 5 | depth | pure | - 5 | hash u64 | root record 16 |
//! ```
//!
//! An item is `key || record id`, as in a [`BTree`]; pages are as large as that tree's, and s = log2(page bytes / 4).
//! The tag of an item is the last byte of its hash: eight tags are compared at once, so of the items only the right one
//! is looked at.
//!
//! Where `depth` is less than `prefix + s`, all slots that begin with those bits lead to the same bucket; likewise all
//! roots that begin with `prefix` bits to the same directory. Slots and roots that lead nowhere hold 0.
//!
//! A full bucket is split by the next bit of the hash. If its directory has no more bits, that is split first, and if
//! the roots have no more, they are doubled: 8 bytes for some hundred items, the only step that takes longer the more
//! there is (tens of KiB at a million items). Buckets that become nearly empty are merged with their neighbours; empty
//! directories are freed. The roots stay as many as they were until the last item goes.
//!
//! **Equal hashes.** Splitting does not help a bucket full of items that all have the same hash, mostly because they
//! have the same key. Instead of a chain of pages, in which thousands of equal keys would be searched one by one, such
//! a bucket becomes the root of a [`BTree`] of its items within the same buffer. The tree is *pure* as long as all
//! items in it have the same hash; others that come its way get buckets of their own. The hash is no secret, so
//! somebody may choose keys that agree in many bits: a bucket that lies deeper than an even spread explains becomes a
//! tree too, though not a pure one, and the roots stay in proportion to the items.
//!
//! **On damaged bytes** reading neither panics nor runs for ever, but what it finds is worthless; changing such an
//! index may panic. Bytes that come from outside pass [`HashIndex::check`] first.

mod bucket;
mod bulk;
mod check;
mod edit;
mod many;
#[cfg(test)]
mod tests;

use std::iter::FusedIterator;

use crate::record::hash::hash_of;
pub use edit::HashIndexMut;

use super::btree::{BTree, ITEM_BYTES_MAX, Range, Shape};
use super::pages::{Format, NONE, Pages, ROOT_AT, Root, kind, u32_at, u64_at};
use bucket::Bucket;

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = ITEM_BYTES_MAX - ID_BYTES;

/// Bytes of a record id.
const ID_BYTES: usize = 8;
/// Bytes of a root.
const ROOT_BYTES: usize = 8;
/// Bytes of a slot.
const SLOT_BYTES: usize = 4;
/// Where the page of a tree has its root record.
const TREE_ROOT_AT: usize = 16;

/// The measures of a hash, derived from the width of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashShape {
    tree: Shape,
    key_bytes: u16,
    items_max: u8,
    slot_bits: u8,
}

impl HashShape {
    /// The measures of a hash with keys of `key_bytes` (1 to 1016); `None` for other widths.
    pub const fn new(key_bytes: usize) -> Option<HashShape> {
        if key_bytes == 0 || key_bytes > KEY_BYTES_MAX {
            return None;
        }
        let Some(tree) = Shape::new(key_bytes + ID_BYTES) else { return None };
        Some(HashShape {
            tree,
            key_bytes: key_bytes as u16,
            items_max: bucket::items_max(tree) as u8,
            slot_bits: (tree.page_bytes() / SLOT_BYTES).trailing_zeros() as u8,
        })
    }

    /// Bytes of a key.
    #[inline]
    pub const fn key_bytes(&self) -> usize {
        self.key_bytes as usize
    }

    /// Bytes of a page.
    #[inline]
    pub const fn page_bytes(&self) -> usize {
        self.tree.page_bytes()
    }

    fn format(&self) -> Format {
        Format { index_kind: 2, ..self.tree.format() }
    }

    #[inline]
    fn items_max(&self) -> usize {
        usize::from(self.items_max)
    }

    #[inline]
    fn slot_bits(&self) -> u32 {
        u32::from(self.slot_bits)
    }

    /// Slots of a directory.
    fn slots(&self) -> usize {
        1 << self.slot_bits
    }

    /// Which slot of a directory is that of a hash.
    #[inline]
    fn slot(&self, hash: u64, prefix: u32) -> usize {
        // A page has far fewer slots than 2^32; said so, no offset of one overflows.
        (hash.wrapping_shl(prefix) >> (64 - self.slot_bits())) as u32 as usize
    }
}

/// The measures for a width that has some.
const fn shape_of(key_bytes: usize) -> HashShape {
    HashShape::new(key_bytes).expect("no key is empty or longer than a page")
}

/// Which of 2^`bits` roots is that of a hash: its first `bits` bits.
#[inline]
fn root_of(hash: u64, bits: u32) -> usize {
    (hash >> 1).wrapping_shr(63_u32.wrapping_sub(bits)) as usize
}

/// An extendible hash, for reading.
#[derive(Debug, Clone, Copy)]
pub struct HashIndex<'a> {
    pages: Pages<'a>,
    shape: HashShape,
}

impl<'a> HashIndex<'a> {
    /// The hash in `bytes`. No bytes are an empty one.
    #[inline]
    pub fn new(bytes: &'a [u8], shape: HashShape) -> HashIndex<'a> {
        HashIndex { pages: Pages { bytes, page_shift: shape.tree.page_shift() }, shape }
    }

    /// How many pairs of key and record there are.
    pub fn len(self) -> u64 {
        self.root().items
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// A record with this key; of several, any.
    #[inline]
    pub fn get(self, key: &[u8]) -> Option<u64> {
        // Of the usual widths, those of ids and of names, the compiler knows all measures.
        match self.shape.key_bytes() {
            8 => self.shaped(const { shape_of(8) }).get_any(key),
            17 => self.shaped(const { shape_of(17) }).get_any(key),
            33 => self.shaped(const { shape_of(33) }).get_any(key),
            _ => self.get_any(key),
        }
    }

    /// The same index, whose shape is this one.
    #[inline]
    fn shaped(self, shape: HashShape) -> Self {
        debug_assert_eq!(self.shape, shape, "a shape follows from the width of the keys");
        HashIndex::new(self.pages.bytes, shape)
    }

    #[inline(always)]
    fn get_any(self, key: &[u8]) -> Option<u64> {
        if key.len() != self.shape.key_bytes() {
            return None;
        }
        let hash = hash_of(key);
        let (number, page) = self.page(key, hash)?;
        if page.first() != Some(&kind::BUCKET) {
            return get_in_tree(self.pages.bytes, self.shape, number, key);
        }
        let bucket = Bucket::new(page, self.shape);
        bucket.look_ahead();
        bucket.find(key, hash, 0).map(|(_, record)| record)
    }

    /// All records with this key, in no particular order.
    pub fn get_all<'k>(self, key: &'k [u8]) -> Records<'a, 'k> {
        let hash = hash_of(key);
        let source = match self.holder(key, hash) {
            Some(Holder::Bucket(bucket)) => Source::Bucket { bucket, next: 0 },
            Some(Holder::Tree(tree)) => Source::Tree(tree.with_prefix(key)),
            None => Source::Nothing,
        };
        Records { key, hash, source }
    }

    /// Whether this record is there with this key.
    pub fn contains(self, key: &[u8], record: u64) -> bool {
        let hash = hash_of(key);
        match self.holder(key, hash) {
            Some(Holder::Bucket(bucket)) => bucket.find_pair(key, hash, record).is_some(),
            Some(Holder::Tree(tree)) => tree.contains(&item_of(key, record)[..key.len() + ID_BYTES]),
            None => false,
        }
    }

    /// What holds the items of a key with this hash; nothing for keys of another width.
    fn holder(self, key: &[u8], hash: u64) -> Option<Holder<'a>> {
        let (number, page) = self.page(key, hash)?;
        match *page.first()? {
            kind::BUCKET => Some(Holder::Bucket(Bucket::new(page, self.shape))),
            kind::TREE => Some(Holder::Tree(self.tree(number))),
            _ => None,
        }
    }

    /// The page that holds the items of a key with this hash, and its number.
    #[inline]
    fn page(self, key: &[u8], hash: u64) -> Option<(u32, &'a [u8])> {
        if key.len() != self.shape.key_bytes() {
            return None;
        }
        let number = self.find(hash)?;
        Some((number, self.pages.get(number)?))
    }

    #[inline]
    fn root(self) -> Root {
        Root::read(self.pages.bytes, ROOT_AT)
    }

    /// The page that holds the items of a hash, a bucket or a tree.
    #[inline]
    fn find(self, hash: u64) -> Option<u32> {
        self.find_from(self.root(), hash)
    }

    /// The same from the root.
    #[inline]
    fn find_from(self, root: Root, hash: u64) -> Option<u32> {
        if root.page == NONE {
            return None;
        }
        let (directory, prefix) = self.directory(root, root_of(hash, root.height));
        if directory == NONE {
            return None;
        }
        let slot_at = self.pages.offset(directory) + self.shape.slot(hash, prefix) * SLOT_BYTES;
        let page = u32_at(self.pages.bytes, slot_at);
        (page != NONE).then_some(page)
    }

    /// The directory that a root leads to, and how many bits of the hash are behind when one comes there.
    #[inline]
    fn directory(self, root: Root, at: usize) -> (u32, u32) {
        let roots_at = self.pages.offset(root.page);
        let entry = u64_at(self.pages.bytes, at.wrapping_mul(ROOT_BYTES).wrapping_add(roots_at));
        (entry as u32, (entry >> 32) as u32 & 0xFF)
    }

    /// The tree whose root record is in a page.
    fn tree(self, page: u32) -> BTree<'a> {
        let at = ((page as usize) << self.shape.tree.page_shift()) + TREE_ROOT_AT;
        BTree::at(self.pages.bytes, self.shape.tree, at)
    }
}

/// A record with this key in a page that is no bucket. It is given all by value: what is asked for its address has to be in
/// memory, and most keys are in buckets.
#[cold]
#[inline(never)]
fn get_in_tree(bytes: &[u8], shape: HashShape, page: u32, key: &[u8]) -> Option<u64> {
    let index = HashIndex::new(bytes, shape);
    let is_tree = index.pages.get(page)?.first() == Some(&kind::TREE);
    index.tree(page).first_with_prefix(key).filter(|_| is_tree).map(id_of)
}

/// What a slot leads to.
enum Holder<'a> {
    Bucket(Bucket<'a>),
    Tree(BTree<'a>),
}

/// The item for a key and a record; zeros behind.
fn item_of(key: &[u8], record: u64) -> [u8; ITEM_BYTES_MAX] {
    let mut item = [0; ITEM_BYTES_MAX];
    item[..key.len()].copy_from_slice(key);
    item[key.len()..][..ID_BYTES].copy_from_slice(&record.to_be_bytes());
    item
}

/// The record id at the end of an item.
#[inline]
fn id_of(item: &[u8]) -> u64 {
    item.last_chunk().map_or(0, |id| u64::from_be_bytes(*id))
}

/// The records that a [`HashIndex`] holds for a key.
#[derive(Debug, Clone)]
pub struct Records<'a, 'k> {
    key: &'k [u8],
    hash: u64,
    source: Source<'a>,
}

/// Where records come from.
#[derive(Debug, Clone)]
enum Source<'a> {
    Nothing,
    Bucket { bucket: Bucket<'a>, next: usize },
    Tree(Range<'a>),
}

impl Iterator for Records<'_, '_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        match &mut self.source {
            Source::Nothing => None,
            Source::Bucket { bucket, next } => {
                let Some((at, record)) = bucket.find(self.key, self.hash, *next) else {
                    *next = bucket.count();
                    return None;
                };
                *next = at + 1;
                Some(record)
            }
            Source::Tree(range) => range.next().map(id_of),
        }
    }
}

impl FusedIterator for Records<'_, '_> {}
