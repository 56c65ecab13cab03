//! Objects of a file, read by the table of their keys.

use crate::diagnostic::{Finding, Report, code};
use crate::language::{self, Section, Shape};
use crate::source::{At, Span, lower_first, shown};
use crate::tree::{Kind, Member, Node};

/// An object of the file, read by the keys of its section.
pub(crate) struct Object<'n, 'r> {
    members: &'n [Member],
    /// Keys that are misspelt, and which members they stand at: their values are read all the same, so that what is wrong
    /// in them is reported too.
    meant: Vec<(&'static str, &'n Member)>,
    section: &'static Section,
    report: &'r mut Report,
}

impl<'n, 'r> Object<'n, 'r> {
    /// Reports what is no object, keys that the section does not have, and required ones that are missing.
    pub(crate) fn open(node: &'n Node, section: &'static Section, report: &'r mut Report) -> Option<Object<'n, 'r>> {
        let Kind::Object(members) = &node.kind else {
            report.push(wrong_kind(node, "an object").help(section.as_object()));
            return None;
        };
        let mut meant: Vec<(&'static str, &Member)> = Vec::new();
        for member in members.iter().filter(|member| section.key(&member.key.value).is_none()) {
            let key = meant_key(&member.key.value, section, report);
            meant.extend(key.map(|key| (key, member)));
            report.push(unknown_key(member, section, key));
        }
        // A misspelt key is one mistake, not also a missing one.
        let is_meant = |name: &str| meant.iter().any(|(key, _)| *key == name);
        let given = |name: &str| is_meant(name) || members.iter().any(|member| member.key.value == name);
        for key in section.keys.iter().filter(|key| key.required && !given(key.name)) {
            let message = format!("{} needs the key `{}`", section.what, key.name);
            let finding = Finding::error(code::MISSING_KEY, &head(node), message);
            let doc = lower_first(key.doc.trim_end_matches('.'));
            report.push(finding.label(format!("no `{}` here", key.name)).help(doc));
        }
        Some(Object { members, meant, section, report })
    }

    fn get(&self, key: &str) -> Option<&'n Node> {
        let shape = &self.section.key(key)?.shape;
        let written = self.members.iter().find(|member| member.key.value == key);
        let meant = || self.meant.iter().find(|(name, member)| *name == key && is_plainly(shape, &member.value));
        written.or_else(|| meant().map(|(_, member)| *member)).map(|member| &member.value)
    }

    /// Whether the key holds an empty list.
    pub(crate) fn is_empty_list(&self, key: &str) -> bool {
        self.get(key).is_some_and(|node| matches!(&node.kind, Kind::List(nodes) if nodes.is_empty()))
    }

    pub(crate) fn text(&mut self, key: &str) -> Option<At<String>> {
        text(self.get(key)?, self.report)
    }

    pub(crate) fn description(&mut self) -> Option<String> {
        self.text("description").map(|at| at.value)
    }

    pub(crate) fn flag(&mut self, key: &str) -> Flag {
        let Some(node) = self.get(key) else { return Flag(None) };
        if let Kind::Bool(value) = node.kind {
            return Flag(Some(At { value, span: node.span.clone() }));
        }
        let without_quotes = matches!(&node.kind, Kind::Text(text) if text.parse::<bool>().is_ok());
        let help = without_quotes.then_some("leave the quotes out");
        self.report.push(wrong_kind(node, "true or false").help_if(help));
        Flag(None)
    }

    pub(crate) fn count(&mut self, key: &str) -> Option<At<u32>> {
        let Shape::Count(min, max) = self.section.key(key)?.shape else { return None };
        let node = self.get(key)?;
        let Kind::Number(number) = &node.kind else {
            let without_quotes = matches!(&node.kind, Kind::Text(text) if text.parse::<u32>().is_ok());
            let help = without_quotes.then_some("leave the quotes out");
            self.report.push(wrong_kind(node, "a number").help_if(help));
            return None;
        };
        match number.as_u64().and_then(|value| u32::try_from(value).ok()) {
            Some(value) if (min..=max).contains(&value) => Some(At { value, span: node.span.clone() }),
            _ => {
                let message = format!("`{key}` is a whole number from {min} to {max}, not {number}");
                self.report.push(Finding::error(code::NUMBER_OUT_OF_RANGE, &node.span, message));
                None
            }
        }
    }

    pub(crate) fn word<T>(&mut self, key: &str, from_word: impl Fn(&str) -> Option<T>) -> Option<At<T>> {
        let Shape::Word(words) = self.section.key(key)?.shape else { return None };
        let written = self.text(key)?;
        let value = from_word(&written.value);
        if value.is_none() {
            let help = self.report.did_you_mean(&written.value, words.iter().copied());
            let message = format!("`{}` is no value of `{key}`", shown(&written.value));
            let finding = Finding::error(code::UNKNOWN_WORD, &written.span, message);
            let finding = finding.label(format!("expected one of {}", words.join(", ")));
            self.report.push(finding.help_if(help));
        }
        Some(At { value: value?, span: written.span })
    }

    pub(crate) fn value(&self, key: &str) -> Option<Node> {
        self.get(key).cloned()
    }

    pub(crate) fn names(&mut self, key: &str) -> Option<Vec<At<String>>> {
        list(self.get(key)?, self.report, text)
    }

    pub(crate) fn one(&mut self, key: &str) -> Option<Object<'n, '_>> {
        let Shape::One(section) = self.section.key(key)?.shape else { return None };
        Object::open(self.get(key)?, section, self.report)
    }

