//! Packed bodies: answers over a kilobyte go out in gzip or zstd to clients that take them, and bodies may come in both.
//!
//! A body is unpacked while it is read, so the limits on bodies are limits on what comes out: a small body that unpacks
//! into gigabytes is read up to the limit and refused.

use super::precondition::tag_encoded;
use super::serve::{App, serve};
use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, ETAG, HeaderValue};
use axum::http::{Request, Response};
use hyper::body::Incoming;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower_http::CompressionLevel;
use tower_http::compression::Compression;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::decompression::{DecompressionBody, RequestDecompression};
use tower_service::Service;

/// Answers that are smaller go out as they are: packing them would cost more than it saves.
const PACKED_BYTES_MIN: u64 = 1024;

/// Answers a request whose body may be packed, with an answer that may be.
pub(crate) async fn serve_packed(app: &App, request: Request<Incoming>) -> Response<Body> {
    let unpacked = RequestDecompression::new(Plain(app.clone())).pass_through_unaccepted(true);
    let predicate = SizeAbove::new(PACKED_BYTES_MIN).and(NotForContentType::SSE);
    let mut packed = Compression::new(unpacked).quality(CompressionLevel::Fastest).compress_when(predicate);
    let mut response = match packed.call(request).await {
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

/// The server of plain bodies, as tower's middleware wants it.
struct Plain(App);

impl Service<Request<DecompressionBody<Incoming>>> for Plain {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<DecompressionBody<Incoming>>) -> Self::Future {
        let app = self.0.clone();
        Box::pin(async move { Ok(serve(&app, request.map(Body::new)).await) })
    }
}
