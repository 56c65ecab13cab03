//! Changing a tree: one item at a time.
//!
//! A change goes down once and remembers the way; what has to be split or merged is then done from the leaf upwards along
//! it, as far as need be.

use super::super::pages::{NONE, PAGE_BYTES_MAX, PagesMut, ROOT_AT, Root, kind, u16_at};
use super::search::{Probe, Side};
use super::{BTree, CHILD_BYTES, ENTRIES_AT, HEIGHT_MAX, ITEM_BYTES_MAX, Shape, next, previous};
use crate::table::buffer::BufferMut;

/// Room for the entries of two pages and one between them.
const SCRATCH_BYTES: usize = 2 * PAGE_BYTES_MAX + ITEM_BYTES_MAX + CHILD_BYTES;

/// A B+ tree, for writing. Its buffer must hold a sound tree of this shape or no bytes; on others it may panic.
#[derive(Debug)]
pub struct BTreeMut<'a> {
    pub(super) pages: PagesMut<'a>,
    pub(super) shape: Shape,
}

/// The way from the root to a leaf: at each inner page, which child was taken.
#[derive(Debug)]
pub(super) struct Path {
    steps: [(u32, u16); HEIGHT_MAX],
    /// Inner pages on the way.
    depth: usize,
    pub(super) leaf: u32,
}

impl Path {
    /// The inner page `levels` above the leaf and the child taken there; `None` above the root.
    fn above(&self, levels: usize) -> Option<(u32, usize)> {
        let step = self.depth.checked_sub(levels)?;
        Some((self.steps[step].0, usize::from(self.steps[step].1)))
    }
}

impl<'a> BTreeMut<'a> {
    /// The tree in `buffer`.
    pub fn new(buffer: BufferMut<'a>, shape: Shape) -> BTreeMut<'a> {
        BTreeMut { pages: PagesMut::new(buffer, shape.format()), shape }
    }

    /// The tree as it is now.
    pub fn as_tree(&self) -> BTree<'_> {
        BTree::new(self.pages.bytes(), self.shape)
    }

    /// Adds an item; `false` if it was there.
    ///
    /// # Panics
    /// If `item` is not as wide as the tree's items.
    pub fn insert(&mut self, item: &[u8]) -> bool {
        assert_eq!(item.len(), self.shape.item_bytes(), "an item of the tree's width");
        self.pages.ensure_header();
        let root = self.root();
        if root.page == NONE {
            let page = self.alloc(kind::LEAF, 0, [NONE, NONE], item);
            self.pages.write_root(ROOT_AT, Root { page, height: 1, items: 1 });
            return true;
        }
        let path = self.descend(root, item);
        let Err(at) = self.find(path.leaf, item) else { return false };
        self.insert_entry(&path, at, item);
        self.pages.write_items(ROOT_AT, root.items + 1);
        true
    }

    /// Takes an item out; `false` if it was not there.
    ///
    /// # Panics
    /// If `item` is not as wide as the tree's items.
    pub fn remove(&mut self, item: &[u8]) -> bool {
        assert_eq!(item.len(), self.shape.item_bytes(), "an item of the tree's width");
        let root = self.root();
        if root.page == NONE {
            return false;
        }
        let path = self.descend(root, item);
        let Ok(at) = self.find(path.leaf, item) else { return false };
        self.cut(path.leaf, 0, at);
        self.pages.write_items(ROOT_AT, root.items - 1);
        self.fill_up(&path);
        true
    }

    /// Takes all items out, at the cost of writing the header.
    pub fn clear(&mut self) {
        self.pages.clear();
    }

    pub(super) fn root(&self) -> Root {
        Root::read(self.pages.bytes(), ROOT_AT)
    }

    pub(super) fn count(&self, page: u32) -> usize {
        usize::from(u16_at(self.pages.page(page), 2))
    }

    pub(super) fn entries(&self, page: u32, level: usize) -> &[u8] {
        self.shape.entries(self.pages.page(page), level)
    }

    fn child(&self, page: u32, at: usize) -> u32 {
        self.shape.child(self.pages.page(page), at)
    }

