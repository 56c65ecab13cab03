//! Changing a tree: one item at a time.
//!
//! A change goes down once and remembers the way. An item that fits into its leaf, or leaves enough in it, is put in or
//! taken out where it lies. What has to be split or merged is gathered, and written to the pages anew, from the leaf
//! upwards as far as need be; only bytes that differ are noted.

use super::super::pages::{NONE, PagesMut, ROOT_AT, Root};
use super::entries::{Entries, Image, child_entry, separator_behind};
use super::node::{CHILD_BYTES, COUNT_AT, HEAD_BYTES, HEADS_AT, ITEMS_AT, NEXT_AT, PREVIOUS_AT};
use super::{BTree, HEIGHT_MAX, ITEM_BYTES_MAX, Inner, Leaf, Probe, Shape, Side};
use crate::table::buffer::BufferMut;

/// A B+ tree, for writing. Its buffer must hold a sound tree of this shape or no bytes; on others it may panic.
#[derive(Debug)]
pub struct BTreeMut<'a> {
    pub(super) pages: PagesMut<'a>,
    pub(super) shape: Shape,
    /// Where in the buffer the root record is.
    pub(super) root_at: usize,
}

/// The way from the root to a leaf: at each inner page, which child was taken.
#[derive(Debug)]
pub(super) struct Path {
    steps: [(u32, u8); HEIGHT_MAX],
    /// Inner pages on the way.
    depth: usize,
    pub(super) leaf: u32,
}

impl Path {
    /// The inner page on `level`, above the leaf on level 0, and the child taken there; `None` above the root.
    fn at(&self, level: usize) -> Option<(u32, usize)> {
        let step = self.depth.checked_sub(level)?;
        Some((self.steps[step].0, usize::from(self.steps[step].1)))
    }
}

impl<'a> BTreeMut<'a> {
    /// The tree in `buffer`.
    pub fn new(buffer: BufferMut<'a>, shape: Shape) -> BTreeMut<'a> {
        BTreeMut::at(PagesMut::new(buffer, shape.format()), shape, ROOT_AT)
    }

    /// A tree that is a part of another index, with its root record at byte `root_at`.
    pub(in super::super) fn at(pages: PagesMut<'a>, shape: Shape, root_at: usize) -> BTreeMut<'a> {
        BTreeMut { pages, shape, root_at }
    }

    /// The tree as it is now.
    pub fn as_tree(&self) -> BTree<'_> {
        BTree::at(self.pages.bytes(), self.shape, self.root_at)
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
            let page = self.alloc(Image::leaf(self.shape, [NONE, NONE], item));
            self.pages.write_root(self.root_at, Root { page, height: 1, items: 1 });
            return true;
        }
        let path = self.descend(root, item);
        let Err(at) = self.find(path.leaf, item) else { return false };
        self.insert_at(&path, at, item);
        self.pages.write_items(self.root_at, root.items + 1);
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
        self.cut(path.leaf, at);
        self.pages.write_items(self.root_at, root.items - 1);
        self.fill_up(&path);
        true
    }

    /// Takes all items out, at the cost of writing the header.
    pub fn clear(&mut self) {
        self.pages.clear();
    }

    pub(super) fn root(&self) -> Root {
        Root::read(self.pages.bytes(), self.root_at)
    }

