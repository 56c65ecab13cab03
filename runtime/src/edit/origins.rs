//! What everything in a schema was in the one before it.

use crate::catalog::Catalog;
use crate::redo::stored::{StoredOrigin, StoredTypes};
use crate::table::def::{RelationDef, TableDef};
use dbgen_schema::{Schema, StableId, evolve};

/// What a table, a composite or an enum was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Its number among its like; `None` = it is new.
    pub(crate) from: Option<usize>,
    /// For every field or variant its number there; `None` = it is new.
    pub(crate) members: Vec<Option<usize>>,
}

/// For everything of a new schema, what it was in the old one.
#[derive(Debug)]
pub(crate) struct Origins {
    pub(crate) composites: Vec<Origin>,
    pub(crate) enums: Vec<Origin>,
    pub(crate) tables: Vec<Origin>,
}

impl Origins {
    /// What follows from the two schemas alone: see [`evolve::origins`].
    pub(crate) fn between(old: &Schema, new: &Schema) -> Origins {
        let (tables, fields) = evolve::origins(old, new);
        let types = evolve::type_origins(old, new);
        let of = |pairs: Vec<(Option<usize>, Vec<Option<usize>>)>| {
            pairs.into_iter().map(|(from, members)| Origin { from, members }).collect()
        };
        Origins {
            composites: of(types.composites),
            enums: of(types.enums),
            tables: of(tables.into_iter().zip(fields).collect()),
        }
    }

    /// What a stored schema was in the one before, which was `old`; `None` if that cannot be.
    pub(crate) fn of_stored(
        tables: &[StoredOrigin],
        types: Option<&StoredTypes>,
        old: &Catalog,
        new: &Catalog,
    ) -> Option<Origins> {
        let (was, is) = (old.schema(), new.schema());
        let tables = read(
            tables,
            is.tables.iter().map(|it| it.fields.len()),
            was.tables.iter().map(|it| it.fields.len()).collect(),
        )?;
        // A log from before types could be edited says nothing of them.
        let Some(types) = types else { return Some(Origins { tables, ..Origins::between(was, is) }) };
        let composites = read(
            &types.composites,
            is.composites.iter().map(|it| it.fields.len()),
            was.composites.iter().map(|it| it.fields.len()).collect(),
        )?;
        let enums = read(
            &types.enums,
            is.enums.iter().map(|it| it.variants.len()),
            was.enums.iter().map(|it| it.variants.len()).collect(),
        )?;
        Some(Origins { composites, enums, tables })
    }

    /// The same, to be stored.
    pub(super) fn stored(&self) -> (Option<Vec<StoredOrigin>>, Option<StoredTypes>) {
        let of = |origins: &[Origin]| {
            let one = |origin: &Origin| StoredOrigin { table: origin.from, fields: origin.members.clone() };
            origins.iter().map(one).collect::<Vec<StoredOrigin>>()
        };
        let types = StoredTypes { composites: of(&self.composites), enums: of(&self.enums) };
        (Some(of(&self.tables)), Some(types))
    }

    /// Gives stable ids from `next` on to tables and fields that are new and have none; gives the next one after them.
    pub(super) fn give_ids(&self, schema: &mut Schema, mut next: u32) -> u32 {
        let mut give = |id: &mut StableId| {
            if id.0 == 0 {
                *id = StableId(next);
                next = next.saturating_add(1);
            }
        };
        for (table, origin) in schema.tables.iter_mut().zip(&self.tables) {
            if origin.from.is_none() {
                give(&mut table.id);
            }
            let fields = table.fields.iter_mut().zip(&origin.members);
            fields.filter(|(_, origin)| origin.is_none()).for_each(|(field, _)| give(&mut field.id));
        }
        next
    }

    /// For every component table of a table, its place among those of the table that it was.
    pub(super) fn components(&self, old: &Catalog, def: &TableDef, from: usize) -> Vec<Option<usize>> {
        let place = |old_component: usize| old.tables()[from].components.iter().position(|at| *at == old_component);
        def.components.iter().map(|component| self.tables[*component].from.and_then(place)).collect()
    }

    /// Whether the old catalog kept this relation, of the new one, already.
    pub(super) fn had(&self, old: &Catalog, relation: &RelationDef) -> bool {
        let old_field =
            |table: usize, field: usize| Some((self.tables[table].from?, self.tables[table].members[field]?));
        let Some((table, field)) = old_field(relation.from_table, relation.from_field) else { return false };
        old.tables()[table].outgoing.iter().filter(|old| old.from_field == field).any(|old| match relation.to_value {
            None => old.to_value.is_none() && self.tables[relation.to_table].from == Some(old.to_table),
            Some((_, to)) => {
                let key = old.to_value.map(|(_, key)| (old.to_table, key));
                key.is_some() && old_field(relation.to_table, to) == key
            }
        })
    }
}

/// Stored origins of things with so many members each, out of things that had so many.
fn read(stored: &[StoredOrigin], is: impl ExactSizeIterator<Item = usize>, was: Vec<usize>) -> Option<Vec<Origin>> {
    if stored.len() != is.len() {
        return None;
    }
    let one = |(stored, members): (&StoredOrigin, usize)| {
        let from = match stored.table {
            None => 0,
            Some(from) => *was.get(from)?,
        };
        let fits = stored.fields.len() == members && stored.fields.iter().all(|at| at.is_none_or(|at| at < from));
        fits.then(|| Origin { from: stored.table, members: stored.fields.clone() })
    };
    stored.iter().zip(is).map(one).collect()
}
