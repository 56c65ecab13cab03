//! Changing a hash: one pair at a time.

use super::super::btree::BTreeMut;
use super::super::pages::{NONE, PAGE_BYTES_MAX, PagesMut, ROOT_AT, Root, kind, u32_at, u64_at};
use super::bucket::{self, Bucket, COUNT_AT, DEPTH_AT, TAGS_AT, item_at, tag_of};
use super::{
    HashIndex, HashShape, ID_BYTES, ITEM_BYTES_MAX, ROOT_BYTES, SLOT_BYTES, TREE_ROOT_AT, hash_of, item_of, root_of,
};
use crate::table::buffer::BufferMut;

/// How many bits deeper than an even spread of full buckets a bucket may lie before it becomes a tree.
const DEPTH_SLACK: u32 = 4;
/// How many bits the roots may choose by however few items there are: so many roots fit the smallest page.
const ROOT_BITS_FREE: u32 = 6;
/// Where the page of a tree says whether all its items have the same hash.
pub(super) const PURE_AT: usize = 2;
/// Where the page of a tree says which hash that is.
pub(super) const HASH_AT: usize = 8;

/// An extendible hash, for writing. Its buffer must hold a sound hash of this shape or no bytes; on others it may
/// panic.
#[derive(Debug)]
pub struct HashIndexMut<'a> {
    pub(super) pages: PagesMut<'a>,
    pub(super) shape: HashShape,
    /// How many items there are about to be, if many are being added.
    pub(super) expected: u64,
}

/// Where in the directories a hash belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    hash: u64,
    /// How many bits choose the root.
    root_bits: u32,
    pub(super) directory: u32,
    /// How many bits are behind at the directory.
    pub(super) prefix: u32,
    slot: usize,
    /// The bucket or tree there.
    pub(super) page: u32,
}

impl<'a> HashIndexMut<'a> {
    /// The hash in `buffer`.
    pub fn new(buffer: BufferMut<'a>, shape: HashShape) -> HashIndexMut<'a> {
        HashIndexMut { pages: PagesMut::new(buffer, shape.format()), shape, expected: 0 }
    }

    /// The hash as it is now.
    pub fn as_index(&self) -> HashIndex<'_> {
        HashIndex::new(self.pages.bytes(), self.shape)
    }

    /// Adds a record with its key; `false` if this record was there with this key.
    ///
    /// # Panics
    /// If `key` is not as wide as the keys of this hash.
    pub fn insert(&mut self, key: &[u8], record: u64) -> bool {
        assert_eq!(key.len(), self.shape.key_bytes(), "a key of the hash's width");
        self.ensure_roots();
        let hash = hash_of(key);
        let inserted = loop {
            let place = self.place(hash);
            if place.directory == NONE {
                self.add_directory(&place);
            } else if place.page == NONE {
                break self.add_bucket(&place, key, record);
            } else if self.is_tree(place.page) {
                if self.accepts(&place) {
                    break self.insert_into_tree(place.page, key, record);
                }
            } else if self.bucket(place.page).find_pair(key, hash, record).is_some() {
                break false;
            } else if self.bucket(place.page).count() < self.shape.items_max() {
                break self.push(&place, key, record);
            } else {
                self.relieve(&place);
            }
        };
        if inserted {
            self.pages.write_items(ROOT_AT, self.root().items + 1);
        }
        inserted
    }

    /// Takes a record with its key out; `false` if it was not there.
    ///
    /// # Panics
    /// If `key` is not as wide as the keys of this hash.
    pub fn remove(&mut self, key: &[u8], record: u64) -> bool {
        assert_eq!(key.len(), self.shape.key_bytes(), "a key of the hash's width");
        let items = self.root().items;
        if items == 0 {
            return false;
        }
        let place = self.place(hash_of(key));
        if place.directory == NONE || place.page == NONE {
            return false;
        }
        if self.is_tree(place.page) {
            let item = item_of(key, record);
            if !self.tree(place.page).remove(&item[..key.len() + ID_BYTES]) {
                return false;
            }
        } else {
            let Some(at) = self.bucket(place.page).find_pair(key, place.hash, record) else { return false };
            self.cut(place.page, at);
        }
        if items == 1 {
            self.pages.clear();
        } else {
            self.pages.write_items(ROOT_AT, items - 1);
            self.tidy(&place);
        }
        true
    }

