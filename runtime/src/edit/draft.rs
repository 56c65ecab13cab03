//! The schema's JSON, being edited.
//!
//! ```text
//! canonical JSON of the old schema ──► Draft: types, tables and their members, each with its number in the old schema
//!                                        │ edits: names are looked up here, so an edit sees those before it
//!                                        ▼
//!                     JSON ──► parsed and checked as a whole ──► Schema + Origins
//! ```

use super::origins::{Origin, Origins};
use super::references::{
    index_fields, index_name, is_field, is_set, path_table, ref_target, referred_table, rename_field_in_path,
    rename_field_in_table, rename_table_in_field, rename_table_in_path, text,
};
use super::tables::Tables;
use super::types::number_variants;
use super::{EXTENSION_GROUP, SchemaEdit};
use crate::catalog::Catalog;
use crate::error::{Error, Result, SchemaEditError, nearest};
use crate::redo::schema_json::{Named, SchemaJson};
use dbgen_schema::Schema;
use serde_json::{Map, Value as Json, json};

/// A schema being edited.
pub(super) struct Draft<'a> {
    pub(super) old: &'a Catalog,
    /// Everything but types, tables and relations.
    own: Map<String, Json>,
    pub(super) composites: Vec<Definition>,
    pub(super) enums: Vec<Definition>,
    pub(super) tables: Vec<Definition>,
    pub(super) relations: Vec<Json>,
    /// A field that the records which are there would have no value for.
    unfilled: Option<SchemaEditError>,
}

/// A table, a composite or an enum being edited.
pub(super) struct Definition {
    pub(super) name: String,
    /// Its number among its like in the old schema; `None` = it is new.
    pub(super) origin: Option<usize>,
    /// What stands under its name, without its members if they are a list.
    pub(super) json: Json,
    /// Under which key its members stand.
    pub(super) list: &'static str,
    /// Its fields, or variants.
    pub(super) fields: Vec<Member>,
}

/// A field or a variant being edited.
pub(super) struct Member {
    /// Its number in the old definition; `None` = it is new.
    pub(super) origin: Option<usize>,
    pub(super) json: Json,
}

impl Definition {
    pub(super) fn new(name: &str, origin: Option<usize>, json: &Json, list: &'static str) -> Definition {
        let mut json = json.clone();
        number_variants(&mut json);
        let mut fields = Vec::new();
        if let Some(Json::Array(given)) = json.as_object_mut().and_then(|members| members.get_mut(list)) {
            let given = std::mem::take(given).into_iter().enumerate();
            fields.extend(given.map(|(at, json)| Member { origin: origin.map(|_| at), json }));
        }
        Definition { name: name.to_owned(), origin, json, list, fields }
    }

    /// The member of this name.
    pub(super) fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| text(&field.json, "name") == name)
    }

    /// The names of its members.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| text(&field.json, "name"))
    }

    /// Its definition, members and all, under its name.
    fn into_json(mut self) -> (String, Json) {
        if let Some(Json::Array(list)) = self.json.as_object_mut().and_then(|members| members.get_mut(self.list)) {
            list.extend(self.fields.into_iter().map(|field| field.json));
        }
        (self.name, self.json)
    }

    fn origins(definitions: &[Definition]) -> Vec<Origin> {
        let members = |it: &Definition| it.fields.iter().map(|field| field.origin).collect();
        definitions.iter().map(|it| Origin { from: it.origin, members: members(it) }).collect()
    }
}

impl<'a> Draft<'a> {
    pub(super) fn new(old: &'a Catalog) -> Result<Draft<'a>> {
        let SchemaJson { own, custom_types, enums, tables, relations } = SchemaJson::of(old.schema())?;
        let all = |named: Named, list: &'static str| -> Vec<Definition> {
            named.iter().enumerate().map(|(at, (name, json))| Definition::new(name, Some(at), json, list)).collect()
        };
        let composites = all(custom_types, "fields");
        let (enums, tables) = (all(enums, "variants"), all(tables, "fields"));
        Ok(Draft { old, own, composites, enums, tables, relations, unfilled: None })
    }

