//! What a field may hold, what must be unique, what must be there: rules that stored data may not obey.

use std::cmp::Ordering;

use crate::model::{Field, FieldIdx, Index, Relation, Schema, Table, TableIdx};
use crate::value::Value;

use super::compare::Comparer;
use super::rules;

impl Comparer<'_> {
    pub(super) fn constraints(&mut self, path: &str, old: &Field, new: &Field) {
        let line = new.line;
        match (old.nullable, new.nullable) {
            (false, true) => self.push(&rules::FIELD_NULLABLE, path, "may be null", line),
            (true, false) => self.push(&rules::FIELD_NOT_NULL, path, "may not be null any more", line),
            _ => {}
        }
        if old.default != new.default {
            self.push(&rules::DEFAULT_CHANGED, path, "another default", line);
        }
        let min = bound_change(old.min.as_ref(), new.min.as_ref(), Ordering::Greater);
        let max = bound_change(old.max.as_ref(), new.max.as_ref(), Ordering::Less);
        for (key, change) in [("min", min), ("max", max)] {
            match change {
                Some(true) => self.push(&rules::BOUNDS_TIGHTENED, path, format!("a narrower `{key}`"), line),
                Some(false) => self.push(&rules::CONSTRAINT_LOOSENED, path, format!("a wider `{key}`"), line),
                None => {}
            }
        }
        match (old.allow_nan, new.allow_nan) {
            (false, true) => self.push(&rules::CONSTRAINT_LOOSENED, path, "may be NaN", line),
            (true, false) => self.push(&rules::NAN_FORBIDDEN, path, "may not be NaN any more", line),
            _ => {}
        }
        if old.auto_increment != new.auto_increment {
            let detail = if new.auto_increment { "is numbered" } else { "is not numbered any more" };
            self.push(&rules::AUTO_INCREMENT_CHANGED, path, detail, line);
        }
        if old.primary_key != new.primary_key {
            let detail = if new.primary_key { "is the primary key" } else { "is not the primary key any more" };
            self.push(&rules::PRIMARY_KEY_CHANGED, path, detail, line);
        }
    }

    /// Indexes are the same if they are over the same fields; `pairs` says of the new fields which old ones they were.
    pub(super) fn indexes(&mut self, old: &Table, new: &Table, pairs: &[Option<usize>]) {
        let before = |index: &Index| -> Option<Vec<FieldIdx>> {
            let old_idx = |idx: &FieldIdx| Some(FieldIdx(pairs.get(idx.at()).copied().flatten()? as u32));
            index.fields.iter().map(old_idx).collect()
        };
        for index in &new.indexes {
            let keys = before(index);
            let mut same = old.indexes.iter().filter(|old| Some(&old.fields) == keys.as_ref());
            let same_kind = old.indexes.iter().find(|old| Some(&old.fields) == keys.as_ref() && old.kind == index.kind);
            let path = format!("{}.{}", new.name, index.name);
            if index.unique && !same.any(|old| old.unique) && !is_unique_at_first(index, new, pairs) {
                self.push(&rules::UNIQUE_ADDED, &path, format!("{} must be unique", keys_text(index, new)), new.line);
            } else if same_kind.is_none() {
                self.push(&rules::INDEX_ADDED, &path, format!("an index over {}", keys_text(index, new)), new.line);
            }
            if let Some(same) = same_kind {
                if same.unique && !index.unique {
                    let detail = format!("{} need not be unique any more", keys_text(index, new));
                    self.push(&rules::CONSTRAINT_LOOSENED, &path, detail, new.line);
                }
                // The name of one that follows from a field follows the field's name.
                if same.name != index.name && (same.written || index.written) {
                    let detail = format!("`{}` is called `{}`", same.name, index.name);
                    self.push(&rules::INDEX_RENAMED, &path, detail, new.line);
                }
            }
        }
        let gone = old.indexes.iter().filter(|old| {
            !new.indexes.iter().any(|new| before(new).as_ref() == Some(&old.fields) && new.kind == old.kind)
        });
        for index in gone {
            let path = format!("{}.{}", new.name, index.name);
            self.push(&rules::INDEX_REMOVED, &path, format!("the index over {} is gone", keys_text(index, old)), 0);
        }
    }

    /// What the fields of a table that was there before refer to.
    pub(super) fn references(&mut self, old_table: TableIdx, new_table: TableIdx, pairs: &[Option<usize>]) {
        let table = &self.types.new.tables[new_table.at()];
        for (at, field) in table.fields.iter().enumerate() {
            let Some(old_at) = pairs.get(at).copied().flatten() else { continue };
            let old = relation_of(self.types.old, old_table, FieldIdx(old_at as u32));
            let new = relation_of(self.types.new, new_table, FieldIdx(at as u32));
            let path = format!("{}.{}", table.name, field.name);
            match (old, new) {
                (Some(old), Some(new)) => self.relation(&path, old, new, field.line),
                // A change from or to `ref<table>` is one of type.
                (None, Some(new)) if new.to_field.is_some() => {
                    let target = &self.types.new.tables[new.to_table.at()].name;
                    self.push(&rules::REFERENCE_ADDED, &path, format!("must name a record of `{target}`"), field.line);
                }
                (Some(old), None) if old.to_field.is_some() => {
                    self.push(&rules::RELATION_REMOVED, &path, "refers to nothing any more", field.line);
                }
                _ => {}
            }
        }
    }

    fn relation(&mut self, path: &str, old: &Relation, new: &Relation, line: u32) {
        if old.name != new.name && (old.written || new.written) {
            let detail = format!("the relation `{}` is called `{}`", old.name, new.name);
            self.push(&rules::RELATION_RENAMED, path, detail, line);
        }
        if old.on_delete != new.on_delete {
            let detail = format!("`{}` becomes `{}`", old.on_delete.as_str(), new.on_delete.as_str());
            self.push(&rules::ON_DELETE_CHANGED, path, detail, line);
        }
        // A `ref` to another table is reported with its type.
        if old.to_field.is_some() && new.to_field.is_some() && !self.same_target(old, new) {
            let target = &self.types.new.tables[new.to_table.at()].name;
            self.push(&rules::REFERENCE_RETARGETED, path, format!("now names a record of `{target}`"), line);
        }
    }

    fn same_target(&self, old: &Relation, new: &Relation) -> bool {
        let table = self.types.tables.get(old.to_table.at()).copied().flatten();
        if table != Some(new.to_table) {
            return false;
        }
        let old_fields = &self.types.old.tables[old.to_table.at()].fields;
        let new_fields = &self.types.new.tables[new.to_table.at()].fields;
        let pairs = super::compare::pair(old_fields, new_fields);
        new.to_field.and_then(|new| pairs.get(new.at()).copied().flatten()) == old.to_field.map(FieldIdx::at)
    }
}