    /// Takes everything out, at the cost of writing the header.
    pub fn clear(&mut self) {
        self.pages.clear();
    }

    /// Makes the header and the first root, if there are none yet.
    pub(super) fn ensure_roots(&mut self) {
        self.pages.ensure_header();
        if self.root().page == NONE {
            let page = self.pages.alloc_run(1);
            self.pages.edit(page, 0, ROOT_BYTES).fill(0);
            self.pages.write_root(ROOT_AT, Root { page, height: 0, items: 0 });
        }
    }

    pub(super) fn root(&self) -> Root {
        Root::read(self.pages.bytes(), ROOT_AT)
    }

    pub(super) fn bucket(&self, page: u32) -> Bucket<'_> {
        Bucket::new(self.pages.page(page), self.shape)
    }

    pub(super) fn is_tree(&self, page: u32) -> bool {
        self.pages.page(page)[0] == kind::TREE
    }

    fn tree(&mut self, page: u32) -> BTreeMut<'_> {
        let at = page as usize * self.shape.page_bytes() + TREE_ROOT_AT;
        BTreeMut::at(self.pages.reborrow(), self.shape.tree, at)
    }

    /// Where a hash belongs. There are roots.
    pub(super) fn place(&self, hash: u64) -> Place {
        let root = self.root();
        let (directory, prefix) = self.as_index().directory(root, root_of(hash, root.height));
        let slot = self.shape.slot(hash, prefix);
        let page = if directory == NONE { NONE } else { u32_at(self.pages.page(directory), slot * SLOT_BYTES) };
        Place { hash, root_bits: root.height, directory, prefix, slot, page }
    }

    fn insert_into_tree(&mut self, page: u32, key: &[u8], record: u64) -> bool {
        self.tree(page).insert(&item_of(key, record)[..key.len() + ID_BYTES])
    }

    /// Adds an item to the bucket at `place`, which has room.
    fn push(&mut self, place: &Place, key: &[u8], record: u64) -> bool {
        let at = self.bucket(place.page).count();
        let item = self.pages.edit(place.page, item_at(self.shape, at), key.len() + ID_BYTES);
        item[..key.len()].copy_from_slice(key);
        item[key.len()..].copy_from_slice(&record.to_be_bytes());
        self.pages.write(place.page, TAGS_AT + at, &[tag_of(place.hash)]);
        self.pages.write(place.page, COUNT_AT, &[at as u8 + 1]);
        true
    }

    /// Takes item `at` out of a bucket; the last takes its place.
    fn cut(&mut self, page: u32, at: usize) {
        let bucket = self.bucket(page);
        let last = bucket.count() - 1;
        if at < last {
            let (tag, mut item) = (bucket.tag(last), [0; ITEM_BYTES_MAX]);
            let width = self.shape.tree.item_bytes();
            item[..width].copy_from_slice(&bucket.items()[last * width..]);
            self.pages.write(page, item_at(self.shape, at), &item[..width]);
            self.pages.write(page, TAGS_AT + at, &[tag]);
        }
        self.pages.write(page, COUNT_AT, &[last as u8]);
    }

    /// Makes the empty directory that the root at `place` lacks.
    pub(super) fn add_directory(&mut self, place: &Place) {
        let page = self.pages.alloc(&[0; PAGE_BYTES_MAX][..self.shape.page_bytes()]);
        self.set_roots(place, place.prefix, page, page);
    }

    /// Makes a bucket of one item for the slot at `place` and those around it that lead nowhere either.
    fn add_bucket(&mut self, place: &Place, key: &[u8], record: u64) -> bool {
        let depth = self.free_depth(place);
        let (image, len) = bucket::image(self.shape, depth, &item_of(key, record)[..self.shape.tree.item_bytes()]);
        let page = self.pages.alloc(&image[..len]);
        self.set_slots(place, self.run(place, depth), page);
        true
    }

    /// How many bits have those slots in common, as many as possible, that are around the one at `place` and lead nowhere
    /// like it.
    pub(super) fn free_depth(&self, place: &Place) -> u32 {
        let directory = self.pages.page(place.directory);
        let is_free = |run: Run| run.bytes(directory).iter().all(|byte| *byte == 0);
        let mut depth = place.prefix + self.shape.slot_bits();
        while depth > place.prefix && is_free(self.run(place, depth).neighbour()) {
            depth -= 1;
        }
        depth
    }

    /// Makes room in the full bucket at `place`, or a step towards it.
    fn relieve(&mut self, place: &Place) {
        let bucket = self.bucket(place.page);
        let differ = hashes(bucket.items(), self.shape).fold(0, |differ, hash| differ | (hash ^ place.hash));
        if differ.leading_zeros() >= self.depth_max() {
            return self.turn_into_tree(place, differ == 0);
        }
        let depth = bucket.depth();
        if depth == place.prefix + self.shape.slot_bits() {
            return self.split_directory(place);
        }
        self.split_bucket(place, depth);
    }

    /// How deep a bucket may lie: for a deeper one the roots would be out of proportion to the items.
    pub(super) fn depth_max(&self) -> u32 {
        let items = self.root().items.max(self.expected);
        let buckets = items / self.shape.items_max() as u64 + 1;
        (self.shape.slot_bits() + ROOT_BITS_FREE).max(buckets.ilog2() + DEPTH_SLACK)
    }

    /// Splits the bucket at `place` by the bit of the hash at `depth`.
    pub(super) fn split_bucket(&mut self, place: &Place, depth: u32) {
        let width = self.shape.tree.item_bytes();
        let (mut zeros, mut ones) = (Items::new(), Items::new());
        for item in self.bucket(place.page).items().chunks_exact(width) {
            let hash = hash_of(&item[..self.shape.key_bytes()]);
            if hash << depth >> 63 == 0 { zeros.push(item) } else { ones.push(item) }
        }
        let (low, high) = self.run(place, depth).halves();
        let (kept, other) = if zeros.is_empty() { (&ones, &zeros) } else { (&zeros, &ones) };
        let (image, len) = bucket::image(self.shape, depth + 1, kept.bytes());
        self.pages.rewrite(place.page, &image[..len]);
        let new = if other.is_empty() {
            NONE
        } else {
            let (image, len) = bucket::image(self.shape, depth + 1, other.bytes());
            self.pages.alloc(&image[..len])
        };
        self.set_slots(place, if zeros.is_empty() { low } else { high }, new);
    }

    /// Whether the tree at `place` takes items of that hash. If not, it now lies one step deeper, away from that hash.
    fn accepts(&mut self, place: &Place) -> bool {
        let page = self.pages.page(place.page);
        let (depth, pure, hash) = (u32::from(page[DEPTH_AT]), page[PURE_AT] != 0, u64_at(page, HASH_AT));
        if !pure || hash == place.hash {
            return true;
        }
        if (hash ^ place.hash).leading_zeros() >= self.depth_max() {
            self.pages.write(place.page, PURE_AT, &[0]);
            return true;
        }
        if depth == place.prefix + self.shape.slot_bits() {
            self.split_directory(place);
        } else {
            let (low, high) = self.run(place, depth).halves();
            self.pages.write(place.page, DEPTH_AT, &[depth as u8 + 1]);
            self.set_slots(place, if hash << depth >> 63 == 0 { high } else { low }, NONE);
        }
        false
    }

    /// Makes a tree of the bucket at `place`.
    fn turn_into_tree(&mut self, place: &Place, pure: bool) {
        let bucket = self.bucket(place.page);
        let (depth, mut items) = (bucket.depth(), Items::new());
        items.extend(bucket.items());
        self.pages.free(place.page);
        let mut content = [0; TREE_ROOT_AT + 16];
        content[0] = kind::TREE;
        content[DEPTH_AT] = depth as u8;
        content[PURE_AT] = u8::from(pure);
        content[HASH_AT..TREE_ROOT_AT].copy_from_slice(&place.hash.to_le_bytes());
        let page = self.pages.alloc(&content);
        for item in items.bytes().chunks_exact(self.shape.tree.item_bytes()) {
            self.tree(page).insert(item);
        }
        self.set_slots(place, self.run(place, depth), page);
    }

    /// Makes two directories of the one at `place`, each for one bit more of the hash.
    pub(super) fn split_directory(&mut self, place: &Place) {
        if place.prefix == place.root_bits {
            return self.double_roots();
        }
        let half = self.shape.page_bytes() / 2;
        let mut halves = [[0; PAGE_BYTES_MAX]; 2];
        let directory = self.pages.page(place.directory).chunks_exact(half);
        for (half, slots) in halves.iter_mut().zip(directory) {
            for (twice, slot) in half.chunks_exact_mut(2 * SLOT_BYTES).zip(slots.chunks_exact(SLOT_BYTES)) {
                twice[..SLOT_BYTES].copy_from_slice(slot);
                twice[SLOT_BYTES..].copy_from_slice(slot);
            }
        }
        let [low, high] = halves.each_ref().map(|half| &half[..self.shape.page_bytes()]);
        let leads_nowhere = |slots: &[u8]| slots.iter().all(|byte| *byte == 0);
        let (low_page, high_page) = if leads_nowhere(low) {
            self.pages.rewrite(place.directory, high);
            (NONE, place.directory)
        } else {
            self.pages.rewrite(place.directory, low);
            (place.directory, if leads_nowhere(high) { NONE } else { self.pages.alloc(high) })
        };
        self.set_roots(place, place.prefix + 1, low_page, high_page);
    }

    /// Makes the roots choose by one bit more of the hash.
    fn double_roots(&mut self) {
        let (root, page_bytes) = (self.root(), self.shape.page_bytes());
        let pages = |bits: u32| ((ROOT_BYTES << bits).div_ceil(page_bytes)) as u32;
        let new = self.pages.alloc_run(pages(root.height + 1));
        let (from, to) = (root.page as usize * page_bytes, new as usize * page_bytes);
        for at in 0..1 << root.height {
            let entry = u64_at(self.pages.bytes(), from + at * ROOT_BYTES).to_le_bytes();
            let twice = self.pages.edit_at(to + 2 * at * ROOT_BYTES, 2 * ROOT_BYTES);
            twice[..ROOT_BYTES].copy_from_slice(&entry);
            twice[ROOT_BYTES..].copy_from_slice(&entry);
        }
        for page in 0..pages(root.height) {
            self.pages.free(root.page + page);
        }
        self.pages.write_root(ROOT_AT, Root { page: new, height: root.height + 1, items: root.items });
    }

    /// After a removal: frees what is empty at `place`, and merges what nearly is.
    fn tidy(&mut self, place: &Place) {
        if self.is_tree(place.page) {
            return self.tidy_tree(place);
        }
        let bucket = self.bucket(place.page);
        let (depth, count) = (bucket.depth(), bucket.count());
        if count == 0 {
            self.pages.free(place.page);
            self.set_slots(place, self.run(place, depth), NONE);
            self.tidy_directory(place);
        } else if count <= self.shape.items_max() / 3 && depth > place.prefix {
            self.merge(place, depth);
        }
    }

    /// Merges the bucket at `place` with its neighbour, if that lies as deep and both together leave some room in a
    /// page.
    fn merge(&mut self, place: &Place, depth: u32) {
        let run = self.run(place, depth);
        let slots = run.neighbour().bytes(self.pages.page(place.directory));
        let neighbour = u32_at(slots, 0);
        let mut items = Items::new();
        items.extend(self.bucket(place.page).items());
        if neighbour == NONE {
            if slots.iter().any(|byte| *byte != 0) {
                return;
            }
        } else {
            let other = self.bucket(neighbour);
            let count = self.bucket(place.page).count() + other.count();
            if self.is_tree(neighbour) || other.depth() != depth || count > self.shape.items_max() * 3 / 4 {
                return;
            }
            items.extend(other.items());
            self.pages.free(neighbour);
        }
        let (image, len) = bucket::image(self.shape, depth - 1, items.bytes());
        self.pages.rewrite(place.page, &image[..len]);
        self.set_slots(place, run.neighbour(), place.page);
    }

    /// Makes a bucket of the tree at `place` if it became small enough, or frees it.
    fn tidy_tree(&mut self, place: &Place) {
        let depth = u32::from(self.pages.page(place.page)[DEPTH_AT]);
        let run = self.run(place, depth);
        let tree = self.as_index().tree(place.page);
        if tree.is_empty() {
            self.pages.free(place.page);
            self.set_slots(place, run, NONE);
            return self.tidy_directory(place);
        }
        let Some((leaf, items)) = tree
            .only_leaf()
            .filter(|(_, items)| items.len() <= self.shape.items_max() / 2 * self.shape.tree.item_bytes())
        else {
            return;
        };
        let (image, len) = bucket::image(self.shape, depth, items);
        self.pages.free(leaf);
        self.pages.rewrite(place.page, &image[..len]);
    }

    /// Frees the directory at `place` if none of its slots leads anywhere.
    fn tidy_directory(&mut self, place: &Place) {
        if self.pages.page(place.directory).iter().all(|byte| *byte == 0) {
            self.pages.free(place.directory);
            self.set_roots(place, place.prefix, NONE, NONE);
        }
    }

    /// The slots around `place` whose hashes begin with the same `depth` bits.
    pub(super) fn run(&self, place: &Place, depth: u32) -> Run {
        let len = 1 << (place.prefix + self.shape.slot_bits() - depth);
        Run { from: place.slot & !(len - 1), len }
    }

    pub(super) fn set_slots(&mut self, place: &Place, run: Run, page: u32) {
        for slot in self.pages.edit(place.directory, run.from * SLOT_BYTES, run.len * SLOT_BYTES).chunks_exact_mut(4) {
            slot.copy_from_slice(&page.to_le_bytes());
        }
    }

    /// Lets the roots that lead to the directory at `place` lead to `low` and `high` instead, half of them each, where
    /// `prefix` bits will be behind.
    fn set_roots(&mut self, place: &Place, prefix: u32, low: u32, high: u32) {
        let len = 1_usize << (place.root_bits - place.prefix);
        let from = root_of(place.hash, place.root_bits) & !(len - 1);
        let at = self.root().page as usize * self.shape.page_bytes() + from * ROOT_BYTES;
        let roots = self.pages.edit_at(at, len * ROOT_BYTES);
        for (number, root) in roots.chunks_exact_mut(ROOT_BYTES).enumerate() {
            let page = if number < len / 2 { low } else { high };
            root.copy_from_slice(&(u64::from(prefix) << 32 | u64::from(page)).to_le_bytes());
        }
    }
}

