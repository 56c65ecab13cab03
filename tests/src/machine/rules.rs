//! The rules of records, said again in the plainest way: what the engine must refuse, and with which words.

use super::values::{compare, compare_prefix, holds_odd_float, same};
use super::world::World;
use dbgen_runtime::{Error, Rule};
use dbgen_schema::{Relation, Type, Value};
use std::collections::BTreeMap;

/// A rule, without the numbers that it is told with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// A value must be given.
    NotNull,
    /// It is of another type.
    Type,
    /// It is outside of the bounds.
    OutOfRange,
    /// It is too long.
    TooLong,
    /// It is not a finite number.
    NotANumber,
    /// Another record has it.
    Unique,
    /// It refers to nothing.
    Reference,
    /// It never changes.
    Immutable,
}

/// Why an operation is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The record does not exist.
    NotFound,
    /// Fields and the rules that they break, sorted.
    Invalid(Vec<(String, Broken)>),
    /// Relations through which others refer to the record, and how many times.
    Restricted(BTreeMap<String, usize>),
}

/// A value that is given for a field, and the rule that it breaks by itself.
#[derive(Debug, Clone)]
pub struct Given {
    /// The field.
    pub field: usize,
    /// Its value.
    pub value: Value,
    /// What is wrong with its type.
    pub broken: Option<Broken>,
}

impl World {
    /// The rules that a record of `table` breaks. `old` is what it was, for one that is changed: only what differs is
    /// judged. Fields whose value is not of their type are judged for that alone.
    pub fn judge(
        &self,
        table: usize,
        values: &[Value],
        old: Option<(u64, &[Value])>,
        given: &[Given],
    ) -> Vec<(String, Broken)> {
        let model = &self.schema.tables[table];
        let misfit = |at: usize| given.iter().find(|given| given.field == at).and_then(|given| given.broken);
        let is_judged = |at: usize| misfit(at).is_none() && old.is_none_or(|(_, old)| !same(&old[at], &values[at]));
        let mut broken = Vec::new();
        for (at, field) in model.fields.iter().enumerate() {
            let mut add = |rule| broken.push((field.name.clone(), rule));
            let value = &values[at];
            misfit(at).into_iter().for_each(&mut add);
            if !is_judged(at) {
                continue;
            }
            if old.is_some() && field.primary_key {
                add(Broken::Immutable);
            }
            if value.is_null() {
                if !field.nullable {
                    add(Broken::NotNull);
                }
                continue;
            }
            if !field.allow_nan && holds_odd_float(value) {
                add(Broken::NotANumber);
            } else if field.min.as_ref().is_some_and(|min| compare(value, min).is_lt())
                || field.max.as_ref().is_some_and(|max| compare(value, max).is_gt())
            {
                add(Broken::OutOfRange);
            }
        }
        for relation in self.outgoing(table).filter(|relation| is_judged(relation.from_field.at())) {
            if !self.is_target_there(relation, &values[relation.from_field.at()]) {
                broken.push((model.fields[relation.from_field.at()].name.clone(), Broken::Reference));
            }
        }
        for index in model.indexes.iter().filter(|index| index.unique) {
            let columns: Vec<usize> = index.fields.iter().map(|field| field.at()).collect();
            let key: Vec<Value> = columns.iter().map(|at| values[*at].clone()).collect();
            let concerns = columns.iter().all(|at| misfit(*at).is_none()) && columns.iter().any(|at| is_judged(*at));
            let is_taken = || {
                self.tables[table].rows.iter().any(|(id, row)| {
                    old.is_none_or(|(itself, _)| itself != *id)
                        && compare_prefix(&key, &columns.iter().map(|at| row.values[*at].clone()).collect::<Vec<_>>())
                            .is_eq()
                })
            };
            if concerns && !key.iter().any(Value::is_null) && is_taken() {
                let names: Vec<&str> = columns.iter().map(|at| model.fields[*at].name.as_str()).collect();
                broken.push((names.join(","), Broken::Unique));
            }
        }
        broken.sort();
        broken
    }

    /// Relations of the table's fields.
    pub fn outgoing(&self, table: usize) -> impl Iterator<Item = &Relation> {
        self.schema.relations.iter().filter(move |relation| relation.from_table.at() == table)
    }

