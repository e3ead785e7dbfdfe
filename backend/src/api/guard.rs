//! Who may ask. Without a password the server is for this machine alone, and for its own page: a page of another site, or
//! of another port, must not reach it (Origin, Sec-Fetch-Site), nor by a name that it made point here (Host, DNS rebinding).

use super::error::ApiError;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use godwit_shared::API_BASE;
use godwit_shared::error::ErrorCode;
use std::net::SocketAddr;
use std::sync::Arc;
use url::Url;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The names and the origins under which the server may be asked.
#[derive(Debug, Clone)]
pub struct Doors(Arc<Own>);

#[derive(Debug)]
struct Own {
    /// As they stand in an authority, in lower case.
    hosts: Vec<String>,
    port: u16,
    /// The page in development comes from another port.
    page: Option<Url>,
}

impl Doors {
    /// The doors of a server that listens on this address, and whose page may come from `page` besides.
    pub fn of(address: SocketAddr, page: Option<Url>) -> Self {
        let listened = match address {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        };
        Self(Arc::new(Own {
            hosts: vec!["localhost".into(), "127.0.0.1".into(), "[::1]".into(), listened],
            port: address.port(),
            page,
        }))
    }
}

/// Lets a request through, or answers it.
pub async fn check(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    match doors.0.check(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(message) => ApiError::new(ErrorCode::Forbidden, message).into_response(),
    }
}

impl Own {
    /// A request without an Origin, as scripts send it, passes; its Host has to be this server.
    fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), String> {
        let host = one(headers, &HOST)?.ok_or("the request names no host")?;
        let host = self.own_host(host).ok_or_else(|| {
            format!("requests to the host \"{host}\" are not answered: use 127.0.0.1 or localhost, with the port of the server")
        })?;
        // What the request line says wins over the header, where it says anything.
        if let Some(authority) = uri.authority()
            && self.own_host(authority.as_str()).as_ref() != Some(&host)
        {
            return Err(format!("requests to \"{authority}\" are not answered here"));
        }
        if let Some(origin) = one(headers, &ORIGIN)?
            && !self.is_own_origin(origin, &host)
        {
            return Err(format!("pages of {origin} may not use this server"));
        }
        match one(headers, &FETCH_SITE)? {
            None | Some("same-origin" | "none") => Ok(()),
            // A link to the page, on whatever page it stands: the browser goes there, and no script sees the answer.
            Some(_) if is_page_opened(method, uri, headers) => Ok(()),
            Some(site) => Err(format!("the request comes from another page ({site})")),
        }
    }

    /// The name in a Host or an authority, in lower case, if it is one of ours, with our port or none.
    fn own_host(&self, text: &str) -> Option<String> {
        if let Some(page) = &self.page
            && page.authority() == text
        {
            return Some(text.to_owned());
        }
        let authority: Authority = text.parse().ok()?;
        let name = authority.host();
        let is_own_port = match text.strip_prefix(name)? {
            "" => true,
            rest => rest.strip_prefix(':').is_some_and(|port| port == self.port.to_string()),
        };
        let name = name.to_ascii_lowercase();
        (is_own_port && self.hosts.contains(&name)).then_some(name)
    }

    /// Whether an Origin, spelled as browsers do, is that of the page of this host.
    fn is_own_origin(&self, text: &str, host: &str) -> bool {
        let is_same = |own: &Url| own.origin().ascii_serialization() == text;
        let own = Url::parse(&format!("http://{host}:{}", self.port));
        own.is_ok_and(|own| is_same(&own)) || self.page.as_ref().is_some_and(is_same)
    }
}

/// Whether a browser opens the page itself.
fn is_page_opened(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let is = |name: &HeaderName, value: &str| matches!(one(headers, name), Ok(Some(found)) if found == value);
    let is_page = !is_api(uri.path());
    is_page && *method == Method::GET && is(&FETCH_MODE, "navigate") && is(&FETCH_DEST, "document")
}

/// Whether a path is one of the API, and not of the page.
pub(super) fn is_api(path: &str) -> bool {
    path.starts_with(API_BASE) || path.starts_with("/api") || path.starts_with("/actuator")
}