    pub(super) fn leaf(&self, page: u32) -> Leaf<'_> {
        Leaf::new(self.pages.page(page), self.shape)
    }

    fn inner(&self, page: u32) -> Inner<'_> {
        Inner::new(self.pages.page(page), self.shape)
    }

    fn count(&self, page: u32) -> usize {
        usize::from(self.pages.page(page)[COUNT_AT])
    }

    /// The way to the leaf where `item` is or belongs. The tree is not empty.
    pub(super) fn descend(&self, root: Root, item: &[u8]) -> Path {
        let probe = Probe::new(item, Side::After, self.shape.item_bytes());
        let depth = root.height as usize - 1;
        let mut path = Path { steps: [(NONE, 0); HEIGHT_MAX], depth, leaf: root.page };
        for step in &mut path.steps[..depth] {
            let page = self.inner(path.leaf);
            let at = page.rank(&probe);
            *step = (path.leaf, at as u8);
            path.leaf = page.child(at);
        }
        path
    }

    /// Where `item` is in a leaf, or where it belongs.
    pub(super) fn find(&self, leaf: u32, item: &[u8]) -> Result<usize, usize> {
        let leaf = self.leaf(leaf);
        let at = leaf.rank(&Probe::new(item, Side::Before, self.shape.item_bytes()));
        if leaf.item(at) == Some(item) { Ok(at) } else { Err(at) }
    }

    /// Puts an item in its place, number `at` of the leaf of `path`, and splits pages from there upwards as need be.
    pub(super) fn insert_at(&mut self, path: &Path, at: usize, item: &[u8]) {
        let leaf = self.leaf(path.leaf);
        let count = leaf.count();
        if count < self.shape.entries_max(0) {
            return self.put(path.leaf, at, item);
        }
        let at_the_end = leaf.next() == NONE && at == count;
        let mut items = Entries::new(self.shape, 0);
        items.load(self.pages.page(path.leaf));
        items.insert(at, item);
        let keep = if at_the_end { count } else { items.count().div_ceil(2) };
        let (left, right) = items.bytes().split_at(keep * items.stride);
        let new = self.append_leaf(path.leaf, right);
        self.store(path.leaf, 0, left);
        self.insert_child(path, new, &left[left.len() - items.stride..], at_the_end);
    }

    /// Makes a leaf of `items` and links it in behind `leaf`.
    pub(super) fn append_leaf(&mut self, leaf: u32, items: &[u8]) -> u32 {
        let next = self.leaf(leaf).next();
        let new = self.alloc(Image::leaf(self.shape, [leaf, next], items));
        self.set_link(leaf, NEXT_AT, new);
        if next != NONE {
            self.set_link(next, PREVIOUS_AT, new);
        }
        new
    }

    /// Hangs the leaf `new` into the inner pages of `path`, behind the leaf there, of which `last` is the last item.
    pub(super) fn insert_child(&mut self, path: &Path, mut new: u32, last: &[u8], at_the_end: bool) {
        let mut entry = child_entry(last, new);
        separator_behind(&mut entry[..last.len()]);
        if path.at(1).is_some_and(|(page, at)| self.put_child(page, at, &entry)) {
            return;
        }
        let mut children = Entries::new(self.shape, 1);
        let mut level = 1;
        while let Some((page, at)) = path.at(level) {
            children.clear();
            children.load(self.pages.page(page));
            children.insert(at + 1, &entry[..children.stride]);
            let count = children.count();
            if count <= self.shape.entries_max(1) {
                return self.store(page, level, children.bytes());
            }
            // Both halves keep two children at least.
            let keep = if at_the_end { (count * 9 / 10).min(count - 2) } else { count / 2 };
            let (left, right) = children.bytes().split_at(keep * children.stride);
            new = self.alloc(Image::inner(self.shape, level, right));
            entry = child_entry(&right[..self.shape.item_bytes()], new);
            self.store(page, level, left);
            level += 1;
        }
        let root = self.root();
        children.clear();
        let nothing = [0; ITEM_BYTES_MAX];
        children.push(&child_entry(&nothing[..self.shape.item_bytes()], root.page)[..children.stride]);
        children.push(&entry[..children.stride]);
        let page = self.alloc(Image::inner(self.shape, level, children.bytes()));
        self.pages.write_root(self.root_at, Root { page, height: root.height + 1, items: root.items });
    }

    /// Puts an entry behind child `at` of an inner page where it lies, if the page has room and its separators go on to have
    /// the same beginning in common: one between two others changes nothing in that.
    fn put_child(&mut self, page: u32, at: usize, entry: &[u8]) -> bool {
        let (count, skip) = (self.inner(page).count(), self.inner(page).skip());
        if count >= self.shape.entries_max(1) || at == 0 || at + 1 >= count {
            return false;
        }
        let (separator, child) = entry[..self.shape.item_bytes() + CHILD_BYTES].split_at(self.shape.item_bytes());
        let head = u64::from_be_bytes(*separator[skip..].first_chunk().unwrap_or(&[0; HEAD_BYTES]));
        let mut rest = [0; ITEM_BYTES_MAX];
        let (rest, behind) = (&mut rest[..separator.len() - HEAD_BYTES], count - 1 - at);
        rest[..skip].copy_from_slice(&separator[..skip]);
        rest[skip..].copy_from_slice(&separator[skip + HEAD_BYTES..]);
        self.shift_in(page, HEADS_AT + at * HEAD_BYTES, behind, &head.to_le_bytes());
        self.shift_in(page, self.shape.children_at() + (at + 1) * CHILD_BYTES, behind, child);
        self.shift_in(page, self.shape.rests_at() + at * rest.len(), behind, rest);
        self.pages.write(page, COUNT_AT, &[count as u8 + 1]);
        true
    }

    /// Writes `new` at byte `at` of a page, in front of the `behind` values of the same width that are there.
    fn shift_in(&mut self, page: u32, at: usize, behind: usize, new: &[u8]) {
        let width = new.len();
        let bytes = self.pages.edit(page, at, (behind + 1) * width);
        bytes.copy_within(..behind * width, width);
        bytes[..width].copy_from_slice(new);
    }

    /// Goes up from the leaf of `path` and merges or refills pages that became too empty.
    fn fill_up(&mut self, path: &Path) {
        let (mut page, mut level) = (path.leaf, 0);
        while let Some((parent, at)) = path.at(level + 1) {
            // An inner page with one child would be of no use, a leaf without items lead nowhere.
            let enough = (self.shape.entries_max(level) / 3).max(1 + usize::from(level > 0));
            if self.count(page) >= enough {
                return;
            }
            // A page that is not the root has a neighbour under the same parent.
            if !self.merge_or_share(parent, at.saturating_sub(1), level) {
                return;
            }
            (page, level) = (parent, level + 1);
        }
        self.lower_root(page, level);
    }

    /// Merges child `at` of `parent` and the next one, and says so, or spreads their entries evenly over both if they
    /// are too many for one. The children are on `level`.
    fn merge_or_share(&mut self, parent: u32, at: usize, level: usize) -> bool {
        let (left, right) = (self.inner(parent).child(at), self.inner(parent).child(at + 1));
        let width = self.shape.item_bytes();
        let mut entries = Entries::new(self.shape, level);
        let mut parents = Entries::new(self.shape, 1);
        parents.load(self.pages.page(parent));
        entries.load(self.pages.page(left));
        let border = entries.count();
        entries.load(self.pages.page(right));
        if level > 0 {
            // What the first child of the right page begins with is known only above.
            entries.entry_mut(border)[..width].copy_from_slice(&parents.entry(at + 1)[..width]);
        }
        let merged = entries.count() <= self.shape.entries_max(level);
        if merged {
            if level == 0 {
                self.unlink(left, right);
            }
            self.store(left, level, entries.bytes());
            self.pages.free(right);
            parents.remove(at + 1);
        } else {
            let keep = entries.count() / 2;
            let (for_left, for_right) = entries.bytes().split_at(keep * entries.stride);
            self.store(left, level, for_left);
            self.store(right, level, for_right);
            let separator = parents.entry_mut(at + 1);
            if level == 0 {
                separator[..width].copy_from_slice(&for_left[for_left.len() - width..]);
                separator_behind(&mut separator[..width]);
            } else {
                separator[..width].copy_from_slice(&for_right[..width]);
            }
        }
        self.store(parent, level + 1, parents.bytes());
        merged
    }

    /// Takes the leaf `right` out of the row of leaves, in which it follows `left`.
    fn unlink(&mut self, left: u32, right: u32) {
        let next = self.leaf(right).next();
        self.set_link(left, NEXT_AT, next);
        if next != NONE {
            self.set_link(next, PREVIOUS_AT, left);
        }
    }

    /// Frees the root if it is of no use: without items, or with one child, which becomes the root.
    fn lower_root(&mut self, page: u32, level: usize) {
        if self.count(page) > usize::from(level > 0) {
            return;
        }
        let child = if level > 0 { self.inner(page).child(0) } else { NONE };
        self.pages.free(page);
        let root = self.root();
        self.pages.write_root(self.root_at, Root { page: child, height: root.height - 1, items: root.items });
    }

    /// Makes room for an item at `at` of a leaf that is not full, and puts it there.
    fn put(&mut self, leaf: u32, at: usize, item: &[u8]) {
        let (width, count) = (item.len(), self.count(leaf));
        let behind = self.pages.edit(leaf, ITEMS_AT + at * width, (count + 1 - at) * width);
        behind.copy_within(..(count - at) * width, width);
        behind[..width].copy_from_slice(item);
        self.set_count(leaf, count + 1);
    }

    /// Takes item `at` out of a leaf.
    fn cut(&mut self, leaf: u32, at: usize) {
        let (width, count) = (self.shape.item_bytes(), self.count(leaf));
        if at + 1 < count {
            let behind = self.pages.edit(leaf, ITEMS_AT + at * width, (count - at) * width);
            behind.copy_within(width.., 0);
        }
        self.set_count(leaf, count - 1);
    }

    /// Overwrites items of a leaf, beginning with number `at`, which then are `count`.
    pub(super) fn write_run(&mut self, leaf: u32, at: usize, items: &[u8], count: usize) {
        self.pages.write(leaf, ITEMS_AT + at * self.shape.item_bytes(), items);
        self.set_count(leaf, count);
    }

    /// Says how many items a leaf has, and what they have in common.
    fn set_count(&mut self, leaf: u32, count: usize) {
        let width = self.shape.item_bytes();
        let items = &self.pages.page(leaf)[ITEMS_AT..ITEMS_AT + count * width];
        let skip = self.shape.skip_of(items, width);
        self.pages.write(leaf, COUNT_AT, &[count as u8, skip as u8]);
    }

    fn set_link(&mut self, page: u32, at: usize, to: u32) {
        self.pages.write(page, at, &to.to_le_bytes());
    }

    fn alloc(&mut self, image: Image) -> u32 {
        self.pages.alloc(image.bytes())
    }

    /// Writes a page of `level` anew. A leaf keeps its links.
    fn store(&mut self, page: u32, level: usize, entries: &[u8]) {
        let image = if level == 0 {
            let leaf = self.leaf(page);
            Image::leaf(self.shape, [leaf.previous(), leaf.next()], entries)
        } else {
            Image::inner(self.shape, level, entries)
        };
        self.pages.rewrite(page, image.bytes());
    }
}
