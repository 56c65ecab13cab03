//! The live schema: the model and, for every table, what the engine has prepared of it.

use crate::error::{Error, Result, nearest};
use crate::table::def::{self, TableDef};
use dbgen_schema::Schema;
use std::collections::HashMap;
use std::sync::Arc;

/// A schema, prepared. Never changes; an edit makes another.
#[derive(Debug)]
pub struct Catalog {
    schema: Arc<Schema>,
    tables: Vec<TableDef>,
    by_name: HashMap<String, usize>,
    /// The first so many tables are known to generated code.
    compiled_tables: usize,
    version: u64,
}

impl Catalog {
    /// Prepares a schema. Its first `compiled_tables` tables are known to generated code.
    pub fn new(schema: Schema, compiled_tables: usize, version: u64) -> Result<Catalog> {
        let tables = def::prepare(&schema)?;
        let by_name = tables.iter().map(|table| (table.name.clone(), table.at)).collect();
        Ok(Catalog { schema: Arc::new(schema), tables, by_name, compiled_tables, version })
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// All tables, in the schema's order.
    #[inline]
    pub fn tables(&self) -> &[TableDef] {
        &self.tables
    }

    /// The table of this name; an error that names the nearest one if there is none.
    pub fn table(&self, name: &str) -> Result<&TableDef> {
        match self.by_name.get(name) {
            Some(at) => Ok(&self.tables[*at]),
            None => {
                let names = self.tables.iter().map(|table| table.name.as_str());
                Err(Error::UnknownTable { name: name.to_owned(), suggestion: nearest(name, names) })
            }
        }
    }

    /// Whether generated code depends on the table.
    pub fn is_compiled(&self, table: usize) -> bool {
        table < self.compiled_tables
    }

    /// How many tables generated code knows: the first ones.
    pub fn compiled_tables(&self) -> usize {
        self.compiled_tables
    }

    /// Counts the edits since the database was made.
    pub fn version(&self) -> u64 {
        self.version
    }
}
