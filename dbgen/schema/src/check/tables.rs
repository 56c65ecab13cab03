//! Tables: fields, column groups, parents, timers, capacity, and the size of a record.

use std::collections::HashMap;

use crate::diagnostic::{Finding, Report, code};
use crate::field_type::{Scalar, Type};
use crate::ident::snake;
use crate::layout::{size_of, table_layout};
use crate::limits::{CAPACITY_BYTES_MAX, GROUPS_MAX, RECORD_BYTES_MAX};
use crate::model::{FieldIdx, Schedule, StableId, Table, TableIdx};
use crate::raw::{RawSchedule, RawTable};
use crate::source::{At, Span, shown};

use super::names::Scope;
use super::resolve::Place;
use super::{Checker, LARGE_HELP};

/// The group of fields that name none.
const ROW_GROUP: &str = "row";

impl Checker<'_> {
    /// Fills the schema's tables, but for values, indexes and relations.
    pub(super) fn tables(&mut self) {
        let raw = self.raw;
        let mut renames = Renames::new(raw.tables.iter().map(|table| &table.name));
        for table in &raw.tables {
            renames.check(table.renamed_from.as_ref(), table.id.as_ref(), "table", self.report);
            self.table(table);
        }
        for (at, table) in raw.tables.iter().enumerate() {
            let idx = TableIdx(at as u32);
            self.schema.tables[at].parent = table.parent.as_ref().and_then(|parent| self.table_named(parent));
            self.schema.tables[at].schedule = table.schedule.as_ref().and_then(|it| self.schedule(idx, it));
        }
    }

    fn table(&mut self, raw: &RawTable) {
        let mut groups = Groups::new();
        let mut fields = Vec::with_capacity(raw.fields.len());
        let mut sound = Vec::with_capacity(raw.fields.len());
        for raw_field in &raw.fields {
            let (mut field, is_sound) = self.field(raw_field, Place::Field);
            field.group = groups.of(raw_field.group.as_ref(), self.report);
            if is_sound && self.sound.ty(&field.ty) {
                self.check_indexable(raw_field, &field.ty);
            }
            fields.push(field);
            sound.push(is_sound);
        }
        self.check_primary_keys(&raw.fields);
        let mut renames = Renames::new(raw.fields.iter().map(|field| &field.name));
        for field in &raw.fields {
            renames.check(field.renamed_from.as_ref(), field.id.as_ref(), "field", self.report);
        }
        let table = Table {
            id: StableId(raw.id.as_ref().map_or(0, |id| id.value)),
            name: raw.name.value.clone(),
            description: raw.description.clone(),
            capacity: raw.capacity.as_ref().map_or(0, |capacity| capacity.value),
            durability: raw.durability.as_ref().map_or_else(Default::default, |durability| durability.value),
            require_if_match: raw.require_if_match.is_set(),
            parent: None,
            schedule: None,
            fields,
            groups: groups.names,
            indexes: Vec::new(),
            renamed_from: raw.renamed_from.as_ref().map(|name| name.value.clone()),
            line: self.lines.line(raw.name.span.start),
        };
        self.sound.fields.push(sound);
        self.schema.tables.push(table);
    }

    fn schedule(&mut self, table: TableIdx, raw: &RawSchedule) -> Option<Schedule> {
        let at = self.schedule_field(table, &raw.at, Scalar::Timestamp);
        let every = raw.every.as_ref().map(|every| self.schedule_field(table, every, Scalar::Duration));
        let every = match every {
            Some(every) => Some(every?),
            None => None,
        };
        Some(Schedule { at: at?, every, procedure: raw.procedure.value.clone() })
    }

    fn schedule_field(&mut self, table: TableIdx, name: &At<String>, scalar: Scalar) -> Option<FieldIdx> {
        let idx = self.field_named(table, name)?;
        let ty = &self.schema.tables[table.at()].fields[idx.at()].ty;
        if *ty != Type::Scalar(scalar) && self.sound.field(table, idx) {
            let message = format!("`{}` is no {}", name.value, scalar.desc().name);
            let finding = Finding::error(code::SCHEDULE_FIELD, &name.span, message);
            let help = "`at` names a `timestamp` field that says when, `every` a `duration` field that says how often";
            self.report.push(finding.help(help));
            return None;
        }
        Some(idx)
    }

    /// Refuses records that are too large, and more room for them than any machine has.
    pub(super) fn sizes(&mut self) {
        for (at, raw) in self.raw.tables.iter().enumerate() {
            let table = &self.schema.tables[at];
            let measurable =
                table.fields.iter().zip(&self.sound.fields[at]).all(|(it, ok)| *ok && self.sound.ty(&it.ty));
            if !measurable {
                continue;
            }
            let bytes = table_layout(&self.schema, table).image_bytes;
            if bytes > RECORD_BYTES_MAX {
                let message = format!("a record of `{}` takes {bytes} bytes", table.name);
                let finding = Finding::error(code::RECORD_TOO_LARGE, &raw.name.span, message);
                let finding = finding.label(format!("at most {RECORD_BYTES_MAX}")).help(LARGE_HELP);
                let sizes = table.fields.iter().map(|field| size_of(&self.schema, &field.ty));
                let largest = sizes.zip(&raw.fields).max_by_key(|(size, _)| *size);
                self.report.push(match largest.and_then(|(size, field)| Some((size, field.ty.as_ref()?))) {
                    Some((size, ty)) => finding.related(&ty.span, format!("{size} of them")),
                    None => finding,
                });
            } else if u64::from(table.capacity) * bytes as u64 > CAPACITY_BYTES_MAX
                && let Some(capacity) = &raw.capacity
            {
                let message = format!("{} records of {bytes} bytes are more than a terabyte", capacity.value);
                self.report.push(Finding::error(code::CAPACITY_TOO_LARGE, &capacity.span, message));
            }
        }
    }
}

