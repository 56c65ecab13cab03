//! Adding many items that come in order.
//!
//! Items that fall into the same leaf are merged into it in one go: one way down, one shift, one note in the journal per
//! leaf instead of per item. Behind the last item of the tree, leaves are built anew and left one tenth empty, so that the
//! first items to come do not split every leaf.

use std::iter::Peekable;

use super::super::pages::{NONE, PAGE_BYTES_MAX, ROOT_AT};
use super::edit::{BTreeMut, Path};
use super::{CHILD_BYTES, ITEM_BYTES_MAX, next};

impl BTreeMut<'_> {
    /// Adds items that come in ascending order, and says how many of them were new. Items that do not come in order are
    /// added too, only slower.
    ///
    /// # Panics
    /// If an item is not as wide as the tree's items.
    pub fn insert_sorted<I>(&mut self, items: I) -> usize
    where
        I: IntoIterator<Item: AsRef<[u8]>>,
    {
        let mut items = items.into_iter().peekable();
        let mut inserted = 0;
        while let Some(item) = items.next() {
            inserted += self.insert_run(item, &mut items);
        }
        inserted
    }

    /// Adds `first` and as many of `rest` as go into the same leaf; gives how many were new.
    fn insert_run<T: AsRef<[u8]>>(&mut self, first: T, rest: &mut Peekable<impl Iterator<Item = T>>) -> usize {
        let item = first.as_ref();
        let root = self.root();
        if root.page == NONE {
            return usize::from(self.insert(item));
        }
        assert_eq!(item.len(), self.shape.item_bytes(), "an item of the tree's width");
        let path = self.descend(root, item);
        let Err(at) = self.find(path.leaf, item) else { return 0 };
        let rightmost = next(self.pages.page(path.leaf)) == NONE;
        let count = self.count(path.leaf);
        let full = if rightmost && at == count { self.bulk_fill() } else { self.shape.entries_max(0) };
        let inserted = if count < full {
            self.merge_run(path.leaf, at, full - count, rightmost, first, rest)
        } else if rightmost && at == count {
            self.append_run(&path, first, rest)
        } else {
            self.insert_entry(&path, at, item);
            1
        };
        self.pages.write_items(ROOT_AT, root.items + inserted as u64);
        inserted
    }

    /// How many items a leaf gets that is built in order: nine tenths of what fits.
    fn bulk_fill(&self) -> usize {
        (self.shape.entries_max(0) * 9).div_ceil(10)
    }

    /// Merges `first`, which belongs at `at` of `leaf`, and up to `room` items in all into the leaf.
    fn merge_run<T: AsRef<[u8]>>(
        &mut self,
        leaf: u32,
        at: usize,
        room: usize,
        rightmost: bool,
        first: T,
        rest: &mut Peekable<impl Iterator<Item = T>>,
    ) -> usize {
        let width = self.shape.item_bytes();
        let items = self.entries(leaf, 0);
        let count = items.len() / width;
        let last = &items[items.len() - width..];
        let mut old = items[at * width..].chunks_exact(width).peekable();
        let mut run = Run { bytes: [0; PAGE_BYTES_MAX], len: 0, width };
        run.push(first.as_ref());
        let mut inserted = 1;
        // What is smaller than the leaf's last item cannot belong behind it, and what follows the last leaf's is its own.
        while inserted < room
            && let Some(item) = rest.next_if(|item| {
                let item = item.as_ref();
                item.len() == width && item > run.last() && (rightmost || item < last)
            })
        {
            while let Some(item) = old.next_if(|old| *old < item.as_ref()) {
                run.push(item);
            }
            if old.peek().is_none_or(|old| *old != item.as_ref()) {
                run.push(item.as_ref());
                inserted += 1;
            }
        }
        old.for_each(|item| run.push(item));
        self.write_entries(leaf, 0, at, &run.bytes[..run.len]);
        self.set_count(leaf, count + inserted);
        inserted
    }

    /// Builds a leaf of `first` and of what follows it, behind the last leaf, which is that of `path`.
    fn append_run<T: AsRef<[u8]>>(
        &mut self,
        path: &Path,
        first: T,
        rest: &mut Peekable<impl Iterator<Item = T>>,
    ) -> usize {
        let width = self.shape.item_bytes();
        let mut run = Run { bytes: [0; PAGE_BYTES_MAX], len: 0, width };
        run.push(first.as_ref());
        while run.len < self.bulk_fill() * width
            && let Some(item) = rest.next_if(|item| item.as_ref().len() == width && item.as_ref() > run.last())
        {
            run.push(item.as_ref());
        }
        let leaf = self.append_leaf(path.leaf, &run.bytes[..run.len]);
        let mut separator = [0; ITEM_BYTES_MAX + CHILD_BYTES];
        separator[..width].copy_from_slice(&run.bytes[..width]);
        self.insert_child(path, leaf, true, &mut separator);
        run.len / width
    }
}

/// Items being gathered for a leaf.
struct Run {
    bytes: [u8; PAGE_BYTES_MAX],
    len: usize,
    width: usize,
}

impl Run {
    fn push(&mut self, item: &[u8]) {
        self.bytes[self.len..][..self.width].copy_from_slice(item);
        self.len += self.width;
    }

    fn last(&self) -> &[u8] {
        &self.bytes[self.len - self.width..self.len]
    }
}
