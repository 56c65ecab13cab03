//! Many items on their way into an index.

use super::ID_BYTES;
use crate::id::RecordId;
use crate::record::hash::hash_of;
use std::cmp::Ordering;

/// Bits of an entry that are the last ones of a hash.
const TAG_BITS: u32 = 8;
const TAG: u64 = (1 << TAG_BITS) - 1;

/// Items of one width, a key and a record id each, and the order in which they are to be taken: that of an index, so that it
/// goes to each of its pages once. An item is put together where it is going to lie.
///
/// An entry of the order is what the item is sorted by, as far as there is room, and the number of the item:
///
/// ```text
/// of a tree:  | first bits of those in which the keys differ | number | 0 |
/// of a hash:  | first bits of the hash | number | its last 8 bits |
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Items<'i> {
    keys: &'i [u8],
    key_bytes: usize,
    ids: &'i [RecordId],
    order: &'i [u64],
    /// The bits of an entry that are first bits.
    of_head: u64,
}

/// The bits of an entry that an item is sorted by, if there are so many items.
pub fn head_bits(items: usize) -> u64 {
    let number_bits = usize::BITS - items.saturating_sub(1).leading_zeros();
    u64::MAX << (number_bits + TAG_BITS)
}

/// The entry of an item that is sorted by the first bits of a number.
#[inline]
pub fn entry(sorted_by: u64, number: usize, of_head: u64) -> u64 {
    sorted_by & of_head | (number as u64) << TAG_BITS
}

/// The entry of an item for a hash.
#[inline]
pub fn hash_entry(hash: u64, number: usize, of_head: u64) -> u64 {
    entry(hash, number, of_head) | hash & TAG
}

impl<'i> Items<'i> {
    /// Items whose keys, of so many bytes, lie one behind the other, and the records behind them; in this order.
    pub fn new((keys, key_bytes): (&'i [u8], usize), ids: &'i [RecordId], order: &'i [u64]) -> Items<'i> {
        Items { keys, key_bytes, ids, order, of_head: head_bits(keys.len() / key_bytes) }
    }

    /// Bytes of an item.
    pub(super) fn width(self) -> usize {
        self.key_bytes + ID_BYTES
    }

    /// The order.
    pub(super) fn order(self) -> &'i [u64] {
        self.order
    }

    /// Which item an entry is about.
    #[inline]
    pub fn number(self, entry: u64) -> usize {
        ((entry & !self.of_head) >> TAG_BITS) as usize
    }

    /// The key of the item of an entry.
    #[inline]
    pub fn key(self, entry: u64) -> &'i [u8] {
        &self.keys[self.number(entry) * self.key_bytes..][..self.key_bytes]
    }

    /// The record of the item of an entry.
    #[inline]
    pub(super) fn id(self, entry: u64) -> RecordId {
        self.ids[self.number(entry)]
    }

    /// Writes the items of entries one behind the other, to where there is room for just those: the usual widths without a
    /// call.
    #[inline]
    pub(super) fn write(self, order: &[u64], to: &mut [u8]) {
        match self.key_bytes {
            8 => self.write_keys_of::<8>(order, to),
            17 => self.write_keys_of::<17>(order, to),
            // What is written beyond a short key is written over by the id.
            0..8 => self.write_each(order, to, |place, key| {
                if let (Some(place), Some(word)) = (place.first_chunk_mut::<8>(), key.first_chunk()) {
                    *place = *word;
                } else {
                    place[..self.key_bytes].copy_from_slice(&key[..self.key_bytes]);
                }
            }),
            9..=16 => self.write_each(order, to, |place, key| copy_ends::<8>(place, &key[..self.key_bytes])),
            18..=32 => self.write_each(order, to, |place, key| copy_ends::<16>(place, &key[..self.key_bytes])),
            width => self.write_each(order, to, |place, key| place[..width].copy_from_slice(&key[..width])),
        }
    }

    /// The same, where `write` writes the key with which the second begins.
    #[inline(always)]
    fn write_each(self, order: &[u64], to: &mut [u8], write: impl Fn(&mut [u8], &[u8])) {
        for (entry, place) in order.iter().zip(to.chunks_exact_mut(self.width())) {
            let number = self.number(*entry);
            write(place, &self.keys[number * self.key_bytes..]);
            if let Some(place) = place.last_chunk_mut() {
                *place = self.ids[number].get().to_be_bytes();
            }
        }
    }

    /// The same of keys of a usual width, which the compiler knows.
    fn write_keys_of<const N: usize>(self, order: &[u64], to: &mut [u8]) {
        let (keys, _) = self.keys.as_chunks::<N>();
        for (entry, place) in order.iter().zip(to.chunks_exact_mut(N + ID_BYTES)) {
            let number = self.number(*entry);
            place[..N].copy_from_slice(&keys[number]);
            place[N..].copy_from_slice(&self.ids[number].get().to_be_bytes());
        }
    }

