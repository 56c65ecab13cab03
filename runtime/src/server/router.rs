//! Every route of the server.

use super::problem::{Kind, Problem};
use super::reply::Reply;
use super::state::Server;
use super::{alter, batch, health, index, openapi, record, records, relation, rpc, schema, snapshot, stats, table};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use std::sync::Arc;

/// The routes.
pub(crate) fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/", get(index::get))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/version", get(health::version))
        .route("/stats", get(stats::get))
        .route("/metrics", get(stats::metrics))
        .route("/problems/{code}", get(index::problem))
        .route("/openapi.json", get(openapi::get))
        .route("/openrpc.json", get(rpc::discover))
        .route("/schema", get(schema::get).put(alter::put_schema).patch(alter::patch_schema))
        .route("/table", get(table::list).post(table::post))
        .route("/table/{table}", get(table::get).patch(alter::patch_table).delete(table::remove))
        .route("/table/{table}/field", post(table::post_field))
        .route("/table/{table}/field/{field}", delete(table::remove_field).patch(alter::patch_field))
        .route("/table/{table}/index", get(alter::list_indexes).post(alter::post_index))
        .route("/table/{table}/index/{index}", delete(alter::remove_index))
        .route("/relation", get(relation::list).post(relation::post))
        .route("/relation/{id}", get(relation::get).delete(relation::remove))
        .route("/table/{table}/record", post(record::post))
        .route(
            "/table/{table}/record/{id}",
            get(record::get_one).put(record::put).patch(record::patch).delete(record::remove),
        )
        .route("/table/{table}/by/{field}/{value}", get(record::get_by))
        .route(
            "/table/{table}/records",
            get(records::get).post(records::bulk_insert).patch(records::patch_set).delete(records::remove_set),
        )
        .route("/table/{table}/query", post(records::query))
        .route("/batch", post(batch::post))
        .route("/snapshot", post(snapshot::post))
        .route("/rpc", post(rpc::post))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        // Bodies have been read within limits of their own before a handler sees them.
        .layer(DefaultBodyLimit::disable())
        .with_state(server)
}

async fn no_route(uri: Uri) -> Problem {
    Problem::new(Kind::UnknownRoute, format!("there is no route {:?}; GET / lists them", uri.path()))
}

/// The router adds `Allow`.
async fn no_method(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        return Reply::nothing().into_response();
    }
    Problem::new(Kind::MethodNotAllowed, format!("{method} is not a method of {:?}", uri.path())).into_response()
}
