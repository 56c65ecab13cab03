//! Indexes: the written ones, and those that follow from attributes and relations.

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
    /// Fills the tables' indexes, but for those that follow from relations.
    pub(super) fn written_indexes(&mut self) {
        let raw = self.raw;
        for (at, table) in raw.tables.iter().enumerate() {
            let idx = TableIdx(at as u32);
            let mut names = Scope::new(snake);
            for (index_at, raw_index) in table.indexes.iter().enumerate() {
                let Some(index) = self.written_index(idx, raw_index) else { continue };
                let name_span = raw_index.name.as_ref().map_or(&raw_index.span, |name| &name.span);
                names.add("index", &At { value: index.name.clone(), span: name_span.clone() }, self.report);
                self.check_repeated(idx, &index, raw_index, &table.indexes[..index_at]);
                self.schema.tables[at].indexes.push(index);
            }
            for (field_at, field) in table.fields.iter().enumerate() {
                self.field_index(idx, FieldIdx(field_at as u32), field, &mut names);
            }
        }
    }

    fn written_index(&mut self, table: TableIdx, raw: &RawIndex) -> Option<Index> {
        if raw.fields.is_empty() {
            let finding = Finding::error(code::EMPTY_INDEX, &raw.span, "an index over no fields");
            self.report.push(finding.help("name them: `\"fields\": [\"class\", \"hp\"]`"));
            return None;
        }
        let mut fields: Vec<FieldIdx> = Vec::with_capacity(raw.fields.len());
        let mut understood = true;
        for (at, name) in raw.fields.iter().enumerate() {
            let Some(idx) = self.field_named(table, name) else {
                understood = false;
                continue;
            };
            if let Some(before) = fields.iter().position(|field| *field == idx) {
                let message = format!("`{}` is in the index twice", name.value);
                let first = raw.fields.get(before).map_or(&raw.span, |first| &first.span);
                self.report
                    .push(Finding::error(code::INDEX_FIELD_TWICE, &name.span, message).related(first, "here already"));
                understood = false;
            }
            let ty = &self.schema.tables[table.at()].fields[idx.at()].ty;
            if self.sound.field(table, idx)
                && self.sound.ty(ty)
                && let Some(reason) = not_indexable(&self.schema, ty)
            {
                self.report.push(not_indexable_finding(&raw.fields[at].span, &name.value, reason));
            }
            fields.push(idx);
        }
        let written: Vec<&str> = raw.fields.iter().map(|field| field.value.as_str()).collect();
        let name = raw.name.as_ref().map_or_else(|| format!("by_{}", written.join("_")), |name| name.value.clone());
        let kind = raw.kind.as_ref().map_or_else(IndexKind::default, |kind| kind.value);
        understood.then(|| Index { name, fields, kind, unique: raw.unique.is_set(), written: true })
    }

    /// Two indexes over the same fields do the same work twice.
    fn check_repeated(&mut self, table: TableIdx, index: &Index, raw: &RawIndex, before: &[RawIndex]) {
        let indexes = &self.schema.tables[table.at()].indexes;
        if indexes.iter().any(|other| other.fields == index.fields && other.kind == index.kind) {
            let same =
                |other: &&RawIndex| other.fields.iter().map(|f| &f.value).eq(raw.fields.iter().map(|f| &f.value));
            let first = before.iter().find(same).map_or(&raw.span, |other| &other.span);
            let finding =
                Finding::error(code::DUPLICATE_INDEX, &raw.span, "an index over the same fields in the same order");
            self.report.push(finding.related(first, "the first one"));
        }
    }

    /// The index that follows from a field's attributes, if none that is written does its work.
    fn field_index(&mut self, table: TableIdx, idx: FieldIdx, raw: &RawField, names: &mut Scope) {
        let unique = raw.unique.span().or_else(|| raw.primary_key.span());
        let Some(asked_by) = unique.or_else(|| raw.indexed.span()) else { return };
        self.follow(table, idx, unique.is_some(), &raw.name.value, asked_by, names);
    }

    /// The index that every referring field has, so that deleting what it refers to need not search, and the one that
    /// finds the timers that are due.
    pub(super) fn following_indexes(&mut self) {
        let referring = self.schema.relations.iter().map(|relation| (relation.from_table, relation.from_field));
        let tables = self.schema.tables.iter().enumerate();
        let timers = tables.filter_map(|(at, table)| Some((TableIdx(at as u32), table.schedule.as_ref()?.at)));
        for (table, field) in referring.chain(timers).collect::<Vec<_>>() {
            let raw = &self.raw.tables[table.at()];
            let mut names = Scope::new(snake);
            for index in &self.schema.tables[table.at()].indexes {
                names.enter("index", &At { value: index.name.clone(), span: raw.name.span.clone() }, self.report);
            }
            let name = &raw.fields[field.at()].name;
            self.follow(table, field, false, &name.value, &name.span, &mut names);
        }
        for (at, raw) in self.raw.tables.iter().enumerate() {
            let count = self.schema.tables[at].indexes.len();
            if count > INDEXES_MAX {
                let message = format!("{count} indexes, those of unique and referring fields included");
                let finding = Finding::error(code::TOO_MANY, &raw.name.span, message);
                self.report.push(finding.label(format!("at most {INDEXES_MAX}")));
            }
        }
    }

    fn follow(
        &mut self,
        table: TableIdx,
        field: FieldIdx,
        unique: bool,
        name: &str,
        asked_by: &Span,
        names: &mut Scope,
    ) {
        let indexes = &mut self.schema.tables[table.at()].indexes;
        if indexes.iter().any(|index| index.fields == [field] && (index.unique || !unique)) {
            return;
        }
        let name = format!("by_{name}");
        names.enter("index", &At { value: name.clone(), span: asked_by.clone() }, self.report);
        indexes.push(Index { name, fields: vec![field], kind: IndexKind::Btree, unique, written: false });
    }
}
