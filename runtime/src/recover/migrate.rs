//! Migration on open: from the schema that the data is stored under to the one that the program gives.
//!
//! Three schemas meet. `live` is what the database had last. `before` is what the program gave when it was opened last; what
//! `live` has beyond it was made at run time. `given` is what the program gives now. The schema to go to is `given`, with
//! what was made at run time and is not in it: a table or a field that was made at run time and has since been written into
//! the program's schema is taken over by its name, with its data.
//!
//! What lies between `live` and that schema is [`evolve`]'s to say: safe changes are made, others refused with the plan.

use super::{Ending, Given};
use crate::catalog::Catalog;
use crate::edit::{Origins, number_variants};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::redo::schema_json::{Named, SchemaJson};
use crate::redo::stored::StoredSchema;
use dbgen_schema::{Schema, StableId, evolve};
use serde_json::Value as Json;
use std::sync::Arc;

/// What there is to do.
#[derive(Debug)]
pub(super) struct Migration {
    given: Arc<Schema>,
    to: Option<(Catalog, Origins)>,
}

/// Works out what there is to do. Nothing changes.
///
/// # Errors
/// [`Error::Migration`] if it cannot be done by itself.
pub(super) fn plan(engine: &Engine, base: &StoredSchema, ending: &Ending, given: &Given) -> Result<Migration> {
    let stored = ending.schema.as_ref().unwrap_or(base);
    let before = stored.given.parse("the schema given before")?;
    let Some(now) = &given.schema else { return Ok(Migration { given: Arc::new(before), to: None }) };
    let live = engine.catalog.schema();
    if before.says_the_same(now) {
        return Ok(Migration { given: Arc::new(before), to: None });
    }
    let target = united(now, live, &before)?.parse("the schema given, with what was made at run time")?;
    let live = unnumbered(live);
    let plan = evolve::plan(&live, &target, None);
    if plan.obstacles(&[]).next().is_some() {
        return Err(Error::Migration { plan: Box::new(plan) });
    }
    let origins = Origins::between(&live, &target);
    let (version, next_id) = (engine.catalog.version() + 1, engine.catalog.next_id());
    let catalog = Catalog::restored(target, given.compiled.clone(), version, next_id)?;
    Ok(Migration { given: Arc::new(now.clone()), to: Some((catalog, origins)) })
}

/// Does it, as a commit of its own.
pub(super) fn carry_out(engine: &mut Engine, migration: Migration) -> Result<()> {
    engine.given = migration.given;
    match migration.to {
        Some((catalog, origins)) => engine.adopt(catalog, origins),
        None => Ok(()),
    }
}

/// The schema without the ids of what was made at run time: those things are known by their names.
fn unnumbered(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    let forget = |id: &mut StableId| {
        if id.0 >= StableId::RUNTIME_MIN {
            id.0 = 0;
        }
    };
    for table in &mut schema.tables {
        forget(&mut table.id);
        table.fields.iter_mut().for_each(|field| forget(&mut field.id));
    }
    schema
}

/// `given`, with what `live` has beyond `before`.
fn united(given: &Schema, live: &Schema, before: &Schema) -> Result<SchemaJson> {
    let (mut target, live) = (SchemaJson::of(given)?, SchemaJson::of(live)?);
    let was = |table: &str, field: Option<&str>| match (before.table(table), field) {
        (known, None) => known.is_some(),
        (known, Some(field)) => known.is_some_and(|(_, table)| table.field(field).is_some()),
    };
    for (name, table) in live.tables.iter() {
        match target.tables.get_mut(name) {
            None if !was(name, None) => target.tables.push(name, table.clone()),
            None => {}
            Some(mine) => {
                unite(mine, table, "fields", |field| !was(name, Some(field)));
                unite(mine, table, "indexes", |_| true);
            }
        }
    }
    let was = SchemaJson::of(before)?;
    unite_types(&mut target.custom_types, &live.custom_types, &was.custom_types, "fields");
    unite_types(&mut target.enums, &live.enums, &was.enums, "variants");
    unite_lists(&mut target.relations, &live.relations, |_| true);
    drop_dangling(&mut target);
    Ok(target)
}

/// Adds the types, and their members, that were made at run time.
fn unite_types(target: &mut Named, live: &Named, before: &Named, list: &str) {
    for (name, ty) in live.iter() {
        let mut ty = ty.clone();
        number_variants(&mut ty);
        let was = before.get(name);
        match target.get_mut(name) {
            Some(mine) => {
                number_variants(mine);
                let mut known = was.cloned().unwrap_or_default();
                number_variants(&mut known);
                let was_there = |member: &str| {
                    known[list].as_array().into_iter().flatten().any(|own| own["name"].as_str() == Some(member))
                };
                unite(mine, &ty, list, |member| !was_there(member));
            }
            None if was.is_none() => target.push(name, ty),
            None => {}
        }
    }
}

/// Adds the members of a list that `mine` does not have by name, as far as they are `new`.
fn unite(mine: &mut Json, theirs: &Json, list: &str, new: impl Fn(&str) -> bool) {
    let Some(theirs) = theirs[list].as_array() else { return };
    if !mine[list].is_array() {
        mine[list] = Json::Array(Vec::new());
    }
    if let Some(own) = mine.get_mut(list).and_then(Json::as_array_mut) {
        unite_lists(own, theirs, new);
    }
}

/// Adds the items that `mine` does not have by name, as far as they are `new`.
fn unite_lists(mine: &mut Vec<Json>, theirs: &[Json], new: impl Fn(&str) -> bool) {
    let name = |json: &Json| json["name"].as_str().unwrap_or_default().to_owned();
    for item in theirs {
        let has = mine.iter().any(|own| name(own) == name(item));
        if !has && new(&name(item)) {
            mine.push(item.clone());
        }
    }
}

/// Takes out indexes and relations that were made at run time over what the given schema no longer has.
fn drop_dangling(target: &mut SchemaJson) {
    let fields_of = |table: &Json| -> Vec<String> {
        let fields = table["fields"].as_array().into_iter().flatten();
        fields.filter_map(|field| field["name"].as_str().map(str::to_owned)).collect()
    };
    let mut paths = Vec::new();
    for (name, table) in target.tables.iter_mut() {
        let fields = fields_of(table);
        if let Some(indexes) = table.get_mut("indexes").and_then(Json::as_array_mut) {
            let has = |field: &Json| field.as_str().is_some_and(|field| fields.iter().any(|own| own == field));
            indexes.retain(|index| index["fields"].as_array().is_none_or(|fields| fields.iter().all(has)));
        }
        paths.push(name.to_owned());
        paths.extend(fields.iter().map(|field| format!("{name}.{field}")));
    }
    let stands = |end: &Json| end.as_str().is_none_or(|path| paths.iter().any(|own| own == path));
    target.relations.retain(|relation| stands(&relation["from"]) && stands(&relation["to"]));
}
