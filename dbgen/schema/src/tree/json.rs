//! Strict JSON, RFC 8259, into the tree.

use jsonc_parser::ast::{Object, StringLit, Value};
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::diagnostic::{Finding, Report, code};
use crate::limits::TREE_DEPTH_MAX;
use crate::source::At;

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
            report.push(syntax_error(&error));
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

fn syntax_error(error: &ParseError) -> Finding {
    let range = error.range();
    let span = range.start..range.end;
    let (code, message, help) = match error.kind() {
        ParseErrorKind::CommentsNotAllowed | ParseErrorKind::UnterminatedCommentBlock => (
            code::COMMENT_IN_JSON,
            "JSON has no comments".to_string(),
            Some("use a `description`, or write the schema as TOML"),
        ),
        ParseErrorKind::TrailingCommasNotAllowed => {
            (code::TRAILING_COMMA, "JSON has no comma after the last element".to_string(), Some("remove the comma"))
        }
        ParseErrorKind::NestingDepthExceeded => {
            (code::NESTED_TOO_DEEP, format!("nested more than {TREE_DEPTH_MAX} deep"), None)
        }
        ParseErrorKind::ExpectedComma => (code::SYNTAX_ERROR, "a comma is missing here".to_string(), None),
        ParseErrorKind::UnterminatedObject => {
            (code::SYNTAX_ERROR, "this object is never closed".to_string(), Some("add the missing `}`"))
        }
        ParseErrorKind::UnterminatedArray => {
            (code::SYNTAX_ERROR, "this list is never closed".to_string(), Some("add the missing `]`"))
        }
        ParseErrorKind::SingleQuotedStringsNotAllowed => {
            (code::SYNTAX_ERROR, "JSON strings stand in double quotes".to_string(), Some("write \"...\""))
        }
        ParseErrorKind::MultipleRootJsonValues => {
            (code::SYNTAX_ERROR, "something follows the end of the schema".to_string(), Some("one brace too many?"))
        }
        ParseErrorKind::ExpectedStringObjectProperty | ParseErrorKind::UnexpectedTokenInObject => {
            (code::SYNTAX_ERROR, "expected a key in double quotes".to_string(), None)
        }
        other => (code::SYNTAX_ERROR, lower_first(&other.to_string()), None),
    };
    Finding::error(code, &span, message).help_if(help)
}

fn lower_first(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
