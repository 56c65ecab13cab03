//! The one hash function of the engine: of index keys, and of the texts in them.

/// The hash of some bytes. It is part of the format: the same bytes have the same hash everywhere and for ever.
///
/// The key is read as little-endian words of 8 bytes, two at a time; each pair is multiplied to 128 bits and folded to
/// 64 by xor, with the result so far mixed in. This is the scheme of wyhash (Wang Yi, public domain); the constants are
/// the first hexadecimal digits of pi's fraction. Keys of up to 16 bytes take two multiplications.
#[inline]
pub fn hash_of(key: &[u8]) -> u64 {
    const PI: [u64; 3] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0];
    let fold = |one: u64, other: u64| {
        let product = u128::from(one) * u128::from(other);
        product as u64 ^ (product >> 64) as u64
    };
    let mut state = PI[0] ^ key.len() as u64;
    let mut left = key;
    while left.len() > 16 {
        state = fold(u64_at(left, 0) ^ PI[1], u64_at(left, 8) ^ state);
        left = &left[16..];
    }
    let (one, other) = match left.len() {
        8.. => (u64_at(left, 0), u64_at(left, left.len() - 8)),
        4.. => (u64::from(u32_at(left, 0)), u64::from(u32_at(left, left.len() - 4))),
        _ => (left.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
    };
    fold(fold(one ^ PI[1], other ^ state), PI[2])
}

/// The `u32` at `at`; 0 beyond the end.
#[inline]
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |number| u32::from_le_bytes(*number))
}

/// The `u64` at `at`; 0 beyond the end.
#[inline]
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |number| u64::from_le_bytes(*number))
}
