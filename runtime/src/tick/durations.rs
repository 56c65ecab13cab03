//! How long things took, counted: quantiles over a second or a month.
//!
//! A loop keeps four of these for each of its systems and goes through all of them whenever it reports. So buckets are as
//! fine as anybody looks at them: 256 for every power of two of nanoseconds, with which a quantile is at most 0.4 % more than
//! it was; and as there is nothing to be told apart beyond 18 minutes, 33 KiB.

use histogram::{Config, Histogram32};
use std::sync::LazyLock;
use std::time::Duration;

/// Quantiles of a duration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// Half of them took at most this long.
    pub p50: Duration,
    /// 99 of 100 took at most this long.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// A histogram of durations.
#[derive(Default)]
pub(super) struct Durations {
    /// By nanoseconds, once there are any.
    buckets: Option<Box<Histogram32>>,
    count: u64,
    max_ns: u64,
}

/// Buckets of a power of two, as a power of two.
const FINE: u8 = 8;
/// What takes as many nanoseconds, as a power of two, or longer is in the last bucket.
const LONGEST: u8 = 40;

impl Durations {
    pub(super) fn add(&mut self, duration: Duration) {
        self.add_ns(duration.as_nanos().min(u64::MAX.into()) as u64);
    }

    #[inline]
    pub(super) fn add_ns(&mut self, ns: u64) {
        // A bucket that is full counts no more: nothing else can go wrong.
        let _ = self.buckets().increment(ns.min((1 << LONGEST) - 1));
        self.count += 1;
        self.max_ns = self.max_ns.max(ns);
    }

    pub(super) fn merge(&mut self, other: &Durations) {
        if let Some(theirs) = &other.buckets {
            let mine = self.buckets().as_mut_slice();
            for (mine, theirs) in mine.iter_mut().zip(theirs.as_slice()) {
                *mine = mine.saturating_add(*theirs);
            }
        }
        self.count += other.count;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn quantiles(&self) -> Quantiles {
        let [p50, p99] = [self.at(0.5), self.at(0.99)].map(Duration::from_nanos);
        Quantiles { p50, p99, max: Duration::from_nanos(self.max_ns) }
    }

    /// This share of them took at most so long.
    fn at(&self, share: f64) -> u64 {
        let bucket = self.buckets.as_ref().and_then(|buckets| buckets.quantile_bucket(share).ok().flatten());
        bucket.map_or(0, |bucket| bucket.end()).min(self.max_ns)
    }

    #[inline]
    fn buckets(&mut self) -> &mut Histogram32 {
        static CONFIG: LazyLock<Config> = LazyLock::new(|| match Config::new(FINE, LONGEST) {
            Ok(config) => config,
            Err(error) => unreachable!("fewer buckets a power than powers, and no more powers than bits: {error}"),
        });
        self.buckets.get_or_insert_with(|| Box::new(Histogram32::with_config(&CONFIG)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_durations_in_order(mut all in proptest::collection::vec(0_u64..50_000_000, 1..400), cut in 0_usize..400) {
            let (mut whole, mut rest) = (Durations::default(), Durations::default());
            let cut = cut.min(all.len());
            all[..cut].iter().for_each(|ns| whole.add_ns(*ns));
            all[cut..].iter().for_each(|ns| rest.add_ns(*ns));
            whole.merge(&rest);
            all.sort_unstable();
            prop_assert_eq!(whole.count(), all.len() as u64);
            let found = whole.quantiles();
            prop_assert_eq!(found.max, Duration::from_nanos(all[all.len() - 1]));
            for (share, found) in [(0.5, found.p50), (0.99, found.p99)] {
                let exact = all[((share * all.len() as f64).ceil() as usize).max(1) - 1];
                let found = found.as_nanos() as u64;
                prop_assert!(found >= exact && found - exact <= exact / 256, "{share}: {exact} {found}");
            }
        }
    }

    #[test]
    fn nothing_counted_has_no_quantiles() {
        assert_eq!(Durations::default().quantiles(), Quantiles::default());
    }

    #[test]
    fn what_takes_for_ever_is_counted_too() {
        let mut all = Durations::default();
        all.add_ns(u64::MAX);
        all.add_ns(5);
        let found = all.quantiles();
        assert_eq!((all.count(), found.p50, found.max), (2, Duration::from_nanos(5), Duration::from_nanos(u64::MAX)));
        assert!(found.p99 >= Duration::from_secs(1000), "{:?}", found.p99);
    }
}