/// The column groups of a table, in the order in which fields name them.
struct Groups {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
    scope: Scope,
}

impl Groups {
    fn new() -> Groups {
        let row = ROW_GROUP.to_string();
        Groups { names: vec![row.clone()], numbers: HashMap::from([(row, 0)]), scope: Scope::new(snake) }
    }

    /// The number of the group that a field names.
    fn of(&mut self, name: Option<&At<String>>, report: &mut Report) -> u32 {
        let Some(name) = name else { return 0 };
        if let Some(number) = self.numbers.get(&name.value) {
            return *number;
        }
        if snake(&name.value) == ROW_GROUP {
            let message = format!("`{}` and the group of all other fields are both `{ROW_GROUP}` in Rust", name.value);
            report.push(Finding::error(code::NAME_CLASH, &name.span, message));
        }
        self.scope.add("group", name, report);
        if self.names.len() == GROUPS_MAX {
            let message = format!("more than {GROUPS_MAX} groups");
            report.push(Finding::error(code::TOO_MANY, &name.span, message));
        }
        let number = self.names.len() as u32;
        self.names.push(name.value.clone());
        self.numbers.insert(name.value.clone(), number);
        number
    }
}

/// What `renamed_from` and `id` promise: one thing of now is one thing of before.
pub(super) struct Renames<'a> {
    present: HashMap<&'a str, &'a Span>,
    former: HashMap<&'a str, &'a Span>,
    ids: HashMap<u32, &'a Span>,
}

impl<'a> Renames<'a> {
    /// Among things with these names.
    pub(super) fn new(names: impl Iterator<Item = &'a At<String>>) -> Renames<'a> {
        let present = names.map(|name| (name.value.as_str(), &name.span)).collect();
        Renames { present, former: HashMap::new(), ids: HashMap::new() }
    }

    pub(super) fn check(
        &mut self,
        renamed_from: Option<&'a At<String>>,
        id: Option<&'a At<u32>>,
        what: &str,
        report: &mut Report,
    ) {
        if let Some(former) = renamed_from {
            let name = shown(&former.value);
            if let Some(there) = self.present.get(former.value.as_str()) {
                let message = format!("there still is a {what} `{name}`");
                let finding = Finding::error(code::RENAMED_FROM, &former.span, message);
                report.push(finding.related(there, "this one"));
            } else if let Some(first) = self.former.insert(&former.value, &former.span) {
                let message = format!("two {what}s were `{name}` before");
                report.push(Finding::error(code::RENAMED_FROM, &former.span, message).related(first, "the first one"));
            }
        }
        if let Some(id) = id
            && let Some(first) = self.ids.insert(id.value, &id.span)
        {
            let message = format!("two {what}s have the id {}", id.value);
            report.push(Finding::error(code::DUPLICATE_ID, &id.span, message).related(first, "the first one"));
        }
    }
}
