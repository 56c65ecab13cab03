//! Edits of the schema while the database runs.
//!
//! An edit changes the schema's canonical JSON and has the whole of it parsed and checked again: the language has one
//! checker, and what it accepts over HTTP it accepts from a file. Then every table is carried over ([`rebuild`]), those that
//! did not change as they are, and the new catalog is published with them: readers see the old schema with the old tables, or
//! the new one with the new ones.
//!
//! What generated code was compiled for stays as it is: its tables keep their places, their compiled fields cannot go, and a
//! new field of theirs lies in a column group of its own, [`EXTENSION_GROUP`], so that no compiled offset moves.

use crate::catalog::Catalog;
use crate::engine::Engine;
use crate::error::{Error, Result, SchemaEditError, nearest};
use crate::table::rebuild::rebuild;
use crate::table::writer::TableWriter;
use dbgen_schema::{Format, Schema, Source};
use serde_json::{Map, Value as Json, json};

/// The column group of fields that were added to a compiled table at run time.
pub const EXTENSION_GROUP: &str = "extension";

/// A change to the schema. Definitions are in the schema language, as in a schema file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SchemaEdit {
    /// A new table: `definition` is what stands under its name in a schema file.
    CreateTable {
        /// Its name.
        table: String,
        /// Its fields, indexes and so on.
        definition: Json,
    },
    /// A table's end, with all of its records.
    DropTable {
        /// Its name.
        table: String,
        /// Fields of other tables that refer to it go too.
        cascade: bool,
    },
    /// A new field. Records take its default.
    AddField {
        /// The table.
        table: String,
        /// The field, as it stands in a schema file.
        definition: Json,
    },
    /// A field's end, with its values.
    DropField {
        /// The table.
        table: String,
        /// The field.
        field: String,
        /// Indexes and relations that use it go too.
        cascade: bool,
    },
    /// A new relation. Existing records are checked against it.
    CreateRelation {
        /// The relation, as it stands in a schema file.
        definition: Json,
    },
    /// A relation's end; its field stays.
    DropRelation {
        /// Its name.
        name: String,
    },
}

impl Engine {
    /// Edits the schema; gives its new version. Must not run inside a transaction.
    ///
    /// # Errors
    /// [`Error::SchemaEdit`], [`Error::Schema`] with all that the checker finds, [`Error::Invalid`] if records break a new
    /// rule. Nothing is changed then.
    pub fn edit_schema(&mut self, edit: &SchemaEdit) -> Result<u64> {
        self.publish();
        let old = self.catalog.clone();
        let mut draft = Draft::new(&old)?;
        draft.edit(edit, self)?;
        let version = old.version() + 1;
        let catalog = Catalog::new(draft.parse()?, old.compiled_tables(), version)?;
        let mut tables = Vec::with_capacity(catalog.tables().len());
        for def in catalog.tables() {
            let from = old.table(&def.name).ok();
            tables.push(match from {
                Some(from) if from.stores_like(def) => None,
                from => Some(TableWriter::new(rebuild(def, from.map(|from| self.view(from.at)))?)),
            });
        }
        self.check_relations(&old, &catalog, &tables)?;
        self.replace_catalog(catalog, tables);
        Ok(version)
    }
}

/// The schema's JSON, being edited.
struct Draft<'a> {
    old: &'a Catalog,
    json: Json,
}

