//! Where choices come from: a seed, or bytes that somebody else chose.

/// A source of choices. Bytes that have run out are zeros, and every choice makes of zeros the simplest thing, so that a
/// shorter tape is a simpler test.
#[derive(Debug, Clone)]
pub enum Tape<'b> {
    /// Choices without end from a seed.
    Seed(u64),
    /// Choices from bytes.
    Bytes(&'b [u8]),
}

impl Tape<'_> {
    /// Any byte.
    pub fn byte(&mut self) -> u8 {
        match self {
            Tape::Seed(state) => (split_mix(state) >> 56) as u8,
            Tape::Bytes(bytes) => match bytes.split_first() {
                Some((first, rest)) => {
                    *bytes = rest;
                    *first
                }
                None => 0,
            },
        }
    }

    /// Any number.
    pub fn word(&mut self) -> u64 {
        match self {
            Tape::Seed(state) => split_mix(state),
            Tape::Bytes(_) => (0..8).fold(0, |word, _| word << 8 | u64::from(self.byte())),
        }
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        match (end, &self) {
            (..=1, _) => 0,
            (..=256, Tape::Bytes(_)) => usize::from(self.byte()) % end,
            (..=65536, Tape::Bytes(_)) => (usize::from(self.byte()) << 8 | usize::from(self.byte())) % end,
            _ => (self.word() % end as u64) as usize,
        }
    }

    /// True once in `n` times; false on a tape that has run out.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// One of these; the first one on a tape that has run out.
    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// The generator of Steele, Lea and Flood: a step of a Weyl sequence, mixed.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