    pub(crate) fn many<T>(&mut self, key: &str, read: impl Fn(&Node, &mut Report) -> Option<T>) -> Vec<T> {
        let Some(node) = self.get(key) else { return Vec::new() };
        if let (Kind::Object(_), Some(Shape::Many(section) | Shape::NamesOrMany(section))) =
            (&node.kind, self.section.key(key).map(|key| &key.shape))
        {
            self.report.push(wrong_kind(node, "a list").help(section.as_list()));
            return Vec::new();
        }
        list(node, self.report, read).unwrap_or_default()
    }

    pub(crate) fn map<T>(&mut self, key: &str, read: impl Fn(&At<String>, &Node, &mut Report) -> Option<T>) -> Vec<T> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Kind::Object(members) = &node.kind else {
            let help = format!("`{key}` holds each one under its name: `\"{key}\": {{ \"name\": {{ ... }} }}`");
            self.report.push(wrong_kind(node, "an object").help(help));
            return Vec::new();
        };
        members.iter().filter_map(|member| read(&member.key, &member.value, self.report)).collect()
    }
}

/// `None`: no list, and reported.
fn list<T>(node: &Node, report: &mut Report, read: impl Fn(&Node, &mut Report) -> Option<T>) -> Option<Vec<T>> {
    let Kind::List(nodes) = &node.kind else {
        report.push(wrong_kind(node, "a list").help("write it in brackets: `[ ... ]`"));
        return None;
    };
    Some(nodes.iter().filter_map(|node| read(node, report)).collect())
}

fn text(node: &Node, report: &mut Report) -> Option<At<String>> {
    if let Kind::Text(text) = &node.kind {
        return Some(At { value: text.clone(), span: node.span.clone() });
    }
    let in_quotes = match &node.kind {
        Kind::Number(number) => Some(format!("write it in quotes: `\"{number}\"`")),
        _ => None,
    };
    report.push(wrong_kind(node, "a string").help_if(in_quotes));
    None
}

fn wrong_kind(node: &Node, expected: &str) -> Finding {
    let message = format!("expected {expected}, found {}", node.describe());
    Finding::error(code::WRONG_KIND, &head(node), message).label(format!("not {expected}"))
}

/// Where to point for something about a whole value: an object's opening brace, or the value if it is small.
fn head(node: &Node) -> Span {
    match node.kind {
        Kind::Object(_) | Kind::List(_) => node.span.start..(node.span.start + 1).min(node.span.end),
        _ => node.span.clone(),
    }
}

/// Whether a value is of a key's kind, so that reading it under a misspelt key reports no mistakes that are none.
fn is_plainly(shape: &Shape, node: &Node) -> bool {
    match shape {
        Shape::Text | Shape::Name | Shape::Type | Shape::Path | Shape::Word(_) => matches!(node.kind, Kind::Text(_)),
        Shape::Names | Shape::Many(_) | Shape::NamesOrMany(_) => matches!(node.kind, Kind::List(_)),
        Shape::One(_) | Shape::Map(_) => matches!(node.kind, Kind::Object(_)),
        // What these say may be the opposite of what the key says, or not be for the key at all.
        Shape::Flag | Shape::Count(..) | Shape::Value => false,
    }
}

/// The key that a person meant: nearly the same name, or what other languages call it.
fn meant_key(written: &str, section: &'static Section, report: &Report) -> Option<&'static str> {
    let lower = written.trim_start_matches('@').to_ascii_lowercase();
    if section.instead_of(&lower).is_some() {
        return None;
    }
    let by_other_name = section.keys.iter().find(|key| key.also.contains(&lower.as_str())).map(|key| key.name);
    by_other_name.or_else(|| report.nearest(written, section.keys.iter().map(|key| key.name)))
}

fn unknown_key(member: &Member, section: &'static Section, meant: Option<&str>) -> Finding {
    let key = &member.key;
    let name = shown(&key.value);
    let finding = Finding::error(code::UNKNOWN_KEY, &key.span, format!("{} has no key `{name}`", section.what));
    if std::ptr::eq(section, &language::COMPOSITE_FIELD) && language::FIELD.key(&key.value).is_some() {
        return finding.help(format!("only fields of tables take `{name}`"));
    }
    if let Some(instead) = section.instead_of(&name.to_ascii_lowercase()) {
        return finding.help(instead);
    }
    finding.help(match meant {
        Some("nullable") if matches!(&*name, "required" | "not_null") => {
            "a field is never null unless it says `\"nullable\": true`".to_string()
        }
        Some(meant) => format!("did you mean `{meant}`?"),
        None if std::ptr::eq(section, &language::TABLE) && matches!(member.value.kind, Kind::Text(_)) => {
            format!("fields stand in a list: `\"fields\": [{{ \"name\": \"{name}\", \"type\": ... }}]`")
        }
        None => format!("it takes {}", section.keys.iter().map(|key| key.name).collect::<Vec<&str>>().join(", ")),
    })
}

/// A truth value of the file; where it is set, for whoever has to complain about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flag(Option<At<bool>>);

impl Flag {
    pub(crate) fn is_set(&self) -> bool {
        self.0.as_ref().is_some_and(|at| at.value)
    }

    /// Where it is set to true.
    pub(crate) fn span(&self) -> Option<&Span> {
        self.0.as_ref().filter(|at| at.value).map(|at| &at.span)
    }
}
