//! The checked model: what a schema says, with every name resolved and every rule of the language already holding.
//!
//! Only `check` builds these types (they are `#[non_exhaustive]`), so whoever holds a [`Schema`] may rely on:
//!
//! - indices ([`TableIdx`], [`EnumIdx`], [`CompositeIdx`]) are in bounds, field indices too;
//! - composites and enums form no cycle, also not through lists; every record is at most 64 KiB;
//! - names obey [`check_name`](crate::ident::check_name) and are unique also after case conversion: tables among each
//!   other, composites and enums among each other (a table `item_kind` may stand beside an enum `ItemKind`), and the
//!   database's name among both; fields, groups and indexes in their table, variants in their enum, relations;
//! - defaults, `min` and `max` fit their field's type; a default is never null;
//! - a `ref<table>` is the whole type of a table's field, never part of a type;
//! - every reference has exactly one [`Relation`], and the referring field has an index over it alone;
//! - no table is its own parent, over however many others; references that are never null form no cycle;
//! - a relation that restricts deletion does not lead to a table that survives less than the referring one;
//! - a table's [`indexes`](Table::indexes) hold *all* of its indexes: those written under `indexes` and those that
//!   follow from `unique`, `primary_key`, `indexed`, relations and the `at` of a schedule.

use crate::field_type::Type;
use crate::value::Value;

macro_rules! index_type {
    ($(#[$doc:meta] $name:ident;)*) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            /// As an index into the schema's list.
            #[inline]
            pub const fn at(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

index_type! {
    /// Position of a table in [`Schema::tables`].
    TableIdx;
    /// Position of a field in [`Table::fields`] or [`Composite::fields`].
    FieldIdx;
    /// Position of an enum in [`Schema::enums`].
    EnumIdx;
    /// Position of a composite in [`Schema::composites`].
    CompositeIdx;
}

/// The id of a table, field or variant that stays the same through renames and reorderings; written in the lock file.
/// 0 = none assigned yet. Ids from [`StableId::RUNTIME_MIN`] up belong to what was made at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct StableId(pub u32);

impl StableId {
    /// The first id of what is made at run time, so that it never meets an id of a lock file.
    pub const RUNTIME_MIN: u32 = 1 << 31;
}

/// A whole schema.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Schema {
    /// Name of the database: `arena`. Names the generated module and facade.
    pub name: String,
    /// The author's version of the schema.
    pub version: String,
    /// What the database is for.
    pub description: Option<String>,
    /// Composite types, in the order of the file.
    pub composites: Vec<Composite>,
    /// Enums, in the order of the file.
    pub enums: Vec<Enumeration>,
    /// Tables, in the order of the file.
    pub tables: Vec<Table>,
    /// Relations: the written ones first, then those that references imply.
    pub relations: Vec<Relation>,
}

/// A type made of named fields.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Composite {
    /// Its name, as in the schema: `Vec3`.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its fields. Of their attributes only name, type, nullable, default, min, max and description have a meaning here.
    pub fields: Vec<Field>,
}

/// A type with a fixed set of named values.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Enumeration {
    /// Its name, as in the schema: `Class`.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its variants, not necessarily in the order of their numbers; the first has number 0, so that zeroed memory is a
    /// valid value. The numbers are at most 255 if there are up to 256 variants.
    pub variants: Vec<Variant>,
}

/// One value of an enum.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Variant {
    /// Its name, as in the schema: `warrior`.
    pub name: String,
    /// The number that is stored.
    pub number: u16,
    /// What comes with it, if anything.
    pub payload: Option<Type>,
    /// What it means.
    pub description: Option<String>,
}

/// How much of a table survives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Every commit is logged.
    #[default]
    Log,
    /// Only what the last snapshot held.
    Snapshot,
    /// Nothing.
    None,
}

/// One table.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Table {
    /// Its stable id.
    pub id: StableId,
    /// Its name, as in the schema: `player`.
    pub name: String,
    /// What its records are.
    pub description: Option<String>,
    /// Records to make room for when the database opens.
    pub capacity: u32,
    /// How much of it survives a restart.
    pub durability: Durability,
    /// Whether clients of the server change a record only under `If-Match`, so that nobody overwrites what they have not seen.
    pub require_if_match: bool,
    /// For a component table: the table whose records its records belong to, one each at most.
    pub parent: Option<TableIdx>,
    /// For a timer table: when and what to call.
    pub schedule: Option<Schedule>,
    /// Its fields, in the order of the file.
    pub fields: Vec<Field>,
    /// Names of its column groups; the first is always `row`.
    pub groups: Vec<String>,
    /// All of its indexes.
    pub indexes: Vec<Index>,
    /// The name it had before, for migrations.
    pub renamed_from: Option<String>,
    /// 1-based line in the schema file; 0 if the schema did not come from a file.
    pub line: u32,
}