    /// The way to the leaf where `item` is or belongs. The tree is not empty.
    pub(super) fn descend(&self, root: Root, item: &[u8]) -> Path {
        let probe = Probe::new(item, Side::After, self.shape.item_bytes());
        let depth = root.height as usize - 1;
        let mut path = Path { steps: [(NONE, 0); HEIGHT_MAX], depth, leaf: root.page };
        for step in &mut path.steps[..depth] {
            let at = probe.rank(self.entries(path.leaf, 1), self.shape.stride(1));
            *step = (path.leaf, at as u16);
            path.leaf = self.child(path.leaf, at);
        }
        path
    }

    /// Where `item` is in a leaf, or where it belongs.
    pub(super) fn find(&self, leaf: u32, item: &[u8]) -> Result<usize, usize> {
        let width = self.shape.item_bytes();
        let items = self.entries(leaf, 0);
        let at = Probe::new(item, Side::Before, width).rank(items, width);
        if items[at * width..].starts_with(item) { Ok(at) } else { Err(at) }
    }

    /// Takes a page and fills it. `links` are previous and next of a leaf, nothing and child 0 of an inner page.
    pub(super) fn alloc(&mut self, page_kind: u8, level: usize, links: [u32; 2], entries: &[u8]) -> u32 {
        let count = entries.len() / self.shape.stride(level);
        let mut page = [0; PAGE_BYTES_MAX];
        page[0] = page_kind;
        page[1] = level as u8;
        page[2..4].copy_from_slice(&(count as u16).to_le_bytes());
        page[4..8].copy_from_slice(&links[0].to_le_bytes());
        page[8..12].copy_from_slice(&links[1].to_le_bytes());
        page[ENTRIES_AT..ENTRIES_AT + entries.len()].copy_from_slice(entries);
        self.pages.alloc(&page[..ENTRIES_AT + entries.len()])
    }

    pub(super) fn set_count(&mut self, page: u32, count: usize) {
        self.pages.write(page, 2, &(count as u16).to_le_bytes());
    }

    pub(super) fn set_link(&mut self, page: u32, at: usize, to: u32) {
        self.pages.write(page, at, &to.to_le_bytes());
    }

    /// Overwrites entries of a page, beginning with entry `at`.
    pub(super) fn write_entries(&mut self, page: u32, level: usize, at: usize, entries: &[u8]) {
        if !entries.is_empty() {
            self.pages.write(page, ENTRIES_AT + at * self.shape.stride(level), entries);
        }
    }

    /// Puts an item in its place, entry `at` of the leaf of `path`, and splits pages from there upwards as need be.
    pub(super) fn insert_entry(&mut self, path: &Path, at: usize, item: &[u8]) {
        if self.count(path.leaf) < self.shape.entries_max(0) {
            return self.put(path.leaf, 0, at, item);
        }
        let mut separator = [0; ITEM_BYTES_MAX + CHILD_BYTES];
        let rightmost = next(self.pages.page(path.leaf)) == NONE && at == self.count(path.leaf);
        let right = self.split_leaf(path.leaf, at, item, rightmost, &mut separator);
        self.insert_child(path, right, rightmost, &mut separator);
    }

    /// Hangs the new page `right`, which begins at `separator`, into the inner pages above the leaf of `path`, right of it.
    /// `separator` has room for a page number behind the item.
    pub(super) fn insert_child(&mut self, path: &Path, right: u32, rightmost: bool, separator: &mut [u8]) {
        let (width, stride) = (self.shape.item_bytes(), self.shape.stride(1));
        let (mut child, mut level) = (right, 1);
        loop {
            separator[width..stride].copy_from_slice(&child.to_le_bytes());
            let Some((page, at)) = path.above(level) else { break };
            if self.count(page) < self.shape.entries_max(1) {
                return self.put(page, level, at, &separator[..stride]);
            }
            child = self.split_inner(page, level, at, rightmost, separator);
            level += 1;
        }
        let root = self.root();
        let page = self.alloc(kind::INNER, level, [NONE, root.page], &separator[..stride]);
        self.pages.write_root(ROOT_AT, Root { page, height: root.height + 1, items: root.items });
    }

