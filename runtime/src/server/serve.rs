//! One request, from its head to its answer: what happens to all of them alike.

use super::config::ServerConfig;
use super::extract::RequestId;
use super::guard;
use super::once::{self, Begun};
use super::precondition::refuse_match_of_nothing;
use super::problem::{Asked, Kind, Problem};
use super::router;
use super::state::Server;
use super::timing;
use crate::db::Database;
use crate::limits::{BODY_BYTES_MAX, BODY_DRAIN_BYTES_MAX, BULK_WHOLE_BYTES_MAX};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Method, Request, Uri};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// The commit that an answer shows, or that it made.
pub(crate) const DB_VERSION: HeaderName = HeaderName::from_static("db-version");
/// The name of the request, which the log and problems carry too.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A server's state with its routes.
#[derive(Clone)]
pub(crate) struct App {
    server: Arc<Server>,
    router: Router,
}

impl App {
    pub(crate) fn new(db: Database, config: ServerConfig, address: SocketAddr) -> App {
        let server = Arc::new(Server::new(db, config, address));
        App { router: router::router(server.clone()), server }
    }

    /// How long a client may take to send the head of a request.
    pub(crate) fn header_wait_max(&self) -> Duration {
        self.server.config.header_wait_max
    }
}

/// Answers a request. Never fails and never panics.
pub(crate) async fn serve(app: &App, request: Request<Body>) -> Response {
    let id = app.server.next_request_id();
    let is_head = request.method() == Method::HEAD;
    let foreign_origin = guard::foreign_origin(&app.server, request.headers());
    let (answered, told) = timing::timed(caught(answer(app, request, &id))).await;
    let response = match answered {
        Ok(Ok(response)) => response,
        Ok(Err(problem)) => problem.into_response(),
        Err(panic) => {
            tracing::error!(request = %id, %panic, "a handler panicked");
            Problem::new(Kind::Internal, "the server failed; its log says why under this request's id").into_response()
        }
    };
    let mut response = finish(&app.server, response, &id, is_head);
    response.headers_mut().extend(told);
    app.server.counts.answered(response.status().as_u16());
    if let Some(origin) = foreign_origin {
        guard::let_read(origin, response.headers_mut());
    }
    response
}

/// Lets the request in, reads it, and has a handler answer it.
async fn answer(app: &App, request: Request<Body>, id: &str) -> Result<Response, Problem> {
    let server = &app.server;
    // A body that nobody reads ends the connection with the answer: the client is told.
    let has_body = !request.body().is_end_stream();
    let turned_away = |problem: Problem| if has_body { problem.header(CONNECTION, "close") } else { problem };
    let grant = guard::check(server, &request).map_err(turned_away)?;
    refuse_match_of_nothing(request.method(), request.uri(), request.headers()).map_err(turned_away)?;
    // Who sends its body slowly takes room from others who send one, and from nobody else.
    let coming = server.coming(is_bulk(request.method(), request.uri()));
    let coming = has_body.then(|| coming.try_acquire()).transpose().map_err(|_| turned_away(guard::overloaded()))?;
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(RequestId(id.to_owned()));
    parts.extensions.insert(grant);
    if is_streamed(&parts) {
        timing::reach_min_version(server, &parts.headers).await?;
        timing::take_wait(&mut parts)?;
        return Ok(handle(app.router.clone(), Request::from_parts(parts, body)).await);
    }
    let reading = tokio::time::timeout(server.config.body_wait_max, read_body(&parts, body));
    let body = reading.await.map_err(|_| {
        Problem::new(Kind::RequestTimeout, "the body did not arrive in time").header(CONNECTION, "close")
    })??;
    drop(coming);
    // What watches over the server is answered however much it has to do.
    let is_probe = guard::is_probe(&parts.uri);
    let _room = (!is_probe).then(|| server.room.try_acquire()).transpose().map_err(|_| guard::overloaded())?;
    timing::reach_min_version(server, &parts.headers).await?;
    let running = match once::begin(server, &parts, &body)? {
        Begun::Again(response) => return Ok(response),
        Begun::First(running) => Some(running),
        Begun::Plain => None,
    };
    let nobody_waits = timing::take_wait(&mut parts)?;
    let handler = handle(app.router.clone(), Request::from_parts(parts, Body::from(body)));
    let handler = once::during(running.as_ref(), handler);
    let response = if nobody_waits { timing::accepted_or(handler, id).await } else { handler.await };
    Ok(match running {
        Some(running) => running.keep(response, id).await,
        None => response,
    })
}