impl Draft<'_> {
    fn new(old: &Catalog) -> Result<Draft<'_>> {
        let text = dbgen_schema::write::to_json_pretty(old.schema());
        Ok(Draft { old, json: serde_json::from_str(&text).map_err(Error::abort)? })
    }

    fn parse(&self) -> Result<Schema> {
        let source =
            Source { name: "the edited schema".to_owned(), text: format!("{:#}", self.json), format: Format::Json };
        let mut schema = Schema::parse(&source).map_err(|wrong| Error::Schema(Box::new(wrong)))?;
        // Generated code knows its indexes by their numbers: those that were there keep them.
        for (new, old) in schema.tables.iter_mut().zip(&self.old.schema().tables) {
            if new.name == old.name {
                let place = |name: &str| old.indexes.iter().position(|index| index.name == name).unwrap_or(usize::MAX);
                new.indexes.sort_by_key(|index| place(&index.name));
            }
        }
        Ok(schema)
    }

    fn edit(&mut self, edit: &SchemaEdit, engine: &Engine) -> Result<()> {
        match edit {
            SchemaEdit::CreateTable { table, definition } => self.create_table(table, definition),
            SchemaEdit::DropTable { table, cascade } => self.drop_table(table, *cascade),
            SchemaEdit::AddField { table, definition } => self.add_field(table, definition, engine),
            SchemaEdit::DropField { table, field, cascade } => self.drop_field(table, field, *cascade),
            SchemaEdit::CreateRelation { definition } => {
                array(&mut self.json, "relations").push(definition.clone());
                Ok(())
            }
            SchemaEdit::DropRelation { name } => self.drop_relation(name),
        }
    }

    fn create_table(&mut self, table: &str, definition: &Json) -> Result<()> {
        if self.old.table(table).is_ok() {
            return Err(SchemaEditError::TableExists { table: table.to_owned() }.into());
        }
        object(&mut self.json, "tables").insert(table.to_owned(), definition.clone());
        Ok(())
    }

    fn drop_table(&mut self, table: &str, cascade: bool) -> Result<()> {
        let def = self.old.table(table)?;
        if self.old.is_compiled(def.at) {
            return Err(SchemaEditError::Compiled { what: table.to_owned() }.into());
        }
        let incoming = def.incoming.iter().filter(|relation| relation.from_table != def.at);
        let referring: Vec<(String, String)> = incoming
            .map(|relation| {
                let from = &self.old.tables()[relation.from_table];
                (from.name.clone(), from.fields[relation.from_field].name.clone())
            })
            .collect();
        if !cascade && !referring.is_empty() {
            let by = referring.iter().map(|(table, field)| format!("{table}.{field}")).collect();
            return Err(SchemaEditError::TableReferenced { table: table.to_owned(), by }.into());
        }
        for (from, field) in referring {
            self.drop_field(&from, &field, true)?;
        }
        object(&mut self.json, "tables").shift_remove(table);
        let own = format!("{table}.");
        array(&mut self.json, "relations").retain(|relation| !text(relation, "from").starts_with(&own));
        Ok(())
    }

    fn add_field(&mut self, table: &str, definition: &Json, engine: &Engine) -> Result<()> {
        let def = self.old.table(table)?;
        let field = text(definition, "name");
        if def.field(field).is_some() {
            return Err(SchemaEditError::FieldExists { table: table.to_owned(), field: field.to_owned() }.into());
        }
        let records = engine.view(def.at).version.len();
        let is = |key: &str| definition.get(key).and_then(Json::as_bool).unwrap_or(false);
        if records > 0 && definition.get("default").is_none() && !is("nullable") && !is("auto_increment") {
            let (table, field) = (table.to_owned(), field.to_owned());
            return Err(SchemaEditError::DefaultRequired { table, field, records }.into());
        }
        let mut definition = definition.clone();
        if let (true, Some(definition)) = (self.old.is_compiled(def.at), definition.as_object_mut()) {
            definition.insert("group".to_owned(), json!(EXTENSION_GROUP));
        }
        array(self.table_json(table), "fields").push(definition);
        Ok(())
    }

    fn drop_field(&mut self, table: &str, field: &str, cascade: bool) -> Result<()> {
        let def = self.old.table(table)?;
        let at = def.field(field).ok_or_else(|| Error::UnknownField {
            table: table.to_owned(),
            name: field.to_owned(),
            suggestion: nearest(field, def.fields.iter().map(|field| field.name.as_str())),
        })?;
        let group = &self.old.schema().tables[def.at].groups[def.fields[at].at.group];
        if self.old.is_compiled(def.at) && group != EXTENSION_GROUP {
            return Err(SchemaEditError::Compiled { what: format!("{table}.{field}") }.into());
        }
        let uses_it = |index: &&dbgen_schema::Index| index.written && index.fields.iter().any(|field| field.at() == at);
        let indexes = self.old.schema().tables[def.at].indexes.iter().filter(uses_it).map(|index| index.name.clone());
        let relations = def.outgoing.iter().chain(&def.incoming).filter(|relation| {
            (relation.from_table == def.at && relation.from_field == at)
                || (relation.to_table == def.at && relation.to_value.is_some_and(|(_, field)| field == at))
        });
        let by: Vec<String> = indexes.chain(relations.map(|relation| relation.name.clone())).collect();
        if !cascade && !by.is_empty() {
            return Err(SchemaEditError::FieldUsed { table: table.to_owned(), field: field.to_owned(), by }.into());
        }
        let table_json = self.table_json(table);
        array(table_json, "fields").retain(|candidate| text(candidate, "name") != field);
        array(table_json, "indexes").retain(|index| !by.iter().any(|name| name == text(index, "name")));
        array(&mut self.json, "relations").retain(|relation| !by.iter().any(|name| name == text(relation, "name")));
        Ok(())
    }

    fn drop_relation(&mut self, name: &str) -> Result<()> {
        let unknown = || SchemaEditError::UnknownRelation { name: name.to_owned() };
        let relation = self.old.schema().relations.iter().find(|relation| relation.name == name).ok_or_else(unknown)?;
        let from = relation.from_table.at();
        let group = self.old.tables()[from].fields[relation.from_field.at()].at.group;
        if self.old.is_compiled(from) && self.old.schema().tables[from].groups[group] != EXTENSION_GROUP {
            return Err(SchemaEditError::Compiled { what: name.to_owned() }.into());
        }
        if !relation.written {
            // It is what the field's type says: the field would have to go.
            let from = &self.old.tables()[from];
            let (table, field) = (from.name.clone(), from.fields[relation.from_field.at()].name.clone());
            return Err(SchemaEditError::FieldUsed { table, field, by: vec![name.to_owned()] }.into());
        }
        array(&mut self.json, "relations").retain(|relation| text(relation, "name") != name);
        Ok(())
    }

    fn table_json(&mut self, table: &str) -> &mut Json {
        object(&mut self.json, "tables").entry(table).or_insert_with(|| json!({}))
    }
}

fn text<'j>(json: &'j Json, key: &str) -> &'j str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// The object under `key`, made if there is none.
fn object<'j>(json: &'j mut Json, key: &str) -> &'j mut Map<String, Json> {
    if !json[key].is_object() {
        json[key] = json!({});
    }
    match &mut json[key] {
        Json::Object(object) => object,
        _ => unreachable!("it was made an object"),
    }
}

/// The array under `key`, made if there is none.
fn array<'j>(json: &'j mut Json, key: &str) -> &'j mut Vec<Json> {
    if !json[key].is_array() {
        json[key] = json!([]);
    }
    match &mut json[key] {
        Json::Array(array) => array,
        _ => unreachable!("it was made an array"),
    }
}
