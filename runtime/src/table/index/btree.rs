//! An ordered set of fixed-width byte strings: a B+ tree in one buffer.
//!
//! The items of an index are `key || record id`: K bytes that order like the key's values when compared byte by byte,
//! then 8 bytes of record id, big-endian. The tree knows nothing of that: it keeps strings of W = K + 8 bytes, each at
//! most once, and finds them by any of their prefixes. A unique index asks [`BTree::first_with_prefix`] for the key
//! before it inserts.
//!
//! ```text
//! buffer:   | header (see `pages`) | page 1 | page 2 | ...       pages of 512 to 4096 bytes, by W
//! pages:    leaves hold items, inner pages lead to them (see `node`), some are free
//! root:     number of the topmost page, levels of pages, items; in the header
//! ```
//!
//! Pages are small, since whatever a change dirties is copied again on its way to the other versions. Only the changed
//! part of a page is noted: an insert moves the entries behind it by one. A page that overflows is split in the middle,
//! except at the right end of the tree, where it stays full: ids that count up leave no holes. A page less than a third
//! full is merged with its neighbour, or shares with it if both together are too much.
//!
//! **On damaged bytes** reading neither panics nor runs for ever, but what it finds is worthless; changing such a tree
//! may panic. Bytes that come from outside pass [`BTree::check`] first.

mod bulk;
mod check;
mod edit;
mod entries;
mod many;
mod node;
mod rebuild;
#[cfg(test)]
mod tests;

use std::iter::FusedIterator;
use std::ops::Bound;
use std::slice::ChunksExact;

pub use edit::BTreeMut;
pub use node::{ITEM_BYTES_MAX, ITEM_BYTES_MIN, Shape};

use super::pages::{NONE, Pages, ROOT_AT, Root};
pub(super) use node::begins_with;
use node::{Inner, Leaf, Probe, Side};

/// More levels than 2^32 pages can have, since an inner page has two children at least.
const HEIGHT_MAX: usize = 32;
const NO_ITEMS: &[u8] = &[];

/// A B+ tree, for reading.
#[derive(Debug, Clone, Copy)]
pub struct BTree<'a> {
    pages: Pages<'a>,
    shape: Shape,
    /// Where in the buffer the root record is.
    root_at: usize,
}

impl<'a> BTree<'a> {
    /// The tree in `bytes`. No bytes are an empty tree.
    #[inline]
    pub fn new(bytes: &'a [u8], shape: Shape) -> BTree<'a> {
        BTree::at(bytes, shape, ROOT_AT)
    }

    /// A tree that is a part of another index, with its root record at byte `root_at`.
    #[inline]
    pub(super) fn at(bytes: &'a [u8], shape: Shape, root_at: usize) -> BTree<'a> {
        BTree { pages: Pages { bytes, page_shift: shape.page_shift() }, shape, root_at }
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
        let probe = Probe::new(prefix, Side::Before, self.shape.item_bytes());
        self.first_in_leaf(self.leaf_for(&probe)?, prefix, &probe)
    }

    /// The same, where `probe` is the place before all such items, and this its leaf.
    #[inline]
    fn first_in_leaf(&self, number: u32, prefix: &[u8], probe: &Probe<'_>) -> Option<&'a [u8]> {
        let leaf = self.leaf(number)?;
        let rank = leaf.rank(probe);
        let item = match leaf.item(rank) {
            Some(item) => item,
            // Behind the last item of its leaf is before the first of the next.
            None => self.leaf(leaf.next())?.item(0)?,
        };
        begins_with(item, prefix).then_some(item)
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
        if leaf.item(rank).is_none() {
            (front_page, rank) = (leaf.next(), 0);
            leaf = self.leaf(front_page)?;
        }
        // Without this a range with crossing bounds would start behind its end.
        if !Probe::new(upper, upper_side, width).is_after(leaf.item(rank)?) {
            return None;
        }
        let (back_page, back_leaf, back_rank) = self.seek(upper, upper_side)?;
        let back = back_leaf.items().get(..back_rank * width)?;
        let front = if front_page == back_page { back } else { leaf.items() }.get(rank * width..)?;
        Some(Range {
            tree: *self,
            front: front.chunks_exact(width),
            front_page,
            back: if front_page == back_page { NO_ITEMS } else { back }.chunks_exact(width),
            back_page,
            hops_left: self.pages.count(),
        })
    }

    /// The number and the items of the leaf that is all of the tree; `None` if it is larger.
    pub(super) fn only_leaf(&self) -> Option<(u32, &'a [u8])> {
        let root = self.root();
        if root.height == 1 { Some((root.page, self.leaf(root.page)?.items())) } else { None }
    }

    fn root(&self) -> Root {
        Root::read(self.pages.bytes, self.root_at)
    }

    /// The leaf for a place and the number of its items that lie before it. The place may be behind all of them.
    #[inline]
    fn seek(&self, prefix: &[u8], side: Side) -> Option<(u32, Leaf<'a>, usize)> {
        let probe = Probe::new(prefix, side, self.shape.item_bytes());
        let number = self.leaf_for(&probe)?;
        let leaf = self.leaf(number)?;
        Some((number, leaf, leaf.rank(&probe)))
    }

    /// The leaf that the place belongs into.
    #[inline]
    fn leaf_for(&self, probe: &Probe<'_>) -> Option<u32> {
        let root = self.root();
        let mut number = root.page;
        for _ in 1..root.height.min(HEIGHT_MAX as u32) {
            let page = Inner::new(self.pages.get(number)?, self.shape);
            number = page.child(page.rank(probe));
        }
        Some(number)
    }

    #[inline]
    fn leaf(&self, number: u32) -> Option<Leaf<'a>> {
        if number == NONE { None } else { Some(Leaf::new(self.pages.get(number)?, self.shape)) }
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
    fn hop(&mut self, from: u32, link: fn(Leaf<'a>) -> u32) -> Option<(u32, ChunksExact<'a, u8>)> {
        self.hops_left = self.hops_left.checked_sub(1)?;
        let number = link(self.tree.leaf(from)?);
        Some((number, self.tree.leaf(number)?.items().chunks_exact(self.tree.shape.item_bytes())))
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
            let (number, items) = self.hop(self.front_page, Leaf::next)?;
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
            let (number, items) = self.hop(self.back_page, Leaf::previous)?;
            self.back_page = number;
            if number != self.front_page {
                self.back = items;
            }
        }
    }
}

impl FusedIterator for Range<'_> {}
