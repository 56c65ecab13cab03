//! Numbers of JSON, exactly.

use serde_json::Number;

/// Integers below are exact in a double, so an integral float is the integer that was written. This one is not: what was
/// written may have been one more.
const EXACT_FLOAT_END: f64 = (1_u64 << 53) as f64;

/// Why a JSON number is no integer.
#[derive(Debug, PartialEq)]
pub(super) enum NotInteger {
    /// It has a fraction.
    Fraction,
    /// Written with a fraction or an exponent, and so large that digits may be lost.
    Inexact,
}

/// The integer that a JSON number is: `5`, but also `5.0` and `5e0`.
pub(super) fn integer(number: &Number) -> Result<i128, NotInteger> {
    if let Some(value) = number.as_i64() {
        return Ok(value.into());
    }
    if let Some(value) = number.as_u64() {
        return Ok(value.into());
    }
    number.as_f64().map_or(Err(NotInteger::Inexact), integral)
}

/// The integer that a float is.
pub(super) fn integral(value: f64) -> Result<i128, NotInteger> {
    match value {
        value if value.fract() != 0.0 => Err(NotInteger::Fraction),
        value if value.abs() < EXACT_FLOAT_END => Ok(value as i128),
        _ => Err(NotInteger::Inexact),
    }
}

/// The integer that a string is: digits, perhaps behind a minus, no leading zeros.
pub(super) fn integer_text(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.len() == 1 || !digits.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// The nearest `f32` of a decimal number, as a float that holds it exactly; `None` beyond the largest.
///
/// Not simply `value as f32`: the number has been rounded to a double already, and rounding twice can end one off. A
/// double's shortest text is what was written, for all numbers that anyone writes for an `f32`.
pub fn narrow(value: f64) -> Option<f64> {
    let narrow: f32 = value.to_string().parse().ok()?;
    narrow.is_finite().then_some(f64::from(narrow))
}

/// The double whose shortest text is the shortest text of this `f32`: 0.1, not 0.10000000149011612.
pub fn widen(value: f64) -> f64 {
    (value as f32).to_string().parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn integral_floats_are_integers() {
        assert_eq!(integer(&number("0.0")), Ok(0));
        assert_eq!(integer(&number("-1e3")), Ok(-1000));
        assert_eq!(integer(&number("9007199254740993")), Ok(9_007_199_254_740_993));
        assert_eq!(integer(&number("18446744073709551615")), Ok(u64::MAX.into()));
    }

    #[test]
    fn what_may_have_lost_digits_is_refused() {
        assert_eq!(integer(&number("1.5")), Err(NotInteger::Fraction));
        assert_eq!(integer(&number("18446744073709551616")), Err(NotInteger::Inexact));
        assert_eq!(integer(&number("1e300")), Err(NotInteger::Inexact));
        assert_eq!(integer(&number("9007199254740991.0")), Ok((1 << 53) - 1));
        assert_eq!(integer(&number("9007199254740993.0")), Err(NotInteger::Inexact));
    }

    #[test]
    fn texts_are_digits_only() {
        assert_eq!(integer_text("-9223372036854775808"), Some(i64::MIN.into()));
        for wrong in ["", "-", "+1", "01", "1e3", " 1", "0x10", "1_000"] {
            assert_eq!(integer_text(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn every_f32_reads_back_from_its_shortest_text() {
        // A prime step: 50,000 floats of all sizes.
        for bits in (0..=u32::MAX).step_by(85_991) {
            let value = f32::from_bits(bits);
            if value.is_finite() {
                let written = widen(f64::from(value)).to_string();
                assert_eq!(written, value.to_string());
                assert_eq!(narrow(written.parse().unwrap()), Some(f64::from(value)), "{value}");
            }
        }
        assert_eq!(widen(f64::from(0.1_f32)).to_string(), "0.1");
        assert_eq!(narrow(1e39), None);
    }
}
