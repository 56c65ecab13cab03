//! `POST /table/{table}/query`: a list as a JSON object. Values are typed, so nothing that a user typed is parsed as a query.
//!
//! ```json
//! { "where": { "and": [ { "level": { "gte": 18 } }, { "or": [ { "class": "mage" }, { "hp": { "lt": 5 } } ] } ] },
//!   "select": ["name"], "order": [["level", "desc"], "name"], "limit": 50, "cursor": null, "count": "exact" }
//! ```

use super::{Count, ListQuery, limit_of, list, listed};
use crate::server::batch::refuse_unknown;
use crate::server::extract::{AcceptsJson, Object, Path, Query};
use crate::server::json;
use crate::server::problem::{Kind, Mistakes, Problem};
use crate::server::reply::Reply;
use crate::server::state::Shared;
use axum::extract::State;
use dbgen_schema::json::Int64;
use serde_json::{Map, Value as Json};

const MEMBERS: &[&str] = &["where", "select", "order", "limit", "offset", "cursor", "count", "int64"];

/// `POST /table/{table}/query`
pub(crate) async fn post(
    State(server): Shared,
    Path(table): Path<String>,
    Query(()): Query<()>,
    _: AcceptsJson,
    Object(body): Object,
) -> Result<Reply, Problem> {
    Ok(listed(list(&server, table, understand(body)).await?, None))
}

/// Reads the body but its conditions. What is wrong is noted, and told with what is wrong with those.
fn understand(mut body: Map<String, Json>) -> ListQuery {
    let mut mistakes = Mistakes::default();
    mistakes.note(refuse_unknown(&body, MEMBERS));
    body.retain(|_, value| !value.is_null());
    let names = |name: &str, json: Option<Json>| match json {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(Json::Array(items)) => {
            items.iter().map(|item| words(name, item)).collect::<Result<Vec<_>, _>>().map(|items| Some(items.join(",")))
        }
        Some(other) => Err(wrong(name, "a list of names", &other)),
    };
    let word = |name: &str, json: Option<Json>, words: &[&str]| match json {
        None => Ok(None),
        Some(Json::String(text)) if words.contains(&text.as_str()) => Ok(Some(text)),
        Some(other) => Err(wrong(name, &format!("one of {}", words.join(", ")), &other)),
    };
    let limit = |limit: Option<usize>| limit.map(|limit| limit_of(&limit.to_string())).transpose();
    let number = |name: &str, json: Option<Json>| match json {
        None => Ok(None),
        Some(json) => match json.as_u64().and_then(|number| usize::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(name, "a whole number", &json)),
        },
    };
    let cursor = mistakes.note(match body.remove("cursor") {
        None => Ok(None),
        Some(Json::String(cursor)) => Ok(Some(cursor)),
        Some(other) => Err(wrong("cursor", "a string", &other)),
    });
    ListQuery {
        select: mistakes.note(names("select", body.remove("select"))).flatten(),
        order: mistakes.note(names("order", body.remove("order"))).flatten(),
        limit: mistakes.note(number("limit", body.remove("limit")).and_then(limit)).flatten(),
        offset: mistakes.note(number("offset", body.remove("offset"))).flatten().unwrap_or(0),
        cursor: cursor.flatten(),
        count: match mistakes
            .note(word("count", body.remove("count"), &["none", "exact", "estimated"]))
            .flatten()
            .as_deref()
        {
            Some("exact") => Count::Exact,
            Some("estimated") => Count::Estimated,
            _ => Count::None,
        },
        int64: match mistakes.note(word("int64", body.remove("int64"), &["string", "number"])).flatten().as_deref() {
            Some("number") => Int64::Number,
            _ => Int64::default(),
        },
        filters: Vec::new(),
        conditions: body.remove("where"),
        mistakes,
    }
}

/// A name, or a name with words to it: `["level", "desc"]`.
fn words(member: &str, item: &Json) -> Result<String, Problem> {
    let list = match item {
        Json::String(name) if !name.is_empty() => return Ok(name.clone()),
        Json::Array(list) => list,
        other => return Err(wrong(member, "a list of names", other)),
    };
    let texts: Option<Vec<&str>> = list.iter().map(Json::as_str).collect();
    let texts = texts.filter(|texts| !texts.is_empty());
    texts.map(|texts| texts.join(".")).ok_or_else(|| wrong(member, "a list of names", item))
}

fn wrong(member: &str, expected: &str, got: &Json) -> Problem {
    let detail = format!("`{member}` must be {expected}, not {}", json::describe(got));
    Problem::at(Kind::WrongType, format!("#/{member}"), detail)
}
