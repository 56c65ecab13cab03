//! `Idempotency-Key`: a request that comes again under the same key is answered, not executed again.
//!
//! ```text
//! nothing known ──► running ──► answered          the same request again: the answer that was given, a refusal too, with
//!                      │            │             `Idempotency-Replayed`
//!                      │            │             another request: 422
//!                      │            └─ 24 hours, 100,000 keys or 64 MiB later ──► nothing known
//!                      └─ the same request meanwhile: 409; it failed on our side: ──► nothing known
//! ```
//!
//! Keys are kept in memory: they do not outlive the process.

use super::problem::{Asked, Kind, Problem};
use super::role::Grant;
use super::state::Server;
use crate::limits::{IDEMPOTENCY_BYTES_MAX, IDEMPOTENCY_KEPT, IDEMPOTENCY_KEYS_MAX};
use axum::body::{Body, Bytes};
use axum::http::header::ALLOW;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key.
const KEY_BYTES_MAX: usize = 255;

/// The keys that are known.
#[derive(Debug, Default)]
pub(crate) struct Once(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    by_key: HashMap<Arc<str>, Request>,
    /// Answered ones, the oldest first.
    answered: VecDeque<(Duration, Arc<str>)>,
    bytes: usize,
}

/// A request that came under a key.
#[derive(Debug)]
struct Request {
    /// Its method, path and body, hashed.
    what: [u64; 2],
    /// `None` while it runs.
    answer: Option<Arc<Answer>>,
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// What to do with a request.
pub(crate) enum Begun<'s> {
    /// Execute it: it has no key.
    Plain,
    /// Execute it, and keep its answer.
    First(Running<'s>),
    /// It has been answered.
    Again(Response),
}

/// The first request under a key. Dropped without an answer, it has not happened.
pub(crate) struct Running<'s> {
    server: &'s Server,
    key: Arc<str>,
}

impl Once {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request has a key.
pub(crate) fn has_key(headers: &HeaderMap) -> bool {
    headers.contains_key(IDEMPOTENCY_KEY)
}

/// Asks whether a request has come before.
pub(crate) fn begin<'s>(server: &'s Server, parts: &Parts, body: &Bytes) -> Result<Begun<'s>, Problem> {
    let mut keys = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = keys.next().filter(|_| matches!(parts.method, Method::POST | Method::PATCH)) else {
        return Ok(Begun::Plain);
    };
    let key = key.to_str().ok().filter(|key| (1..=KEY_BYTES_MAX).contains(&key.len()) && keys.next().is_none());
    let Some(key) = key else {
        let detail = format!("Idempotency-Key is one text of 1 to {KEY_BYTES_MAX} visible characters");
        return Err(Problem::new(Kind::InvalidHeader, detail));
    };
    // An answer is for who may do the same.
    let grant = parts.extensions.get::<Grant>();
    let hash = |half: u8| server.seal.hash_one((half, parts.method.as_str(), parts.uri.to_string(), body, grant));
    let (what, now) = ([hash(0), hash(1)], server.db.shared.clock.monotonic());
    let mut known = server.once.known();
    known.forget(now);
    match known.by_key.get(key) {
        Some(request) if request.what != what => {
            Err(Problem::new(Kind::IdempotencyMismatch, "this Idempotency-Key came with another request"))
        }
        Some(Request { answer: None, .. }) => {
            let detail = "the request with this Idempotency-Key is still running";
            Err(Problem::new(Kind::IdempotencyInFlight, detail).header(axum::http::header::RETRY_AFTER, "1"))
        }
        Some(Request { answer: Some(answer), .. }) => Ok(Begun::Again(answer.response())),
        None => {
            let key: Arc<str> = key.into();
            known.by_key.insert(key.clone(), Request { what, answer: None });
            Ok(Begun::First(Running { server, key }))
        }
    }
}

impl Running<'_> {
    /// Keeps the answer, a refusal too, unless it is about us instead of the request.
    pub(crate) async fn keep(self, mut response: Response, request_id: &str) -> Response {
        let is_ours = response.status().is_server_error() || response.status() == StatusCode::REQUEST_TIMEOUT;
        if is_ours {
            return response;
        }
        // What a refusal says again is what it said first, under the name of the first request.
        if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
            let schema_version = self.server.view().schema_version();
            let told = std::mem::take(response.headers_mut());
            response = problem.to_response(Asked { request_id, schema_version });
            // Headers that the router has set stay, as `Allow` of a 405.
            response.headers_mut().extend(told.into_iter().filter(|(name, _)| *name == Some(ALLOW)));
        }
        let (parts, body) = response.into_parts();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            // Bodies of our own making do not fail.
            Err(_) => Bytes::new(),
        };
        let answer = Answer { status: parts.status, headers: parts.headers.clone(), body: body.clone() };
        let now = self.server.db.shared.clock.monotonic();
        self.server.once.known().keep(&self.key, Arc::new(answer), now);
        Response::from_parts(parts, Body::from(body))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut known = self.server.once.known();
        if known.by_key.get(&self.key).is_some_and(|request| request.answer.is_none()) {
            known.by_key.remove(&self.key);
        }
    }
}

impl Known {
    fn keep(&mut self, key: &Arc<str>, answer: Arc<Answer>, now: Duration) {
        let Some(request) = self.by_key.get_mut(key) else { return };
        self.bytes += answer.body.len();
        request.answer = Some(answer);
        self.answered.push_back((now, key.clone()));
        self.forget(now);
    }

    /// Forgets what is too old, and the oldest of what is too much.
    fn forget(&mut self, now: Duration) {
        while let Some((since, _)) = self.answered.front() {
            let is_too_much = self.answered.len() > IDEMPOTENCY_KEYS_MAX || self.bytes > IDEMPOTENCY_BYTES_MAX;
            if !is_too_much && now.saturating_sub(*since) < IDEMPOTENCY_KEPT {
                return;
            }
            let Some((_, key)) = self.answered.pop_front() else { return };
            let forgotten = self.by_key.remove(&key).and_then(|request| request.answer);
            self.bytes -= forgotten.map_or(0, |answer| answer.body.len());
        }
    }
}

impl Answer {
    fn response(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: usize) -> Arc<Answer> {
        Arc::new(Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::from(vec![0; bytes]) })
    }

    #[test]
    fn answers_are_kept_for_a_day_and_up_to_a_size() {
        let (mut known, hour) = (Known::default(), Duration::from_secs(3600));
        for (at, bytes) in [(0_u32, 10), (1, IDEMPOTENCY_BYTES_MAX - 20), (2, 10)] {
            let key: Arc<str> = at.to_string().into();
            known.by_key.insert(key.clone(), Request { what: [0, 0], answer: None });
            known.keep(&key, answer(bytes), hour * at);
        }
        assert_eq!(known.by_key.len(), 3);
        known.forget(hour * 24);
        assert!(!known.by_key.contains_key("0") && known.by_key.contains_key("1"), "one is a day old");
        let key: Arc<str> = "large".into();
        known.by_key.insert(key.clone(), Request { what: [0, 0], answer: None });
        known.keep(&key, answer(100), hour * 24);
        assert!(!known.by_key.contains_key("1") && known.by_key.contains_key("large"), "the oldest makes room");
        assert_eq!(known.bytes, 110);
    }
}
