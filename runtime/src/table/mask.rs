//! Which components a record has: a bit per component table, kept by the table whose records own them.
//!
//! ```text
//! masks:  | slot 0: words of 64 bits | slot 1: words | ... |      bit n = the n-th component table of this one
//! ```
//!
//! One load tells whether an entity has all that a join asks for, whichever tables those are. What lies beyond the end of
//! the buffer is zero: a table whose records have no components keeps nothing. Bits are written with the component they
//! stand for, in the same transaction, so they are undone and published with it.

use super::buffer::BufferMut;
use super::def::TableDef;
use super::rows::Rows;
use super::rows::index_buffer;
use super::version::TableView;
use crate::record::codec::le_u64;

/// Position of the buffer of masks: the last one, in tables that have components.
pub fn mask_buffer(def: &TableDef) -> usize {
    index_buffer(def, def.indexes.len())
}

/// Words of a record's mask.
pub fn mask_words(def: &TableDef) -> usize {
    def.components.len().div_ceil(64)
}

/// The masks of a version of a table.
#[derive(Debug, Clone, Copy)]
pub struct Masks<'v> {
    bytes: &'v [u8],
    words: usize,
}

/// What is asked of a mask.
#[derive(Debug, Clone, Default)]
pub struct MaskTest {
    /// Per word: where it is, the bits that must be set, and those that must not.
    words: Vec<(usize, u64, u64)>,
}

impl<'v> TableView<'v> {
    /// Which components its records have.
    pub fn masks(self) -> Masks<'v> {
        let bytes = self.version.buffers.get(mask_buffer(self.def)).map_or(&[][..], |buffer| buffer.bytes());
        Masks { bytes, words: mask_words(self.def) }
    }
}

impl Masks<'_> {
    /// A word of the mask of the record in `slot`.
    #[inline]
    pub fn word(self, slot: u32, word: usize) -> u64 {
        let at = (slot as usize * self.words + word) * 8;
        self.bytes.get(at..at + 8).map_or(0, le_u64)
    }

    /// Whether the record in `slot` has component number `bit`.
    pub fn has(self, slot: u32, bit: usize) -> bool {
        self.word(slot, bit / 64) >> (bit % 64) & 1 == 1
    }

    /// Whether the record in `slot` has what is asked for, and nothing that must not be.
    #[inline]
    pub fn passes(self, slot: u32, test: &MaskTest) -> bool {
        test.words.iter().all(|(word, set, clear)| {
            let mask = self.word(slot, *word);
            mask & set == *set && mask & clear == 0
        })
    }
}

impl MaskTest {
    /// Asks for component number `bit`, to be there or not.
    pub fn ask(&mut self, bit: usize, there: bool) {
        let (word, bit) = (bit / 64, 1 << (bit % 64));
        let at = self.words.iter().position(|asked| asked.0 == word).unwrap_or_else(|| {
            self.words.push((word, 0, 0));
            self.words.len() - 1
        });
        let (_, set, clear) = &mut self.words[at];
        *(if there { set } else { clear }) |= bit;
    }
}

/// Where the mask of a record has the bit of one of its components.
#[derive(Debug, Clone, Copy)]
pub struct MaskPlace {
    buffer: usize,
    words: usize,
    bit: usize,
}

impl MaskPlace {
    /// That of component number `bit` of `owner`.
    #[inline]
    pub fn new(owner: &TableDef, bit: usize) -> MaskPlace {
        MaskPlace { buffer: mask_buffer(owner), words: mask_words(owner), bit }
    }

    /// The buffer that it is in.
    #[inline]
    pub fn buffer(&self) -> usize {
        self.buffer
    }

    /// Notes in the buffer of masks that the record in `slot` has the component, or has it no more.
    #[inline(always)]
    pub fn set(&self, mut masks: BufferMut<'_>, slot: u32, there: bool) {
        let offset = (slot as usize * self.words + self.bit / 64) * 8;
        // It holds whole masks: one whose words are not all there has none of them.
        if offset + 8 > masks.len() {
            self.add_masks(masks.reborrow(), slot);
        }
        if let Some(mask) = masks.edit(offset, 8).first_chunk_mut::<8>() {
            let (had, bit) = (u64::from_le_bytes(*mask), 1 << (self.bit % 64));
            *mask = (if there { had | bit } else { had & !bit }).to_le_bytes();
        }
    }

    #[cold]
    fn add_masks(&self, mut masks: BufferMut<'_>, slot: u32) {
        masks.grow((slot as usize + 1) * self.words * 8 - masks.len());
    }
}

impl Rows<'_> {
    /// Notes that the record in `slot` has component number `bit`, or has it no more.
    pub fn set_component(&mut self, slot: u32, bit: usize, there: bool) {
        let place = MaskPlace::new(self.def, bit);
        place.set(self.buffer(place.buffer), slot, there);
    }
}
