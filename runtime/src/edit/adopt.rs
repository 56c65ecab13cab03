//! Taking over a schema that was stored, and storing one that changed.

use super::Origins;
use crate::catalog::Catalog;
use crate::engine::Engine;
use crate::error::Result;
use crate::redo::Group;
use crate::redo::stored::StoredSchema;

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
        (stored.origins, stored.types) = origins.stored();
        let payload = serde_json::to_vec(&stored).map_err(crate::Error::abort)?;
        let (commit, tick) = (self.commit + 1, self.tick);
        Ok(Some(Group { commit, tick, schema: true, schema_version: catalog.version(), has_kept: false, payload }))
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
