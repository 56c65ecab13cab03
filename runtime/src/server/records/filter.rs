//! Conditions on records: `?field=op.value`, `?or=(a.eq.1,and(b.gt.2,c.lt.3))`, or the same as JSON.
//!
//! Of one field's condition everything behind the operator's dot is the value, as it stands; only lists in parentheses know
//! quotes. As in SQL, a null fulfils no comparison, and neither does its opposite: it is asked for by `is.null`.

use super::column::{Column, Domain, compare, element_domain};
use super::logic;
use super::pattern::Pattern;
use crate::dynamic::DynRecord;
use crate::limits::{FILTER_DEPTH_MAX, FILTER_TERMS_MAX, FILTER_VALUES_MAX};
use crate::server::json;
use crate::server::params::{invalid_parameter, unknown_parameter};
use crate::server::problem::{Kind, Mistakes, Problem};
use dbgen_schema::{Schema, Table, Type, Value};
use serde_json::Value as Json;
use std::cmp::Ordering;

/// What a record fulfils or not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    /// One condition.
    Term(Term),
    /// All of these.
    All(Vec<Filter>),
    /// At least one of these.
    Any(Vec<Filter>),
}

/// A condition on one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(super) column: Column,
    pub(super) test: Test,
    /// The condition must not hold. Where there is no value, neither it nor its opposite does.
    pub(super) negated: bool,
}

/// What is asked of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// The value stands in this relation to another.
    Compare(Relation, Value),
    /// The value is one of these, which are in order, each once: a request may bring thousands of them.
    In(Vec<Value>),
    /// The value lies between these, which count.
    Between(Value, Value),
    /// The text is like this.
    Like(Pattern),
    /// The list holds all of these, which are in order, each once.
    Contains(Vec<Value>),
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

/// Operators besides the relations.
const WORDS: &[&str] = &["in", "is", "like", "ilike", "starts", "between", "cs"];

