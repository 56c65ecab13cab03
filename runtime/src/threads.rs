//! Work in parts that are taken by whoever has time, the caller first.
//!
//! A pool that does all of it wakes two threads one after the other while the caller sleeps; where the machine is slow to
//! wake them (0.04 ms at best, several on a busy host), that is most of a millisecond's work. The caller begins at once,
//! and a thread that wakes too late finds nothing left: it is never slower than the caller alone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does the parts from 0 to `count`, each once, on as many threads as there are, and gives what came of each, in order.
/// Those that take long should come first.
///
/// # Panics
/// If a part does.
pub(crate) fn each_part<R: Send>(count: usize, part: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let others = rayon::current_num_threads().min(count).saturating_sub(1);
    if others == 0 {
        return (0..count).map(part).collect();
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(count)));
    let take_part = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let mine: Vec<(usize, R)> = numbers.take_while(|number| *number < count).map(|at| (at, part(at))).collect();
        done.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).extend(mine);
    };
    rayon::in_place_scope(|scope| {
        (0..others).for_each(|_| scope.spawn(|_| take_part()));
        take_part();
    });
    let mut done = done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::each_part;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn every_part_is_done_once_and_results_are_in_order() {
        for count in [0, 1, 2, 1000] {
            let times: Vec<AtomicU32> = (0..count).map(|_| AtomicU32::new(0)).collect();
            let results = each_part(count, |at| {
                times[at].fetch_add(1, Ordering::Relaxed);
                at * 3
            });
            assert_eq!(results, (0..count).map(|at| at * 3).collect::<Vec<_>>());
            assert!(times.iter().all(|times| times.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn parts_may_be_shared_out_again() {
        let sums = each_part(8, |at| each_part(8, |inner| at * inner).into_iter().sum::<usize>());
        assert_eq!(sums, (0..8).map(|at| at * 28).collect::<Vec<_>>());
    }

    #[test]
    #[should_panic(expected = "part 3")]
    fn a_panic_reaches_the_caller() {
        each_part(8, |at| assert_ne!(at, 3, "part {at}"));
    }
}