    /// Has the whole schema checked; says what everything in it was before.
    pub(super) fn finish(self) -> Result<(Schema, Origins)> {
        let origins = Origins {
            composites: Definition::origins(&self.composites),
            enums: Definition::origins(&self.enums),
            tables: Definition::origins(&self.tables),
        };
        let all =
            |definitions: Vec<Definition>| -> Named { definitions.into_iter().map(Definition::into_json).collect() };
        let edited = SchemaJson {
            own: self.own,
            custom_types: all(self.composites),
            enums: all(self.enums),
            tables: all(self.tables),
            relations: self.relations,
        };
        let mut schema = edited.parse("the edited schema")?;
        if let Some(unfilled) = self.unfilled {
            return Err(unfilled.into());
        }
        // Generated code knows its indexes by their numbers: those that were there keep them.
        for (table, origin) in schema.tables.iter_mut().zip(&origins.tables) {
            let Some(old) = origin.from.map(|at| &self.old.schema().tables[at]) else { continue };
            let place = |name: &str| old.indexes.iter().position(|index| index.name == name).unwrap_or(usize::MAX);
            table.indexes.sort_by_key(|index| place(&index.name));
        }
        Ok((schema, origins))
    }

    /// Makes one edit.
    pub(super) fn edit(&mut self, edit: &SchemaEdit, tables: &Tables<'_>) -> Result<()> {
        match edit {
            SchemaEdit::AlterSchema { changes } => self.alter_schema(changes),
            SchemaEdit::CreateTable { table, definition } => self.create_table(table, definition),
            SchemaEdit::AlterTable { table, changes } => self.alter_table(table, changes),
            SchemaEdit::DropTable { table, cascade } => self.drop_table(table, *cascade),
            SchemaEdit::AddField { table, definition } => self.add_field(table, definition, tables),
            SchemaEdit::AlterField { table, field, changes } => self.alter_field(table, field, changes),
            SchemaEdit::DropField { table, field, cascade } => self.drop_field(table, field, *cascade),
            SchemaEdit::CreateIndex { table, definition } => self.create_index(table, definition),
            SchemaEdit::DropIndex { table, index } => self.drop_index(table, index),
            SchemaEdit::CreateRelation { definition } => self.create_relation(definition),
            SchemaEdit::DropRelation { name } => self.drop_relation(name),
            SchemaEdit::CreateType { name, definition } => self.create_type(name, definition),
            SchemaEdit::AlterType { name, changes } => self.alter_type(name, changes),
            SchemaEdit::DropType { name } => self.drop_type(name),
            SchemaEdit::AddMember { of, definition } => self.add_member(of, definition, tables),
            SchemaEdit::AlterMember { of, member, changes } => self.alter_member(of, member, changes),
            SchemaEdit::DropMember { of, member } => self.drop_member(of, member),
        }
    }

    /// The table of this name; an error that names the nearest one if there is none.
    pub(super) fn table(&self, name: &str) -> Result<usize> {
        self.tables.iter().position(|table| table.name == name).ok_or_else(|| {
            let suggestion = nearest(name, self.tables.iter().map(|table| table.name.as_str()));
            Error::UnknownTable { name: name.to_owned(), suggestion }
        })
    }

    /// The table and field of these names.
    fn table_and_field(&self, table: &str, field: &str) -> Result<(usize, usize)> {
        let at = self.table(table)?;
        let found = self.tables[at].field(field).ok_or_else(|| {
            let suggestion = nearest(field, self.tables[at].names());
            Error::UnknownField { table: table.to_owned(), name: field.to_owned(), suggestion }
        })?;
        Ok((at, found))
    }

    /// The indexes that a table's definition writes down.
    pub(super) fn indexes_mut(&mut self, table: usize) -> &mut Vec<Json> {
        let json = &mut self.tables[table].json;
        if !json["indexes"].is_array() {
            json["indexes"] = json!([]);
        }
        match &mut json["indexes"] {
            Json::Array(indexes) => indexes,
            _ => unreachable!("it was made an array"),
        }
    }

    fn is_compiled(&self, table: usize) -> bool {
        self.tables[table].origin.is_some_and(|origin| self.old.is_compiled(origin))
    }

