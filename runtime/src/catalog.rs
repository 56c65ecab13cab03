//! The live schema: the model and, for every table, what the engine has prepared of it.

use crate::error::{Error, Result, nearest};
use crate::table::def::{self, TableDef};
use dbgen_schema::{Schema, StableId};
use std::collections::HashMap;
use std::sync::Arc;

/// A schema, prepared. Never changes; an edit makes another.
#[derive(Debug)]
pub struct Catalog {
    schema: Arc<Schema>,
    tables: Vec<TableDef>,
    by_name: HashMap<String, usize>,
    /// What generated code was compiled for; `None` without generated code.
    compiled: Option<Arc<Compiled>>,
    version: u64,
    /// The stable id that the next thing made at run time gets. None is given twice.
    next_id: u32,
}

/// What generated code was compiled for. Its tables are the first ones of every catalog.
#[derive(Debug)]
pub struct Compiled {
    /// The schema in the generated code.
    pub schema: Arc<Schema>,
    /// Its tables, prepared.
    pub tables: Vec<TableDef>,
}

impl Compiled {
    /// Prepares the schema in the generated code.
    pub fn new(schema: Schema) -> Result<Compiled> {
        Ok(Compiled { tables: def::prepare(&schema)?, schema: Arc::new(schema) })
    }
}

impl Catalog {
    /// Prepares a schema. Its first `compiled_tables` tables, if any, are all known to generated code, as they are here.
    pub fn new(schema: Schema, compiled_tables: usize, version: u64) -> Result<Catalog> {
        let compiled = if compiled_tables > 0 { Some(Arc::new(Compiled::new(schema.clone())?)) } else { None };
        Catalog::with_compiled(schema, compiled, version)
    }

    /// Prepares a schema that holds what generated code was compiled for, and what was made at run time since.
    pub fn with_compiled(schema: Schema, compiled: Option<Arc<Compiled>>, version: u64) -> Result<Catalog> {
        let mut tables = def::prepare(&schema)?;
        tables.iter_mut().for_each(|table| table.since = version);
        let by_name = tables.iter().map(|table| (table.name.clone(), table.at)).collect();
        let ids = schema.tables.iter().flat_map(|table| table.fields.iter().map(|field| field.id).chain([table.id]));
        let last = ids.map(|id| id.0).max().unwrap_or(0);
        let next_id = last.saturating_add(1).max(StableId::RUNTIME_MIN);
        Ok(Catalog { schema: Arc::new(schema), tables, by_name, compiled, version, next_id })
    }

    /// The catalog after an edit, which gave stable ids up to `next_id` to what is new; `was` says which table each was.
    pub(crate) fn edited(
        &self,
        schema: Schema,
        next_id: u32,
        was: impl Iterator<Item = Option<usize>>,
    ) -> Result<Catalog> {
        let mut edited = Catalog::with_compiled(schema, self.compiled.clone(), self.version + 1)?;
        for (table, was) in edited.tables.iter_mut().zip(was) {
            if was == Some(table.at) {
                table.since = self.tables[table.at].since;
            }
        }
        Ok(Catalog { next_id: edited.next_id.max(next_id), ..edited })
    }

    /// The catalog of a schema that was stored as number `version`, when the next stable id was `next_id`.
    pub(crate) fn restored(
        schema: Schema,
        compiled: Option<Arc<Compiled>>,
        version: u64,
        next_id: u32,
    ) -> Result<Catalog> {
        let restored = Catalog::with_compiled(schema, compiled, version)?;
        Ok(Catalog { next_id: restored.next_id.max(next_id), ..restored })
    }

    /// The stable id that the next thing made at run time gets.
    pub(crate) fn next_id(&self) -> u32 {
        self.next_id
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

    /// What generated code was compiled for.
    pub fn compiled(&self) -> Option<&Compiled> {
        self.compiled.as_deref()
    }

    /// Whether generated code depends on the table.
    pub fn is_compiled(&self, table: usize) -> bool {
        table < self.compiled_tables()
    }

    /// How many tables generated code knows: the first ones.
    pub fn compiled_tables(&self) -> usize {
        self.compiled.as_ref().map_or(0, |compiled| compiled.tables.len())
    }

    /// Counts the edits since the database was made.
    pub fn version(&self) -> u64 {
        self.version
    }
}
