//! The way to the records of a list: a few that are named by their ids, a part of an index, or all.
//!
//! The part of an index is what the conditions leave of it. On its first columns, as many as possible, they ask for one value
//! each; on the column behind those for one of several, or for those between bounds, or the list is ordered by it. Such a
//! part may hold more than is wanted: conditions are asked of every candidate, and the order is made anew.

use super::column::{Column, compare};
use super::cursor::Direction;
use super::filter::{Relation, Term, Test};
use super::scan::Wanted;
use crate::dynamic::{DynRecord, DynTable};
use crate::error::Result;
use crate::id::RecordId;
use dbgen_schema::{Index, IndexKind, Table, Value};
use std::cmp::Ordering;
use std::ops::Bound;

/// Where the candidates of a list come from.
#[derive(Debug)]
pub(super) enum Way<'a> {
    /// The records with these ids, if there are such.
    Ids(Vec<RecordId>),
    /// Those of a part of an index.
    Index(Part<'a>),
    /// All of the table.
    All,
}

impl<'a> Way<'a> {
    /// The way to the records of a list.
    pub(super) fn to(table: DynTable<'a>, wanted: &Wanted<'a>) -> Way<'a> {
        match Way::by_condition(table, wanted) {
            Way::All => Part::by_order(table.schema(), wanted).map_or(Way::All, Way::Index),
            way => way,
        }
    }

    /// The way that conditions leave, whatever the order.
    pub(super) fn by_condition(table: DynTable<'a>, wanted: &Wanted<'a>) -> Way<'a> {
        let mut certain = Vec::new();
        wanted.filters.iter().for_each(|filter| filter.certain(&mut certain));
        // It is not worth it to look for more than there are.
        let is_few = |values: &[Value]| values.len() <= table.len().max(1);
        let mut of_ids =
            certain.iter().filter(|term| term.column == Column::Id).filter_map(|term| values_of(&term.test));
        if let Some(ids) = of_ids.find(|ids| is_few(ids)) {
            return Way::Ids(ids.iter().filter_map(id_of).collect());
        }
        let schema = table.schema();
        let parts = schema.indexes.iter().filter_map(|index| Part::by_condition(schema, index, &certain, is_few));
        let best = parts.reduce(|best, part| if part.worth() > best.worth() { part } else { best });
        best.map_or(Way::All, |part| Way::Index(part.ordered(schema, wanted)))
    }
}

/// The id that a value stands for.
fn id_of(value: &Value) -> Option<RecordId> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok().and_then(RecordId::from_u64),
        _ => None,
    }
}

/// A part of an index.
#[derive(Debug)]
pub(super) struct Part<'a> {
    index: &'a Index,
    /// The values of its first columns.
    begins: Vec<&'a Value>,
    next: Next<'a>,
    direction: Option<Direction>,
}

/// What is wanted of the column behind those that have one value.
#[derive(Debug, Clone, Copy)]
enum Next<'a> {
    /// One of these values, which are in order, each once.
    OneOf(&'a [Value]),
    /// Those between bounds, if there are any.
    Between(Bound<&'a Value>, Bound<&'a Value>),
}

const ANY: Next<'_> = Next::Between(Bound::Unbounded, Bound::Unbounded);

impl<'a> Part<'a> {
    /// The part that conditions leave of an index; `None` if that is all of it, or it cannot find them.
    fn by_condition(
        table: &Table,
        index: &'a Index,
        certain: &[&'a Term],
        is_few: impl Fn(&[Value]) -> bool,
    ) -> Option<Part<'a>> {
        let on = |at: usize| {
            let column = index.fields.get(at).map(|field| Column::Field(field.at()));
            certain.iter().filter(move |term| Some(term.column) == column).map(|term| &term.test)
        };
        // No key has a null where there can be none.
        let can_be = |at: usize, value: &Value| !value.is_null() || table.fields[index.fields[at].at()].nullable;
        let value = |at: usize| on(at).filter_map(value_of).find(|value| can_be(at, value));
        let begins: Vec<&Value> = (0..index.fields.len()).map_while(value).collect();
        let one_of = on(begins.len()).filter_map(values_of).find(|values| is_few(values));
        let next = one_of.map_or_else(|| between(on(begins.len())), Next::OneOf);
        let part = Part { index, begins, next, direction: None };
        (part.worth() > (false, 0, 0) && part.is_found()).then_some(part)
    }

