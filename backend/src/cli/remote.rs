//! Requests to a running server, over HTTP or HTTPS. As those of scripts they carry no Origin, and their bodies are JSON.

use super::exit::{Exit, Failure};
use super::secrets;
use crate::config::ServerArgs;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

/// How long one answer may take: a start checks source and destination first.
const ANSWER_MAX: Duration = Duration::from_secs(120);
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// A project file has 12 MiB, a list of jobs more.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// A server.
pub struct Remote {
    base: Url,
    token: Option<HeaderValue>,
    tls: Option<Arc<ClientConfig>>,
}

impl Remote {
    /// The server that the arguments name. Nothing is asked yet.
    ///
    /// # Errors
    /// When its URL or a file is not valid.
    pub fn of(args: &ServerArgs) -> Result<Self, Failure> {
        let wrong = || {
            Failure::usage(format!("--server {}: this is no URL of a server", args.server))
                .with_hint("Write http://host:port or https://host:port.")
        };
        let base: Url = args.server.parse().map_err(|_| wrong())?;
        let is_http = matches!(base.scheme(), "http" | "https");
        if !is_http || base.host_str().is_none() {
            return Err(wrong());
        }
        let token = match secrets::token(args)? {
            None => None,
            Some(token) => {
                let value = HeaderValue::from_str(&format!("Bearer {token}"));
                let mut value =
                    value.map_err(|_| Failure::usage("the token holds characters that no header may have"))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let tls = match base.scheme() {
            "https" => Some(Arc::new(tls_config(args)?)),
            _ => None,
        };
        Ok(Self { base, token, tls })
    }

    /// Asks for a path with its query.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<(StatusCode, Bytes), Failure> {
        let asked = tokio::time::timeout(ANSWER_MAX, self.exchange(method, path, body)).await;
        asked.unwrap_or_else(|_| Err(self.silent(format!("no answer within {} seconds", ANSWER_MAX.as_secs()))))
    }

    fn silent(&self, reason: String) -> Failure {
        let server = format!("{}://{}", self.base.scheme(), self.base.authority());
        Failure::new(
            Exit::Unreachable,
            "server_unreachable",
            format!("the server {server} cannot be asked: {reason}"),
        )
        .with_hint("Is it running? Name another one with --server, or in GODWIT_SERVER.")
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let host = self.base.host_str().unwrap_or_default();
        let port = self.base.port_or_known_default().unwrap_or(80);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let connected = tokio::time::timeout(CONNECT_MAX, TcpStream::connect((bare, port))).await;
        let stream = connected.map_err(|_| self.silent("it does not answer".into()))?;
        let stream = stream.map_err(|e| self.silent(e.to_string()))?;
        let prefix = self.base.path().trim_end_matches('/');
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{prefix}{path}"))
            .header(
                HOST,
                self.base[url::Position::BeforeHost..url::Position::AfterPort].to_owned(),
            )
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("godwit/", env!("CARGO_PKG_VERSION")));
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default())));
        let request = request.map_err(|e| Failure::usage(e.to_string()))?;
        match &self.tls {
            None => self.send(stream, request).await,
            Some(config) => {
                let name = ServerName::try_from(bare.to_owned()).map_err(|e| self.silent(e.to_string()))?;
                let encrypted = TlsConnector::from(config.clone()).connect(name, stream).await;
                self.send(encrypted.map_err(|e| self.silent(e.to_string()))?, request)
                    .await
            }
        }
    }

    async fn send<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let broken = |e: hyper::Error| self.silent(format!("the connection broke: {e}"));
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let driver = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(broken)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        driver.abort();
        let body = body.map_err(|e| self.silent(format!("the answer broke off: {e}")))?;
        Ok((status, body.to_bytes()))
    }
}

fn tls_config(args: &ServerArgs) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(file) = &args.server_ca_file {
        let text = secrets::text_of(file)?;
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            let added = certificate
                .map_err(|e| e.to_string())
                .and_then(|c| roots.add(c).map_err(|e| e.to_string()));
            added.map_err(|e| Failure::usage(format!("{}: {e}", file.display())))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| Failure::new(Exit::Failed, "tls", e.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(server: &str, token: Option<&str>) -> Result<Remote, Failure> {
        Remote::of(&ServerArgs {
            server: server.into(),
            token: token.map(Into::into),
            ..ServerArgs::default()
        })
    }

    #[test]
    fn only_urls_of_servers_are_taken() {
        for server in [
            "http://127.0.0.1:8278",
            "http://[::1]:8278",
            "https://godwit.example/migrations/",
        ] {
            assert!(remote(server, Some("abc")).is_ok(), "{server}");
        }
        for server in ["", "127.0.0.1:8278", "ftp://host", "http://", "mongodb://host"] {
            assert_eq!(
                remote(server, None).err().map(|f| f.exit),
                Some(Exit::Usage),
                "{server}"
            );
        }
        assert!(remote("http://host", Some("a\nb")).is_err());
    }
}
