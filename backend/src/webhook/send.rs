//! One request, and nothing but the status of its answer.

use super::address::{WebhookAddress, is_no_target};
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long one attempt may take, from the name of the host to the status of the answer.
const ATTEMPT_MAX: Duration = Duration::from_secs(10);

/// Why a message did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("no answer within {} seconds", ATTEMPT_MAX.as_secs())]
    Silent,
    #[error("the host cannot be reached: {0}")]
    Unreachable(String),
    #[error("its name leads to {0}, where no message is sent")]
    NoTarget(std::net::IpAddr),
    #[error("the connection cannot be encrypted: {0}")]
    Tls(String),
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("answered with {0}")]
    Refused(StatusCode),
    #[error("the message has {0} bytes")]
    TooLarge(usize),
}

impl SendError {
    /// Whether the same may arrive later.
    pub fn is_passing(&self) -> bool {
        match self {
            SendError::Silent | SendError::Unreachable(_) | SendError::Broken(_) => true,
            SendError::Refused(status) => {
                status.is_server_error()
                    || *status == StatusCode::TOO_MANY_REQUESTS
                    || *status == StatusCode::REQUEST_TIMEOUT
            }
            SendError::NoTarget(_) | SendError::Tls(_) | SendError::TooLarge(_) => false,
        }
    }
}

/// Posts a message. What is not a success is an error, a redirect too.
pub async fn post(address: &WebhookAddress, body: Vec<u8>) -> Result<(), SendError> {
    let sent = tokio::time::timeout(ATTEMPT_MAX, attempt(address, body)).await;
    sent.unwrap_or(Err(SendError::Silent))
}

async fn attempt(address: &WebhookAddress, body: Vec<u8>) -> Result<(), SendError> {
    let stream = connect(address).await?;
    if !address.is_encrypted() {
        return exchange(stream, address, body).await;
    }
    let name = ServerName::try_from(address.host()).map_err(|e| SendError::Tls(e.to_string()))?;
    let connector = TlsConnector::from(Arc::new(tls_config()?));
    let stream = connector.connect(name, stream).await;
    let stream = stream.map_err(|e| match e.kind() {
        std::io::ErrorKind::InvalidData => SendError::Tls(e.to_string()),
        _ => SendError::Broken(e.to_string()),
    })?;
    exchange(stream, address, body).await
}

/// The addresses that the name leads to are looked at, and then connected to: no second look-up can lead elsewhere.
async fn connect(address: &WebhookAddress) -> Result<TcpStream, SendError> {
    let unreachable = |e: std::io::Error| SendError::Unreachable(e.to_string());
    let found = tokio::net::lookup_host((address.host(), address.port())).await;
    let mut last = SendError::Unreachable("its name leads nowhere".into());
    for socket in found.map_err(unreachable)? {
        if is_no_target(socket.ip()) {
            last = SendError::NoTarget(socket.ip());
            continue;
        }
        match TcpStream::connect(socket).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = unreachable(error),
        }
    }
    Err(last)
}

fn tls_config() -> Result<ClientConfig, SendError> {
    let provider = CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| SendError::Tls(e.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

async fn exchange<S>(stream: S, address: &WebhookAddress, body: Vec<u8>) -> Result<(), SendError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |e: hyper::Error| SendError::Broken(e.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let request = Request::post(address.path())
        .header(HOST, address.authority())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("godwit/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::from(body)))
        .map_err(|e| SendError::Broken(e.to_string()))?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(broken)?;
        // The body is not read: the connection goes with its end.
        Ok(answer.status())
    };
    // The connection is driven beside it. When it ends, the answer is there, or an error in its place.
    let driven = async {
        let _ = connection.await;
        std::future::pending::<()>().await;
    };
    let status = tokio::select! {
        biased;
        status = answer => status?,
        () = driven => unreachable!("it drives for ever"),
    };
    match status.is_success() {
        true => Ok(()),
        false => Err(SendError::Refused(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again() {
        for (status, is_passing) in [
            (500, true),
            (503, true),
            (429, true),
            (408, true),
            (404, false),
            (302, false),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(SendError::Refused(status).is_passing(), is_passing, "{status}");
        }
    }
}