    /// Relations to the table.
    pub fn incoming(&self, table: usize) -> impl Iterator<Item = &Relation> {
        self.schema.relations.iter().filter(move |relation| relation.to_table.at() == table)
    }

    /// Whether what `value` refers to exists; null refers to nothing and is fine.
    pub fn is_target_there(&self, relation: &Relation, value: &Value) -> bool {
        let to = &self.tables[relation.to_table.at()];
        match (relation.to_field, value) {
            (_, Value::Null) => true,
            (None, Value::Ref(id)) => to.rows.contains_key(id),
            (None, _) => false,
            (Some(field), value) => to.rows.values().any(|row| compare(&row.values[field.at()], value).is_eq()),
        }
    }

    /// Records that refer through `relation` to record `id`, which holds `values`.
    pub fn referrers(&self, relation: &Relation, id: u64, values: &[Value]) -> Vec<u64> {
        let wanted = match relation.to_field {
            None => Value::Ref(id),
            Some(field) => values[field.at()].clone(),
        };
        let from = &self.tables[relation.from_table.at()];
        let refers = |value: &Value| !wanted.is_null() && !value.is_null() && compare(value, &wanted).is_eq();
        from.rows.iter().filter(|(_, row)| refers(&row.values[relation.from_field.at()])).map(|(id, _)| *id).collect()
    }

    /// Values that others refer to do not change under them.
    pub fn judge_referred(&self, table: usize, id: u64, old: &[Value], new: &[Value]) -> BTreeMap<String, usize> {
        let by_value = self
            .incoming(table)
            .filter(|relation| relation.to_field.is_some_and(|field| !same(&old[field.at()], &new[field.at()])));
        let counted = by_value.map(|relation| (relation.name.clone(), self.referrers(relation, id, old).len()));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    /// Whether the table can be given out as slices of this column group: no rule concerns any of its fields.
    pub fn is_free(&self, table: usize, field: usize) -> bool {
        let model = &self.schema.tables[table].fields[field];
        let is_plain = match &model.ty {
            Type::Scalar(scalar) => scalar.desc().name != "bool",
            _ => false,
        };
        let is_indexed = self.schema.tables[table].indexes.iter().any(|i| i.fields.iter().any(|f| f.at() == field));
        is_plain && !is_indexed && !model.nullable && model.min.is_none() && model.max.is_none() && !model.primary_key
    }
}

/// What the engine's error comes to.
pub fn refusal(error: &Error) -> Refusal {
    match error {
        Error::NotFound { .. } => Refusal::NotFound,
        Error::Invalid(violations) => {
            let mut broken: Vec<_> = violations.iter().map(|v| (v.field.clone(), broken_rule(&v.rule))).collect();
            broken.sort();
            Refusal::Invalid(broken)
        }
        Error::Restricted { blocking, .. } => {
            let mut counted = BTreeMap::new();
            for by in blocking {
                *counted.entry(by.relation.clone()).or_default() += by.count;
            }
            Refusal::Restricted(counted)
        }
        other => panic!("an error that no rule gives: {other}"),
    }
}

fn broken_rule(rule: &Rule) -> Broken {
    match rule {
        Rule::NotNull => Broken::NotNull,
        Rule::Type { .. } => Broken::Type,
        Rule::OutOfRange { .. } => Broken::OutOfRange,
        Rule::TooLong { .. } => Broken::TooLong,
        Rule::NotANumber => Broken::NotANumber,
        Rule::Unique { .. } => Broken::Unique,
        Rule::Reference { .. } => Broken::Reference,
        Rule::Immutable => Broken::Immutable,
        other => panic!("a rule that the model does not know: {other:?}"),
    }
}

/// That the engine and the model agree: both accept, or both refuse for the same reasons.
#[track_caller]
pub fn agree<R, M>(result: Result<R, Error>, expected: Result<M, Refusal>) -> Option<(R, M)> {
    match (result, expected) {
        (Ok(result), Ok(expected)) => Some((result, expected)),
        (Err(error), Err(expected)) => {
            assert_eq!(refusal(&error), expected, "the reasons differ: {error}");
            None
        }
        (Ok(_), Err(expected)) => panic!("accepted, though {expected:?}"),
        (Err(error), Ok(_)) => panic!("refused, though no rule is broken: {error}"),
    }
}
