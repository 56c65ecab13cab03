//! An ordered set of fixed-width byte strings: a B+ tree in one buffer.
//!
//! The items of an index are `key || record id`: K bytes that order like the key's values when compared byte by byte, then
//! 8 bytes of record id, big-endian. The tree knows nothing of that: it keeps strings of W = K + 8 bytes, each at most
//! once, and finds them by any of their prefixes. A unique index asks [`BTree::first_with_prefix`] for the key before it
//! inserts.
//!
//! ```text
//! buffer:      | header (see `pages`) | page 1 | page 2 | ...       pages of 512 to 4096 bytes, by W
//!
//! leaf:        | kind 2 | level 0   | count u16 | previous u32 | next u32    | item W | item W | ...
//! inner page:  | kind 3 | level 1.. | count u16 | -            | child 0 u32 | item W, child 1 u32 | item W, child 2 u32 | ...
//!                0        1           2           4              8             12
//! ```
//!
//! Items under child i are smaller than item i+1 of its inner page, those under child i+1 are not; that item itself may
//! have been removed meanwhile. Leaves are linked in order, both ways. Bytes behind the last entry are leftovers.
//!
//! Pages are small, since whatever a change dirties is copied again on its way to the other versions. Only the changed part
//! of a page is noted: an insert moves the entries behind it by one. A page that overflows is split in the middle, except at
//! the right end of the tree, where it stays full: ids that count up leave no holes. A page less than a third full is merged
//! with its neighbour, or shares with it if both together are too much.
//!
//! **On damaged bytes** reading neither panics nor runs for ever, but what it finds is worthless; changing such a tree may
//! panic. Bytes that come from outside pass [`BTree::check`] first.

mod bulk;
mod check;
mod edit;
mod search;
#[cfg(test)]
mod tests;

use std::iter::FusedIterator;
use std::ops::Bound;
use std::slice::ChunksExact;

pub use edit::BTreeMut;

use super::pages::{Format, NONE, Pages, ROOT_AT, Root, u16_at, u32_at};
use search::{Probe, Side};

/// Shortest item, in bytes: a byte of key and the record id.
pub const ITEM_BYTES_MIN: usize = 9;
/// Longest item, in bytes: three of them fit a page.
pub const ITEM_BYTES_MAX: usize = 1024;

/// Entries of a page begin here.
const ENTRIES_AT: usize = 12;
/// Bytes of a page number.
const CHILD_BYTES: usize = 4;
/// Pages are as small as this many entries allow.
const ENTRIES_MIN: usize = 14;
const NO_ITEMS: &[u8] = &[];
/// More levels than 2^32 pages can have, since an inner page has two children at least.
const HEIGHT_MAX: usize = 32;

/// The measures of a tree, derived from the width of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    item_bytes: u16,
    page_shift: u8,
    leaf_max: u16,
    inner_max: u16,
}

impl Shape {
    /// The measures of a tree of items of `item_bytes` (9 to 1024); `None` for other widths.
    ///
    /// Pages are 512 bytes for items up to 35 bytes, and up to 4096 for wider ones, so that 14 items fit a page; of items
    /// wider than 291 bytes fewer do.
    pub const fn new(item_bytes: usize) -> Option<Shape> {
        if item_bytes < ITEM_BYTES_MIN || item_bytes > ITEM_BYTES_MAX {
            return None;
        }
        let page_shift = Format::page_shift_for(ENTRIES_AT, item_bytes, ENTRIES_MIN);
        let room = (1 << page_shift) - ENTRIES_AT;
        Some(Shape {
            item_bytes: item_bytes as u16,
            page_shift,
            leaf_max: (room / item_bytes) as u16,
            inner_max: (room / (item_bytes + CHILD_BYTES)) as u16,
        })
    }

    /// Bytes of an item.
    pub const fn item_bytes(&self) -> usize {
        self.item_bytes as usize
    }

    /// Bytes of a page.
    pub const fn page_bytes(&self) -> usize {
        1 << self.page_shift
    }

    const fn format(&self) -> Format {
        Format { page_shift: self.page_shift, index_kind: 1, item_bytes: self.item_bytes }
    }

    /// Bytes from one entry to the next on `level`; leaves are level 0.
    #[inline]
    const fn stride(&self, level: usize) -> usize {
        if level == 0 { self.item_bytes as usize } else { self.item_bytes as usize + CHILD_BYTES }
    }

