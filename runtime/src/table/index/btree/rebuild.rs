//! Adding so many items that the tree is written anew: what is there and what comes are merged once, and become pages in
//! their order, leaves first.
//!
//! Every page is written once, front to back, and nothing is looked up. That takes some nanoseconds per item, of those that
//! were there too: it pays as long as they are not many times the new ones.

use super::super::Items;
use std::ops::Range;

use super::super::pages::{NONE, ROOT_AT, Root, kind};
use super::edit::BTreeMut;
use super::entries::{Image, separator_behind};
use super::node::{CHILD_BYTES, COUNT_AT, ITEMS_AT, NEXT_AT, PREVIOUS_AT, SKIP_AT, copy_item, is_less};

/// So many new items at least.
const NEW_ITEMS_MIN: usize = 32;
/// And at most so many times as many old ones.
const OLD_TIMES_MAX: u64 = 8;
/// Fewest children that a full inner page is given, so that two pages that share one more have two each.
const CHILDREN_MIN: usize = 3;

impl BTreeMut<'_> {
    /// Whether so many new items are better added by writing the tree anew. One inside of another index never is.
    pub(super) fn is_better_rebuilt(&self, new: usize) -> bool {
        let limit = OLD_TIMES_MAX.saturating_mul(new as u64);
        self.root_at == ROOT_AT && new >= NEW_ITEMS_MIN && self.root().items <= limit
    }

    /// Writes the tree anew with what is in it and `items`, which mostly come in ascending order; gives how many were new.
    pub(super) fn rebuild<T: AsRef<[u8]>>(&mut self, items: impl Iterator<Item = T>) -> usize {
        let width = self.shape.item_bytes();
        let before = self.root().items as usize;
        let (merged, late) = self.merge(items);
        let count = merged.len() / width;
        self.write_all(count, |run, leaf| leaf.copy_from_slice(&merged[run.start * width..run.end * width]));
        count - before + late.chunks_exact(width).filter(|item| self.insert(item)).count()
    }

    /// Writes a tree that is empty, of items that come in ascending order, none twice; gives how many there are. Nothing needs
    /// to be merged: each item goes into its page at once.
    pub(super) fn build(&mut self, items: Items<'_>) -> usize {
        let order = items.order();
        debug_assert!(order.is_sorted_by(|one, other| items.compare(*one, *other).is_lt()), "in order, none twice");
        self.write_all(order.len(), |run, leaf| items.write(&order[run], leaf));
        order.len()
    }

    /// Merges what is in the tree and `items`; gives apart those that do not come in order.
    fn merge<T: AsRef<[u8]>>(&self, items: impl Iterator<Item = T>) -> (Vec<u8>, Vec<u8>) {
        let width = self.shape.item_bytes();
        let mut merged = Merged::new(width, self.root().items as usize + items.size_hint().0);
        let mut late = Vec::new();
        let tree = self.as_tree();
        let mut all_old = tree.iter();
        let mut old = all_old.next();
        for item in items {
            let item = item.as_ref();
            assert_eq!(item.len(), width, "an item of the tree's width");
            while let Some(before) = old.filter(|old| is_less(old, item)) {
                merged.push(before);
                old = all_old.next();
            }
            match merged.last() {
                _ if old.is_some_and(|old| old == item) => {}
                Some(last) if !is_less(last, item) => late.extend_from_slice(item),
                _ => merged.push(item),
            }
        }
        old.into_iter().chain(all_old).for_each(|item| merged.push(item));
        (merged.into_items(), late)
    }

    /// Writes all pages, and the root. There are so many items in all, of which `write` puts some into a leaf.
    fn write_all(&mut self, count: usize, write: impl Fn(Range<usize>, &mut [u8])) {
        let mut runs = Runs::new(count, self.bulk_fill());
        let inner_fill = (self.shape.entries_max(1) * 9 / 10).max(CHILDREN_MIN);
        let mut pages = 0;
        let mut level_pages = runs.count;
        while level_pages > 0 {
            pages += level_pages;
            level_pages = if level_pages > 1 { level_pages.div_ceil(inner_fill) } else { 0 };
        }
        self.pages.restart(pages);
        let mut entries = self.write_leaves(&runs, write);
        let (mut first, mut level) = (1, 1);
        while runs.count > 1 {
            first += runs.count as u32;
            runs = Runs::new(runs.count, inner_fill);
            entries = self.write_inner_pages(level, first, &entries, &runs);
            level += 1;
        }
        let (height, page) = if runs.count == 0 { (0, NONE) } else { (level as u32, first) };
        self.pages.write_root(self.root_at, Root { page, height, items: count as u64 });
    }

    /// Writes the leaves, from page 1 on; gives their entries for the level above.
    fn write_leaves(&mut self, runs: &Runs, write: impl Fn(Range<usize>, &mut [u8])) -> Vec<u8> {
        let (shape, width) = (self.shape, self.shape.item_bytes());
        let mut entries = Vec::with_capacity(runs.count * (width + CHILD_BYTES));
        let mut separator = vec![0; width];
        for (number, run) in runs.iter().enumerate() {
            let (page, count) = (number as u32 + 1, run.len());
            let next = if number + 1 == runs.count { NONE } else { page + 1 };
            let (taken, leaf) = self.pages.take(ITEMS_AT + count * width);
            debug_assert_eq!(taken, page, "pages are taken in their order");
            let (leaf, items) = leaf.split_at_mut(ITEMS_AT);
            write(run, items);
            (leaf[0], leaf[1]) = (kind::LEAF, 0);
            leaf[COUNT_AT] = count as u8;
            leaf[SKIP_AT] = shape.skip_of(items, width) as u8;
            leaf[PREVIOUS_AT..][..4].copy_from_slice(&(page - 1).to_le_bytes());
            leaf[NEXT_AT..][..4].copy_from_slice(&next.to_le_bytes());
            entries.extend_from_slice(&separator);
            entries.extend_from_slice(&page.to_le_bytes());
            separator.copy_from_slice(&items[items.len() - width..]);
            separator_behind(&mut separator);
        }
        entries
    }

    /// Writes the inner pages of a level, from page `first` on, over these children; gives their entries for the level
    /// above.
    fn write_inner_pages(&mut self, level: usize, first: u32, children: &[u8], runs: &Runs) -> Vec<u8> {
        let width = self.shape.item_bytes();
        let stride = width + CHILD_BYTES;
        let mut entries = Vec::with_capacity(runs.count * stride);
        for (page, run) in (first..).zip(runs.iter()) {
            let children = &children[run.start * stride..run.end * stride];
            self.pages.alloc(Image::inner(self.shape, level, children).bytes());
            entries.extend_from_slice(&children[..width]);
            entries.extend_from_slice(&page.to_le_bytes());
        }
        entries
    }
}

