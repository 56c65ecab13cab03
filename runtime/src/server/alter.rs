//! Tables, fields and indexes, changed; and the whole schema at once.

use super::extract::{AcceptsJson, JsonText, Object, Path, Query, as_object};
use super::json;
use super::params::{FromParams, Params};
use super::precondition::{Preconditions, schema_tag};
use super::problem::{Kind, Problem};
use super::reply::Reply;
use super::state::{Server, Shared};
use super::table::{self, pointer_step};
use crate::client::Committed;
use crate::db::Writer;
use crate::edit::SchemaEdit;
use crate::error::Error;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ETAG;
use dbgen_schema::{Format, Schema, Source, evolve};
use serde_json::{Map, Value as Json, json};

/// Changes what a table's definition says; another `name` renames it.
pub(crate) async fn alter_table(
    server: &Server,
    table: String,
    changes: Map<String, Json>,
) -> Result<(String, Committed<u64>), Problem> {
    server.view().open_table(&table)?;
    let name = changes.get("name").and_then(Json::as_str).unwrap_or(&table).to_owned();
    let base = format!("/tables/{}", pointer_step(&name));
    let edit = SchemaEdit::AlterTable { table, changes: Json::Object(changes) };
    Ok((name, server.edit(edit, &base).await?))
}

/// Changes what a field's definition says; another `name` renames it.
pub(crate) async fn alter_field(
    server: &Server,
    (table, field): (String, String),
    changes: Map<String, Json>,
) -> Result<Committed<u64>, Problem> {
    let place = server.view().open_table(&table)?.schema().field(&field).map_or(0, |(at, _)| at.at());
    let base = format!("/tables/{}/fields/{place}", pointer_step(&table));
    server.edit(SchemaEdit::AlterField { table, field, changes: Json::Object(changes) }, &base).await
}

/// Adds an index over the records that are there and those to come; gives its name.
pub(crate) async fn create_index(
    server: &Server,
    table: String,
    definition: Map<String, Json>,
) -> Result<(String, Committed<u64>), Problem> {
    let view = server.view();
    let known: Vec<String> = view.open_table(&table)?.schema().indexes.iter().map(|index| index.name.clone()).collect();
    let place = view.open_table(&table)?.schema().indexes.iter().filter(|index| index.written).count();
    let base = format!("/tables/{}/indexes/{place}", pointer_step(&table));
    let edit = SchemaEdit::CreateIndex { table: table.clone(), definition: Json::Object(definition) };
    let done = server.edit(edit, &base).await?;
    let view = server.view();
    let indexes = view.open_table(&table).map(|table| table.schema().indexes.as_slice()).unwrap_or_default();
    let new = indexes.iter().find(|index| !known.contains(&index.name));
    Ok((new.map(|index| index.name.clone()).unwrap_or_default(), done))
}

/// Drops an index.
pub(crate) async fn drop_index(server: &Server, table: String, index: String) -> Result<Committed<u64>, Problem> {
    server.view().open_table(&table)?;
    server.edit(SchemaEdit::DropIndex { table, index }, "").await
}

/// `PATCH /table/{table}`
pub(crate) async fn patch_table(
    State(server): Shared,
    Path(table): Path<String>,
    Query(()): Query<()>,
    Object(changes): Object,
) -> Result<Reply, Problem> {
    let (table, done) = alter_table(&server, table, changes).await?;
    Ok(table::shown(&server, &table)?.commit(done.commit))
}

/// `PATCH /table/{table}/field/{field}`
pub(crate) async fn patch_field(
    State(server): Shared,
    Path((table, field)): Path<(String, String)>,
    Query(()): Query<()>,
    Object(changes): Object,
) -> Result<Reply, Problem> {
    let done = alter_field(&server, (table.clone(), field), changes).await?;
    Ok(table::shown(&server, &table)?.commit(done.commit))
}

/// `GET /table/{table}/index`
pub(crate) async fn list_indexes(
    State(server): Shared,
    Path(table): Path<String>,
    Query(()): Query<()>,
    _: AcceptsJson,
) -> Result<Reply, Problem> {
    let view = server.view();
    let table = view.open_table(&table)?.schema();
    let items: Vec<Json> = table.indexes.iter().map(|index| table::index_json(table, index)).collect();
    let body = json!({ "total": items.len(), "items": items, "version": view.commit() });
    Ok(Reply::json(json::to_vec(&body)).commit(view.commit()))
}

