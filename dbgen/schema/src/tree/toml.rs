//! TOML into the tree.

use serde_json::Number;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::lexer::TokenKind;

use crate::diagnostic::{Finding, Report, code};
use crate::limits::{KEY_DOTS_MAX, TREE_DEPTH_MAX};
use crate::source::{At, Span};

use super::{Kind, Member, Node, too_deep, too_large};

/// What the parser says of a duplicate key.
const DUPLICATE_KEY: &str = "duplicate key";

pub(super) fn read(text: &str, report: &mut Report) -> Option<Node> {
    if let Some(span) = long_key(text) {
        let message = format!("a key of more than {} parts", KEY_DOTS_MAX + 1);
        report.push(Finding::error(code::NESTED_TOO_DEEP, &span, message));
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    report_syntax_errors(text, table.get_ref(), &errors, report);
    // What follows a syntax error is guesswork: it would be reported as mistakes that nobody made.
    let intact = errors.is_empty();
    intact.then(|| Node { span: 0..text.len(), kind: Kind::Object(members(table.get_ref(), 0, report)) })
}

/// A key with more parts than any schema needs. Each part nests a table, without bound in the parser and one stack frame
/// each when they are dropped: such a text never reaches it.
fn long_key(text: &str) -> Option<Span> {
    let (mut dots, mut start) = (0, 0);
    for token in toml_parser::Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => dots += 1,
            TokenKind::Atom | TokenKind::Whitespace | TokenKind::BasicString | TokenKind::LiteralString => {}
            _ => (dots, start) = (0, token.span().end()),
        }
        if dots > KEY_DOTS_MAX {
            return Some(start..token.span().end());
        }
    }
    None
}

fn node(value: &Spanned<DeValue<'_>>, depth: usize, report: &mut Report) -> Option<Node> {
    let span = value.span();
    if depth > TREE_DEPTH_MAX {
        too_deep(&span, report);
        return None;
    }
    let kind = match value.get_ref() {
        DeValue::String(text) => Kind::Text(text.to_string()),
        DeValue::Boolean(value) => Kind::Bool(*value),
        DeValue::Integer(integer) => {
            let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok().and_then(Number::from_i128);
            number_kind(number, &span, report)?
        }
        DeValue::Float(float) => match float.as_str().trim_start_matches('+') {
            // JSON has no literal for what is not finite; its mapping writes these as strings.
            "inf" => Kind::Text("Infinity".to_string()),
            "-inf" => Kind::Text("-Infinity".to_string()),
            "nan" | "-nan" => Kind::Text("NaN".to_string()),
            text => number_kind(text.parse().ok(), &span, report)?,
        },
        DeValue::Datetime(date) => Kind::Text(date.to_string()),
        DeValue::Array(elements) => {
            Kind::List(elements.iter().filter_map(|element| node(element, depth + 1, report)).collect())
        }
        DeValue::Table(table) => Kind::Object(members(table, depth, report)),
    };
    Some(Node { span, kind })
}

/// The parser sorts keys; the order of the file is the order of their places.
fn members(table: &DeTable<'_>, depth: usize, report: &mut Report) -> Vec<Member> {
    let mut members: Vec<Member> = table
        .iter()
        .filter_map(|(key, value)| {
            let key = At { value: key.get_ref().to_string(), span: key.span() };
            Some(Member { key, value: node(value, depth + 1, report)? })
        })
        .collect();
    members.sort_by_key(|member| member.key.span.start);
    members
}

fn number_kind(number: Option<Number>, span: &Span, report: &mut Report) -> Option<Kind> {
    if number.is_none() {
        too_large(span, report);
    }
    number.map(Kind::Number)
}

