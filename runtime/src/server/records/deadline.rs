//! How long records may be looked for: a filter without an index looks at every record, of which there may be millions.
//!
//! Who runs out of time is told 504 `timed_out`, as who waits too long for the loop. Not 503 with `Retry-After`: the same
//! question would take as long again, and clients that repeat by themselves what they are told to repeat would make it worse.

use super::column::Column;
use super::{Kind, Problem};
use crate::clock::Clock;
use dbgen_schema::{Table, Type};
use std::sync::Arc;
use std::time::Duration;

/// Records after which the clock is looked at, where one takes a few microseconds at most.
const STRIDE: u32 = 1024;

/// When a search ends, found or not.
pub(super) struct Deadline {
    clock: Arc<dyn Clock>,
    limit: Duration,
    /// In the time of the clock.
    at: Duration,
    stride: u32,
    /// Records before the clock is looked at again.
    left: u32,
}

impl Deadline {
    /// So long from now.
    pub(super) fn after(clock: Arc<dyn Clock>, limit: Duration) -> Deadline {
        let at = clock.monotonic() + limit;
        Deadline { clock, limit, at, stride: STRIDE, left: STRIDE }
    }

    /// Has the clock looked at for every record if a single one may take long: with such a column among those asked for.
    pub(super) fn watch(&mut self, table: &Table, columns: impl IntoIterator<Item = Column>) {
        let is_long = columns.into_iter().any(|column| is_long(table, column));
        self.stride = if is_long { 1 } else { STRIDE };
        self.left = self.stride;
    }

    /// Another record is about to be looked at: that there is time for it.
    #[inline]
    pub(super) fn check(&mut self) -> Result<(), Problem> {
        self.left -= 1;
        if self.left > 0 {
            return Ok(());
        }
        self.left = self.stride;
        if self.clock.monotonic() < self.at { Ok(()) } else { Err(self.has_passed()) }
    }

    #[cold]
    fn has_passed(&self) -> Problem {
        let detail = format!(
            "the records were looked for during {:?}, which is all the time there is, and nothing was changed: an index on a \
             field that the filter asks for, or fewer conditions, make it shorter",
            self.limit
        );
        Problem::new(Kind::TimedOut, detail).member("limit_ms", self.limit.as_millis() as u64)
    }
}

/// Whether a column's values may be so long that reading one takes milliseconds.
fn is_long(table: &Table, column: Column) -> bool {
    match column {
        Column::Id | Column::Version => false,
        Column::Field(at) => !matches!(
            table.fields[at].ty,
            Type::Scalar(_) | Type::Ref(_) | Type::Str(..=255) | Type::FixedBytes(..=255)
        ),
    }
}
