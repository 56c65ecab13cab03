//! Tables, fields and indexes, changed; and the whole schema at once.

use super::batch::refuse_unknown;
use super::extract::{AcceptsJson, JsonText, Object, Path, Query, as_object, understood};
use super::json;
use super::params::{FromParams, Params};
use super::precondition::{Preconditions, schema_tag};
use super::problem::{Kind, Mistakes, Problem};
use super::reply::Reply;
use super::state::{Server, Shared};
use super::table::{self, pointer_step};
use crate::client::Committed;
use crate::edit::SchemaEdit;
use crate::editing::Editing;
use crate::error::{Error, SchemaEditError};
use axum::extract::State;
use axum::http::header::ETAG;
use dbgen_schema::{Format, Schema, Source, evolve};
use serde_json::{Map, Value as Json, json};

/// What of a table's definition can be changed by itself; its fields and indexes have routes of their own.
const TABLE_MEMBERS: &[&str] = &["name", "description", "capacity", "durability", "require_if_match", "schedule"];

/// Changes what a table's definition says; another `name` renames it.
pub(crate) async fn alter_table(
    server: &Server,
    table: String,
    mut changes: Map<String, Json>,
    preconditions: &Preconditions,
) -> Result<(String, Committed<u64>), Problem> {
    server.view().open_table(&table)?;
    let mut mistakes = Mistakes::default();
    mistakes.note(refuse_unknown(&changes, TABLE_MEMBERS));
    changes.retain(|name, _| TABLE_MEMBERS.contains(&name.as_str()));
    let name = changes.get("name").and_then(Json::as_str).unwrap_or(&table).to_owned();
    let base = format!("/tables/{}", pointer_step(&name));
    let edit = SchemaEdit::AlterTable { table, changes: Json::Object(changes) };
    if !mistakes.is_empty() {
        mistakes.note(server.try_edit(edit.clone(), &base).await);
    }
    mistakes.check(Kind::InvalidSchema)?;
    Ok((name, server.edit(edit, &base, preconditions).await?))
}

/// Changes what a field's definition says; another `name` renames it.
pub(crate) async fn alter_field(
    server: &Server,
    (table, field): (String, String),
    changes: Map<String, Json>,
    preconditions: &Preconditions,
) -> Result<Committed<u64>, Problem> {
    let place = server.view().open_table(&table)?.schema().field(&field).map_or(0, |(at, _)| at.at());
    let base = format!("/tables/{}/fields/{place}", pointer_step(&table));
    let edit = SchemaEdit::AlterField { table, field, changes: Json::Object(changes) };
    server.edit(edit, &base, preconditions).await
}

/// Adds an index over the records that are there and those to come; gives its name.
pub(crate) async fn create_index(
    server: &Server,
    table: String,
    definition: Map<String, Json>,
    preconditions: &Preconditions,
) -> Result<(String, Committed<u64>), Problem> {
    let view = server.view();
    let known: Vec<String> = view.open_table(&table)?.schema().indexes.iter().map(|index| index.name.clone()).collect();
    let place = view.open_table(&table)?.schema().indexes.iter().filter(|index| index.written).count();
    let base = format!("/tables/{}/indexes/{place}", pointer_step(&table));
    let edit = SchemaEdit::CreateIndex { table: table.clone(), definition: Json::Object(definition) };
    let done = server.edit(edit, &base, preconditions).await?;
    let view = server.view();
    let indexes = view.open_table(&table).map(|table| table.schema().indexes.as_slice()).unwrap_or_default();
    let new = indexes.iter().find(|index| !known.contains(&index.name));
    Ok((new.map(|index| index.name.clone()).unwrap_or_default(), done))
}

/// Drops an index.
pub(crate) async fn drop_index(
    server: &Server,
    (table, index): (String, String),
    preconditions: &Preconditions,
) -> Result<Committed<u64>, Problem> {
    server.view().open_table(&table)?;
    server.edit(SchemaEdit::DropIndex { table, index }, "", preconditions).await
}

/// `PATCH /table/{table}`
pub(crate) async fn patch_table(
    State(server): Shared,
    Path(table): Path<String>,
    Query(()): Query<()>,
    preconditions: Preconditions,
    Object(changes): Object,
) -> Result<Reply, Problem> {
    let (table, done) = alter_table(&server, table, changes, &preconditions).await?;
    Ok(table::shown(&server, &table)?.commit(done.commit))
}

/// `PATCH /table/{table}/field/{field}`
pub(crate) async fn patch_field(
    State(server): Shared,
    Path((table, field)): Path<(String, String)>,
    Query(()): Query<()>,
    preconditions: Preconditions,
    Object(changes): Object,
) -> Result<Reply, Problem> {
    let done = alter_field(&server, (table.clone(), field), changes, &preconditions).await?;
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
    preconditions: Preconditions,
    Object(definition): Object,
) -> Result<Reply, Problem> {
    let (name, done) = create_index(&server, table.clone(), definition, &preconditions).await?;
    let path = format!("/table/{table}/index/{name}");
    Ok(table::shown(&server, &table)?.created(&path).commit(done.commit))
}

