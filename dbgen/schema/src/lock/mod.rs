//! The lock file: which id every table, field and variant has for ever.
//!
//! A schema speaks in names, stored data in ids. `schemas/arena.lock.json`, committed beside `arena.json`, keeps the two
//! together through renames and reorderings, and remembers the ids of what was removed, so that none is given twice.
//!
//! ```json
//! {
//!   "lock": 1,
//!   "fingerprint": "9ae16a3b2f90404f",
//!   "tables": { "player": { "id": 2, "fields": { "name": 1, "hp": 2 }, "retired": { "3": "mana" } } },
//!   "retired_tables": { "1": "npc" },
//!   "types": { "Vec3": { "fields": { "x": 1, "y": 2, "z": 3 } } },
//!   "enums": { "Class": { "variants": { "warrior": 0, "mage": 1 } } }
//! }
//! ```
//!
//! `dbgen lock` writes it ([`Lock::update`]); a build only reads it ([`Lock::assign`]) and reports where the schema has moved
//! on since ([`Drift`]). A table or field is found by its written `id`, else by its name, else by its `renamed_from`. A
//! variant's id is its number. Types, composites and enums, are found by name, the fields of composites by id like those of
//! tables.

mod compare;
mod file;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostics;
use crate::model::{Field, Schema, StableId};
use crate::write::fingerprint;

use compare::compare;

/// What a lock file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Lock {
    /// The [`fingerprint`] of the schema, with its ids, when the file was written.
    pub fingerprint: u64,
    /// Tables, by id.
    pub tables: Vec<LockedTable>,
    /// Ids of tables that are gone, with their last names.
    pub retired_tables: BTreeMap<u32, String>,
    /// Composites, by name.
    pub composites: Vec<LockedComposite>,
    /// Enums, by name.
    pub enums: Vec<LockedEnum>,
}

/// The ids of a table and its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockedTable {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: u32,
    /// Its fields.
    pub fields: Ids,
}

/// The ids of a composite's fields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockedComposite {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Ids,
}

/// The numbers of an enum's variants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockedEnum {
    /// Its name.
    pub name: String,
    /// Its variants; their ids are their numbers.
    pub variants: Ids,
}

/// Ids of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Ids {
    /// Names with their ids, by id.
    pub present: Vec<(String, u32)>,
    /// Ids of what is gone, with their last names.
    pub retired: BTreeMap<u32, String>,
}

impl Ids {
    /// These ids now; what is gone since is retired.
    fn carried_on(&self, ids: impl Iterator<Item = (String, u32)>) -> Ids {
        let mut present: Vec<(String, u32)> = ids.collect();
        present.sort_by_key(|(_, id)| *id);
        let gone = self.present.iter().filter(|(_, id)| !present.iter().any(|(_, now)| now == id));
        let mut retired = self.retired.clone();
        retired.extend(gone.map(|(name, id)| (*id, name.clone())));
        retired.retain(|id, _| !present.iter().any(|(_, now)| now == id));
        Ids { present, retired }
    }

    /// Every id that was ever given.
    fn given(&self) -> impl Iterator<Item = u32> {
        self.present.iter().map(|(_, id)| *id).chain(self.retired.keys().copied())
    }
}

/// Where a schema and its lock file differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drift {
    /// The lock file does not have it yet. Names are paths: `player`, `player.hp`, `Class.mage`.
    New {
        /// What is new.
        path: String,
    },
    /// The schema does not have it any more.
    Removed {
        /// What is gone.
        path: String,
    },
    /// It has another name now.
    Renamed {
        /// Its path in the lock file.
        from: String,
        /// Its name in the schema.
        to: String,
    },
    /// Names and ids agree, but not what they mean: a type, a default, an index.
    Changed,
    /// Conflict: the id or number belonged to something that is gone.
    Reused {
        /// What has it in the schema.
        path: String,
        /// The id or number.
        id: u32,
        /// What had it before.
        before: String,
    },
    /// Conflict: it has another id or number than the lock file says.
    Renumbered {
        /// Whose it is.
        path: String,
        /// What the lock file says.
        locked: u32,
        /// What the schema says.
        written: u32,
    },
}

impl Drift {
    /// Whether stored data would be read as something else than it is: the schema must change, `dbgen lock` refuses.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Drift::Reused { .. } | Drift::Renumbered { .. })
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Drift::New { path } => write!(f, "`{path}` is new"),
            Drift::Removed { path } => write!(f, "`{path}` is gone"),
            Drift::Renamed { from, to } => write!(f, "`{from}` is called `{to}` now"),
            Drift::Changed => write!(f, "types, defaults or indexes have changed"),
            Drift::Reused { path, id, before } => {
                write!(f, "`{path}` has the id {id}, which belonged to `{before}`: ids are never given twice")
            }
            Drift::Renumbered { path, locked, written } => {
                write!(f, "`{path}` has the id {written}, but the lock file says {locked}: ids never change")
            }
        }
    }
}

impl Lock {
    /// Where the lock file of a schema file is: `arena.lock.json` beside `arena.json` or `arena.toml`.
    pub fn path_of(schema: &Path) -> PathBuf {
        schema.with_extension("lock.json")
    }

