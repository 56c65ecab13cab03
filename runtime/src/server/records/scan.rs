//! Finding the records of a page: candidates from where the [`Way`] to them leads, conditions, then the first ones in order.
//!
//! Where candidates come in the order of the list, the scan ends with the last record that can belong to the page, so that a
//! page costs its length however deep it is.

use super::column::Column;
use super::cursor::{Cursor, Direction};
use super::deadline::Deadline;
use super::filter::{Filter, check_count};
use super::order::{Order, Place};
use super::way::Way;
use crate::dynamic::{DynRecord, DynTable};
use crate::error::Result;
use crate::id::RecordId;
use crate::server::problem::Problem;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use xxhash_rust::xxh3::xxh3_64;

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) filters: &'a [Filter],
    pub(super) order: &'a Order,
    pub(super) after: Option<&'a Cursor>,
    /// How many at most.
    pub(super) count: usize,
    /// Whether to count all that fulfil the conditions.
    pub(super) count_all: bool,
}

impl<'a> Wanted<'a> {
    /// Where to begin: at the cursor, unless what stands before it is to be counted as well.
    pub(super) fn begin(&self) -> Option<&'a Cursor> {
        self.after.filter(|_| !self.count_all)
    }

    /// The columns that are read of a record.
    fn columns(&self) -> Vec<Column> {
        let mut columns: Vec<Column> = self.order.columns().collect();
        self.filters.iter().for_each(|filter| filter.columns(&mut columns));
        columns
    }
}

/// A record that was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) id: RecordId,
    pub(super) place: Place,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Scanned {
    /// In the order that was asked for; from the cursor on, so backwards if it goes backward.
    pub(super) rows: Vec<Found>,
    pub(super) total: Option<usize>,
    /// Records that were looked at for it.
    pub(super) examined: usize,
    /// How it was found, for the header `Query-Plan`.
    pub(super) plan: String,
}

/// Finds the first records behind the cursor.
pub(super) fn scan(table: DynTable<'_>, wanted: &Wanted<'_>, deadline: &mut Deadline) -> Result<Scanned, Problem> {
    check_count(wanted.filters)?;
    deadline.watch(table.schema(), wanted.columns());
    let mut first = First::new(wanted, deadline);
    let (way, examined) = match Way::to(table, wanted) {
        Way::All if wanted.order.first().is_none() => ("scan".to_owned(), first.take_by_id(table)?),
        Way::All => ("scan".to_owned(), first.take_from(table.iter(), false)?),
        Way::Ids(ids) => {
            let records = ids.iter().filter_map(|id| table.get(*id).ok());
            ("ids".to_owned(), first.take_from(records, false)?)
        }
        Way::Index(part) => {
            let records = part.records(table)?;
            let examined = match part.direction() {
                Some(Direction::Backward) => first.take_from(records.rev(), true)?,
                direction => first.take_from(records, direction.is_some())?,
            };
            (format!("index={}", part.index()), examined)
        }
    };
    let total = wanted.count_all.then_some(first.matching);
    let plan = format!("{way} rows_examined={examined}");
    Ok(Scanned { rows: first.sorted(), total, examined, plan })
}

/// Candidates that are looked at for an estimate.
const SAMPLE_RECORDS: usize = 1000;
/// Candidates of an index that are counted for an estimate. Where there are more, a sample of the whole table holds enough
/// of them to tell their share.
const COUNTED_MAX: usize = 100_000;

/// About how many records fulfil the conditions: the number of candidates, times the share of a sample of them that does.
pub(super) fn estimate(table: DynTable<'_>, wanted: &Wanted<'_>, deadline: &mut Deadline) -> Result<usize, Problem> {
    // On every page as on the first.
    let wanted = &Wanted { after: None, ..*wanted };
    deadline.watch(table.schema(), wanted.columns());
    match Way::by_condition(table, wanted) {
        Way::Ids(ids) => {
            let records: Vec<_> = ids.iter().filter_map(|id| table.get(*id).ok()).collect();
            let count = records.len();
            return share(records.into_iter(), count, wanted.filters, deadline);
        }
        Way::Index(part) => {
            let candidates = part.records(table)?.take(COUNTED_MAX + 1).count();
            if candidates <= COUNTED_MAX {
                return share(part.records(table)?, candidates, wanted.filters, deadline);
            }
        }
        Way::All => {}
    }
    share(table.iter(), table.len(), wanted.filters, deadline)
}

/// How many of so many records fulfil the conditions, judged by a sample: one of each stretch of equal length, taken from
/// anywhere in it, since what games store is often periodic.
fn share<'v>(
    records: impl Iterator<Item = DynRecord<'v>>,
    count: usize,
    filters: &[Filter],
    deadline: &mut Deadline,
) -> Result<usize, Problem> {
    let stretch = count.div_ceil(SAMPLE_RECORDS).max(1);
    let anywhere = |stretch_at: usize| xxh3_64(&stretch_at.to_le_bytes()) as usize % stretch;
    let (mut looked_at, mut holding) = (0_usize, 0_usize);
    for (at, record) in records.enumerate() {
        if at % stretch == anywhere(at / stretch) {
            deadline.check()?;
            looked_at += 1;
            holding += usize::from(filters.iter().all(|filter| filter.holds(record)));
        }
    }
    Ok(if looked_at == 0 { 0 } else { (holding as f64 / looked_at as f64 * count as f64).round() as usize })
}

/// The first so many records of an order, found by looking at each once and keeping no more than wanted.
struct First<'a> {
    wanted: &'a Wanted<'a>,
    deadline: &'a mut Deadline,
    backward: bool,
    /// The last of them on top.
    heap: BinaryHeap<Ranked<'a>>,
    matching: usize,
}

