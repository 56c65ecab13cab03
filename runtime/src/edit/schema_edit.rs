//! A change to the schema, as data: what a caller asks for, a recording keeps, and a server shows as its plan.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

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
    /// What the schema says of itself, said anew.
    AlterSchema {
        /// The members that change: `name`, `version`, `description`; null takes one away that need not be there.
        changes: Json,
    },
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
    /// A new type: an enum if its definition has `variants`, a composite if it has `fields`.
    CreateType {
        /// Its name.
        name: String,
        /// What stands under its name in a schema file.
        definition: Json,
    },
    /// Some of what a type's definition says, said anew.
    AlterType {
        /// The type.
        name: String,
        /// `name` renames it, everywhere; `description`. Its members have edits of their own.
        changes: Json,
    },
    /// A type's end, unless a field or another type is made of it.
    DropType {
        /// Its name.
        name: String,
    },
    /// A new variant of an enum, or a new field of a composite. Stored values of the composite take the field's default,
    /// wherever they lie.
    AddMember {
        /// The type.
        of: String,
        /// The variant or field, as it stands in a schema file.
        definition: Json,
    },
    /// Some of what the definition of a variant or a composite's field says, said anew. Stored values are taken over as
    /// with [`AlterField`](SchemaEdit::AlterField).
    AlterMember {
        /// The type.
        of: String,
        /// The variant or field.
        member: String,
        /// The members that change; null takes one away. `name` renames it, in defaults too. A variant's number stays, and
        /// one without a payload gets none.
        changes: Json,
    },
    /// The end of a variant, which no stored value may be, or of a composite's field, with its values.
    DropMember {
        /// The type.
        of: String,
        /// The variant or field.
        member: String,
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

    /// A new enum or composite.
    pub fn create_type(name: impl Into<String>, definition: Json) -> SchemaEdit {
        SchemaEdit::CreateType { name: name.into(), definition }
    }

    /// Another name for a type; whatever is made of it follows.
    pub fn rename_type(name: impl Into<String>, to: impl Into<String>) -> SchemaEdit {
        SchemaEdit::AlterType { name: name.into(), changes: json!({ "name": to.into() }) }
    }

    /// A type's end, unless it is used.
    pub fn drop_type(name: impl Into<String>) -> SchemaEdit {
        SchemaEdit::DropType { name: name.into() }
    }

    /// A new variant or a composite's new field.
    pub fn add_member(of: impl Into<String>, definition: Json) -> SchemaEdit {
        SchemaEdit::AddMember { of: of.into(), definition }
    }

    /// Another name for a variant or a composite's field.
    pub fn rename_member(of: impl Into<String>, member: impl Into<String>, to: impl Into<String>) -> SchemaEdit {
        let changes = json!({ "name": to.into() });
        SchemaEdit::AlterMember { of: of.into(), member: member.into(), changes }
    }

    /// The end of a variant or of a composite's field.
    pub fn drop_member(of: impl Into<String>, member: impl Into<String>) -> SchemaEdit {
        SchemaEdit::DropMember { of: of.into(), member: member.into() }
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