    /// Reads a lock file.
    ///
    /// # Errors
    ///
    /// All that is wrong with the file, with places; also that it cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Lock, Diagnostics> {
        file::read_file(path.as_ref())
    }

    /// Reads a lock file from memory; `name` is what diagnostics call it.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn parse(name: &str, text: &str) -> Result<Lock, Diagnostics> {
        file::parse(name, text)
    }

    /// The text of the file: JSON, ordered by id, so that a change of the schema changes few lines.
    pub fn to_json_pretty(&self) -> String {
        file::write(self)
    }

    /// Gives the schema the ids that the lock file has for it. What is new keeps id 0.
    pub fn assign(&self, schema: &mut Schema) -> Vec<Drift> {
        let mut drifts = compare(self, schema).apply(schema);
        if drifts.is_empty() && fingerprint(schema) != self.fingerprint {
            drifts.push(Drift::Changed);
        }
        drifts
    }

    /// The lock file for a schema: `old` carried on, with ids for what is new. Gives the schema all of its ids.
    ///
    /// # Errors
    ///
    /// The [conflicts](Drift::is_conflict), if there are any.
    pub fn update(old: Option<&Lock>, schema: &mut Schema) -> Result<Lock, Vec<Drift>> {
        let empty = Lock::default();
        let old = old.unwrap_or(&empty);
        let drifts = compare(old, schema).apply(schema);
        let conflicts: Vec<Drift> = drifts.into_iter().filter(Drift::is_conflict).collect();
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
        give_ids(old, schema);
        Ok(old.carried_on(schema))
    }

    /// What the file says once the schema has all of its ids.
    fn carried_on(&self, schema: &Schema) -> Lock {
        let none = Ids::default();
        let tables = schema.tables.iter().map(|table| {
            let old = self.tables.iter().find(|old| old.id == table.id.0).map_or(&none, |old| &old.fields);
            let fields = old.carried_on(table.fields.iter().map(|field| (field.name.clone(), field.id.0)));
            LockedTable { name: table.name.clone(), id: table.id.0, fields }
        });
        let mut tables: Vec<LockedTable> = tables.collect();
        tables.sort_by_key(|table| table.id);
        let retired = self.table_ids().carried_on(tables.iter().map(|table| (table.name.clone(), table.id))).retired;
        let composites = schema.composites.iter().map(|composite| {
            let old = self.composites.iter().find(|old| old.name == composite.name).map_or(&none, |old| &old.fields);
            let fields = old.carried_on(composite.fields.iter().map(|field| (field.name.clone(), field.id.0)));
            LockedComposite { name: composite.name.clone(), fields }
        });
        let mut composites: Vec<LockedComposite> = composites.collect();
        composites.sort_by(|a, b| a.name.cmp(&b.name));
        let enums = schema.enums.iter().map(|enumeration| {
            let old = self.enums.iter().find(|old| old.name == enumeration.name).map_or(&none, |old| &old.variants);
            let variants = old.carried_on(enumeration.variants.iter().map(|it| (it.name.clone(), it.number.into())));
            LockedEnum { name: enumeration.name.clone(), variants }
        });
        let mut enums: Vec<LockedEnum> = enums.collect();
        enums.sort_by(|a, b| a.name.cmp(&b.name));
        Lock { fingerprint: fingerprint(schema), tables, retired_tables: retired, composites, enums }
    }

    /// The ids of tables.
    pub(crate) fn table_ids(&self) -> Ids {
        let present = self.tables.iter().map(|table| (table.name.clone(), table.id)).collect();
        Ids { present, retired: self.retired_tables.clone() }
    }
}

/// Gives every table and every field, also those of composites, without an id the next free one.
fn give_ids(old: &Lock, schema: &mut Schema) {
    let mut next = next_id(old.table_ids().given().chain(schema.tables.iter().map(|table| table.id.0)));
    for table in &mut schema.tables {
        give(&mut table.id, &mut next);
        let locked = old.tables.iter().find(|locked| locked.id == table.id.0);
        give_field_ids(locked.map(|locked| &locked.fields), &mut table.fields);
    }
    for composite in &mut schema.composites {
        let locked = old.composites.iter().find(|locked| locked.name == composite.name);
        give_field_ids(locked.map(|locked| &locked.fields), &mut composite.fields);
    }
}

fn give_field_ids(locked: Option<&Ids>, fields: &mut [Field]) {
    let given = locked.into_iter().flat_map(Ids::given);
    let mut next = next_id(given.chain(fields.iter().map(|field| field.id.0)));
    fields.iter_mut().for_each(|field| give(&mut field.id, &mut next));
}

fn give(id: &mut StableId, next: &mut u32) {
    if id.0 == 0 {
        id.0 = *next;
        *next += 1;
    }
}

/// One more than the largest; ids of what was made at run time do not count.
fn next_id(given: impl Iterator<Item = u32>) -> u32 {
    given.filter(|id| *id < StableId::RUNTIME_MIN).max().map_or(1, |id| id + 1)
}
