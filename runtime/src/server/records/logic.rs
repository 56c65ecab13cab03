//! `and=(…)` and `or=(…)`: conditions in parentheses, `field.op.value`, which nest.

use super::filter::{Filter, Term, too_deep};
use crate::limits::FILTER_DEPTH_MAX;
use crate::server::params::invalid_parameter;
use crate::server::problem::{Kind, Problem};
use dbgen_schema::{Schema, Table};

/// Reads `(a.eq.1,and(b.gt.2,c.lt.3))`, the value of the parameter `param`, which is `and` or `or`.
pub(super) fn parse(schema: &Schema, table: &Table, param: &str, text: &str) -> Result<Filter, Problem> {
    Reader { schema, table, param, text }.group(param, text, 0)
}

struct Reader<'a> {
    schema: &'a Schema,
    table: &'a Table,
    param: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    /// Reads what stands in parentheses behind `word`.
    fn group(&self, word: &str, text: &str, depth: usize) -> Result<Filter, Problem> {
        if depth == FILTER_DEPTH_MAX {
            return Err(Problem::new(Kind::LimitTooLarge, too_deep()).member("param", self.param));
        }
        let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        let inside = inside.ok_or_else(|| self.refuse(text, "a list in parentheses like (a.eq.1,b.gt.2)"))?;
        let items = split(inside).ok_or_else(|| self.refuse(inside, "parentheses and quotes that are closed"))?;
        let filters = items.into_iter().map(|item| self.item(item, depth)).collect::<Result<Vec<Filter>, Problem>>()?;
        Ok(if word == "or" { Filter::Any(filters) } else { Filter::All(filters) })
    }

    fn item(&self, item: &str, depth: usize) -> Result<Filter, Problem> {
        let (negated, plain) = item.strip_prefix("not.").map_or((false, item), |plain| (true, plain));
        let group = ["and", "or"].into_iter().find(|word| plain.strip_prefix(word).is_some_and(|g| g.starts_with('(')));
        if let Some(word) = group {
            let filter = self.group(word, &plain[word.len()..], depth + 1)?;
            return Ok(if negated { filter.opposite() } else { filter });
        }
        let Some((field, test)) = item.split_once('.') else {
            return Err(self.refuse(item, "conditions like a.eq.1"));
        };
        let unquoted = unquoted(test).ok_or_else(|| self.refuse(item, "quotes that are closed"))?;
        let term = Term::parse(self.schema, self.table, (field, self.param), &unquoted);
        term.map(Filter::Term).map_err(|problem| {
            // Where it stands in quotes, or is the field, the condition as a whole is pointed at.
            let at = problem.text("got").and_then(|got| item.rfind(got)).unwrap_or(0);
            self.place(problem, &item[at..])
        })
    }

    /// The problem of a part of the text, with its place.
    fn refuse(&self, part: &str, expected: &str) -> Problem {
        self.place(invalid_parameter(self.param, self.text, expected), part)
    }

    fn place(&self, problem: Problem, part: &str) -> Problem {
        let position = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let caret = format!("{}\n{}^", self.text, " ".repeat(self.text[..position].chars().count()));
        problem.member("position", position).member("caret", caret)
    }
}

/// Splits at commas that stand in no parentheses and no quotes; `None` if those are not closed.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut items, mut depth, mut start, mut quoted, mut escaped) = (Vec::new(), 0_usize, 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                items.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&text[start..]);
    (depth == 0 && !quoted).then_some(items)
}

/// `op.value` with the quotes of its value taken away; a list in parentheses keeps its own.
fn unquoted(test: &str) -> Option<String> {
    let Some(quote) = test.find(".\"") else { return Some(test.to_owned()) };
    let (op, value) = (&test[..quote + 1], &test[quote + 2..]);
    let mut text = op.to_owned();
    let mut rest = value.chars();
    loop {
        match rest.next()? {
            '"' => break,
            '\\' => text.push(rest.next()?),
            c => text.push(c),
        }
    }
    rest.next().is_none().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_split_where_nothing_holds_them() {
        assert_eq!(split("a.eq.1,or(b.eq.2,c.eq.3)"), Some(vec!["a.eq.1", "or(b.eq.2,c.eq.3)"]));
        assert_eq!(split(r#"a.eq."x,\"y",b.in.(1,2)"#), Some(vec![r#"a.eq."x,\"y""#, "b.in.(1,2)"]));
        for open in ["(a", "a)", "\"a", "a,(b"] {
            assert_eq!(split(open), None, "{open}");
        }
    }

    #[test]
    fn quotes_are_taken_away() {
        assert_eq!(unquoted(r#"eq."x,\"y""#).as_deref(), Some("eq.x,\"y"));
        assert_eq!(unquoted("eq.x").as_deref(), Some("eq.x"));
        assert_eq!(unquoted(r#"eq."x"#), None);
        assert_eq!(unquoted(r#"eq."x"y"#), None);
    }
}
