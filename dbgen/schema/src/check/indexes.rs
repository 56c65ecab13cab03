//! Indexes: the written ones, and those that follow from attributes, relations and timers.

use crate::diagnostic::{Finding, code};
use crate::ident::snake;
use crate::limits::INDEXES_MAX;
use crate::model::{FieldIdx, Index, IndexKind, TableIdx};
use crate::raw::{RawField, RawIndex};
use crate::source::{At, Span};

use super::Checker;
use super::fields::{not_indexable, not_indexable_finding};
use super::names::Scope;

impl Checker<'_> {
    /// Fills the tables' indexes, but for those that follow from relations and timers.
    pub(super) fn written_indexes(&mut self) {
        let raw = self.raw;
        for (at, table) in raw.tables.iter().enumerate() {
            let idx = TableIdx(at as u32);
            self.index_names.push(Scope::new(snake));
            for (index_at, raw_index) in table.indexes.iter().enumerate() {
                let Some(index) = self.written_index(idx, raw_index) else { continue };
                let span = raw_index.name.as_ref().map_or(&raw_index.span, |name| &name.span);
                let name = At { value: index.name.clone(), span: span.clone() };
                self.index_names[at].add("index", &name, self.report);
                self.check_repeated(idx, &index, raw_index, &table.indexes[..index_at]);
                self.schema.tables[at].indexes.push(index);
            }
            for (field_at, field) in table.fields.iter().enumerate() {
                self.field_index(idx, FieldIdx(field_at as u32), field);
            }
        }
    }

    fn written_index(&mut self, table: TableIdx, raw: &RawIndex) -> Option<Index> {
        let names = raw.fields.as_ref()?;
        if names.is_empty() {
            let finding = Finding::error(code::EMPTY_INDEX, &raw.span, "an index over no fields");
            self.report.push(finding.help("name them: `\"fields\": [\"class\", \"hp\"]`"));
            return None;
        }
        let mut fields: Vec<FieldIdx> = Vec::with_capacity(names.len());
        let mut understood = true;
        for name in names {
            let Some(idx) = self.field_named(table, name) else {
                understood = false;
                continue;
            };
            if fields.contains(&idx) {
                let message = format!("`{}` is in the index twice", name.value);
                let finding = Finding::error(code::INDEX_FIELD_TWICE, &name.span, message);
                let first = names.iter().find(|other| other.value == name.value);
                self.report.push(finding.related(first.map_or(&raw.span, |first| &first.span), "here already"));
                understood = false;
            }
            self.check_index_field(table, idx, name);
            fields.push(idx);
        }
        let written: Vec<&str> = names.iter().map(|field| field.value.as_str()).collect();
        let name = raw.name.as_ref().map_or_else(|| format!("by_{}", written.join("_")), |name| name.value.clone());
        let kind = raw.kind.as_ref().map_or_else(IndexKind::default, |kind| kind.value);
        understood.then(|| Index { name, fields, kind, unique: raw.unique.is_set(), written: true })
    }

    fn check_index_field(&mut self, table: TableIdx, idx: FieldIdx, name: &At<String>) {
        let ty = &self.schema.tables[table.at()].fields[idx.at()].ty;
        if self.sound.field(table, idx)
            && self.sound.ty(ty)
            && let Some(reason) = not_indexable(&self.schema, ty)
        {
            self.report.push(not_indexable_finding(&name.span, &name.value, reason));
        }
    }

    /// Two indexes over the same fields do the same work twice.
    fn check_repeated(&mut self, table: TableIdx, index: &Index, raw: &RawIndex, before: &[RawIndex]) {
        let indexes = &self.schema.tables[table.at()].indexes;
        if indexes.iter().any(|other| other.fields == index.fields && other.kind == index.kind) {
            let names = |index: &RawIndex| -> Vec<String> {
                index.fields.iter().flatten().map(|field| field.value.clone()).collect()
            };
            let first = before.iter().find(|other| names(other) == names(raw)).map_or(&raw.span, |other| &other.span);
            let message = "an index over the same fields in the same order";
            let finding = Finding::error(code::DUPLICATE_INDEX, &raw.span, message);
            self.report.push(finding.related(first, "the first one"));
        }
    }

    /// The index that follows from a field's attributes, if none that is written does its work.
    fn field_index(&mut self, table: TableIdx, idx: FieldIdx, raw: &RawField) {
        let unique = raw.unique.span().or_else(|| raw.primary_key.span());
        let Some(asked_by) = unique.or_else(|| raw.indexed.span()) else { return };
        let wanted = Wanted { unique: unique.is_some(), ordered: false };
        self.follow(table, idx, wanted, &raw.name.value, asked_by);
    }

    /// The index that every referring field has, so that deleting what it refers to need not search, and the one that
    /// finds the timers that are due.
    pub(super) fn following_indexes(&mut self) {
        let referring = self.schema.relations.iter().map(|relation| (relation.from_table, relation.from_field));
        let tables = self.schema.tables.iter().enumerate();
        let timers = tables.filter_map(|(at, table)| Some((TableIdx(at as u32), table.schedule.as_ref()?.at)));
        let (referring, timers) = (referring.collect::<Vec<_>>(), timers.collect::<Vec<_>>());
        let wanted = referring.into_iter().map(|it| (it, false)).chain(timers.into_iter().map(|it| (it, true)));
        for ((table, field), ordered) in wanted {
            let name = &self.raw.tables[table.at()].fields[field.at()].name;
            self.follow(table, field, Wanted { unique: false, ordered }, &name.value, &name.span);
        }
        for (at, raw) in self.raw.tables.iter().enumerate() {
            let count = self.schema.tables[at].indexes.len();
            if count > INDEXES_MAX {
                let message = format!("{count} indexes, those that follow from fields included");
                let finding = Finding::error(code::TOO_MANY, &raw.name.span, message);
                self.report.push(finding.label(format!("at most {INDEXES_MAX}")));
            }
        }
    }

    fn follow(&mut self, table: TableIdx, field: FieldIdx, wanted: Wanted, name: &str, asked_by: &Span) {
        let indexes = &mut self.schema.tables[table.at()].indexes;
        let does =
            |index: &Index| (index.unique || !wanted.unique) && (index.kind == IndexKind::Btree || !wanted.ordered);
        if indexes.iter().any(|index| index.fields == [field] && does(index)) {
            return;
        }
        let name = format!("by_{name}");
        let fields = &self.raw.tables[table.at()].fields;
        let own = &fields[field.at()].name.value;
        // Two fields of one name are reported as such, and so are their indexes.
        let is_namesake =
            |other: &RawField| snake(&other.name.value) == snake(own) || other.name.value.eq_ignore_ascii_case(own);
        if !fields[..field.at()].iter().any(is_namesake) {
            let named = At { value: name.clone(), span: asked_by.clone() };
            self.index_names[table.at()].enter("index", &named, self.report);
        }
        indexes.push(Index {
            name,
            fields: vec![field],
            kind: IndexKind::Btree,
            unique: wanted.unique,
            written: false,
        });
    }
}

/// What an index must be able to do.
#[derive(Clone, Copy)]
struct Wanted {
    unique: bool,
    ordered: bool,
}
