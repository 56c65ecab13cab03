//! When a request is answered: not before the version that it wants to see, and perhaps before it is executed.

use super::json;
use super::params::invalid_parameter;
use super::problem::{Kind, Problem};
use super::reply::Reply;
use super::state::Server;
use crate::limits::MIN_VERSION_WAIT_MAX;
use axum::http::header::{HeaderName, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::cell::Cell;
use std::time::Duration;
use tokio::sync::oneshot;

const DB_MIN_VERSION: HeaderName = HeaderName::from_static("db-min-version");

tokio::task_local! {
    /// Who wants to hear that the loop has a request's work in its queue.
    static ACCEPTED: Cell<Option<oneshot::Sender<()>>>;
}

/// Waits until readers see the version that `Db-Min-Version` names.
pub(crate) async fn reach_min_version(server: &Server, headers: &HeaderMap) -> Result<(), Problem> {
    const POLL: Duration = Duration::from_millis(1);
    let Some(given) = headers.get(DB_MIN_VERSION) else { return Ok(()) };
    let wanted: u64 = given.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
        Problem::new(Kind::InvalidHeader, "Db-Min-Version is the number that an answer's Db-Version gave")
    })?;
    let reached = async {
        while server.view().commit() < wanted {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(MIN_VERSION_WAIT_MAX, reached).await.map_err(|_| {
        let current = server.view().commit();
        Problem::new(Kind::VersionNotReached, format!("version {wanted} is not here yet, but {current}"))
            .header(RETRY_AFTER, "1")
            .member("current", current)
    })
}

/// Takes `wait=none` or `wait=commit` out of the query string of a request that writes; says whether nobody waits.
pub(crate) fn take_wait(parts: &mut Parts) -> Result<bool, Problem> {
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(false);
    }
    let Some(query) = parts.uri.query() else { return Ok(false) };
    let is_wait = |pair: &&str| pair.split('=').next() == Some("wait");
    let mut given = query.split('&').filter(is_wait);
    let waits = match (given.next(), given.next()) {
        (None, _) => return Ok(false),
        (Some("wait=none"), None) => false,
        (Some("wait=commit"), None) => true,
        (Some(_), Some(_)) => {
            let detail = "the parameter `wait` is given twice";
            return Err(Problem::new(Kind::DuplicateParameter, detail).member("param", "wait"));
        }
        (Some(pair), None) => {
            return Err(invalid_parameter("wait", pair.trim_start_matches("wait="), "one of commit, none"));
        }
    };
    let rest: Vec<&str> = query.split('&').filter(|pair| !is_wait(pair)).collect();
    let path = parts.uri.path();
    let uri = if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) };
    // A part of a URI that was one is one.
    parts.uri = uri.parse::<Uri>().unwrap_or_else(|_| parts.uri.clone());
    Ok(!waits)
}

/// Answers with what `handler` answers, or, if that is earlier, that its work is in the loop's queue.
pub(crate) async fn accepted_or<F>(handler: F, request_id: &str) -> Response
where
    F: Future<Output = Response> + Send + 'static,
{
    let (accepted, hears) = oneshot::channel();
    // It goes on by itself: nobody waits for what it says.
    let running = tokio::spawn(ACCEPTED.scope(Cell::new(Some(accepted)), handler));
    tokio::select! {
        biased;
        Ok(()) = hears => {
            let body = json!({ "status": "accepted", "request_id": request_id });
            Reply::json(json::to_vec(&body)).accepted().into_response()
        }
        ended = running => ended.unwrap_or_else(|error| super::problem::internal(&error).into_response()),
    }
}

/// Tells who asked for it that the loop has the request's work in its queue.
pub(crate) fn accept() {
    // Most requests wait: nobody has asked.
    let _ = ACCEPTED.try_with(|accepted| {
        if let Some(accepted) = accepted.take() {
            accepted.send(()).ok();
        }
    });
}
