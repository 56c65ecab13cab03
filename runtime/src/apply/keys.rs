//! What a batch of records is to put into one index: collected in the order of the records, then sorted once.
//!
//! A tree takes its items in their order, a hash in the order of their hashes: either way a page is gone to once for all
//! the items that belong into it, and records with the same key come to lie beside each other.

use super::check::Findings;
use crate::error::Violation;
use crate::id::RecordId;
use crate::record::hash::hash_of;
use crate::record::heap_ref::Cells;
use crate::record::key::Key;
use crate::table::def::IndexDef;
use crate::table::index::Items;
use crate::table::lookup;
use crate::table::version::TableView;

/// Bytes of the record id behind a key.
const ID_BYTES: usize = 8;
/// Hashes are sorted by these bits first, two digits' worth: few items agree in all of them.
const HASH_TOP: u64 = 0xFFFF_FC00_0000_0000;
/// Fewer items than this are sorted by comparing.
const COMPARED_MAX: usize = 96;
/// Fewer items than this are sorted by bytes, others by longer digits: these need more room to count.
const SHORT_DIGITS_MAX: usize = 2048;

/// Bits of a longer digit.
const DIGIT_BITS_MAX: u32 = 11;

/// Room to sort in: indexes use the same, one after another.
#[derive(Default)]
pub(crate) struct SortRoom {
    order: Vec<(u64, u32)>,
    spare: Vec<(u64, u32)>,
}

/// What is to go into one index.
pub(crate) struct Keys {
    /// Bytes of an item: a key and a record id.
    width: usize,
    /// Whether the order is that of the keys, or that of their hashes.
    is_ordered: bool,
    /// Items, in the order of the records.
    bytes: Vec<u8>,
    /// Whether the ids ascend too, as they do where no slot is used again.
    are_ids_ascending: bool,
    last_id: u64,
    /// Once sorted: what tells most items apart, and the number of the item.
    order: Vec<(u64, u32)>,
    /// Once sorted: no two items have the same hash, and so no two the same key.
    are_hashes_distinct: bool,
}

impl Keys {
    /// Nothing yet, with room for so many items.
    pub(crate) fn new(index: &IndexDef, expected: usize) -> Keys {
        let width = index.item_bytes();
        let bytes = Vec::with_capacity(expected * width);
        Keys {
            width,
            is_ordered: index.is_ordered(),
            bytes,
            are_ids_ascending: true,
            last_id: 0,
            order: Vec::new(),
            are_hashes_distinct: false,
        }
    }

    /// What the records that are there put into index `at`, sorted.
    pub(crate) fn of_rows(view: TableView<'_>, at: usize) -> Keys {
        let (index, rows) = (&view.def.indexes[at], view.version.len());
        let (mut keys, mut image, mut key) = (Keys::new(index, rows), Vec::new(), Key::new());
        let ids: Vec<u64> = (0..rows)
            .filter_map(|row| Some((row, view.version.id_at(row)?)))
            .map(|(row, id)| {
                image.clear();
                view.gather(row, &mut image);
                if index.texts.is_empty() {
                    index.write_key(&image, keys.add());
                } else {
                    index.key(Cells::stored(&image, view.version.heap()), &view.def.fields, &mut key);
                    keys.add().copy_from_slice(key.bytes());
                }
                id.get()
            })
            .collect();
        keys.name(ids.into_iter());
        keys.sort(&mut SortRoom::default());
        keys
    }

    /// Forgets all items but the first.
    pub(super) fn truncate(&mut self, items: usize) {
        self.bytes.truncate(items * self.width);
    }

    /// Adds a key of zeros, to be written. Its record has no id yet.
    #[inline]
    pub(crate) fn add(&mut self) -> &mut [u8] {
        let from = self.bytes.len();
        self.bytes.resize(from + self.width, 0);
        &mut self.bytes[from..from + self.width - ID_BYTES]
    }

    /// Adds so many items of zeros, whose keys are to be written. Their records have no ids yet.
    pub(crate) fn add_all(&mut self, items: usize) -> &mut [u8] {
        let from = self.bytes.len();
        self.bytes.resize(from + items * self.width, 0);
        &mut self.bytes[from..]
    }

    /// Gives the last items the ids of their records.
    pub(crate) fn name(&mut self, ids: impl ExactSizeIterator<Item = u64>) {
        let from = self.bytes.len() - ids.len() * self.width;
        let (mut last, mut are_ascending) = (self.last_id, true);
        for (item, id) in self.bytes[from..].chunks_exact_mut(self.width).zip(ids) {
            if let Some(place) = item.last_chunk_mut::<ID_BYTES>() {
                *place = id.to_be_bytes();
            }
            are_ascending &= id > last;
            last = id;
        }
        self.are_ids_ascending &= are_ascending;
        self.last_id = last;
    }

