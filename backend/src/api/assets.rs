//! The page, carried inside the binary.

#[cfg(any(feature = "page", test))]
use axum::http::HeaderMap;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};

#[cfg(feature = "page")]
#[derive(rust_embed::Embed)]
#[folder = "../dist/"]
struct Page;

/// A file of the page; for every other path the page itself, which knows its own routes.
#[cfg(feature = "page")]
pub async fn serve(uri: Uri, asked: HeaderMap) -> Response {
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
        (header::VARY, header::ACCEPT_ENCODING.to_string()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::X_FRAME_OPTIONS, "DENY".to_owned()),
    ];
    // A release carries its files compressed as well; what is not compressed yet the router's own layer compresses.
    match Page::get(&format!("{name}.br")).filter(|_| takes_brotli(&asked)) {
        Some(smaller) => (headers, [(header::CONTENT_ENCODING, "br")], smaller.data).into_response(),
        None => (headers, file.data).into_response(),
    }
}

/// Whether the client takes brotli, by its `Accept-Encoding`.
#[cfg(any(feature = "page", test))]
fn takes_brotli(asked: &HeaderMap) -> bool {
    let all = asked.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("br") && !refused
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_only_for_those_who_take_it() {
        let asked = |value: &str| {
            let value = value.parse().expect("a header");
            HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)])
        };
        for taken in ["br", "gzip, deflate, br, zstd", "gzip;q=0.5, BR;q=0.8"] {
            assert!(takes_brotli(&asked(taken)), "{taken}");
        }
        for refused in ["gzip", "identity", "br;q=0", "gzip, br; q=0.0", ""] {
            assert!(!takes_brotli(&asked(refused)), "{refused}");
        }
        assert!(!takes_brotli(&HeaderMap::new()));
    }
}