    fn alter_schema(&mut self, changes: &Json) -> Result<()> {
        let changes = members(changes, "the schema", |key| SCHEMA_MEMBERS.contains(&key))?;
        for (key, value) in changes {
            match value {
                Json::Null => drop(self.own.remove(key)),
                value => drop(self.own.insert(key.clone(), value.clone())),
            }
        }
        Ok(())
    }

    fn create_table(&mut self, table: &str, definition: &Json) -> Result<()> {
        if self.table(table).is_ok() {
            return Err(SchemaEditError::TableExists { table: table.to_owned() }.into());
        }
        self.tables.push(Definition::new(table, None, definition, "fields"));
        Ok(())
    }

    fn alter_table(&mut self, table: &str, changes: &Json) -> Result<()> {
        const ALTERABLE: &[&str] = &["name", "description", "capacity", "durability", "require_if_match", "schedule"];
        let at = self.table(table)?;
        let changes = members(changes, table, |key| ALTERABLE.contains(&key))?;
        for (key, value) in changes.iter().filter(|(key, _)| *key != "name") {
            merge(&mut self.tables[at].json, key, value);
        }
        match changes.get("name") {
            Some(name) => self.rename_table(at, name),
            None => Ok(()),
        }
    }

    fn rename_table(&mut self, at: usize, to: &Json) -> Result<()> {
        let from = self.tables[at].name.clone();
        let Some(to) = to.as_str() else { return Err(not_alterable(&from, "name")) };
        if from == to {
            return Ok(());
        }
        if self.table(to).is_ok() {
            return Err(SchemaEditError::TableExists { table: to.to_owned() }.into());
        }
        self.tables[at].name = to.to_owned();
        for table in &mut self.tables {
            if text(&table.json, "parent_table") == from {
                table.json["parent_table"] = json!(to);
            }
            table.fields.iter_mut().for_each(|field| rename_table_in_field(&mut field.json, &from, to));
        }
        for relation in &mut self.relations {
            rename_table_in_path(relation, "from", &from, to);
            rename_table_in_path(relation, "to", &from, to);
        }
        Ok(())
    }

    fn drop_table(&mut self, table: &str, cascade: bool) -> Result<()> {
        let at = self.table(table)?;
        if self.is_compiled(at) {
            return Err(SchemaEditError::Compiled { what: table.to_owned() }.into());
        }
        let others = self.tables.iter().filter(|other| other.name != table);
        let components: Vec<String> = others
            .clone()
            .filter(|other| text(&other.json, "parent_table") == table)
            .map(|other| other.name.clone())
            .collect();
        let referring: Vec<(String, String)> = others
            .flat_map(|other| other.fields.iter().map(move |field| (&other.name, &field.json)))
            .filter(|(other, field)| self.refers_to(other, field, table))
            .map(|(other, field)| (other.clone(), text(field, "name").to_owned()))
            .collect();
        if !cascade && (!referring.is_empty() || !components.is_empty()) {
            let fields = referring.iter().map(|(table, field)| format!("{table}.{field}"));
            let by = fields.chain(components).collect();
            return Err(SchemaEditError::TableReferenced { table: table.to_owned(), by }.into());
        }
        for component in components {
            self.drop_table(&component, true)?;
        }
        for (from, field) in referring {
            if self.table(&from).is_ok() {
                self.drop_field(&from, &field, true)?;
            }
        }
        self.tables.retain(|other| other.name != table);
        self.relations.retain(|relation| path_table(text(relation, "from")) != table);
        Ok(())
    }

    /// Whether a field refers to the table: by its type, its foreign key, or a relation.
    fn refers_to(&self, table: &str, field: &Json, to: &str) -> bool {
        let from = |relation: &&Json| is_field(text(relation, "from"), table, text(field, "name"));
        referred_table(field) == Some(to)
            || self.relations.iter().filter(from).any(|relation| path_table(text(relation, "to")) == to)
    }

