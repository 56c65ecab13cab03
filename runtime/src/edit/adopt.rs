//! Taking over a schema that was stored, and storing one that changed.

use super::Origins;
use crate::catalog::Catalog;
use crate::engine::Engine;
use crate::error::Result;
use crate::redo::Group;
use crate::redo::stored::{StoredOrigin, StoredSchema};

impl Engine {
    /// Takes a schema over, with the records of the tables that it had before. Must not run inside a transaction.
    ///
    /// # Errors
    /// What stands in the way of an edit to it. Nothing is changed then.
    pub(crate) fn adopt(&mut self, catalog: Catalog, origins: &Origins) -> Result<()> {
        self.publish();
        let old = self.catalog.clone();
        let tables = self.carry_tables(&old, &catalog, origins)?;
        self.check_relations(&old, &catalog, origins, &tables)?;
        let group = self.schema_group(&catalog, origins)?;
        self.replace_catalog(catalog, tables);
        self.hand_over_schema(group);
        Ok(())
    }

    /// A schema that is about to be taken over, for the log.
    pub(super) fn schema_group(&self, catalog: &Catalog, origins: &Origins) -> Result<Option<Group>> {
        if self.sink.is_none() {
            return Ok(None);
        }
        let mut stored = StoredSchema::of(catalog, &self.given)?;
        let origin = |(table, fields): (&Option<usize>, &Vec<Option<usize>>)| StoredOrigin {
            table: *table,
            fields: fields.clone(),
        };
        stored.origins = Some(origins.tables.iter().zip(&origins.fields).map(origin).collect());
        let payload = serde_json::to_vec(&stored).map_err(crate::Error::abort)?;
        let (commit, tick) = (self.commit + 1, self.tick);
        Ok(Some(Group { commit, tick, schema: true, schema_version: catalog.version(), payload }))
    }

    /// Hands the schema, which was taken over, to the log.
    pub(super) fn hand_over_schema(&mut self, group: Option<Group>) {
        if let (Some(group), Some(sink)) = (group, &mut self.sink) {
            debug_assert_eq!(group.commit, self.commit, "an edit is a commit by itself");
            sink.append(group);
            self.redo.relabel(crate::redo::logged_tables(&self.catalog), self.commit);
        }
    }
}

impl Origins {
    /// What a stored schema was in the one before, which was `old`; `None` if that cannot be.
    pub(crate) fn of_stored(stored: &[StoredOrigin], old: &Catalog, new: &Catalog) -> Option<Origins> {
        let fits = |(at, origin): (usize, &StoredOrigin)| {
            let def = new.tables().get(at)?;
            let from = match origin.table {
                None => 0,
                Some(from) => old.tables().get(from)?.fields.len(),
            };
            let in_range = |field: &Option<usize>| field.is_none_or(|field| field < from);
            (origin.fields.len() == def.fields.len() && origin.fields.iter().all(in_range)).then_some(())
        };
        (stored.len() == new.tables().len()).then_some(())?;
        stored.iter().enumerate().map(fits).collect::<Option<Vec<()>>>()?;
        Some(Origins {
            tables: stored.iter().map(|origin| origin.table).collect(),
            fields: stored.iter().map(|origin| origin.fields.clone()).collect(),
        })
    }
}
