//! What a batch of records is to put into one index: collected in the order of the records, then sorted once.
//!
//! A tree takes its items in their order, a hash in the order of their hashes: either way a page is gone to once for all
//! the items that belong into it, and records with the same key come to lie beside each other.

use super::check::Findings;
use crate::cell::ahead::fetch_room_soon;
use crate::error::Violation;
use crate::id::RecordId;
use crate::record::hash::hash_of;
use crate::record::heap_ref::Cells;
use crate::record::key::Key;
use crate::table::def::IndexDef;
use crate::table::index::{Items, entry, hash_entry, head_bits};
use crate::table::lookup;
use crate::table::version::TableView;
use std::cmp::Ordering;

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
    order: Vec<u64>,
    spare: Vec<u64>,
}

/// What is to go into one index. The ids of the records are known to who asks.
pub(crate) struct Keys {
    /// Bytes of a key.
    key_bytes: usize,
    /// Whether the order is that of the keys, or that of their hashes.
    is_ordered: bool,
    /// Keys, in the order of the records.
    bytes: Vec<u8>,
    /// Once sorted: entries as [`Items`] has them.
    order: Vec<u64>,
    /// Once sorted: no two items have the same hash, and so no two the same key.
    are_hashes_distinct: bool,
}

impl Keys {
    /// Nothing yet, with room for so many keys.
    pub(crate) fn new(index: &IndexDef, expected: usize) -> Keys {
        Keys::of_width(index.key_bytes(), index.is_ordered(), expected)
    }

    fn of_width(key_bytes: usize, is_ordered: bool, expected: usize) -> Keys {
        let bytes = Vec::with_capacity(expected * key_bytes);
        Keys { key_bytes, is_ordered, bytes, order: Vec::new(), are_hashes_distinct: false }
    }

    /// What the records that are there put into index `at`, sorted; and their ids.
    pub(crate) fn of_rows(view: TableView<'_>, at: usize) -> (Keys, Vec<RecordId>) {
        let (index, rows) = (&view.def.indexes[at], view.version.len());
        let (mut keys, mut image, mut key) = (Keys::new(index, rows), Vec::new(), Key::new());
        let ids: Vec<RecordId> = (0..rows)
            .filter_map(|row| Some((row, view.version.id_at(row)?)))
            .map(|(row, id)| {
                image.clear();
                view.gather(row, &mut image);
                if index.texts.is_empty() {
                    index.write_key(&image, keys.add_all(1));
                } else {
                    index.key(Cells::stored(&image, view.version.heap()), &view.def.fields, &mut key);
                    keys.add_all(1).copy_from_slice(key.bytes());
                }
                id
            })
            .collect();
        keys.sort(&ids, &mut SortRoom::default());
        (keys, ids)
    }

    /// How many there are.
    fn len(&self) -> usize {
        self.bytes.len() / self.key_bytes
    }

    /// Forgets all keys but the first.
    pub(super) fn truncate(&mut self, keys: usize) {
        self.bytes.truncate(keys * self.key_bytes);
    }

    /// Has the lines come that so many keys more are going to lie in.
    pub(super) fn fetch_room_soon(&mut self, keys: usize) {
        fetch_room_soon(&mut self.bytes, 0..keys * self.key_bytes);
    }

    /// Adds so many keys of zeros, to be written.
    pub(crate) fn add_all(&mut self, keys: usize) -> &mut [u8] {
        let from = self.bytes.len();
        self.bytes.resize(from + keys * self.key_bytes, 0);
        &mut self.bytes[from..]
    }

    /// Sorts the items, whose records have these ids: by as many bits as an entry has room for, and as a whole only where
    /// those are equal.
    pub(crate) fn sort(&mut self, ids: &[RecordId], room: &mut SortRoom) {
        let mut order = std::mem::take(&mut room.order);
        order.clear();
        let (items, told_by) = (Items::new((&self.bytes, self.key_bytes), ids, &[]), head_bits(self.len()));
        if self.is_ordered {
            let varying = self.collect_heads(&mut order, told_by);
            sort_entries(&mut order, &mut room.spare, varying & told_by);
            // Items of the same key are in the order of their records, and so of their ids where no slot is used again.
            if varying & !told_by != 0 || !ids.is_sorted() {
                each_tie(&mut order, told_by, |tied| put_right(tied, |one, other| items.compare(one, other)));
            }
        } else {
            self.collect_hashes(&mut order, told_by);
            sort_entries(&mut order, &mut room.spare, HASH_TOP);
            self.are_hashes_distinct = true;
            each_tie(&mut order, HASH_TOP, |tied| {
                tied.sort_unstable();
                self.are_hashes_distinct &= tied.array_windows().all(|[one, other]| (one ^ other) & told_by != 0);
            });
            if !self.are_hashes_distinct {
                each_tie(&mut order, told_by, |tied| put_right(tied, |one, other| items.compare_hashed(one, other)));
            }
        }
        self.order = order;
    }

