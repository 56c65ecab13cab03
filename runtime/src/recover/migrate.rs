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
use crate::redo::stored::{StoredSchema, from_json, to_json};
use dbgen_schema::{Schema, StableId, evolve};
use serde_json::{Map, Value as Json};
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
    let before = from_json("the schema given before", &stored.given)?;
    let Some(now) = &given.schema else { return Ok(Migration { given: Arc::new(before), to: None }) };
    let live = engine.catalog.schema();
    if before.says_the_same(now) {
        return Ok(Migration { given: Arc::new(before), to: None });
    }
    let target = from_json("the schema given, with what was made at run time", &united(now, live, &before)?)?;
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
fn united(given: &Schema, live: &Schema, before: &Schema) -> Result<Json> {
    let mut target = to_json(given)?;
    let live_json = to_json(live)?;
    let was = |table: &str, field: Option<&str>| match (before.table(table), field) {
        (known, None) => known.is_some(),
        (known, Some(field)) => known.is_some_and(|(_, table)| table.field(field).is_some()),
    };
    for (name, table) in live_json["tables"].as_object().unwrap_or(&Map::new()) {
        let tables = &mut target["tables"];
        if tables.is_null() {
            *tables = Json::Object(Map::new());
        }
        match tables.get_mut(name) {
            None if !was(name, None) => tables[name] = table.clone(),
            None => {}
            Some(mine) => {
                unite(mine, table, "fields", |field| !was(name, Some(field)));
                unite(mine, table, "indexes", |_| true);
            }
        }
    }
    unite_types(&mut target, &live_json, &to_json(before)?);
    unite(&mut target, &live_json, "relations", |_| true);
    drop_dangling(&mut target);
    Ok(target)
}

/// Adds the types, and their members, that were made at run time.
fn unite_types(target: &mut Json, live: &Json, before: &Json) {
    for (types, list) in [("custom_types", "fields"), ("enums", "variants")] {
        for (name, ty) in live[types].as_object().unwrap_or(&Map::new()) {
            let mut ty = ty.clone();
            number_variants(&mut ty);
            let was = &before[types][name];
            match target.get_mut(types).and_then(|types| types.get_mut(name)) {
                Some(mine) => {
                    number_variants(mine);
                    let mut known = was.clone();
                    number_variants(&mut known);
                    let was_there = |member: &str| {
                        known[list].as_array().into_iter().flatten().any(|own| own["name"].as_str() == Some(member))
                    };
                    unite(mine, &ty, list, |member| !was_there(member));
                }
                None if was.is_null() => target[types][name] = ty,
                None => {}
            }
        }
    }
}

/// Adds the members of a list that `mine` does not have by name, as far as they are `new`.
fn unite(mine: &mut Json, theirs: &Json, list: &str, new: impl Fn(&str) -> bool) {
    let name = |json: &Json| json["name"].as_str().unwrap_or_default().to_owned();
    for item in theirs[list].as_array().into_iter().flatten() {
        let has = mine[list].as_array().into_iter().flatten().any(|own| name(own) == name(item));
        if has || !new(&name(item)) {
            continue;
        }
        if !mine[list].is_array() {
            mine[list] = Json::Array(Vec::new());
        }
        if let Some(own) = mine.get_mut(list).and_then(Json::as_array_mut) {
            own.push(item.clone());
        }
    }
}

/// Takes out indexes and relations that were made at run time over what the given schema no longer has.
fn drop_dangling(target: &mut Json) {
    let fields_of = |table: &Json| -> Vec<String> {
        let fields = table["fields"].as_array().into_iter().flatten();
        fields.filter_map(|field| field["name"].as_str().map(str::to_owned)).collect()
    };
    let Some(tables) = target["tables"].as_object_mut() else { return };
    let mut paths = Vec::new();
    for (name, table) in tables.iter_mut() {
        let fields = fields_of(table);
        if let Some(indexes) = table.get_mut("indexes").and_then(Json::as_array_mut) {
            let has = |field: &Json| field.as_str().is_some_and(|field| fields.iter().any(|own| own == field));
            indexes.retain(|index| index["fields"].as_array().is_none_or(|fields| fields.iter().all(has)));
        }
        paths.push(name.clone());
        paths.extend(fields.iter().map(|field| format!("{name}.{field}")));
    }
    if let Some(relations) = target.get_mut("relations").and_then(Json::as_array_mut) {
        let stands = |end: &Json| end.as_str().is_none_or(|path| paths.iter().any(|own| own == path));
        relations.retain(|relation| stands(&relation["from"]) && stands(&relation["to"]));
    }
}
