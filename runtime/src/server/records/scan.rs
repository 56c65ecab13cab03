//! Finding the records of a page: candidates from an index or from all rows, conditions, then the first ones in order.

use super::column::Column;
use super::cursor::{Cursor, Direction};
use super::filter::{Relation, Term, Test, check_count};
use super::order::{Order, Place};
use crate::dynamic::{DynRecord, DynTable};
use crate::error::Result;
use crate::id::RecordId;
use crate::server::problem::Problem;
use dbgen_schema::Value;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) terms: &'a [Term],
    pub(super) order: &'a Order,
    pub(super) after: Option<&'a Cursor>,
    /// How many at most.
    pub(super) count: usize,
    /// Whether to count all that fulfil the conditions.
    pub(super) count_all: bool,
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
    /// How it was found, for the header `Query-Plan`.
    pub(super) plan: String,
}

/// Finds the first records behind the cursor.
pub(super) fn scan(table: DynTable<'_>, wanted: &Wanted<'_>) -> Result<Scanned, Problem> {
    check_count(wanted.terms)?;
    let mut first = First::new(wanted);
    let plan = match index_for(table, wanted.terms) {
        Some((index, key)) => {
            let examined = first.take_from(table.find_all(index, std::slice::from_ref(key))?);
            format!("index={index} rows_examined={examined}")
        }
        None => format!("scan rows_examined={}", first.take_from(table.iter())),
    };
    let total = wanted.count_all.then_some(first.matching);
    Ok(Scanned { rows: first.sorted(), total, plan })
}

/// An index whose first column a condition fixes, and its value there.
fn index_for<'v, 't>(table: DynTable<'v>, terms: &'t [Term]) -> Option<(&'v str, &'t Value)> {
    terms.iter().find_map(|term| {
        let (Column::Field(at), Test::Compare(Relation::Equal, value)) = (term.column, &term.test) else { return None };
        let leads = |index: &&dbgen_schema::Index| {
            index.fields.first().is_some_and(|field| field.at() == at)
                && (index.kind == dbgen_schema::IndexKind::Btree || index.fields.len() == 1)
        };
        table.schema().indexes.iter().find(leads).map(|index| (index.name.as_str(), value))
    })
}

/// The first so many records of an order, found by looking at each once and keeping no more than wanted.
struct First<'a> {
    wanted: &'a Wanted<'a>,
    backward: bool,
    /// The last of them on top.
    heap: BinaryHeap<Ranked<'a>>,
    matching: usize,
}

impl<'a> First<'a> {
    fn new(wanted: &'a Wanted<'a>) -> First<'a> {
        let backward = wanted.after.is_some_and(|cursor| cursor.direction == Direction::Backward);
        First { wanted, backward, heap: BinaryHeap::new(), matching: 0 }
    }

    /// Looks at records; says at how many.
    fn take_from<'v>(&mut self, records: impl Iterator<Item = DynRecord<'v>>) -> usize {
        let mut examined = 0;
        for record in records {
            examined += 1;
            if self.wanted.terms.iter().all(|term| term.holds(record)) {
                self.matching += 1;
                self.offer(record);
            }
        }
        examined
    }

    fn offer(&mut self, record: DynRecord<'_>) {
        let ranked =
            Ranked { place: self.wanted.order.place(record), order: self.wanted.order, backward: self.backward };
        if self.wanted.after.is_some_and(|cursor| ranked.against(&cursor.place).is_le()) {
            return;
        }
        if self.heap.len() < self.wanted.count {
            self.heap.push(ranked);
        } else if let Some(mut last) = self.heap.peek_mut()
            && ranked < *last
        {
            *last = ranked;
        }
    }

    fn sorted(self) -> Vec<Found> {
        let ranked = self.heap.into_sorted_vec().into_iter();
        ranked.map(|ranked| Found { id: ranked.place.id, place: ranked.place }).collect()
    }
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