    /// The items in their order, one behind the other.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![0; self.order.len() * self.width()];
        self.write(self.order, &mut bytes);
        bytes
    }

    /// Which of the items of two entries comes first.
    pub fn compare(self, one: u64, other: u64) -> Ordering {
        self.key(one).cmp(self.key(other)).then_with(|| self.id(one).cmp(&self.id(other)))
    }

    /// The same for a hash.
    pub fn compare_hashed(self, one: u64, other: u64) -> Ordering {
        self.whole_hash(one).cmp(&self.whole_hash(other)).then_with(|| self.compare(one, other))
    }

    /// How many of the first entries of a hash's order have hashes that begin with the same `bits`.
    pub(super) fn run_len(self, order: &[u64], bits: u32) -> usize {
        let same = u64::MAX.checked_shl(u64::BITS - bits).unwrap_or(0);
        match same & !self.of_head {
            0 => run_len(order, |entry| (entry ^ order[0]) & same == 0),
            _ => run_len(order, |entry| (self.whole_hash(entry) ^ self.whole_hash(order[0])) & same == 0),
        }
    }

    /// How many of the first entries of a hash's order, all of whose hashes begin with the same `bits`, have a 0 behind them.
    pub(super) fn zeros(self, order: &[u64], bits: u32) -> usize {
        let next = 1 << (u64::BITS - 1 - bits);
        match next & self.of_head {
            0 => order.partition_point(|entry| self.whole_hash(*entry) & next == 0),
            _ => order.partition_point(|entry| entry & next == 0),
        }
    }

    /// Puts entries of a hash into their order. Most differ in the bits that are there.
    pub(super) fn sort_hashed(self, order: &mut [u64]) {
        order.sort_unstable();
        if order.array_windows().any(|[one, other]| (one ^ other) & self.of_head == 0) {
            order.sort_unstable_by(|one, other| self.compare_hashed(*one, *other));
        }
    }

    /// The hash of the key of an entry of a hash.
    pub(super) fn whole_hash(self, entry: u64) -> u64 {
        hash_of(self.key(entry))
    }

    /// The same, as far as it is in the entry: its first bits, and the last 8.
    #[inline]
    pub(super) fn hash(self, entry: u64) -> u64 {
        entry & (self.of_head | TAG)
    }
}

/// How many of the first entries are as the first one is; they are few beside the others.
#[inline(always)]
fn run_len(order: &[u64], is_alike: impl Fn(u64) -> bool) -> usize {
    let mut end = 1;
    while order.get(end).is_some_and(|entry| is_alike(*entry)) {
        end *= 2;
    }
    let from = end / 2;
    from + order[from..end.min(order.len())].partition_point(|entry| is_alike(*entry))
}

/// Copies the first N bytes of a key to where there is room for it, and the last N.
#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], key: &[u8]) {
    if let (Some(place), Some(begin)) = (to.first_chunk_mut::<N>(), key.first_chunk()) {
        *place = *begin;
    }
    if let (Some(place), Some(end)) =
        (to.get_mut(key.len() - N..).and_then(<[u8]>::first_chunk_mut::<N>), key.last_chunk())
    {
        *place = *end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an entry has no room for is asked of the key.
    #[test]
    fn hashes_are_told_apart_by_bits_that_entries_have_and_by_others() {
        let keys: Vec<u8> = (0..300_u64).flat_map(u64::to_be_bytes).collect();
        let ids: Vec<RecordId> = (0..300).map(|slot| RecordId::new(slot, 1)).collect();
        for bits_kept in [2, 5, 47] {
            let of_head = !(u64::MAX >> bits_kept);
            let items = Items { of_head, ..Items::new((&keys, 8), &ids, &[]) };
            let hash = |entry: &u64| hash_of(items.key(*entry));
            let mut order: Vec<u64> =
                keys.chunks(8).zip(0..).map(|(key, number)| hash_entry(hash_of(key), number, of_head)).collect();
            items.sort_hashed(&mut order);
            assert!(order.is_sorted_by_key(hash), "{bits_kept} bits kept");
            for bits in 0..12 {
                let prefix = |entry: &u64| hash(entry).checked_shr(64 - bits).unwrap_or(0);
                for from in (0..order.len()).step_by(7) {
                    let rest = &order[from..];
                    let alike = rest.iter().take_while(|entry| prefix(entry) == prefix(&rest[0])).count();
                    assert_eq!(items.run_len(rest, bits), alike, "{bits} of {bits_kept} bits kept");
                    let zeros = rest[..alike].iter().filter(|entry| hash(entry) << bits >> 63 == 0).count();
                    assert_eq!(items.zeros(&rest[..alike], bits), zeros, "{bits} of {bits_kept} bits kept");
                }
            }
        }
    }

    #[test]
    fn items_of_every_width_are_their_keys_and_ids() {
        for key_bytes in 1..=70 {
            let keys: Vec<u8> = (0..5 * key_bytes).map(|n| n as u8).collect();
            let ids: Vec<RecordId> = (0..5).map(|slot| RecordId::new(slot, 3)).collect();
            let order = [3, 0, 4, 1].map(|number| entry(u64::MAX, number, head_bits(5)));
            let items = Items::new((&keys, key_bytes), &ids, &order);
            let expected: Vec<u8> = [3, 0, 4, 1]
                .into_iter()
                .flat_map(|n| [&keys[n * key_bytes..][..key_bytes], &ids[n].get().to_be_bytes()].concat())
                .collect();
            assert_eq!(items.to_bytes(), expected, "{key_bytes} bytes");
        }
    }
}
