//! Single values as JSON holds them, for those who go from Rust to JSON without a [`Value`](crate::Value) between.

pub use super::binary::{base64, base64_text, uuid};
pub use super::number::{narrow, widen};
pub use super::time::{duration, exact_seconds, seconds, seconds_text, timestamp, timestamp_text};

use super::number;

/// The integer that a text is: digits, perhaps behind a minus, no leading zeros.
pub fn integer(text: &str) -> Option<i128> {
    number::integer_text(text)
}

/// The integer that a float is: without a fraction, and not so large that it may have been another one when it was written.
pub fn integral(value: f64) -> Option<i128> {
    number::integral(value).ok()
}
