//! One POST to a backend, and its DELETE at the end.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use super::{endpoint::Endpoint, pool::SendError, session::Session};
use crate::{backend::CallError, telemetry::RequestId};

/// The header that names the session (2025-11-25, Streamable HTTP, Session Management).
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const REVISION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A POST of `body` within `session`.
pub(super) fn post(
    endpoint: &Endpoint,
    session: Option<&Session>,
    request_id: Option<RequestId>,
    body: Bytes,
) -> Request<Full<Bytes>> {
    let mut request = bare(endpoint, session, Method::POST, body);
    let name = |id: RequestId| HeaderValue::from_str(id.encode(&mut [0; RequestId::LENGTH])).ok();
    if let Some(value) = request_id.and_then(name) {
        request.headers_mut().insert(REQUEST_ID, value);
    }
    request
}

/// The DELETE that ends `session`.
pub(super) fn delete(endpoint: &Endpoint, session: &Session) -> Request<Full<Bytes>> {
    bare(endpoint, Some(session), Method::DELETE, Bytes::new())
}

/// The session that a response to `initialize` opened.
pub(super) fn session_id(response: &Response<Incoming>) -> Option<HeaderValue> {
    response.headers().get(SESSION).cloned()
}

fn bare(
    endpoint: &Endpoint,
    session: Option<&Session>,
    method: Method,
    body: Bytes,
) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = endpoint.path.clone().into();
    let headers = request.headers_mut();
    headers.clone_from(&endpoint.headers);
    if let Some(session) = session {
        headers.insert(
            REVISION,
            HeaderValue::from_static(session.info.revision.as_str()),
        );
        if let Some(id) = &session.id {
            headers.insert(SESSION, id.clone());
        }
    }
    request
}

impl From<SendError> for CallError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Unsent(reason) => Self::unreachable(reason),
            SendError::Lost(reason) => Self::lost(reason),
        }
    }
}
