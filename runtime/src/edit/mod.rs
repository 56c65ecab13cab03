//! Edits of the schema while the database runs.
//!
//! An edit changes the schema's JSON (`draft`) and has the whole of it parsed and checked again: the language has one
//! checker, and what it accepts at run time it accepts from a file. The draft remembers what every table and field of it
//! was before, so a renamed one is the same one. Then every table is carried over (`carry`), those that did not change
//! as they are, records that break a new rule are told, and the new catalog is published with the new tables: readers see
//! the old schema with the old tables, or the new one with the new ones.
//!
//! Several edits are one step: the checker sees what they make together, so two tables that refer to each other can be
//! made at once, and one edit that is refused undoes all. Nothing of the engine changes before everything is known to hold.
//!
//! What generated code was compiled for stays as it is (`compiled`): its tables keep their places, its fields keep their
//! offsets, and a new field of its tables lies in a column group of its own, [`EXTENSION_GROUP`].
//!
//! Types are edited like tables: a value of a type that changed is taken over member by member (`convert`), wherever it
//! lies: in a field, in a list, in a payload.

mod adopt;
mod between;
mod carry;
mod compiled;
mod convert;
mod draft;
mod in_the_way;
mod index;
mod origins;
mod recast;
mod references;
mod schema_edit;
mod types;

use crate::catalog::Catalog;
use crate::engine::{Engine, NewTable};
use crate::error::Result;
use crate::table::def::TableDef;
use crate::table::version::TableView;
use crate::table::writer::TableWriter;
use carry::{Carried, carry};
use convert::Types;
use dbgen_schema::Schema;
use draft::Draft;
use in_the_way::InTheWay;
pub(crate) use origins::Origins;
pub use schema_edit::SchemaEdit;
pub(crate) use types::number_variants;

/// The column group of fields that were added to a compiled table at run time.
pub const EXTENSION_GROUP: &str = "extension";

impl Engine {
    /// Makes edits of the schema, all or none; gives its new version. Must not run inside a transaction.
    ///
    /// # Errors
    /// [`Error::SchemaEdit`](crate::Error::SchemaEdit), [`Error::Schema`](crate::Error::Schema) with all that the checker
    /// finds. Nothing is changed then.
    pub fn edit_schema(&mut self, edits: &[SchemaEdit]) -> Result<u64> {
        self.check_writable()?;
        self.publish();
        let old = self.catalog.clone();
        if edits.is_empty() {
            return Ok(old.version());
        }
        let (mut schema, origins) = self.drafted(&old, edits)?;
        let next_id = origins.give_ids(&mut schema, old.next_id());
        let catalog = old.edited(schema, next_id)?;
        compiled::check(&catalog)?;
        let tables = self.carry_tables(&old, &catalog, &origins)?;
        self.check_relations(&old, &catalog, &origins, &tables)?;
        let version = catalog.version();
        let group = self.schema_group(&catalog, &origins)?;
        self.replace_catalog(catalog, tables);
        self.tape.edit(edits);
        self.hand_over_schema(group);
        Ok(version)
    }

    /// The schema that edits make of another, as the checker accepts it.
    fn drafted(&self, old: &Catalog, edits: &[SchemaEdit]) -> Result<(Schema, Origins)> {
        let mut draft = Draft::new(old)?;
        edits.iter().try_for_each(|edit| draft.edit(edit, self))?;
        draft.finish()
    }

    /// Whether the schema that edits would make is one, whatever the records say; nothing is changed.
    ///
    /// # Errors
    /// As [`edit_schema`](Engine::edit_schema).
    #[cfg(feature = "server")]
    pub(crate) fn try_edits(&self, edits: &[SchemaEdit]) -> Result<()> {
        self.drafted(&self.catalog, edits).map(drop)
    }

    /// Every table of `new` with the records that it had in `old`.
    fn carry_tables(&self, old: &Catalog, new: &Catalog, origins: &Origins) -> Result<Vec<NewTable>> {
        let one = |(at, def): (usize, &TableDef)| match origins.tables[at].from {
            None => Ok(NewTable::Made(Box::new(TableWriter::empty(def)))),
            Some(from) => {
                let view = TableView { def: &old.tables()[from], version: self.view(from).version };
                let components = origins.components(old, def, from);
                let types = Types { old: old.schema(), new: new.schema(), origins };
                Ok(match carry(def, view, types, &components)? {
                    Carried::AsItIs => NewTable::Kept(from),
                    Carried::Anew(version) => {
                        NewTable::Made(Box::new(TableWriter::carried(version, self.next_commit())))
                    }
                })
            }
        };
        new.tables().iter().enumerate().map(one).collect()
    }

    /// Checks the records of relations that are new, or lead elsewhere now.
    fn check_relations(&self, old: &Catalog, new: &Catalog, origins: &Origins, tables: &[NewTable]) -> Result<()> {
        let view = |at: usize| {
            let version = match &tables[at] {
                NewTable::Made(writer) => writer.current(),
                NewTable::Kept(from) => self.view(*from).version,
            };
            TableView { def: &new.tables()[at], version }
        };
        for relation in new.tables().iter().flat_map(|table| &table.outgoing) {
            if !origins.had(old, relation) {
                let mut in_the_way = InTheWay::default();
                in_the_way.find_strays(relation, view(relation.from_table), view(relation.to_table));
                in_the_way.finish()?;
            }
        }
        Ok(())
    }
}
