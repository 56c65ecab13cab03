//! What handlers take from a request. Whatever is wrong with it is a [`Problem`], never the framework's plain text.

use super::json;
use super::params::{FromParams, Params};
use super::problem::{Kind, Problem, internal};
use crate::id::RecordId;
use crate::limits::READ_HERE_BYTES_MAX;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use std::convert::Infallible;

/// The named parts of the path, decoded.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Path(value) =
            axum::extract::Path::from_request_parts(parts, state).await.map_err(|rejection| {
                Problem::new(Kind::MalformedRequest, format!("the path cannot be read: {rejection}"))
            })?;
        Ok(Path(value))
    }
}

/// The query string. A route that takes no parameters says so with `Query<()>`, and refuses all.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: FromParams> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Params::parse(parts.uri.query().unwrap_or_default())?.read().map(Query)
    }
}

/// A body that is a JSON object.
#[derive(Debug)]
pub(crate) struct Object(pub(crate) Map<String, Json>);

impl<S: Send + Sync> FromRequest<S> for Object {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let JsonText(text) = JsonText::from_request(request, state).await?;
        as_object(understood(text, json::parse).await??, "#").map(Object)
    }
}

/// A body that says it is JSON, not yet read.
#[derive(Debug)]
pub(crate) struct JsonText(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (is_patch, headers) = (request.method() == Method::PATCH, request.headers());
        require_json(headers, is_patch)?;
        match Bytes::from_request(request, state).await {
            Ok(text) => Ok(JsonText(text)),
            Err(rejection) => Err(Problem::new(Kind::MalformedRequest, rejection.to_string())),
        }
    }
}

/// What a body says. A long one is read beside, on a thread that may take its time: on this one, other connections wait.
pub(crate) async fn understood<R: Send + 'static>(
    text: Bytes,
    read: impl FnOnce(&[u8]) -> R + Send + 'static,
) -> Result<R, Problem> {
    if text.len() <= READ_HERE_BYTES_MAX {
        return Ok(read(&text));
    }
    tokio::task::spawn_blocking(move || read(&text)).await.map_err(|error| internal(&error))
}

/// The object that a JSON value must be.
pub(crate) fn as_object(json: Json, pointer: &str) -> Result<Map<String, Json>, Problem> {
    match json {
        Json::Object(object) => Ok(object),
        other => {
            let detail = format!("{} where an object is needed", json::describe(&other));
            Err(Problem::at(Kind::WrongType, pointer, detail))
        }
    }
}

/// The record id that a part of a path is.
pub(crate) fn record_id(text: &str, table: &str) -> Result<RecordId, Problem> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || (text.len() > 1 && text.starts_with('0')) {
        return Err(Problem::new(Kind::InvalidId, format!("a record id is a whole number, not {text:?}")));
    }
    text.parse().ok().and_then(RecordId::from_u64).ok_or_else(|| no_such_record(text, table))
}

/// The problem of an id that no record can have.
pub(crate) fn no_such_record(id: &str, table: &str) -> Problem {
    Problem::new(Kind::RecordNotFound, format!("table `{table}` has no record {id}")).member("deleted", false)
}

fn require_json(headers: &HeaderMap, is_patch: bool) -> Result<(), Problem> {
    let known: &[&str] =
        if is_patch { &["application/merge-patch+json", "application/json"] } else { &["application/json"] };
    media_type(headers, known, is_patch).map(drop)
}

/// Which of the known media types the body says that it is.
pub(crate) fn media_type(headers: &HeaderMap, known: &[&str], is_patch: bool) -> Result<String, Problem> {
    let refuse = |detail: String| {
        let name = HeaderName::from_static(if is_patch { "accept-patch" } else { "accept-post" });
        Problem::new(Kind::UnsupportedMediaType, detail).header(name, known.join(", "))
    };
    let is_identity = |encoding: &&HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
    if let Some(encoding) = headers.get_all(CONTENT_ENCODING).iter().find(|encoding| !is_identity(encoding)) {
        let detail = format!("the body is encoded with {encoding:?}; send it as it is, or in gzip or zstd");
        return Err(refuse(detail).header(ACCEPT_ENCODING, "gzip, zstd"));
    }
    let mut given = headers.get_all(CONTENT_TYPE).iter();
    let Some(given) = given.next().filter(|_| given.next().is_none()) else {
        let what = if headers.contains_key(CONTENT_TYPE) { "more than one" } else { "no" };
        return Err(refuse(format!("the body has {what} Content-Type; send it as {}", known.join(" or "))));
    };
    let mut parts = given.to_str().unwrap_or_default().split(';').map(|part| part.trim().to_ascii_lowercase());
    let media_type = parts.next().unwrap_or_default();
    let utf8 = parts.all(|part| part.strip_prefix("charset=").is_none_or(|name| name.trim_matches('"') == "utf-8"));
    if known.contains(&media_type.as_str()) && utf8 {
        return Ok(media_type);
    }
    Err(refuse(format!("the body is {given:?}; send it as {} in UTF-8", known.join(" or "))))
}

