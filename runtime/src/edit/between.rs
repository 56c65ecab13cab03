//! The edits that lead from one schema to another, as one step.
//!
//! Both are compared as canonical JSON. Tables and fields are the same by name, or if the new one says `renamed_from`;
//! types by name, or if the one that is gone says the same as one that is new; variants by their numbers.

use super::draft::{Definition, SCHEMA_MEMBERS};
use super::references::text;
use super::schema_edit::SchemaEdit;
use crate::error::Result;
use crate::redo::schema_json::{Named, SchemaJson};
use dbgen_schema::Schema;
use serde_json::{Map, Value as Json};

impl SchemaEdit {
    /// The edits that make the schema `new` of the schema `old`, to be made in one step.
    ///
    /// # Errors
    /// [`Error::Aborted`](crate::Error::Aborted) if one of them cannot be written as JSON.
    pub fn between(old: &Schema, new: &Schema) -> Result<Vec<SchemaEdit>> {
        let (old, new) = (SchemaJson::of(old)?, SchemaJson::of(new)?);
        let mut between = Between::default();
        let changes = difference(&old.own, &new.own, |key| SCHEMA_MEMBERS.contains(&key.as_str()));
        if !changes.is_empty() {
            between.changes.push(SchemaEdit::AlterSchema { changes: Json::Object(changes) });
        }
        between.relations(&old.relations, &new.relations);
        between.types(&old.custom_types, &new.custom_types, "fields");
        between.types(&old.enums, &new.enums, "variants");
        between.tables(&old.tables, &new.tables);
        let Between { drops, types, changes, adds, ends } = between;
        Ok([drops, types, changes, adds, ends].concat())
    }
}

/// Edits in the order in which they are made: what goes makes room, and what comes may refer to what has changed.
#[derive(Default)]
struct Between {
    drops: Vec<SchemaEdit>,
    /// Types before what is made of them.
    types: Vec<SchemaEdit>,
    changes: Vec<SchemaEdit>,
    adds: Vec<SchemaEdit>,
    /// Types that nothing is made of any more.
    ends: Vec<SchemaEdit>,
}

impl Between {
    fn relations(&mut self, old: &[Json], new: &[Json]) {
        for relation in old.iter().filter(|relation| !new.contains(relation)) {
            self.drops.push(SchemaEdit::DropRelation { name: text(relation, "name").to_owned() });
        }
        for relation in new.iter().filter(|relation| !old.contains(relation)) {
            self.adds.push(SchemaEdit::CreateRelation { definition: relation.clone() });
        }
    }

    fn types(&mut self, old: &Named, new: &Named, members: &'static str) {
        let mut gone: Vec<(&str, &Json)> = old.iter().filter(|(name, _)| new.get(name).is_none()).collect();
        for (name, definition) in new.iter() {
            if let Some(was) = old.get(name) {
                self.one_type(name, was, definition, members);
            } else if let Some(at) = gone.iter().position(|(_, gone)| *gone == definition) {
                self.types.push(SchemaEdit::rename_type(gone.remove(at).0, name));
            } else {
                self.types.push(SchemaEdit::create_type(name, definition.clone()));
            }
        }
        self.ends.extend(gone.into_iter().map(|(name, _)| SchemaEdit::drop_type(name)));
    }

