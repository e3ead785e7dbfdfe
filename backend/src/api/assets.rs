//! The page, carried inside the binary.

use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};

#[cfg(feature = "page")]
#[derive(rust_embed::Embed)]
#[folder = "../dist/"]
struct Page;

/// A file of the page; for every other path the page itself, which knows its own routes.
#[cfg(feature = "page")]
pub async fn serve(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let (file, name) = match Page::get(path).filter(|_| !path.is_empty()) {
        Some(file) => (file, path),
        // A path with a suffix is a file that is not there, not a route of the page.
        None if path.rsplit('/').next().is_some_and(|last| last.contains('.')) => {
            return StatusCode::NOT_FOUND.into_response();
        }
        None => match Page::get("index.html") {
            Some(file) => (file, "index.html"),
            None => return missing(),
        },
    };
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    // Names of the page's parts hold their hash; the page itself is asked for every time.
    let keep = if name == "index.html" {
        "no-cache"
    } else {
        "public, max-age=31536000, immutable"
    };
    let headers = [
        (header::CONTENT_TYPE, kind.as_ref().to_owned()),
        (header::CACHE_CONTROL, keep.to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::X_FRAME_OPTIONS, "DENY".to_owned()),
    ];
    (headers, file.data).into_response()
}

/// Without the page there is only the API.
#[cfg(not(feature = "page"))]
pub async fn serve(uri: Uri) -> Response {
    if uri.path() == "/" {
        missing()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

fn missing() -> Response {
    let text =
        "<!doctype html><title>Godwit</title><p>This build carries no page. Build it with <code>make build</code>.";
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], Html(text)).into_response()
}
