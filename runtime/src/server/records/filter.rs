//! Conditions on records: `?field=op.value`.
//!
//! Everything behind the first dot is the value, as it stands; only the list of `in` knows quotes. As in SQL, a null
//! fulfils no comparison: it is asked for by `is.null`.

use super::column::{Column, compare, text_value};
use crate::dynamic::DynRecord;
use crate::limits::{FILTER_TERMS_MAX, FILTER_VALUES_MAX};
use crate::server::params::{invalid_parameter, unknown_parameter};
use crate::server::problem::{Kind, Problem};
use dbgen_schema::json::decode;
use dbgen_schema::{Schema, Table, Value};
use serde_json::Value as Json;
use std::cmp::Ordering;

/// A condition that a record fulfils or not. All of a list's must be fulfilled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(super) column: Column,
    pub(super) test: Test,
}

/// What is asked of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// The value stands in this relation to another.
    Compare(Relation, Value),
    /// The value is one of these.
    In(Vec<Value>),
    /// There is no value (`true`), or there is one.
    IsNull(bool),
}

/// How two values stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

const RELATIONS: &[(&str, Relation)] = &[
    ("eq", Relation::Equal),
    ("neq", Relation::NotEqual),
    ("gt", Relation::Greater),
    ("gte", Relation::GreaterOrEqual),
    ("lt", Relation::Less),
    ("lte", Relation::LessOrEqual),
];

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Relation::Equal => ordering.is_eq(),
            Relation::NotEqual => ordering.is_ne(),
            Relation::Greater => ordering.is_gt(),
            Relation::GreaterOrEqual => ordering.is_ge(),
            Relation::Less => ordering.is_lt(),
            Relation::LessOrEqual => ordering.is_le(),
        }
    }
}

impl Term {
    /// Reads `field=op.value`. A field with the name of a parameter is reached as `f.name`.
    pub(crate) fn parse(schema: &Schema, table: &Table, name: &str, text: &str) -> Result<Term, Problem> {
        let column = match name.strip_prefix("f.") {
            Some(name) => Column::parse(table, name, name)?,
            None if table.field(name).is_none() && !name.starts_with('_') => {
                let fields = table.fields.iter().map(|field| field.name.as_str());
                let parameters = <super::ListQuery as crate::server::params::FromParams>::NAMES.iter().copied();
                return Err(unknown_parameter(name, parameters.chain(fields)));
            }
            None => Column::parse(table, name, name)?,
        };
        let ty = column.ty(table);
        let Some((op, value)) = text.split_once('.') else {
            return Err(unknown_operator(name, text));
        };
        let test = match op {
            "in" => Test::In(
                values(value, name)?.iter().map(|v| text_value(schema, &ty, name, v)).collect::<Result<_, _>>()?,
            ),
            "is" => match value {
                "null" => Test::IsNull(true),
                "not_null" => Test::IsNull(false),
                "true" | "false" => Test::Compare(Relation::Equal, text_value(schema, &ty, name, value)?),
                _ => return Err(invalid_parameter(name, value, "one of null, not_null, true, false")),
            },
            _ => match RELATIONS.iter().find(|(word, _)| *word == op) {
                Some((_, relation)) => Test::Compare(*relation, text_value(schema, &ty, name, value)?),
                None => return Err(unknown_operator(name, op)),
            },
        };
        Ok(Term { column, test })
    }

    /// Reads the same from JSON: `"hp": {"gte": 10, "lt": 20}`, or `"hp": 10`. Values are typed, nothing is parsed twice.
    pub(crate) fn of_json(schema: &Schema, table: &Table, name: &str, json: &Json) -> Result<Vec<Term>, Problem> {
        let column = Column::parse(table, name, name)?;
        let ty = column.ty(table);
        let typed = |pointer: &str, json: &Json| {
            let mut faults = Vec::new();
            decode(schema, &ty, false, json, &mut faults, pointer)
                .ok_or_else(|| Problem::of_faults(Kind::InvalidFilterValue, faults))
        };
        let Json::Object(tests) = json else {
            let test = match json {
                Json::Null => Test::IsNull(true),
                _ => Test::Compare(Relation::Equal, typed(&format!("#/where/{name}"), json)?),
            };
            return Ok(vec![Term { column, test }]);
        };
        let term = |(op, json): (&String, &Json)| {
            let pointer = format!("#/where/{name}/{op}");
            let test = match (op.as_str(), json) {
                ("in", Json::Array(list)) => {
                    let values = list.iter().enumerate().map(|(at, json)| typed(&format!("{pointer}/{at}"), json));
                    Test::In(values.collect::<Result<_, _>>()?)
                }
                ("eq", Json::Null) => Test::IsNull(true),
                ("neq", Json::Null) => Test::IsNull(false),
                _ => match RELATIONS.iter().find(|(word, _)| word == op) {
                    Some((_, relation)) => Test::Compare(*relation, typed(&pointer, json)?),
                    None => return Err(unknown_operator(name, op)),
                },
            };
            Ok(Term { column, test })
        };
        tests.iter().map(term).collect()
    }