/// Whether no two records can collide when a unique index is added: one of its fields is new, and null in all of them or
/// numbered.
fn is_unique_at_first(index: &Index, table: &Table, pairs: &[Option<usize>]) -> bool {
    index.fields.iter().any(|idx| {
        let field = &table.fields[idx.at()];
        let is_new = pairs.get(idx.at()).copied().flatten().is_none();
        is_new && ((field.nullable && field.default.is_none()) || field.auto_increment || field.is_required())
    })
}

fn keys_text(index: &Index, table: &Table) -> String {
    let names: Vec<&str> = index.fields.iter().map(|idx| table.fields[idx.at()].name.as_str()).collect();
    format!("`{}`", names.join(", "))
}

fn relation_of(schema: &Schema, table: TableIdx, field: FieldIdx) -> Option<&Relation> {
    schema.relations.iter().find(|relation| relation.from_table == table && relation.from_field == field)
}

/// `Some(true)`: the bound allows less than before, `Some(false)`: it allows more. `tighter` is how a tighter bound compares
/// with the one before.
fn bound_change(old: Option<&Value>, new: Option<&Value>, tighter: Ordering) -> Option<bool> {
    match (old, new) {
        (None, Some(_)) => Some(true),
        (Some(_), None) => Some(false),
        (Some(old), Some(new)) if old != new => Some(new.partial_cmp(old) == Some(tighter)),
        _ => None,
    }
}
