//! JSON-RPC 2.0: requests and batches in, responses out.
//!
//! Where servers differ, this is what the specification says: a request that is no valid one is answered with -32600, not
//! -32700; an empty batch with a single error; a batch of notifications with nothing; `"id": null` is an id, so such a
//! request is answered. Ids are given back as they were written, digit for digit.

use crate::limits::RPC_BATCH_MAX;
use crate::server::json;
use crate::server::problem::{Asked, Kind, Problem};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

pub(super) use crate::server::problem::Asked as Shape;

/// What a method gives: the text of its JSON result.
pub(super) type MethodResult = Result<Vec<u8>, Problem>;

/// Answers a request or a batch, as far as it could be read; `None` = there is nothing to respond to.
pub(super) async fn answer<F>(
    requests: Result<Requests, Problem>,
    shape: Shape<'_>,
    call: impl Fn(String, Option<Json>) -> F,
) -> Option<Vec<u8>>
where
    F: Future<Output = MethodResult>,
{
    let Requests { tree, ids } = match requests {
        Ok(requests) => requests,
        Err(problem) => return Some(error_response(&problem, NULL, shape)),
    };
    match (tree, ids) {
        (Json::Array(requests), _) if requests.is_empty() => {
            Some(error_response(&invalid_request("a batch holds at least one request"), NULL, shape))
        }
        (Json::Array(requests), _) if requests.len() > RPC_BATCH_MAX => {
            let detail = format!("a batch holds at most {RPC_BATCH_MAX} requests, not {}", requests.len());
            let problem = Problem::new(Kind::TooManyOperations, detail).member("max", RPC_BATCH_MAX);
            Some(error_response(&problem, NULL, shape))
        }
        (Json::Array(requests), ids) => {
            let mut responses = Vec::new();
            for (request, id) in requests.into_iter().zip(ids) {
                responses.extend(answer_one(request, id, shape, &call).await);
            }
            if responses.is_empty() { None } else { Some(joined(&responses)) }
        }
        (request, mut ids) => answer_one(request, ids.pop().flatten(), shape, &call).await,
    }
}

/// A request or a batch, read.
pub(super) struct Requests {
    tree: Json,
    /// Per request.
    ids: Vec<RawId>,
}

/// The text of an id, as it was written.
type RawId = Option<Box<str>>;

const NULL: &str = "null";

/// Reads the text twice: strictly, into a tree; and for the texts of the ids, one per request.
pub(super) fn read(text: &[u8]) -> Result<Requests, Problem> {
    let tree = json::parse(text)?;
    let unreadable = |error: serde_json::Error| Problem::new(Kind::MalformedJson, error.to_string());
    let ids = match &tree {
        Json::Array(_) => {
            let requests: Vec<&RawValue> = serde_json::from_slice(text).map_err(unreadable)?;
            requests.into_iter().map(|request| raw_id(request.get().as_bytes())).collect()
        }
        _ => vec![raw_id(text)],
    };
    Ok(Requests { tree, ids })
}

fn raw_id(request: &[u8]) -> RawId {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(request).ok()?;
    members.get("id").map(|id| id.get().into())
}

async fn answer_one<F>(
    request: Json,
    id: RawId,
    shape: Shape<'_>,
    call: &impl Fn(String, Option<Json>) -> F,
) -> Option<Vec<u8>>
where
    F: Future<Output = MethodResult>,
{
    let (method, params) = match understand(request) {
        Ok(request) => request,
        Err((problem, id_is_valid)) => {
            let id = id.as_deref().filter(|_| id_is_valid).unwrap_or(NULL);
            return Some(error_response(&problem, id, shape));
        }
    };
    let result = call(method, params).await;
    let id = id?;
    Some(match result {
        Ok(result) => response(b"\"result\":", &result, &id),
        Err(problem) => error_response(&problem, &id, shape),
    })
}

/// The method and the parameters of a request; or what is wrong with it, and whether its id can be told.
fn understand(request: Json) -> Result<(String, Option<Json>), (Problem, bool)> {
    let Json::Object(mut request) = request else {
        return Err((invalid_request("a request is an object"), false));
    };
    if !matches!(request.get("id"), None | Some(Json::Null | Json::String(_) | Json::Number(_))) {
        return Err((invalid_request("`id` must be a string, a number or null"), false));
    }
    if request.get("jsonrpc") != Some(&Json::from("2.0")) {
        return Err((invalid_request("`jsonrpc` must be \"2.0\""), true));
    }
    let Some(Json::String(method)) = request.remove("method") else {
        return Err((invalid_request("`method` must be a string"), true));
    };
    match request.remove("params") {
        params @ (None | Some(Json::Array(_) | Json::Object(_))) => Ok((method, params)),
        Some(_) => Err((invalid_request("`params` must be a list or an object"), true)),
    }
}

fn invalid_request(detail: &str) -> Problem {
    Problem::new(Kind::InvalidRequest, detail)
}

fn error_response(problem: &Problem, id: &str, shape: Asked<'_>) -> Vec<u8> {
    let code = problem.kind().rpc_code();
    let message = match code {
        -32700 => "Parse error",
        -32600 => "Invalid Request",
        -32601 => "Method not found",
        -32602 => "Invalid params",
        -32603 => "Internal error",
        _ => problem.kind().title(),
    };
    let mut error = format!("{{\"code\":{code},\"message\":\"{message}\",\"data\":").into_bytes();
    error.extend_from_slice(&problem.to_json(shape));
    error.push(b'}');
    response(b"\"error\":", &error, id)
}

/// A response with a member that is written already.
fn response(name: &[u8], value: &[u8], id: &str) -> Vec<u8> {
    let parts: [&[u8]; 6] = [b"{\"jsonrpc\":\"2.0\",", name, value, b",\"id\":", id.as_bytes(), b"}"];
    parts.concat()
}

fn joined(responses: &[Vec<u8>]) -> Vec<u8> {
    let mut list = vec![b'['];
    list.extend(responses.join(&b','));
    list.push(b']');
    list
}

#[cfg(test)]
mod tests;