    /// Makes room for an entry at `at` of a page that is not full, and puts it there.
    fn put(&mut self, page: u32, level: usize, at: usize, entry: &[u8]) {
        let (stride, count) = (self.shape.stride(level), self.count(page));
        let behind = self.pages.edit(page, ENTRIES_AT + at * stride, (count + 1 - at) * stride);
        behind.copy_within(..(count - at) * stride, stride);
        behind[..stride].copy_from_slice(entry);
        self.set_count(page, count + 1);
    }

    /// Takes entry `at` out of a page.
    fn cut(&mut self, page: u32, level: usize, at: usize) {
        let (stride, count) = (self.shape.stride(level), self.count(page));
        if at + 1 < count {
            let behind = self.pages.edit(page, ENTRIES_AT + at * stride, (count - at) * stride);
            behind.copy_within(stride.., 0);
        }
        self.set_count(page, count - 1);
    }

    /// The entries of a full page with one more at `at`, and how many bytes they are.
    fn overfull(&self, page: u32, level: usize, at: usize, entry: &[u8], into: &mut [u8]) -> usize {
        let stride = self.shape.stride(level);
        let entries = self.entries(page, level);
        let (before, behind) = entries.split_at(at * stride);
        into[..before.len()].copy_from_slice(before);
        into[before.len()..][..stride].copy_from_slice(entry);
        into[before.len() + stride..][..behind.len()].copy_from_slice(behind);
        entries.len() + stride
    }

    /// Splits a full leaf while `item` is put at `at`. Gives the new leaf, right of it, and its first item.
    fn split_leaf(&mut self, leaf: u32, at: usize, item: &[u8], rightmost: bool, separator: &mut [u8]) -> u32 {
        let width = self.shape.item_bytes();
        let mut all = [0; SCRATCH_BYTES];
        let len = self.overfull(leaf, 0, at, item, &mut all);
        let keep = if rightmost { at } else { (len / width).div_ceil(2) };
        let right_items = &all[keep * width..len];
        separator[..width].copy_from_slice(&right_items[..width]);
        let right = self.append_leaf(leaf, right_items);
        if at < keep {
            self.write_entries(leaf, 0, at, &all[at * width..keep * width]);
        }
        self.set_count(leaf, keep);
        right
    }

    /// Makes a leaf of `items` and links it in behind `leaf`.
    pub(super) fn append_leaf(&mut self, leaf: u32, items: &[u8]) -> u32 {
        let behind = next(self.pages.page(leaf));
        let right = self.alloc(kind::LEAF, 0, [leaf, behind], items);
        self.set_link(leaf, 8, right);
        if behind != NONE {
            self.set_link(behind, 4, right);
        }
        right
    }

    /// Splits a full inner page while the entry in `separator` is put at `at`. Gives the new page, right of it, and in
    /// `separator` the item between both.
    fn split_inner(&mut self, page: u32, level: usize, at: usize, rightmost: bool, separator: &mut [u8]) -> u32 {
        let (width, stride) = (self.shape.item_bytes(), self.shape.stride(1));
        let mut all = [0; SCRATCH_BYTES];
        let len = self.overfull(page, level, at, &separator[..stride], &mut all);
        let count = len / stride;
        // One entry goes up and at least one goes right.
        let keep = if rightmost { (count * 9 / 10).min(count - 2) } else { count / 2 };
        let middle = &all[keep * stride..][..stride];
        separator[..width].copy_from_slice(&middle[..width]);
        let first_child = super::super::pages::u32_at(middle, width);
        let right = self.alloc(kind::INNER, level, [NONE, first_child], &all[(keep + 1) * stride..len]);
        if at < keep {
            self.write_entries(page, level, at, &all[at * stride..keep * stride]);
        }
        self.set_count(page, keep);
        right
    }

