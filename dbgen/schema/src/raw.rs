//! The shape of a schema file: which keys there are and what kind of value each holds, nothing more.
//!
//! Reading is permissive. What is not understood is reported and left out, so that the checks still see the rest and
//! report what is wrong there too. Names stay as written: whether they exist is the business of [`crate::check`].

use crate::diagnostic::{Finding, Report, code};
use crate::language::{self, Section};
use crate::model::{Durability, IndexKind, OnDelete};
use crate::object::{Flag, Object};
use crate::source::{At, Span};
use crate::tree::{Kind, Node};

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
    /// Whether it says so; that nothing was read from a list is reported already.
    pub(crate) is_empty: bool,
}

#[derive(Debug)]
pub(crate) struct RawEnum {
    pub(crate) name: At<String>,
    pub(crate) description: Option<String>,
    pub(crate) variants: Vec<RawVariant>,
    /// Whether it says so; that nothing was read from a list is reported already.
    pub(crate) is_empty: bool,
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
    pub(crate) require_if_match: Flag,
    pub(crate) parent: Option<At<String>>,
    pub(crate) schedule: Option<RawSchedule>,
    pub(crate) renamed_from: Option<At<String>>,
}

#[derive(Debug)]
pub(crate) struct RawField {
    pub(crate) name: At<String>,
    /// Whether every key of it was understood. Where one was not, what is missing may be what it was meant to say.
    pub(crate) is_whole: bool,
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
    let Some(mut object) = Object::open(node, &language::COMPOSITE, report) else {
        return Some(RawComposite { name: name.clone(), description: None, fields: Vec::new(), is_empty: false });
    };
    Some(RawComposite {
        name: name.clone(),
        is_empty: object.is_empty_list("fields"),
        description: object.description(),
        fields: object.many("fields", |node, report| read_field(node, &language::COMPOSITE_FIELD, report)),
    })
}

fn read_enum(name: &At<String>, node: &Node, report: &mut Report) -> Option<RawEnum> {
    // One that is not understood is there all the same: that fields are of it is no mistake.
    let Some(mut object) = Object::open(node, &language::ENUM, report) else {
        return Some(RawEnum { name: name.clone(), description: None, variants: Vec::new(), is_empty: false });
    };
    Some(RawEnum {
        name: name.clone(),
        is_empty: object.is_empty_list("variants"),
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
        require_if_match: object.flag("require_if_match"),
        parent: object.text("parent_table"),
        schedule: object.one("schedule").and_then(|mut schedule| {
            let every = schedule.text("every");
            Some(RawSchedule { at: schedule.text("at")?, every, procedure: schedule.text("procedure")? })
        }),
        renamed_from: object.text("renamed_from"),
    })
}

fn read_field(node: &Node, section: &'static Section, report: &mut Report) -> Option<RawField> {
    let before = report.errors();
    let field = read_keys_of_field(node, section, report)?;
    Some(RawField { is_whole: report.errors() == before, ..field })
}

fn read_keys_of_field(node: &Node, section: &'static Section, report: &mut Report) -> Option<RawField> {
    let mut object = Object::open(node, section, report)?;
    Some(RawField {
        is_whole: true,
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
