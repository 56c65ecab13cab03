//! A document with an order: what will be JSON or TOML, before it is text.
//!
//! `serde_json`'s maps keep the order of their keys or not by a feature that any crate of a build may turn on; a canonical
//! text must not depend on that.

use std::fmt::Write;

/// Columns that an object or list may fill on one line.
const LINE_COLUMNS_MAX: usize = 118;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Doc {
    /// A number or a word, as it is written in JSON and in TOML.
    Plain(String),
    Text(String),
    List(Vec<Doc>),
    Object(Vec<(String, Doc)>),
}

impl From<&str> for Doc {
    fn from(text: &str) -> Doc {
        Doc::Text(text.to_string())
    }
}

impl From<&String> for Doc {
    fn from(text: &String) -> Doc {
        Doc::Text(text.clone())
    }
}

macro_rules! plain {
    ($($t:ty)*) => {$(
        impl From<$t> for Doc {
            fn from(value: $t) -> Doc { Doc::Plain(value.to_string()) }
        }
    )*};
}
plain!(bool u16 u32 u64 usize);

impl Doc {
    /// Keys in the order of the map, so with `serde_json`'s default: sorted.
    pub(crate) fn from_json(json: &serde_json::Value) -> Doc {
        use serde_json::Value;
        match json {
            Value::String(text) => Doc::Text(text.clone()),
            Value::Array(items) => Doc::List(items.iter().map(Doc::from_json).collect()),
            Value::Object(map) => {
                let mut members: Vec<_> = map.iter().map(|(key, value)| (key.clone(), Doc::from_json(value))).collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                Doc::Object(members)
            }
            other => Doc::Plain(other.to_string()),
        }
    }

    /// JSON for people: what is short and simple stands on one line.
    pub(crate) fn to_json_pretty(&self) -> String {
        let mut text = String::new();
        self.pretty(&mut text, 0, 0);
        text.push('\n');
        text
    }

    /// JSON without white space.
    pub(crate) fn to_json_compact(&self) -> String {
        let mut text = String::new();
        self.inline(&mut text, &COMPACT);
        text
    }

    /// One line of text, in the style given.
    pub(super) fn to_line(&self, style: &Style) -> String {
        let mut text = String::new();
        self.inline(&mut text, style);
        text
    }

    fn pretty(&self, text: &mut String, indent: usize, columns_before: usize) {
        // The outermost objects hold each thing under its name: one line each, whatever else.
        let outermost = indent <= 1 && matches!(self, Doc::Object(_)) && !self.is_empty();
        if !outermost && self.is_simple() {
            let start = text.len();
            self.inline(text, &SPACED);
            if columns_before + text.len() - start <= LINE_COLUMNS_MAX {
                return;
            }
            text.truncate(start);
        }
        match self {
            Doc::Plain(_) | Doc::Text(_) => self.inline(text, &SPACED),
            Doc::List(items) => {
                text.push('[');
                for (at, item) in items.iter().enumerate() {
                    start_line(text, at, indent + 1);
                    item.pretty(text, indent + 1, 2 * (indent + 1) + 1);
                }
                end_lines(text, indent, ']');
            }
            Doc::Object(members) => {
                text.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    start_line(text, at, indent + 1);
                    let start = text.len();
                    push_quoted(text, key);
                    text.push_str(": ");
                    let columns = text.len() - start;
                    value.pretty(text, indent + 1, 2 * (indent + 1) + columns + 1);
                }
                end_lines(text, indent, '}');
            }
        }
    }

    /// Whether it has but one branch: what has more is easier read on several lines.
    fn is_simple(&self) -> bool {
        let mut branches = self.children().filter(|child| matches!(child, Doc::List(_) | Doc::Object(_)));
        branches.next().is_none_or(Doc::is_simple) && branches.next().is_none()
    }

    fn is_empty(&self) -> bool {
        self.children().next().is_none()
    }

    fn children(&self) -> Box<dyn Iterator<Item = &Doc> + '_> {
        match self {
            Doc::Plain(_) | Doc::Text(_) => Box::new(std::iter::empty()),
            Doc::List(items) => Box::new(items.iter()),
            Doc::Object(members) => Box::new(members.iter().map(|(_, value)| value)),
        }
    }

    fn inline(&self, text: &mut String, style: &Style) {
        match self {
            Doc::Plain(plain) => text.push_str(plain),
            Doc::Text(content) => push_quoted(text, content),
            Doc::List(items) => {
                text.push('[');
                for (at, item) in items.iter().enumerate() {
                    text.push_str(if at > 0 { style.comma } else { "" });
                    item.inline(text, style);
                }
                text.push(']');
            }
            Doc::Object(members) => {
                text.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    text.push_str(if at > 0 { style.comma } else { style.pad });
                    if style.quoted_keys {
                        push_quoted(text, key);
                    } else {
                        text.push_str(key);
                    }
                    text.push_str(style.colon);
                    value.inline(text, style);
                }
                text.push_str(if members.is_empty() { "" } else { style.pad });
                text.push('}');
            }
        }
    }
}

/// How one line is written.
pub(super) struct Style {
    pub(super) comma: &'static str,
    pub(super) colon: &'static str,
    /// Inside the braces of an object.
    pub(super) pad: &'static str,
    pub(super) quoted_keys: bool,
}

const COMPACT: Style = Style { comma: ",", colon: ":", pad: "", quoted_keys: true };
const SPACED: Style = Style { comma: ", ", colon: ": ", pad: " ", quoted_keys: true };

fn start_line(text: &mut String, at: usize, indent: usize) {
    text.push_str(if at > 0 { ",\n" } else { "\n" });
    text.extend(std::iter::repeat_n("  ", indent));
}

fn end_lines(text: &mut String, indent: usize, close: char) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", indent));
    text.push(close);
}

/// A string that JSON and TOML both read.
pub(super) fn quoted(content: &str) -> String {
    let mut text = String::with_capacity(content.len() + 2);
    push_quoted(&mut text, content);
    text
}

fn push_quoted(text: &mut String, content: &str) {
    text.push('"');
    for c in content.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c if c.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}