/// `POST /table/{table}/index`
pub(crate) async fn post_index(
    State(server): Shared,
    Path(table): Path<String>,
    Query(()): Query<()>,
    Object(definition): Object,
) -> Result<Reply, Problem> {
    let (name, done) = create_index(&server, table.clone(), definition).await?;
    let path = format!("/table/{table}/index/{name}");
    Ok(table::shown(&server, &table)?.created(&path).commit(done.commit))
}

/// `DELETE /table/{table}/index/{index}`
pub(crate) async fn remove_index(
    State(server): Shared,
    Path((table, index)): Path<(String, String)>,
    Query(()): Query<()>,
) -> Result<Reply, Problem> {
    let done = drop_index(&server, table, index).await?;
    Ok(Reply::nothing().commit(done.commit))
}

/// Whether a schema is only tried.
#[derive(Debug)]
pub(crate) struct PutOptions {
    dry_run: bool,
}

impl FromParams for PutOptions {
    const NAMES: &'static [&'static str] = &["dry_run"];

    fn from_params(params: &mut Params) -> Result<Self, Problem> {
        Ok(PutOptions { dry_run: params.take_flag("dry_run")? })
    }
}

/// `PUT /schema`: makes the schema what the body says, in one step. `If-Match` names the schema that was read before, so
/// that nobody's edits are undone unseen.
pub(crate) async fn put_schema(
    State(server): Shared,
    Query(options): Query<PutOptions>,
    headers: HeaderMap,
    text: JsonText,
) -> Result<Reply, Problem> {
    let preconditions = Preconditions::of(&headers)?;
    if !preconditions.has_match() {
        let detail = "a whole schema is put under If-Match: send the tag that GET /schema gave";
        return Err(Problem::new(Kind::PreconditionRequired, detail));
    }
    as_object(json::parse(&text.0)?, "#")?;
    // It has been read as JSON, so it is UTF-8.
    let text = String::from_utf8_lossy(&text.0).into_owned();
    let done = apply(&server, text, preconditions, options.dry_run).await?;
    let tag = schema_tag(done.value["schema_version"].as_u64().unwrap_or_default());
    Ok(Reply::json(json::to_vec(&done.value)).header(ETAG, tag).commit(done.commit))
}

/// Makes the schema what a text says, in one step; gives the plan, and whether it was carried out.
pub(crate) async fn apply(
    server: &Server,
    text: String,
    preconditions: Preconditions,
    dry_run: bool,
) -> Result<Committed<Json>, Problem> {
    let source = Source { name: "the given schema".to_owned(), text, format: Format::Json };
    let new = Schema::parse(&source).map_err(|wrong| Problem::from(Error::Schema(Box::new(wrong))))?;
    let done = server.in_loop(move |writer| Ok(put(writer, &new, &preconditions, dry_run))).await??;
    let (plan, version) = done.value?;
    let value = json!({ "applied": !dry_run, "schema_version": version, "plan": plan });
    Ok(Committed { value, commit: done.commit })
}

/// Edits the schema into another; gives the plan, and the version that it leads to.
fn put(
    writer: &mut Writer<'_>,
    new: &Schema,
    preconditions: &Preconditions,
    dry_run: bool,
) -> Result<(Json, u64), Problem> {
    let engine = writer.engine();
    let (old, version) = (engine.catalog.schema().clone(), engine.catalog.version());
    preconditions.check_match(&schema_tag(version))?;
    let edits = edits_between(&old, new)?;
    let mut plan = evolve::plan(&old, new, None).to_json();
    plan["edits"] = json!(edits);
    if dry_run || edits.is_empty() {
        return Ok((plan, version));
    }
    let version = engine.edit_schema(&edits).map_err(|error| Problem::of_edit(error, ""))?;
    Ok((plan, version))
}

/// The edits that lead from one schema to another, as one step.
fn edits_between(old: &Schema, new: &Schema) -> Result<Vec<SchemaEdit>, Problem> {
    let written = |schema: &Schema| -> Result<Json, Problem> {
        let text = dbgen_schema::write::to_json_pretty(schema);
        serde_json::from_str(&text).map_err(|error| super::problem::internal(&error))
    };
    let (old, new) = (written(old)?, written(new)?);
    for part in ["name", "version", "description", "custom_types", "enums"] {
        if old.get(part) != new.get(part) {
            let detail = format!("`{part}` cannot be changed while the database runs");
            return Err(Problem::at(Kind::NotAlterable, format!("#/{part}"), detail));
        }
    }
    let mut between = Between::default();
    between.relations(&old, &new);
    between.tables(&old, &new);
    Ok([between.drops, between.changes, between.adds].concat())
}

/// Edits in the order in which they are made: what goes makes room, and what comes may refer to what has changed.
#[derive(Default)]
struct Between {
    drops: Vec<SchemaEdit>,
    changes: Vec<SchemaEdit>,
    adds: Vec<SchemaEdit>,
}

