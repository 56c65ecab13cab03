//! Lookups through indexes, against a sorted copy of the model's records.

use super::Seen;
use super::attempt::record_id;
use super::tape::Tape;
use super::values::{self, compare_prefix};
use super::world::World;
use dbgen_runtime::{DynTable, Error, Value};
use dbgen_schema::{Index, IndexKind, TableIdx};
use std::cmp::Ordering;
use std::ops::Bound;

/// A lookup in one of the table's indexes, if it has any.
pub fn random(world: &World, table: usize, tape: &mut Tape<'_>, engine: DynTable<'_>, seen: &mut Seen) {
    let indexes = &world.schema.tables[table].indexes;
    if indexes.is_empty() {
        return;
    }
    let index = &indexes[tape.below(indexes.len())];
    let keys = sorted(world, table, index);
    match (index.kind, tape.below(4)) {
        (IndexKind::Hash, _) | (_, 0) => equality(world, table, index, &keys, tape, engine, seen),
        (IndexKind::Btree, 3) if tape.one_in(4) => wrong(index, engine, seen),
        (IndexKind::Btree, _) => range(world, table, index, &keys, tape, engine, seen),
    }
}

/// The keys of an index with their records, in order.
fn sorted(world: &World, table: usize, index: &Index) -> Vec<(Vec<Value>, u64)> {
    let key = |values: &[Value]| index.fields.iter().map(|field| values[field.at()].clone()).collect();
    let mut keys: Vec<(Vec<Value>, u64)> =
        world.tables[table].rows.iter().map(|(id, row)| (key(&row.values), *id)).collect();
    keys.sort_by(|a, b| compare_prefix(&a.0, &b.0).then(a.1.cmp(&b.1)));
    keys
}

/// The first columns of a key: mostly of one that is there.
fn prefix(world: &World, table: usize, index: &Index, keys: &[(Vec<Value>, u64)], tape: &mut Tape<'_>) -> Vec<Value> {
    let columns = if index.kind == IndexKind::Hash { index.fields.len() } else { 1 + tape.below(index.fields.len()) };
    if !keys.is_empty() && !tape.one_in(3) {
        return keys[tape.below(keys.len())].0[..columns].to_vec();
    }
    let (schema, fields) = (&world.schema, &world.schema.tables[table].fields);
    let mut refs = |_: &mut Tape<'_>, _: TableIdx| Value::Ref(1 << 32);
    let value = |field: &dbgen_schema::FieldIdx| values::of_type(tape, schema, &fields[field.at()].ty, &mut refs);
    index.fields[..columns].iter().map(value).collect()
}

fn equality(
    world: &World,
    table: usize,
    index: &Index,
    keys: &[(Vec<Value>, u64)],
    tape: &mut Tape<'_>,
    engine: DynTable<'_>,
    seen: &mut Seen,
) {
    let wanted = prefix(world, table, index, keys, tape);
    let expected: Vec<u64> =
        keys.iter().filter(|(key, _)| compare_prefix(key, &wanted).is_eq()).map(|(_, id)| *id).collect();
    let mut found: Vec<u64> =
        engine.find_all(&index.name, &wanted).expect("the values fit").map(|record| record.id().get()).collect();
    let first = engine.find(&index.name, &wanted).expect("the values fit").map(|record| record.id().get());
    assert_eq!(first, found.first().copied(), "the first of those found");
    if index.kind == IndexKind::Hash {
        found.sort_unstable();
        seen.kind("lookup: hash");
    }
    assert_eq!(found, expected, "`{}` finds {wanted:?}", index.name);
    let is_whole = wanted.len() == index.fields.len();
    seen.kind(match (index.unique, is_whole) {
        (_, false) => "lookup: the first columns",
        (true, true) => "lookup: unique",
        (false, true) => "lookup: all equal",
    });
}

fn range(
    world: &World,
    table: usize,
    index: &Index,
    keys: &[(Vec<Value>, u64)],
    tape: &mut Tape<'_>,
    engine: DynTable<'_>,
    seen: &mut Seen,
) {
    let bound = |tape: &mut Tape<'_>| {
        let values = prefix(world, table, index, keys, tape);
        match tape.below(3) {
            0 => Bound::Included(values),
            1 => Bound::Excluded(values),
            _ => Bound::Unbounded,
        }
    };
    let (low, high) = (bound(tape), bound(tape));
    let is_within = |key: &[Value]| {
        let order = |bound: &[Value]| compare_prefix(key, bound);
        let is_above = match &low {
            Bound::Included(low) => order(low) != Ordering::Less,
            Bound::Excluded(low) => order(low) == Ordering::Greater,
            Bound::Unbounded => true,
        };
        let is_below = match &high {
            Bound::Included(high) => order(high) != Ordering::Greater,
            Bound::Excluded(high) => order(high) == Ordering::Less,
            Bound::Unbounded => true,
        };
        is_above && is_below
    };
    let expected: Vec<u64> = keys.iter().filter(|(key, _)| is_within(key)).map(|(_, id)| *id).collect();
    let found = || {
        let (low, high) = (slice(&low), slice(&high));
        engine.find_range(&index.name, low, high).expect("the values fit").map(|record| record.id().get())
    };
    let name = &index.name;
    assert_eq!(found().collect::<Vec<_>>(), expected, "`{name}` from {low:?} to {high:?}");
    let mut backwards: Vec<u64> = found().rev().collect();
    backwards.reverse();
    assert_eq!(backwards, expected, "`{name}` backwards from {low:?} to {high:?}");
    let (mut both, mut front, mut back) = (found(), Vec::new(), Vec::new());
    loop {
        let next = if tape.one_in(2) {
            both.next_back().map(|id| back.push(id))
        } else {
            both.next().map(|id| front.push(id))
        };
        if next.is_none() {
            break;
        }
    }
    // The tape decides which end comes first; what is left over is nothing.
    assert_eq!((both.next(), both.next_back()), (None, None), "`{name}` from both ends");
    front.extend(back.into_iter().rev());
    assert_eq!(front, expected, "`{name}` from both ends");
    seen.kind(match index.fields.len() {
        1 => "range",
        _ => "range: several columns",
    });
    seen.kind("range: backwards");
}

fn slice(bound: &Bound<Vec<Value>>) -> Bound<&[Value]> {
    match bound {
        Bound::Included(values) => Bound::Included(values),
        Bound::Excluded(values) => Bound::Excluded(values),
        Bound::Unbounded => Bound::Unbounded,
    }
}

/// Values that no column can hold, an index that is not there, a record that is not there.
fn wrong(index: &Index, engine: DynTable<'_>, seen: &mut Seen) {
    let alien = [Value::Struct(vec![Value::Null; 77])];
    assert!(matches!(engine.find(&index.name, &alien), Err(Error::Invalid(_))));
    assert!(matches!(engine.find("by_nothing", &[]), Err(Error::UnknownField { .. })));
    assert!(matches!(engine.get(record_id(1 << 32 | 4_000_000_000)), Err(Error::NotFound { .. })));
    seen.kind("lookup: refused");
}
