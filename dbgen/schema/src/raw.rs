//! The shape of a schema file: which keys there are and what kind of value each holds, nothing more.
//!
//! Reading is permissive. What is not understood is reported and left out, so that the checks still see the rest and
//! report what is wrong there too. Names stay as written: whether they exist is the business of [`crate::check`].

use crate::diagnostic::{Finding, Report, code};
use crate::language::{self, Section, Shape};
use crate::model::{Durability, IndexKind, OnDelete};
use crate::source::{At, Span, lower_first, shown};
use crate::tree::{Kind, Member, Node};

#[derive(Debug, Default)]
pub(crate) struct RawSchema {
    pub(crate) name: Option<At<String>>,
    pub(crate) version: Option<At<String>>,
    pub(crate) description: Option<String>,
    pub(crate) composites: Vec<RawComposite>,
    pub(crate) enums: Vec<RawEnum>,
    pub(crate) tables: Vec<RawTable>,
    pub(crate) relations: Vec<RawRelation>,
}

#[derive(Debug)]
pub(crate) struct RawComposite {
    pub(crate) name: At<String>,
    pub(crate) description: Option<String>,
    pub(crate) fields: Vec<RawField>,
}

#[derive(Debug)]
pub(crate) struct RawEnum {
    pub(crate) name: At<String>,
    pub(crate) description: Option<String>,
    pub(crate) variants: Vec<RawVariant>,
}

#[derive(Debug)]
pub(crate) struct RawVariant {
    pub(crate) name: At<String>,
    pub(crate) number: Option<At<u32>>,
    pub(crate) payload: Option<At<String>>,
    pub(crate) description: Option<String>,
}

#[derive(Debug)]
pub(crate) struct RawTable {
    pub(crate) name: At<String>,
    pub(crate) id: Option<At<u32>>,
    pub(crate) description: Option<String>,
    pub(crate) fields: Vec<RawField>,
    pub(crate) indexes: Vec<RawIndex>,
    pub(crate) capacity: Option<At<u32>>,
    pub(crate) durability: Option<At<Durability>>,
    pub(crate) parent: Option<At<String>>,
    pub(crate) schedule: Option<RawSchedule>,
    pub(crate) renamed_from: Option<At<String>>,
}

#[derive(Debug)]
pub(crate) struct RawField {
    pub(crate) name: At<String>,
    pub(crate) id: Option<At<u32>>,
    pub(crate) description: Option<String>,
    /// `None`: missing or no string, which is reported already.
    pub(crate) ty: Option<At<String>>,
    pub(crate) nullable: Flag,
    pub(crate) default: Option<Node>,
    pub(crate) min: Option<Node>,
    pub(crate) max: Option<Node>,
    pub(crate) allow_nan: Flag,
    pub(crate) unique: Flag,
    pub(crate) primary_key: Flag,
    pub(crate) indexed: Flag,
    pub(crate) auto_increment: Flag,
    pub(crate) group: Option<At<String>>,
    pub(crate) foreign_key: Option<At<String>>,
    pub(crate) on_delete: Option<At<OnDelete>>,
    pub(crate) renamed_from: Option<At<String>>,
}

