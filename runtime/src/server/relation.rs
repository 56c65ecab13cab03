//! Relations: list, show, make, drop. A relation's id is its name.

use super::batch::refuse_unknown;
use super::extract::{AcceptsJson, Object, Path, Query};
use super::json;
use super::precondition::Preconditions;
use super::problem::{Kind, Mistakes, Problem};
use super::reply::Reply;
use super::state::{Server, Shared};
use crate::client::Committed;
use crate::edit::SchemaEdit;
use crate::view::View;
use axum::extract::State;
use dbgen_schema::{OnDelete, Relation, Schema};
use serde_json::{Map, Value as Json, json};

/// `GET /relation`
pub(crate) async fn list(State(server): Shared, Query(()): Query<()>, _: AcceptsJson) -> Reply {
    let view = server.view();
    Reply::json(list_json(&view)).commit(view.commit())
}

/// All relations.
pub(crate) fn list_json(view: &View) -> Vec<u8> {
    let schema = view.schema();
    let items: Vec<Json> = schema.relations.iter().map(|relation| relation_json(schema, relation)).collect();
    json::to_vec(&json!({ "total": items.len(), "items": items, "version": view.commit() }))
}

/// One relation.
pub(crate) fn relation_json(schema: &Schema, relation: &Relation) -> Json {
    let (from, to) = (&schema.tables[relation.from_table.at()], &schema.tables[relation.to_table.at()]);
    let on_delete = match relation.on_delete {
        OnDelete::Restrict => "restrict",
        OnDelete::Cascade => "cascade",
        OnDelete::SetNull => "set_null",
    };
    json!({
        "id": relation.name,
        "name": relation.name,
        "from": { "table": from.name, "field": from.fields[relation.from_field.at()].name },
        "to": { "table": to.name, "field": relation.to_field.map_or("_id", |field| &to.fields[field.at()].name) },
        "kind": kind(schema, relation),
        "on_delete": on_delete,
        "implied": !relation.written,
    })
}

/// How many records of the referring table may refer to the same record.
fn kind(schema: &Schema, relation: &Relation) -> &'static str {
    let from = &schema.tables[relation.from_table.at()];
    let is_unique = from.indexes.iter().any(|index| index.unique && index.fields == [relation.from_field]);
    if is_unique { "one_to_one" } else { "many_to_one" }
}

/// `GET /relation/{id}`
pub(crate) async fn get(
    State(server): Shared,
    Path(id): Path<String>,
    Query(()): Query<()>,
    _: AcceptsJson,
) -> Result<Reply, Problem> {
    let view = server.view();
    let relation = find(view.schema(), &id)?;
    Ok(Reply::json(json::to_vec(&relation_json(view.schema(), relation))).commit(view.commit()))
}

fn find<'s>(schema: &'s Schema, name: &str) -> Result<&'s Relation, Problem> {
    schema.relations.iter().find(|relation| relation.name == name).ok_or_else(|| {
        let names = schema.relations.iter().map(|relation| relation.name.as_str());
        Problem::unknown(Kind::RelationNotFound, format!("there is no relation `{name}`"), name, names)
    })
}

/// Makes a relation; gives its name.
pub(crate) async fn create(
    server: &Server,
    mut body: Map<String, Json>,
    preconditions: &Preconditions,
) -> Result<(String, Committed<u64>), Problem> {
    let mut mistakes = Mistakes::default();
    mistakes.note(refuse_unknown(&body, &["name", "from", "to", "kind", "on_delete"]));
    let ends = (mistakes.note(end(&body, "from")), mistakes.note(end(&body, "to")));
    let wanted = body.remove("kind");
    let view = server.view();
    let from = ends.0.as_deref().unwrap_or_default();
    mistakes.note(check_kind(view.schema(), from, wanted.as_ref()));
    let (Some(from), Some(to)) = ends else {
        mistakes.note(check_on_delete(body.get("on_delete")));
        mistakes.check(Kind::InvalidSchema)?;
        return Err(Problem::new(Kind::InvalidSchema, "a relation needs `from` and `to`"));
    };
    let mut definition = Map::new();
    definition.extend(body.remove("name").map(|name| ("name".to_owned(), name)));
    definition.insert("from".to_owned(), from.as_str().into());
    definition.insert("to".to_owned(), to.as_str().into());
    definition.extend(body.remove("on_delete").map(|rule| ("on_delete".to_owned(), rule)));
    // Its place among the relations that the schema writes down.
    let place = view.schema().relations.iter().filter(|relation| relation.written).count();
    let edit = SchemaEdit::CreateRelation { definition: Json::Object(definition) };
    let base = format!("/relations/{place}");
    if !mistakes.is_empty() {
        mistakes.note(server.try_edit(edit.clone(), &base).await);
    }
    mistakes.check(Kind::InvalidSchema)?;
    let done = server.edit(edit, &base, preconditions).await?;
    let view = server.view();
    let is_from = |relation: &&Relation| {
        let table = &view.schema().tables[relation.from_table.at()];
        from == format!("{}.{}", table.name, table.fields[relation.from_field.at()].name)
    };
    let name = view.schema().relations.iter().find(is_from).map(|relation| relation.name.clone());
    Ok((name.unwrap_or_default(), done))
}

