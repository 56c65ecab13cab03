//! Strict JSON, RFC 8259, into the tree.

use jsonc_parser::ast::{Object, StringLit, Value};
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::diagnostic::{Finding, Report, code};
use crate::limits::TREE_DEPTH_MAX;
use crate::source::{At, Span, lower_first};

use super::{Kind, Member, Node, refuse_duplicate_keys, too_deep, too_large};

/// Nothing that JSON does not have.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn read(text: &str, report: &mut Report) -> Option<Node> {
    match parse_to_ast(text, &CollectOptions::default(), &STRICT) {
        Ok(parsed) => match parsed.value {
            Some(value) => Reader { text, report }.node(&value, 0),
            None => {
                let empty = Finding::error(code::SYNTAX_ERROR, &(0..text.len()), "the file is empty");
                report.push(empty.help("the smallest schema is `{ \"name\": \"arena\", \"tables\": {} }`"));
                None
            }
        },
        Err(error) => {
            report.push(syntax_error(text, &error));
            None
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    report: &'a mut Report,
}

impl Reader<'_> {
    fn node(&mut self, value: &Value<'_>, depth: usize) -> Option<Node> {
        let range = jsonc_parser::common::Ranged::range(value);
        let span = range.start..range.end;
        if depth > TREE_DEPTH_MAX {
            too_deep(&span, self.report);
            return None;
        }
        let kind = match value {
            Value::NullKeyword(_) => Kind::Null,
            Value::BooleanLit(literal) => Kind::Bool(literal.value),
            Value::NumberLit(literal) => match literal.value.parse() {
                Ok(number) => Kind::Number(number),
                Err(_) => {
                    too_large(&span, self.report);
                    return None;
                }
            },
            Value::StringLit(literal) => Kind::Text(self.string(literal)),
            Value::Array(array) => {
                Kind::List(array.elements.iter().filter_map(|element| self.node(element, depth + 1)).collect())
            }
            Value::Object(object) => Kind::Object(self.members(object, depth)),
        };
        Some(Node { span, kind })
    }

    fn members(&mut self, object: &Object<'_>, depth: usize) -> Vec<Member> {
        let mut members = Vec::with_capacity(object.properties.len());
        for property in &object.properties {
            let range = jsonc_parser::common::Ranged::range(&property.name);
            let key = At { value: property.name.as_str().to_string(), span: range.start..range.end };
            if let Some(value) = self.node(&property.value, depth + 1) {
                members.push(Member { key, value });
            }
        }
        refuse_duplicate_keys(&mut members, self.report);
        members
    }

    /// The parser lets raw control characters pass; JSON does not, and a newline is nearly always a missing quote.
    fn string(&mut self, literal: &StringLit<'_>) -> String {
        let span = literal.range.start..literal.range.end;
        if self.text.get(span.clone()).is_some_and(|raw| raw.bytes().any(|byte| byte < 0x20)) {
            let message = "a string holds a raw control character";
            let help = "write a line break as `\\n` and a tab as `\\t`; or a closing quote is missing";
            self.report.push(Finding::error(code::SYNTAX_ERROR, &span, message).help(help));
        }
        literal.value.to_string()
    }
}

fn syntax_error(text: &str, error: &ParseError) -> Finding {
    let range = error.range();
    let span = range.start..range.end;
    let before = Before::scan(text.get(..span.start).unwrap_or(""));
    if let Some(start) = before.broken_string {
        let end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |newline| start + newline);
        let finding = Finding::error(code::SYNTAX_ERROR, &(start..end), "this string does not end on its line");
        return finding.help("a closing quote is missing; a line break in a string is written `\\n`");
    }
    let finding = |message: &str| Finding::error(code::SYNTAX_ERROR, &span, message);
    match error.kind() {
        ParseErrorKind::CommentsNotAllowed | ParseErrorKind::UnterminatedCommentBlock => {
            Finding::error(code::COMMENT_IN_JSON, &span, "JSON has no comments")
                .help("use a `description`, or write the schema as TOML")
        }
        ParseErrorKind::TrailingCommasNotAllowed => {
            Finding::error(code::TRAILING_COMMA, &span, "JSON has no comma after the last element")
                .help("remove the comma")
        }
        ParseErrorKind::NestingDepthExceeded => {
            Finding::error(code::NESTED_TOO_DEEP, &span, format!("nested more than {TREE_DEPTH_MAX} deep"))
        }
        ParseErrorKind::ExpectedComma if is_leading_zero(text, span.start) => finding("a number has no leading zeros"),
        ParseErrorKind::ExpectedComma => finding("a comma is missing here"),
        ParseErrorKind::UnterminatedObject => finding("this object is never closed").help("add the missing `}`"),
        ParseErrorKind::UnterminatedArray => finding("this list is never closed").help("add the missing `]`"),
        ParseErrorKind::SingleQuotedStringsNotAllowed => finding("JSON strings stand in double quotes"),
        ParseErrorKind::MultipleRootJsonValues => {
            finding("something follows the end of the schema").help("one brace too many?")
        }
        ParseErrorKind::ExpectedStringObjectProperty => finding("expected a key in double quotes"),
        ParseErrorKind::UnexpectedTokenInObject => before.expecting(finding("expected a key in double quotes"), text),
        ParseErrorKind::UnexpectedWord => {
            finding("this is no JSON value").help(word_help(text.get(span.clone()).unwrap_or("")))
        }
        // A word where a value could stand, which the parser has no name for.
        ParseErrorKind::UnexpectedToken if text.get(span.clone()).is_some_and(is_word) => {
            finding("this is no JSON value").help(word_help(text.get(span.clone()).unwrap_or("")))
        }
        other => before.expecting(finding(&lower_first(&other.to_string())), text),
    }
}

fn word_help(word: &str) -> String {
    match word.to_ascii_lowercase().as_str() {
        lower @ ("true" | "false" | "null") => format!("write `{lower}`"),
        "none" | "nil" | "undefined" => "write `null`".to_string(),
        "nan" | "infinity" | "inf" => "floats that are not finite are strings: `\"NaN\"`, `\"-Infinity\"`".to_string(),
        _ => "strings stand in double quotes".to_string(),
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn is_leading_zero(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    before.ends_with('0') && after.starts_with(|c: char| c.is_ascii_digit())
}

/// What is still open in front of a syntax error.
struct Before {
    /// Where the innermost object or list begins.
    open: Option<usize>,
    /// Where a string begins that runs over the end of its line.
    broken_string: Option<usize>,
}

impl Before {
    fn scan(text: &str) -> Before {
        let mut open = Vec::new();
        let mut string: Option<usize> = None;
        let mut escaped = false;
        for (at, byte) in text.bytes().enumerate() {
            match (string, byte) {
                (Some(start), b'\n') => return Before { open: open.last().copied(), broken_string: Some(start) },
                (Some(_), _) if escaped => escaped = false,
                (Some(_), b'\\') => escaped = true,
                (Some(_), b'"') => string = None,
                (None, b'"') => string = Some(at),
                (None, b'{' | b'[') => open.push(at),
                (None, b'}' | b']') => drop(open.pop()),
                _ => {}
            }
        }
        Before { open: open.last().copied(), broken_string: None }
    }

    /// Adds where the object or list begins that could end here.
    fn expecting(&self, finding: Finding, text: &str) -> Finding {
        let Some(open) = self.open else { return finding };
        let close = if text.as_bytes().get(open) == Some(&b'[') { "]" } else { "}" };
        let place: Span = open..open + 1;
        finding.related(&place, format!("this is open, and ends with `{close}`"))
    }
}