    /// Collects entries for an order of keys; gives the bits in which keys differ, as they are in entries. If some of those
    /// are not, others are given too.
    fn collect_heads(&self, order: &mut Vec<u64>, of_head: u64) -> u64 {
        // What a word holds need not be told apart by less.
        let skip = if self.key_bytes <= size_of::<u64>() { 0 } else { self.skip() };
        match self.key_bytes {
            8 => order.extend(self.bytes.as_chunks::<8>().0.iter().map(|key| u64::from_be_bytes(*key))),
            width => order.extend(self.bytes.chunks_exact(width).map(|key| word(key, skip))),
        }
        let first = order.first().copied().unwrap_or(0);
        let varying = order.iter().fold(0, |varying, word| varying | (word ^ first));
        let shift = varying.leading_zeros().min(u64::BITS - 1);
        order.iter_mut().zip(0..).for_each(|(head, number)| *head = entry(*head << shift, number, of_head));
        let is_all = self.key_bytes - skip <= size_of::<u64>();
        varying << shift | u64::from(!is_all)
    }

    /// Collects entries for a hash. Of the usual widths, those of ids and of names, the compiler knows all that is to be done.
    fn collect_hashes(&self, order: &mut Vec<u64>, of_head: u64) {
        fn collect<'k>(keys: impl ExactSizeIterator<Item = &'k [u8]>, order: &mut Vec<u64>, of_head: u64) {
            order.extend(keys.enumerate().map(|(number, key)| hash_entry(hash_of(key), number, of_head)));
        }
        match self.key_bytes {
            8 => collect(self.bytes.as_chunks::<8>().0.iter().map(<[u8; 8]>::as_slice), order, of_head),
            17 => collect(self.bytes.as_chunks::<17>().0.iter().map(<[u8; 17]>::as_slice), order, of_head),
            33 => collect(self.bytes.as_chunks::<33>().0.iter().map(<[u8; 33]>::as_slice), order, of_head),
            width => collect(self.bytes.chunks_exact(width), order, of_head),
        }
    }

    /// Forgets everything, and gives back the room that it was sorted in.
    pub(super) fn end(&mut self, room: &mut SortRoom) {
        self.bytes = Vec::new();
        room.order = std::mem::take(&mut self.order);
    }

    /// How many bytes all keys begin with, one being left.
    fn skip(&self) -> usize {
        let (last, mut keys) = (self.key_bytes - 1, self.bytes.chunks_exact(self.key_bytes));
        let Some(first) = keys.next() else { return last };
        // Whole words while they are the same everywhere, then the bytes of the word that is not.
        for at in (0..last).step_by(size_of::<u64>()) {
            let begin = word(first, at);
            let varying = keys.clone().fold(0, |varying, key| varying | (word(key, at) ^ begin));
            if varying != 0 {
                return at + varying.leading_zeros() as usize / 8;
            }
        }
        last
    }

    /// The items, sorted, whose records have these ids.
    pub(crate) fn items<'i>(&'i self, ids: &'i [RecordId]) -> Items<'i> {
        Items::new((&self.bytes, self.key_bytes), ids, &self.order)
    }

    /// Records with the same key as an earlier one: the first that has it, and the other.
    fn repeated(&self) -> impl Iterator<Item = (usize, usize)> {
        let (items, told_by) = (self.items(&[]), head_bits(self.len()));
        let order = if self.are_hashes_distinct { &[] } else { self.order.as_slice() };
        let alike = order.chunk_by(move |one, other| {
            (self.is_ordered || (one ^ other) & told_by == 0) && items.key(*one) == items.key(*other)
        });
        alike.filter(|alike| alike.len() > 1).flat_map(move |alike| {
            let numbers = alike.iter().map(move |entry| items.number(*entry));
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

/// The 8 bytes of a key at `at`, filled up with zeros, as a number.
#[inline]
fn word(key: &[u8], at: usize) -> u64 {
    let number = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
    match key.len() {
        8 if at == 0 => key.first_chunk().map_or(0, number),
        // The last 8 bytes, if it has not so many from there on.
        len @ 8.. => {
            let from = at.min(len - 8);
            key[from..].first_chunk().map_or(0, number) << (8 * (at - from))
        }
        _ => short_word(key) << (8 * at),
    }
}

/// A key of fewer than 8 bytes: its first and its last, which may overlap.
#[inline]
fn short_word(key: &[u8]) -> u64 {
    let behind = 8 * (size_of::<u64>() - key.len()) as u32;
    if let (Some(begin), Some(end)) = (key.first_chunk(), key.last_chunk()) {
        u64::from(u32::from_be_bytes(*begin)) << 32 | u64::from(u32::from_be_bytes(*end)) << behind
    } else if let (Some(begin), Some(end)) = (key.first_chunk(), key.last_chunk()) {
        u64::from(u16::from_be_bytes(*begin)) << 48 | u64::from(u16::from_be_bytes(*end)) << behind
    } else {
        key.first().map_or(0, |byte| u64::from(*byte) << 56)
    }
}

/// Sorts entries by these of their bits, leaving those that are equal in their order: digit by digit from the last, leaving out
/// the bits that are not to be sorted by. Of game data one or two digits are left. Few entries are sorted by all of their bits.
fn sort_entries(order: &mut Vec<u64>, spare: &mut Vec<u64>, mut sorted_by: u64) {
    if order.is_sorted() {
        return;
    }
    if order.len() <= COMPARED_MAX {
        return order.sort_unstable();
    }
    spare.resize(order.len(), 0);
    let is_short = order.len() < SHORT_DIGITS_MAX;
    while sorted_by != 0 {
        let digit = Digit::lowest(sorted_by, if is_short { 8 } else { DIGIT_BITS_MAX });
        sort_by_digit(order, spare, digit);
        std::mem::swap(order, spare);
        sorted_by &= !digit.taken;
    }
}

/// Calls `put_right` with entries beside each other that agree in these bits, several at least. There are few.
fn each_tie(order: &mut [u64], bits: u64, mut put_right: impl FnMut(&mut [u64])) {
    let differ = |one: &u64, other: &u64| (one ^ other) & bits != 0;
    let mut rest = order;
    while let Some(at) = rest.array_windows().position(|[one, other]| !differ(one, other)) {
        let (first, behind) = (rest[at], &rest[at..]);
        let len = behind.iter().position(|other| differ(&first, other)).unwrap_or(behind.len());
        let (tied, untied) = std::mem::take(&mut rest)[at..].split_at_mut(len);
        put_right(tied);
        rest = untied;
    }
}

/// Sorts entries that mostly are.
fn put_right(tied: &mut [u64], compare: impl Fn(u64, u64) -> Ordering) {
    if !tied.is_sorted_by(|one, other| compare(*one, *other).is_le()) {
        tied.sort_unstable_by(|one, other| compare(*one, *other));
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

/// Puts `order` into `sorted` by a digit.
fn sort_by_digit(order: &[u64], sorted: &mut [u64], digit: Digit) {
    // Most have one stretch, which takes half as long to look at.
    match digit {
        Digit { high_mask: 0, low_shift, low_mask, values, .. } => {
            sort_by_value(order, sorted, values, |entry| (entry >> low_shift & low_mask) as usize);
        }
        Digit { values, .. } => sort_by_value(order, sorted, values, |entry| digit.of(entry)),
    }
}

/// The same by a number below `values` that is made of an entry.
#[inline]
fn sort_by_value(order: &[u64], sorted: &mut [u64], values: usize, value_of: impl Fn(u64) -> usize) {
    let mut places = [0_u32; 1 << DIGIT_BITS_MAX];
    let place_of = |entry: u64| value_of(entry) % (1 << DIGIT_BITS_MAX);
    order.iter().for_each(|entry| places[place_of(*entry)] += 1);
    let mut next = 0;
    for place in places.iter_mut().take(values) {
        next += std::mem::replace(place, next);
    }
    for entry in order {
        let place = &mut places[place_of(*entry)];
        sorted[*place as usize] = *entry;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Keys that lie one behind the other, sorted.
    fn keys(key_bytes: usize, is_ordered: bool, all: &[Vec<u8>], ids: &[RecordId]) -> Keys {
        let mut keys = Keys::of_width(key_bytes, is_ordered, all.len());
        all.iter().for_each(|key| keys.add_all(1).copy_from_slice(key));
        keys.sort(ids, &mut SortRoom::default());
        keys
    }

    fn ids(first: u32, count: usize, are_ascending: bool) -> Vec<RecordId> {
        let slots = first..first + count as u32;
        let id = |slot: u32| RecordId::new(slot, 1);
        if are_ascending { slots.map(id).collect() } else { slots.rev().map(id).collect() }
    }

    /// The items as they are to be in a tree, or in the order of their hashes.
    #[track_caller]
    fn assert_sorted(key_bytes: usize, is_ordered: bool, all: &[Vec<u8>], ids: &[RecordId]) {
        let sorted = keys(key_bytes, is_ordered, all, ids);
        let items = sorted.items(ids);
        let found: Vec<(u64, &[u8], RecordId)> = sorted
            .order
            .iter()
            .map(|entry| (hash_of(items.key(*entry)), items.key(*entry), ids[items.number(*entry)]))
            .collect();
        let mut expected: Vec<(u64, &[u8], RecordId)> =
            all.iter().zip(ids).map(|(key, id)| (hash_of(key), key.as_slice(), *id)).collect();
        match is_ordered {
            true => expected.sort_by_key(|(_, key, id)| (*key, *id)),
            false => expected.sort(),
        }
        assert!(found == expected, "{} keys of {key_bytes} bytes", all.len());
    }

    #[test]
    fn batches_of_all_sizes_are_sorted() {
        let numbers = |count: u64| (0..count).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for count in [0, 1, 2, 15, 16, 17, 96, 97, 2047, 2048, 2049, 100_000] {
            let whole: Vec<Vec<u8>> = numbers(count).map(|n| n.to_be_bytes().to_vec()).collect();
            let few: Vec<Vec<u8>> = numbers(count).map(|n| (n >> 60).to_be_bytes().to_vec()).collect();
            let null = vec![vec![0; 8]; count as usize];
            let long: Vec<Vec<u8>> = whole.iter().map(|key| [key.as_slice(), b"behind"].concat()).collect();
            for (all, are_ascending) in [
                (&whole, true),
                (&whole, false),
                (&few, true),
                (&few, false),
                (&null, true),
                (&null, false),
                (&long, true),
            ] {
                let ids = ids(7, all.len(), are_ascending);
                let key_bytes = all.first().map_or(8, Vec::len);
                assert_sorted(key_bytes, true, all, &ids);
                assert_sorted(key_bytes, false, all, &ids);
            }
        }
    }

    proptest! {
        /// What comes in the order of ids needs no look at the ids, if the key is told apart by what it is sorted by.
        #[test]
        fn items_are_sorted_as_a_whole_whatever_they_begin_with(
            key_bytes in 1..40_usize,
            bytes in prop::collection::vec(any::<u8>(), 0..3000),
            mask: u8,
            first in 1_u32..1 << 20,
            are_ascending: bool,
            is_ordered: bool,
        ) {
            let key = |key: &[u8]| key.iter().map(|byte| byte & mask).collect();
            let all: Vec<Vec<u8>> = bytes.chunks_exact(key_bytes).map(key).collect();
            assert_sorted(key_bytes, is_ordered, &all, &ids(first, all.len(), are_ascending));
        }

        #[test]
        fn entries_are_sorted_whichever_bits_differ(
            entries in prop::collection::vec(any::<u64>(), 0..5000), mask: u64, sorted_by: bool,
        ) {
            let sorted_by = if sorted_by { HASH_TOP } else { u64::MAX };
            let mut order: Vec<u64> = entries.iter().map(|entry| entry & mask).collect();
            let mut expected = order.clone();
            match order.len() {
                0..=COMPARED_MAX => expected.sort(),
                _ => expected.sort_by_key(|entry| entry & sorted_by),
            }
            sort_entries(&mut order, &mut Vec::new(), sorted_by);
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
            let all: Vec<Vec<u8>> = numbers.iter().map(|number| vec![7, 7, *number]).collect();
            let keys = keys(3, is_ordered, &all, &ids(1, all.len(), true));
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