/// Drops a relation; its field stays.
pub(crate) async fn drop(
    server: &Server,
    name: String,
    preconditions: &Preconditions,
) -> Result<Committed<u64>, Problem> {
    find(server.view().schema(), &name)?;
    server.edit(SchemaEdit::DropRelation { name }, "", preconditions).await
}

/// One end as the schema language writes it: `player.guild`. In a body it is that, or `{"table": …, "field": …}`.
fn end(body: &Map<String, Json>, name: &str) -> Result<String, Problem> {
    let wrong = |detail: &str| Problem::at(Kind::WrongType, format!("#/{name}"), format!("`{name}` {detail}"));
    let object = match body.get(name) {
        Some(Json::String(path)) => return Ok(path.clone()),
        Some(Json::Object(object)) => object,
        Some(_) => return Err(wrong("must be an object with `table` and `field`, or a string like `player.guild`")),
        None => return Err(Problem::at(Kind::MissingField, format!("#/{name}"), format!("`{name}` is missing"))),
    };
    refuse_unknown(object, &["table", "field"]).map_err(|problem| problem.below(&format!("/{name}")))?;
    let Some(Json::String(table)) = object.get("table") else { return Err(wrong("needs a `table`")) };
    match object.get("field") {
        Some(Json::String(field)) if field != "_id" => Ok(format!("{table}.{field}")),
        // The record id is what a relation refers to if it names no field.
        None | Some(Json::Null | Json::String(_)) if name == "to" => Ok(table.clone()),
        _ => Err(wrong("needs a `field`")),
    }
}

/// What a deletion does, where there is no relation that the schema's own checker could look at.
fn check_on_delete(rule: Option<&Json>) -> Result<(), Problem> {
    const RULES: [&str; 3] = ["restrict", "cascade", "set_null"];
    match rule {
        None => Ok(()),
        Some(Json::String(rule)) if RULES.contains(&rule.as_str()) => Ok(()),
        Some(other) => {
            let detail = format!("`on_delete` is one of {}, not {other}", RULES.join(", "));
            Err(Problem::at(Kind::InvalidValue, "#/on_delete", detail))
        }
    }
}

/// The kind follows from whether the referring field is unique; a body that says another is told.
fn check_kind(schema: &Schema, from: &str, wanted: Option<&Json>) -> Result<(), Problem> {
    let wanted = match wanted {
        None | Some(Json::Null) => return Ok(()),
        Some(Json::String(kind)) => kind.as_str(),
        Some(_) => return Err(Problem::at(Kind::WrongType, "#/kind", "`kind` must be a string")),
    };
    let unique = from.split_once('.').and_then(|(table, field)| {
        let (_, table) = schema.table(table)?;
        let (at, _) = table.field(field)?;
        Some(table.indexes.iter().any(|index| index.unique && index.fields == [at]))
    });
    match (wanted, unique) {
        ("one_to_one", Some(true)) | ("many_to_one", Some(false)) | ("one_to_one" | "many_to_one", None) => Ok(()),
        ("one_to_one", Some(false)) => {
            let detail = format!("`{from}` is not unique, so the relation is many_to_one: make the field unique first");
            Err(Problem::at(Kind::InvalidValue, "#/kind", detail))
        }
        ("many_to_one", Some(true)) => {
            let detail = format!("`{from}` is unique, so the relation is one_to_one");
            Err(Problem::at(Kind::InvalidValue, "#/kind", detail))
        }
        _ => {
            let detail = format!("`kind` is many_to_one or one_to_one, seen from the referring field, not {wanted:?}");
            Err(Problem::at(Kind::InvalidValue, "#/kind", detail))
        }
    }
}

/// `POST /relation`
pub(crate) async fn post(
    State(server): Shared,
    Query(()): Query<()>,
    preconditions: Preconditions,
    Object(body): Object,
) -> Result<Reply, Problem> {
    let (name, done) = create(&server, body, &preconditions).await?;
    let view = server.view();
    let shown = find(view.schema(), &name).map_or(Json::Null, |relation| relation_json(view.schema(), relation));
    Ok(Reply::json(json::to_vec(&shown)).created(&format!("/relation/{name}")).commit(done.commit))
}

/// `DELETE /relation/{id}`
pub(crate) async fn remove(
    State(server): Shared,
    Path(id): Path<String>,
    Query(()): Query<()>,
    preconditions: Preconditions,
) -> Result<Reply, Problem> {
    let done = drop(&server, id, &preconditions).await?;
    Ok(Reply::nothing().commit(done.commit))
}
