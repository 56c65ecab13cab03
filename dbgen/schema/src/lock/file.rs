//! The text of a lock file.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::{Diagnostics, Finding, Report, code};
use crate::language::{Section, Shape, key, required};
use crate::object::Object;
use crate::parse::unreadable;
use crate::source::{At, Format, Source};
use crate::tree::{Kind, Member, Node};
use crate::write::Doc;

use super::{Ids, Lock, LockedComposite, LockedEnum, LockedTable};

/// The version of the format that is written, and the only one that is read.
const VERSION: u32 = 1;

static LOCK: Section = Section {
    what: "a lock file",
    keys: &[
        required("lock", Shape::Count(0, u32::MAX), "The version of the format."),
        required("fingerprint", Shape::Text, "The fingerprint of the schema, 16 hexadecimal digits."),
        key("tables", Shape::Map(&TABLE), "The tables."),
        key("retired_tables", Shape::Value, "Ids of tables that are gone, with their last names."),
        key("types", Shape::Map(&COMPOSITE), "The composites."),
        key("enums", Shape::Map(&ENUM), "The enums."),
    ],
};

static TABLE: Section = Section {
    what: "a table of a lock file",
    keys: &[
        required("id", Shape::Count(1, u32::MAX), "Its id."),
        required("fields", Shape::Value, "The ids of its fields."),
        key("retired", Shape::Value, "Ids of fields that are gone, with their last names."),
    ],
};

static COMPOSITE: Section = Section {
    what: "a composite of a lock file",
    keys: &[
        required("fields", Shape::Value, "The ids of its fields."),
        key("retired", Shape::Value, "Ids of fields that are gone, with their last names."),
    ],
};

static ENUM: Section = Section {
    what: "an enum of a lock file",
    keys: &[
        required("variants", Shape::Value, "The numbers of its variants."),
        key("retired", Shape::Value, "Numbers of variants that are gone, with their last names."),
    ],
};

pub(super) fn read_file(path: &Path) -> Result<Lock, Diagnostics> {
    match Source::read(path) {
        Ok(source) => parse(&source.name, &source.text),
        Err(error) => Err(unreadable(path, error)),
    }
}

pub(super) fn parse(name: &str, text: &str) -> Result<Lock, Diagnostics> {
    let source = Source { name: name.to_string(), text: text.to_string(), format: Format::Json };
    let mut report = Report::default();
    let tree = Node::read(&source, &mut report);
    let lock = tree.as_ref().and_then(|tree| read(tree, &mut report));
    match lock {
        Some(lock) if report.errors() == 0 => Ok(lock),
        _ => Err(report.finish(&source, tree.as_ref())),
    }
}

fn read(tree: &Node, report: &mut Report) -> Option<Lock> {
    let mut root = Object::open(tree, &LOCK, report)?;
    let version = root.count("lock")?;
    if version.value != VERSION {
        let message = format!("a lock file of version {}", version.value);
        let finding = Finding::error(code::LOCK_VERSION, &version.span, message);
        report.push(finding.label(format!("this dbgen knows version {VERSION}")).help("update dbgen"));
        return None;
    }
    let fingerprint = root.text("fingerprint");
    let retired_tables = root.value("retired_tables");
    let mut tables = root.map("tables", read_table);
    let composites = root.map("types", read_composite);
    let enums = root.map("enums", read_enum);
    let retired_tables = retired(retired_tables.as_ref(), report);
    refuse_repeated(tables.iter().map(|(id, _)| id), report);
    tables.sort_by_key(|(id, _)| id.value);
    let tables = tables.into_iter().map(|(_, table)| table).collect();
    Some(Lock { fingerprint: read_fingerprint(&fingerprint?, report)?, tables, retired_tables, composites, enums })
}

fn read_fingerprint(text: &At<String>, report: &mut Report) -> Option<u64> {
    let fingerprint = u64::from_str_radix(&text.value, 16).ok().filter(|_| text.value.len() == 16);
    if fingerprint.is_none() {
        report.push(Finding::error(code::LOCK_ENTRY, &text.span, "a fingerprint has 16 hexadecimal digits"));
    }
    fingerprint
}

fn read_table(name: &At<String>, node: &Node, report: &mut Report) -> Option<(At<u32>, LockedTable)> {
    let mut object = Object::open(node, &TABLE, report)?;
    let id = object.count("id");
    let (fields, gone) = (object.value("fields"), object.value("retired"));
    let fields = Ids { present: numbers(fields.as_ref(), report), retired: retired(gone.as_ref(), report) };
    let id = id?;
    let table = LockedTable { name: name.value.clone(), id: id.value, fields };
    Some((id, table))
}