    /// Whether the record fulfils it.
    pub(super) fn holds(&self, record: DynRecord<'_>) -> bool {
        let value = self.column.value(record);
        match &self.test {
            Test::IsNull(is_null) => value.is_null() == *is_null,
            _ if value.is_null() => false,
            Test::Compare(relation, to) => relation.holds(compare(&value, to)),
            Test::In(values) => values.iter().any(|one| compare(&value, one).is_eq()),
        }
    }
}

/// That there are not more conditions than a request may have.
pub(super) fn check_count(terms: &[Term]) -> Result<(), Problem> {
    if terms.len() <= FILTER_TERMS_MAX {
        return Ok(());
    }
    let detail = format!("a list takes at most {FILTER_TERMS_MAX} conditions");
    Err(Problem::new(Kind::LimitTooLarge, detail).member("max", FILTER_TERMS_MAX))
}

fn unknown_operator(param: &str, op: &str) -> Problem {
    let known: Vec<&str> = RELATIONS.iter().map(|(word, _)| *word).chain(["in", "is"]).collect();
    let sentence =
        format!("`{param}` must be an operator and a value, like `eq.5`; {op:?} is none of {}", known.join(", "));
    Problem::unknown(Kind::InvalidParameter, sentence, op, known.iter().copied()).member("param", param)
}

/// The values of `(a,b,"c,d")`. Within quotes, a backslash takes away the meaning of a quote and of a backslash.
fn values(text: &str, param: &str) -> Result<Vec<String>, Problem> {
    let refuse = || invalid_parameter(param, text, "a list like (1,2) or (a,\"b,c\")");
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).ok_or_else(refuse)?;
    let mut list = Vec::new();
    let mut rest = inside.chars().peekable();
    while rest.peek().is_some() || !list.is_empty() {
        let mut value = String::new();
        if rest.next_if_eq(&'"').is_some() {
            loop {
                match rest.next().ok_or_else(refuse)? {
                    '"' => break,
                    '\\' => value.push(rest.next().ok_or_else(refuse)?),
                    c => value.push(c),
                }
            }
        } else {
            while let Some(c) = rest.next_if(|c| *c != ',') {
                value.push(c);
            }
        }
        list.push(value);
        match rest.next() {
            None => break,
            Some(',') => {}
            Some(_) => return Err(refuse()),
        }
        if list.len() > FILTER_VALUES_MAX {
            let detail = format!("a list of values has at most {FILTER_VALUES_MAX}");
            return Err(Problem::new(Kind::LimitTooLarge, detail).member("param", param));
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_values() {
        let read = |text: &str| values(text, "f").map_err(|problem| problem.kind());
        let list = |items: &[&str]| Ok(items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>());
        assert_eq!(read("()"), list(&[]));
        assert_eq!(read("(a,b)"), list(&["a", "b"]));
        assert_eq!(read("(a,)"), list(&["a", ""]));
        assert_eq!(read(r#"("a,b",c,"d\"\\")"#), list(&["a,b", "c", "d\"\\"]));
        for wrong in ["", "a", "(a", "a)", "(\"a)", "(\"a\"b)", "(\"a\\)"] {
            assert_eq!(read(wrong), Err(Kind::InvalidParameter), "{wrong}");
        }
        assert_eq!(read(&format!("({})", "1,".repeat(FILTER_VALUES_MAX + 1))), Err(Kind::LimitTooLarge));
    }
}