impl Between {
    fn relations(&mut self, old: &Json, new: &Json) {
        let (old, new) = (items(old, "relations"), items(new, "relations"));
        for relation in old.iter().filter(|relation| !new.contains(relation)) {
            self.drops.push(SchemaEdit::DropRelation { name: text(relation, "name").to_owned() });
        }
        for relation in new.iter().filter(|relation| !old.contains(relation)) {
            self.adds.push(SchemaEdit::CreateRelation { definition: (*relation).clone() });
        }
    }

    fn tables(&mut self, old: &Json, new: &Json) {
        let empty = Map::new();
        let tables = |schema: &'_ Json| schema.get("tables").and_then(Json::as_object).cloned().unwrap_or_default();
        let (old, new) = (tables(old), tables(new));
        let mut kept = Vec::new();
        for (name, definition) in &new {
            let before = text(definition, "renamed_from");
            let from = if old.contains_key(name) { name.as_str() } else { before };
            match old.get(from) {
                Some(was) => {
                    kept.push(from.to_owned());
                    self.table(from, name, was.as_object().unwrap_or(&empty), definition.as_object().unwrap_or(&empty));
                }
                // Tables that refer to each other come together, before what is related by name.
                None => {
                    let edit = SchemaEdit::CreateTable { table: name.clone(), definition: definition.clone() };
                    self.changes.insert(0, edit);
                }
            }
        }
        for name in old.keys().filter(|name| !kept.contains(name)) {
            self.drops.push(SchemaEdit::drop_table(name.as_str()));
        }
    }

    fn table(&mut self, from: &str, to: &str, old: &Map<String, Json>, new: &Map<String, Json>) {
        let own = |key: &&String| !matches!(key.as_str(), "fields" | "indexes" | "renamed_from" | "id");
        let mut changes = difference(old, new, own);
        if from != to {
            changes.insert("name".to_owned(), to.into());
        }
        let (old_indexes, new_indexes) = (list(old, "indexes"), list(new, "indexes"));
        for index in old_indexes.iter().filter(|index| !new_indexes.contains(index)) {
            self.drops.push(SchemaEdit::drop_index(from, text(index, "name")));
        }
        self.fields(from, list(old, "fields"), list(new, "fields"));
        if !changes.is_empty() {
            self.changes.push(SchemaEdit::AlterTable { table: from.to_owned(), changes: Json::Object(changes) });
        }
        for index in new_indexes.iter().filter(|index| !old_indexes.contains(index)) {
            self.adds.push(SchemaEdit::create_index(to, index.clone()));
        }
    }

    fn fields(&mut self, table: &str, old: &[Json], new: &[Json]) {
        let empty = Map::new();
        let find = |name: &str| old.iter().find(|field| text(field, "name") == name && !name.is_empty());
        let mut kept = Vec::new();
        for field in new {
            let Some(was) = find(text(field, "name")).or_else(|| find(text(field, "renamed_from"))) else {
                self.changes.push(SchemaEdit::add_field(table, field.clone()));
                continue;
            };
            kept.push(text(was, "name"));
            let own = |key: &&String| !matches!(key.as_str(), "renamed_from" | "id");
            let changes = difference(was.as_object().unwrap_or(&empty), field.as_object().unwrap_or(&empty), own);
            if !changes.is_empty() {
                self.changes.push(SchemaEdit::alter_field(table, text(was, "name"), Json::Object(changes)));
            }
        }
        for field in old.iter().filter(|field| !kept.contains(&text(field, "name"))) {
            // What used it is gone from the new schema too: it would not have passed its check otherwise.
            let (table, field) = (table.to_owned(), text(field, "name").to_owned());
            self.drops.push(SchemaEdit::DropField { table, field, cascade: true });
        }
    }
}

/// The members that differ, as a merge patch: null for those that go.
fn difference(
    old: &Map<String, Json>,
    new: &Map<String, Json>,
    is_concerned: impl Fn(&&String) -> bool,
) -> Map<String, Json> {
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Json::Null));
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value));
    let changed = changed.map(|(key, value)| (key.clone(), value.clone()));
    gone.chain(changed).filter(|(key, _)| is_concerned(&key)).collect()
}

fn text<'j>(json: &'j Json, key: &str) -> &'j str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn items<'j>(json: &'j Json, key: &str) -> Vec<&'j Json> {
    json.get(key).and_then(Json::as_array).map(|items| items.iter().collect()).unwrap_or_default()
}

fn list<'j>(object: &'j Map<String, Json>, key: &str) -> &'j [Json] {
    object.get(key).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}