impl Filter {
    /// Reads `field=op.value`, or `or=(…)` and `and=(…)`. A field with the name of a parameter is reached as `f.name`;
    /// `parameters` are the names that the route takes besides, for "did you mean".
    pub(crate) fn parse(
        schema: &Schema,
        table: &Table,
        parameters: &[&'static str],
        (name, text): (&str, &str),
    ) -> Result<Filter, Problem> {
        let (negated, plain) = name.strip_prefix("not.").map_or((false, name), |plain| (true, plain));
        if matches!(plain, "and" | "or") && text.starts_with('(') {
            let filter = logic::parse(schema, table, plain, text)?;
            return Ok(if negated { filter.opposite() } else { filter });
        }
        let field = name.strip_prefix("f.").unwrap_or(name);
        if field == name && table.field(name).is_none() && !name.starts_with('_') {
            let fields = table.fields.iter().map(|field| field.name.as_str());
            let parameters = parameters.iter().copied();
            return Err(unknown_parameter(name, parameters.chain(["or", "and"]).chain(fields)));
        }
        let term = Term::parse(schema, table, (field, name), text).map_err(|problem| problem.placed_in(text))?;
        Ok(Filter::Term(term))
    }

    /// Reads an object of conditions, all of which must hold: `{"hp": {"gte": 10}, "or": [{…}, {…}], "not": {…}}`.
    pub(crate) fn of_json(
        schema: &Schema,
        table: &Table,
        json: &Json,
        pointer: &str,
        mistakes: &mut Mistakes,
    ) -> Vec<Filter> {
        let Json::Object(members) = json else {
            let detail = format!("{} where an object of conditions is needed", json::describe(json));
            mistakes.push(Problem::at(Kind::WrongType, pointer, detail));
            return Vec::new();
        };
        if pointer.matches('/').count() > 2 * FILTER_DEPTH_MAX {
            mistakes.push(Problem::at(Kind::LimitTooLarge, pointer, too_deep()));
            return Vec::new();
        }
        let mut all = Vec::new();
        for (name, json) in members {
            let inside = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            let mut each = |list: &[Json]| -> Vec<Filter> {
                let places = list.iter().enumerate().map(|(at, json)| (json, format!("{inside}/{at}")));
                let one = |(json, at): (&Json, String)| Filter::of_json(schema, table, json, &at, mistakes);
                places.map(one).map(Filter::All).collect()
            };
            match (name.as_str(), json) {
                ("and", Json::Array(list)) => all.extend(each(list)),
                ("or", Json::Array(list)) => all.push(Filter::Any(each(list))),
                ("not", Json::Object(_)) if table.field("not").is_none() => {
                    all.push(Filter::All(Filter::of_json(schema, table, json, &inside, mistakes)).opposite());
                }
                _ => {
                    let terms = Term::of_json(schema, table, (name.as_str(), json), (inside.as_str(), 0), mistakes);
                    all.extend(terms.into_iter().map(Filter::Term));
                }
            }
        }
        all
    }

    /// What holds where this does not, as far as there are values.
    pub(super) fn opposite(self) -> Filter {
        let each = |filters: Vec<Filter>| filters.into_iter().map(Filter::opposite).collect();
        match self {
            Filter::Term(term) => Filter::Term(Term { negated: !term.negated, ..term }),
            Filter::All(filters) => Filter::Any(each(filters)),
            Filter::Any(filters) => Filter::All(each(filters)),
        }
    }

    /// Whether the record fulfils it.
    pub(super) fn holds(&self, record: DynRecord<'_>) -> bool {
        match self {
            Filter::Term(term) => term.holds(record),
            Filter::All(filters) => filters.iter().all(|filter| filter.holds(record)),
            Filter::Any(filters) => filters.iter().any(|filter| filter.holds(record)),
        }
    }

    /// What it asks, by the names of fields: unlike their numbers, those stay when other fields come and go.
    pub(super) fn named(&self, table: &Table) -> String {
        let all = |filters: &[Filter]| filters.iter().map(|filter| filter.named(table)).collect::<Vec<_>>().join(",");
        match self {
            Filter::Term(Term { column, test, negated }) => format!("{} {negated} {test:?}", column.name(table)),
            Filter::All(filters) => format!("and({})", all(filters)),
            Filter::Any(filters) => format!("or({})", all(filters)),
        }
    }

    /// The columns that it asks for.
    pub(super) fn columns(&self, columns: &mut Vec<Column>) {
        match self {
            Filter::Term(term) => columns.push(term.column),
            Filter::All(filters) | Filter::Any(filters) => filters.iter().for_each(|filter| filter.columns(columns)),
        }
    }

    fn terms(&self) -> usize {
        match self {
            Filter::Term(_) => 1,
            Filter::All(filters) | Filter::Any(filters) => filters.iter().map(Filter::terms).sum(),
        }
    }

    /// The conditions that every record of the list fulfils.
    pub(super) fn certain<'f>(&'f self, certain: &mut Vec<&'f Term>) {
        match self {
            Filter::Term(term) if !term.negated => certain.push(term),
            Filter::All(filters) => filters.iter().for_each(|filter| filter.certain(certain)),
            Filter::Term(_) | Filter::Any(_) => {}
        }
    }
}

impl Term {
    /// Reads `op.value` for a field; `param` names the parameter in which it stands.
    pub(super) fn parse(
        schema: &Schema,
        table: &Table,
        (field, param): (&str, &str),
        text: &str,
    ) -> Result<Term, Problem> {
        let (mut negated, mut rest) = (false, text);
        while let Some(opposite) = rest.strip_prefix("not.") {
            (negated, rest) = (!negated, opposite);
        }
        let Some((op, value)) = rest.split_once('.') else { return Err(unknown_operator(param, rest)) };
        if op == "cs" {
            let (column, element) = element_domain(table, field, param)?;
            let texts = if value.starts_with('(') { values(value, param)? } else { vec![value.to_owned()] };
            let values = texts.iter().map(|text| element.text_value(schema, param, text));
            return Ok(Term { column, test: Test::Contains(sorted(values.collect::<Result<_, _>>()?)), negated });
        }
        let column = Column::parse(table, field, param)?;
        let domain = Domain::of(table, column);
        let read = |text: &str| domain.text_value(schema, param, text);
        let test = match op {
            "in" => Test::In(sorted(values(value, param)?.iter().map(|text| read(text)).collect::<Result<_, _>>()?)),
            "between" => match values(value, param)?.as_slice() {
                [low, high] => Test::Between(read(low)?, read(high)?),
                _ => return Err(invalid_parameter(param, value, "two values like (1,9)")),
            },
            "like" | "ilike" | "starts" => Test::Like(pattern(domain.ty(), param, op, value)?),
            "is" => match value {
                "null" => Test::IsNull(true),
                "not_null" => Test::IsNull(false),
                "true" | "false" => Test::Compare(Relation::Equal, read(value)?),
                _ => return Err(invalid_parameter(param, value, "one of null, not_null, true, false")),
            },
            _ => match RELATIONS.iter().find(|(word, _)| *word == op) {
                Some((_, relation)) => Test::Compare(*relation, read(value)?),
                None => return Err(unknown_operator(param, op)),
            },
        };
        Ok(Term { column, test, negated })
    }

