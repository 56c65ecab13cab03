//! `Idempotency-Key`: a request that comes again under the same key is answered, not executed again.
//!
//! ```text
//! nothing known ──► running ──► answered          the same request again: the answer that was given, a refusal too, with
//!                      │            │             `Idempotency-Replayed`
//!                      │            │             another request: 422
//!                      │            └─ 24 hours, 100,000 keys or 64 MiB later ──► nothing known
//!                      └─ the same request meanwhile: 409; it failed on our side, and did nothing: ──► nothing known
//! ```
//!
//! **Over a crash.** What a request does and its key are one record of the log ([`redo`](crate::redo)): after a restart both
//! are there or neither. Where the whole answer follows from the transaction ([`Server::answered`]) it is in that record;
//! other answers follow in one of their own, before they are given. A crash between the two leaves a request that was
//! executed and has no answer: who repeats it is told so, 409. Refusals, and what only reads, are kept in memory alone:
//! after a restart they are found out again.
//!
//! **Over a time-out.** Whether the request was executed under the key before is also asked by the loop that executes it: a
//! repetition that waits in the queue behind a first attempt that nobody waits for any more is refused.

use super::problem::{Asked, Kind, Problem};
use super::reply::Reply;
use super::role::Grant;
use super::state::Server;
use super::timing;
use crate::client::Committed;
use crate::db::Writer;
use crate::error::Result;
use crate::redo::{Hash, Kept};
use crate::txn::Transaction;
use axum::body::{Body, Bytes};
use axum::http::header::{ALLOW, CONTENT_LENGTH, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::futures::TaskLocalFuture;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key.
const KEY_BYTES_MAX: usize = 255;

tokio::task_local! {
    /// The request with a key that this task answers, if it has one.
    static ATTEMPT: Option<Arc<Attempt>>;
}

/// The keys of the requests that run.
#[derive(Debug, Default)]
pub(crate) struct Once {
    running: Mutex<HashMap<Hash, Hash>>,
    attempts: AtomicU64,
}

/// A request with a key that is being executed.
#[derive(Debug)]
pub(crate) struct Attempt {
    key: Hash,
    /// Its method, path and body, and who asks.
    request: Hash,
    number: u64,
    /// Its answer, made by the transaction that is about to end.
    made: Mutex<Option<Arc<[u8]>>>,
    /// The loop has executed something of it.
    has_run: AtomicBool,
    /// Its answer is kept with what it did.
    is_answered: AtomicBool,
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

/// The first request under a key. Dropped without an answer, it is not running any more.
pub(crate) struct Running<'s> {
    server: &'s Server,
    attempt: Arc<Attempt>,
}

impl Once {
    fn running(&self) -> MutexGuard<'_, HashMap<Hash, Hash>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
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
    let grant = parts.extensions.get::<Grant>().map(Grant::words).unwrap_or_default();
    let uri = parts.uri.to_string();
    let request = hash(&[parts.method.as_str().as_bytes(), uri.as_bytes(), grant.as_bytes(), body]);
    let key = hash(&[key.as_bytes()]);
    let mut running = server.once.running();
    let kept = server.db.shared.kept.get(&key, server.db.shared.clock.wall_us());
    let known = running.get(&key).or(kept.as_ref().map(|kept| &kept.request));
    if known.is_some_and(|known| *known != request) {
        return Err(Problem::new(Kind::IdempotencyMismatch, "this Idempotency-Key came with another request"));
    }
    if running.contains_key(&key) {
        return Err(in_flight());
    }
    if let Some(kept) = kept {
        let answer = kept.answer.as_deref().and_then(Answer::decode);
        return answer.map(|answer| Begun::Again(answer.again())).ok_or_else(|| unanswered(&kept));
    }
    running.insert(key, request);
    let number = server.once.attempts.fetch_add(1, Ordering::Relaxed) + 1;
    let (has_run, is_answered) = (AtomicBool::new(false), AtomicBool::new(false));
    let attempt = Arc::new(Attempt { key, request, number, made: Mutex::new(None), has_run, is_answered });
    Ok(Begun::First(Running { server, attempt }))
}

/// SHA-256, half of it, of parts whose lengths count too.
fn hash(parts: &[&[u8]]) -> Hash {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part);
    }
    let (mut half, whole) = ([0; 16], sha.finalize());
    half.copy_from_slice(&whole[..16]);
    half
}

