//! When a request is answered: not before the version that it wants to see, and perhaps before it is executed. And what its
//! answer says of that: how long it took, as `Server-Timing`,
//!
//! ```text
//! parse: read and understood │ queue: waiting for the loop │ apply: its transaction │ wal: published and durable
//! ```
//!
//! and, if it went through the loop, whether a loss of power could still take away what it did, as `Db-Durable`: `true` is a
//! promise; `false` is what a table that is not logged, a database without a folder, and a level that waits for no sync say.

use super::json;
use super::params::invalid_parameter;
use super::problem::{Kind, Problem};
use super::reply::Reply;
use super::state::Server;
use crate::clock::Stopwatch;
use crate::limits::MIN_VERSION_WAIT_MAX;
use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

const DB_MIN_VERSION: HeaderName = HeaderName::from_static("db-min-version");

tokio::task_local! {
    /// Who wants to hear that the loop has a request's work in its queue.
    static ACCEPTED: Cell<Option<oneshot::Sender<()>>>;
}

/// Whether what a request did is durable.
const DB_DURABLE: HeaderName = HeaderName::from_static("db-durable");
/// What an answer says of how long it took, in milliseconds.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// How long the parts of a request took.
#[derive(Debug)]
struct Spans {
    since: Stopwatch,
    /// Before it went into the queue for the first time.
    parse: Cell<Option<Duration>>,
    queue: Cell<Duration>,
    apply: Cell<Duration>,
    wal: Cell<Duration>,
    /// Whether all that it did is durable; `None` while it did nothing.
    durable: Cell<Option<bool>>,
}

tokio::task_local! {
    /// Those of the request that this task answers.
    static SPANS: Spans;
}

/// Runs what answers a request; gives what it answers, with the headers that say how it came about.
pub(crate) async fn timed<R>(answering: impl Future<Output = R>) -> (R, HeaderMap) {
    let (zero, since) = (|| Cell::new(Duration::ZERO), Stopwatch::start());
    let (parse, durable) = (Cell::new(None), Cell::new(None));
    let spans = Spans { since, parse, queue: zero(), apply: zero(), wal: zero(), durable };
    let answering = async {
        let answered = answering.await;
        (answered, SPANS.with(Spans::headers))
    };
    SPANS.scope(spans, answering).await
}

/// Adds to the request that this task answers that it did something, and whether that is durable.
pub(crate) fn tell_durable(is_durable: bool) {
    // Nothing to be told where nobody listens, as behind `wait=none`.
    let _ = SPANS.try_with(|spans| spans.durable.set(Some(spans.durable.get().unwrap_or(true) && is_durable)));
}

/// What the answer to the request of this task is going to say of that.
pub(crate) fn durable() -> Option<(HeaderName, HeaderValue)> {
    SPANS.try_with(|spans| spans.durable.get()).ok().flatten().map(durable_header)
}

/// `Db-Durable`, as it is written.
pub(crate) fn durable_header(is_durable: bool) -> (HeaderName, HeaderValue) {
    (DB_DURABLE, HeaderValue::from_static(if is_durable { "true" } else { "false" }))
}

impl Spans {
    fn headers(&self) -> HeaderMap {
        let durable = self.durable.get().map(durable_header);
        let timing = HeaderValue::try_from(self.timing()).ok().map(|timing| (SERVER_TIMING, timing));
        durable.into_iter().chain(timing).collect()
    }

    fn timing(&self) -> String {
        let ms = |span: Duration| format!("{:.3}", span.as_secs_f64() * 1e3);
        let total = ms(self.since.elapsed());
        match self.parse.get() {
            None => format!("total;dur={total}"),
            Some(parse) => format!(
                "parse;dur={}, queue;dur={}, apply;dur={}, wal;dur={}, total;dur={total}",
                ms(parse),
                ms(self.queue.get()),
                ms(self.apply.get()),
                ms(self.wal.get())
            ),
        }
    }
}

/// The way of one request through the loop, which notes when it gets where.
#[derive(Debug)]
pub(crate) struct Way {
    since: Stopwatch,
    begun_ns: AtomicU64,
    ended_ns: AtomicU64,
    answered_ns: AtomicU64,
}

impl Way {
    /// It goes into the queue now.
    pub(crate) fn begin() -> Arc<Way> {
        // Nothing to be told where nobody listens, as behind `wait=none`.
        let _ = SPANS.try_with(|spans| {
            if spans.parse.get().is_none() {
                spans.parse.set(Some(spans.since.elapsed()));
            }
        });
        let zero = AtomicU64::default;
        Arc::new(Way { since: Stopwatch::start(), begun_ns: zero(), ended_ns: zero(), answered_ns: zero() })
    }

    /// The loop begins with it.
    pub(crate) fn begins(&self) {
        self.begun_ns.store(self.since.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }

    /// The loop has done it.
    pub(crate) fn ends(&self) {
        self.ended_ns.store(self.since.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }

    /// It is answered: published, and as durable as is asked.
    pub(crate) fn is_answered(&self) {
        self.answered_ns.store(self.since.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }

    /// Adds what it took to the request that this task answers.
    pub(crate) fn tell(&self) {
        let at = |mark: &AtomicU64| Duration::from_nanos(mark.load(Ordering::Relaxed));
        let (begun, ended, answered) = (at(&self.begun_ns), at(&self.ended_ns), at(&self.answered_ns));
        let _ = SPANS.try_with(|spans| {
            spans.queue.set(spans.queue.get() + begun);
            spans.apply.set(spans.apply.get() + ended.saturating_sub(begun));
            spans.wal.set(spans.wal.get() + answered.saturating_sub(ended));
        });
    }
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