    /// Reads the same from JSON: `"hp": {"gte": 10, "lt": 20}`, or `"hp": 10`. Values are typed, nothing is parsed twice.
    /// It stands in so many `not`s.
    fn of_json(
        schema: &Schema,
        table: &Table,
        (name, json): (&str, &Json),
        (pointer, depth): (&str, usize),
        mistakes: &mut Mistakes,
    ) -> Vec<Term> {
        let Json::Object(tests) = json else {
            let equal = Term::one_of_json(schema, table, name, ("eq", json), pointer);
            return mistakes.note(equal.map_err(|problem| problem.pointed_at(pointer))).into_iter().collect();
        };
        let mut terms = Vec::new();
        for (op, json) in tests {
            let pointer = format!("{pointer}/{}", op.replace('~', "~0").replace('/', "~1"));
            match (op.as_str(), json) {
                ("not", Json::Object(_)) if depth == FILTER_DEPTH_MAX => {
                    mistakes.push(Problem::at(Kind::LimitTooLarge, pointer, too_deep()));
                }
                ("not", Json::Object(_)) => {
                    if json.as_object().is_none_or(|tests| tests.len() != 1) {
                        mistakes.push(Problem::at(Kind::InvalidValue, pointer, "`not` takes one condition"));
                        continue;
                    }
                    let inside = Term::of_json(schema, table, (name, json), (pointer.as_str(), depth + 1), mistakes);
                    terms.extend(inside.into_iter().map(|term| Term { negated: !term.negated, ..term }));
                }
                _ => {
                    let term = Term::one_of_json(schema, table, name, (op, json), &pointer);
                    terms.extend(mistakes.note(term.map_err(|problem| problem.pointed_at(&pointer))));
                }
            }
        }
        terms
    }

    fn one_of_json(
        schema: &Schema,
        table: &Table,
        name: &str,
        (op, json): (&str, &Json),
        pointer: &str,
    ) -> Result<Term, Problem> {
        let list = |domain: &Domain, list: &[Json]| -> Result<Vec<Value>, Problem> {
            if list.len() > FILTER_VALUES_MAX {
                return Err(Problem::at(Kind::LimitTooLarge, pointer, too_many_values()));
            }
            let one = |(at, json): (usize, &Json)| typed(schema, domain, json, &format!("{pointer}/{at}"));
            list.iter().enumerate().map(one).collect::<Result<_, _>>().map(sorted)
        };
        if op == "cs" {
            let (column, element) = element_domain(table, name, name)?;
            let one = [json.clone()];
            let test = Test::Contains(list(&element, json.as_array().map_or(&one[..], Vec::as_slice))?);
            return Ok(Term { column, test, negated: false });
        }
        let column = Column::parse(table, name, name)?;
        let domain = Domain::of(table, column);
        let test = match (op, json) {
            ("in", Json::Array(values)) => Test::In(list(&domain, values)?),
            ("between", Json::Array(values)) if values.len() == 2 => {
                let read = |json: &Json| typed(schema, &domain, json, pointer);
                Test::Between(read(&values[0])?, read(&values[1])?)
            }
            ("like" | "ilike" | "starts", Json::String(text)) => Test::Like(pattern(domain.ty(), name, op, text)?),
            ("is", Json::Null) | ("eq", Json::Null) => Test::IsNull(true),
            ("neq", Json::Null) => Test::IsNull(false),
            ("in" | "between" | "like" | "ilike" | "starts" | "is", _) => {
                let detail = format!("`{op}` does not take {}", json::describe(json));
                return Err(Problem::at(Kind::InvalidValue, pointer, detail));
            }
            _ => match RELATIONS.iter().find(|(word, _)| *word == op) {
                Some((_, relation)) => Test::Compare(*relation, typed(schema, &domain, json, pointer)?),
                None => return Err(unknown_operator(name, op)),
            },
        };
        Ok(Term { column, test, negated: false })
    }

