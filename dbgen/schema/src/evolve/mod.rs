//! What lies between two versions of a schema, for data that is stored under the older one.
//!
//! [`plan`] compares them and puts every change in one of four [classes](Class). The [table of rules](rules::RULES) says
//! for each kind of change which class it is and what a migration does. Tables and fields are the same if their stable ids
//! are; without ids, if their names are, or if the new one says `renamed_from`. Variants are the same by number, enums and
//! composites by name.

mod compare;
mod constraints;
pub mod rules;
mod types;

use std::fmt;

use serde_json::{Value, json};

use crate::lock::Lock;
use crate::model::Schema;

pub use rules::Rule;

/// What a change means for stored data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Nothing is stored differently, and nothing that was allowed is refused.
    Compatible,
    /// Stored data is rewritten when the database opens; nothing is lost.
    Migrated,
    /// Data may be lost or refused: only with `--allow`.
    NeedsAllow,
    /// Stored data would be read as something that it is not.
    Refused,
}

impl Class {
    /// All of them, from the harmless to the impossible.
    pub const ALL: [Class; 4] = [Class::Compatible, Class::Migrated, Class::NeedsAllow, Class::Refused];

    /// `compatible`, `migrated`, `needs --allow`, `refused`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Compatible => "compatible",
            Class::Migrated => "migrated",
            Class::NeedsAllow => "needs --allow",
            Class::Refused => "refused",
        }
    }
}

/// One difference between two versions of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// What kind of change it is, and so its class.
    pub rule: &'static Rule,
    /// What changed, by its newer name: `player`, `player.hp`, `Class.mage`.
    pub path: String,
    /// How, in a few words: "`i32` becomes `i64`".
    pub detail: String,
    /// 1-based line in the newer file; 0 = it has none there.
    pub line: u32,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.path, self.detail, self.rule.code)
    }
}

/// Everything that lies between two versions of a schema. [`Display`](fmt::Display) is for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Plan {
    /// The changes, tables and fields in the order of the newer version.
    pub changes: Vec<Change>,
}

impl Plan {
    /// The class of the whole: that of its worst change.
    pub fn class(&self) -> Class {
        self.changes.iter().map(|change| change.rule.class).max().unwrap_or(Class::Compatible)
    }

    /// The changes that stand in the way: the refused ones, and those that need an allowance and have none. `allowed` are
    /// codes of rules (`field_removed`) or paths (`player.hp`).
    pub fn obstacles<'a>(&'a self, allowed: &'a [String]) -> impl Iterator<Item = &'a Change> {
        let is_allowed = |change: &Change| allowed.iter().any(|it| *it == change.rule.code || *it == change.path);
        self.changes.iter().filter(move |change| match change.rule.class {
            Class::Refused => true,
            Class::NeedsAllow => !is_allowed(change),
            Class::Migrated | Class::Compatible => false,
        })
    }

    /// The plan for machines: `{"class", "changes": [{"rule", "class", "path", "detail", "what", "line"}]}`.
    pub fn to_json(&self) -> Value {
        let changes = self.changes.iter().map(|change| {
            json!({
                "rule": change.rule.code, "class": change.rule.class.as_str(), "path": change.path,
                "detail": change.detail, "what": change.rule.what, "line": change.line,
            })
        });
        json!({ "class": self.class().as_str(), "changes": changes.collect::<Vec<Value>>() })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return writeln!(f, "no changes");
        }
        for class in Class::ALL.into_iter().rev() {
            let changes: Vec<&Change> = self.changes.iter().filter(|change| change.rule.class == class).collect();
            if changes.is_empty() {
                continue;
            }
            writeln!(f, "{} ({})", class.as_str(), changes.len())?;
            for change in changes {
                writeln!(f, "  {change}")?;
                if class != Class::Compatible {
                    writeln!(f, "      {}", change.rule.what)?;
                }
            }
        }
        Ok(())
    }
}

/// For every table of `new`, and for every field of each, its place in `old`; `None` = it is new. The same pairs that
/// [`plan`] compares.
pub fn origins(old: &Schema, new: &Schema) -> (Vec<Option<usize>>, Vec<Vec<Option<usize>>>) {
    let tables = compare::pair(&old.tables, &new.tables);
    let fields = new.tables.iter().zip(&tables).map(|(table, from)| match from {
        Some(from) => compare::pair(&old.tables[*from].fields, &table.fields),
        None => vec![None; table.fields.len()],
    });
    let fields = fields.collect();
    (tables, fields)
}

/// Where composites and enums come from, for each its place in the older version and those of its fields or variants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TypeOrigins {
    /// For every composite.
    pub composites: Vec<(Option<usize>, Vec<Option<usize>>)>,
    /// For every enum.
    pub enums: Vec<(Option<usize>, Vec<Option<usize>>)>,
}

/// [`origins`] of types: they are the same by their names, fields as those of tables, variants by their numbers.
pub fn type_origins(old: &Schema, new: &Schema) -> TypeOrigins {
    let composites = new.composites.iter().map(|new| match old.composites.iter().position(|it| it.name == new.name) {
        Some(from) => (Some(from), compare::pair(&old.composites[from].fields, &new.fields)),
        None => (None, vec![None; new.fields.len()]),
    });
    let enums = new.enums.iter().map(|new| match old.enums.iter().position(|it| it.name == new.name) {
        Some(from) => {
            let place = |number: u16| old.enums[from].variants.iter().position(|it| it.number == number);
            (Some(from), new.variants.iter().map(|variant| place(variant.number)).collect())
        }
        None => (None, vec![None; new.variants.len()]),
    });
    TypeOrigins { composites: composites.collect(), enums: enums.collect() }
}

/// What lies between two versions of a schema. With the lock file, ids that belonged to something that is gone are noticed
/// too; `assign` or `update` it to both schemas before.
pub fn plan(old: &Schema, new: &Schema, lock: Option<&Lock>) -> Plan {
    Plan { changes: compare::compare(old, new, lock) }
}
