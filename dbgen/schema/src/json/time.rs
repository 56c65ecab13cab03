//! Times as text: RFC 3339 for points, seconds for spans; both in microseconds inside.
//!
//! Written here, not taken from a date library: a library would be compiled, seconds long, in the build script of every
//! game. Days are counted on years that begin in March, so that the leap day is a year's last.

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;
const DAYS_PER_400_YEARS: i64 = 146_097;

/// The point in time that an RFC 3339 text names, in microseconds since 1970.
pub fn timestamp(text: &str) -> Option<i64> {
    let mut rest = Cursor(text.as_bytes());
    let year = rest.digits(4)?;
    rest.byte(b"-")?;
    let month = rest.digits(2)?;
    rest.byte(b"-")?;
    let day = rest.digits(2)?;
    rest.byte(b"Tt ")?;
    let hour = rest.digits(2)?;
    rest.byte(b":")?;
    let minute = rest.digits(2)?;
    rest.byte(b":")?;
    let second = rest.digits(2)?;
    let micros = if rest.byte(b".").is_some() { rest.fraction_micros()? } else { 0 };
    let offset_seconds = rest.offset_seconds()?;
    let in_day = hour < 24 && minute < 60 && second < 60;
    if !rest.0.is_empty() || !in_day || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let seconds = days_since_epoch(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    Some((seconds - offset_seconds) * MICROS_PER_SECOND + micros)
}

/// The RFC 3339 text of a point in time; `None` outside the years 0000 to 9999, which RFC 3339 cannot write.
pub fn timestamp_text(micros: i64) -> Option<String> {
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let (year, month, day) = date(seconds.div_euclid(SECONDS_PER_DAY));
    if !(0..=9999).contains(&year) {
        return None;
    }
    let in_day = seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (in_day / 3600, in_day / 60 % 60, in_day % 60);
    let fraction = fraction_text(micros.rem_euclid(MICROS_PER_SECOND));
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"))
}

/// The span that a text like `1.5s` names, in microseconds.
pub fn duration(text: &str) -> Option<i64> {
    seconds(text.strip_suffix('s')?)
}

/// Decimal seconds in microseconds, rounded to the nearest; exact, unlike a product of floats.
pub fn seconds(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut rest = Cursor(fraction.as_bytes());
    let micros = rest.fraction_micros()?;
    let whole: i128 = whole.parse().ok()?;
    let total = whole.checked_mul(MICROS_PER_SECOND.into())?.checked_add(micros.into())?;
    if rest.0.is_empty() { i64::try_from(sign * total).ok() } else { None }
}

/// Decimal seconds of a span, as short as they are exact.
pub fn seconds_text(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let (whole, fraction) = (micros / MICROS_PER_SECOND as u64, micros % MICROS_PER_SECOND as u64);
    format!("{sign}{whole}{}", fraction_text(fraction as i64))
}

/// The seconds of a span as a double, if that is exact.
pub fn exact_seconds(micros: i64) -> Option<f64> {
    let value: f64 = seconds_text(micros).parse().ok()?;
    (seconds(&value.to_string()) == Some(micros)).then_some(value)
}

fn fraction_text(micros: i64) -> String {
    if micros == 0 {
        return String::new();
    }
    format!(".{micros:06}").trim_end_matches('0').to_string()
}

/// What of a text is not read yet.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// One of these bytes.
    fn byte(&mut self, any_of: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        any_of.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// A number of exactly this many digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    }

    /// One or more decimals of a second, in microseconds.
    fn fraction_micros(&mut self) -> Option<i64> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        let digit = |at: usize| i64::from(digits.get(at).map_or(0, |digit| digit - b'0'));
        let micros = (0..6).fold(0, |sum, at| sum * 10 + digit(at));
        (count > 0).then_some(micros + i64::from(digit(6) >= 5))
    }

    /// `Z` or `+hh:mm`.
    fn offset_seconds(&mut self) -> Option<i64> {
        let sign = match self.byte(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.digits(2)?;
        self.byte(b":")?;
        let minutes = self.digits(2)?;
        (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month <= 2 { year - 1 } else { year };
    let march_month = (month + 9) % 12;
    let leap_days = march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    // From March on, months are 31 30 31 30 31 days, over and over: 153 days in five.
    march_year * 365 + leap_days + (153 * march_month + 2) / 5 + day - 1 - EPOCH_DAYS
}

fn date(days_since_epoch: i64) -> (i64, i64, i64) {
    let days = days_since_epoch + EPOCH_DAYS;
    let era = days.div_euclid(DAYS_PER_400_YEARS);
    let in_era = days.rem_euclid(DAYS_PER_400_YEARS);
    // The last day of 4, 100 and 400 years is one too many for the division: take it back.
    let year_in_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
    let march_month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12 + 1;
    (era * 400 + year_in_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points() {
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59.5Z", 951_868_799_500_000),
            ("2038-01-19T03:14:08+00:00", 2_147_483_648_000_000),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
            ("2024-06-01t12:00:00+02:30", 1_717_234_200_000_000),
            ("2024-06-01 09:30:00z", 1_717_234_200_000_000),
        ] {
            assert_eq!(timestamp(text), Some(micros), "{text}");
        }
        assert_eq!(timestamp_text(951_868_799_500_000).as_deref(), Some("2000-02-29T23:59:59.5Z"));
        assert_eq!(timestamp_text(-1).as_deref(), Some("1969-12-31T23:59:59.999999Z"));
        assert_eq!(timestamp_text(i64::MAX), None);
        assert_eq!(timestamp_text(i64::MIN), None);
    }

    #[test]
    fn every_day_of_four_centuries_reads_back() {
        for day in days_since_epoch(1800, 1, 1)..days_since_epoch(2200, 1, 1) {
            let (year, month, date) = date(day);
            assert_eq!(days_since_epoch(year, month, date), day);
            assert!((1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&date));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00Z ",
            "2024-1-1T0:0:0Z",
            "2024-01-01T00:00:00+25:00",
            "+2024-01-01T00:00:00Z",
            "2024-01-00T00:00:00Z",
        ] {
            assert_eq!(timestamp(text), None, "{text:?}");
        }
    }

    #[test]
    fn spans_are_exact() {
        assert_eq!(duration("1.5s"), Some(1_500_000));
        assert_eq!(duration("-0.000001s"), Some(-1));
        assert_eq!(seconds("0.0166666666"), Some(16_667));
        assert_eq!(seconds(&seconds_text(i64::MAX)), Some(i64::MAX));
        assert_eq!(seconds(&seconds_text(i64::MIN)), Some(i64::MIN));
        for text in ["", "s", "1", ".5s", "1.s", "1,5s", "1e3s", "--1s", "99999999999999999999s"] {
            assert_eq!(duration(text), None, "{text:?}");
        }
    }
}
