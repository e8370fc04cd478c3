//! Who may ask: the token or the session, the Host and the Origin of every request.
//!
//! The Host check closes DNS rebinding, the Origin check closes pages of other origins; both come before the token, so
//! that neither can be used to guess it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use crypto::secret::Secret;
use data_encoding::BASE64URL_NOPAD;

use super::refusal::refusal;
use super::session::Sessions;
use crate::time::Duration;

/// What a request must show.
#[derive(Debug)]
pub struct Access {
    token: Secret<32>,
    hosts: Vec<String>,
    address: SocketAddr,
    sessions: Sessions,
}

impl Access {
    /// Access to the interface at `address` for whoever has `token`.
    pub fn new(token: Secret<32>, address: SocketAddr) -> Self {
        let hosts = vec![address.to_string(), format!("localhost:{}", address.port())];
        Self { token, hosts, address, sessions: Sessions::new(address.port()) }
    }

    /// Where the interface listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The sessions of browsers.
    pub(super) const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Why a request with these headers is refused, if it is.
    fn refuses(&self, method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        if let Some(refusal) = self.refuses_place(headers) {
            return Some(refusal);
        }
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix(TOKEN_HEADER_PREFIX));
        let is_owner = token.is_some_and(|token| self.opens(token)) || self.sessions.admit(method, headers);
        (!is_owner).then_some((StatusCode::UNAUTHORIZED, "the token is missing or wrong"))
    }

    /// Why a request that names this host, or comes from that origin, is refused.
    fn refuses_place(&self, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let host_known = text(header::HOST).is_some_and(|host| self.hosts.iter().any(|known| known == host));
        if !host_known {
            return Some((StatusCode::FORBIDDEN, "the Host header names another host"));
        }
        let own_origin =
            |origin: &str| origin.strip_prefix("http://").is_some_and(|host| self.hosts.iter().any(|k| k == host));
        text(header::ORIGIN)
            .is_some_and(|origin| !own_origin(origin))
            .then_some((StatusCode::FORBIDDEN, "requests of other origins are refused"))
    }

    fn opens(&self, token: &str) -> bool {
        let bytes = BASE64URL_NOPAD.decode(token.trim().as_bytes()).ok();
        // Secrets compare in constant time.
        bytes
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .is_some_and(|bytes| Secret::from_bytes(bytes) == self.token)
    }
}

/// Lets a request through that comes to this host; what it asks for decides itself whom it lets in.
pub(super) async fn admit_visitor(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    // A view is in an origin that is nobody's, and says so.
    let mut headers = request.headers().clone();
    if headers.get(header::ORIGIN).is_some_and(|origin| origin == "null") {
        headers.remove(header::ORIGIN);
    }
    match access.refuses_place(&headers) {
        None => next.run(request).await,
        Some((status, sentence)) => refusal(status, sentence).into_response(),
    }
}

/// Lets a request through that shows what it must.
pub(super) async fn admit(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    match access.refuses(request.method(), request.headers()) {
        None => next.run(request).await,
        Some((status, sentence)) => refusal(status, sentence).into_response(),
    }
}

/// Takes in the body of a request that is no document, before anything is done with it: it is short, and it comes at once.
pub(super) async fn take_in(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(BODY_PATIENCE, axum::body::to_bytes(body, REQUEST_BYTES)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, bytes.into())).await,
        Ok(Err(_)) => refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long").into_response(),
        Err(_) => refusal(StatusCode::REQUEST_TIMEOUT, "the body stopped coming").into_response(),
    }
}

/// Largest body of a request that is no document. Chosen.
const REQUEST_BYTES: usize = 64 << 10;
/// How long such a body may take. Chosen: it comes from the same machine.
const BODY_PATIENCE: Duration = Duration::from_secs(5);

/// What stands before the token in the Authorization header.
pub const TOKEN_HEADER_PREFIX: &str = "Bearer ";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: Option<&str>, origin: Option<&str>, authorization: Option<&str>) -> Option<u16> {
        let access = Access::new(Secret::from_bytes([7; 32]), "127.0.0.1:99".parse().unwrap());
        let mut headers = HeaderMap::new();
        let fields = [(header::HOST, host), (header::ORIGIN, origin), (header::AUTHORIZATION, authorization)];
        for (name, value) in fields.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            headers.insert(name, value.parse().unwrap());
        }
        access.refuses(&Method::GET, &headers).map(|(status, _)| status.as_u16())
    }

    #[test]
    fn only_the_owner_on_this_host_is_let_in() {
        let right = format!("Bearer {}", BASE64URL_NOPAD.encode(&[7; 32]));
        let wrong = format!("Bearer {}", BASE64URL_NOPAD.encode(&[8; 32]));
        let host = Some("127.0.0.1:99");
        assert_eq!(check(host, None, Some(&right)), None);
        assert_eq!(check(Some("localhost:99"), Some("http://localhost:99"), Some(&right)), None);
        assert_eq!(check(host, None, Some(&wrong)), Some(401));
        assert_eq!(check(host, None, Some("Bearer x")), Some(401));
        assert_eq!(check(host, None, None), Some(401));
        assert_eq!(check(host, Some("http://evil.example"), Some(&right)), Some(403));
        assert_eq!(check(host, Some("null"), Some(&right)), Some(403));
        assert_eq!(check(Some("evil.example:99"), None, Some(&right)), Some(403));
        assert_eq!(check(None, None, Some(&right)), Some(403));
    }
}
