//! Taking over a schema that was stored, and storing one that changed.

use super::tables::Tables;
use super::{Drawn, Origins};
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
    pub(crate) fn adopt(&mut self, catalog: Catalog, origins: Origins) -> Result<()> {
        self.publish();
        let (tables, drawn) = (Tables::of(self), Drawn { catalog, origins });
        let made = drawn.carry(&tables)?;
        drawn.check_relations(&tables, &made)?;
        self.take_over(drawn, made).map(drop)
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
