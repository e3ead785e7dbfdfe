//! Whether a PostgreSQL listens at an address, found out without signing on: it takes none of its connections.

use super::PgSource;
use crate::data::words::plain_cause;
use crate::source::SourceError;
use godwit_shared::connection::SourceKind;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// Asks for TLS, to which every server answers with one byte.
/// <https://www.postgresql.org/docs/15/protocol-message-formats.html>
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

impl PgSource {
    /// Whether a PostgreSQL, or a pooler before one, answers at the address.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] when nothing does in time, [`SourceError::OtherServer`] when something else does.
    pub async fn answers(&self, patience: Duration) -> Result<(), SourceError> {
        let unreachable = |reason: String| SourceError::Unreachable {
            address: self.address.host_and_port(),
            reason,
        };
        let asking = async {
            if self.address.is_socket() {
                let path = format!("{}/.s.PGSQL.{}", self.address.host, self.address.port);
                return ask(UnixStream::connect(path).await?).await;
            }
            ask(TcpStream::connect((self.address.host.as_str(), self.address.port)).await?).await
        };
        match tokio::time::timeout(patience, asking).await {
            // `S` and `N`; `E` begins an error of a server that takes nobody just now.
            Ok(Ok(Some(b'S' | b'N' | b'E'))) => Ok(()),
            Ok(Ok(Some(_))) => Err(SourceError::OtherServer {
                address: self.address.host_and_port(),
                expected: SourceKind::Postgresql,
            }),
            Ok(Ok(None)) => Err(unreachable("it closes connections without an answer".into())),
            Ok(Err(error)) => Err(unreachable(plain_cause(&error.to_string()))),
            Err(_) => Err(unreachable(format!(
                "nothing that speaks PostgreSQL has answered within {} seconds",
                patience.as_secs()
            ))),
        }
    }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<Option<u8>> {
    stream.write_all(&SSL_REQUEST).await?;
    let mut answer = [0];
    Ok((stream.read(&mut answer).await? > 0).then_some(answer[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::postgres::url::PgAddress;
    use godwit_shared::connection::JdbcConnectionDetails;
    use tokio::net::TcpListener;

    /// What is found where somebody answers with these bytes.
    async fn found(answer: &'static [u8]) -> Result<(), SourceError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = [0; 8];
            stream.read_exact(&mut request).await.expect("a request");
            stream.write_all(answer).await.expect("an answer");
        });
        let details = JdbcConnectionDetails {
            url: format!("postgresql://u@127.0.0.1:{port}/db"),
            ..JdbcConnectionDetails::default()
        };
        let source = PgSource::new(PgAddress::parse(&details).expect("an address"));
        let found = source.answers(Duration::from_secs(10)).await;
        server.await.expect("a server that ends");
        found
    }

    #[tokio::test]
    async fn what_answers_is_known_by_its_first_byte() {
        assert!(found(b"N").await.is_ok());
        assert!(found(b"S").await.is_ok());
        assert!(matches!(
            found(b"HTTP/1.1 400 Bad Request").await,
            Err(SourceError::OtherServer { .. })
        ));
        assert!(matches!(found(b"").await, Err(SourceError::Unreachable { .. })));
    }
}