fn in_flight() -> Problem {
    let detail = "the request with this Idempotency-Key is still running";
    Problem::new(Kind::IdempotencyInFlight, detail).header(RETRY_AFTER, "1")
}

/// That a request was executed, and the process ended before its answer was kept.
fn unanswered(kept: &Kept) -> Problem {
    let detail = "the request with this Idempotency-Key was executed, and the server ended before it was answered: look at \
                  what it did before anything is sent under another key";
    Problem::new(Kind::IdempotencyUnanswered, detail).member("commit", kept.commit)
}

/// Runs what answers a request.
pub(crate) fn during<F: Future>(
    running: Option<&Running<'_>>,
    answering: F,
) -> TaskLocalFuture<Option<Arc<Attempt>>, F> {
    ATTEMPT.scope(running.map(|running| running.attempt.clone()), answering)
}

/// The request with a key that this task answers.
pub(crate) fn current() -> Option<Arc<Attempt>> {
    ATTEMPT.try_with(Clone::clone).ok().flatten()
}

impl Attempt {
    /// Executes something of the request in the loop, and keeps it with what it did.
    pub(crate) fn execute<R>(
        &self,
        writer: &mut Writer<'_>,
        now_us: i64,
        job: impl FnOnce(&mut Writer<'_>) -> Result<R>,
    ) -> Result<R> {
        let earlier = writer.engine().kept.get(&self.key, now_us);
        if earlier.is_some_and(|earlier| earlier.attempt != self.number) {
            return Err(in_flight().into());
        }
        let before = writer.engine().commit;
        let value = job(writer)?;
        self.has_run.store(true, Ordering::Relaxed);
        let answer = self.made.lock().unwrap_or_else(PoisonError::into_inner).take();
        if answer.is_some() || writer.engine().commit > before {
            self.is_answered.fetch_or(answer.is_some(), Ordering::Relaxed);
            writer.engine().keep(self.kept(answer, now_us));
        }
        Ok(value)
    }

    fn kept(&self, answer: Option<Arc<[u8]>>, at_us: i64) -> Kept {
        let Attempt { key, request, number, .. } = *self;
        Kept { key, request, at_us, commit: 0, answer, attempt: number, logged: 0 }
    }
}

impl Server {
    /// Runs `body` as one transaction in the loop and waits for its end; `answer` is made of what it returns alone. With a key,
    /// the answer is kept in the same record of the log as what the transaction did.
    pub(crate) async fn answered<R: Send + 'static>(
        &self,
        body: impl FnOnce(&mut Transaction) -> Result<R> + Send + 'static,
        answer: impl FnOnce(Committed<R>) -> Reply + Send + 'static,
    ) -> Result<Reply, Problem> {
        let Some(attempt) = current() else { return Ok(answer(self.write(body).await?)) };
        // As durable as it will be when it is given.
        let waits_for_sync = self.db.durability().is_some_and(|status| status.level.waits_for_sync());
        let job = move |writer: &mut Writer<'_>| {
            let value = writer.run(|tx| tx, body).into_result()?;
            let (commit, durable) = (writer.engine().commit, writer.engine().is_logged() && waits_for_sync);
            let (name, value_of) = timing::durable_header(durable);
            let (reply, mut made) = answer(Committed { value, commit, durable }).whole();
            made.1.insert(name, value_of);
            *attempt.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(Answer::from(made).encode().into());
            Ok(reply)
        };
        Ok(self.in_loop(job).await??.value)
    }
}

