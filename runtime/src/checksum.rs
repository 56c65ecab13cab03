//! The two checksums of what lies on a disk.
//!
//! Records of the log are small and many: CRC-32C, which finds every burst of up to 32 bits, computed by the processor.
//! Blocks of snapshots are large: XXH3-128. Neither keeps out a forger; both find what a disk does.

/// CRC-32C of `bytes`, continued from `seed`.
#[inline]
pub fn crc32c(seed: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(seed, bytes)
}

/// XXH3-128 of `bytes`.
#[inline]
pub fn xxh3_128(bytes: &[u8]) -> u128 {
    xxhash_rust::xxh3::xxh3_128(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_give_the_values_of_their_definitions() {
        assert_eq!(crc32c(0, b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(crc32c(0, b"1234"), b"56789"), 0xe306_9283);
        assert_eq!(xxh3_128(b""), 0x99aa_06d3_0147_98d8_6001_c324_468d_497f);
    }
}
