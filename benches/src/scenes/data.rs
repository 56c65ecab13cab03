//! The data of the scenes, the same on all sides: who is called what, who is in which guild, in which order records are
//! asked for. No clock and no random source: every run asks the same.

use std::hint::black_box;
use std::ops::Range;

/// Guilds that players are in.
pub const GUILDS: usize = 1000;
pub const GOLD: u64 = 1000;
/// Speed, in some unit.
pub const SCALE: f32 = 1.0;
/// The levels that range scans ask for, of 0 to 99.
pub const LEVELS: Range<u16> = 10..30;
/// Gets per call for peers that take a microsecond each.
pub const SLOW_GETS: usize = 10_000;
/// Gets per call at most.
const GETS_MAX: usize = 100_000;

pub fn name(n: usize) -> String {
    format!("player-{n}")
}

/// Which guild a player is in.
pub fn guild(n: usize) -> usize {
    n % GUILDS
}

pub fn class(n: usize) -> u8 {
    (n % 4) as u8
}

pub fn level(n: usize) -> u16 {
    (scrambled(n) % 100) as u16
}

/// Seconds of a tick, opaque to the optimizer.
pub fn dt() -> f32 {
    black_box(1.0 / 60.0)
}

fn scrambled(n: usize) -> usize {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24
}

/// Marsaglia's xorshift.
pub struct Random(u64);

impl Random {
    pub fn new() -> Random {
        Random(88_172_645_463_325_252)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Numbers below `count` in random order, 100,000 of them at most.
pub fn shuffled(count: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    shuffle(&mut numbers);
    numbers.truncate(GETS_MAX);
    numbers
}

/// Puts a slice into random order.
pub fn shuffle<T>(items: &mut [T]) {
    let mut random = Random::new();
    for at in (1..items.len()).rev() {
        items.swap(at, (random.next() % (at as u64 + 1)) as usize);
    }
}

/// Rows in an order that caches do not foresee, without end.
pub struct Walk {
    random: Random,
    count: usize,
}

impl Walk {
    pub fn new(count: usize) -> Walk {
        Walk { random: Random::new(), count }
    }

    pub fn next_row(&mut self) -> usize {
        (self.random.next() % self.count as u64) as usize
    }
}

/// Records to be asked for in random order, without end: they lie in that order, so that whoever asks waits for the database
/// and not for the list of whom to ask. The peers compute theirs.
pub struct Wanted<T> {
    items: Vec<T>,
    next: usize,
}

impl<T: Copy> Wanted<T> {
    pub fn new(items: &[T]) -> Wanted<T> {
        let mut items = items.to_vec();
        shuffle(&mut items);
        Wanted { items, next: 0 }
    }

    pub fn next(&mut self) -> T {
        let item = self.items[self.next];
        self.next = (self.next + 1) % self.items.len();
        item
    }
}

/// The subject of a letter: 20 bytes or so.
pub fn subject(n: usize) -> String {
    format!("About matter no. {n}")
}

/// The body of a letter: 60 bytes or so.
pub fn body(n: usize) -> String {
    format!("Dear {}, the gates are to be shut at dusk. Yours, {n}", name(n))
}
