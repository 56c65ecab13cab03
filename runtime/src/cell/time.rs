//! Points and spans of time: microseconds in 64 bits.

use super::ValueCell;
use bytemuck::{Pod, Zeroable};
use std::cmp::Ordering;
use std::fmt;

/// The values.
pub(super) mod value {
    use std::fmt;
    use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

    /// A point in time: microseconds since 1970-01-01T00:00:00Z.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Timestamp(i64);

    /// A span of time, also a negative one: microseconds.
    ///
    /// Arithmetic saturates at the ends, some 292,000 years away: a clock that is wrong never brings a tick down.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Duration(i64);

    macro_rules! microseconds {
        ($($t:ident)*) => {$(
            impl $t {
                /// Nothing.
                pub const ZERO: $t = $t(0);
                /// The smallest.
                pub const MIN: $t = $t(i64::MIN);
                /// The largest.
                pub const MAX: $t = $t(i64::MAX);

                /// From microseconds.
                #[inline]
                pub const fn from_micros(micros: i64) -> $t {
                    $t(micros)
                }

                /// In microseconds.
                #[inline]
                pub const fn as_micros(self) -> i64 {
                    self.0
                }
            }

            impl Add<Duration> for $t {
                type Output = $t;

                #[inline]
                fn add(self, span: Duration) -> $t {
                    $t(self.0.saturating_add(span.0))
                }
            }

            impl Sub<Duration> for $t {
                type Output = $t;

                #[inline]
                fn sub(self, span: Duration) -> $t {
                    $t(self.0.saturating_sub(span.0))
                }
            }

            impl AddAssign<Duration> for $t {
                #[inline]
                fn add_assign(&mut self, span: Duration) {
                    *self = *self + span;
                }
            }

            impl SubAssign<Duration> for $t {
                #[inline]
                fn sub_assign(&mut self, span: Duration) {
                    *self = *self - span;
                }
            }
        )*};
    }
    microseconds!(Timestamp Duration);

    impl Sub for Timestamp {
        type Output = Duration;

        #[inline]
        fn sub(self, earlier: Timestamp) -> Duration {
            Duration(self.0.saturating_sub(earlier.0))
        }
    }

    impl Neg for Duration {
        type Output = Duration;

        #[inline]
        fn neg(self) -> Duration {
            Duration(self.0.saturating_neg())
        }
    }

    impl Duration {
        /// From whole seconds.
        #[inline]
        pub const fn from_secs(secs: i64) -> Duration {
            Duration(secs.saturating_mul(1_000_000))
        }

        /// From milliseconds.
        #[inline]
        pub const fn from_millis(millis: i64) -> Duration {
            Duration(millis.saturating_mul(1_000))
        }

        /// From seconds and parts of one, rounded to the nearest microsecond; NaN is zero.
        #[inline]
        pub fn from_secs_f64(secs: f64) -> Duration {
            Duration((secs * 1e6).round() as i64)
        }

        /// In seconds.
        #[inline]
        pub fn as_secs_f64(self) -> f64 {
            self.0 as f64 / 1e6
        }
    }

    /// Parts of a microsecond are dropped.
    impl From<std::time::Duration> for Duration {
        fn from(span: std::time::Duration) -> Duration {
            Duration(i64::try_from(span.as_micros()).unwrap_or(i64::MAX))
        }
    }

    /// A negative span is refused.
    impl TryFrom<Duration> for std::time::Duration {
        type Error = std::num::TryFromIntError;

        fn try_from(span: Duration) -> Result<std::time::Duration, Self::Error> {
            u64::try_from(span.0).map(std::time::Duration::from_micros)
        }
    }

    /// Seconds, as JSON shows them: `1.5s`.
    impl fmt::Display for Duration {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}s", self.as_secs_f64())
        }
    }
}

macro_rules! cells {
    ($($cell:ident)*) => {$(
        #[doc = concat!("A [`", stringify!($cell), "`](value::", stringify!($cell), ") of alignment 1.")]
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $cell([u8; 8]);

        impl $cell {
            /// A cell that holds `value`.
            #[inline]
            pub const fn new(value: value::$cell) -> $cell {
                $cell(value.as_micros().to_le_bytes())
            }

            /// The value it holds.
            #[inline]
            pub const fn get(self) -> value::$cell {
                value::$cell::from_micros(i64::from_le_bytes(self.0))
            }

            /// Replaces the value.
            #[inline]
            pub const fn set(&mut self, value: value::$cell) {
                *self = $cell::new(value);
            }
        }

        impl ValueCell for $cell {
            type Value = value::$cell;

            #[inline]
            fn pack(value: value::$cell) -> $cell {
                $cell::new(value)
            }

            #[inline]
            fn unpack(self) -> value::$cell {
                self.get()
            }
        }

        impl From<value::$cell> for $cell {
            fn from(value: value::$cell) -> $cell {
                $cell::new(value)
            }
        }

        impl From<$cell> for value::$cell {
            fn from(cell: $cell) -> value::$cell {
                cell.get()
            }
        }

        impl PartialEq<value::$cell> for $cell {
            fn eq(&self, other: &value::$cell) -> bool {
                self.get() == *other
            }
        }

        impl PartialOrd<value::$cell> for $cell {
            fn partial_cmp(&self, other: &value::$cell) -> Option<Ordering> {
                self.get().partial_cmp(other)
            }
        }

        impl PartialOrd for $cell {
            fn partial_cmp(&self, other: &$cell) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $cell {
            fn cmp(&self, other: &$cell) -> Ordering {
                self.get().cmp(&other.get())
            }
        }

        impl fmt::Debug for $cell {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.get(), f)
            }
        }
    )*};
}
cells!(Timestamp Duration);

#[cfg(test)]
mod tests {
    use super::value::{Duration, Timestamp};

    #[test]
    fn time_saturates_instead_of_wrapping() {
        let start = Timestamp::from_micros(5);
        assert_eq!(start + Duration::from_secs(1) - start, Duration::from_millis(1000));
        assert_eq!(Timestamp::MAX + Duration::from_secs(1), Timestamp::MAX);
        assert_eq!(-Duration::MIN, Duration::MAX);
        assert_eq!(Timestamp::MIN - Timestamp::MAX, Duration::MIN);
    }

    #[test]
    fn seconds_are_exact_to_the_microsecond() {
        assert_eq!(Duration::from_secs_f64(1.5).to_string(), "1.5s");
        assert_eq!(Duration::from_secs_f64(f64::NAN), Duration::ZERO);
        assert_eq!(Duration::from(std::time::Duration::from_nanos(2_999)), Duration::from_micros(2));
        assert!(std::time::Duration::try_from(Duration::from_micros(-1)).is_err());
    }
}
