//! Packed bodies: answers over a kilobyte go out in gzip or zstd to clients that take them, and bodies may come in both.
//!
//! A body is unpacked while it is read, so the limits on bodies are limits on what comes out: a small body that unpacks
//! into gigabytes is read up to the limit and refused. One may be packed in several parts, which stand one behind the other
//! (RFC 1952, section 2.2; RFC 8878, section 3.1): all of them are read, and what is none of either is an error.

use super::precondition::tag_encoded;
use super::serve::{App, serve};
use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderValue};
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::convert::Infallible;
use std::io::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio_util::io::{ReaderStream, StreamReader};
use tower_http::CompressionLevel;
use tower_http::compression::Compression;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_service::Service;

/// Answers that are smaller go out as they are: packing them would cost more than it saves.
const PACKED_BYTES_MIN: u64 = 1024;

/// Answers a request whose body may be packed, with an answer that may be.
pub(crate) async fn serve_packed(app: &App, request: Request<Incoming>) -> Response<Body> {
    let predicate = SizeAbove::new(PACKED_BYTES_MIN).and(NotForContentType::SSE);
    let plain = Plain(app.clone());
    let mut packed = Compression::new(plain).quality(CompressionLevel::Fastest).compress_when(predicate);
    let mut response = match packed.call(unpacked(request)).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    };
    let headers = response.headers_mut();
    let encoding = headers.get(CONTENT_ENCODING).and_then(|encoding| encoding.to_str().ok());
    let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok());
    if let (Some(encoding), Some(tag)) = (encoding, tag)
        && let Ok(tag) = HeaderValue::from_str(&tag_encoded(tag, encoding))
    {
        headers.insert(ETAG, tag);
    }
    response
}

/// The request with its body as it was before it was packed. An encoding that is not known stays, and is refused where the
/// body's media type is looked at.
fn unpacked(request: Request<Incoming>) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    let mut encodings = parts.headers.get_all(CONTENT_ENCODING).iter();
    let encoding =
        encodings.next().filter(|_| encodings.next().is_none()).map(|one| one.as_bytes().to_ascii_lowercase());
    let packed = |body: Incoming| StreamReader::new(body.map_err(Error::other).into_data_stream());
    let body = match encoding.as_deref() {
        Some(b"gzip" | b"x-gzip") => {
            let mut decoder = GzipDecoder::new(packed(body));
            decoder.multiple_members(true);
            Body::from_stream(ReaderStream::new(decoder))
        }
        Some(b"zstd") => {
            let mut decoder = ZstdDecoder::new(packed(body));
            decoder.multiple_members(true);
            Body::from_stream(ReaderStream::new(decoder))
        }
        _ => return Request::from_parts(parts, Body::new(body)),
    };
    parts.headers.remove(CONTENT_ENCODING);
    parts.headers.remove(CONTENT_LENGTH);
    Request::from_parts(parts, body)
}

/// The server of plain bodies, as tower's middleware wants it.
struct Plain(App);

impl Service<Request<Body>> for Plain {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let app = self.0.clone();
        Box::pin(async move { Ok(serve(&app, request).await) })
    }
}