/// Has the router find a handler, which answers.
async fn handle(router: Router, request: Request<Body>) -> Response {
    match TowerToHyperService::new(router).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Whether a request brings many records.
fn is_bulk(method: &Method, uri: &Uri) -> bool {
    *method == Method::POST && uri.path().ends_with("/records")
}

/// Whether a request's handler reads the body itself, as it comes. One that is known by its key must be known whole, and one
/// that nobody waits for goes on when the connection does not.
fn is_streamed(parts: &Parts) -> bool {
    let waits_not = |query: &str| query.split('&').any(|pair| pair == "wait=none");
    is_bulk(&parts.method, &parts.uri) && !once::has_key(&parts.headers) && !parts.uri.query().is_some_and(waits_not)
}

/// Reads a body whole. One that is too large is read on for a while and thrown away: a client that is still writing would
/// otherwise see a broken connection instead of the answer.
async fn read_body(parts: &Parts, mut body: Body) -> Result<Bytes, Problem> {
    let headers = &parts.headers;
    let bytes_max = if is_bulk(&parts.method, &parts.uri) { BULK_WHOLE_BYTES_MAX } else { BODY_BYTES_MAX };
    let announced = body.size_hint().lower();
    let too_large = || {
        let detail = format!("the body is larger than {bytes_max} bytes");
        Problem::new(Kind::BodyTooLarge, detail).member("max_bytes", bytes_max).header(CONNECTION, "close")
    };
    // Who asks first whether to send the body at all can be told at once.
    if announced > BODY_DRAIN_BYTES_MAX as u64 || (announced > bytes_max as u64 && headers.contains_key(EXPECT)) {
        return Err(too_large());
    }
    let mut read = Vec::with_capacity(announced.min(1 << 16) as usize);
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let whole = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()).unwrap_or("all");
            Problem::new(
                Kind::MalformedRequest,
                format!("the body was cut off: {length} of {whole} bytes came ({error})"),
            )
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > BODY_DRAIN_BYTES_MAX {
            break;
        }
        if length <= bytes_max {
            read.extend_from_slice(&data);
        }
    }
    if length > bytes_max { Err(too_large()) } else { Ok(read.into()) }
}

/// Writes a problem down, and adds what every answer carries.
fn finish(server: &Server, mut response: Response, id: &str, is_head: bool) -> Response {
    let view = server.view();
    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        let written = problem.to_response(Asked { request_id: id, schema_version: view.schema_version() });
        let (parts, body) = written.into_parts();
        // Headers that the router has set stay, as `Allow` of a 405.
        response.headers_mut().remove(CONTENT_LENGTH);
        response.headers_mut().extend(parts.headers);
        let length = body.size_hint().lower();
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        *response.status_mut() = parts.status;
        *response.body_mut() = if is_head { Body::empty() } else { body };
    }
    let headers = response.headers_mut();
    // The router names the methods that have handlers; this one is answered everywhere.
    if let Some(methods) = headers.get(ALLOW).and_then(|methods| methods.to_str().ok())
        && let Ok(methods) = HeaderValue::from_str(&format!("{methods},OPTIONS"))
    {
        headers.insert(ALLOW, methods);
    }
    if !headers.contains_key(DB_VERSION) {
        headers.insert(DB_VERSION, HeaderValue::from(view.commit()));
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    // A copy may be kept, but must be asked about: data change at 60 Hz.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

/// Runs a future; a panic in it is what the panic said.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        // After a panic the future is not polled again, so nothing sees what the panic left half done.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(payload) => std::task::Poll::Ready(Err(crate::caught::panic_message(payload.as_ref()))),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_wherever_it_happens() {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut panics = pin!(caught(async { [1][std::hint::black_box(1)] }));
        let std::task::Poll::Ready(Err(panic)) = panics.as_mut().poll(&mut context) else {
            panic!("it was not caught")
        };
        assert!(panic.contains("out of bounds"), "{panic}");
        let mut ends = pin!(caught(std::future::ready(7)));
        assert_eq!(ends.as_mut().poll(&mut context), std::task::Poll::Ready(Ok(7)));
    }
}
