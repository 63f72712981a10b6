//! Responses and their bodies.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

pub type Body = UnsyncBoxBody<Bytes, Infallible>;

pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
pub const PROMETHEUS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub fn whole(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Response<Body> {
    with_body(status, content_type, Full::new(body.into()).boxed_unsync())
}

pub fn with_body(status: StatusCode, content_type: HeaderValue, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

pub fn json_response(status: StatusCode, value: &Value) -> Response<Body> {
    whole(status, JSON, value.to_string())
}

/// Bytes of an answer that hyper is given at once. What it has been given it keeps until the client reads.
const PIECE: usize = 64 << 10;

/// An answer that holds a permit until the client has taken nearly all of it, or is gone.
pub fn holding(content_type: HeaderValue, out: Vec<u8>, permit: Option<OwnedSemaphorePermit>) -> Response<Body> {
    let length = out.len();
    let pieces = futures::stream::unfold((0, out, permit), |(start, out, permit)| async move {
        let rest = out.get(start..).filter(|rest| !rest.is_empty())?;
        // A copy: a part of the whole would keep all of it in memory, for as long as it waits to be read.
        let piece = Bytes::copy_from_slice(rest.get(..PIECE).unwrap_or(rest));
        let next = start + piece.len();
        Some((Ok::<_, Infallible>(Frame::data(piece)), (next, out, permit)))
    });
    let body = StreamBody::new(Box::pin(pieces)).boxed_unsync();
    let mut response = with_body(StatusCode::OK, content_type, body);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}
