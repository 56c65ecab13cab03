//! Adding many items that come in order.
//!
//! Items that fall into the same leaf are merged into it in one go: one way down, one shift, one note in the journal
//! per leaf instead of per item; if they are many beside what is there, the tree is written anew (`rebuild`). Behind the last item of the tree, leaves are built anew and left one tenth empty, so
//! that the first items to come do not split every leaf.

use std::iter::Peekable;

use super::super::Items;
use super::super::pages::NONE;
use super::ITEM_BYTES_MAX;
use super::edit::{BTreeMut, Path};
use super::entries::Entries;

impl BTreeMut<'_> {
    /// Adds items that come in ascending order, none twice, and says how many of them were new.
    ///
    /// # Panics
    /// If the items are not as wide as the tree's items.
    pub fn insert_items(&mut self, items: Items<'_>) -> usize {
        assert_eq!(items.width(), self.shape.item_bytes(), "items of the tree's width");
        if self.root().page == NONE && self.is_better_rebuilt(items.order().len()) {
            return self.build(items);
        }
        self.insert_sorted(items.to_bytes().chunks_exact(items.width()))
    }

    /// Adds items that come in ascending order, and says how many of them were new. Items that do not come in order are
    /// added too, only slower.
    ///
    /// # Panics
    /// If an item is not as wide as the tree's items.
    pub fn insert_sorted<I>(&mut self, items: I) -> usize
    where
        I: IntoIterator<Item: AsRef<[u8]>>,
    {
        let items = items.into_iter();
        if self.is_better_rebuilt(items.size_hint().0) {
            return self.rebuild(items);
        }
        let mut items = items.peekable();
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
        let leaf = self.leaf(path.leaf);
        let (count, rightmost) = (leaf.count(), leaf.next() == NONE);
        let at_the_end = rightmost && at == count;
        let full = if at_the_end { self.bulk_fill() } else { self.shape.entries_max(0) };
        let inserted = if count < full {
            self.merge_run(path.leaf, at, full - count, first, rest)
        } else if at_the_end {
            self.append_run(&path, first, rest)
        } else {
            self.insert_at(&path, at, item);
            1
        };
        // The way up has changed the root, not the number of items.
        self.pages.write_items(self.root_at, root.items + inserted as u64);
        inserted
    }

    /// How many items a leaf gets that is built in order: nine tenths of what fits.
    pub(super) fn bulk_fill(&self) -> usize {
        (self.shape.entries_max(0) * 9).div_ceil(10)
    }

    /// Merges `first`, which belongs at `at` of `leaf`, and what follows it into the leaf, `room` items at most.
    fn merge_run<T: AsRef<[u8]>>(
        &mut self,
        leaf: u32,
        at: usize,
        room: usize,
        first: T,
        rest: &mut Peekable<impl Iterator<Item = T>>,
    ) -> usize {
        let width = self.shape.item_bytes();
        let page = self.leaf(leaf);
        let (items, rightmost) = (page.items(), page.next() == NONE);
        let last = &items[items.len() - width..];
        let mut old = items[at * width..].chunks_exact(width).peekable();
        let mut run = Entries::new(self.shape, 0);
        run.push(first.as_ref());
        let mut inserted = 1;
        // What is smaller than the leaf's last item cannot belong behind it, and nothing is behind the last leaf.
        let fits = |item: &T, run: &Entries| {
            let item = item.as_ref();
            item.len() == width && item > run.last() && (rightmost || item < last)
        };
        while inserted < room
            && let Some(item) = rest.next_if(|item| fits(item, &run))
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
        let count = page.count() + inserted;
        self.write_run(leaf, at, run.bytes(), count);
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
        let mut run = Entries::new(self.shape, 0);
        run.push(first.as_ref());
        while run.count() < self.bulk_fill()
            && let Some(item) = rest.next_if(|item| item.as_ref().len() == width && item.as_ref() > run.last())
        {
            run.push(item.as_ref());
        }
        let mut last = [0; ITEM_BYTES_MAX];
        let items = self.leaf(path.leaf).items();
        last[..width].copy_from_slice(&items[items.len() - width..]);
        let leaf = self.append_leaf(path.leaf, run.bytes());
        self.insert_child(path, leaf, &last[..width], true);
        run.count()
    }
}
