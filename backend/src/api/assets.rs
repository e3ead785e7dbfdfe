//! The page, carried inside the binary.

#[cfg(any(feature = "page", test))]
use axum::http::HeaderMap;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
#[cfg(any(feature = "page", test))]
use base64::prelude::{BASE64_STANDARD, Engine};
#[cfg(any(feature = "page", test))]
use sha2::{Digest, Sha256};

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
    // Names of the page's parts hold their hash, or a version; the page itself is asked for every time.
    let has_hash = name != "index.html" && !name.ends_with(".txt");
    let keep = if !has_hash {
        "no-cache"
    } else {
        "public, max-age=31536000, immutable"
    };
    let headers = [
        (header::CONTENT_TYPE, kind.as_ref().to_owned()),
        (header::CACHE_CONTROL, keep.to_owned()),
        (header::VARY, header::ACCEPT_ENCODING.to_string()),
    ];
    // A release carries its files compressed as well; what is not compressed yet the router's own layer compresses.
    match Page::get(&format!("{name}.br")).filter(|_| takes_brotli(&asked)) {
        Some(smaller) => (headers, [(header::CONTENT_ENCODING, "br")], smaller.data).into_response(),
        None => (headers, file.data).into_response(),
    }
}

/// The hashes of the scripts that stand in the page itself, as a policy names them.
pub(super) fn inline_scripts() -> Vec<String> {
    #[cfg(feature = "page")]
    {
        let page = Page::get("index.html").map(|file| file.data.into_owned());
        hashes_of_scripts(&String::from_utf8_lossy(&page.unwrap_or_default()))
    }
    #[cfg(not(feature = "page"))]
    Vec::new()
}

/// Of HTML that our own build has written: no comments, no scripts in attributes.
#[cfg(any(feature = "page", test))]
fn hashes_of_scripts(html: &str) -> Vec<String> {
    let scripts = html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (text, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=")).then_some(text)
    });
    scripts
        .map(|text| format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text))))
        .collect()
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
    fn the_scripts_of_the_page_are_known_by_their_hashes() {
        let html =
            "<head><script>a</script><script type=\"module\">\nb\n</script><script src=\"/c.js\"></script></head>";
        // The digests of `a`, and of `b` between two line ends.
        let expected = [
            "sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=",
            "sha256-5u1fIKMXKQ46ulUkDeSKZ+xmkP0iq3GhMyrJ/dvDjMU=",
        ];
        assert_eq!(hashes_of_scripts(html), expected);
    }

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
