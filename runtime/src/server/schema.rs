//! The schema, in the language of schema files: what is read here, dbgen compiles.

use super::extract::Query;
use super::params::{FromParams, Params};
use super::precondition::{Preconditions, schema_tag};
use super::problem::{Problem, internal};
use super::reply::Reply;
use super::state::{Server, Shared};
use crate::view::View;
use axum::extract::State;
use axum::http::header::ETAG;
use dbgen_schema::Format;
use serde_json::Value as Json;
use std::sync::{Arc, PoisonError};

/// A schema as JSON, kept until the schema changes.
#[derive(Debug)]
pub(crate) struct Written {
    version: u64,
    pub(crate) text: String,
    pub(crate) json: Json,
}

/// The schema of a view as JSON.
pub(crate) fn written(server: &Server, view: &View) -> Result<Arc<Written>, Problem> {
    let version = view.schema_version();
    let mut kept = server.schema.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = kept.as_ref().filter(|kept| kept.version == version) {
        return Ok(kept.clone());
    }
    let text = dbgen_schema::write::to_json_pretty(view.schema());
    let json = serde_json::from_str(&text).map_err(|error| internal(&error))?;
    let written = Arc::new(Written { version, text, json });
    *kept = Some(written.clone());
    Ok(written)
}

/// How the schema is to be written.
#[derive(Debug)]
pub(crate) struct SchemaOptions {
    format: Format,
}

impl FromParams for SchemaOptions {
    const NAMES: &'static [&'static str] = &["format"];

    fn from_params(params: &mut Params) -> Self {
        let words = [("json", Format::Json), ("toml", Format::Toml)];
        SchemaOptions { format: params.take_word("format", &words).unwrap_or(Format::Json) }
    }
}

/// `GET /schema`
pub(crate) async fn get(
    State(server): Shared,
    Query(options): Query<SchemaOptions>,
    preconditions: Preconditions,
) -> Result<Reply, Problem> {
    let view = server.view();
    let tag = schema_tag(server.epoch, view.schema_version());
    preconditions.check_match(&tag)?;
    let reply = if preconditions.is_fresh(&tag) {
        Reply::not_modified()
    } else {
        match options.format {
            Format::Json => Reply::json(written(&server, &view)?.text.clone()),
            Format::Toml => Reply::text("application/toml", dbgen_schema::write::to_toml(view.schema())),
        }
    };
    Ok(reply.header(ETAG, tag).commit(view.commit()))
}
