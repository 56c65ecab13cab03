//! Adding many pairs at once.
//!
//! Pairs are taken in the order of their hashes, and so bucket by bucket. What belongs into a bucket's range is known
//! before it is touched: the range is shared out over as many buckets as it needs in one step, where pair by pair the same
//! bucket would be split again and again. Directories are split first until their share of the pairs fits them. The few
//! pairs for which a bucket of the deepest kind has no room are added one by one in the end.

use super::super::pages::{NONE, ROOT_AT, kind};
use super::super::{Items, hash_entry, head_bits};
use super::bucket::{COUNT_AT, DEPTH_AT, TAGS_AT, item_at, tag_of};
use super::edit::{HashIndexMut, Place, Run};
use super::{ID_BYTES, hash_of, id_of};
use crate::id::RecordId;

/// Fewer pairs than this are added one by one.
const FEW: usize = 16;

impl HashIndexMut<'_> {
    /// Adds items, none twice, in the order of the hashes of their keys; gives how many were new.
    ///
    /// # Panics
    /// If the items are not as wide as those of this hash.
    pub fn insert_all(&mut self, items: Items<'_>) -> usize {
        let key_bytes = self.shape.key_bytes();
        assert_eq!(items.width(), key_bytes + ID_BYTES, "items of the hash's width");
        debug_assert!(
            items.order().is_sorted_by(|one, other| items.compare_hashed(*one, *other).is_lt()),
            "in the order of hashes, none twice"
        );
        if items.order().len() < FEW {
            let order = items.order().iter();
            return order.filter(|entry| self.insert(items.key(**entry), items.id(**entry).get())).count();
        }
        self.ensure_roots();
        let before = self.root().items;
        self.expected = before + items.order().len() as u64;
        self.expect_pages(items.order().len());
        let (mut room, mut inserted, mut rest) = (Room::default(), 0, items.order());
        while !rest.is_empty() {
            let (taken, new) = self.insert_run(items, rest, &mut room);
            rest = &rest[taken..];
            inserted += new;
        }
        let late = room.late.chunks_exact(key_bytes + ID_BYTES);
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

    /// Adds the first items of `order`, as many as belong into the same range of slots; gives how many it has dealt with, and
    /// how many of them are new.
    fn insert_run(&mut self, items: Items<'_>, order: &[u64], room: &mut Room) -> (usize, usize) {
        let place = self.place(items.whole_hash(order[0]));
        if place.directory == NONE {
            self.add_directory(&place);
            return (0, 0);
        }
        if self.is_too_narrow(&place, items, order) {
            // What all of its slots lead to would belong to both halves.
            match self.depth_of(&place) {
                Some(depth) if depth == place.prefix => self.split_bucket(&place, depth),
                _ => self.split_directory(&place),
            }
            return (0, 0);
        }
        if place.page == NONE {
            let depth = self.free_depth(&place);
            let order = &order[..items.run_len(order, depth)];
            self.share_out(&place, self.run(&place, depth), depth, (items, order), &mut None, &mut room.late);
            return (order.len(), order.len());
        }
        if self.is_tree(place.page) {
            let late = &mut room.late;
            let from = late.len();
            put_off(items, order[0], late);
            let is_there = self.as_index().tree(place.page).contains(&late[from..]);
            if is_there {
                late.truncate(from);
            }
            return (1, usize::from(!is_there));
        }
        let depth = self.bucket(place.page).depth();
        let order = &order[..items.run_len(order, depth)];
        (order.len(), self.insert_into_bucket(&place, depth, (items, order), room))
    }

    /// Adds items that all belong into the bucket at `place`; gives how many are new.
    fn insert_into_bucket(
        &mut self,
        place: &Place,
        depth: u32,
        (items, order): (Items<'_>, &[u64]),
        Room { late, new, pairs }: &mut Room,
    ) -> usize {
        let bucket = self.bucket(place.page);
        let is_new =
            |entry: &u64| bucket.find_pair(items.key(*entry), items.hash(*entry), items.id(*entry).get()).is_none();
        new.clear();
        new.extend(order.iter().copied().filter(is_new));
        if bucket.count() + new.len() <= self.shape.items_max() {
            self.push_all(place, items, new);
        } else {
            pairs.gather(bucket.items(), items, new);
            let (all, run) = (pairs.items(items.width()), self.run(place, depth));
            self.share_out(place, run, depth, (all, all.order()), &mut Some(place.page), late);
        }
        new.len()
    }

    /// Whether the directory at `place` has too few slots for what comes, and may be split.
    fn is_too_narrow(&self, place: &Place, items: Items<'_>, order: &[u64]) -> bool {
        let fits = self.shape.slots() * self.shape.items_max() / 4 * 3;
        let is_whole_tree = || self.depth_of(place) == Some(place.prefix) && self.is_tree(place.page);
        items.run_len(order, place.prefix) > fits
            && place.prefix + self.shape.slot_bits() < self.depth_max()
            && !is_whole_tree()
    }

    /// How deep the bucket or tree at `place` lies, if there is one.
    fn depth_of(&self, place: &Place) -> Option<u32> {
        (place.page != NONE).then(|| u32::from(self.pages.page(place.page)[DEPTH_AT]))
    }

    /// Writes the items of `order`, whose hashes begin with the same `depth` bits, into buckets for these slots. `spare` is a
    /// page that may be overwritten; items for which there is no room go to `late`.
    fn share_out(
        &mut self,
        place: &Place,
        run: Run,
        depth: u32,
        (items, order): (Items<'_>, &[u64]),
        spare: &mut Option<u32>,
        late: &mut Vec<u8>,
    ) {
        let items_max = self.shape.items_max();
        if order.len() > items_max && run.len > 1 {
            let zeros = items.zeros(order, depth);
            let (low, high) = run.halves();
            self.share_out(place, low, depth + 1, (items, &order[..zeros]), spare, late);
            return self.share_out(place, high, depth + 1, (items, &order[zeros..]), spare, late);
        }
        let (order, beyond) = order.split_at(order.len().min(items_max));
        beyond.iter().for_each(|entry| put_off(items, *entry, late));
        let page = if order.is_empty() { NONE } else { self.write_bucket(depth, items, order, spare.take()) };
        self.set_slots(place, run, page);
    }

    /// Makes a bucket of items, in the page `spare` if there is one; gives its page.
    fn write_bucket(&mut self, depth: u32, items: Items<'_>, order: &[u64], spare: Option<u32>) -> u32 {
        let (shape, len) = (self.shape, item_at(self.shape, order.len()));
        let write = |content: &mut [u8]| {
            let (head, places) = content.split_at_mut(item_at(shape, 0));
            head[..TAGS_AT].copy_from_slice(&[kind::BUCKET, depth as u8, order.len() as u8, 0]);
            items.write(order, places);
            write_tags(items, order, &mut head[TAGS_AT..]);
            head[TAGS_AT + order.len()..].fill(0);
        };
        match spare {
            None => {
                let (page, content) = self.pages.take(len);
                write(content);
                page
            }
            Some(page) => {
                let mut content = vec![0; len];
                write(&mut content);
                self.pages.rewrite(page, &content);
                page
            }
        }
    }

    /// Adds items to the bucket at `place`, which has room for them.
    fn push_all(&mut self, place: &Place, items: Items<'_>, order: &[u64]) {
        if order.is_empty() {
            return;
        }
        let (at, width) = (self.bucket(place.page).count(), items.width());
        let places = self.pages.edit(place.page, item_at(self.shape, at), order.len() * width);
        items.write(order, places);
        write_tags(items, order, self.pages.edit(place.page, TAGS_AT + at, order.len()));
        self.pages.write(place.page, COUNT_AT, &[(at + order.len()) as u8]);
    }
}

/// Puts an item off until later.
fn put_off(items: Items<'_>, entry: u64, late: &mut Vec<u8>) {
    let from = late.len();
    late.resize(from + items.width(), 0);
    items.write(&[entry], &mut late[from..]);
}

fn write_tags(items: Items<'_>, order: &[u64], tags: &mut [u8]) {
    tags.iter_mut().zip(order).for_each(|(tag, entry)| *tag = tag_of(items.hash(*entry)));
}

/// What is needed on the way, again and again.
#[derive(Default)]
struct Room {
    /// Items that are put off until later.
    late: Vec<u8>,
    /// Entries of those that are not there yet.
    new: Vec<u64>,
    pairs: Pairs,
}

/// Items of a bucket, and others that belong into it, in the order of their hashes.
#[derive(Default)]
struct Pairs {
    keys: Vec<u8>,
    ids: Vec<RecordId>,
    order: Vec<u64>,
}

impl Pairs {
    fn gather(&mut self, old: &[u8], items: Items<'_>, new: &[u64]) {
        let (width, Pairs { keys, ids, order }) = (items.width(), self);
        let key_bytes = width - ID_BYTES;
        keys.clear();
        ids.clear();
        order.clear();
        for entry in new {
            keys.extend_from_slice(items.key(*entry));
            ids.push(items.id(*entry));
        }
        for item in old.chunks_exact(width) {
            keys.extend_from_slice(&item[..key_bytes]);
            let id = id_of(item);
            ids.push(RecordId::new(id as u32, (id >> 32) as u32));
        }
        let of_head = head_bits(ids.len());
        let hashes = keys.chunks_exact(key_bytes).map(hash_of);
        order.extend(hashes.zip(0..).map(|(hash, number)| hash_entry(hash, number, of_head)));
        Items::new((keys, key_bytes), ids, &[]).sort_hashed(order);
    }

    fn items(&self, width: usize) -> Items<'_> {
        Items::new((&self.keys, width - ID_BYTES), &self.ids, &self.order)
    }
}
