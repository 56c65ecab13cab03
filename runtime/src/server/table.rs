//! Tables and their fields: list, show, make, drop.

use super::extract::{AcceptsJson, Object, Path, Query};
use super::json;
use super::params::{FromParams, Params};
use super::precondition::Preconditions;
use super::problem::{Fault, Kind, Mistakes, Problem};
use super::relation;
use super::reply::Reply;
use super::schema;
use super::state::{Server, Shared};
use crate::client::Committed;
use crate::dynamic::DynTable;
use crate::edit::SchemaEdit;
use crate::error::{Error, SchemaEditError};
use crate::view::View;
use axum::extract::State;
use dbgen_schema::{FieldIdx, Index, IndexKind, Table, TableIdx};
use serde_json::{Map, Value as Json, json};

/// `GET /table`
pub(crate) async fn list(State(server): Shared, Query(()): Query<()>, _: AcceptsJson) -> Reply {
    let view = server.view();
    Reply::json(list_json(&view)).commit(view.commit())
}

/// All tables, each in a few words.
pub(crate) fn list_json(view: &View) -> Vec<u8> {
    let tables = view.tables().map(|table| {
        let schema = table.schema();
        json!({
            "name": schema.name,
            "fields": schema.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(),
            "rows": table.len(),
            "bytes": table.bytes().0,
            "indexes": schema.indexes.iter().map(|index| index.name.as_str()).collect::<Vec<_>>(),
            "version": view.commit(),
        })
    });
    json::to_vec(&json!({
        "items": tables.collect::<Vec<_>>(), "total": view.schema().tables.len(),
        "version": view.commit(), "schema_version": view.schema_version(),
    }))
}

/// `GET /table/{table}`
pub(crate) async fn get(
    State(server): Shared,
    Path(table): Path<String>,
    Query(()): Query<()>,
    _: AcceptsJson,
) -> Result<Reply, Problem> {
    let view = server.view();
    let definition = definition(&server, &view, view.open_table(&table)?)?;
    Ok(Reply::json(json::to_vec(&definition)).commit(view.commit()))
}

/// A table in the schema language, with all of its indexes and relations, and what it holds.
pub(crate) fn definition(server: &Server, view: &View, table: DynTable<'_>) -> Result<Json, Problem> {
    let schema = table.schema();
    let written = schema::written(server, view)?;
    let mut object = Map::from_iter([("name".to_owned(), Json::from(schema.name.as_str()))]);
    if let Some(Json::Object(members)) = written.json.get("tables").and_then(|tables| tables.get(&schema.name)) {
        object.extend(members.clone());
    }
    let at = table.number().at();
    let relations = view.schema().relations.iter().filter(|r| r.from_table.at() == at || r.to_table.at() == at);
    let relations: Vec<Json> = relations.map(|relation| relation::relation_json(view.schema(), relation)).collect();
    let (used, allocated) = table.bytes();
    object.insert("indexes".to_owned(), schema.indexes.iter().map(|index| index_json(schema, index)).collect());
    object.insert("relations".to_owned(), relations.into());
    object.insert("rows".to_owned(), table.len().into());
    object.insert("bytes".to_owned(), json!({ "used": used, "allocated": allocated }));
    object.insert("version".to_owned(), view.commit().into());
    object.insert("schema_version".to_owned(), view.schema_version().into());
    Ok(Json::Object(object))
}

pub(crate) fn index_json(table: &Table, index: &Index) -> Json {
    let fields: Vec<&str> = index.fields.iter().map(|field| table.fields[field.at()].name.as_str()).collect();
    let kind = match index.kind {
        IndexKind::Btree => "btree",
        IndexKind::Hash => "hash",
    };
    json!({ "name": index.name, "fields": fields, "kind": kind, "unique": index.unique, "implied": !index.written })
}

/// Makes a table from its definition, which carries its name.
pub(crate) async fn create(
    server: &Server,
    mut definition: Map<String, Json>,
    preconditions: &Preconditions,
) -> Result<(String, Committed<u64>), Problem> {
    let mut mistakes = Mistakes::default();
    let table = mistakes.note(match definition.remove("name") {
        Some(Json::String(name)) => Ok(name),
        Some(_) => Err(Problem::at(Kind::WrongType, "#/name", "`name` must be a string")),
        None => Err(Problem::at(Kind::MissingField, "#/name", "a table needs a `name`")),
    });
    // Under a name that stands for the missing one, the rest is looked at all the same.
    let table = table.unwrap_or_else(|| "the_new_table".to_owned());
    let base = format!("/tables/{}", pointer_step(&table));
    let edit = SchemaEdit::CreateTable { table: table.clone(), definition: Json::Object(definition) };
    if !mistakes.is_empty() {
        mistakes.note(server.try_edit(edit.clone(), &base).await);
    }
    mistakes.check(Kind::InvalidSchema)?;
    let done = server.edit(edit, &base, preconditions).await?;
    Ok((table, done))
}

/// Drops a table; `cascade` takes along the fields of others that refer to it.
pub(crate) async fn drop(
    server: &Server,
    table: String,
    cascade: bool,
    preconditions: &Preconditions,
) -> Result<Committed<u64>, Problem> {
    server.edit(SchemaEdit::DropTable { table, cascade }, "", preconditions).await
}

