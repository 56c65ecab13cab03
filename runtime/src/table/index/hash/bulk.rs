//! Adding many pairs at once.
//!
//! Pairs are taken in the order of their hashes, and so bucket by bucket. What belongs into a bucket's range is known
//! before it is touched: the range is shared out over as many buckets as it needs in one step, where pair by pair the same
//! bucket would be split again and again. Directories are split first until their share of the pairs fits them. The few
//! pairs for which a bucket of the deepest kind has no room are added one by one in the end.

use super::super::Items;
use super::super::btree::copy_item;
use super::super::pages::{NONE, ROOT_AT, kind};
use super::bucket::{COUNT_AT, DEPTH_AT, TAGS_AT, item_at, tag_of};
use super::edit::{HashIndexMut, Place, Run};
use super::{ID_BYTES, hash_of, id_of};

/// Fewer pairs than this are added one by one.
const FEW: usize = 16;

/// A pair of key and record as an item, behind its hash.
type Hashed<'i> = (u64, &'i [u8]);

impl HashIndexMut<'_> {
    /// Adds items with the hashes of their keys; gives how many were new. It is faster if they come in the order of the
    /// hashes, and none twice.
    ///
    /// # Panics
    /// If the items are not as wide as those of this hash.
    pub fn insert_all(&mut self, items: Items<'_>) -> usize {
        let key_bytes = self.shape.key_bytes();
        assert_eq!(items.width(), key_bytes + ID_BYTES, "items of the hash's width");
        if items.order().len() < FEW {
            return items.iter().filter(|(_, item)| self.insert(&item[..key_bytes], id_of(item))).count();
        }
        let is_sorted = items.order().is_sorted_by(|one, other| items.compare(*one, *other).is_lt());
        let sorted = if is_sorted { Vec::new() } else { sorted_order(items) };
        let items = if is_sorted { items } else { items.in_order(&sorted) };
        self.ensure_roots();
        let before = self.root().items;
        self.expected = before + items.order().len() as u64;
        self.expect_pages(items.order().len());
        let (mut pairs, mut late, mut inserted, mut rest) = (Vec::new(), Vec::new(), 0, items.order());
        while !rest.is_empty() {
            let (taken, new) = self.insert_run(items.in_order(rest), &mut pairs, &mut late);
            rest = &rest[taken..];
            inserted += new;
        }
        let late = late.chunks_exact(key_bytes + ID_BYTES);
        self.pages.write_items(ROOT_AT, before + (inserted - late.len()) as u64);
        late.for_each(|item| {
            self.insert(&item[..key_bytes], id_of(item));
        });
        inserted
    }

    /// Makes room for the pages that so many new items need, about: buckets are shared out by halves, and most are not full.
    fn expect_pages(&mut self, items: usize) {
        let buckets = items / (self.shape.items_max() * 2 / 3).max(1);
        let directories = buckets.next_power_of_two() / self.shape.slots();
        self.pages.expect(buckets + directories);
    }

    /// Adds the first items, as many as belong into the same range of slots; gives how many it has dealt with, and how many
    /// of them are new. Items that are put off until later go to `late`; `pairs` is room for those that are not.
    fn insert_run<'i>(&mut self, items: Items<'i>, pairs: &mut Vec<Hashed<'i>>, late: &mut Vec<u8>) -> (usize, usize) {
        let order = items.order();
        let place = self.place(order[0].0);
        if place.directory == NONE {
            self.add_directory(&place);
            return (0, 0);
        }
        if self.is_too_narrow(&place, order) {
            // What all of its slots lead to would belong to both halves.
            match self.depth_of(&place) {
                Some(depth) if depth == place.prefix => self.split_bucket(&place, depth),
                _ => self.split_directory(&place),
            }
            return (0, 0);
        }
        if place.page == NONE {
            let depth = self.free_depth(&place);
            pairs.clear();
            pairs.extend(items.in_order(&order[..run_len(order, depth)]).iter());
            self.share_out(&place, self.run(&place, depth), depth, pairs, &mut None, late);
            return (pairs.len(), pairs.len());
        }
        if self.is_tree(place.page) {
            let item = items.item(order[0].1);
            let is_there = self.as_index().tree(place.page).contains(item);
            late.extend_from_slice(if is_there { &[] } else { item });
            return (1, usize::from(!is_there));
        }
        let bucket = self.bucket(place.page);
        let depth = bucket.depth();
        let (order, key_bytes) = (&order[..run_len(order, depth)], self.shape.key_bytes());
        let is_new = |(hash, item): &Hashed<'_>| bucket.find_pair(&item[..key_bytes], *hash, id_of(item)).is_none();
        let mut new: Vec<Hashed<'_>> = items.in_order(order).iter().filter(is_new).collect();
        let count = new.len();
        if bucket.count() + count <= self.shape.items_max() {
            self.push_all(&place, &new);
        } else {
            let old = bucket.items().to_vec();
            let old = old.chunks_exact(self.shape.tree.item_bytes());
            new.extend(old.map(|item| (hash_of(&item[..key_bytes]), item)));
            new.sort_unstable();
            self.share_out(&place, self.run(&place, depth), depth, &new, &mut Some(place.page), late);
        }
        (order.len(), count)
    }

    /// Whether the directory at `place` has too few slots for what comes, and may be split.
    fn is_too_narrow(&self, place: &Place, order: &[(u64, u32)]) -> bool {
        let fits = self.shape.slots() * self.shape.items_max() / 4 * 3;
        let is_whole_tree = || self.depth_of(place) == Some(place.prefix) && self.is_tree(place.page);
        run_len(order, place.prefix) > fits
            && place.prefix + self.shape.slot_bits() < self.depth_max()
            && !is_whole_tree()
    }

    /// How deep the bucket or tree at `place` lies, if there is one.
    fn depth_of(&self, place: &Place) -> Option<u32> {
        (place.page != NONE).then(|| u32::from(self.pages.page(place.page)[DEPTH_AT]))
    }

    /// Writes `pairs`, whose hashes begin with the same `depth` bits, into buckets for these slots. `spare` is a page that
    /// may be overwritten; items for which there is no room go to `late`.
    fn share_out(
        &mut self,
        place: &Place,
        run: Run,
        depth: u32,
        pairs: &[Hashed<'_>],
        spare: &mut Option<u32>,
        late: &mut Vec<u8>,
    ) {
        let items_max = self.shape.items_max();
        if pairs.len() > items_max && run.len > 1 {
            let zeros = pairs.partition_point(|(hash, _)| hash << depth >> 63 == 0);
            let (low, high) = run.halves();
            self.share_out(place, low, depth + 1, &pairs[..zeros], spare, late);
            return self.share_out(place, high, depth + 1, &pairs[zeros..], spare, late);
        }
        let (pairs, beyond) = pairs.split_at(pairs.len().min(items_max));
        beyond.iter().for_each(|(_, item)| late.extend_from_slice(item));
        let page = if pairs.is_empty() { NONE } else { self.write_bucket(depth, pairs, spare.take()) };
        self.set_slots(place, run, page);
    }

    /// Makes a bucket of `pairs`, in the page `spare` if there is one; gives its page.
    fn write_bucket(&mut self, depth: u32, pairs: &[Hashed<'_>], spare: Option<u32>) -> u32 {
        let mut content = vec![0; item_at(self.shape, pairs.len())];
        let (head, items) = content.split_at_mut(item_at(self.shape, 0));
        head[0] = kind::BUCKET;
        head[DEPTH_AT] = depth as u8;
        head[COUNT_AT] = pairs.len() as u8;
        let places = head[TAGS_AT..].iter_mut().zip(items.chunks_exact_mut(self.shape.tree.item_bytes()));
        for ((tag, to), (hash, item)) in places.zip(pairs) {
            *tag = tag_of(*hash);
            copy_item(to, item);
        }
        match spare {
            None => self.pages.alloc(&content),
            Some(page) => {
                self.pages.rewrite(page, &content);
                page
            }
        }
    }

    /// Adds pairs to the bucket at `place`, which has room for them.
    fn push_all(&mut self, place: &Place, pairs: &[Hashed<'_>]) {
        if pairs.is_empty() {
            return;
        }
        let (at, width) = (self.bucket(place.page).count(), self.shape.tree.item_bytes());
        let items = self.pages.edit(place.page, item_at(self.shape, at), pairs.len() * width);
        items.chunks_exact_mut(width).zip(pairs).for_each(|(to, (_, item))| to.copy_from_slice(item));
        let tags = self.pages.edit(place.page, TAGS_AT + at, pairs.len());
        tags.iter_mut().zip(pairs).for_each(|(tag, (hash, _))| *tag = tag_of(*hash));
        self.pages.write(place.page, COUNT_AT, &[(at + pairs.len()) as u8]);
    }
}

/// How many of the first items have hashes that begin with the same `bits`.
fn run_len(order: &[(u64, u32)], bits: u32) -> usize {
    let first = order[0].0;
    order.partition_point(|(hash, _)| (hash ^ first).leading_zeros() >= bits)
}

/// The order of the items' hashes, without items that are there more than once.
fn sorted_order(items: Items<'_>) -> Vec<(u64, u32)> {
    let mut order = items.order().to_vec();
    order.sort_unstable_by(|one, other| items.compare(*one, *other));
    order.dedup_by(|one, other| items.compare(*one, *other).is_eq());
    order
}
