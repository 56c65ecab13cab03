//! Other tables, or another catalog, in place of what there is.

use super::{Engine, Version};
use crate::catalog::Catalog;
use crate::sync::Arc;
use crate::table::reaper::drop_later;
use crate::table::writer::TableWriter;

/// A table of a catalog that replaces another.
pub(crate) enum NewTable {
    /// Stored as the table of this number was.
    Kept(usize),
    /// In another shape, or new.
    Made(Box<TableWriter>),
}

impl Engine {
    /// Replaces the catalog: an edit of the schema. `tables[i]` is table `i` of `catalog`. Must not run inside a
    /// transaction.
    pub(crate) fn replace_catalog(&mut self, catalog: Catalog, tables: Vec<NewTable>) {
        let catalog = std::sync::Arc::new(catalog);
        self.commit += 1;
        let mut old: Vec<Option<TableWriter>> = std::mem::take(&mut self.tables).into_iter().map(Some).collect();
        self.dirty.clear();
        for (def, table) in catalog.tables().iter().zip(tables) {
            let table = match table {
                NewTable::Made(table) => Some(*table),
                NewTable::Kept(at) => old[at].take(),
            };
            let mut table = table.unwrap_or_else(|| TableWriter::empty(def));
            // What readers kept from being published until now is published with the new schema.
            if table.is_dirty() {
                table.publish(self.commit);
            }
            self.tables.push(table);
        }
        self.hooks.bind(&catalog);
        self.catalog = catalog.clone();
        let root = Arc::new(Version {
            commit: self.commit,
            tick: self.tick,
            catalog,
            tables: self.tables.iter().map(|table| table.current().clone()).collect(),
        });
        // The roots of the old catalog go before the tables that they name: what is large is not given back here.
        self.replace_root(root);
        self.stats.tables_dropped_later += old.iter().flatten().count() as u64;
        drop_later(old);
    }

    /// Has all tables be written where they lie, without versions, until [`Engine::end_again`]: nobody has the database yet.
    pub(crate) fn begin_again(&mut self) {
        let nothing =
            Version { commit: self.commit, tick: self.tick, catalog: self.catalog.clone(), tables: Vec::new() };
        // The root before goes, and with it what would keep the tables' versions from being written.
        self.swap_in(Arc::new(nothing));
        self.spares.clear();
        self.is_unproved.clear();
        self.is_unproved.resize(self.tables.len(), false);
        self.tables.iter_mut().for_each(TableWriter::begin_again);
    }

    /// Publishes what has been written since [`Engine::begin_again`].
    pub(crate) fn end_again(&mut self) {
        for (at, table) in self.tables.iter_mut().enumerate() {
            table.end_again(self.commit, self.is_unproved.get(at).copied().unwrap_or(true));
        }
        let tables = self.tables.iter().map(|table| table.current().clone()).collect();
        let root = Version { commit: self.commit, tick: self.tick, catalog: self.catalog.clone(), tables };
        self.swap_in(Arc::new(root));
        self.is_renumbered = false;
    }
}