/// That the client takes JSON, as all our answers are.
#[derive(Debug)]
pub(crate) struct AcceptsJson;

impl<S: Send + Sync> FromRequestParts<S> for AcceptsJson {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if accepts(&parts.headers, "application", "json") {
            return Ok(AcceptsJson);
        }
        Err(Problem::new(Kind::NotAcceptable, "this route answers application/json only"))
    }
}

/// Whether the `Accept` headers, if any, allow a media type.
pub(crate) fn accepts(headers: &HeaderMap, main: &str, sub: &str) -> bool {
    let mut given = headers.get_all(ACCEPT).iter().peekable();
    if given.peek().is_none() {
        return true;
    }
    let ranges = given.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    ranges.into_iter().any(|range| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let (range_main, range_sub) = parts.next().and_then(|range| split_type(&range)).unwrap_or_default();
        let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)));
        !refused && (range_main == "*" || range_main == main) && (range_sub == "*" || range_sub == sub)
    })
}

fn split_type(range: &str) -> Option<(String, String)> {
    range.split_once('/').map(|(main, sub)| (main.to_owned(), sub.to_owned()))
}

/// The id of the request, which problems carry.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<RequestId>().cloned().unwrap_or_else(|| RequestId(String::new())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::sync::mpsc;
    use std::time::Duration;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_long_body_is_read_while_others_are_served() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let order = |bytes: usize| {
            let (order, (served, wait)) = (RefCell::new(Vec::new()), mpsc::channel());
            if bytes <= READ_HERE_BYTES_MAX {
                served.send(()).unwrap();
            }
            let reading = async {
                let text = Bytes::from(vec![b' '; bytes]);
                // It ends when the other request was served.
                let read = understood(text, move |_| wait.recv_timeout(Duration::from_secs(10)).is_ok());
                assert!(read.await.unwrap());
                order.borrow_mut().push("body");
            };
            let other = async {
                order.borrow_mut().push("other");
                let _ = served.send(());
            };
            runtime.block_on(async { tokio::join!(reading, other) });
            order.into_inner()
        };
        assert_eq!(order(READ_HERE_BYTES_MAX), ["body", "other"]);
        assert_eq!(order(READ_HERE_BYTES_MAX + 1), ["other", "body"]);
    }

    #[test]
    fn media_types_of_bodies() {
        for right in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""] {
            assert!(require_json(&headers(CONTENT_TYPE, right), false).is_ok(), "{right}");
        }
        for wrong in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
            "application/json; charset=xutf-8",
            "",
        ] {
            let problem = require_json(&headers(CONTENT_TYPE, wrong), false).expect_err(wrong);
            assert_eq!(problem.kind(), Kind::UnsupportedMediaType);
        }
        assert!(require_json(&headers(CONTENT_TYPE, "application/merge-patch+json"), true).is_ok());
        assert!(require_json(&headers(CONTENT_TYPE, "application/merge-patch+json"), false).is_err());
        assert!(require_json(&HeaderMap::new(), false).is_err());
    }

    #[test]
    fn media_types_of_answers() {
        let accepted = |value: &str| accepts(&headers(ACCEPT, value), "application", "json");
        assert!(accepted("*/*") && accepted("text/html, application/json;q=0.9") && accepted("application/*"));
        assert!(!accepted("text/html") && !accepted("application/json;q=0"));
        assert!(accepts(&HeaderMap::new(), "application", "json"));
    }

    #[test]
    fn record_ids_are_written_one_way() {
        let first = RecordId::from_u64(1 << 32).unwrap();
        assert_eq!(record_id("4294967296", "t").unwrap(), first);
        for wrong in ["", "x", "-1", "+1", "1.0", "1e3", "04294967296", " 1", "１", "../etc"] {
            assert_eq!(record_id(wrong, "t").unwrap_err().kind(), Kind::InvalidId, "{wrong:?}");
        }
        for nobodys in ["0", "1", "9007199254740993", "99999999999999999999999999"] {
            assert_eq!(record_id(nobodys, "t").unwrap_err().kind(), Kind::RecordNotFound, "{nobodys:?}");
        }
    }
}
