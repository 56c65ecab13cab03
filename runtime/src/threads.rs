//! Work in parts that are taken by whoever has time, the caller first.
//!
//! A system puts a new thread where least is done, a sleeping one where it slept: on a virtual machine whose idle core has
//! gone to its host, that is often the core of the caller, behind it, for as long as the caller works. So a caller that waits
//! for a pool may wait for all of the work and for the waking too. One that takes part does what the others leave it; in the
//! end it waits for the pieces that they have begun, and for the pool to see that no more are left. What is rare and long is
//! shared out to new threads, which cost 0.02 to 0.05 ms, as waking one does; what a game does in every tick to rayon's pool,
//! so that no tick makes threads.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Does `work` with each of the pieces, on as many threads of rayon's pool as are worth it beside the caller's.
///
/// # Panics
/// If `work` does.
pub(crate) fn each_piece<P: Send>(pieces: impl ExactSizeIterator<Item = P> + Send, work: impl Fn(P) + Sync) {
    let others = (rayon::current_num_threads() - 1).min(pieces.len().saturating_sub(1));
    let pieces = Mutex::new(pieces);
    let take_pieces = || {
        // By itself, so that the lock is not held while the piece is worked on.
        let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some(piece) = next() {
            work(piece);
        }
    };
    rayon::in_place_scope(|scope| {
        (0..others).for_each(|_| scope.spawn(|_| take_pieces()));
        take_pieces();
    });
}

/// Parts for which it is worth to make a thread.
const PARTS_PER_THREAD: usize = 4;

/// Does the parts from 0 to `count`, each once, on as many threads as are worth it, and gives what came of each, in order.
/// Those that take long should come first; they should take some ten microseconds on average.
///
/// # Panics
/// If a part does.
pub(crate) fn each_part<R: Send>(count: usize, part: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let others = (cores() - 1).min(count / PARTS_PER_THREAD);
    if others == 0 {
        return (0..count).map(part).collect();
    }
    let next = AtomicUsize::new(0);
    let take_parts = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        numbers.take_while(|number| *number < count).map(|at| (at, part(at))).collect::<Vec<(usize, R)>>()
    };
    let mut done = std::thread::scope(|scope| {
        // Where the system has no thread to give, the caller does it all.
        let spawn = |_| std::thread::Builder::new().name("dbgen-part".to_owned()).spawn_scoped(scope, take_parts).ok();
        let threads: Vec<_> = (0..others).filter_map(spawn).collect();
        let mut done = take_parts();
        for thread in threads {
            done.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Cores of this process, at least one. To ask takes longer than a small part.
fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, |cores| cores.get()))
}

#[cfg(test)]
mod tests {
    use super::{each_part, each_piece};
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn every_piece_is_worked_on_once() {
        for (rows, piece) in [(0, 1), (1, 1), (7, 8), (100_000, 1000)] {
            let mut times = vec![0_u32; rows];
            each_piece(times.chunks_mut(piece), |rows| rows.iter_mut().for_each(|row| *row += 1));
            assert!(times.iter().all(|times| *times == 1));
        }
    }

    #[test]
    fn pieces_are_shared_out_within_pieces_and_within_a_pool() {
        let count = AtomicU32::new(0);
        let work = || each_piece(0..8, |_| each_piece(0..8, |_| _ = count.fetch_add(1, Ordering::Relaxed)));
        work();
        rayon::scope(|scope| scope.spawn(|_| work()));
        assert_eq!(count.into_inner(), 128);
    }

    #[test]
    #[should_panic(expected = "piece 3")]
    fn a_panic_over_a_piece_reaches_the_caller() {
        each_piece(0..100, |piece| assert_ne!(piece, 3, "piece {piece}"));
    }

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
