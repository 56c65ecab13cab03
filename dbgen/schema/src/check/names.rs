//! Every name is allowed, and no two of a kind are the same in Rust.
//!
//! Tables are of one kind, composites and enums together of another: a table `item_kind` may stand beside an enum
//! `ItemKind`, and telling them apart is up to whoever names things in Rust. The database's name is of both.

use std::collections::HashMap;

use crate::diagnostic::{Finding, Report, code};
use crate::ident::{NameError, check_name, pascal, snake};
use crate::limits::NAME_BYTES_MAX;
use crate::raw::{RawField, RawSchema};
use crate::source::{At, Span, shown};

pub(super) fn check(raw: &RawSchema, report: &mut Report) {
    let (mut types, mut tables) = (Scope::new(pascal), Scope::new(pascal));
    if let Some(name) = &raw.name {
        types.add("database", name, report);
        tables.enter("database", name, report);
    }
    for composite in &raw.composites {
        types.add("type", &composite.name, report);
        check_fields(&composite.fields, report);
    }
    for enumeration in &raw.enums {
        types.add("enum", &enumeration.name, report);
        let mut variants = Scope::new(pascal);
        enumeration.variants.iter().for_each(|variant| variants.add("variant", &variant.name, report));
    }
    for table in &raw.tables {
        tables.add("table", &table.name, report);
        check_fields(&table.fields, report);
        if let Some(schedule) = &table.schedule {
            is_name("procedure", &schedule.procedure, report);
        }
    }
}

fn check_fields(fields: &[RawField], report: &mut Report) {
    let mut names = Scope::new(snake);
    fields.iter().for_each(|field| names.add("field", &field.name, report));
}

/// Names that stand side by side in generated code.
pub(super) struct Scope {
    convert: fn(&str) -> String,
    exact: HashMap<String, Span>,
    converted: HashMap<String, At<String>>,
    lower: HashMap<String, At<String>>,
}

impl Scope {
    /// Of names that Rust writes as this function does.
    pub(super) fn new(convert: fn(&str) -> String) -> Scope {
        Scope { convert, exact: HashMap::new(), converted: HashMap::new(), lower: HashMap::new() }
    }

    /// Reports a name that is none, or is there already.
    pub(super) fn add(&mut self, what: &str, name: &At<String>, report: &mut Report) {
        if is_name(what, name, report) {
            self.enter(what, name, report);
        }
    }

    /// Reports a name that is there already; one that is made from other names may be longer than those.
    pub(super) fn enter(&mut self, what: &str, name: &At<String>, report: &mut Report) {
        if let Some(first) = self.exact.get(&name.value) {
            let message = format!("the name `{}` is taken", name.value);
            let finding = Finding::error(code::DUPLICATE_NAME, &name.span, message).label(format!("this {what}"));
            report.push(finding.related(first, "the first one"));
            return;
        }
        self.exact.insert(name.value.clone(), name.span.clone());
        let rust = (self.convert)(&name.value);
        let lower = name.value.to_ascii_lowercase();
        if let Some(first) = self.converted.get(&rust) {
            let message = format!("`{}` and `{}` are both `{rust}` in Rust", first.value, name.value);
            let finding = Finding::error(code::NAME_CLASH, &name.span, message).related(&first.span, "the first one");
            report.push(finding.help("give one of them another name"));
        } else if let Some(first) = self.lower.get(&lower) {
            let message = format!("`{}` and `{}` differ only by case", first.value, name.value);
            let finding = Finding::error(code::NAME_CLASH, &name.span, message).related(&first.span, "the first one");
            report.push(finding.help("give one of them another name"));
        }
        self.converted.entry(rust).or_insert_with(|| name.clone());
        self.lower.entry(lower).or_insert_with(|| name.clone());
    }
}

/// Reports what is no name.
pub(super) fn is_name(what: &str, name: &At<String>, report: &mut Report) -> bool {
    let Err(error) = check_name(&name.value) else { return true };
    let written = shown(&name.value);
    let finding = match error {
        NameError::Empty => Finding::error(code::INVALID_NAME, &name.span, format!("a {what} without a name")),
        NameError::TooLong => {
            let message = format!("the name of this {what} has {} bytes", name.value.len());
            Finding::error(code::NAME_TOO_LONG, &name.span, message).label(format!("at most {NAME_BYTES_MAX}"))
        }
        NameError::Reserved => {
            let message = format!("`{written}` begins with an underscore");
            let finding = Finding::error(code::RESERVED_NAME, &name.span, message);
            finding.help("such names are the system's: `_id` is the record's id, `_version` its version")
        }
        NameError::LeadingDigit => {
            let message = format!("`{written}` begins with a digit");
            Finding::error(code::INVALID_NAME, &name.span, message).help("a name begins with a letter")
        }
        NameError::Character(c) => {
            let message = format!("`{written}` is no name");
            let finding = Finding::error(code::INVALID_NAME, &name.span, message).label(format!("{c:?} in it"));
            finding.help("a name is made of the letters A-Z and a-z, digits and underscores")
        }
    };
    report.push(finding);
    false
}