/// One field of a table or composite.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Field {
    /// Its stable id.
    pub id: StableId,
    /// Its name, as in the schema: `hp`.
    pub name: String,
    /// What it holds.
    pub description: Option<String>,
    /// Its type.
    pub ty: Type,
    /// Whether it may hold nothing.
    pub nullable: bool,
    /// The value of a record that does not give one.
    pub default: Option<Value>,
    /// Smallest value allowed.
    pub min: Option<Value>,
    /// Largest value allowed.
    pub max: Option<Value>,
    /// No two records may hold the same value.
    pub unique: bool,
    /// Unique, not null and immutable.
    pub primary_key: bool,
    /// Has an index of its own.
    pub indexed: bool,
    /// Takes the next number when a record does not give one.
    pub auto_increment: bool,
    /// NaN and infinities may be stored (floats only).
    pub allow_nan: bool,
    /// Position of its column group in [`Table::groups`].
    pub group: u32,
    /// The name it had before, for migrations.
    pub renamed_from: Option<String>,
    /// 1-based line in the schema file; 0 if the schema did not come from a file.
    pub line: u32,
}

/// How an index finds its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IndexKind {
    /// By order: equality, ranges, sorting.
    #[default]
    Btree,
    /// By equality alone.
    Hash,
}

/// One index of a table.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Index {
    /// Its name: written, or `by_<field>`.
    pub name: String,
    /// The fields of its key, most significant first.
    pub fields: Vec<FieldIdx>,
    /// How it finds.
    pub kind: IndexKind,
    /// No two records may have the same key. Records whose key holds a null do not collide.
    pub unique: bool,
    /// False if it follows from a field's attribute or a relation, so that writing the schema does not repeat it.
    pub written: bool,
}

/// What happens to the referring records when a record is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnDelete {
    /// The deletion is refused.
    #[default]
    Restrict,
    /// They are deleted too.
    Cascade,
    /// Their field becomes null.
    SetNull,
}

/// A reference from a field to a table.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Relation {
    /// Its name: written, or `<table>_<field>`.
    pub name: String,
    /// The referring table.
    pub from_table: TableIdx,
    /// The referring field.
    pub from_field: FieldIdx,
    /// The table referred to.
    pub to_table: TableIdx,
    /// The unique field whose value is referred to; `None` = the record id.
    pub to_field: Option<FieldIdx>,
    /// What a deletion does.
    pub on_delete: OnDelete,
    /// False if a reference implies it, so that writing the schema does not repeat it.
    pub written: bool,
}

/// A timer table: when a record falls due, the tick calls a procedure.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Schedule {
    /// The timestamp field that says when.
    pub at: FieldIdx,
    /// The duration field that re-arms, if any.
    pub every: Option<FieldIdx>,
    /// The procedure to call.
    pub procedure: String,
}

macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),* $(,)? })*) => {$(
        impl $type {
            /// All of them, in the order of the documentation.
            pub const ALL: &[$type] = &[$($type::$variant),*];

            /// The word for it in a schema.
            pub const fn as_str(self) -> &'static str {
                match self { $($type::$variant => $word),* }
            }

            /// What this word of a schema stands for.
            pub fn from_word(word: &str) -> Option<$type> {
                $type::ALL.iter().copied().find(|it| it.as_str() == word)
            }
        }
    )*};
}

words! {
    Durability { Log = "log", Snapshot = "snapshot", None = "none" }
    IndexKind { Btree = "btree", Hash = "hash" }
    OnDelete { Restrict = "restrict", Cascade = "cascade", SetNull = "set_null" }
}

impl Schema {
    /// The table of this name and its index.
    pub fn table(&self, name: &str) -> Option<(TableIdx, &Table)> {
        let at = self.tables.iter().position(|table| table.name == name)?;
        Some((TableIdx(at as u32), &self.tables[at]))
    }
}

impl Schema {
    /// Whether both say the same, wherever their files say it: equal but for the lines.
    pub fn says_the_same(&self, other: &Schema) -> bool {
        let unplaced = |schema: &Schema| {
            let mut schema = schema.clone();
            let composites = schema.composites.iter_mut().flat_map(|it| &mut it.fields);
            let tables = schema.tables.iter_mut().flat_map(|table| {
                table.line = 0;
                &mut table.fields
            });
            composites.chain(tables).for_each(|field| field.line = 0);
            schema
        };
        unplaced(self) == unplaced(other)
    }
}

impl Field {
    /// Whether whoever makes a record must give it: it has no default, may not be null, and is not numbered.
    pub fn is_required(&self) -> bool {
        !self.nullable && self.default.is_none() && !self.auto_increment
    }
}

impl Table {
    /// The field of this name and its index.
    pub fn field(&self, name: &str) -> Option<(FieldIdx, &Field)> {
        let at = self.fields.iter().position(|field| field.name == name)?;
        Some((FieldIdx(at as u32), &self.fields[at]))
    }
}