/// `DELETE /table/{table}/index/{index}`
pub(crate) async fn remove_index(
    State(server): Shared,
    Path(path): Path<(String, String)>,
    Query(()): Query<()>,
    preconditions: Preconditions,
) -> Result<Reply, Problem> {
    let done = drop_index(&server, path, &preconditions).await?;
    Ok(Reply::nothing().commit(done.commit))
}

/// Whether a schema is only tried.
#[derive(Debug)]
pub(crate) struct PutOptions {
    dry_run: bool,
}

impl FromParams for PutOptions {
    const NAMES: &'static [&'static str] = &["dry_run"];

    fn from_params(params: &mut Params) -> Self {
        PutOptions { dry_run: params.take_flag("dry_run") }
    }
}

/// `PUT /schema`: makes the schema what the body says, in one step. `If-Match` names the schema that was read before, so
/// that nobody's edits are undone unseen.
pub(crate) async fn put_schema(
    State(server): Shared,
    Query(options): Query<PutOptions>,
    preconditions: Preconditions,
    text: JsonText,
) -> Result<Reply, Problem> {
    if !preconditions.has_match() {
        let detail = "a whole schema is put under If-Match: send the tag that GET /schema gave";
        return Err(Problem::new(Kind::PreconditionRequired, detail));
    }
    let read = |text: &[u8]| -> Result<String, Problem> {
        as_object(json::parse(text)?, "#")?;
        // It has been read as JSON, so it is UTF-8.
        Ok(String::from_utf8_lossy(text).into_owned())
    };
    let text = understood(text.0, read).await??;
    let done = apply(&server, text, preconditions, options.dry_run).await?;
    let tag = schema_tag(server.epoch, done.value["schema_version"].as_u64().unwrap_or_default());
    Ok(Reply::json(json::to_vec(&done.value)).header(ETAG, tag).commit(done.commit))
}

/// `PATCH /schema`: a merge patch (RFC 7396) of the schema as it is when the patch is applied.
pub(crate) async fn patch_schema(
    State(server): Shared,
    Query(options): Query<PutOptions>,
    preconditions: Preconditions,
    Object(changes): Object,
) -> Result<Reply, Problem> {
    let new = move |old: &Schema| {
        let text = dbgen_schema::write::to_json_pretty(old);
        let mut json: Json = serde_json::from_str(&text).map_err(|error| super::problem::internal(&error))?;
        merge_patch(&mut json, Json::Object(changes.clone()));
        parse(format!("{json:#}"))
    };
    let done = change(&server, new, preconditions, options.dry_run).await?;
    let tag = schema_tag(server.epoch, done.value["schema_version"].as_u64().unwrap_or_default());
    Ok(Reply::json(json::to_vec(&done.value)).header(ETAG, tag).commit(done.commit))
}

/// A merge patch: objects member by member, null takes a member away, everything else takes the place of what was there.
fn merge_patch(target: &mut Json, patch: Json) {
    let Json::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Json::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else { return };
    for (key, value) in patch {
        match value {
            Json::Null => drop(members.shift_remove(&key)),
            value => merge_patch(members.entry(key).or_insert(Json::Null), value),
        }
    }
}

/// Makes the schema what a text says, in one step; gives the plan, and whether it was carried out.
pub(crate) async fn apply(
    server: &Server,
    text: String,
    preconditions: Preconditions,
    dry_run: bool,
) -> Result<Committed<Json>, Problem> {
    let new = parse(text)?;
    change(server, move |_| Ok(new.clone()), preconditions, dry_run).await
}

fn parse(text: String) -> Result<Schema, Problem> {
    let source = Source { name: "the given schema".to_owned(), text, format: Format::Json };
    Schema::parse(&source).map_err(|wrong| Problem::from(Error::Schema(Box::new(wrong))))
}

/// Makes the schema what `new` makes of the present one, in one step. Was it edited meanwhile, it is made of what it is then,
/// if the preconditions still hold.
async fn change(
    server: &Server,
    new: impl Fn(&Schema) -> Result<Schema, Problem>,
    preconditions: Preconditions,
    dry_run: bool,
) -> Result<Committed<Json>, Problem> {
    loop {
        let view = server.view();
        let (old, version) = (view.schema().clone(), view.schema_version());
        preconditions.check_match(&schema_tag(server.epoch, version))?;
        let new = new(&old)?;
        let edits = SchemaEdit::between(&old, &new).map_err(|error| Problem::of_edit(error, ""))?;
        let mut plan = evolve::plan(&old, &new, None).to_json();
        plan["edits"] = json!(edits);
        let value = |version: u64| json!({ "applied": !dry_run, "schema_version": version, "plan": plan });
        if dry_run || edits.is_empty() {
            return Ok(Committed { value: value(version), commit: view.commit(), durable: false });
        }
        drop(view);
        let editing = Editing::new(&server.db.shared, edits).meant_for(version);
        match server.make_edits(editing).await? {
            Ok(done) => return Ok(Committed { value: value(done.value), commit: done.commit, durable: done.durable }),
            Err(Error::SchemaEdit(SchemaEditError::SchemaChanged { .. })) => {}
            Err(error) => return Err(Problem::of_edit(error, "")),
        }
    }
}