fn report_syntax_errors(text: &str, root: &DeTable<'_>, errors: &[toml::de::Error], report: &mut Report) {
    let (mut repeated, mut line) = (None, None);
    let mut errors: Vec<&toml::de::Error> = errors.iter().collect();
    errors.sort_by_key(|error| error.span().map_or(text.len(), |span| span.start));
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        if error.message() != DUPLICATE_KEY {
            // What follows on the same line is mostly the parser finding its feet again.
            let line_start = text.get(..span.start).and_then(|before| before.rfind('\n'));
            if line != Some(line_start) {
                report.push(syntax_error(text, &span, error.message()));
            }
            line = Some(line_start);
            continue;
        }
        let key = text.get(span.clone()).unwrap_or("").trim_matches(['"', '\'']);
        let finding = super::duplicate_key(key, &span);
        if report.is_long() {
            report.push(finding);
            continue;
        }
        // What is inside a table that is there twice is there twice too.
        let table = text.get(..span.start).and_then(|before| before.rfind("\n["));
        if table.is_some() && table == repeated {
            continue;
        }
        let header = first_header(text, &span);
        repeated = table.filter(|_| header.is_some());
        // The parser tells only the second place.
        report.push(match header.or_else(|| first_key(text, root, key, &span)) {
            Some(first) => finding.related(&first, "first given here"),
            None => finding,
        });
    }
}

/// A syntax error in the parser's words, unless there are better ones for what people write by mistake.
fn syntax_error(text: &str, span: &Span, said: &str) -> Finding {
    let word = text.get(span.clone()).unwrap_or("");
    let is_word = word.starts_with(|c: char| c.is_ascii_alphabetic());
    let help = match word.to_ascii_lowercase().as_str() {
        lower @ ("true" | "false") => format!("write `{lower}`"),
        "null" | "none" | "nil" | "undefined" => "TOML has no null: leave the key out".to_string(),
        _ if is_word && (said.contains("expected literal") || said.starts_with("invalid float")) => {
            format!("strings stand in quotes: `\"{}\"`", crate::source::shown(word))
        }
        _ if text.get(span.start..).is_some_and(|rest| rest.trim_start().starts_with(':')) => {
            let message = "a key and its value stand on either side of `=`";
            return Finding::error(code::SYNTAX_ERROR, span, message).help("write `=` for `:`");
        }
        _ => return Finding::error(code::SYNTAX_ERROR, span, said),
    };
    let message = if is_word { "this is no TOML value" } else { said };
    Finding::error(code::SYNTAX_ERROR, span, message).help(help)
}

/// For a `[header]` that is there twice: the line that is the same.
fn first_header(text: &str, span: &Span) -> Option<Span> {
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let header = text.get(start..)?.lines().next()?.trim();
    if !header.starts_with('[') {
        return None;
    }
    let mut at = 0;
    for line in text.get(..start)?.split_inclusive('\n') {
        if line.trim() == header {
            return Some(at..at + line.trim_end().len());
        }
        at += line.len();
    }
    None
}

/// For a key: the same key in the same table, which is the inline table around it, or the last one with a header before it.
fn first_key(text: &str, root: &DeTable<'_>, key: &str, span: &Span) -> Option<Span> {
    let mut best: Option<((bool, usize), Span)> = None;
    let mut pending: Vec<(Span, &DeTable<'_>)> = vec![(0..0, root)];
    while let Some((place, table)) = pending.pop() {
        let inline = text.get(place.clone()).is_some_and(|text| text.starts_with('{'));
        let around = place.start <= span.start && (!inline || span.end <= place.end);
        let rank = (inline, place.start);
        if let Some((name, _)) = table.get_key_value(key).filter(|(name, _)| around && name.span().end <= span.start)
            && best.as_ref().is_none_or(|(other, _)| *other < rank)
        {
            best = Some((rank, name.span()));
        }
        for value in table.values() {
            match value.get_ref() {
                DeValue::Table(inner) => pending.push((value.span(), inner)),
                DeValue::Array(elements) => {
                    pending.extend(elements.iter().filter_map(|it| Some((it.span(), it.get_ref().as_table()?))));
                }
                _ => {}
            }
        }
    }
    best.map(|(_, place)| place)
}
