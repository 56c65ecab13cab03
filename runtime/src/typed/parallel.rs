//! Work on all rows, on as many threads as are worth it.
//!
//! Waking another thread costs tens of microseconds, and what one row costs is the caller's business. So the first rows are
//! worked on at once, by the caller, and timed; only if the rest is going to take much longer than the waking is it shared
//! out. A slice is cut where cache lines end, so no two threads write the same one. Which thread works on a row changes
//! nothing: each is worked on once, by itself.

use super::{SweepRows, Table, TableRef};
use crate::clock::Stopwatch;
use crate::threads::each_piece;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use std::ops::Range;
use std::time::Duration;

/// So few rows are not even timed.
const ROWS_MIN: usize = 4096;
/// Rows that are worked on, and timed, before it is decided whether to share out the rest; twice.
const PROBE_ROWS: usize = 512;
/// Work that is worth waking a thread for.
const WORTH_NS: u128 = 300_000;
/// Work that a piece has at least.
const PIECE_NS: u128 = 25_000;
/// Pieces per thread: enough that none waits long for the others.
const PIECES_PER_THREAD: usize = 4;
/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

/// Rows of a column group, worked on by several threads.
///
/// ```
/// use dbgen_runtime::ParRows;
///
/// let mut rows = vec![1_u64; 100_000];
/// rows.par_for_each_mut(|row| *row += 1);
/// assert!(rows.iter().all(|row| *row == 2));
/// ```
pub trait ParRows<R> {
    /// Calls `each` for every row, in no order to rely on.
    fn par_for_each(&self, each: impl Fn(&R) + Send + Sync)
    where
        R: Sync;

    /// Calls `each` for every row, to be changed, in no order to rely on.
    fn par_for_each_mut(&mut self, each: impl Fn(&mut R) + Send + Sync)
    where
        R: Send;
}

impl<R> ParRows<R> for [R] {
    fn par_for_each(&self, each: impl Fn(&R) + Send + Sync)
    where
        R: Sync,
    {
        let (probe, rest) = self.split_at(probe_rows(self));
        let elapsed = probed(probe.len(), |rows| probe[rows].sweep(&each));
        match piece_rows(elapsed, probe.len(), rest.len()) {
            None => rest.sweep(each),
            Some(rows) => each_piece(rest.chunks(whole_lines::<R>(rows)), |piece| piece.sweep(&each)),
        }
    }

    fn par_for_each_mut(&mut self, each: impl Fn(&mut R) + Send + Sync)
    where
        R: Send,
    {
        let (probe, rest) = self.split_at_mut(probe_rows(self));
        let elapsed = probed(probe.len(), |rows| probe[rows].sweep_mut(&each));
        match piece_rows(elapsed, probe.len(), rest.len()) {
            None => rest.sweep_mut(each),
            Some(rows) => each_piece(rest.chunks_mut(whole_lines::<R>(rows)), |piece| piece.sweep_mut(&each)),
        }
    }
}

impl<'v, T: Table> TableRef<'v, T> {
    /// All records, to be worked on by rayon's methods in pieces that are worth a thread; the order is kept.
    pub fn par_iter(self) -> impl IndexedParallelIterator<Item = T::Ref<'v>>
    where
        T::Ref<'v>: Send,
    {
        // What is done to a record is not known: even if it is next to nothing, this many are worth the waking.
        const PIECE_ROWS: usize = 16 * 1024;
        (0..self.len()).into_par_iter().with_min_len(PIECE_ROWS).map(move |row| self.record(row))
    }