fn read_composite(name: &At<String>, node: &Node, report: &mut Report) -> Option<LockedComposite> {
    let object = Object::open(node, &COMPOSITE, report)?;
    let (fields, gone) = (object.value("fields"), object.value("retired"));
    let fields = Ids { present: numbers(fields.as_ref(), report), retired: retired(gone.as_ref(), report) };
    Some(LockedComposite { name: name.value.clone(), fields })
}

fn read_enum(name: &At<String>, node: &Node, report: &mut Report) -> Option<LockedEnum> {
    let object = Object::open(node, &ENUM, report)?;
    let (variants, gone) = (object.value("variants"), object.value("retired"));
    let variants = Ids { present: numbers(variants.as_ref(), report), retired: retired(gone.as_ref(), report) };
    Some(LockedEnum { name: name.value.clone(), variants })
}

/// `{ "name": 1, "hp": 2 }`, by number.
fn numbers(node: Option<&Node>, report: &mut Report) -> Vec<(String, u32)> {
    let mut found: Vec<(At<u32>, String)> = Vec::new();
    for member in members(node, report) {
        let number = match &member.value.kind {
            Kind::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
            _ => None,
        };
        let span = member.value.span.clone();
        match number {
            Some(value) => found.push((At { value, span }, member.key.value.clone())),
            None => report.push(Finding::error(code::LOCK_ENTRY, &span, "an id is a whole number of 32 bits")),
        }
    }
    refuse_repeated(found.iter().map(|(id, _)| id), report);
    found.sort_by_key(|(id, _)| id.value);
    found.into_iter().map(|(id, name)| (name, id.value)).collect()
}

/// `{ "3": "mana" }`.
fn retired(node: Option<&Node>, report: &mut Report) -> BTreeMap<u32, String> {
    let mut retired = BTreeMap::new();
    for member in members(node, report) {
        match (member.key.value.parse(), &member.value.kind) {
            (Ok(id), Kind::Text(name)) => drop(retired.insert(id, name.clone())),
            _ => {
                let message = "what is gone stands under its id: `\"3\": \"mana\"`";
                report.push(Finding::error(code::LOCK_ENTRY, &member.key.span, message));
            }
        }
    }
    retired
}

fn members<'n>(node: Option<&'n Node>, report: &mut Report) -> &'n [Member] {
    match node.map(|node| &node.kind) {
        Some(Kind::Object(members)) => members,
        Some(_) => {
            let span = node.map_or(0..0, |node| node.span.clone());
            report.push(Finding::error(code::WRONG_KIND, &span, "expected an object"));
            &[]
        }
        None => &[],
    }
}

fn refuse_repeated<'a>(ids: impl Iterator<Item = &'a At<u32>>, report: &mut Report) {
    let mut seen = BTreeMap::new();
    for id in ids {
        if let Some(first) = seen.insert(id.value, id.span.clone()) {
            let finding = Finding::error(code::DUPLICATE_ID, &id.span, format!("the id {} is given twice", id.value));
            let help = "two branches gave the same id: keep one of the files and run `dbgen lock` again";
            report.push(finding.related(&first, "the first one").help(help));
        }
    }
}

pub(super) fn write(lock: &Lock) -> String {
    let tables = lock.tables.iter().map(|table| {
        let mut members = vec![("id".to_string(), Doc::from(table.id)), ("fields".to_string(), present(&table.fields))];
        push_retired(&mut members, "retired", &table.fields.retired);
        (table.name.clone(), Doc::Object(members))
    });
    let composites = lock.composites.iter().map(|composite| {
        let mut members = vec![("fields".to_string(), present(&composite.fields))];
        push_retired(&mut members, "retired", &composite.fields.retired);
        (composite.name.clone(), Doc::Object(members))
    });
    let enums = lock.enums.iter().map(|enumeration| {
        let mut members = vec![("variants".to_string(), present(&enumeration.variants))];
        push_retired(&mut members, "retired", &enumeration.variants.retired);
        (enumeration.name.clone(), Doc::Object(members))
    });
    let mut root = vec![
        ("lock".to_string(), Doc::from(VERSION)),
        ("fingerprint".to_string(), Doc::Text(format!("{:016x}", lock.fingerprint))),
        ("tables".to_string(), Doc::Object(tables.collect())),
    ];
    push_retired(&mut root, "retired_tables", &lock.retired_tables);
    root.push(("types".to_string(), Doc::Object(composites.collect())));
    root.push(("enums".to_string(), Doc::Object(enums.collect())));
    Doc::Object(root).to_json_pretty()
}

fn present(ids: &Ids) -> Doc {
    Doc::Object(ids.present.iter().map(|(name, id)| (name.clone(), Doc::from(*id))).collect())
}

fn push_retired(members: &mut Vec<(String, Doc)>, key: &str, retired: &BTreeMap<u32, String>) {
    if !retired.is_empty() {
        let gone = retired.iter().map(|(id, name)| (id.to_string(), Doc::from(name)));
        members.push((key.to_string(), Doc::Object(gone.collect())));
    }
}
