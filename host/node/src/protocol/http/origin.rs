//! Which pages a browser may send requests from. A node on a developer's machine asks nobody who they are, so without
//! this every page that the developer visits could use it: browsers reach loopback addresses too.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::protocol::http::error::Refusal;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, accept, idempotency-key, neon-connection-string, neon-raw-text-output, \
     neon-array-mode, neon-batch-isolation-level, neon-batch-read-only, neon-batch-deferrable, neon-pool-opt-in",
);
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");
const PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Refuses requests from other pages. Requests that no page has sent name no origin.
pub fn check(headers: &HeaderMap, allowed: &[String]) -> Result<Option<HeaderValue>, Refusal> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(None) };
    let text = origin.to_str().unwrap_or_default();
    if allowed.iter().any(|allowed| allowed == "*" || is_same_site(text, allowed)) {
        return Ok(Some(origin.clone()));
    }
    Err(Refusal::new(hyper::StatusCode::FORBIDDEN, "42501", format!("requests from {text:?} are not allowed"))
        .hint("Add the page's origin to http.origins."))
}

/// `http://localhost` stands for itself at every port.
fn is_same_site(origin: &str, allowed: &str) -> bool {
    match origin.strip_prefix(allowed) {
        Some("") => true,
        Some(rest) => rest
            .strip_prefix(':')
            .is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())),
        None => false,
    }
}

/// Tells the browser that the page may read the answer.
pub fn allow(origin: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
}

/// The answer to a browser that asks first.
pub fn allow_preflight(request: &HeaderMap, headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    let wanted = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if request.contains_key("access-control-request-private-network") {
        headers.insert(PRIVATE_NETWORK, HeaderValue::from_static("true"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_whole() {
        let allowed = vec!["http://localhost".to_string()];
        for (origin, fine) in [
            ("http://localhost", true),
            ("http://localhost:5173", true),
            ("http://localhost.evil.example", false),
            ("http://localhost:80.evil.example", false),
            ("http://localhost:", false),
            ("https://localhost", false),
            ("null", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).expect("a header"));
            assert_eq!(check(&headers, &allowed).is_ok(), fine, "{origin}");
            assert!(check(&headers, &["*".to_string()]).is_ok(), "{origin}");
        }
        assert!(check(&HeaderMap::new(), &allowed).is_ok_and(|origin| origin.is_none()));
    }
}
