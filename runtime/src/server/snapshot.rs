//! Snapshots of the data folder, taken when somebody asks.

use super::extract::Query;
use super::json;
use super::problem::{Problem, internal};
use super::reply::Reply;
use super::state::{Server, Shared};
use axum::extract::State;
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// Takes a snapshot of what is published now; gives its commit. Writes go on meanwhile.
pub(crate) async fn take(server: Arc<Server>) -> Result<Json, Problem> {
    let db = server.db.clone();
    let commit = tokio::task::spawn_blocking(move || db.snapshot()).await.map_err(|error| internal(&error))??;
    Ok(json!({ "commit": commit }))
}

/// `POST /snapshot`
pub(crate) async fn post(State(server): Shared, Query(()): Query<()>) -> Result<Reply, Problem> {
    let taken = take(server.clone()).await?;
    Ok(Reply::json(json::to_vec(&taken)).commit(server.view().commit()))
}
