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
    while let Some((pair, behind)) = left.split_first_chunk::<16>().filter(|(_, behind)| !behind.is_empty()) {
        let pair = u128::from_le_bytes(*pair);
        state = fold(pair as u64 ^ PI[1], (pair >> 64) as u64 ^ state);
        left = behind;
    }
    let (one, other) = if let (Some(begin), Some(end)) = (left.first_chunk(), left.last_chunk()) {
        (u64::from_le_bytes(*begin), u64::from_le_bytes(*end))
    } else if let (Some(begin), Some(end)) = (left.first_chunk(), left.last_chunk()) {
        (u32::from_le_bytes(*begin).into(), u32::from_le_bytes(*end).into())
    } else if let [byte] = left {
        // The length behind a text: no loop for that.
        (u64::from(*byte), 0)
    } else {
        (left.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0)
    };
    fold(fold(one ^ PI[1], other ^ state), PI[2])
}