impl<'a> First<'a> {
    fn new(wanted: &'a Wanted<'a>, deadline: &'a mut Deadline) -> First<'a> {
        let backward = wanted.after.is_some_and(|cursor| cursor.direction == Direction::Backward);
        First { wanted, deadline, backward, heap: BinaryHeap::new(), matching: 0 }
    }

    /// Looks at all records in the order of their ids, from the cursor on; says at how many.
    fn take_by_id(&mut self, table: DynTable<'_>) -> Result<usize, Problem> {
        let goes_down = self.wanted.order.id_descending() != self.backward;
        let begin = self.wanted.begin().map(|cursor| cursor.place.id);
        match goes_down {
            false => self.take_from(table.in_slots(begin), true),
            true => self.take_from(table.in_slots_back(begin), true),
        }
    }

    /// Looks at records, which may be known to come in order of the first column; says at how many.
    fn take_from<'v>(
        &mut self,
        records: impl Iterator<Item = DynRecord<'v>>,
        in_order: bool,
    ) -> Result<usize, Problem> {
        let in_order = in_order && !self.wanted.count_all;
        let mut examined = 0;
        for record in records {
            self.deadline.check()?;
            examined += 1;
            if self.wanted.filters.iter().all(|filter| filter.holds(record)) {
                self.matching += 1;
                if self.offer(record) == Offer::Behind && in_order {
                    break;
                }
            }
        }
        Ok(examined)
    }

    fn offer(&mut self, record: DynRecord<'_>) -> Offer {
        let (order, backward) = (self.wanted.order, self.backward);
        let is_full = self.heap.len() >= self.wanted.count;
        if is_full && !backward && self.heap.peek().is_some_and(|last| order.is_behind(record.id(), last.place.id)) {
            return Offer::Behind;
        }
        let ranked = Ranked { place: order.place(record), order, backward };
        if self.wanted.after.is_some_and(|cursor| ranked.against(&cursor.place).is_le()) {
            return Offer::Refused;
        }
        let Some(mut last) = self.heap.peek_mut().filter(|_| is_full) else {
            self.heap.push(ranked);
            return Offer::Taken;
        };
        if ranked < *last {
            *last = ranked;
            return Offer::Taken;
        }
        // Records that are equal in the first column may come in any order; one beyond them ends the page. Where the id
        // decides alone, none are equal.
        if order.first().is_none() {
            return Offer::Behind;
        }
        if order.compare_first(&ranked.place, &last.place).is_eq() { Offer::Refused } else { Offer::Behind }
    }

    fn sorted(self) -> Vec<Found> {
        let ranked = self.heap.into_sorted_vec().into_iter();
        ranked.map(|ranked| Found { id: ranked.place.id, place: ranked.place }).collect()
    }
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    Taken,
    Refused,
    /// It stands behind the page, and so does all that follows in order of the first column.
    Behind,
}

/// A record's place, compared in the list's order, or against it.
struct Ranked<'a> {
    place: Place,
    order: &'a Order,
    backward: bool,
}

impl Ranked<'_> {
    fn against(&self, place: &Place) -> Ordering {
        let ordering = self.order.compare(&self.place, place);
        if self.backward { ordering.reverse() } else { ordering }
    }
}

impl Ord for Ranked<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.against(&other.place)
    }
}

impl PartialOrd for Ranked<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::db::Database;
    use crate::server::problem::Kind;
    use dbgen_schema::Value;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering as Atomic};
    use std::time::Duration;

    /// A clock on which a second passes whenever it is looked at.
    #[derive(Debug, Default)]
    struct Hurried(AtomicU64);

    impl Clock for Hurried {
        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.fetch_add(1, Atomic::Relaxed))
        }

        fn wall_us(&self) -> i64 {
            0
        }

        fn sleep_until(&self, _: Duration) {}
    }

    #[test]
    fn a_search_ends_when_its_time_is_over() {
        let schema = r#"{ "name": "world", "version": "1", "tables": { "t": { "fields": [
            { "name": "level", "type": "u32" }, { "name": "bag", "type": "list<u8>" } ] } } }"#;
        let db = Database::builder().schema_json(schema).open().expect("the schema is right");
        db.transact(|tx| {
            let table = tx.open_table("t")?;
            for n in 0..3000_u32 {
                tx.insert_values(table, &[(0, Value::from(n)), (1, Value::List(vec![Value::from(1_u8)]))])?;
            }
            Ok(())
        })
        .expect("they are inserted");
        let view = db.read();
        let table = view.open_table("t").expect("it is there");
        let found = |field: &str, condition: &str, seconds: u64| {
            let filter = Filter::parse(view.schema(), table.schema(), &[], (field, condition)).expect("it is right");
            let order = Order::default();
            let wanted = Wanted { filters: &[filter], order: &order, after: None, count: usize::MAX, count_all: false };
            let mut deadline = Deadline::after(Arc::new(Hurried::default()), Duration::from_secs(seconds));
            scan(table, &wanted, &mut deadline).map(|found| found.rows.len()).map_err(|problem| problem.kind())
        };
        // The clock is looked at after each 1,024 records, or after each one that may be long.
        assert_eq!(found("level", "gte.0", 3), Ok(3000));
        assert_eq!(found("level", "gte.0", 2), Err(Kind::TimedOut));
        assert_eq!(found("bag", "cs.1", 3), Err(Kind::TimedOut));
        assert_eq!(found("bag", "cs.1", 4000), Ok(3000));
    }
}