    /// Goes up from the leaf of `path` and merges or refills pages that became too empty.
    fn fill_up(&mut self, path: &Path) {
        let (mut page, mut level) = (path.leaf, 0);
        while let Some((parent, at)) = path.above(level + 1) {
            if self.count(page) >= (self.shape.entries_max(level) / 3).max(1) {
                return;
            }
            // A page that is not the root has a neighbour under the same parent.
            let separator_at = at.saturating_sub(1);
            let (left, right) = (self.child(parent, separator_at), self.child(parent, separator_at + 1));
            let together = self.count(left) + self.count(right) + usize::from(level > 0);
            if together > self.shape.entries_max(level) {
                return self.share(parent, separator_at, level);
            }
            self.merge(parent, separator_at, level, left, right);
            (page, level) = (parent, level + 1);
        }
        self.lower_root(page, level);
    }

    /// Frees the root if nothing is left in it: of an inner page its only child becomes the root.
    fn lower_root(&mut self, page: u32, level: usize) {
        if self.count(page) > 0 {
            return;
        }
        let child = if level > 0 { self.child(page, 0) } else { NONE };
        self.pages.free(page);
        let root = self.root();
        self.pages.write_root(ROOT_AT, Root { page: child, height: root.height - 1, items: root.items });
    }

    /// The entries of two neighbours in order, and how many bytes they are; between those of inner pages the one that
    /// stands for their border.
    fn together(&self, parent: u32, separator_at: usize, level: usize, into: &mut [u8]) -> usize {
        let (left, right) = (self.child(parent, separator_at), self.child(parent, separator_at + 1));
        let (width, stride) = (self.shape.item_bytes(), self.shape.stride(level));
        let mut len = self.entries(left, level).len();
        into[..len].copy_from_slice(self.entries(left, level));
        if level > 0 {
            into[len..][..width].copy_from_slice(&self.entries(parent, 1)[separator_at * stride..][..width]);
            into[len + width..][..CHILD_BYTES].copy_from_slice(&self.child(right, 0).to_le_bytes());
            len += stride;
        }
        let behind = self.entries(right, level);
        into[len..][..behind.len()].copy_from_slice(behind);
        len + behind.len()
    }

    /// Puts all entries of `right` into `left` and frees it.
    fn merge(&mut self, parent: u32, separator_at: usize, level: usize, left: u32, right: u32) {
        let stride = self.shape.stride(level);
        let mut all = [0; SCRATCH_BYTES];
        let len = self.together(parent, separator_at, level, &mut all);
        let count = self.count(left);
        self.write_entries(left, level, count, &all[count * stride..len]);
        self.set_count(left, len / stride);
        if level == 0 {
            let behind = next(self.pages.page(right));
            self.set_link(left, 8, behind);
            if behind != NONE {
                debug_assert_eq!(previous(self.pages.page(behind)), right, "leaves are linked both ways");
                self.set_link(behind, 4, left);
            }
        }
        self.pages.free(right);
        self.cut(parent, level + 1, separator_at);
    }

    /// Spreads the entries of two neighbours evenly over both.
    fn share(&mut self, parent: u32, separator_at: usize, level: usize) {
        let (left, right) = (self.child(parent, separator_at), self.child(parent, separator_at + 1));
        let (width, stride) = (self.shape.item_bytes(), self.shape.stride(level));
        let mut all = [0; SCRATCH_BYTES];
        let len = self.together(parent, separator_at, level, &mut all);
        let (had, keep) = (self.count(left), len / stride / 2);
        if had < keep {
            self.write_entries(left, level, had, &all[had * stride..keep * stride]);
        }
        self.set_count(left, keep);
        let middle = &all[keep * stride..][..stride];
        let mut right_from = keep;
        if level > 0 {
            self.pages.write(right, ENTRIES_AT - CHILD_BYTES, &middle[width..]);
            right_from += 1;
        }
        self.write_entries(right, level, 0, &all[right_from * stride..len]);
        self.set_count(right, len / stride - right_from);
        self.pages.write(parent, ENTRIES_AT + separator_at * self.shape.stride(1), &middle[..width]);
    }
}
