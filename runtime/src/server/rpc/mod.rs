//! `POST /rpc`: JSON-RPC 2.0, strictly, over the same operations as REST, and the procedures of the game.
//!
//! [`protocol`] knows the protocol and no method; [`methods`] the methods and no protocol.

mod args;
mod methods;
mod protocol;

use super::extract::{AcceptsJson, JsonText, Query, RequestId, understood};
use super::reply::Reply;
use super::role::Grant;
use super::serve::DB_VERSION;
use super::state::Shared;
use axum::extract::State;

/// `POST /rpc`: 200 with a response or a list of them; 204 if there is nothing to respond to.
pub(crate) async fn post(
    State(server): Shared,
    Query(()): Query<()>,
    request_id: RequestId,
    grant: Grant,
    JsonText(text): JsonText,
) -> Reply {
    let call = |method, params| methods::call(server.clone(), grant.clone(), method, params);
    let shape = protocol::Shape { request_id: &request_id.0, schema_version: server.view().schema_version() };
    let requests = understood(text, protocol::read).await.flatten();
    let reply = match protocol::answer(requests, shape, call).await {
        Some(answer) => Reply::json(answer),
        None => Reply::nothing(),
    };
    // What was written is visible to every view taken now.
    reply.header(DB_VERSION, server.view().commit().to_string())
}

/// `GET /openrpc.json`: what `rpc.discover` answers.
pub(crate) async fn discover(State(server): Shared, Query(()): Query<()>, _: AcceptsJson) -> Reply {
    Reply::json(methods::openrpc(&server)).commit(server.view().commit())
}
