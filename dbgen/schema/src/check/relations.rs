//! Relations: the written ones, and one for every reference that none of them names.

use std::collections::HashMap;

use crate::diagnostic::{Finding, code};
use crate::field_type::Type;
use crate::ident::snake;
use crate::model::{FieldIdx, OnDelete, Relation, TableIdx};
use crate::raw::{RawField, RawRelation};
use crate::source::{At, Span, shown};

use super::Checker;
use super::fields::{not_indexable, not_indexable_finding};
use super::names::Scope;

/// A table and perhaps a field of it, as written: `guild`, `guild.id`.
type Place = (TableIdx, Option<FieldIdx>);

/// The relations made so far.
struct Made {
    names: Scope,
    /// Where each referring field has its relation.
    fields: HashMap<(TableIdx, FieldIdx), Span>,
}

impl Checker<'_> {
    /// Fills the schema's relations.
    pub(super) fn relations(&mut self) {
        let raw = self.raw;
        let mut made = Made { names: Scope::new(snake), fields: HashMap::new() };
        for relation in &raw.relations {
            self.written_relation(relation, &mut made);
        }
        for (table_at, table) in raw.tables.iter().enumerate() {
            for (field_at, field) in table.fields.iter().enumerate() {
                let from = (TableIdx(table_at as u32), FieldIdx(field_at as u32));
                if !made.fields.contains_key(&from) {
                    self.implied_relation(from, field, &mut made);
                }
            }
        }
    }

    fn written_relation(&mut self, raw: &RawRelation, made: &mut Made) {
        let (from, to) = (self.path(&raw.from), self.path(&raw.to));
        let Some((from_table, from_field)) = from else { return };
        let Some(from_field) = from_field else {
            let finding = Finding::error(code::MALFORMED_PATH, &raw.from.span, "a relation begins at a field");
            self.report.push(finding.label("only a table").help(format!("write `{}.<field>`", shown(&raw.from.value))));
            return;
        };
        let from = (from_table, from_field);
        if let Some(first) = made.fields.get(&from) {
            let finding = Finding::error(code::DUPLICATE_RELATION, &raw.from.span, "this field has a relation already");
            self.report.push(finding.related(first, "the first one"));
            return;
        }
        made.fields.insert(from, raw.from.span.clone());
        let Some(to) = to else { return };
        let field = &self.raw.tables[from_table.at()].fields[from_field.at()];
        let Some(to_field) = self.written_target(from, field, to, raw) else { return };
        let on_delete = self.written_on_delete(field, raw);
        let default = self.relation_name(from);
        let name = raw.name.as_ref().map_or(default, |name| name.value.clone());
        let name_span = raw.name.as_ref().map_or(&raw.from.span, |name| &name.span);
        made.names.add("relation", &At { value: name.clone(), span: name_span.clone() }, self.report);
        self.add(
            Relation { name, from_table, from_field, to_table: to.0, to_field, on_delete, written: true },
            raw.on_delete.as_ref().map(|at| &at.span),
        );
    }

    /// What of the target is referred to: its record id (`Some(None)`) or a unique field. `None`: neither works.
    fn written_target(
        &mut self,
        from: (TableIdx, FieldIdx),
        field: &RawField,
        to: Place,
        raw: &RawRelation,
    ) -> Option<Option<FieldIdx>> {
        if !self.sound.field(from.0, from.1) {
            return None;
        }
        if let Type::Ref(table) = self.schema.tables[from.0.at()].fields[from.1.at()].ty {
            if (table, None) != to {
                let referred = &self.raw.tables[table.at()].name.value;
                let message = format!("`{}` refers to a record of `{referred}`", raw.from.value);
                let finding = Finding::error(code::RELATION_MISMATCH, &raw.to.span, message).label("not to this");
                let finding = finding.related(&field.name.span, "the field");
                self.report.push(finding.help(format!("write `\"to\": \"{referred}\"`, or change the field's type")));
                return None;
            }
            return Some(None);
        }
        let own = field.foreign_key.as_ref().and_then(|key| self.path(key));
        if let (Some(own), Some(key)) = (own, &field.foreign_key)
            && own != to
            && (own.0, None) != to
        {
            let message = format!("the field has the foreign key `{}`", shown(&key.value));
            let finding = Finding::error(code::RELATION_MISMATCH, &raw.to.span, message).label("not this");
            self.report.push(finding.related(&key.span, "the foreign key"));
            return None;
        }
        let target = At { value: raw.to.value.clone(), span: raw.to.span.clone() };
        self.by_value(from, own.unwrap_or(to), &target).map(Some)
    }

    /// The rule of the relation, or of the field; they must not differ.
    fn written_on_delete(&mut self, field: &RawField, raw: &RawRelation) -> OnDelete {
        match (&field.on_delete, &raw.on_delete) {
            (Some(on_field), Some(on_relation)) if on_field.value != on_relation.value => {
                let message = "`on_delete` is given twice, and they differ";
                let finding = Finding::error(code::ON_DELETE, &on_relation.span, message);
                self.report.push(finding.related(&on_field.span, "the field's"));
                on_relation.value
            }
            (_, Some(rule)) | (Some(rule), None) => rule.value,
            (None, None) => OnDelete::default(),
        }
    }

    fn implied_relation(&mut self, from: (TableIdx, FieldIdx), field: &RawField, made: &mut Made) {
        let ty = self.schema.tables[from.0.at()].fields[from.1.at()].ty.clone();
        let sound = self.sound.field(from.0, from.1);
        let target = match (&ty, &field.foreign_key) {
            (Type::Ref(_), Some(key)) if sound => {
                let message = "a `ref` is a foreign key already, by the record's id";
                let finding = Finding::error(code::FOREIGN_KEY, &key.span, message);
                self.report.push(finding.help("leave out `foreign_key`, or give the field the type of the key"));
                return;
            }
            (Type::Ref(table), _) if sound => (*table, None),
            (_, Some(key)) => {
                let Some(place) = self.path(key) else { return };
                let Some(to_field) = sound.then(|| self.by_value(from, place, key)).flatten() else { return };
                (place.0, Some(to_field))
            }
            _ => {
                if let Some(rule) = field.on_delete.as_ref().filter(|_| sound) {
                    let message = "`on_delete` on a field that refers to nothing";
                    let finding = Finding::error(code::ON_DELETE, &rule.span, message);
                    self.report.push(finding.help("give the field the type `ref<table>`, or a `foreign_key`"));
                }
                return;
            }
        };
        let name = self.relation_name(from);
        made.names.enter("relation", &At { value: name.clone(), span: field.name.span.clone() }, self.report);
        let on_delete = field.on_delete.as_ref().map_or_else(OnDelete::default, |rule| rule.value);
        let (from_table, from_field) = from;
        let relation = Relation {
            name,
            from_table,
            from_field,
            to_table: target.0,
            to_field: target.1,
            on_delete,
            written: false,
        };
        self.add(relation, field.on_delete.as_ref().map(|at| &at.span));
    }

    /// Checks that a field may hold the value of another table's field, and that one value names one record.
    fn by_value(&mut self, from: (TableIdx, FieldIdx), to: Place, target: &At<String>) -> Option<FieldIdx> {
        let to_table = &self.raw.tables[to.0.at()];
        let Some(to_field) = to.1 else {
            let finding = Finding::error(code::FOREIGN_KEY, &target.span, "a foreign key names a unique field");
            let table = shown(&to_table.name.value);
            let finding = finding.label("only a table");
            let record = format!("to refer to the record itself give the field the type `ref<{table}>`");
            self.report.push(finding.help(match self.same_type_key(from, to.0) {
                Some(key) => format!("did you mean `{table}.{key}`? Or, {record}"),
                None => record,
            }));
            return None;
        };
        if !self.sound.field(to.0, to_field) {
            return None;
        }
        let from_model = &self.schema.tables[from.0.at()].fields[from.1.at()];
        let to_model = &self.schema.tables[to.0.at()].fields[to_field.at()];
        let from_raw = &self.raw.tables[from.0.at()].fields[from.1.at()];
        let to_raw = &to_table.fields[to_field.at()];
        let (from_type, to_type) = (from_raw.ty.as_ref()?, to_raw.ty.as_ref()?);
        if from_model.ty != to_model.ty {
            let message = format!(
                "`{}` is `{}`, but `{}` is `{}`",
                from_raw.name.value,
                shown(&from_type.value),
                shown(&target.value),
                shown(&to_type.value)
            );
            let finding = Finding::error(code::FOREIGN_KEY, &from_type.span, message).label("must be the same type");
            self.report.push(finding.related(&to_type.span, "the type of the key"));
            return None;
        }
        if let Some(reason) = not_indexable(&self.schema, &from_model.ty).filter(|_| self.sound.ty(&from_model.ty)) {
            self.report.push(
                not_indexable_finding(&from_type.span, &from_raw.name.value, reason).label("a foreign key needs one"),
            );
            return None;
        }
        let indexes = &self.schema.tables[to.0.at()].indexes;
        if !indexes.iter().any(|index| index.unique && index.fields == [to_field]) {
            if !to_raw.is_whole {
                return None;
            }
            let message = format!("`{}` is not unique", shown(&target.value));
            let finding =
                Finding::error(code::FOREIGN_KEY, &target.span, message).label("one value could name many records");
            let finding = finding.related(&to_raw.name.span, "this field");
            self.report.push(finding.help("make it `\"unique\": true` or the primary key"));
            return None;
        }
        Some(to_field)
    }

    /// A unique field of the table that the field could hold the values of.
    fn same_type_key(&self, from: (TableIdx, FieldIdx), to: TableIdx) -> Option<&str> {
        let ty = &self.schema.tables[from.0.at()].fields[from.1.at()].ty;
        let mut fields = self.schema.tables[to.at()].fields.iter();
        fields.find(|field| (field.unique || field.primary_key) && field.ty == *ty).map(|field| field.name.as_str())
    }

    fn add(&mut self, relation: Relation, rule: Option<&Span>) {
        let raw = &self.raw.tables[relation.from_table.at()].fields[relation.from_field.at()];
        if relation.on_delete == OnDelete::SetNull && !raw.nullable.is_set() {
            let message = format!("`{}` cannot become null", raw.name.value);
            let finding = Finding::error(code::ON_DELETE, rule.unwrap_or(&raw.name.span), message).label("`set_null`");
            let finding = finding.related(&raw.name.span, "this field is not nullable");
            self.report.push(finding.help("add `\"nullable\": true` to the field, or use `cascade` or `restrict`"));
        }
        self.schema.relations.push(relation);
    }

    fn relation_name(&self, from: (TableIdx, FieldIdx)) -> String {
        let table = &self.raw.tables[from.0.at()];
        format!("{}_{}", table.name.value, table.fields[from.1.at()].name.value)
    }

    /// `table` or `table.field`; reports what is neither.
    fn path(&mut self, path: &At<String>) -> Option<Place> {
        let (table, field) = match path.value.split_once('.') {
            Some((table, field)) => (table, Some(field)),
            None => (path.value.as_str(), None),
        };
        let is_of_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let is_path = path.value.chars().all(is_of_path);
        if !is_path || table.is_empty() || field.is_some_and(|field| field.is_empty() || field.contains('.')) {
            let message = format!("`{}` is no path to a field", shown(&path.value));
            let finding = Finding::error(code::MALFORMED_PATH, &path.span, message);
            self.report.push(finding.help("write the table, a dot and the field: `player.guild`"));
            return None;
        }
        let table = self.table_named(&At { value: table.to_string(), span: path.span.clone() })?;
        match field {
            None => Some((table, None)),
            Some("_id") => Some((table, None)),
            Some(field) => {
                let idx = self.field_named(table, &At { value: field.to_string(), span: path.span.clone() })?;
                Some((table, Some(idx)))
            }
        }
    }
}
