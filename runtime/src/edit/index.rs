//! Edits of indexes.

use super::draft::Draft;
use super::references::{index_fields, index_name, is_field, is_set, ref_target, text};
use crate::error::{Error, Result, SchemaEditError, nearest};
use serde_json::{Value as Json, json};

impl Draft<'_> {
    pub(super) fn create_index(&mut self, table: &str, definition: &Json) -> Result<()> {
        let at = self.table(table)?;
        let name = index_name(definition);
        if self.index_names(at).contains(&name) {
            return Err(SchemaEditError::IndexExists { table: table.to_owned(), index: name }.into());
        }
        let mut definition = definition.clone();
        if let Some(members) = definition.as_object_mut() {
            members.entry("name").or_insert_with(|| json!(name));
        }
        self.indexes_mut(at).push(definition);
        Ok(())
    }

    pub(super) fn drop_index(&mut self, table: &str, index: &str) -> Result<()> {
        let at = self.table(table)?;
        let indexes = self.indexes_mut(at);
        if let Some(place) = indexes.iter().position(|candidate| index_name(candidate) == index) {
            let dropped = indexes.remove(place);
            if let ([field], true) = (index_fields(&dropped).as_slice(), is_set(&dropped, "unique")) {
                self.check_not_keyed(at, index, field)?;
            }
            return Ok(());
        }
        let implied = index.strip_prefix("by_").and_then(|field| self.tables[at].field(field));
        let Some(field) = implied.filter(|_| self.index_names(at).iter().any(|name| name == index)) else {
            let (table, name) = (table.to_owned(), index.to_owned());
            let suggestion = nearest(index, self.index_names(at).iter().map(String::as_str));
            return Err(SchemaEditError::UnknownIndex { table, name, suggestion }.into());
        };
        let needed_by = self.needs_index(at, field);
        if !needed_by.is_empty() {
            return Err(self.needed(at, index, needed_by));
        }
        let definition = &mut self.tables[at].fields[field].json;
        let was_unique = is_set(definition, "unique");
        if let Some(members) = definition.as_object_mut() {
            members.remove("unique");
            members.remove("indexed");
        }
        let field = text(definition, "name").to_owned();
        if was_unique { self.check_not_keyed(at, index, &field) } else { Ok(()) }
    }

    /// What an index of the field alone follows from, beside its `unique` and `indexed`.
    fn needs_index(&self, table: usize, field: usize) -> Vec<String> {
        let (table, field) = (&self.tables[table], &self.tables[table].fields[field].json);
        let name = text(field, "name");
        let mut by = Vec::new();
        if is_set(field, "primary_key") {
            by.push("the primary key".to_owned());
        }
        if ref_target(text(field, "type")).is_some() || field.get("foreign_key").is_some() {
            by.push(format!("the reference `{}.{name}`", table.name));
        }
        if table.json.get("schedule").is_some_and(|schedule| text(schedule, "at") == name) {
            by.push("the schedule".to_owned());
        }
        let from_here = self.relations.iter().filter(|relation| is_field(text(relation, "from"), &table.name, name));
        by.extend(from_here.map(|relation| format!("the relation `{}`", text(relation, "name"))));
        by
    }

    /// Refuses if others refer to the field by value and nothing else makes it unique.
    fn check_not_keyed(&self, table: usize, index: &str, field: &str) -> Result<()> {
        let owner = &self.tables[table];
        let definition = owner.field(field).map(|at| &owner.fields[at].json);
        let is_key = definition.is_some_and(|field| is_set(field, "unique") || is_set(field, "primary_key"));
        let is_written = |index: &Json| is_set(index, "unique") && index_fields(index) == [field];
        let others = owner.json.get("indexes").and_then(Json::as_array).into_iter().flatten();
        if is_key || others.into_iter().any(is_written) {
            return Ok(());
        }
        let by = self.referring_by_value(&owner.name, field);
        if by.is_empty() { Ok(()) } else { Err(self.needed(table, index, by)) }
    }

    fn needed(&self, table: usize, index: &str, by: Vec<String>) -> Error {
        SchemaEditError::IndexNeeded { table: self.tables[table].name.clone(), index: index.to_owned(), by }.into()
    }

    /// The names of a table's indexes, those that follow from fields included.
    fn index_names(&self, table: usize) -> Vec<String> {
        let table_draft = &self.tables[table];
        let written = table_draft.json.get("indexes").and_then(Json::as_array).into_iter().flatten();
        let written: Vec<&Json> = written.collect();
        let implied = (0..table_draft.fields.len()).filter_map(|at| {
            let field = &table_draft.fields[at].json;
            let unique = is_set(field, "unique") || is_set(field, "primary_key");
            let asked = unique || is_set(field, "indexed") || !self.needs_index(table, at).is_empty();
            let name = text(field, "name");
            // A written index that does its work stands for it.
            let done =
                written.iter().any(|index| index_fields(index) == [name] && (is_set(index, "unique") || !unique));
            (asked && !done).then(|| format!("by_{name}"))
        });
        written.iter().map(|index| index_name(index)).chain(implied).collect()
    }
}
