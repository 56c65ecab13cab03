//! What the document says of one table: its paths with all operations on records, and the shapes of its records.

use super::{content, reference, responses};
use crate::limits::PAGE_RECORDS_MAX;
use dbgen_schema::json::{Direction, Shapes};
use dbgen_schema::{Schema, Table};
use serde_json::{Map, Value as Json, json};

/// Adds the shapes of a table's records: as they are, to be inserted, and some fields of them.
pub(super) fn add_shapes(schema: &Schema, number: usize, shapes: &mut Map<String, Json>) {
    let table = &schema.tables[number];
    let id = json!({ "type": "integer", "format": "int64", "minimum": 1, "maximum": (1u64 << 53) - 1 });
    let written = Shapes::new(schema, Direction::Written, reference);
    let mut record = written.object(&table.fields, table.fields.iter().map(|field| field.name.as_str()));
    record["properties"]["_id"] = id.clone();
    record["properties"]["_version"] = json!({ "type": "integer", "minimum": 0 });
    if let Json::Array(required) = &mut record["required"] {
        required.extend(["_id", "_version"].map(Json::from));
    }
    if let Some(description) = &table.description {
        record["description"] = Json::from(description.as_str());
    }

    let read = Shapes::new(schema, Direction::Read, reference);
    let required = table.fields.iter().filter(|field| field.is_required());
    let mut insert = read.object(&table.fields, required.map(|field| field.name.as_str()));
    if let Some(parent) = table.parent {
        // A component has the id of the record that it is a part of.
        insert["properties"]["_id"] = id;
        insert["properties"]["_id"]["description"] =
            format!("The `_id` of the record of `{}` that it is a part of", schema.tables[parent.at()].name).into();
        if let Json::Array(required) = &mut insert["required"] {
            required.push(Json::from("_id"));
        }
    }
    let patch = read.object(&table.fields, std::iter::empty());
    shapes.insert(table.name.clone(), record);
    shapes.insert(format!("{}.insert", table.name), insert);
    shapes.insert(format!("{}.patch", table.name), patch);
}

/// Adds the paths of a table's records.
pub(super) fn add_paths(schema: &Schema, number: usize, paths: &mut Map<String, Json>) {
    let table = &schema.tables[number];
    let base = format!("/table/{}", table.name);
    paths.insert(format!("{base}/record"), json!({ "post": insert(table) }));
    paths.insert(format!("{base}/record/{{id}}"), one(table));
    let (get, parameters) = (list(table), filters(table));
    let affected = json!({ "type": "object", "properties": {
        "affected": { "type": "integer" }, "version": { "type": "integer" } }, "required": ["affected", "version"] });
    let set = |verb: &str, summary: &str| {
        let all = json!({ "name": "all", "in": "query", "required": false, "schema": { "type": "boolean" } });
        let mut operation = operation(table, verb, summary, "200");
        operation["responses"]["200"]["content"] = content("application/json", &affected);
        operation["parameters"] = parameters.iter().cloned().chain([all]).collect();
        operation
    };
    let mut patch = set("patch_many", "Changes all records that fulfil a filter");
    patch["requestBody"] = body(table, "patch");
    let delete = set("delete_many", "Deletes all records that fulfil a filter");
    let path = json!({ "get": get, "post": insert_many(table), "patch": patch, "delete": delete });
    paths.insert(format!("{base}/records"), path);
    let written = Shapes::new(schema, Direction::Written, reference);
    for field in table.fields.iter().filter(|field| field.unique || field.primary_key) {
        let parameter = json!({ "name": "value", "in": "path", "required": true, "schema": written.field(field) });
        let get = operation(table, &format!("by.{}", field.name), "A record by a unique field", "200");
        paths.insert(format!("{base}/by/{}/{{value}}", field.name), json!({ "parameters": [parameter], "get": get }));
    }
}

fn insert(table: &Table) -> Json {
    let mut insert = operation(table, "insert", "Inserts a record", "201");
    insert["requestBody"] = body(table, "insert");
    let id = json!({ "id": "$response.body#/_id" });
    let links = ["get", "replace", "patch", "delete"].map(|verb| {
        let link = json!({ "operationId": format!("{}.{verb}", table.name), "parameters": id });
        (verb.to_owned(), link)
    });
    insert["responses"]["201"]["links"] = Json::Object(Map::from_iter(links));
    insert
}