    fn item(&self, number: u32) -> &[u8] {
        &self.bytes[number as usize * self.width..][..self.width]
    }

    /// Sorts the items: by 8 bytes that tell most of them apart, and as a whole only where those are equal.
    pub(crate) fn sort(&mut self, room: &mut SortRoom) {
        let mut order = std::mem::take(&mut room.order);
        order.clear();
        let (width, key_bytes) = (self.width, self.width - ID_BYTES);
        let items = self.bytes.chunks_exact(width);
        let is_all_told = if self.is_ordered {
            // What a word holds need not be told apart by less.
            let skip = if key_bytes <= size_of::<u64>() { 0 } else { self.skip() };
            // The bits of a record id behind a short key are no part of it.
            let id_bits = 8 * (skip + size_of::<u64>()).saturating_sub(key_bytes) as u32;
            let of_key = u64::MAX.checked_shl(id_bits).unwrap_or(0);
            order.extend(items.map(|item| word(item, skip) & of_key).zip(0..));
            sort_by_head(&mut order, &mut room.spare, u64::MAX);
            // Items of the same key are in the order of their records, and so of their ids.
            key_bytes - skip <= size_of::<u64>() && self.are_ids_ascending
        } else {
            order.extend(items.map(|item| hash_of(&item[..key_bytes])).zip(0..));
            self.are_hashes_distinct = !sort_by_head(&mut order, &mut room.spare, HASH_TOP);
            self.are_hashes_distinct
        };
        if !is_all_told {
            each_tie(&mut order, u64::MAX, |tied| {
                if !tied.is_sorted_by(|(_, one), (_, other)| self.item(*one) <= self.item(*other)) {
                    tied.sort_unstable_by(|(_, one), (_, other)| self.item(*one).cmp(self.item(*other)));
                }
            });
        }
        self.order = order;
    }

    /// Forgets everything, and gives back the room that it was sorted in.
    pub(super) fn end(&mut self, room: &mut SortRoom) {
        self.bytes = Vec::new();
        room.order = std::mem::take(&mut self.order);
    }

    /// How many bytes all items begin with, 8 being left.
    fn skip(&self) -> usize {
        let mut items = self.bytes.chunks_exact(self.width);
        let Some(first) = items.next() else { return 0 };
        let mut skip = self.width - ID_BYTES;
        // Whole words while they are the same everywhere, then the bytes of the word that is not.
        let mut at = 0;
        while at < skip {
            let varying = items.clone().fold(0, |varying, item| varying | (word(item, at) ^ word(first, at)));
            if varying != 0 {
                skip = skip.min(at + varying.leading_zeros() as usize / 8);
            }
            at += 8;
        }
        skip
    }

    /// The items, sorted, each with what it is sorted by: of those of a hash, the hash.
    pub(crate) fn items(&self) -> Items<'_> {
        Items::new(&self.bytes, self.width, &self.order)
    }

    /// Records with the same key as an earlier one: the first that has it, and the other.
    fn repeated(&self) -> impl Iterator<Item = (usize, usize)> {
        let key = |number: u32| &self.item(number)[..self.width - ID_BYTES];
        let order = if self.are_hashes_distinct { &[] } else { self.order.as_slice() };
        let alike = order.chunk_by(move |(head, one), (other_head, other)| {
            (self.is_ordered || head == other_head) && key(*one) == key(*other)
        });
        alike.filter(|alike| alike.len() > 1).flat_map(|alike| {
            let numbers = alike.iter().map(|(_, number)| *number as usize);
            let first = numbers.clone().min().unwrap_or(0);
            numbers.filter(move |number| *number != first).map(move |number| (first, number))
        })
    }
}

/// The records whose key another of `keys` has too, in a unique index: the number of each, and what it breaks. `id` is the
/// id that the record of a number has in the table, `told` the one that is told.
pub(crate) fn taken(
    view: TableView<'_>,
    at: usize,
    keys: &Keys,
    id: impl Fn(usize) -> RecordId,
    told: impl Fn(usize) -> Option<RecordId>,
    mut found: impl FnMut(usize, Vec<Violation>),
) {
    let index = &view.def.indexes[at];
    if !index.unique {
        return;
    }
    let (mut image, mut key) = (Vec::new(), Key::new());
    for (first, second) in keys.repeated() {
        let Some(row) = view.version.row_of(id(second)) else { continue };
        image.clear();
        view.gather(row, &mut image);
        let cells = Cells::stored(&image, view.version.heap());
        let has_null = index.key(cells, &view.def.fields, &mut key);
        if !has_null && lookup::has_long_texts(view, index, id(first), &key) {
            let mut findings = Findings::new(view, told(second));
            findings.taken(at, cells, id(first));
            found(second, findings.into_violations());
        }
    }
}