impl Running<'_> {
    /// Keeps the answer, a refusal too, unless it is about us instead of the request.
    pub(crate) async fn keep(self, mut response: Response, request_id: &str) -> Response {
        let is_ours = response.status().is_server_error() || response.status() == StatusCode::REQUEST_TIMEOUT;
        if is_ours || self.attempt.is_answered.load(Ordering::Relaxed) {
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
        // Bodies of our own making do not fail.
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let mut answer = Answer { status: parts.status, headers: parts.headers.clone(), body: body.clone() };
        answer.headers.extend(timing::durable());
        self.keep_answer(answer).await;
        Response::from_parts(parts, Body::from(body))
    }

    async fn keep_answer(&self, answer: Answer) {
        let now_us = self.server.db.shared.clock.wall_us();
        let has_done = answer.status.is_success() && self.attempt.has_run.load(Ordering::Relaxed);
        let kept = self.attempt.kept(Some(answer.encode().into()), now_us);
        if !has_done {
            return self.server.db.shared.kept.keep(kept, now_us);
        }
        let keep = move |writer: &mut Writer<'_>| {
            writer.engine().keep(kept);
            Ok(())
        };
        // What was done is done, and that it was is in the log: only the answer would be lost by a crash.
        if let Ok(Err(error)) = self.server.through_loop(keep).await {
            tracing::warn!(%error, "the answer to a request with a key is in memory alone");
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.server.once.running().remove(&self.attempt.key);
    }
}

/// An answer that is kept.
///
/// ```text
/// status 2 | headers 2 | (length 2 | name | length 2 | value)… | body          numbers are little-endian
/// ```
#[derive(Debug, PartialEq)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl From<(StatusCode, HeaderMap, Bytes)> for Answer {
    fn from((status, headers, body): (StatusCode, HeaderMap, Bytes)) -> Answer {
        Answer { status, headers, body }
    }
}

impl Answer {
    fn again(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        (*response.status_mut(), *response.headers_mut()) = (self.status, self.headers);
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }

    fn encode(&self) -> Vec<u8> {
        // Its length follows from the body. The others are our own, and short.
        let headers: Vec<_> = self.headers.iter().filter(|(name, _)| **name != CONTENT_LENGTH).collect();
        let mut bytes = Vec::with_capacity(64 + self.body.len());
        bytes.extend_from_slice(&self.status.as_u16().to_le_bytes());
        bytes.extend_from_slice(&(headers.len() as u16).to_le_bytes());
        for text in headers.iter().flat_map(|(name, value)| [name.as_str().as_bytes(), value.as_bytes()]) {
            bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
            bytes.extend_from_slice(text);
        }
        bytes.extend_from_slice(&self.body);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Answer> {
        let mut rest = bytes;
        let mut take = |len: usize| {
            let (taken, behind) = rest.split_at_checked(len)?;
            rest = behind;
            Some(taken)
        };
        let number = |bytes: &[u8]| Some(u16::from_le_bytes(bytes.try_into().ok()?));
        let status = StatusCode::from_u16(number(take(2)?)?).ok()?;
        let mut headers = HeaderMap::new();
        for _ in 0..number(take(2)?)? {
            let len = number(take(2)?)?;
            let name = HeaderName::from_bytes(take(len.into())?).ok()?;
            let len = number(take(2)?)?;
            headers.append(name, HeaderValue::from_bytes(take(len.into())?).ok()?);
        }
        Some(Answer { status, headers, body: Bytes::copy_from_slice(rest) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_written_and_never_half() {
        let mut headers = HeaderMap::new();
        headers.append("location", HeaderValue::from_static("/table/t/record/7"));
        headers.append("etag", HeaderValue::from_static("\"1.2\""));
        let answer = Answer { status: StatusCode::CREATED, headers, body: Bytes::from_static(b"{}") };
        let bytes = answer.encode();
        assert_eq!(Answer::decode(&bytes), Some(answer));
        let before_body = bytes.len() - 2;
        assert!((0..before_body).all(|len| Answer::decode(&bytes[..len]).is_none()));
    }

    #[test]
    fn parts_of_a_request_do_not_flow_into_one_another() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert_ne!(hash(&[b"ab"]), hash(&[b"ab", b""]));
    }
}
