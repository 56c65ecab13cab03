//! A lock file beside a schema: which of its entries is which table, field and variant of now.

use std::collections::HashMap;

use crate::model::{Field, Schema, StableId};

use super::{Drift, Ids, Lock};

/// The ids that a lock file has for a schema, and where the two differ.
pub(super) struct Comparison {
    /// Per table: its id, and those of its fields; 0 = new.
    ids: Vec<(u32, Vec<u32>)>,
    /// Per composite: the ids of its fields; 0 = new.
    composites: Vec<Vec<u32>>,
    drifts: Vec<Drift>,
}

impl Comparison {
    /// Writes the ids into the schema.
    pub(super) fn apply(self, schema: &mut Schema) -> Vec<Drift> {
        for (table, (id, fields)) in schema.tables.iter_mut().zip(self.ids) {
            table.id = StableId(id);
            table.fields.iter_mut().zip(fields).for_each(|(field, id)| field.id = StableId(id));
        }
        for (composite, fields) in schema.composites.iter_mut().zip(self.composites) {
            composite.fields.iter_mut().zip(fields).for_each(|(field, id)| field.id = StableId(id));
        }
        self.drifts
    }
}

pub(super) fn compare(lock: &Lock, schema: &Schema) -> Comparison {
    let mut drifts = Vec::new();
    let tables = schema.tables.iter().map(|table| Entry {
        name: &table.name,
        renamed_from: table.renamed_from.as_deref(),
        written: (table.id.0 != 0).then_some(table.id.0),
    });
    let table_ids = match_up(None, &tables.collect::<Vec<_>>(), &lock.table_ids(), &mut drifts);
    let mut ids = Vec::with_capacity(schema.tables.len());
    for (table, id) in schema.tables.iter().zip(table_ids) {
        let locked = lock.tables.iter().find(|locked| locked.id == id).map(|locked| &locked.fields);
        ids.push((id, field_ids(&table.name, &table.fields, locked, &mut drifts)));
    }
    let composites = compare_composites(lock, schema, &mut drifts);
    compare_enums(lock, schema, &mut drifts);
    Comparison { ids, composites, drifts }
}

/// The ids of the fields of a table or composite that the lock file knows, or does not: then the news is their owner.
fn field_ids(owner: &str, fields: &[Field], locked: Option<&Ids>, drifts: &mut Vec<Drift>) -> Vec<u32> {
    let entries = fields.iter().map(|field| Entry {
        name: &field.name,
        renamed_from: field.renamed_from.as_deref(),
        written: (field.id.0 != 0).then_some(field.id.0),
    });
    let entries: Vec<Entry<'_>> = entries.collect();
    match locked {
        Some(locked) => match_up(Some(owner), &entries, locked, drifts),
        None => entries.iter().map(|field| field.written.unwrap_or(0)).collect(),
    }
}

fn compare_composites(lock: &Lock, schema: &Schema, drifts: &mut Vec<Drift>) -> Vec<Vec<u32>> {
    let ids = schema.composites.iter().map(|composite| {
        let locked = lock.composites.iter().find(|locked| locked.name == composite.name);
        if locked.is_none() {
            drifts.push(Drift::New { path: composite.name.clone() });
        }
        field_ids(&composite.name, &composite.fields, locked.map(|locked| &locked.fields), drifts)
    });
    let ids = ids.collect();
    let gone = lock.composites.iter().filter(|locked| !schema.composites.iter().any(|it| it.name == locked.name));
    drifts.extend(gone.map(|locked| Drift::Removed { path: locked.name.clone() }));
    ids
}

fn compare_enums(lock: &Lock, schema: &Schema, drifts: &mut Vec<Drift>) {
    for enumeration in &schema.enums {
        let Some(locked) = lock.enums.iter().find(|locked| locked.name == enumeration.name) else {
            drifts.push(Drift::New { path: enumeration.name.clone() });
            continue;
        };
        let variants = enumeration.variants.iter();
        let variants: Vec<Entry<'_>> = variants
            .map(|variant| Entry { name: &variant.name, renamed_from: None, written: Some(variant.number.into()) })
            .collect();
        match_up(Some(&enumeration.name), &variants, &locked.variants, drifts);
    }
    let gone = lock.enums.iter().filter(|locked| !schema.enums.iter().any(|it| it.name == locked.name));
    drifts.extend(gone.map(|locked| Drift::Removed { path: locked.name.clone() }));
}

/// A table, field or variant of the schema.
struct Entry<'a> {
    name: &'a str,
    renamed_from: Option<&'a str>,
    /// The id that the schema itself says.
    written: Option<u32>,
}

/// The id of every entry: the written one, else what the lock file has under its name, or under the name it had before.
fn match_up(owner: Option<&str>, entries: &[Entry<'_>], locked: &Ids, drifts: &mut Vec<Drift>) -> Vec<u32> {
    let path = |name: &str| owner.map_or_else(|| name.to_string(), |owner| format!("{owner}.{name}"));
    let by_name = |name: &str| locked.present.iter().find(|(locked, _)| locked == name).map(|(_, id)| *id);
    let by_id = |id: u32| locked.present.iter().find(|(_, locked)| *locked == id).map(|(name, _)| name.as_str());
    let mut owners: HashMap<u32, &str> = HashMap::with_capacity(entries.len());
    let mut ids = Vec::with_capacity(entries.len());
    for entry in entries {
        let known = by_name(entry.name);
        let id = entry.written.or(known).or_else(|| by_name(entry.renamed_from?));
        ids.push(id.unwrap_or(0));
        let taken = id.and_then(|id| {
            let retired = locked.retired.get(&id).map(String::as_str);
            // What comes back as what it was is no conflict.
            let before = owners.insert(id, entry.name).or(retired).filter(|before| *before != entry.name)?;
            Some((id, before))
        });
        if let Some((id, before)) = taken {
            drifts.push(Drift::Reused { path: path(entry.name), id, before: path(before) });
            continue;
        }
        match (id, known, id.and_then(by_id)) {
            (Some(written), Some(locked), _) if written != locked => {
                drifts.push(Drift::Renumbered { path: path(entry.name), locked, written });
            }
            (Some(_), None, Some(former)) => {
                drifts.push(Drift::Renamed { from: path(former), to: entry.name.to_string() });
            }
            (_, None, None) => drifts.push(Drift::New { path: path(entry.name) }),
            _ => {}
        }
    }
    let present = |(name, id): &&(String, u32)| owners.contains_key(id) || entries.iter().any(|it| it.name == name);
    let gone = locked.present.iter().filter(|entry| !present(entry));
    drifts.extend(gone.map(|(name, _)| Drift::Removed { path: path(name) }));
    ids
}