/// The 8 bytes at `at`, filled up with zeros, as a number.
#[inline]
fn word(item: &[u8], at: usize) -> u64 {
    match item.get(at..).and_then(<[u8]>::first_chunk) {
        Some(word) => u64::from_be_bytes(*word),
        None => item[at.min(item.len())..]
            .iter()
            .zip([56, 48, 40, 32, 24, 16, 8])
            .fold(0, |word, (byte, shift)| word | u64::from(*byte) << shift),
    }
}

/// Sorts by the first number, and leaves those that are equal in their order: digit by digit from the last, leaving out the
/// bits that are the same everywhere. Of game data one or two digits are not. Only the bits of `sorted_by` are sorted in that
/// way; the few that differ in nothing but the others are put right in the end. Says whether some heads may be equal.
fn sort_by_head(order: &mut Vec<(u64, u32)>, spare: &mut Vec<(u64, u32)>, sorted_by: u64) -> bool {
    if order.is_sorted_by_key(|(head, _)| *head) {
        return true;
    }
    if order.len() <= COMPARED_MAX {
        order.sort_by_key(|(head, _)| *head);
        return true;
    }
    let first = order.first().map_or(0, |(head, _)| *head);
    let mut varying = order.iter().fold(0, |varying, (head, _)| varying | (head ^ first)) & sorted_by;
    spare.resize(order.len(), (0, 0));
    let is_short = order.len() < SHORT_DIGITS_MAX;
    while varying != 0 {
        let digit = Digit::lowest(varying, if is_short { 8 } else { DIGIT_BITS_MAX });
        sort_by_digit(order, spare, digit);
        std::mem::swap(order, spare);
        varying &= !digit.taken;
    }
    let mut may_be_equal = sorted_by == u64::MAX;
    if !may_be_equal {
        each_tie(order, sorted_by, |tied| {
            tied.sort_by_key(|(head, _)| *head);
            may_be_equal |= tied.array_windows().any(|[one, other]| one.0 == other.0);
        });
    }
    may_be_equal
}

/// Calls `put_right` with entries beside each other whose heads agree in these bits, several at least. There are few.
fn each_tie(order: &mut [(u64, u32)], bits: u64, mut put_right: impl FnMut(&mut [(u64, u32)])) {
    let differ = |one: &(u64, u32), other: &(u64, u32)| (one.0 ^ other.0) & bits != 0;
    let mut rest = order;
    while let Some(at) = rest.array_windows().position(|[one, other]| !differ(one, other)) {
        let (first, behind) = (rest[at], &rest[at..]);
        let len = behind.iter().position(|other| differ(&first, other)).unwrap_or(behind.len());
        let (tied, untied) = std::mem::take(&mut rest)[at..].split_at_mut(len);
        put_right(tied);
        rest = untied;
    }
}

/// Bits of a number that are sorted by in one pass: those of two stretches, so that what lies between them, the same
/// everywhere, takes no pass.
#[derive(Debug, Clone, Copy)]
struct Digit {
    low_shift: u32,
    low_mask: u64,
    high_shift: u32,
    high_mask: u64,
    /// How many values it has, at most.
    values: usize,
    /// The bits.
    taken: u64,
}

impl Digit {
    /// The lowest of the bits that vary, so many at most.
    fn lowest(varying: u64, bits_max: u32) -> Digit {
        let low_shift = varying.trailing_zeros();
        let low = varying >> low_shift & ((1 << bits_max) - 1);
        let low_bits = u64::BITS - low.leading_zeros();
        let low_mask = (1 << low_bits) - 1;
        let rest = varying & !(low_mask << low_shift);
        let high_from = rest.trailing_zeros() % u64::BITS;
        let high = rest >> high_from & ((1 << (bits_max - low_bits)) - 1);
        let high_bits = u64::BITS - high.leading_zeros();
        let high_mask = ((1 << high_bits) - 1) << low_bits;
        Digit {
            low_shift,
            low_mask,
            // Both are counted from the digit's own first bit, so that the one needs no shift of its own.
            high_shift: high_from.saturating_sub(low_bits),
            high_mask,
            values: 1 << (low_bits + high_bits),
            taken: low_mask << low_shift | high_mask >> low_bits << high_from,
        }
    }

