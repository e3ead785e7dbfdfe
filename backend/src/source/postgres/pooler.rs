//! Connection poolers between Godwit and the server: recognised, and left as they were found.
//!
//! Every read here needs a session of its own: its settings, and a point in time that several connections share. A
//! pooler in session mode gives one. In transaction mode each statement may reach another connection of the server, and
//! a setting made there stays for whoever gets it next: that is found out before the first setting, and refused.

use super::client::{PgClient, PgSource, query_error};
use crate::data::row::MalformedRow;
use crate::source::SourceError;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::{CancelToken, Client, SimpleQueryMessage};

/// Which of two connections says next who serves it. A pooler that hands out what was used last gives both the same, one
/// that hands them out in turns gives one of them several: no order of these keeps two of them apart all the time.
const TURNS: [usize; 12] = [0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1];
/// How long a connection may take to be put in order before it is given up as it is.
const RESET_MAX: Duration = Duration::from_secs(2);
/// How long a statement that nobody reads any more may go on before it is cancelled.
const QUIET_MAX: Duration = Duration::from_millis(200);

/// Whether a pooler answers instead of the server: it gives keys of its own to those who want to cancel.
///
/// # Errors
/// When the server does not answer.
pub(super) async fn is_pooled(client: &Client, canceller: &CancelToken) -> Result<bool, SourceError> {
    let key = key_of(canceller).await;
    // Where the key cannot be read nothing is concluded from it.
    let key = key.map_err(|e| SourceError::ConnectionLost { reason: e.to_string() })?;
    Ok(key != server_process(client).await?)
}

/// Refuses a pooler that gives no sessions. `first` and `second` are two connections through it.
///
/// # Errors
/// When it gives none, or does not answer.
pub(super) async fn check_sessions(address: &str, first: &Client, second: &Client) -> Result<(), SourceError> {
    let mut seen = [None, None];
    for which in TURNS {
        let process = server_process([first, second][which]).await?;
        if seen[1 - which] == Some(process) || seen[which].is_some_and(|known| known != process) {
            return Err(SourceError::Pooler {
                address: address.into(),
                reason: "pools connections by transaction: a migration needs sessions".into(),
            });
        }
        seen[which] = Some(process);
    }
    Ok(())
}

/// The process of the server that answers. One simple statement: in transaction mode a prepared one would stay behind.
async fn server_process(client: &Client) -> Result<i32, SourceError> {
    let answer = client.simple_query("SELECT pg_catalog.pg_backend_pid()").await;
    let answer = answer.map_err(query_error)?;
    let row = answer.iter().find_map(|m| match m {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let process = row.and_then(|text| text.parse().ok());
    process.ok_or_else(|| MalformedRow("no number of a process").into())
}

/// Puts a connection in order before it goes back to the pooler's other clients, whatever state it is in.
pub(super) async fn put_in_order(client: Arc<Client>, cancel: impl Future<Output = ()>) {
    let reset = async {
        let rollback = client.batch_execute("ROLLBACK");
        tokio::pin!(rollback);
        let ended = match tokio::time::timeout(QUIET_MAX, &mut rollback).await {
            Ok(ended) => ended,
            Err(_) => {
                cancel.await;
                rollback.await
            }
        };
        ended?;
        client.batch_execute("DISCARD ALL").await
    };
    match tokio::time::timeout(RESET_MAX, reset).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "A pooled connection could not be put in order"),
        Err(_) => tracing::debug!("A pooled connection did not answer any more"),
    }
}

/// The number of the process in the key of a connection. The driver shows it to nobody but the one whom it asks to
/// cancel: that is done here, in memory.
async fn key_of(canceller: &CancelToken) -> io::Result<i32> {
    let (near, mut far) = tokio::io::duplex(64);
    let asks = canceller.cancel_query_raw(near, Plain);
    let reads = async {
        // Either a request for TLS of 8 bytes comes first, or the request of 16 at once.
        let mut head = [0; 8];
        far.read_exact(&mut head).await?;
        if head[..4] == 8u32.to_be_bytes() {
            far.write_all(b"S").await?;
            far.read_exact(&mut head).await?;
        }
        let process = far.read_i32().await?;
        far.read_i32().await?;
        Ok(process)
    };
    let (_, process) = tokio::join!(asks, reads);
    process
}

/// *TLS* of a link in memory.
struct Plain;

struct PlainStream(DuplexStream);

impl TlsConnect<DuplexStream> for Plain {
    type Stream = PlainStream;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<PlainStream>>;

    fn connect(self, stream: DuplexStream) -> Self::Future {
        std::future::ready(Ok(PlainStream(stream)))
    }
}

impl TlsStream for PlainStream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for PlainStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for PlainStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Makes sure that a new connection is a session, and notes on it whether it has to be put in order at its end.
///
/// # Errors
/// When a pooler gives no sessions, or no second connection to find that out.
pub(super) async fn examine(source: &PgSource, pg: &mut PgClient) -> Result<(), SourceError> {
    if !is_pooled(&pg.client, pg.canceller()).await? {
        return Ok(());
    }
    pg.set_pooled(source);
    if source.has_sessions() {
        return Ok(());
    }
    let second = source.open().await?;
    check_sessions(&source.address.host_and_port(), &pg.client, &second.client).await?;
    source.set_has_sessions();
    Ok(())
}
