//! How long things took, counted: quantiles over a second or a month, in the room that a few thousand counts take.
//!
//! ```text
//! bucket   0 … 2047          a nanosecond each
//!          2048 … 3071       2 ns each, up to 4 us
//!          3072 … 4095       4 ns each, up to 8 us       and so on: 1024 for every power of two
//! ```
//!
//! So a quantile is at most a thousandth more than it was. Counts reach as far as the longest that was met: 20 KiB for
//! what takes 10 us, 64 KiB for a tick of 16 ms. A loop keeps four histograms for each of its systems and goes through all of
//! them whenever it reports, so what none of them has met must cost nothing.

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
    /// Per bucket.
    counts: Vec<u32>,
    count: u64,
    max_ns: u64,
}

/// A power of two has so many buckets, as a power of two.
const FINE: u32 = 10;
/// Counts are added so many at a time.
const GROWTH: usize = 256;

impl Durations {
    pub(super) fn add(&mut self, duration: Duration) {
        self.add_ns(duration.as_nanos().min(u64::MAX.into()) as u64);
    }

    #[inline]
    pub(super) fn add_ns(&mut self, ns: u64) {
        let at = bucket(ns);
        if at >= self.counts.len() {
            self.reach(at + 1);
        }
        self.counts[at] = self.counts[at].saturating_add(1);
        self.count += 1;
        self.max_ns = self.max_ns.max(ns);
    }

    pub(super) fn merge(&mut self, other: &Durations) {
        self.reach(other.counts.len());
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine = mine.saturating_add(*theirs);
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
        let mut left = (share * self.count as f64).ceil() as u64;
        let reached = self.counts.iter().position(|count| {
            left = left.saturating_sub(u64::from(*count));
            left == 0
        });
        reached.map_or(self.max_ns, |at| longest(at).min(self.max_ns))
    }

    /// Makes room for the counts of so many buckets.
    #[cold]
    fn reach(&mut self, buckets: usize) {
        if buckets > self.counts.len() {
            self.counts.resize(buckets.next_multiple_of(GROWTH), 0);
        }
    }
}

/// The bucket of a duration.
#[inline]
fn bucket(ns: u64) -> usize {
    let shift = (u64::BITS - ns.leading_zeros()).saturating_sub(FINE + 1);
    ((shift as usize) << FINE) + (ns >> shift) as usize
}

/// The longest duration of a bucket.
fn longest(bucket: usize) -> u64 {
    let shift = (bucket >> FINE).saturating_sub(1);
    let next = (bucket - (shift << FINE)) as u64 + 1;
    (u128::from(next) << shift).saturating_sub(1).min(u64::MAX.into()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bucket_holds_what_differs_by_less_than_a_thousandth(bits in 0_u32..64, ns in any::<u64>()) {
            let ns = ns >> bits;
            let most = longest(bucket(ns));
            prop_assert!(most >= ns && most - ns <= ns / 1000, "{ns} {most}");
            prop_assert_eq!(bucket(most), bucket(ns));
            if most < u64::MAX {
                prop_assert_eq!(bucket(most + 1), bucket(ns) + 1);
            }
        }

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
                prop_assert!(found >= exact && found - exact <= exact / 1000, "{share}: {exact} {found}");
            }
        }
    }

    #[test]
    fn nothing_counted_has_no_quantiles() {
        assert_eq!(Durations::default().quantiles(), Quantiles::default());
    }
}