/// Adds a field to a table.
pub(crate) async fn add_field(
    server: &Server,
    table: String,
    definition: Map<String, Json>,
    preconditions: &Preconditions,
) -> Result<Committed<u64>, Problem> {
    let (count, needs_default) = {
        let view = server.view();
        let opened = view.open_table(&table)?;
        let is_given = ["default", "nullable", "auto_increment"].iter().any(|key| definition.contains_key(*key));
        (opened.schema().fields.len(), !is_given && !opened.is_empty())
    };
    let base = format!("/tables/{}/fields/{count}", pointer_step(&table));
    let edit = SchemaEdit::AddField { table, definition: Json::Object(definition) };
    let edited = server.edit(edit, &base, preconditions).await;
    edited.map_err(|problem| match problem.kind() {
        // What is wrong with the definition is told first, and this with it.
        Kind::DefaultRequired => problem.pointed_at("#/default"),
        kind if kind.status() == 422 && needs_default => problem.fault(Fault {
            pointer: "#/default".to_owned(),
            code: Kind::DefaultRequired.code(),
            detail: "the table has records: give the field a `default`, or make it nullable".to_owned(),
            expected: None,
            suggestion: None,
        }),
        _ => problem,
    })
}

/// Drops a field; `cascade` takes along the indexes and relations that use it. Its own index is one of them: who drops a field
/// that is looked up by says so.
pub(crate) async fn drop_field(
    server: &Server,
    table: String,
    field: String,
    cascade: bool,
    preconditions: &Preconditions,
) -> Result<Committed<u64>, Problem> {
    let by = used_by(&server.view(), &table, &field)?;
    if !cascade && !by.is_empty() {
        return Err(Error::from(SchemaEditError::FieldUsed { table, field, by }).into());
    }
    server.edit(SchemaEdit::DropField { table, field, cascade }, "", preconditions).await
}

/// The indexes and relations that a field is in.
fn used_by(view: &View, table: &str, field: &str) -> Result<Vec<String>, Problem> {
    let table = view.open_table(table)?;
    // One that is not there is the edit's to tell.
    let Some((at, _)) = table.schema().field(field) else { return Ok(Vec::new()) };
    let indexes = table.schema().indexes.iter().filter(|index| index.fields.contains(&at));
    let is_end = |(of, field): (TableIdx, FieldIdx)| of.at() == table.number().at() && field == at;
    let relations = view.schema().relations.iter().filter(|relation| {
        is_end((relation.from_table, relation.from_field))
            || relation.to_field.is_some_and(|to| is_end((relation.to_table, to)))
    });
    let names = indexes.map(|index| index.name.clone()).chain(relations.map(|relation| relation.name.clone()));
    Ok(names.collect())
}

/// A name as a step of a JSON pointer.
pub(crate) fn pointer_step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// `POST /table`
pub(crate) async fn post(
    State(server): Shared,
    Query(()): Query<()>,
    preconditions: Preconditions,
    Object(definition): Object,
) -> Result<Reply, Problem> {
    let (table, done) = create(&server, definition, &preconditions).await?;
    Ok(shown(&server, &table)?.created(&format!("/table/{table}")).commit(done.commit))
}

/// The table as it is now. Another client may have dropped it again.
pub(crate) fn shown(server: &Server, table: &str) -> Result<Reply, Problem> {
    let view = server.view();
    match view.open_table(table) {
        Ok(found) => Ok(Reply::json(json::to_vec(&definition(server, &view, found)?))),
        Err(_) => Ok(Reply::json("{}")),
    }
}

/// What goes along with what is dropped.
#[derive(Debug)]
pub(crate) struct DropOptions {
    cascade: bool,
}

impl FromParams for DropOptions {
    const NAMES: &'static [&'static str] = &["cascade"];

    fn from_params(params: &mut Params) -> Self {
        DropOptions { cascade: params.take_flag("cascade") }
    }
}

/// `DELETE /table/{table}`
pub(crate) async fn remove(
    State(server): Shared,
    Path(table): Path<String>,
    Query(options): Query<DropOptions>,
    preconditions: Preconditions,
) -> Result<Reply, Problem> {
    let done = drop(&server, table, options.cascade, &preconditions).await?;
    Ok(Reply::nothing().commit(done.commit))
}

/// `POST /table/{table}/field`
pub(crate) async fn post_field(
    State(server): Shared,
    Path(table): Path<String>,
    Query(()): Query<()>,
    preconditions: Preconditions,
    Object(definition): Object,
) -> Result<Reply, Problem> {
    let field = definition.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
    let done = add_field(&server, table.clone(), definition, &preconditions).await?;
    Ok(shown(&server, &table)?.created(&format!("/table/{table}/field/{field}")).commit(done.commit))
}

/// `DELETE /table/{table}/field/{field}`
pub(crate) async fn remove_field(
    State(server): Shared,
    Path((table, field)): Path<(String, String)>,
    Query(options): Query<DropOptions>,
    preconditions: Preconditions,
) -> Result<Reply, Problem> {
    let done = drop_field(&server, table, field, options.cascade, &preconditions).await?;
    Ok(Reply::nothing().commit(done.commit))
}