/// The operations on a record that has an id.
fn one(table: &Table) -> Json {
    let id = json!({ "name": "id", "in": "path", "required": true,
        "schema": { "type": "integer", "format": "int64", "minimum": 1, "maximum": (1u64 << 53) - 1 } });
    let mut replace = operation(table, "replace", "Replaces a record", "200");
    replace["requestBody"] = body(table, "insert");
    let mut patch = operation(table, "patch", "Changes some fields of a record", "200");
    patch["requestBody"] = body(table, "patch");
    patch["requestBody"]["content"]["application/merge-patch+json"] =
        patch["requestBody"]["content"]["application/json"].clone();
    let mut delete = operation(table, "delete", "Deletes a record", "204");
    delete["responses"]["204"] = json!({ "description": "It is gone" });
    json!({
        "parameters": [id],
        "get": operation(table, "get", "A record", "200"),
        "put": replace,
        "patch": patch,
        "delete": delete,
    })
}

fn list(table: &Table) -> Json {
    let page = json!({
        "type": "object",
        "properties": {
            "items": { "type": "array", "items": { "type": "object" } },
            "next": { "type": ["string", "null"] },
            "prev": { "type": ["string", "null"] },
            "total": { "type": ["integer", "null"] },
            "version": { "type": "integer" },
        },
        "required": ["items", "next", "prev", "total", "version"],
    });
    let query = |name: &str, shape: Json, what: &str| json!({ "name": name, "in": "query", "required": false, "schema": shape, "description": what });
    let text = || json!({ "type": "string" });
    let mut parameters = vec![
        query("select", text(), "Fields, by commas"),
        query("order", text(), "Fields by commas, each with `.asc` or `.desc`"),
        query("limit", json!({ "type": "integer", "minimum": 1, "maximum": PAGE_RECORDS_MAX }), "Records of a page"),
        query("cursor", text(), "`next` or `prev` of a page"),
    ];
    parameters.extend(filters(table));
    json!({
        "operationId": format!("{}.list", table.name),
        "summary": "Records, page by page",
        "tags": [table.name],
        "parameters": parameters,
        "responses": responses("200", json!({ "description": "A page", "content": content("application/json", &page) })),
    })
}

/// What a filter begins with.
const FILTER_PATTERN: &str = r"^(not\.)*(eq|neq|gt|gte|lt|lte|in|is|like|ilike|starts|between|cs)\.";

/// A parameter for each field: a filter.
fn filters(table: &Table) -> Vec<Json> {
    let filter = |field: &dbgen_schema::Field| {
        // A field with the name of a parameter is reached with a prefix.
        let is_taken = <crate::server::records::ListQuery as crate::server::params::FromParams>::NAMES
            .contains(&field.name.as_str());
        let name = if is_taken { format!("f.{}", field.name) } else { field.name.clone() };
        json!({ "name": name, "in": "query", "required": false,
            "schema": { "type": "string", "pattern": FILTER_PATTERN },
            "description": "A filter: `eq.5`, `not.eq.5`, `between.(1,5)`, `in.(1,2)`, `like.a*`, `is.null`" })
    };
    table.fields.iter().map(filter).collect()
}

/// The insert of many records at once.
fn insert_many(table: &Table) -> Json {
    let word = |name: &str, words: [&str; 4]| {
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        json!({ "name": name, "in": "query", "required": false, "schema": { "type": "string", "enum": words } })
    };
    let number = json!({ "type": "integer" });
    let done = json!({
        "type": "object",
        "properties": {
            "inserted": number, "updated": number, "skipped": number, "failed": number,
            "errors": { "type": "array", "items": { "type": "object" } },
            "first_id": { "type": ["integer", "null"] }, "last_id": { "type": ["integer", "null"] }, "version": number,
        },
        "required": ["inserted", "updated", "skipped", "failed", "errors", "version"],
    });
    let items = json!({ "$ref": format!("#/components/schemas/{}.insert", table.name) });
    let text = json!({ "type": "string" });
    let mut insert = operation(table, "insert_many", "Inserts many records", "200");
    insert["responses"]["200"]["content"] = content("application/json", &done);
    insert["parameters"] = json!([
        word("mode", ["atomic", "partial", "chunked", ""]),
        word("on_conflict", ["error", "ignore", "replace", "merge"]),
        word("unknown", ["refuse", "ignore", "", ""]),
    ]);
    insert["requestBody"] = json!({ "required": true, "content": {
        "application/json": { "schema": { "type": "array", "items": items } },
        "application/x-ndjson": { "schema": text }, "text/csv": { "schema": text },
    } });
    insert
}

/// An operation that answers with a record.
fn operation(table: &Table, verb: &str, summary: &str, status: &str) -> Json {
    let record = json!({ "$ref": format!("#/components/schemas/{}", table.name) });
    let success = json!({ "description": "The record", "content": content("application/json", &record) });
    json!({
        "operationId": format!("{}.{verb}", table.name),
        "summary": summary,
        "tags": [table.name],
        "responses": responses(status, success),
    })
}

fn body(table: &Table, shape: &str) -> Json {
    let shape = json!({ "$ref": format!("#/components/schemas/{}.{shape}", table.name) });
    json!({ "required": true, "content": content("application/json", &shape) })
}
