//! What a batch of records is to put into one index: collected in the order of the records, then sorted once.
//!
//! A tree takes its items in their order, a hash in the order of their hashes: either way a page is gone to once for all
//! the items that belong into it, and records with the same key come to lie beside each other.

use crate::record::hash::hash_of;
use crate::table::def::IndexDef;

/// Bytes of the record id behind a key.
const ID_BYTES: usize = 8;
/// Fewer items than this are sorted by comparing.
const COMPARED_MAX: usize = 96;

/// What is to go into one index.
pub(super) struct Keys {
    /// Bytes of an item: a key and a record id.
    width: usize,
    /// Whether the order is that of the keys, or that of their hashes.
    is_ordered: bool,
    /// Items, in the order of the records.
    bytes: Vec<u8>,
    /// Once sorted: what tells most items apart, and the number of the item.
    order: Vec<(u64, u32)>,
}

impl Keys {
    /// Nothing yet, with room for so many items.
    pub(super) fn new(index: &IndexDef, expected: usize) -> Keys {
        let width = index.item_bytes();
        let (bytes, order) = (Vec::with_capacity(expected * width), Vec::with_capacity(expected));
        Keys { width, is_ordered: index.is_ordered(), bytes, order }
    }

    /// Forgets all items but the first.
    pub(super) fn truncate(&mut self, items: usize) {
        self.bytes.truncate(items * self.width);
    }

    /// Adds a key, whose record has no id yet.
    #[inline]
    pub(super) fn push(&mut self, key: &[u8]) {
        debug_assert_eq!(key.len() + ID_BYTES, self.width, "a key of the index's width");
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(&[0; ID_BYTES]);
    }

    /// Gives the last items the ids of their records.
    pub(super) fn name(&mut self, ids: impl DoubleEndedIterator<Item = u64>) {
        for (item, id) in self.bytes.rchunks_exact_mut(self.width).zip(ids.rev()) {
            item[self.width - ID_BYTES..].copy_from_slice(&id.to_be_bytes());
        }
    }

    fn item(&self, number: u32) -> &[u8] {
        &self.bytes[number as usize * self.width..][..self.width]
    }

    /// Sorts the items: by 8 bytes that tell most of them apart, and as a whole only where those are equal.
    pub(super) fn sort(&mut self) {
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend(self.heads().zip(0..));
        if !order.is_sorted_by_key(|(head, _)| *head) {
            sort_by_head(&mut order);
        }
        for tied in order.chunk_by_mut(|(one, _), (other, _)| one == other).filter(|tied| tied.len() > 1) {
            // Records come in the order of their ids mostly, and then so do items of the same key.
            if !tied.is_sorted_by(|(_, one), (_, other)| self.item(*one) <= self.item(*other)) {
                tied.sort_unstable_by(|(_, one), (_, other)| self.item(*one).cmp(self.item(*other)));
            }
        }
        self.order = order;
    }

    /// What items are sorted by before they are compared: the 8 bytes behind what all begin with, or their hashes.
    fn heads(&self) -> impl Iterator<Item = u64> {
        let first = self.bytes.get(..self.width).unwrap_or(&[]);
        let alike = |other: &[u8]| first.iter().zip(other).take_while(|(one, other)| one == other).count();
        let items = self.bytes.chunks_exact(self.width);
        // A shorter beginning than the one found so far is looked for only where that differs.
        let skip = items
            .clone()
            .fold(self.width - ID_BYTES, |skip, item| if item[..skip] == first[..skip] { skip } else { alike(item) });
        items.map(move |item| match self.is_ordered {
            true => item[skip..].first_chunk().map_or(0, |head| u64::from_be_bytes(*head)),
            false => hash_of(&item[..self.width - ID_BYTES]),
        })
    }

    /// The items, sorted.
    pub(super) fn items(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.order.iter().map(|(_, number)| self.item(*number))
    }

    /// Records with the same key as an earlier one: the first that has it, and the other.
    pub(super) fn repeated(&self) -> impl Iterator<Item = (usize, usize)> {
        let key = |number: u32| &self.item(number)[..self.width - ID_BYTES];
        let alike = self.order.chunk_by(move |(head, one), (other_head, other)| {
            (self.is_ordered || head == other_head) && key(*one) == key(*other)
        });
        alike.filter(|alike| alike.len() > 1).flat_map(|alike| {
            let numbers = alike.iter().map(|(_, number)| *number as usize);
            let first = numbers.clone().min().unwrap_or(0);
            numbers.filter(move |number| *number != first).map(move |number| (first, number))
        })
    }
}

/// Sorts by the first number, and leaves those that are equal in their order: digit by digit from the last, skipping the
/// digits that are the same everywhere. Of game data two or three are not.
fn sort_by_head(order: &mut Vec<(u64, u32)>) {
    if order.len() <= COMPARED_MAX {
        return order.sort_by_key(|(head, _)| *head);
    }
    let first = order.first().map_or(0, |(head, _)| *head);
    let varying = order.iter().fold(0, |varying, (head, _)| varying | (head ^ first));
    let mut sorted = vec![(0, 0); order.len()];
    for shift in (0..u64::BITS).step_by(8).filter(|shift| varying >> shift & 0xFF != 0) {
        let digit = |head: u64| (head >> shift) as usize & 0xFF;
        let mut places = [0_usize; 256];
        order.iter().for_each(|(head, _)| places[digit(*head)] += 1);
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        for entry in order.iter() {
            let place = &mut places[digit(entry.0)];
            sorted[*place] = *entry;
            *place += 1;
        }
        std::mem::swap(order, &mut sorted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(width: usize, is_ordered: bool, items: &[Vec<u8>]) -> Keys {
        let mut keys = Keys { width, is_ordered, bytes: Vec::new(), order: Vec::new() };
        items.iter().for_each(|item| keys.bytes.extend_from_slice(item));
        keys.sort();
        keys
    }

    proptest! {
        #[test]
        fn items_are_sorted_as_a_whole_whatever_they_begin_with(
            items in prop::collection::vec(prop::collection::vec(0_u8..3, 20), 0..400),
        ) {
            let keys = keys(20, true, &items);
            let mut expected: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
            expected.sort();
            prop_assert_eq!(keys.items().collect::<Vec<_>>(), expected);
        }

        #[test]
        fn equal_keys_are_found_in_either_order(numbers in prop::collection::vec(0_u8..40, 0..200), is_ordered: bool) {
            let items: Vec<Vec<u8>> = numbers.iter().zip(0_u64..).map(|(key, id)| {
                [&[7, 7, *key][..], &id.to_be_bytes()].concat()
            }).collect();
            let keys = keys(11, is_ordered, &items);
            let mut found: Vec<(usize, usize)> = keys.repeated().collect();
            found.sort_unstable();
            let first = |at: usize| numbers.iter().position(|number| *number == numbers[at]).unwrap_or(at);
            let mut expected: Vec<(usize, usize)> =
                (0..numbers.len()).map(|at| (first(at), at)).filter(|(first, at)| first != at).collect();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
