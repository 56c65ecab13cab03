//! What the document says of every server: the routes of `GET /`, and what a problem looks like.

use super::{content, responses};
use crate::server::index::ROUTES;
use crate::server::problem::PROBLEM_JSON;
use serde_json::{Map, Value as Json, json};

/// The paths that no table owns. Those of records stand once for each table.
pub(super) fn paths() -> Map<String, Json> {
    let mut paths = Map::new();
    for (route, what) in ROUTES {
        let Some((method, target)) = route.split_once(' ') else { continue };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path.starts_with("/table/{table}/record") || path.starts_with("/table/{table}/by") {
            continue;
        }
        let method = method.to_ascii_lowercase();
        let mut parameters = parameters(path, query);
        if (method.as_str(), path) == ("put", "/schema") {
            let tag = json!({ "type": "string", "pattern": "^(\\*|\"s[0-9]+\")$" });
            parameters.push(json!({ "name": "If-Match", "in": "header", "required": true, "schema": tag }));
        }
        let mut operation = json!({
            "operationId": operation_id(&method, path),
            "summary": what,
            "parameters": parameters,
            "responses": responses("2XX", json!({ "description": "Done" })),
        });
        if matches!(method.as_str(), "post" | "put" | "patch") && path != "/snapshot" {
            let body = body(&method, path);
            operation["requestBody"] = json!({ "required": true, "content": content("application/json", &body) });
        }
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method] = operation;
    }
    paths
}

/// What the body of a request looks like, as far as it is the same for every schema. The language of schemas is described by
/// its own document; here is what cannot be left out.
fn body(method: &str, path: &str) -> Json {
    let (text, object) = (json!({ "type": "string" }), json!({ "type": "object" }));
    let field = json!({ "type": "object", "properties": { "name": text, "type": text }, "required": ["name", "type"] });
    let end = json!({ "type": "object", "properties": { "table": text, "field": text }, "required": ["table"] });
    let shape = |members: Json, required: &[&str], is_open: bool| json!({ "type": "object", "properties": members, "required": required, "additionalProperties": is_open });
    match (method, path) {
        ("post", "/table") => {
            let members = json!({ "name": text, "fields": { "type": "array", "items": field } });
            shape(members, &["name", "fields"], true)
        }
        ("post", "/table/{table}/field") => shape(json!({ "name": text, "type": text }), &["name", "type"], true),
        ("post", "/table/{table}/index") => {
            let members = json!({ "name": text, "fields": { "type": "array", "items": text, "minItems": 1 },
                "kind": { "enum": ["btree", "hash"] }, "unique": { "type": "boolean" } });
            shape(members, &["fields"], false)
        }
        ("post", "/relation") => {
            let members = json!({ "name": text, "from": end, "to": end, "kind": { "enum": ["many_to_one", "one_to_one"] },
                "on_delete": { "enum": ["restrict", "cascade", "set_null"] } });
            shape(members, &["from", "to"], false)
        }
        ("patch", "/table/{table}") => {
            let or_none = |kind: &str| json!({ "type": [kind, "null"] });
            let durability = json!({ "enum": ["log", "snapshot", "none", null] });
            let members = json!({ "name": text, "description": or_none("string"), "capacity": or_none("integer"),
                "durability": durability, "require_if_match": or_none("boolean"), "schedule": or_none("object") });
            shape(members, &[], false)
        }
        ("put", "/schema") => {
            let members = json!({ "name": text, "version": text, "tables": object });
            shape(members, &["name", "version", "tables"], true)
        }
        ("post", "/batch") => {
            let op = json!({ "type": "object", "required": ["op", "table"], "properties": {
                "op": { "enum": ["insert", "replace", "patch", "delete"] }, "table": text, "values": object,
                "id": { "type": ["integer", "string"] }, "as": text, "if_match": text } });
            let members = json!({ "ops": { "type": "array", "items": op }, "dry_run": { "type": "boolean" } });
            shape(members, &["ops"], false)
        }
        ("post", "/table/{table}/query") => {
            let number = json!({ "type": ["integer", "null"], "minimum": 1 });
            let names = json!({ "type": ["array", "string", "null"] });
            let members = json!({ "where": { "type": ["object", "null"] }, "select": names, "order": names, "limit": number,
                "offset": { "type": ["integer", "null"], "minimum": 0 }, "cursor": { "type": ["string", "null"] },
                "count": { "enum": ["none", "exact", "estimated", null] }, "int64": { "enum": ["string", "number", null] } });
            shape(members, &[], false)
        }
        (_, "/rpc") => json!({}),
        _ => object,
    }
}

/// The response that is a problem (RFC 9457).
pub(super) fn problem() -> Json {
    let shape = json!({
        "type": "object",
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" },
            "code": { "type": "string" }, "detail": { "type": "string" }, "instance": { "type": "string" },
            "errors": { "type": "array", "items": { "type": "object" } },
            "request_id": { "type": "string" }, "schema_version": { "type": "integer" },
        },
        "required": ["type", "title", "status", "code"],
    });
    json!({ "description": "What is wrong, where, and what was expected", "content": content(PROBLEM_JSON, &shape) })
}

fn operation_id(method: &str, path: &str) -> String {
    let words: Vec<&str> = path.split(['/', '.']).filter(|word| !word.is_empty()).collect();
    let words: Vec<&str> = words.iter().map(|word| word.trim_matches(['{', '}'])).collect();
    if words.is_empty() { format!("{method}.index") } else { format!("{method}.{}", words.join(".")) }
}

/// Parameters in the path, and those of the query, which the route names with an example: `cascade=true`.
fn parameters(path: &str, query: &str) -> Vec<Json> {
    let in_path = path.split('/').filter_map(|step| step.strip_prefix('{')?.strip_suffix('}')).map(
        |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }),
    );
    let in_query = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, example)| {
        let shape = match example {
            "true" => json!({ "type": "boolean" }),
            words if words.contains('|') => json!({ "type": "string", "enum": words.split('|').collect::<Vec<_>>() }),
            _ => json!({ "type": "string" }),
        };
        json!({ "name": name, "in": "query", "required": false, "schema": shape })
    });
    in_path.chain(in_query).collect()
}