    /// All of an index that has the order of the list, from the cursor on.
    fn by_order(table: &'a Table, wanted: &Wanted<'a>) -> Option<Part<'a>> {
        let trees = table.indexes.iter().filter(|index| index.kind == IndexKind::Btree);
        let parts = trees.map(|index| Part { index, begins: Vec::new(), next: ANY, direction: None });
        parts.map(|part| part.ordered(table, wanted)).find(|part| part.direction.is_some())
    }

    /// How good it is: whether it can hold one record only, how many columns have one value, and what is known of the next.
    fn worth(&self) -> (bool, usize, usize) {
        let is_one = self.index.unique && self.begins.len() == self.index.fields.len();
        let of_next = match self.next {
            Next::OneOf(_) => 3,
            Next::Between(low, high) => [low, high].iter().filter(|bound| **bound != Bound::Unbounded).count(),
        };
        (is_one, self.begins.len(), of_next)
    }

    /// Whether the index can find it: a hash finds whole keys, of values that are there.
    fn is_found(&self) -> bool {
        let columns = self.begins.len() + usize::from(matches!(self.next, Next::OneOf(_)));
        let is_whole = columns == self.index.fields.len() && self.begins.iter().all(|value| !value.is_null());
        self.index.kind == IndexKind::Btree || is_whole
    }

    /// If the list is ordered by the column behind those with one value: says in which direction, and begins at the cursor.
    fn ordered(self, table: &Table, wanted: &Wanted<'a>) -> Part<'a> {
        let Some(at) = self.index.fields.get(self.begins.len()).map(|field| field.at()) else { return self };
        // Where nulls and NaN stand is the list's to say, not the index's.
        let is_total = !table.fields[at].nullable && !table.fields[at].allow_nan && self.index.kind == IndexKind::Btree;
        let first = wanted.order.first().filter(|(column, _)| *column == Column::Field(at) && is_total);
        let Some((_, descending)) = first else { return self };
        let goes_back = wanted.after.is_some_and(|cursor| cursor.direction == Direction::Backward);
        let begin = wanted.begin().and_then(|cursor| cursor.place.values.first());
        let direction = if descending != goes_back { Direction::Backward } else { Direction::Forward };
        let next = begin.map_or(self.next, |begin| self.next.from(begin, direction));
        Part { next, direction: Some(direction), ..self }
    }

    /// The name of the index.
    pub(super) fn index(&self) -> &'a str {
        &self.index.name
    }

    /// The direction in which it yields records in the order of the list, if it does.
    pub(super) fn direction(&self) -> Option<Direction> {
        self.direction
    }

    /// Its records, in the order of the index, as far as that has one.
    pub(super) fn records(
        &self,
        table: DynTable<'a>,
    ) -> Result<impl DoubleEndedIterator<Item = DynRecord<'a>> + use<'a>> {
        let begins = || self.begins.iter().copied().cloned();
        let with = |value: &Value| begins().chain([value.clone()]).collect::<Vec<Value>>();
        let bound = |bound: Bound<&Value>| match bound {
            Bound::Unbounded if self.begins.is_empty() => Bound::Unbounded,
            Bound::Unbounded => Bound::Included(begins().collect()),
            bound => bound.map(with),
        };
        let ranges: Vec<_> = match self.next {
            Next::Between(low, high) => vec![(bound(low), bound(high))],
            Next::OneOf(values) => {
                values.iter().map(with).map(|key| (Bound::Included(key.clone()), Bound::Included(key))).collect()
            }
        };
        let find = |(low, high): &(Bound<Vec<Value>>, Bound<Vec<Value>>)| {
            table.find_range(&self.index.name, low.as_ref().map(Vec::as_slice), high.as_ref().map(Vec::as_slice))
        };
        let found = ranges.iter().map(find).collect::<Result<Vec<_>>>()?;
        Ok(found.into_iter().flatten())
    }
}

impl<'a> Next<'a> {
    /// What is left of it from a value on.
    fn from(self, begin: &'a Value, direction: Direction) -> Next<'a> {
        match (self, direction) {
            (Next::OneOf(values), Direction::Forward) => {
                Next::OneOf(&values[values.partition_point(|value| compare(value, begin).is_lt())..])
            }
            (Next::OneOf(values), Direction::Backward) => {
                Next::OneOf(&values[..values.partition_point(|value| compare(value, begin).is_le())])
            }
            (Next::Between(_, high), Direction::Forward) => Next::Between(Bound::Included(begin), high),
            (Next::Between(low, _), Direction::Backward) => Next::Between(low, Bound::Included(begin)),
        }
    }
}

/// The only value that a condition leaves, if it leaves one.
fn value_of(test: &Test) -> Option<&Value> {
    match test {
        Test::Compare(Relation::Equal, value) => Some(value),
        Test::IsNull(true) => Some(&Value::Null),
        _ => None,
    }
}

/// The values that a condition leaves, if they are some.
fn values_of(test: &Test) -> Option<&[Value]> {
    match test {
        Test::Compare(Relation::Equal, value) => Some(std::slice::from_ref(value)),
        Test::In(values) => Some(values),
        _ => None,
    }
}

/// What conditions on one column leave between them.
fn between<'a>(tests: impl Iterator<Item = &'a Test>) -> Next<'a> {
    let (low, high) = tests.filter_map(bounds).fold((Bound::Unbounded, Bound::Unbounded), |(low, high), (l, h)| {
        (tighter(low, l, Ordering::Greater), tighter(high, h, Ordering::Less))
    });
    Next::Between(low, high)
}

/// The bounds that a condition leaves; `None` if it has none.
fn bounds(test: &Test) -> Option<(Bound<&Value>, Bound<&Value>)> {
    let (relation, value) = match test {
        Test::Compare(relation, value) => (relation, value),
        Test::Between(low, high) => return Some((Bound::Included(low), Bound::Included(high))),
        _ => return None,
    };
    Some(match relation {
        Relation::Greater => (Bound::Excluded(value), Bound::Unbounded),
        Relation::GreaterOrEqual => (Bound::Included(value), Bound::Unbounded),
        Relation::Less => (Bound::Unbounded, Bound::Excluded(value)),
        Relation::LessOrEqual => (Bound::Unbounded, Bound::Included(value)),
        Relation::Equal | Relation::NotEqual => return None,
    })
}

/// The bound whose value stands further in this direction. Of equal ones either will do: conditions are asked anyway.
fn tighter<'a>(a: Bound<&'a Value>, b: Bound<&'a Value>, direction: Ordering) -> Bound<&'a Value> {
    match (a, b) {
        (Bound::Unbounded, bound) | (bound, Bound::Unbounded) => bound,
        (Bound::Included(x) | Bound::Excluded(x), Bound::Included(y) | Bound::Excluded(y)) => {
            if compare(x, y) == direction { a } else { b }
        }
    }
}