#[derive(Debug)]
pub(crate) struct RawIndex {
    pub(crate) name: Option<At<String>>,
    /// `None`: missing or no list, which is reported already.
    pub(crate) fields: Option<Vec<At<String>>>,
    pub(crate) kind: Option<At<IndexKind>>,
    pub(crate) unique: Flag,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct RawRelation {
    pub(crate) name: Option<At<String>>,
    pub(crate) from: At<String>,
    pub(crate) to: At<String>,
    pub(crate) on_delete: Option<At<OnDelete>>,
}

#[derive(Debug)]
pub(crate) struct RawSchedule {
    pub(crate) at: At<String>,
    pub(crate) every: Option<At<String>>,
    pub(crate) procedure: At<String>,
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

impl RawSchema {
    pub(crate) fn read(node: &Node, report: &mut Report) -> RawSchema {
        let Some(mut root) = Object::open(node, &language::ROOT, report) else { return RawSchema::default() };
        let mut raw = RawSchema {
            name: root.text("name"),
            version: root.text("version"),
            description: root.description(),
            composites: root.map("custom_types", read_composite),
            enums: root.map("enums", read_enum),
            tables: root.map("tables", read_table),
            relations: root.many("relations", read_relation),
        };
        if let Some(mut database) = root.one("database") {
            let (name, version) = (database.text("name"), database.text("version"));
            let description = database.description();
            merge(&mut raw.name, name, report);
            merge(&mut raw.version, version, report);
            raw.description = raw.description.or(description);
        }
        if raw.name.is_none() && has_no_name(node) {
            let missing = Finding::error(code::MISSING_KEY, &(0..0), "the schema has no `name`");
            report.push(missing.help("give the database a name: `\"name\": \"arena\"`"));
        }
        raw
    }
}

/// A name of the wrong kind is reported already.
fn has_no_name(root: &Node) -> bool {
    let member = |node: &Node, key: &str| match &node.kind {
        Kind::Object(members) => members.iter().find(|member| member.key.value == key).map(|m| m.value.clone()),
        _ => None,
    };
    member(root, "name").is_none() && member(root, "database").is_none_or(|it| member(&it, "name").is_none())
}

/// What stands both at the top and under `database` must stand in one place only.
fn merge(top: &mut Option<At<String>>, inner: Option<At<String>>, report: &mut Report) {
    match (&top, inner) {
        (Some(top), Some(inner)) => {
            let finding = Finding::error(code::DUPLICATE_KEY, &inner.span, "this is given at the top already");
            report.push(finding.related(&top.span, "first given here"));
        }
        (None, inner) => *top = inner,
        (Some(_), None) => {}
    }
}

fn read_composite(name: &At<String>, node: &Node, report: &mut Report) -> Option<RawComposite> {
    let mut object = Object::open(node, &language::COMPOSITE, report)?;
    Some(RawComposite {
        name: name.clone(),
        description: object.description(),
        fields: object.many("fields", |node, report| read_field(node, &language::COMPOSITE_FIELD, report)),
    })
}

fn read_enum(name: &At<String>, node: &Node, report: &mut Report) -> Option<RawEnum> {
    let mut object = Object::open(node, &language::ENUM, report)?;
    Some(RawEnum {
        name: name.clone(),
        description: object.description(),
        variants: object.many("variants", read_variant),
    })
}

fn read_variant(node: &Node, report: &mut Report) -> Option<RawVariant> {
    if let Kind::Text(name) = &node.kind {
        let name = At { value: name.clone(), span: node.span.clone() };
        return Some(RawVariant { name, number: None, payload: None, description: None });
    }
    let mut object = Object::open(node, &language::VARIANT, report)?;
    Some(RawVariant {
        number: object.count("number"),
        payload: object.text("payload"),
        description: object.description(),
        name: object.text("name")?,
    })
}

fn read_table(name: &At<String>, node: &Node, report: &mut Report) -> Option<RawTable> {
    let mut object = Object::open(node, &language::TABLE, report)?;
    Some(RawTable {
        name: name.clone(),
        id: object.count("id"),
        description: object.description(),
        fields: object.many("fields", |node, report| read_field(node, &language::FIELD, report)),
        indexes: object.many("indexes", read_index),
        capacity: object.count("capacity"),
        durability: object.word("durability", Durability::from_word),
        parent: object.text("parent_table"),
        schedule: object.one("schedule").and_then(|mut schedule| {
            let every = schedule.text("every");
            Some(RawSchedule { at: schedule.text("at")?, every, procedure: schedule.text("procedure")? })
        }),
        renamed_from: object.text("renamed_from"),
    })
}

fn read_field(node: &Node, section: &'static Section, report: &mut Report) -> Option<RawField> {
    let mut object = Object::open(node, section, report)?;
    Some(RawField {
        id: object.count("id"),
        description: object.description(),
        ty: object.text("type"),
        nullable: object.flag("nullable"),
        default: object.value("default"),
        min: object.value("min"),
        max: object.value("max"),
        allow_nan: object.flag("allow_nan"),
        unique: object.flag("unique"),
        primary_key: object.flag("primary_key"),
        indexed: object.flag("indexed"),
        auto_increment: object.flag("auto_increment"),
        group: object.text("group"),
        foreign_key: object.text("foreign_key"),
        on_delete: object.word("on_delete", OnDelete::from_word),
        renamed_from: object.text("renamed_from"),
        name: object.text("name")?,
    })
}

fn read_index(node: &Node, report: &mut Report) -> Option<RawIndex> {
    let mut object = Object::open(node, &language::INDEX, report)?;
    Some(RawIndex {
        name: object.text("name"),
        kind: object.word("kind", IndexKind::from_word),
        unique: object.flag("unique"),
        fields: object.names("fields"),
        span: node.span.clone(),
    })
}

fn read_relation(node: &Node, report: &mut Report) -> Option<RawRelation> {
    let mut object = Object::open(node, &language::RELATION, report)?;
    let name = object.text("name");
    let on_delete = object.word("on_delete", OnDelete::from_word);
    let (from, to) = (object.text("from"), object.text("to"));
    Some(RawRelation { name, on_delete, from: from?, to: to? })
}

/// An object of the file, read by the keys of its section.
struct Object<'n, 'r> {
    members: &'n [Member],
    section: &'static Section,
    report: &'r mut Report,
}

impl<'n, 'r> Object<'n, 'r> {
    /// Reports what is no object, keys that the section does not have, and required ones that are missing.
    fn open(node: &'n Node, section: &'static Section, report: &'r mut Report) -> Option<Object<'n, 'r>> {
        let Kind::Object(members) = &node.kind else {
            report.push(wrong_kind(node, "an object").help(format!("this is where {} is described", section.what)));
            return None;
        };
        let mut meant = Vec::new();
        for member in members.iter().filter(|member| section.key(&member.key.value).is_none()) {
            let key = meant_key(&member.key.value, section, report);
            meant.extend(key);
            report.push(unknown_key(&member.key, section, key));
        }
        // A misspelt key is one mistake, not also a missing one.
        let given = |name: &str| meant.contains(&name) || members.iter().any(|member| member.key.value == name);
        for key in section.keys.iter().filter(|key| key.required && !given(key.name)) {
            let message = format!("{} needs the key `{}`", section.what, key.name);
            let finding = Finding::error(code::MISSING_KEY, &head(node), message);
            let doc = lower_first(key.doc.trim_end_matches('.'));
            report.push(finding.label(format!("no `{}` here", key.name)).help(doc));
        }
        Some(Object { members, section, report })
    }

