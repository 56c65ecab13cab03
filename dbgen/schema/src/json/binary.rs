//! Bytes as text: base64 and UUIDs.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Bytes from base64, of either alphabet, with or without padding.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    engine.decode(text).ok()
}

/// Base64 with the standard alphabet and padding.
pub fn base64_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The 16 bytes of a UUID: 32 hexadecimal digits, hyphens in their five places or none.
pub fn uuid(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let hyphenated = bytes.len() == 36;
    if hyphenated && [8, 13, 18, 23].iter().any(|at| bytes.get(*at) != Some(&b'-')) {
        return None;
    }
    let digits: Vec<u8> = bytes.iter().copied().filter(|byte| !(hyphenated && *byte == b'-')).collect();
    if digits.len() != 32 {
        return None;
    }
    let hex = |digit: u8| char::from(digit).to_digit(16);
    digits.chunks(2).map(|pair| Some((hex(*pair.first()?)? * 16 + hex(*pair.get(1)?)?) as u8)).collect()
}

/// The hyphenated text of a UUID, in lower case.
pub(super) fn uuid_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_either_alphabet() {
        assert_eq!(base64("+/8="), Some(vec![0xfb, 0xff]));
        assert_eq!(base64("-_8"), Some(vec![0xfb, 0xff]));
        assert_eq!(base64(""), Some(vec![]));
        assert_eq!(base64("a"), None);
        assert_eq!(base64("a b="), None);
        assert_eq!(base64_text(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn uuids_with_and_without_hyphens() {
        let text = "01234567-89ab-4def-8123-456789abcdef";
        let bytes = uuid(text).unwrap();
        assert_eq!(uuid_text(&bytes), text);
        assert_eq!(uuid(&text.replace('-', "").to_uppercase()), Some(bytes));
        for wrong in ["", "0123", "01234567-89ab-4def-8123-456789abcdeg", "0123456789ab-4def-8123-456789abcdef----"] {
            assert_eq!(uuid(wrong), None, "{wrong:?}");
        }
    }
}