/// Items being put one behind the other.
struct Merged {
    width: usize,
    /// Room for them, and for those to come.
    bytes: Vec<u8>,
    len: usize,
}

impl Merged {
    fn new(width: usize, expected: usize) -> Merged {
        Merged { width, bytes: vec![0; expected * width], len: 0 }
    }

    fn last(&self) -> Option<&[u8]> {
        self.bytes.get(self.len.checked_sub(self.width)?..self.len)
    }

    #[inline]
    fn push(&mut self, item: &[u8]) {
        let end = self.len + self.width;
        if self.bytes.len() < end {
            self.make_room();
        }
        copy_item(&mut self.bytes[self.len..end], item);
        self.len = end;
    }

    /// Makes room for more items than were announced.
    #[cold]
    fn make_room(&mut self) {
        self.bytes.resize(2 * self.bytes.len() + self.width, 0);
    }

    fn into_items(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }
}

/// Things shared out evenly over as few pages as they need.
struct Runs {
    things: usize,
    /// The pages.
    count: usize,
}

impl Runs {
    /// So many things, at most `fill` a page.
    fn new(things: usize, fill: usize) -> Runs {
        Runs { things, count: things.div_ceil(fill) }
    }

    fn iter(&self) -> impl Iterator<Item = Range<usize>> {
        let (each, more) = (self.things / self.count.max(1), self.things % self.count.max(1));
        let start = move |page: usize| page * each + page.min(more);
        (0..self.count).map(move |page| start(page)..start(page + 1))
    }
}
