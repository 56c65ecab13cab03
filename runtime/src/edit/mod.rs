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
//!
//! Large tables are carried over beside the loop (`beside`), and catch up with what was written meanwhile (`follow`).

mod adopt;
mod beside;
mod between;
mod carry;
mod compiled;
mod convert;
mod draft;
mod follow;
mod in_the_way;
mod index;
mod origins;
mod recast;
mod references;
mod schema_edit;
mod shapes;
mod tables;
mod types;

pub(crate) use beside::{FOLLOWED_ROWS_MAX, Finished, Later, Plan, Seen, heavy_tables};
pub(crate) use origins::Origins;
pub use schema_edit::SchemaEdit;
pub(crate) use types::number_variants;

use crate::catalog::Catalog;
use crate::engine::Engine;
use crate::error::Result;
use crate::table::def::{RelationDef, TableDef};
use crate::table::version::TableView;
use crate::table::writer::TableWriter;
use convert::Types;
use dbgen_schema::Schema;
use draft::Draft;
use in_the_way::InTheWay;
use shapes::Shapes;
use tables::Tables;

/// The column group of fields that were added to a compiled table at run time.
pub const EXTENSION_GROUP: &str = "extension";

/// What edits make of a catalog, before any record is looked at.
struct Drawn {
    catalog: Catalog,
    origins: Origins,
}

/// A table of the new catalog.
enum Made {
    /// It is new, and empty.
    New(Box<TableWriter>),
    /// The bytes of the old table of this number stay as they are.
    AsItIs(usize),
    /// The records of the old table of this number in another shape.
    Anew(usize, Box<TableWriter>),
}

impl Engine {
    /// Makes edits of the schema, all or none; gives its new version. Must not run inside a transaction.
    ///
    /// # Errors
    /// [`Error::SchemaEdit`](crate::Error::SchemaEdit), [`Error::Schema`](crate::Error::Schema) with all that the checker
    /// finds. Nothing is changed then.
    pub fn edit_schema(&mut self, edits: &[SchemaEdit]) -> Result<u64> {
        self.check_writable()?;
        self.publish();
        if edits.is_empty() {
            return Ok(self.catalog.version());
        }
        let tables = Tables::of(self);
        let drawn = Drawn::new(&tables, edits)?;
        let made = drawn.carry(&tables)?;
        drawn.check_relations(&tables, &made)?;
        let version = self.take_over(drawn, made)?;
        self.tape.edit(edits);
        Ok(version)
    }

    /// Takes a new schema over, with its tables, which hold all that was committed; gives its version.
    fn take_over(&mut self, drawn: Drawn, made: Vec<Made>) -> Result<u64> {
        let group = self.schema_group(&drawn.catalog, &drawn.origins)?;
        let (version, commit) = (drawn.catalog.version(), self.next_commit());
        self.replace_catalog(drawn.catalog, made.into_iter().map(|table| table.into_new(commit)).collect());
        self.hand_over_schema(group);
        Ok(version)
    }

    /// Whether the schema that edits would make is one, whatever the records say; nothing is changed.
    ///
    /// # Errors
    /// As [`edit_schema`](Engine::edit_schema).
    #[cfg(feature = "server")]
    pub(crate) fn try_edits(&self, edits: &[SchemaEdit]) -> Result<()> {
        drafted(&Tables::of(self), edits).map(drop)
    }
}

/// The schema that edits make of another, as the checker accepts it.
fn drafted(tables: &Tables<'_>, edits: &[SchemaEdit]) -> Result<(Schema, Origins)> {
    let mut draft = Draft::new(tables.catalog)?;
    edits.iter().try_for_each(|edit| draft.edit(edit, tables))?;
    draft.finish()
}

impl Drawn {
    /// What `edits` make of the catalog of `tables`.
    fn new(tables: &Tables<'_>, edits: &[SchemaEdit]) -> Result<Drawn> {
        let (mut schema, origins) = drafted(tables, edits)?;
        let next_id = origins.give_ids(&mut schema, tables.catalog.next_id());
        let catalog = tables.catalog.edited(schema, next_id, origins.tables.iter().map(|table| table.from))?;
        compiled::check(&catalog)?;
        Ok(Drawn { catalog, origins })
    }

    /// For every component table of table `at`, its place among those of `from`, the table that it was.
    fn components(&self, old: &Catalog, at: usize, from: usize) -> Vec<Option<usize>> {
        self.origins.components(old, &self.catalog.tables()[at], from)
    }

    /// Table `at` beside the table that it was, `from`.
    fn shapes<'a>(&'a self, old: &'a Catalog, at: usize, from: usize, components: &'a [Option<usize>]) -> Shapes<'a> {
        Shapes {
            def: &self.catalog.tables()[at],
            old: &old.tables()[from],
            types: Types { old: old.schema(), new: self.catalog.schema(), origins: &self.origins },
            origins: &self.origins.tables[at].members,
            components,
        }
    }

    /// Table `at` as it was made.
    fn view<'a>(&'a self, tables: &Tables<'a>, made: &'a [Made], at: usize) -> TableView<'a> {
        let def = &self.catalog.tables()[at];
        let version = match &made[at] {
            Made::New(writer) | Made::Anew(_, writer) => &**writer.current(),
            Made::AsItIs(from) => tables.view(*from).version,
        };
        TableView { def, version }
    }

    /// The relations that are new, or lead elsewhere now.
    fn new_relations<'a>(&'a self, old: &'a Catalog) -> impl Iterator<Item = &'a RelationDef> {
        let all = self.catalog.tables().iter().flat_map(|table: &TableDef| &table.outgoing);
        all.filter(|relation| !self.origins.had(old, relation))
    }

    /// Checks the records of relations that are new.
    fn check_relations(&self, tables: &Tables<'_>, made: &[Made]) -> Result<()> {
        for relation in self.new_relations(tables.catalog) {
            let [from, to] = [relation.from_table, relation.to_table].map(|at| self.view(tables, made, at));
            let mut in_the_way = InTheWay::default();
            in_the_way.find_strays(relation, from, to, 0..from.version.len());
            in_the_way.finish()?;
        }
        Ok(())
    }
}
