//! Who may ask: the token, the Host and the Origin of every request.
//!
//! The Host check closes DNS rebinding, the Origin check closes pages of other origins; both come before the token, so
//! that neither can be used to guess it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use crypto::secret::Secret;
use data_encoding::BASE64URL_NOPAD;

use super::refusal::refusal;

/// What a request must show.
#[derive(Debug)]
pub struct Access {
    token: Secret<32>,
    hosts: Vec<String>,
}

impl Access {
    /// Access to the interface at `address` for whoever has `token`.
    pub fn new(token: Secret<32>, address: SocketAddr) -> Self {
        let hosts = vec![address.to_string(), format!("localhost:{}", address.port())];
        Self { token, hosts }
    }

    /// Why a request with these headers is refused, if it is.
    fn refuses(&self, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let host_known = text(header::HOST).is_some_and(|host| self.hosts.iter().any(|known| known == host));
        if !host_known {
            return Some((StatusCode::FORBIDDEN, "the Host header names another host"));
        }
        let own_origin =
            |origin: &str| origin.strip_prefix("http://").is_some_and(|host| self.hosts.iter().any(|k| k == host));
        if text(header::ORIGIN).is_some_and(|origin| !own_origin(origin)) {
            return Some((StatusCode::FORBIDDEN, "requests of other origins are refused"));
        }
        let token = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix(TOKEN_HEADER_PREFIX));
        (!token.is_some_and(|token| self.opens(token)))
            .then_some((StatusCode::UNAUTHORIZED, "the token is missing or wrong"))
    }

    fn opens(&self, token: &str) -> bool {
        let bytes = BASE64URL_NOPAD.decode(token.trim().as_bytes()).ok();
        // Secrets compare in constant time.
        bytes
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .is_some_and(|bytes| Secret::from_bytes(bytes) == self.token)
    }
}

/// Lets a request through that shows what it must.
pub(super) async fn admit(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    match access.refuses(request.headers()) {
        None => next.run(request).await,
        Some((status, sentence)) => refusal(status, sentence).into_response(),
    }
}

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
        access.refuses(&headers).map(|(status, _)| status.as_u16())
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