    /// How many entries fit a page of `level`.
    #[inline]
    const fn entries_max(&self, level: usize) -> usize {
        if level == 0 { self.leaf_max as usize } else { self.inner_max as usize }
    }

    /// The entries of a page of `level`; never more than fit.
    #[inline]
    fn entries<'a>(&self, page: &'a [u8], level: usize) -> &'a [u8] {
        let count = usize::from(u16_at(page, 2)).min(self.entries_max(level));
        page.get(ENTRIES_AT..).and_then(|rest| rest.get(..count * self.stride(level))).unwrap_or(&[])
    }

    /// Child `at` of an inner page.
    #[inline]
    fn child(&self, page: &[u8], at: usize) -> u32 {
        u32_at(page, ENTRIES_AT - CHILD_BYTES + at * self.stride(1))
    }
}

/// The leaf before this one.
#[inline]
fn previous(leaf: &[u8]) -> u32 {
    u32_at(leaf, 4)
}

/// The leaf after this one.
#[inline]
fn next(leaf: &[u8]) -> u32 {
    u32_at(leaf, 8)
}

/// A B+ tree, for reading.
#[derive(Debug, Clone, Copy)]
pub struct BTree<'a> {
    pages: Pages<'a>,
    shape: Shape,
}

impl<'a> BTree<'a> {
    /// The tree in `bytes`. No bytes are an empty tree.
    #[inline]
    pub fn new(bytes: &'a [u8], shape: Shape) -> BTree<'a> {
        BTree { pages: Pages { bytes, page_shift: shape.page_shift }, shape }
    }

    /// How many items there are.
    pub fn len(&self) -> u64 {
        self.root().items
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The smallest item that begins with `prefix`.
    #[inline]
    pub fn first_with_prefix(&self, prefix: &[u8]) -> Option<&'a [u8]> {
        let (_, leaf, rank) = self.seek(prefix, Side::Before)?;
        let item = match self.item(leaf, rank) {
            Some(item) => item,
            // Behind the last item of its leaf is before the first of the next.
            None => self.item(self.pages.get(next(leaf)).filter(|_| next(leaf) != NONE)?, 0)?,
        };
        item.starts_with(prefix).then_some(item)
    }

    /// Whether `item`, given in full, is in the set.
    pub fn contains(&self, item: &[u8]) -> bool {
        item.len() == self.shape.item_bytes() && self.first_with_prefix(item).is_some()
    }

    /// The items between two bounds, in order.
    ///
    /// A bound may be a whole item or a prefix of items, down to the empty one. An item is compared with it by its own
    /// first bytes, as many as the bound has, so that a bound stands for *all* items that begin with it:
    ///
    /// | bound | as the lower one: from ... on | as the upper one: up to ... |
    /// |---|---|---|
    /// | `Included(p)` | the first item that begins with p, or is larger | the last item that begins with p, or is smaller |
    /// | `Excluded(p)` | the first item larger than all that begin with p | the last item smaller than all that begin with p |
    ///
    /// So `range(Included(p), Included(p))` are the items that begin with p. No item begins with a bound longer than an
    /// item. Bounds that cross give nothing.
    pub fn range(&self, lower: Bound<&[u8]>, upper: Bound<&[u8]>) -> Range<'a> {
        self.try_range(lower, upper).unwrap_or(Range {
            tree: *self,
            front: NO_ITEMS.chunks_exact(1),
            front_page: NONE,
            back: NO_ITEMS.chunks_exact(1),
            back_page: NONE,
            hops_left: 0,
        })
    }

