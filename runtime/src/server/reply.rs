//! Answers that are no problems.

use super::serve::DB_VERSION;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
}

impl Reply {
    /// 200 with a JSON text.
    pub(crate) fn json(text: impl Into<Body>) -> Reply {
        Reply::text("application/json", text)
    }

    /// 200 with a text of this media type.
    pub(crate) fn text(media_type: &'static str, text: impl Into<Body>) -> Reply {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        Reply { status: StatusCode::OK, headers, body: text.into() }
    }

    /// 204.
    pub(crate) fn nothing() -> Reply {
        Reply { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: Body::empty() }
    }

    /// 202.
    pub(crate) fn accepted(self) -> Reply {
        Reply { status: StatusCode::ACCEPTED, ..self }
    }

    /// 304.
    pub(crate) fn not_modified() -> Reply {
        Reply { status: StatusCode::NOT_MODIFIED, ..Reply::nothing() }
    }

    /// 201, and where to find what was created.
    pub(crate) fn created(self, location: &str) -> Reply {
        Reply { status: StatusCode::CREATED, ..self }.header(LOCATION, location)
    }

    /// The commit that it shows, or that it made.
    pub(crate) fn commit(self, commit: u64) -> Reply {
        self.header(DB_VERSION, commit.to_string())
    }

    /// The same, read to its end, with a copy of what it is. For answers that are no streams.
    pub(crate) fn whole(self) -> (Reply, (StatusCode, HeaderMap, Bytes)) {
        let Reply { status, headers, body } = self;
        let mut reading = pin!(body.collect());
        let bytes = match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(body)) => body.to_bytes(),
            // A text is there at once.
            Poll::Ready(Err(_)) | Poll::Pending => Bytes::new(),
        };
        let made = (status, headers.clone(), bytes.clone());
        (Reply { status, headers, body: Body::from(bytes) }, made)
    }

    /// A header. A value that no header can hold is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Reply {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.append(name, value);
        }
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}
