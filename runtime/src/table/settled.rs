//! Which slots are as they were given out for the first time: in use, of the first generation, naming the row of their own
//! number.
//!
//! A record is found through its slot, which is a cache line that nothing else is read of. Most records of most tables live
//! where they were born: nothing before them was deleted, and no deletion has moved them. Of these it is known without a
//! look at the slot:
//!
//! ```text
//! slots, 64 to a page:   | 0 ... 63 | 64 ... 127 | 128 ... 191 | ...        | limit, nothing is known behind it
//! moved, a bit a page:        0           1            0
//! ```
//!
//! A million records take 2 KB of bits, which stay in the nearest cache. A bit that is set says nothing: then the slot is
//! asked. Bits are set by whoever writes such a slot, and never taken back but by a start, so that nothing need be undone:
//! a deletion that is rolled back leaves a page behind that is asked for in vain.
//!
//! This is no part of a table's content: it follows from the slots, and is not stored.

use super::version::{IN_USE, SLOT_BYTES};

/// Slots that share a bit, as a power of two.
const PAGE_BITS: u32 = 6;

/// Which slots need not be asked. By default all must be.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// Slots of which something is known.
    limit: u32,
    /// A bit for every page with a slot that is not as it was given out; pages behind the last word have none.
    moved: Vec<u64>,
    /// How often a bit was set: versions of a table with the same number have the same bits.
    moves: u64,
}

/// What is known of a table's slots is no part of its content.
impl PartialEq for Settled {
    fn eq(&self, _: &Settled) -> bool {
        true
    }
}
impl Eq for Settled {}

impl Settled {
    /// What these slots say.
    pub fn of(slots: &[u8]) -> Settled {
        let slots = slots.as_chunks::<SLOT_BYTES>().0;
        let mut settled = Settled { limit: slots.len() as u32, ..Settled::default() };
        for (slot, entry) in (0..).zip(slots) {
            settled.note(slot, u64::from_le_bytes(*entry));
        }
        settled
    }

    /// Whether the slot holds a record of the first generation, which lies in the row of the slot's number.
    #[inline]
    pub fn holds(&self, slot: u32) -> bool {
        let (word, bit) = place(slot);
        slot < self.limit && self.moved.get(word).is_none_or(|moved| moved & bit == 0)
    }

    /// The slot is `entry` from now on. Nothing good is learned from that: it may be undone.
    #[inline]
    pub fn note(&mut self, slot: u32, entry: u64) {
        if slot < self.limit && entry != first_entry(slot) {
            self.mark(slot);
        }
    }

    /// So many slots from `slot` on were added, as they are given out for the first time. Where that is undone they are gone.
    #[inline]
    pub fn note_new(&mut self, slot: u32, count: u32) {
        if slot == self.limit {
            self.limit += count;
        }
    }

    /// There are no more than so many slots.
    #[inline]
    pub fn truncate(&mut self, slots: u32) {
        self.limit = self.limit.min(slots);
    }

    /// Takes over what is known of the same slots.
    #[inline]
    pub fn follow(&mut self, other: &Settled) {
        self.limit = other.limit;
        if self.moves != other.moves {
            self.moved.clone_from(&other.moved);
            self.moves = other.moves;
        }
    }

    /// The slots are those of another table from now on.
    pub fn adopt(&mut self, other: &Settled) {
        // No version of this table has as many moves.
        *self = Settled { moves: self.moves.max(other.moves) + 1, ..other.clone() };
    }

    /// Whether what is known is true of these slots.
    pub fn is_true_of(&self, slots: &[u8]) -> bool {
        let slots = slots.as_chunks::<SLOT_BYTES>().0;
        let Some(known) = slots.get(..self.limit as usize) else { return false };
        (0..).step_by(1 << PAGE_BITS).zip(known.chunks(1 << PAGE_BITS)).all(|(first, page)| {
            let other = |(slot, entry): (u32, &[u8; SLOT_BYTES])| u64::from_le_bytes(*entry) ^ first_entry(slot);
            !self.holds(first) || (first..).zip(page).map(other).fold(0, |all, other| all | other) == 0
        })
    }

    /// The page of a slot must be asked.
    fn mark(&mut self, slot: u32) {
        let (word, bit) = place(slot);
        if word >= self.moved.len() {
            self.moved.resize(word + 1, 0);
        }
        self.moves += u64::from(self.moved[word] & bit == 0);
        self.moved[word] |= bit;
    }
}

/// The word with the bit of a slot's page, and the bit.
#[inline]
fn place(slot: u32) -> (usize, u64) {
    let page = slot >> PAGE_BITS;
    ((page / u64::BITS) as usize, 1 << (page % u64::BITS))
}

/// A slot that was given out for the first time, in the row of its number.
#[inline]
fn first_entry(slot: u32) -> u64 {
    u64::from(1 | IN_USE) << 32 | u64::from(slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(entries: impl IntoIterator<Item = u64>) -> Vec<u8> {
        entries.into_iter().flat_map(u64::to_le_bytes).collect()
    }

    #[test]
    fn a_page_is_asked_once_one_of_its_slots_has_moved() {
        let mut entries: Vec<u64> = (0..1000).map(first_entry).collect();
        let mut settled = Settled::of(&slots(entries.clone()));
        assert!((0..1000).all(|slot| settled.holds(slot)) && !settled.holds(1000));
        entries[130] = first_entry(7);
        settled.note(130, entries[130]);
        let asked: Vec<u32> = (0..1000).filter(|slot| !settled.holds(*slot)).collect();
        assert_eq!(asked, (128..192).collect::<Vec<u32>>());
        assert!(settled.is_true_of(&slots(entries.clone())));
        entries[5] = 0;
        assert!(!settled.is_true_of(&slots(entries.clone())));
        assert!(Settled::of(&slots(entries)).holds(64));
    }

    #[test]
    fn slots_behind_the_last_known_one_are_asked_and_what_is_cut_off_is_forgotten() {
        let mut settled = Settled::default();
        settled.note_new(0, 100);
        settled.note_new(200, 50);
        settled.note(300, first_entry(300));
        assert!(settled.holds(99) && !settled.holds(100) && !settled.holds(220) && !settled.holds(300));
        settled.truncate(40);
        assert!(settled.holds(39) && !settled.holds(40));
        // A component that is attached writes a slot that is there, and is undone by writing what was in it before.
        settled.note(40, first_entry(40));
        assert!(!settled.holds(40), "this may be taken back");
        settled.note_new(40, 2);
        settled.note(41, first_entry(3));
        assert!(!settled.holds(40), "its page has a slot that names another row");
    }

    #[test]
    fn another_version_learns_what_has_moved_meanwhile() {
        let mut one = Settled::default();
        one.note_new(0, 10_000);
        let mut other = Settled::default();
        other.follow(&one);
        one.note(9000, 0);
        one.note_new(10_000, 5);
        assert!(other.holds(9000) && !other.holds(10_004));
        other.follow(&one);
        assert!(!other.holds(9000) && other.holds(10_004) && other.holds(5));
    }
}