    fn one_type(&mut self, name: &str, old: &Json, new: &Json, members: &'static str) {
        let empty = Map::new();
        let own = |key: &&String| *key == "description";
        let changes = difference(old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty), own);
        if !changes.is_empty() {
            self.types.push(SchemaEdit::AlterType { name: name.to_owned(), changes: Json::Object(changes) });
        }
        let [old, new] = [old, new].map(|json| Definition::new(name, None, json, members));
        let is_same = |was: &Json, is: &Json| match members {
            "variants" => was["number"] == is["number"],
            _ => text(was, "name") == text(is, "name") || text(was, "name") == text(is, "renamed_from"),
        };
        let (mut kept, mut added) = (vec![false; old.fields.len()], Vec::new());
        for member in &new.fields {
            let Some(at) = old.fields.iter().position(|was| is_same(&was.json, &member.json)) else {
                added.push(SchemaEdit::add_member(name, member.json.clone()));
                continue;
            };
            kept[at] = true;
            let (was, of) = (&old.fields[at].json, name.to_owned());
            let own = |key: &&String| !matches!(key.as_str(), "renamed_from" | "id" | "number");
            let changes = difference(was.as_object().unwrap_or(&empty), member.json.as_object().unwrap_or(&empty), own);
            if !changes.is_empty() {
                let (member, changes) = (text(was, "name").to_owned(), Json::Object(changes));
                self.types.push(SchemaEdit::AlterMember { of, member, changes });
            }
        }
        let gone = old.fields.iter().zip(kept).filter(|(_, kept)| !kept);
        self.types.extend(gone.map(|(member, _)| SchemaEdit::drop_member(name, text(&member.json, "name"))));
        self.types.extend(added);
    }

    fn tables(&mut self, old: &Named, new: &Named) {
        let empty = Map::new();
        let mut kept = Vec::new();
        for (name, definition) in new.iter() {
            let from = if old.get(name).is_some() { name } else { text(definition, "renamed_from") };
            match old.get(from) {
                Some(was) => {
                    kept.push(from);
                    self.table(from, name, was.as_object().unwrap_or(&empty), definition.as_object().unwrap_or(&empty));
                }
                // Tables that refer to each other come together, before what is related by name.
                None => {
                    let edit = SchemaEdit::CreateTable { table: name.to_owned(), definition: definition.clone() };
                    self.changes.insert(0, edit);
                }
            }
        }
        for (name, _) in old.iter().filter(|(name, _)| !kept.contains(name)) {
            self.drops.push(SchemaEdit::drop_table(name));
        }
    }

    fn table(&mut self, from: &str, to: &str, old: &Map<String, Json>, new: &Map<String, Json>) {
        let own = |key: &&String| !matches!(key.as_str(), "fields" | "indexes" | "renamed_from" | "id");
        let mut changes = difference(old, new, own);
        if from != to {
            changes.insert("name".to_owned(), to.into());
        }
        let items = |object: &Map<String, Json>, key: &str| match object.get(key) {
            Some(Json::Array(items)) => items.clone(),
            _ => Vec::new(),
        };
        let (old_indexes, new_indexes) = (items(old, "indexes"), items(new, "indexes"));
        for index in old_indexes.iter().filter(|index| !new_indexes.contains(index)) {
            self.drops.push(SchemaEdit::drop_index(from, text(index, "name")));
        }
        self.fields(from, &items(old, "fields"), &items(new, "fields"));
        if !changes.is_empty() {
            self.changes.push(SchemaEdit::AlterTable { table: from.to_owned(), changes: Json::Object(changes) });
        }
        for index in new_indexes.iter().filter(|index| !old_indexes.contains(index)) {
            self.adds.push(SchemaEdit::create_index(to, index.clone()));
        }
    }

    fn fields(&mut self, table: &str, old: &[Json], new: &[Json]) {
        let empty = Map::new();
        let find = |name: &str| old.iter().find(|field| text(field, "name") == name && !name.is_empty());
        let mut kept = Vec::new();
        for field in new {
            let Some(was) = find(text(field, "name")).or_else(|| find(text(field, "renamed_from"))) else {
                self.changes.push(SchemaEdit::add_field(table, field.clone()));
                continue;
            };
            kept.push(text(was, "name"));
            let own = |key: &&String| !matches!(key.as_str(), "renamed_from" | "id");
            let changes = difference(was.as_object().unwrap_or(&empty), field.as_object().unwrap_or(&empty), own);
            if !changes.is_empty() {
                self.changes.push(SchemaEdit::alter_field(table, text(was, "name"), Json::Object(changes)));
            }
        }
        for field in old.iter().filter(|field| !kept.contains(&text(field, "name"))) {
            // What used it is gone from the new schema too: it would not have passed its check otherwise.
            let (table, field) = (table.to_owned(), text(field, "name").to_owned());
            self.drops.push(SchemaEdit::DropField { table, field, cascade: true });
        }
    }
}

/// The members that differ, as a merge patch: null for those that go.
fn difference(
    old: &Map<String, Json>,
    new: &Map<String, Json>,
    is_concerned: impl Fn(&&String) -> bool,
) -> Map<String, Json> {
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Json::Null));
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value));
    let changed = changed.map(|(key, value)| (key.clone(), value.clone()));
    gone.chain(changed).filter(|(key, _)| is_concerned(&key)).collect()
}
