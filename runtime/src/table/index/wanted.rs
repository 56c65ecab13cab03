//! Keys that are looked for at once.

/// Keys that are looked for at once, at most: about as many cache lines can be on their way to a processor.
pub const AT_ONCE: usize = 16;

/// Up to [`AT_ONCE`] keys.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'k> {
    keys: [&'k [u8]; AT_ONCE],
    count: usize,
}

impl<'k> Wanted<'k> {
    /// These keys; what is beyond [`AT_ONCE`] is left out.
    #[inline]
    pub fn new(keys: impl IntoIterator<Item = &'k [u8]>) -> Wanted<'k> {
        let mut wanted = Wanted { keys: [&[]; AT_ONCE], count: 0 };
        for (place, key) in wanted.keys.iter_mut().zip(keys) {
            *place = key;
            wanted.count += 1;
        }
        wanted
    }

    /// How many there are.
    #[inline]
    pub fn count(&self) -> usize {
        // Said so, no loop over them looks for an end beyond that.
        self.count.min(AT_ONCE)
    }

    /// The keys, in their order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &'k [u8]> + '_ {
        self.keys[..self.count()].iter().copied()
    }
}