    /// The items that begin with `prefix`, in order.
    pub fn with_prefix(&self, prefix: &[u8]) -> Range<'a> {
        self.range(Bound::Included(prefix), Bound::Included(prefix))
    }

    /// All items, in order.
    pub fn iter(&self) -> Range<'a> {
        self.with_prefix(&[])
    }

    fn try_range(&self, lower: Bound<&[u8]>, upper: Bound<&[u8]>) -> Option<Range<'a>> {
        let (lower, lower_side) = match lower {
            Bound::Included(prefix) => (prefix, Side::Before),
            Bound::Excluded(prefix) => (prefix, Side::After),
            Bound::Unbounded => (&[] as &[u8], Side::Before),
        };
        let (upper, upper_side) = match upper {
            Bound::Included(prefix) => (prefix, Side::After),
            Bound::Excluded(prefix) => (prefix, Side::Before),
            Bound::Unbounded => (&[] as &[u8], Side::After),
        };
        let width = self.shape.item_bytes();
        let (mut front_page, mut leaf, mut rank) = self.seek(lower, lower_side)?;
        if self.item(leaf, rank).is_none() {
            (front_page, rank) = (next(leaf), 0);
            leaf = self.pages.get(front_page).filter(|_| front_page != NONE)?;
        }
        let first = self.item(leaf, rank)?;
        // Without this a range with crossing bounds would start behind its end.
        if !Probe::new(upper, upper_side, width).is_after(first) {
            return None;
        }
        let (back_page, back_leaf, back_rank) = self.seek(upper, upper_side)?;
        let back = self.shape.entries(back_leaf, 0).get(..back_rank * width)?;
        let front = if front_page == back_page { back } else { self.shape.entries(leaf, 0) }.get(rank * width..)?;
        Some(Range {
            tree: *self,
            front: front.chunks_exact(width),
            front_page,
            back: if front_page == back_page { NO_ITEMS } else { back }.chunks_exact(width),
            back_page,
            hops_left: self.pages.count(),
        })
    }

    fn root(&self) -> Root {
        Root::read(self.pages.bytes, ROOT_AT)
    }

    /// The leaf for a place and the number of its items that lie before it. The place may be behind all of them.
    #[inline]
    fn seek(&self, prefix: &[u8], side: Side) -> Option<(u32, &'a [u8], usize)> {
        let probe = Probe::new(prefix, side, self.shape.item_bytes());
        let root = self.root();
        let mut number = root.page;
        for _ in 1..root.height.min(HEIGHT_MAX as u32) {
            let page = self.pages.get(number)?;
            number = self.shape.child(page, probe.rank(self.shape.entries(page, 1), self.shape.stride(1)));
        }
        if number == NONE {
            return None;
        }
        let leaf = self.pages.get(number)?;
        Some((number, leaf, probe.rank(self.shape.entries(leaf, 0), self.shape.stride(0))))
    }

    #[inline]
    fn item(&self, leaf: &'a [u8], at: usize) -> Option<&'a [u8]> {
        let width = self.shape.item_bytes();
        self.shape.entries(leaf, 0).get(at * width..)?.get(..width)
    }
}

/// The items of a [`BTree`] between two bounds, from both ends.
#[derive(Debug, Clone)]
pub struct Range<'a> {
    tree: BTree<'a>,
    /// What is left of the leaf in front, and of the one at the back. Where both are one leaf, `front` has it all.
    front: ChunksExact<'a, u8>,
    front_page: u32,
    back: ChunksExact<'a, u8>,
    back_page: u32,
    /// Links still to be followed before it is certain that they lead in a circle.
    hops_left: usize,
}

impl<'a> Range<'a> {
    /// The number and the items of the leaf that `link` of the leaf `from` leads to.
    fn hop(&mut self, from: u32, link: fn(&[u8]) -> u32) -> Option<(u32, ChunksExact<'a, u8>)> {
        self.hops_left = self.hops_left.checked_sub(1)?;
        let number = link(self.tree.pages.get(from)?);
        let leaf = self.tree.pages.get(number).filter(|_| number != NONE)?;
        Some((number, self.tree.shape.entries(leaf, 0).chunks_exact(self.tree.shape.item_bytes())))
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(item) = self.front.next() {
                return Some(item);
            }
            if self.front_page == self.back_page {
                return None;
            }
            let (number, items) = self.hop(self.front_page, next)?;
            self.front_page = number;
            self.front = if number == self.back_page {
                std::mem::replace(&mut self.back, NO_ITEMS.chunks_exact(1))
            } else {
                items
            };
        }
    }
}

impl DoubleEndedIterator for Range<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            if self.front_page == self.back_page {
                return self.front.next_back();
            }
            if let Some(item) = self.back.next_back() {
                return Some(item);
            }
            let (number, items) = self.hop(self.back_page, previous)?;
            self.back_page = number;
            if number != self.front_page {
                self.back = items;
            }
        }
    }
}

impl FusedIterator for Range<'_> {}
