//! `str<N>`: text of up to N bytes, stored in the record.

use super::pod::ascii_str;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

macro_rules! str_cell {
    ($(#[$doc:meta])* $cell:ident $len:ident $head:literal) => {
        $(#[$doc])*
        ///
        /// Bytes behind the text are zero, so that equal bytes are equal text: comparing, hashing and ordering look at
        /// bytes and never decode them.
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[repr(C)]
        pub struct $cell<const N: usize> {
            len: [u8; $head],
            bytes: [u8; N],
        }

        impl<const N: usize> $cell<N> {
            /// A cell that holds `text`; `None` if that is longer than N bytes.
            #[inline]
            pub const fn try_new(text: &str) -> Option<Self> {
                if text.len() > N || N > $len::MAX as usize {
                    return None;
                }
                let mut cell = Self::EMPTY;
                cell.len = (text.len() as $len).to_le_bytes();
                put_text(&mut cell.bytes, text.as_bytes());
                Some(cell)
            }

            /// The empty text.
            pub const EMPTY: Self = $cell { len: [0; $head], bytes: [0; N] };

            /// The bytes of the text.
            #[inline]
            pub fn as_bytes(&self) -> &[u8] {
                let len = usize::from($len::from_le_bytes(self.len));
                &self.bytes[..len.min(N)]
            }

            /// The text. Of damaged bytes, which no write leaves behind, the part before the damage.
            #[inline]
            pub fn as_str(&self) -> &str {
                valid_str(self.as_bytes())
            }

            /// Bytes of the text.
            #[inline]
            pub fn len(&self) -> usize {
                self.as_bytes().len()
            }

            /// Whether the text is empty.
            #[inline]
            pub fn is_empty(&self) -> bool {
                self.len == [0; $head]
            }
        }

        impl<const N: usize> Default for $cell<N> {
            fn default() -> Self {
                Self::EMPTY
            }
        }

        impl<const N: usize> Hash for $cell<N> {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_bytes().hash(state);
            }
        }

        impl<const N: usize> Ord for $cell<N> {
            fn cmp(&self, other: &Self) -> Ordering {
                self.as_bytes().cmp(other.as_bytes())
            }
        }

        impl<const N: usize> PartialOrd for $cell<N> {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl<const N: usize> PartialEq<str> for $cell<N> {
            fn eq(&self, other: &str) -> bool {
                self.as_bytes() == other.as_bytes()
            }
        }

        impl<const N: usize> PartialEq<&str> for $cell<N> {
            fn eq(&self, other: &&str) -> bool {
                self == *other
            }
        }

        impl<const N: usize> AsRef<str> for $cell<N> {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl<const N: usize> fmt::Debug for $cell<N> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl<const N: usize> fmt::Display for $cell<N> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.as_str(), f)
            }
        }
    };
}

str_cell! {
    /// Up to N bytes of UTF-8, N at most 255: a length byte, then N bytes.
    Str u8 1
}

str_cell! {
    /// Up to N bytes of UTF-8, N above 255: two length bytes, then N bytes.
    LongStr u16 2
}

/// Writes a text over zeros.
#[inline]
const fn put_text<const N: usize>(zeros: &mut [u8; N], text: &[u8]) {
    const WORDS_BYTES_MAX: usize = 64;
    const WORD_BYTES: usize = 8;
    if N > WORDS_BYTES_MAX {
        return zeros.split_at_mut(text.len()).0.copy_from_slice(text);
    }
    // Word by word, out of registers: what is copied as often as there are bytes is read again, as a whole, before it has
    // arrived, and a processor waits for that.
    let mut at = 0;
    while at < N {
        let word = word_of(text, at).to_le_bytes();
        let len = if N - at < WORD_BYTES { N - at } else { WORD_BYTES };
        zeros.split_at_mut(at).1.split_at_mut(len).0.copy_from_slice(word.split_at(len).0);
        at += WORD_BYTES;
    }
}

/// The eight bytes of a text from `at` on, a multiple of eight, as a number; zeros behind its end.
#[inline(always)]
pub(crate) const fn word_of(text: &[u8], at: usize) -> u64 {
    if at >= text.len() {
        return 0;
    }
    let rest = text.split_at(at).1;
    if let Some(word) = rest.first_chunk() {
        return u64::from_le_bytes(*word);
    }
    let len = rest.len() as u32;
    if let Some(last) = text.last_chunk() {
        return u64::from_le_bytes(*last) >> (8 * (8 - len));
    }
    match (rest.first_chunk(), rest.last_chunk()) {
        (Some(first), Some(last)) => {
            u32::from_le_bytes(*first) as u64 | (u32::from_le_bytes(*last) as u64) << (8 * (len - 4))
        }
        _ => {
            rest[0] as u64
                | (rest[rest.len() / 2] as u64) << (8 * (len / 2))
                | (rest[rest.len() - 1] as u64) << (8 * (len - 1))
        }
    }
}

/// The longest prefix of `bytes` that is UTF-8.
#[inline]
pub(super) fn valid_str(bytes: &[u8]) -> &str {
    match ascii_str(bytes) {
        Some(text) => text,
        None => utf8_prefix(bytes),
    }
}

fn utf8_prefix(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_length_is_written_with_zeros_behind_it() {
        fn written<const N: usize>() {
            let all = "abcdefghijklmnopqrstuvwxyz".repeat(4);
            for len in 0..=N {
                let cell = Str::<N>::try_new(&all[..len]).expect("it fits");
                assert_eq!((cell.as_str(), cell.len()), (&all[..len], len), "of {N}");
                assert!(cell.bytes[len..].iter().all(|byte| *byte == 0), "{len} of {N}");
            }
        }
        let widths =
            [written::<1>, written::<7>, written::<8>, written::<13>, written::<24>, written::<64>, written::<65>];
        widths.iter().for_each(|written| written());
    }

    #[test]
    fn unused_bytes_are_zero_and_equality_is_by_bytes() {
        let name = Str::<6>::try_new("Ayla").unwrap();
        assert_eq!(bytemuck::bytes_of(&name), b"\x04Ayla\0\0");
        assert_eq!(name, "Ayla");
        assert_eq!(Str::<3>::try_new("Ayla"), None);
        assert_eq!(Str::<2>::default().as_str(), "");
    }

    #[test]
    fn long_strings_have_two_length_bytes() {
        let name = LongStr::<300>::try_new(&"é".repeat(150)).unwrap();
        assert_eq!(&bytemuck::bytes_of(&name)[..2], [0x2c, 0x01]);
        assert_eq!(name.as_str().chars().count(), 150);
        assert_eq!(size_of::<LongStr<300>>(), 302);
    }

    #[test]
    fn damage_yields_the_text_before_it() {
        let cell: &Str<4> = bytemuck::from_bytes(b"\x04ab\xff\xfe");
        assert_eq!(cell.as_str(), "ab");
        let cell: &Str<2> = bytemuck::from_bytes(b"\xffab");
        assert_eq!(cell.as_str(), "ab", "a length beyond the cell reads as the whole cell");
        let cell: &Str<2> = bytemuck::from_bytes(b"\x02\xffa");
        assert_eq!(cell.as_str(), "");
    }
}