/// Slots that lead to the same bucket: a power of two of them, at a multiple of their number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    from: usize,
    pub(super) len: usize,
}

impl Run {
    /// The slots that differ in the last bit of their common prefix.
    fn neighbour(self) -> Run {
        Run { from: self.from ^ self.len, len: self.len }
    }

    /// Those where the next bit is 0, and those where it is 1.
    pub(super) fn halves(self) -> (Run, Run) {
        let len = self.len / 2;
        (Run { from: self.from, len }, Run { from: self.from + len, len })
    }

    fn bytes(self, directory: &[u8]) -> &[u8] {
        &directory[self.from * SLOT_BYTES..][..self.len * SLOT_BYTES]
    }
}

/// Items gathered from buckets; one page full at most.
struct Items {
    buffer: [u8; PAGE_BYTES_MAX],
    len: usize,
}

impl Items {
    fn new() -> Items {
        Items { buffer: [0; PAGE_BYTES_MAX], len: 0 }
    }

    fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    fn push(&mut self, item: &[u8]) {
        self.extend(item);
    }

    fn extend(&mut self, items: &[u8]) {
        self.buffer[self.len..][..items.len()].copy_from_slice(items);
        self.len += items.len();
    }
}

/// The hashes of items that lie one behind the other.
fn hashes(items: &[u8], shape: HashShape) -> impl Iterator<Item = u64> {
    items.chunks_exact(shape.tree.item_bytes()).map(move |item| hash_of(&item[..shape.key_bytes()]))
}