    fn add_field(&mut self, table: &str, definition: &Json, tables: &Tables<'_>) -> Result<()> {
        let at = self.table(table)?;
        let field = text(definition, "name");
        if self.tables[at].field(field).is_some() {
            return Err(SchemaEditError::FieldExists { table: table.to_owned(), field: field.to_owned() }.into());
        }
        let records = self.tables[at].origin.map_or(0, |origin| tables.view(origin).version.len());
        let is_valued = definition.get("default").is_some() || is_set(definition, "nullable");
        if records > 0 && !is_valued && !is_set(definition, "auto_increment") {
            // Told when the rest of the definition is right, so that what is wrong with it is told first.
            let (table, field) = (table.to_owned(), field.to_owned());
            self.unfilled.get_or_insert(SchemaEditError::DefaultRequired { table, field, records });
        }
        let mut definition = definition.clone();
        if let (true, Some(definition)) = (self.is_compiled(at), definition.as_object_mut()) {
            definition.insert("group".to_owned(), json!(EXTENSION_GROUP));
        }
        self.tables[at].fields.push(Member { origin: None, json: definition });
        Ok(())
    }

    fn alter_field(&mut self, table: &str, field: &str, changes: &Json) -> Result<()> {
        let (at, found) = self.table_and_field(table, field)?;
        let is_compiled = self.is_compiled(at);
        let alterable = |key: &str| key != "id" && key != "renamed_from" && !(key == "group" && is_compiled);
        let changes = members(changes, &format!("{table}.{field}"), alterable)?;
        for (key, value) in changes.iter().filter(|(key, _)| *key != "name") {
            merge(&mut self.tables[at].fields[found].json, key, value);
        }
        match changes.get("name") {
            Some(name) => self.rename_field(at, found, name),
            None => Ok(()),
        }
    }

    fn rename_field(&mut self, at: usize, found: usize, to: &Json) -> Result<()> {
        let table = self.tables[at].name.clone();
        let from = text(&self.tables[at].fields[found].json, "name").to_owned();
        let Some(to) = to.as_str() else { return Err(not_alterable(&format!("{table}.{from}"), "name")) };
        if from == to {
            return Ok(());
        }
        if self.tables[at].field(to).is_some() {
            return Err(SchemaEditError::FieldExists { table, field: to.to_owned() }.into());
        }
        self.tables[at].fields[found].json["name"] = json!(to);
        rename_field_in_table(&mut self.tables[at].json, &from, to);
        for field in self.tables.iter_mut().flat_map(|table| &mut table.fields) {
            rename_field_in_path(&mut field.json, "foreign_key", &table, &from, to);
        }
        for relation in &mut self.relations {
            rename_field_in_path(relation, "from", &table, &from, to);
            rename_field_in_path(relation, "to", &table, &from, to);
        }
        Ok(())
    }

    fn drop_field(&mut self, table: &str, field: &str, cascade: bool) -> Result<()> {
        let (at, found) = self.table_and_field(table, field)?;
        let indexes = self.tables[at].json.get("indexes").and_then(Json::as_array).into_iter().flatten();
        let uses_it = |index: &&Json| index_fields(index).contains(&field);
        let mut by: Vec<String> = indexes.filter(uses_it).map(index_name).collect();
        let ends_here = |relation: &Json| {
            is_field(text(relation, "from"), table, field) || is_field(text(relation, "to"), table, field)
        };
        by.extend(self.relations.iter().filter(|relation| ends_here(relation)).map(relation_name));
        let own = &self.tables[at].fields[found].json;
        let is_written = self.relations.iter().any(|relation| is_field(text(relation, "from"), table, field));
        let is_reference = ref_target(text(own, "type")).is_some() || own.get("foreign_key").is_some();
        by.extend((is_reference && !is_written).then(|| format!("{table}_{field}")));
        by.extend(self.referring_keys(table, field).into_iter().map(|(at, found)| {
            let from = &self.tables[at];
            format!("{}_{}", from.name, text(&from.fields[found].json, "name"))
        }));
        by.dedup();
        if !cascade && !by.is_empty() {
            return Err(SchemaEditError::FieldUsed { table: table.to_owned(), field: field.to_owned(), by }.into());
        }
        for (at, found) in self.referring_keys(table, field) {
            if let Some(definition) = self.tables[at].fields[found].json.as_object_mut() {
                definition.remove("foreign_key");
                definition.remove("on_delete");
            }
        }
        self.relations.retain(|relation| !ends_here(relation));
        let table = &mut self.tables[at];
        if let Some(Json::Array(indexes)) = table.json.get_mut("indexes") {
            indexes.retain(|index| !index_fields(index).contains(&field));
        }
        table.fields.remove(found);
        Ok(())
    }

