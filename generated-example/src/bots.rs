//! What bots need: names for their guilds, and dice that fall the same way in every run.

use std::ops::Range;

/// The arena is a square with sides of so many metres.
pub(crate) const ARENA_SIZE: f32 = 200.0;

/// The guilds of the arena.
pub(crate) const GUILDS: [&str; 8] =
    ["Dawn Guard", "Iron Ring", "Red Hand", "Last Light", "Free Blades", "Grey Order", "Sand Kings", "Storm Crows"];

/// A small random generator (xorshift64*, S. Vigna 2016): the same seed gives the same world.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice with a seed.
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number from 0 to 1, 1 excluded.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// A number from the range.
    pub(crate) fn range(&mut self, range: Range<i32>) -> i32 {
        range.start + (self.next() % range.len().max(1) as u64) as i32
    }

    /// One of the items, which are not none.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[(self.next() % items.len() as u64) as usize]
    }
}