    /// Whether the record fulfils it.
    fn holds(&self, record: DynRecord<'_>) -> bool {
        let value = self.column.value(record);
        let holds = match &self.test {
            Test::IsNull(is_null) => value.is_null() == *is_null,
            _ if value.is_null() => return false,
            Test::Compare(relation, to) => relation.holds(compare(&value, to)),
            Test::In(values) => position(values, &value).is_some(),
            Test::Between(low, high) => compare(&value, low).is_ge() && compare(&value, high).is_le(),
            Test::Like(pattern) => matches!(&value, Value::Text(text) if pattern.matches(text)),
            Test::Contains(wanted) => match &value {
                Value::List(items) => has_all(items, wanted),
                _ => false,
            },
        };
        holds != self.negated
    }
}

/// A value of a JSON body.
fn typed(schema: &Schema, domain: &Domain, json: &Json, pointer: &str) -> Result<Value, Problem> {
    let mut faults = Vec::new();
    let value = domain.decode(schema, json, &mut faults, pointer);
    value.ok_or_else(|| Problem::of_faults(Kind::InvalidFilterValue, faults))
}

/// The values in order, each once.
fn sorted(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by(compare);
    values.dedup_by(|a, b| compare(a, b).is_eq());
    values
}

/// Where among values in order this one is.
fn position(sorted: &[Value], value: &Value) -> Option<usize> {
    sorted.binary_search_by(|one| compare(one, value)).ok()
}

/// Whether all of these values, which are in order, are among the items. A list may have a million of those: each is looked
/// up once, until all values are found.
fn has_all(items: &[Value], wanted: &[Value]) -> bool {
    let (mut is_found, mut missing) = (vec![false; wanted.len()], wanted.len());
    for item in items {
        if missing == 0 {
            break;
        }
        if let Some(at) = position(wanted, item)
            && !std::mem::replace(&mut is_found[at], true)
        {
            missing -= 1;
        }
    }
    missing == 0
}

/// The pattern that `like`, `ilike` and `starts` ask of a text.
fn pattern(ty: &Type, param: &str, op: &str, text: &str) -> Result<Pattern, Problem> {
    match ty {
        Type::Str(_) | Type::Text if op == "starts" => Ok(Pattern::starts(text)),
        Type::Str(_) | Type::Text => Ok(Pattern::new(text, op == "ilike")),
        _ => {
            let detail = format!("`{op}` is for texts, and `{param}` is none");
            Err(Problem::new(Kind::InvalidParameter, detail).member("param", param))
        }
    }
}

/// That there are not more conditions than a request may have.
pub(super) fn check_count(filters: &[Filter]) -> Result<(), Problem> {
    if filters.iter().map(Filter::terms).sum::<usize>() <= FILTER_TERMS_MAX {
        return Ok(());
    }
    let detail = format!("a list takes at most {FILTER_TERMS_MAX} conditions");
    Err(Problem::new(Kind::LimitTooLarge, detail).member("max", FILTER_TERMS_MAX))
}

pub(super) fn too_deep() -> String {
    format!("conditions nest at most {FILTER_DEPTH_MAX} deep")
}

fn too_many_values() -> String {
    format!("a list of values has at most {FILTER_VALUES_MAX}")
}

fn unknown_operator(param: &str, op: &str) -> Problem {
    let known: Vec<&str> = RELATIONS.iter().map(|(word, _)| *word).chain(WORDS.iter().copied()).collect();
    let sentence =
        format!("`{param}` must be an operator and a value, like `eq.5`; {op:?} is none of {}", known.join(", "));
    Problem::unknown(Kind::InvalidParameter, sentence, op, known.iter().copied())
        .member("param", param)
        .member("got", op)
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
        if list.len() == FILTER_VALUES_MAX {
            return Err(Problem::new(Kind::LimitTooLarge, too_many_values()).member("param", param));
        }
        list.push(value);
        match rest.next() {
            None => break,
            Some(',') => {}
            Some(_) => return Err(refuse()),
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_list_are_found_wherever_they_stand() {
        let list = |numbers: &[i32]| numbers.iter().map(|number| Value::from(*number)).collect::<Vec<_>>();
        let has = |items: &[i32], wanted: &[i32]| has_all(&list(items), &sorted(list(wanted)));
        assert!(has(&[3, 1, 2], &[2, 3, 2]) && has(&[5, 5], &[5]) && has(&[], &[]) && has(&[1], &[]));
        assert!(!has(&[5, 5], &[5, 6]) && !has(&[], &[1]) && !has(&[1, 3], &[2]));
        assert_eq!(position(&sorted(list(&[9, 1, 9, 4])), &Value::from(9)), Some(2));
    }

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
        assert_eq!(read(&format!("({})", "1,".repeat(FILTER_VALUES_MAX))), Err(Kind::LimitTooLarge));
    }
}
