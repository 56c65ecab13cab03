//! The unsafe of comparing sixteen bytes at once.
//!
//! Without it eight bytes are compared as a number, which takes ten instructions and as many more to gather what was found.

#![allow(unsafe_code)]

/// Which of some bytes are `wanted`, a bit each.
#[inline(always)]
pub(crate) fn equal_bytes(bytes: &[u8; 16], wanted: u8) -> u16 {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    // SAFETY: these instructions need SSE2, which this code is compiled for (and every x86-64 processor has). They take
    // their bytes by value and touch no memory.
    unsafe {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
        let bytes = u128::from_le_bytes(*bytes);
        let bytes = _mm_set_epi64x((bytes >> 64) as i64, bytes as i64);
        _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted as i8))) as u16
    }
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
    equal_bytes_by_word(bytes, wanted)
}

/// The same, eight bytes at a time, for every processor.
#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "sse2"))))]
fn equal_bytes_by_word(bytes: &[u8; 16], wanted: u8) -> u16 {
    const EACH_BYTE: u64 = u64::from_ne_bytes([1; 8]);
    const LOW_BITS: u64 = u64::from_ne_bytes([0x7F; 8]);
    /// Gathers the top bits of all bytes in the highest byte.
    const GATHER: u64 = 0x0002_0408_1020_4081;
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().rev().fold(0, |found, word| {
        let differing = u64::from_le_bytes(*word) ^ (u64::from(wanted) * EACH_BYTE);
        // The top bit of each byte that is zero.
        let equal = !(((differing & LOW_BITS) + LOW_BITS) | differing | LOW_BITS);
        found << 8 | (equal.wrapping_mul(GATHER) >> 56) as u16
    })
}

#[cfg(test)]
mod tests {
    use super::{equal_bytes, equal_bytes_by_word};

    #[test]
    fn equal_bytes_are_found_wherever_they_are() {
        let mut state = 1_u64;
        for _ in 0..2000 {
            let bytes: [u8; 16] = std::array::from_fn(|_| {
                state = state.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
                [0, 1, 2, 0x7F, 0x80, 0x81, 0xFE, 0xFF][(state >> 61) as usize]
            });
            for wanted in [0, 1, 0x7F, 0x80, 0xFF] {
                let expected = (0..16).fold(0, |bits, at| bits | u16::from(bytes[at] == wanted) << at);
                assert_eq!(equal_bytes(&bytes, wanted), expected, "{wanted} in {bytes:?}");
                assert_eq!(equal_bytes_by_word(&bytes, wanted), expected, "{wanted} in {bytes:?}");
            }
        }
    }
}