    fn get(&self, key: &str) -> Option<&'n Node> {
        self.section.key(key)?;
        self.members.iter().find(|member| member.key.value == key).map(|member| &member.value)
    }

    fn text(&mut self, key: &str) -> Option<At<String>> {
        text(self.get(key)?, self.report)
    }

    fn description(&mut self) -> Option<String> {
        self.text("description").map(|at| at.value)
    }

    fn flag(&mut self, key: &str) -> Flag {
        let Some(node) = self.get(key) else { return Flag(None) };
        if let Kind::Bool(value) = node.kind {
            return Flag(Some(At { value, span: node.span.clone() }));
        }
        self.report.push(wrong_kind(node, "true or false"));
        Flag(None)
    }

    fn count(&mut self, key: &str) -> Option<At<u32>> {
        let Shape::Count(min, max) = self.section.key(key)?.shape else { return None };
        let node = self.get(key)?;
        let Kind::Number(number) = &node.kind else {
            self.report.push(wrong_kind(node, "a number"));
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

    fn word<T>(&mut self, key: &str, from_word: impl Fn(&str) -> Option<T>) -> Option<At<T>> {
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

    fn value(&self, key: &str) -> Option<Node> {
        self.get(key).cloned()
    }

    fn names(&mut self, key: &str) -> Option<Vec<At<String>>> {
        list(self.get(key)?, self.report, text)
    }

    fn one(&mut self, key: &str) -> Option<Object<'n, '_>> {
        let Shape::One(section) = self.section.key(key)?.shape else { return None };
        Object::open(self.get(key)?, section, self.report)
    }

    fn many<T>(&mut self, key: &str, read: impl Fn(&Node, &mut Report) -> Option<T>) -> Vec<T> {
        self.get(key).and_then(|node| list(node, self.report, read)).unwrap_or_default()
    }

    fn map<T>(&mut self, key: &str, read: impl Fn(&At<String>, &Node, &mut Report) -> Option<T>) -> Vec<T> {
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
    report.push(wrong_kind(node, "a string"));
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

/// The key that a person meant: nearly the same name, or what other languages call it.
fn meant_key(written: &str, section: &'static Section, report: &Report) -> Option<&'static str> {
    let lower = written.to_ascii_lowercase();
    let by_other_name = section.keys.iter().find(|key| key.also.contains(&lower.as_str())).map(|key| key.name);
    by_other_name.or_else(|| report.nearest(written, section.keys.iter().map(|key| key.name)))
}

fn unknown_key(key: &At<String>, section: &'static Section, meant: Option<&str>) -> Finding {
    let name = shown(&key.value);
    let finding = Finding::error(code::UNKNOWN_KEY, &key.span, format!("{} has no key `{name}`", section.what));
    if std::ptr::eq(section, &language::COMPOSITE_FIELD) && language::FIELD.key(&key.value).is_some() {
        return finding.help(format!("only fields of tables take `{name}`"));
    }
    finding.help(match meant {
        Some("nullable") if matches!(&*name, "required" | "not_null") => {
            "a field is never null unless it says `\"nullable\": true`".to_string()
        }
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it takes {}", section.keys.iter().map(|key| key.name).collect::<Vec<&str>>().join(", ")),
    })
}