    /// Calls `each` for every record, on as many threads as are worth it, in no order to rely on.
    pub fn par_for_each(self, each: impl Fn(T::Ref<'v>) + Send + Sync) {
        let probe = if self.len() < ROWS_MIN { 0 } else { 2 * PROBE_ROWS };
        let elapsed = probed(probe, |rows| rows.for_each(|row| each(self.record(row))));
        let rest = probe..self.len();
        match piece_rows(elapsed, probe, rest.len()) {
            None => rest.for_each(|row| each(self.record(row))),
            Some(rows) => {
                let pieces = rest.clone().step_by(rows).map(|from| from..rest.end.min(from + rows));
                each_piece(pieces, |piece| piece.for_each(|row| each(self.record(row))));
            }
        }
    }
}

/// Works on the first `rows` in two halves, and gives the time that all of them take at the pace of the faster one: the
/// other may have met a cold cache, or lost its core for a while.
pub(crate) fn probed(rows: usize, mut work: impl FnMut(Range<usize>)) -> Duration {
    let mut half = |rows: Range<usize>| {
        let watch = Stopwatch::start();
        work(rows);
        watch.elapsed()
    };
    if rows == 0 {
        return Duration::ZERO;
    }
    let middle = rows / 2;
    2 * half(0..middle).min(half(middle..rows))
}

/// How many rows a piece has; `None` = what is left is not worth a second thread. `elapsed` is what `done` rows took.
pub(crate) fn piece_rows(elapsed: Duration, done: usize, left: usize) -> Option<usize> {
    let (elapsed, done) = (elapsed.as_nanos(), done as u128);
    if done == 0 || elapsed * (left as u128) < WORTH_NS * done {
        return None;
    }
    let threads = rayon::current_num_threads();
    let worth = (PIECE_NS * done).div_ceil(elapsed) as usize;
    (threads > 1).then(|| (left / (threads * PIECES_PER_THREAD)).max(worth))
}

/// How many rows go ahead of the pieces: some to be timed, and as many more as it takes to end with a cache line, if any
/// number of rows does.
fn probe_rows<R>(rows: &[R]) -> usize {
    if rows.len() < ROWS_MIN {
        return 0;
    }
    let at = |row: usize| rows.as_ptr().addr() + row * size_of::<R>();
    let mut ends = 2 * PROBE_ROWS..2 * PROBE_ROWS + LINE_BYTES;
    ends.find(|row| at(*row).is_multiple_of(LINE_BYTES)).unwrap_or(2 * PROBE_ROWS)
}

/// At least so many rows that take up whole cache lines.
fn whole_lines<R>(rows: usize) -> usize {
    let step = (1..=LINE_BYTES).find(|step| (step * size_of::<R>()).is_multiple_of(LINE_BYTES)).unwrap_or(1);
    rows.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pp_2_pieces_begin_and_end_with_cache_lines() {
        fn check<R: Clone + Default>() {
            let rows = vec![R::default(); 5000];
            for start in 0..8 {
                let rows = &rows[start..];
                let first = rows.as_ptr().addr() + probe_rows(rows) * size_of::<R>();
                let can =
                    (0..LINE_BYTES).any(|row| (rows.as_ptr().addr() + row * size_of::<R>()).is_multiple_of(LINE_BYTES));
                assert!(first.is_multiple_of(LINE_BYTES) || !can);
                for wanted in [1, 7, 100, 1000] {
                    let piece = whole_lines::<R>(wanted);
                    assert!(piece >= wanted && (piece * size_of::<R>()).is_multiple_of(LINE_BYTES));
                }
            }
        }
        check::<[u8; 1]>();
        check::<[u8; 24]>();
        check::<[u32; 3]>();
        check::<[u8; 17]>();
        check::<u64>();
    }

    #[test]
    fn pp_2_what_is_not_worth_a_thread_stays_on_this_one() {
        let threads = rayon::current_num_threads();
        assert_eq!(piece_rows(Duration::from_nanos(512), 512, 1000), None, "a microsecond of work");
        let long = piece_rows(Duration::from_micros(512), 512, 100_000);
        assert_eq!(long.is_some(), threads > 1, "a tenth of a second of work");
        assert!(long.is_none_or(|rows| (25..=100_000).contains(&rows)), "{long:?}");
        assert_eq!(piece_rows(Duration::ZERO, 0, 100_000), None, "too few to be timed");
    }
}
