//! The same few bytes of many records that lie one behind the other.
//!
//! A batch is worked on field by field and not record by record: what a field is, is asked once, and what is left is a loop
//! over bytes at a fixed distance. Records and what is made of them (keys, rows of a column group) are both such strides.

/// Some bytes of each of many records.
#[derive(Debug, Clone, Copy)]
pub struct Strided<'a> {
    /// The records.
    pub bytes: &'a [u8],
    /// Bytes of a record.
    pub stride: usize,
    /// Where in a record the bytes begin.
    pub at: usize,
}

/// The same, to be overwritten.
#[derive(Debug)]
pub struct StridedMut<'a> {
    /// The records.
    pub bytes: &'a mut [u8],
    /// Bytes of a record.
    pub stride: usize,
    /// Where in a record the bytes begin.
    pub at: usize,
}

impl<'a> Strided<'a> {
    /// The bytes, N of each record; none if records are shorter.
    #[inline]
    pub fn cells<const N: usize>(self) -> impl Iterator<Item = &'a [u8; N]> {
        let Strided { bytes, stride, at } = self;
        // Asked once: if the cells are in the records at all.
        let (bytes, stride) = if at + N <= stride { (bytes, stride) } else { (&[][..], 1) };
        bytes.chunks_exact(stride).filter_map(move |record| record.get(at..).and_then(<[u8]>::first_chunk))
    }
}

impl StridedMut<'_> {
    /// Overwrites N bytes of each record with what `turn` makes of N bytes of the record of the same number.
    #[inline]
    pub fn turn<const N: usize>(self, from: Strided<'_>, turn: impl Fn([u8; N]) -> [u8; N]) {
        if self.at + N > self.stride || from.at + N > from.stride {
            return;
        }
        let records = from.bytes.chunks_exact(from.stride);
        for (to, record) in self.bytes.chunks_exact_mut(self.stride).zip(records) {
            if let (Some(to), Some(cell)) = (to[self.at..].first_chunk_mut(), record[from.at..].first_chunk()) {
                *to = turn(*cell);
            }
        }
    }

    /// Overwrites `len` bytes of each record with those of the record of the same number.
    #[inline]
    pub fn copy(self, from: Strided<'_>, len: usize) {
        match len {
            0 => {}
            1 => self.turn::<1>(from, |cell| cell),
            2 => self.turn::<2>(from, |cell| cell),
            4 => self.turn::<4>(from, |cell| cell),
            8 => self.turn::<8>(from, |cell| cell),
            12 => self.turn::<12>(from, |cell| cell),
            16 => self.turn::<16>(from, |cell| cell),
            24 => self.turn::<24>(from, |cell| cell),
            32 => self.turn::<32>(from, |cell| cell),
            17..=31 => self.copy_blocks::<16>(from, len),
            33.. => self.copy_blocks::<32>(from, len),
            9..=15 => self.copy_blocks::<8>(from, len),
            _ => self.copy_blocks::<1>(from, len),
        }
    }

    /// The same in blocks of N bytes, `len` being no less: the last block overlaps the one before. A call for each record
    /// would take longer than its bytes.
    #[inline]
    fn copy_blocks<const N: usize>(self, from: Strided<'_>, len: usize) {
        let last = len - N;
        let records = from.bytes.chunks_exact(from.stride.max(1));
        for (to, record) in self.bytes.chunks_exact_mut(self.stride.max(1)).zip(records) {
            let (Some(to), Some(bytes)) = (to.get_mut(self.at..self.at + len), record.get(from.at..from.at + len))
            else {
                return;
            };
            let (to_blocks, from_blocks) = (to.as_chunks_mut::<N>().0, bytes.as_chunks::<N>().0);
            for (to, block) in to_blocks.iter_mut().zip(from_blocks) {
                *to = *block;
            }
            if let (Some(to), Some(block)) = (to[last..].first_chunk_mut::<N>(), bytes[last..].first_chunk::<N>()) {
                *to = *block;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_is_copied_and_nothing_beside_it() {
        for len in 0..=80 {
            let (from_stride, to_stride) = (len + 5, len + 3);
            let from: Vec<u8> = (0..3 * from_stride).map(|n| (n % 250) as u8 + 1).collect();
            let mut to = vec![0; 3 * to_stride];
            let records = Strided { bytes: &from, stride: from_stride, at: 4 };
            StridedMut { bytes: &mut to, stride: to_stride, at: 2 }.copy(records, len);
            for (to, from) in to.chunks(to_stride).zip(from.chunks(from_stride)) {
                assert_eq!(to[2..2 + len], from[4..4 + len], "{len} bytes");
                assert_eq!((&to[..2], &to[2 + len..]), (&[0; 2][..], &[0][..]), "beside {len} bytes");
            }
        }
    }

    #[test]
    fn records_that_are_too_short_have_no_cells() {
        let records = Strided { bytes: &[1, 2, 3, 4, 5, 6], stride: 3, at: 1 };
        assert_eq!(records.cells::<2>().copied().collect::<Vec<_>>(), [[2, 3], [5, 6]]);
        assert_eq!(records.cells::<3>().count(), 0);
    }
}
