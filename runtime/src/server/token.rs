//! Tokens: kept as their SHA-256, so that neither a file nor a memory dump that shows them lets anyone in.
//!
//! A digest is enough for tokens, which are long and random; passwords, which are neither, have no place here.

use sha2::{Digest, Sha256};

/// The SHA-256 of a token.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Of this token.
    pub fn of(token: &str) -> TokenHash {
        TokenHash(Sha256::digest(token.as_bytes()).into())
    }

    /// From 64 hexadecimal digits, as `sha256sum` prints them; `None` if it is anything else.
    pub fn from_hex(digits: &str) -> Option<TokenHash> {
        if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
        }
        Some(TokenHash(hash))
    }

    /// Whether it is that of a token, in a time that does not depend on where they differ.
    pub(crate) fn is_of(&self, hash: &TokenHash) -> bool {
        let differing = self.0.iter().zip(&hash.0).fold(0, |bits, (a, b)| std::hint::black_box(bits | (a ^ b)));
        differing == 0
    }
}

/// Not what it holds: it is nobody's business.
impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_its_token_alone() {
        let hash = TokenHash::from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").unwrap();
        assert!(hash.is_of(&TokenHash::of("abc")), "the first example of FIPS 180-4");
        assert!(!hash.is_of(&TokenHash::of("abd")) && !hash.is_of(&TokenHash::of("")));
        assert_eq!(format!("{hash:?}"), "TokenHash(…)");
    }

    #[test]
    fn what_is_no_hash_is_none() {
        for wrong in ["", "ba78", &"g".repeat(64), &"+1".repeat(32), &"é".repeat(32)] {
            assert_eq!(TokenHash::from_hex(wrong), None, "{wrong}");
        }
    }
}
