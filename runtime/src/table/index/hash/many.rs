//! Many keys looked for at once.
//!
//! A key that is looked for by itself waits for memory twice: for the tags of its bucket, then for its item. Those of many keys
//! wait for each of the two together.

use super::super::pages::{NONE, kind};
use super::super::{AT_ONCE, Wanted};
use super::bucket::Bucket;
use super::{HashIndex, get_in_tree, hash_of, shape_of};
use crate::cell::ahead::fetch_soon;

/// Where a key is looked for.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    hash: u64,
    /// Which items of the bucket have the tag of the key.
    hits: u64,
    page: u32,
}

impl HashIndex<'_> {
    /// A record with each of these keys, as [`get`](HashIndex::get) gives it.
    pub fn get_many(self, keys: &Wanted<'_>) -> [Option<u64>; AT_ONCE] {
        // As in `get`, and written out there and here: what is given as a closure to one place for both is called and not
        // inlined, and then nothing is known (find_many 521 instructions for 389).
        match self.shape.key_bytes() {
            8 => self.shaped(const { shape_of(8) }).get_each(keys),
            17 => self.shaped(const { shape_of(17) }).get_each(keys),
            33 => self.shaped(const { shape_of(33) }).get_each(keys),
            _ => self.get_each(keys),
        }
    }

    #[inline(always)]
    fn get_each(self, keys: &Wanted<'_>) -> [Option<u64>; AT_ONCE] {
        let (root, mut places) = (self.root(), [Place::default(); AT_ONCE]);
        for (place, key) in places.iter_mut().zip(keys.iter()) {
            if key.len() == self.shape.key_bytes() {
                place.hash = hash_of(key);
                place.page = self.find_from(root, place.hash).unwrap_or(NONE);
            }
            fetch_soon(self.pages.bytes, self.pages.offset(place.page));
        }
        for place in &mut places[..keys.count()] {
            if let Some(bucket) = self.bucket(place.page) {
                place.hits = bucket.hits(place.hash);
                bucket.fetch_soon(place.hits);
            }
        }
        let mut found = [None; AT_ONCE];
        for ((found, place), key) in found.iter_mut().zip(&places).zip(keys.iter()) {
            *found = match self.bucket(place.page) {
                _ if key.len() != self.shape.key_bytes() => None,
                Some(bucket) => bucket.find_among(key, place.hits).map(|(_, record)| record),
                None if place.page == NONE => None,
                None => get_in_tree(self.pages.bytes, self.shape, place.page, key),
            };
        }
        found
    }

    #[inline]
    fn bucket(&self, page: u32) -> Option<Bucket<'_>> {
        let page = self.pages.get(page)?;
        (page.first() == Some(&kind::BUCKET)).then(|| Bucket::new(page, self.shape))
    }
}
