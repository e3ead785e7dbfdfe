//! What every answer says to a browser: what the page may load, and that it stands in no other page.

use super::assets;
use super::guard::is_api;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::LazyLock;

/// The page's scripts are those of its own files, and the ones that stand in its HTML, by their hashes. Everything that it
/// asks goes to its own server. Elements may have styles of their own: widths and levels, as the page computes them.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hashes: String = assets::inline_scripts()
        .iter()
        .map(|hash| format!(" '{hash}'"))
        .collect();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("a policy is plain text")
});

const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// Adds the headers; what an answer says itself stays.
pub async fn add(request: Request, next: Next) -> Response {
    let is_api = is_api(request.uri().path());
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    let fixed = |text| HeaderValue::from_static(text);
    add_to(headers, CONTENT_SECURITY_POLICY, POLICY.clone());
    add_to(headers, X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    add_to(headers, X_FRAME_OPTIONS, fixed("DENY"));
    add_to(headers, REFERRER_POLICY, fixed("no-referrer"));
    add_to(headers, OPENER, fixed("same-origin"));
    add_to(headers, RESOURCE, fixed("same-origin"));
    add_to(
        headers,
        PERMISSIONS,
        fixed("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    );
    if is_api {
        add_to(headers, CACHE_CONTROL, fixed("no-store"));
    }
    answer
}

fn add_to(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}