    #[inline]
    fn of(self, head: u64) -> usize {
        (head >> self.low_shift & self.low_mask | head >> self.high_shift & self.high_mask) as usize
    }
}

/// Puts `order` into `sorted` by a digit of the first number.
fn sort_by_digit(order: &[(u64, u32)], sorted: &mut [(u64, u32)], digit: Digit) {
    // Most have one stretch, which takes half as long to look at.
    match digit {
        Digit { high_mask: 0, low_shift, low_mask, values, .. } => {
            sort_by_value(order, sorted, values, |head| (head >> low_shift & low_mask) as usize);
        }
        Digit { values, .. } => sort_by_value(order, sorted, values, |head| digit.of(head)),
    }
}

/// The same by a number below `values` that is made of the first one.
#[inline]
fn sort_by_value(order: &[(u64, u32)], sorted: &mut [(u64, u32)], values: usize, value_of: impl Fn(u64) -> usize) {
    let mut places = [0_u32; 1 << DIGIT_BITS_MAX];
    let place_of = |head: u64| value_of(head) % (1 << DIGIT_BITS_MAX);
    order.iter().for_each(|(head, _)| places[place_of(*head)] += 1);
    let mut next = 0;
    for place in places.iter_mut().take(values) {
        next += std::mem::replace(place, next);
    }
    for entry in order {
        let place = &mut places[place_of(entry.0)];
        sorted[*place as usize] = *entry;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(width: usize, is_ordered: bool, items: &[Vec<u8>]) -> Keys {
        let bytes = Vec::new();
        let mut keys = Keys {
            width,
            is_ordered,
            bytes,
            are_ids_ascending: false,
            last_id: 0,
            order: Vec::new(),
            are_hashes_distinct: false,
        };
        items.iter().for_each(|item| keys.bytes.extend_from_slice(item));
        keys.sort(&mut SortRoom::default());
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
            prop_assert_eq!(keys.items().iter().map(|(_, item)| item).collect::<Vec<_>>(), expected);
        }

        /// What comes in the order of ids needs no look at the ids, if the key is told apart by what it is sorted by.
        #[test]
        fn items_of_ascending_ids_are_sorted_as_a_whole_too(
            keys_of in prop::collection::vec(prop::collection::vec(0_u8..3, 12), 0..3000),
            first in 1_u64..1 << 40,
            are_ascending: bool,
        ) {
            let step = if are_ascending { 1 } else { u64::MAX };
            let ids = (0..keys_of.len() as u64).map(|n| (first + 4000).wrapping_add(n.wrapping_mul(step)));
            let mut keys = Keys {
                width: 20, is_ordered: true, bytes: Vec::new(), are_ids_ascending: true, last_id: 0, order: Vec::new(),
                are_hashes_distinct: false,
            };
            for key in &keys_of {
                keys.add().copy_from_slice(key);
            }
            keys.name(ids.clone().collect::<Vec<_>>().into_iter());
            keys.sort(&mut SortRoom::default());
            let mut expected: Vec<Vec<u8>> =
                keys_of.iter().zip(ids).map(|(key, id)| [key, &id.to_be_bytes()[..]].concat()).collect();
            expected.sort();
            prop_assert_eq!(keys.items().iter().map(|(_, item)| item.to_vec()).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn heads_are_sorted_whichever_bits_differ(
            heads in prop::collection::vec(any::<u64>(), 0..5000), mask: u64, sorted_by: bool,
        ) {
            let mut order: Vec<(u64, u32)> = heads.iter().map(|head| head & mask).zip(0..).collect();
            let mut expected = order.clone();
            expected.sort();
            sort_by_head(&mut order, &mut Vec::new(), if sorted_by { HASH_TOP } else { u64::MAX });
            prop_assert_eq!(order, expected);
        }

        /// No bit that varies is left out, none that does not is paid for, and smaller numbers have smaller digits.
        #[test]
        fn digits_take_all_bits_that_vary(varying: u64, mask: u64, one: u64, other: u64, is_short: bool) {
            let varying = varying & mask;
            let (mut left, mut digits) = (varying, Vec::new());
            while left != 0 {
                let digit = Digit::lowest(left, if is_short { 8 } else { DIGIT_BITS_MAX });
                prop_assert!(digit.taken & left != 0 && digit.values <= 1 << DIGIT_BITS_MAX, "{digit:?} of {left:x}");
                left &= !digit.taken;
                digits.push(digit);
            }
            let of = |number: u64| digits.iter().rev().map(|digit| digit.of(number & varying)).collect::<Vec<_>>();
            prop_assert_eq!(of(one).cmp(&of(other)), (one & varying).cmp(&(other & varying)));
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
