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
//! What it does not do: custom types and enums are those of the schema that the database was opened with.

mod adopt;
mod carry;
mod compiled;
mod draft;
mod in_the_way;
mod index;
mod references;

use crate::catalog::Catalog;
use crate::engine::{Engine, NewTable};
use crate::error::Result;
use crate::table::def::TableDef;
use crate::table::version::TableView;
use crate::table::writer::TableWriter;
use carry::{Carried, carry};
use draft::Draft;
pub(crate) use draft::Origins;
use in_the_way::InTheWay;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// The column group of fields that were added to a compiled table at run time.
pub const EXTENSION_GROUP: &str = "extension";

/// A change to the schema. Definitions are in the schema language, as in a schema file.
///
/// ```
/// use dbgen_runtime::{Database, SchemaEdit};
/// use serde_json::json;
///
/// let db = Database::builder().open()?;
/// let item = json!({ "fields": [ { "name": "name", "type": "str<16>" }, { "name": "price", "type": "i32" } ] });
/// db.edit_schema(SchemaEdit::create_table("item", item))?;
/// // Several edits are one step: all of them or none.
/// db.edit_schema([
///     SchemaEdit::rename_field("item", "price", "cost"),
///     SchemaEdit::alter_field("item", "cost", json!({ "type": "i64", "nullable": true })),
///     SchemaEdit::create_index("item", json!({ "name": "by_name_cost", "fields": ["name", "cost"], "unique": true })),
/// ])?;
/// assert_eq!(db.read().schema().tables[0].fields[1].name, "cost");
/// # Ok::<(), dbgen_runtime::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SchemaEdit {
    /// A new table: `definition` is what stands under its name in a schema file.
    CreateTable {
        /// Its name.
        table: String,
        /// Its fields, indexes and so on.
        definition: Json,
    },
    /// Some of what a table's definition says, said anew; its records stay.
    AlterTable {
        /// The table.
        table: String,
        /// The members that change; null takes one away. `name` renames the table, everywhere. Its fields and indexes have
        /// edits of their own.
        changes: Json,
    },
    /// A table's end, with all of its records.
    DropTable {
        /// Its name.
        table: String,
        /// Fields of other tables that refer to it go too, and so do its component tables.
        cascade: bool,
    },
    /// A new field. Records take its default.
    AddField {
        /// The table.
        table: String,
        /// The field, as it stands in a schema file.
        definition: Json,
    },
    /// Some of what a field's definition says, said anew. Records keep their values, in the field's new type if it has
    /// one: a value that it cannot hold as it is refuses the edit. A null that may no longer be becomes the default.
    AlterField {
        /// The table.
        table: String,
        /// The field.
        field: String,
        /// The members that change; null takes one away. `name` renames the field, everywhere. A changed `default` is for
        /// records to come.
        changes: Json,
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
    /// A new index over the records that are there and those to come.
    CreateIndex {
        /// The table.
        table: String,
        /// The index, as it stands in a schema file: `{"name": …, "fields": […], "kind": …, "unique": …}`.
        definition: Json,
    },
    /// An index's end. One that follows from a field's `unique` or `indexed` takes that away.
    DropIndex {
        /// The table.
        table: String,
        /// Its name.
        index: String,
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

impl SchemaEdit {
    /// A new table.
    pub fn create_table(table: impl Into<String>, definition: Json) -> SchemaEdit {
        SchemaEdit::CreateTable { table: table.into(), definition }
    }

    /// Another name for a table; whatever refers to it follows.
    pub fn rename_table(table: impl Into<String>, to: impl Into<String>) -> SchemaEdit {
        SchemaEdit::AlterTable { table: table.into(), changes: json!({ "name": to.into() }) }
    }

    /// A table's end, unless others refer to it.
    pub fn drop_table(table: impl Into<String>) -> SchemaEdit {
        SchemaEdit::DropTable { table: table.into(), cascade: false }
    }

    /// A new field.
    pub fn add_field(table: impl Into<String>, definition: Json) -> SchemaEdit {
        SchemaEdit::AddField { table: table.into(), definition }
    }

    /// Changes of what a field is: `{"type": "i64"}`, `{"nullable": true}`, `{"default": 5}`.
    pub fn alter_field(table: impl Into<String>, field: impl Into<String>, changes: Json) -> SchemaEdit {
        SchemaEdit::AlterField { table: table.into(), field: field.into(), changes }
    }

    /// Another name for a field; whatever refers to it follows.
    pub fn rename_field(table: impl Into<String>, field: impl Into<String>, to: impl Into<String>) -> SchemaEdit {
        SchemaEdit::alter_field(table, field, json!({ "name": to.into() }))
    }

    /// A field's end, unless an index or a relation uses it.
    pub fn drop_field(table: impl Into<String>, field: impl Into<String>) -> SchemaEdit {
        SchemaEdit::DropField { table: table.into(), field: field.into(), cascade: false }
    }

    /// A new index.
    pub fn create_index(table: impl Into<String>, definition: Json) -> SchemaEdit {
        SchemaEdit::CreateIndex { table: table.into(), definition }
    }

    /// An index's end.
    pub fn drop_index(table: impl Into<String>, index: impl Into<String>) -> SchemaEdit {
        SchemaEdit::DropIndex { table: table.into(), index: index.into() }
    }
}

impl AsRef<[SchemaEdit]> for SchemaEdit {
    fn as_ref(&self) -> &[SchemaEdit] {
        std::slice::from_ref(self)
    }
}

impl From<SchemaEdit> for Vec<SchemaEdit> {
    fn from(edit: SchemaEdit) -> Vec<SchemaEdit> {
        vec![edit]
    }
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
        let old = self.catalog.clone();
        if edits.is_empty() {
            return Ok(old.version());
        }
        let mut draft = Draft::new(&old)?;
        for edit in edits {
            draft.edit(edit, self)?;
        }
        let (mut schema, origins) = draft.finish()?;
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

    /// Every table of `new` with the records that it had in `old`.
    fn carry_tables(&self, old: &Catalog, new: &Catalog, origins: &Origins) -> Result<Vec<NewTable>> {
        let one = |(at, def): (usize, &TableDef)| match origins.tables[at] {
            None => Ok(NewTable::Made(Box::new(TableWriter::empty(def)))),
            Some(from) => {
                let view = TableView { def: &old.tables()[from], version: self.view(from).version };
                let components = origins.components(old, def, from);
                Ok(match carry(def, view, &origins.fields[at], &components)? {
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
