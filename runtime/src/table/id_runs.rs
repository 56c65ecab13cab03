//! Which rows of a table have ids that follow each other.
//!
//! Entities that were made one after another have ids that count upwards, and so have their components, table by table.
//! A join that knows this of two tables compares the first ids of two runs instead of all ids:
//!
//! ```text
//! position:  | 7 8 9 10 11 12 13 ... |     one run
//! health:    | 7 8 9 | 11 12 13 ... |      two
//! ```
//!
//! Nobody keeps runs while records come and go. Who joins first finds them, in one pass over the ids, and they are true for
//! all versions of the table until an id changes: these share what was found.

use std::sync::{Arc, OnceLock};

/// Rows with ids that follow each other, up to the next run or to the end of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    row: usize,
    id: u64,
}

/// The runs of some ids, once somebody has asked for them. By default nothing is known, nor will be.
#[derive(Debug, Clone, Default)]
pub(crate) struct IdRuns(Option<Arc<OnceLock<Box<[Run]>>>>);

/// What is known of a table's ids is no part of its content.
impl PartialEq for IdRuns {
    fn eq(&self, _: &IdRuns) -> bool {
        true
    }
}
impl Eq for IdRuns {}

impl IdRuns {
    /// To be found out.
    pub(super) fn unknown() -> IdRuns {
        IdRuns(Some(Arc::default()))
    }

    /// The runs of `ids`; none if there are so many that they are no help.
    pub(crate) fn of(&self, ids: &[[u8; 8]]) -> &[Run] {
        // Nobody waits for somebody else who looks for the same: the first result stays, and they are equal.
        let Some(known) = &self.0 else { return &[] };
        if known.get().is_none() {
            let _ = known.set(find(ids).unwrap_or_default());
        }
        known.get().map_or(&[], |runs| runs)
    }

    /// Takes over what is known of the same ids.
    #[inline]
    pub(super) fn follow(&mut self, other: &IdRuns) {
        let at = |runs: &IdRuns| runs.0.as_ref().map(Arc::as_ptr);
        if at(self) != at(other) {
            *self = other.clone();
        }
    }
}

/// How many rows from `row` on, of `len`, are in the same run; 0 if that is not known.
pub(crate) fn left(runs: &[Run], row: usize, len: usize) -> usize {
    let next = runs.partition_point(|run| run.row <= row);
    let end = runs.get(next).map_or(len, |run| run.row);
    if next == 0 { 0 } else { end.saturating_sub(row) }
}

fn find(ids: &[[u8; 8]]) -> Option<Box<[Run]>> {
    /// Runs that are shorter on the average are no help.
    const RUN_ROWS_MIN: usize = 64;
    let runs_max = ids.len() / RUN_ROWS_MIN + 1;
    let (mut runs, mut next) = (Vec::new(), 0);
    for (row, id) in ids.iter().enumerate() {
        let id = u64::from_le_bytes(*id);
        if id != next {
            if runs.len() == runs_max {
                return None;
            }
            runs.push(Run { row, id });
        }
        next = id.wrapping_add(1);
    }
    Some(runs.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(ids: impl IntoIterator<Item = u64>) -> Vec<[u8; 8]> {
        ids.into_iter().map(u64::to_le_bytes).collect()
    }

    #[test]
    fn ids_that_follow_each_other_are_a_run() {
        let ids = bytes((100..200).chain(300..400));
        let known = IdRuns::unknown();
        let runs = known.of(&ids);
        assert_eq!(runs, [Run { row: 0, id: 100 }, Run { row: 100, id: 300 }]);
        assert_eq!(
            (left(runs, 0, 200), left(runs, 99, 200), left(runs, 100, 200), left(runs, 199, 200)),
            (100, 1, 100, 1)
        );
        assert_eq!(left(runs, 200, 200), 0, "there is no such row");
    }

    #[test]
    fn too_many_runs_are_none() {
        let known = IdRuns::unknown();
        assert!(known.of(&bytes((0..1000).map(|n| 1 + 2 * n))).is_empty());
        assert_eq!(left(known.of(&[]), 5, 1000), 0);
    }
}