    /// Fields whose foreign key is this field.
    fn referring_keys(&self, table: &str, field: &str) -> Vec<(usize, usize)> {
        let is_key = |key: &Json| is_field(text(key, "foreign_key"), table, field);
        let of = |(at, other): (usize, &Definition)| {
            let keys = other.fields.iter().enumerate().filter(|(_, it)| is_key(&it.json));
            keys.map(|(found, _)| (at, found)).collect::<Vec<_>>()
        };
        self.tables.iter().enumerate().flat_map(of).collect()
    }

    /// Who refers to a field by value: fields as `table.field`, relations by their names.
    pub(super) fn referring_by_value(&self, table: &str, field: &str) -> Vec<String> {
        let keys = self.referring_keys(table, field).into_iter().map(|(at, found)| {
            let from = &self.tables[at];
            format!("{}.{}", from.name, text(&from.fields[found].json, "name"))
        });
        let relations = self.relations.iter().filter(|relation| is_field(text(relation, "to"), table, field));
        keys.chain(relations.map(relation_name)).collect()
    }

    fn create_relation(&mut self, definition: &Json) -> Result<()> {
        let name = relation_name(definition);
        if !name.is_empty() && self.relations.iter().any(|other| relation_name(other) == name) {
            return Err(SchemaEditError::RelationExists { name }.into());
        }
        self.relations.push(definition.clone());
        Ok(())
    }

    fn drop_relation(&mut self, name: &str) -> Result<()> {
        if let Some(at) = self.relations.iter().position(|relation| relation_name(relation) == name) {
            // One that only names a reference leaves it as it is; what generated code relies on is asked at the end.
            self.relations.remove(at);
            return Ok(());
        }
        for table in &self.tables {
            for field in table.fields.iter().map(|field| &field.json) {
                let own = text(field, "name");
                if referred_table(field).is_some() && name == format!("{}_{own}", table.name) {
                    // It is what the field's definition says: the field would have to go.
                    let (table, field) = (table.name.clone(), own.to_owned());
                    return Err(SchemaEditError::FieldUsed { table, field, by: vec![name.to_owned()] }.into());
                }
            }
        }
        Err(SchemaEditError::UnknownRelation { name: name.to_owned() }.into())
    }
}

/// The name of a relation: written, or what follows from its field.
fn relation_name(relation: &Json) -> String {
    match relation.get("name").and_then(Json::as_str) {
        Some(name) => name.to_owned(),
        None => text(relation, "from").replace('.', "_"),
    }
}

/// What a schema says of itself.
pub(super) const SCHEMA_MEMBERS: &[&str] = &["name", "version", "description"];

/// The members of a change, all of which may change.
pub(super) fn members<'j>(
    changes: &'j Json,
    what: &str,
    alterable: impl Fn(&str) -> bool,
) -> Result<&'j Map<String, Json>> {
    let Some(members) = changes.as_object() else { return Err(not_alterable(what, "")) };
    match members.keys().find(|key| !alterable(key)) {
        Some(key) => Err(not_alterable(what, key)),
        None => Ok(members),
    }
}

pub(super) fn not_alterable(what: &str, member: &str) -> Error {
    SchemaEditError::NotAlterable { what: what.to_owned(), member: member.to_owned() }.into()
}

/// Writes a member of a definition anew; null takes it away.
pub(super) fn merge(definition: &mut Json, key: &str, value: &Json) {
    let Some(members) = definition.as_object_mut() else { return };
    match value {
        Json::Null => drop(members.remove(key)),
        value => drop(members.insert(key.to_owned(), value.clone())),
    }
}
