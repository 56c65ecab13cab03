//! One tree for both languages: values as written, each with its place.
//!
//! JSON and TOML become the same [`Node`]s, so that everything after reading exists once. TOML's dates become strings in
//! RFC 3339, its `inf` and `nan` become the strings that JSON writes for them.

mod json;
#[cfg(feature = "toml")]
mod toml;

use crate::diagnostic::{Finding, Report, code};
use crate::limits::{SOURCE_BYTES_MAX, TREE_DEPTH_MAX};
use crate::source::{At, Format, Source, Span};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file; no key twice.
    Object(Vec<Member>),
}

/// A key of an object with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: At<String>,
    pub(crate) value: Node,
}

impl Node {
    /// Reads a source. `None`: not even a tree, and the report says why. Duplicate keys are reported, the first one stays.
    pub(crate) fn read(source: &Source, report: &mut Report) -> Option<Node> {
        if source.text.len() > SOURCE_BYTES_MAX {
            let message = format!("the file is larger than {} MiB", SOURCE_BYTES_MAX >> 20);
            report.push(Finding::error(code::FILE_TOO_LARGE, &(0..0), message));
            return None;
        }
        match source.format {
            Format::Json => json::read(&source.text, report),
            #[cfg(feature = "toml")]
            Format::Toml => toml::read(&source.text, report),
            #[cfg(not(feature = "toml"))]
            Format::Toml => {
                let finding = Finding::error(code::UNKNOWN_FORMAT, &(0..0), "this program reads schemas in JSON only");
                report.push(finding.help("the feature `toml` of `dbgen-schema` was left out of it"));
                None
            }
        }
    }

    /// What it is, in words: `a string`.
    pub(crate) fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a truth value",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a string",
            Kind::List(_) => "a list",
            Kind::Object(_) => "an object",
        }
    }

    /// The value without places.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(nodes) => nodes.iter().map(Node::to_json).collect(),
            Kind::Object(members) => {
                members.iter().map(|member| (member.key.value.clone(), member.value.to_json())).collect()
            }
        }
    }

    /// Where the value stands that a JSON pointer leads to, or the last one on the way to it; of a member the whole of
    /// `"key": value` begins with the key, which is what `of_key` asks for.
    pub(crate) fn span_at(&self, pointer: &str, of_key: bool) -> Span {
        let mut span = &self.span;
        let mut node = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &node.kind {
                Kind::List(nodes) => {
                    step.parse().ok().and_then(|at: usize| nodes.get(at)).map(|node| (node, &node.span))
                }
                Kind::Object(members) => members
                    .iter()
                    .find(|member| member.key.value == step)
                    .map(|m| (&m.value, if of_key { &m.key.span } else { &m.value.span })),
                _ => None,
            };
            match next {
                Some((next, place)) => (node, span) = (next, place),
                None => break,
            }
        }
        span.clone()
    }

    /// The JSON pointer to the innermost value, or key, that holds the span.
    pub(crate) fn pointer_to(&self, span: &Span) -> String {
        let mut pointer = String::new();
        let mut node = self;
        loop {
            let step = match &node.kind {
                Kind::List(nodes) => {
                    nodes.iter().enumerate().find(|(_, node)| node.holds(span)).map(|(at, node)| (at.to_string(), node))
                }
                Kind::Object(members) => members
                    .iter()
                    .find(|member| holds(&member.key.span, span) || member.value.holds(span))
                    .map(|member| (member.key.value.replace('~', "~0").replace('/', "~1"), &member.value)),
                _ => None,
            };
            let Some((name, next)) = step else { return pointer };
            pointer.push('/');
            pointer.push_str(&name);
            node = next;
        }
    }

    /// Whether the span lies in this value. A TOML table may be scattered over the file, so its members are asked too.
    fn holds(&self, span: &Span) -> bool {
        holds(&self.span, span)
            || match &self.kind {
                Kind::Object(members) => {
                    members.iter().any(|member| holds(&member.key.span, span) || member.value.holds(span))
                }
                Kind::List(nodes) => nodes.iter().any(|node| node.holds(span)),
                _ => false,
            }
    }
}

fn holds(outer: &Span, inner: &Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end && !outer.is_empty()
}

/// Reports a value that is nested deeper than any schema is.
fn too_deep(span: &Span, report: &mut Report) {
    let message = format!("nested more than {TREE_DEPTH_MAX} deep");
    report.push(Finding::error(code::NESTED_TOO_DEEP, span, message));
}

/// Drops every key that was there before, and reports it with both places.
fn refuse_duplicate_keys(members: &mut Vec<Member>, report: &mut Report) {
    let mut seen = std::collections::HashMap::<String, Span>::with_capacity(members.len());
    members.retain(|member| match seen.get(&member.key.value) {
        Some(first) => {
            report.push(duplicate_key(&member.key.value, &member.key.span).related(first, "first given here"));
            false
        }
        None => {
            seen.insert(member.key.value.clone(), member.key.span.clone());
            true
        }
    });
}

/// A number that no type of the language can hold.
fn too_large(span: &Span, report: &mut Report) {
    report.push(Finding::error(code::NUMBER_OUT_OF_RANGE, span, "this number is too large for any type"));
}

fn duplicate_key(key: &str, span: &Span) -> Finding {
    let key = crate::source::shown(key);
    Finding::error(code::DUPLICATE_KEY, span, format!("the key `{key}` is given twice")).label("given again")
}
