//! `GET /openapi.json`: the server as an OpenAPI 3.1 document, made from the schema as it is now.
//!
//! Every table has paths and shapes of its own ([`table`]), so that clients and tests made from the document know the
//! fields; the rest is what `GET /` lists ([`fixed`]). Shapes of types are those of the JSON mapping
//! ([`dbgen_schema::json::Shapes`]): there is no second description of a type.
//!
//! Shapes come in two directions. What the database writes has every member; what it reads may leave out what has a
//! default. They are named `Vec3` and `Vec3.read`, `player`, `player.insert` and `player.patch`.

mod fixed;
mod table;

use super::extract::{AcceptsJson, Query};
use super::json;
use super::precondition::{Preconditions, schema_tag};
use super::problem::Problem;
use super::reply::Reply;
use super::state::{Server, Shared};
use crate::view::View;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ETAG;
use dbgen_schema::Schema;
use dbgen_schema::json::{Direction, Shapes};
use serde_json::{Map, Value as Json, json};
use std::sync::{Arc, PoisonError};

/// A document that was made, kept until the schema changes.
#[derive(Debug)]
pub(crate) struct Document {
    schema_version: u64,
    text: Vec<u8>,
}

/// `GET /openapi.json`
pub(crate) async fn get(
    State(server): Shared,
    Query(()): Query<()>,
    headers: HeaderMap,
    _: AcceptsJson,
) -> Result<Reply, Problem> {
    let view = server.view();
    let tag = schema_tag(server.epoch, view.schema_version());
    let reply = match Preconditions::of(&headers)?.is_fresh(&tag) {
        true => Reply::not_modified(),
        false => Reply::json(document(&server, &view).text.clone()),
    };
    Ok(reply.header(ETAG, tag).commit(view.commit()))
}

fn document(server: &Server, view: &View) -> Arc<Document> {
    let schema_version = view.schema_version();
    let mut kept = server.openapi.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = kept.as_ref().filter(|kept| kept.schema_version == schema_version) {
        return kept.clone();
    }
    let text = json::to_vec(&openapi(view.schema(), server.config.has_token()));
    let document = Arc::new(Document { schema_version, text });
    *kept = Some(document.clone());
    document
}

fn openapi(schema: &Schema, has_token: bool) -> Json {
    let mut paths = fixed::paths();
    for number in 0..schema.tables.len() {
        table::add_paths(schema, number, &mut paths);
    }
    let mut components = json!({ "schemas": shapes(schema), "responses": { "problem": fixed::problem() } });
    let mut document = json!({
        "openapi": "3.1.0",
        "info": { "title": schema.name, "version": schema.version },
        "paths": paths,
    });
    if let Some(description) = &schema.description {
        document["info"]["description"] = Json::from(description.as_str());
    }
    if has_token {
        components["securitySchemes"] = json!({ "token": { "type": "http", "scheme": "bearer" } });
        document["security"] = json!([{ "token": [] }]);
    }
    document["components"] = components;
    document
}

/// Every shape that has a name.
fn shapes(schema: &Schema) -> Map<String, Json> {
    let mut shapes = Map::new();
    for direction in [Direction::Written, Direction::Read] {
        let of = Shapes::new(schema, direction, reference);
        for composite in &schema.composites {
            shapes.insert(shape_name(&composite.name, direction), of.composite(composite));
        }
        for enumeration in &schema.enums {
            shapes.insert(shape_name(&enumeration.name, direction), of.enumeration(enumeration));
        }
    }
    for number in 0..schema.tables.len() {
        table::add_shapes(schema, number, &mut shapes);
    }
    shapes
}

/// The name of a type's shape. Types and tables live in different rooms of a schema, but in one of the document.
fn shape_name(name: &str, direction: Direction) -> String {
    match direction {
        Direction::Written => format!("type.{name}"),
        Direction::Read => format!("type.{name}.read"),
    }
}

fn reference(name: &str, direction: Direction) -> String {
    format!("#/components/schemas/{}", shape_name(name, direction))
}

/// What a content of JSON looks like.
fn content(media_type: &str, shape: &Json) -> Json {
    json!({ media_type: { "schema": shape } })
}

/// The responses of an operation: the one for success, and problems for all others.
fn responses(status: &str, success: Json) -> Json {
    json!({ status: success, "default": { "$ref": "#/components/responses/problem" } })
}
