//! A schema as it is stored: in the manifest of a snapshot, and in the log where it changed.

use super::schema_json::SchemaJson;
use crate::catalog::{Catalog, Compiled};
use crate::error::{Error, Result};
use dbgen_schema::{Format, Schema, Source};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A schema as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredSchema {
    /// Counts the edits.
    pub version: u64,
    /// The stable id that the next thing made at run time gets.
    pub next_id: u32,
    /// The schema, in its own language.
    pub schema: SchemaJson,
    /// The schema that the program gave when the database was opened last: what differs was made at run time.
    pub given: SchemaJson,
    /// The order of each table's indexes: buffers and generated code know them by their places.
    pub indexes: BTreeMap<String, Vec<String>>,
    /// For every table what it was in the schema before: its place, and those of its fields. Only in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origins: Option<Vec<StoredOrigin>>,
    /// The same for types. Only in the log, and not in one from before types could be edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<StoredTypes>,
}

/// What the types were in the schema before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredTypes {
    /// The composites, with their fields.
    pub composites: Vec<StoredOrigin>,
    /// The enums, with their variants.
    pub enums: Vec<StoredOrigin>,
}

/// What a table, or a type, was in the schema before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredOrigin {
    /// Its place; `None` = it is new.
    pub table: Option<usize>,
    /// The places of its fields, or variants.
    pub fields: Vec<Option<usize>>,
}

/// What a database without any schema starts with: tables are made while it runs.
pub(crate) fn empty_schema() -> Result<Schema> {
    let text = r#"{ "name": "world", "version": "0", "tables": {} }"#.to_owned();
    let source = Source { name: "the empty schema".to_owned(), text, format: Format::Json };
    Schema::parse(&source).map_err(|wrong| Error::Schema(Box::new(wrong)))
}

impl StoredSchema {
    /// The schema of a catalog. `given` is what the program gave.
    pub fn of(catalog: &Catalog, given: &Schema) -> Result<StoredSchema> {
        let tables = &catalog.schema().tables;
        let indexes = |table: &dbgen_schema::Table| table.indexes.iter().map(|index| index.name.clone()).collect();
        Ok(StoredSchema {
            version: catalog.version(),
            next_id: catalog.next_id(),
            schema: SchemaJson::of(catalog.schema())?,
            given: SchemaJson::of(given)?,
            indexes: tables.iter().map(|table| (table.name.clone(), indexes(table))).collect(),
            origins: None,
            types: None,
        })
    }

    /// The catalog of the schema, for a program that was compiled for `compiled`.
    pub(crate) fn catalog(&self, compiled: Option<Arc<Compiled>>) -> Result<Catalog> {
        Catalog::restored(self.parse()?, compiled, self.version, self.next_id)
    }

    /// The schema, its indexes in their places.
    pub fn parse(&self) -> Result<Schema> {
        let mut schema = self.schema.parse("the stored schema")?;
        for table in &mut schema.tables {
            let Some(names) = self.indexes.get(&table.name) else { continue };
            let place = |name: &str| names.iter().position(|known| known == name).unwrap_or(usize::MAX);
            table.indexes.sort_by_key(|index| place(&index.name));
        }
        Ok(schema)
    }
}
