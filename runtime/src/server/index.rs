//! What there is, for who comes without a document in hand.

use super::extract::{AcceptsJson, Path, Query};
use super::json;
use super::problem::{Kind, Problem};
use super::reply::Reply;
use super::state::Shared;
use axum::extract::State;
use serde_json::json;

/// Every route, with what it is for.
pub(crate) const ROUTES: &[(&str, &str)] = &[
    ("GET /", "this index"),
    ("GET /healthz", "whether the process answers"),
    ("GET /readyz", "whether writes are taken"),
    ("GET /version", "which database this is"),
    ("GET /stats?period=1s|1m|1h", "how the loop, its systems and the tables are doing"),
    ("GET /metrics", "the same for Prometheus"),
    ("GET /problems/{code}", "what a problem's code means"),
    ("GET /schema?format=json|toml", "the schema, in the format that dbgen compiles"),
    ("GET /openapi.json", "this server as an OpenAPI document, with paths for each table"),
    ("GET /openrpc.json", "the methods of /rpc as an OpenRPC document"),
    ("PUT /schema?dry_run=true", "make the schema this one, under If-Match; the plan is answered"),
    ("PATCH /schema?dry_run=true", "change the members that are given, as a merge patch: types, tables, relations"),
    ("GET /table", "all tables"),
    ("POST /table", "make a table: {name, fields: [{name, type}, ...]}"),
    ("GET /table/{table}", "a table's definition"),
    ("PATCH /table/{table}", "change what its definition says, or rename it: {name}"),
    ("DELETE /table/{table}?cascade=true", "drop a table"),
    ("POST /table/{table}/field", "add a field: {name, type, default}"),
    ("PATCH /table/{table}/field/{field}", "change what its definition says, or rename it: {name, type, default}"),
    ("DELETE /table/{table}/field/{field}?cascade=true", "drop a field"),
    ("GET /table/{table}/index", "its indexes"),
    ("POST /table/{table}/index", "add an index: {name, fields, kind, unique}"),
    ("DELETE /table/{table}/index/{index}", "drop an index"),
    ("GET /relation", "all relations"),
    ("POST /relation", "relate: {from: {table, field}, to: {table, field}, on_delete}"),
    ("GET /relation/{id}", "a relation"),
    ("DELETE /relation/{id}", "drop a relation"),
    ("POST /table/{table}/record", "insert a record"),
    ("GET /table/{table}/record/{id}", "a record"),
    ("PUT /table/{table}/record/{id}", "replace a record"),
    ("PATCH /table/{table}/record/{id}", "change some fields of a record"),
    ("DELETE /table/{table}/record/{id}", "delete a record"),
    ("GET /table/{table}/by/{field}/{value}", "a record by a unique field"),
    ("GET /table/{table}/records?field=op.value&order=field.desc&limit=100&cursor=", "records, page by page"),
    (
        "POST /table/{table}/records?mode=atomic|partial|chunked&on_conflict=error|ignore|replace|merge",
        "insert many: JSON, NDJSON or CSV",
    ),
    ("PATCH /table/{table}/records?all=true", "change all records that fulfil a filter"),
    ("DELETE /table/{table}/records?all=true", "delete all records that fulfil a filter"),
    ("POST /table/{table}/query", "the same as JSON: {where, select, order, limit, cursor, count}"),
    ("POST /batch", "several changes, all or none: {ops: [{op, table, ...}, ...]}"),
    ("POST /snapshot", "take a snapshot of the data folder now"),
    ("POST /rpc", "JSON-RPC 2.0; the method rpc.discover lists the methods"),
];

/// `GET /`
pub(crate) async fn get(State(server): Shared, Query(()): Query<()>, _: AcceptsJson) -> Reply {
    let view = server.view();
    let routes: Vec<_> = ROUTES.iter().map(|(route, what)| json!({ "route": route, "what": what })).collect();
    let tables: Vec<&str> = view.schema().tables.iter().map(|table| table.name.as_str()).collect();
    let index = json!({
        "name": view.schema().name,
        "description": view.schema().description,
        "tables": tables,
        "routes": routes,
    });
    Reply::json(json::to_vec(&index)).commit(view.commit())
}

/// `GET /problems/{code}`
pub(crate) async fn problem(Path(code): Path<String>, Query(()): Query<()>) -> Result<Reply, Problem> {
    let kinds: Vec<Kind> = Kind::of_code(&code).collect();
    let about = dbgen_schema::explain(&code);
    let Some(first) = kinds.first() else {
        // What is wrong with a schema has codes of its own.
        if let Some(about) = about {
            let about =
                json!({ "type": format!("/problems/{code}"), "title": code, "statuses": [422], "about": about });
            return Ok(Reply::json(json::to_vec(&about)));
        }
        return Err(Problem::new(Kind::UnknownProblem, format!("there is no problem with the code {code:?}")));
    };
    let statuses: Vec<u16> = kinds.iter().map(|kind| kind.status()).collect();
    let about = json!({
        "type": format!("/problems/{code}"), "title": first.title(), "statuses": statuses, "rpc_code": first.rpc_code(),
        "about": about,
    });
    Ok(Reply::json(json::to_vec(&about)))
}