/// The one value of a header; several are refused, for two readers may take two of them.
pub(super) fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, String> {
    let mut all = headers.get_all(name).iter();
    let Some(value) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(format!("the request has more than one header {name}"));
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| format!("the header {name} is no plain text"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn own() -> Own {
        let page = Url::parse("http://127.0.0.1:8080").expect("a URL");
        let doors = Doors::of(([127, 0, 0, 1], 8278).into(), None);
        let Doors(own) = doors;
        Own {
            page: Some(page),
            ..Arc::into_inner(own).expect("the only one")
        }
    }

    fn asked(uri: &str, headers: &[(&'static str, &str)]) -> Result<(), String> {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(*name, HeaderValue::from_str(value).expect("a value"));
        }
        own().check(&Method::GET, &uri.parse().expect("a URI"), &all)
    }

    fn allowed(host: &str, origin: Option<&str>) -> bool {
        let mut headers = vec![("host", host)];
        headers.extend(origin.map(|origin| ("origin", origin)));
        asked("/api/v1/jobs", &headers).is_ok()
    }

    #[test]
    fn only_this_server_is_asked() {
        for host in [
            "127.0.0.1:8278",
            "localhost",
            "LOCALHOST:8278",
            "[::1]:8278",
            "127.0.0.1",
            "127.0.0.1:8080",
        ] {
            assert!(allowed(host, None), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "127.0.0.1.example",
            "localhost.",
            "127.1",
            "0.0.0.0",
            "[::ffff:127.0.0.1]",
            "127.9.9.9",
            "localhost:99999999",
            "localhost:8279",
            "localhost:",
            "localhost:08278",
            "[localhost]",
            "::1",
            "[::1",
            "127.0.0.1:8278@evil.example",
            "evil@127.0.0.1:8278",
            "localhost/",
            "localhost#",
            "localhost\\",
            "127.0.0.1, evil",
            "0x7f000001",
            "localhost.evil.example",
        ] {
            assert!(!allowed(host, None), "{host}");
        }
    }

    #[test]
    fn only_its_own_page_asks() {
        let own = ["127.0.0.1:8278", "localhost:8278", "[::1]:8278"];
        for host in own {
            assert!(allowed(host, Some(&format!("http://{host}"))), "{host}");
        }
        assert!(allowed("localhost", Some("http://localhost:8278")));
        assert!(
            allowed("127.0.0.1:8278", Some("http://127.0.0.1:8080")),
            "the page in development"
        );
        for origin in [
            "null",
            "",
            "file://",
            "http://evil.example",
            "http://127.0.0.1:8279",
            "http://localhost:8278",
            "http://127.0.0.1",
            "https://127.0.0.1:8278",
            "http://127.0.0.1:8278.evil.example",
            "http://evil.example#@127.0.0.1:8278",
            "http://127.0.0.1:8278@evil.example",
            "http://evil@127.0.0.1:8278",
            "http://127.0.0.1:8278/",
            "HTTP://127.0.0.1:8278",
            "http://0x7f000001:8278",
            "http://[127.0.0.1:8278",
            "http://127.0.0.1:08278",
            "ws://127.0.0.1:8278",
            "http://127.0.0.1:8278, http://evil.example",
        ] {
            assert!(!allowed("127.0.0.1:8278", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn headers_that_say_two_things_are_refused() {
        let host = ("host", "localhost");
        assert!(asked("/", &[host]).is_ok());
        assert!(asked("/", &[host, ("host", "evil.example")]).is_err());
        assert!(asked("/", &[host, host]).is_err());
        let origin = ("origin", "http://localhost:8278");
        assert!(asked("/", &[host, origin]).is_ok());
        assert!(asked("/", &[host, origin, ("origin", "http://evil.example")]).is_err());
        assert!(asked("/", &[]).is_err());
        assert!(asked("http://evil.example/api/v1/info", &[host]).is_err());
        assert!(asked("http://127.0.0.1/api/v1/info", &[host]).is_err());
        assert!(asked("http://localhost:8278/api/v1/info", &[host]).is_ok());
    }

    #[test]
    fn what_another_page_asks_for_is_refused_but_a_link_to_the_page() {
        let from = |site: &str, path: &str, more: &[(&'static str, &str)]| {
            let mut headers = vec![("host", "localhost"), ("sec-fetch-site", site)];
            headers.extend(more);
            asked(path, &headers).is_ok()
        };
        let link = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        for (site, is_own) in [
            ("same-origin", true),
            ("none", true),
            ("same-site", false),
            ("cross-site", false),
            ("", false),
        ] {
            assert_eq!(from(site, "/api/v1/jobs", &[]), is_own, "{site}");
            assert_eq!(from(site, "/api/v1/jobs", &link), is_own, "{site}");
            assert_eq!(from(site, "/actuator/health", &link), is_own, "{site}");
            assert_eq!(from(site, "/godwit.js", &[]), is_own, "{site}");
            assert!(from(site, "/projects/1", &link), "{site}");
        }
        let frame = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
        assert!(!from("cross-site", "/", &frame));
    }
}
