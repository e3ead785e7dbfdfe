//! Who may ask. Without a password the server is for this machine alone: a page of another site must not reach it
//! (Origin), nor by a name that it made point here (Host, DNS rebinding).

use super::error::ApiError;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use godwit_shared::error::ErrorCode;

/// Lets a request through, or answers it.
pub async fn check(request: Request, next: Next) -> Response {
    match is_allowed(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(message) => ApiError::new(ErrorCode::Forbidden, message).into_response(),
    }
}

/// A request without an Origin, as scripts send it, passes; its Host has to be this machine.
fn is_allowed(headers: &HeaderMap) -> Result<(), String> {
    let text = |name| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    match text(HOST) {
        Some(host) if is_loopback(host) => {}
        Some(host) => {
            return Err(format!(
                "requests to the host \"{host}\" are not answered: use 127.0.0.1 or localhost"
            ));
        }
        None => return Err("the request names no host".into()),
    }
    match text(ORIGIN) {
        None => Ok(()),
        Some(origin) => {
            let host = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"));
            if host.is_some_and(is_loopback) {
                Ok(())
            } else {
                Err(format!("pages of {origin} may not use this server"))
            }
        }
    }
}

/// Whether a host, with or without a port, is this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn allowed(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        is_allowed(&headers).is_ok()
    }

    #[test]
    fn only_this_machine_and_its_own_pages() {
        assert!(allowed("127.0.0.1:8278", None));
        assert!(allowed("localhost", Some("http://127.0.0.1:8080")));
        assert!(allowed("[::1]:8278", Some("http://[::1]:8278")));
        assert!(!allowed("godwit.example:8278", None));
        assert!(!allowed("127.0.0.1.example", None));
        assert!(!allowed("127.0.0.1:8278", Some("https://evil.example")));
        assert!(!allowed("127.0.0.1:8278", Some("null")));
    }
}
