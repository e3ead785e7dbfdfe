//! A connection in replication mode. The driver of the other connections does not speak it: it has no messages that go
//! both ways at once. <https://www.postgresql.org/docs/15/protocol-replication.html>

use super::Lsn;
use crate::data::row::MalformedRow;
use crate::source::SourceError;
use crate::source::postgres::client::{PgSource, REPLICATION_SESSION, server_error};
use crate::source::postgres::url::SslMode;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{ErrorFields, Message};
use postgres_protocol::message::frontend;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};

/// The tag of the answer that opens the stream; the protocol library does not know it.
const COPY_BOTH_RESPONSE: u8 = b'W';
const COPY_DATA: u8 = b'd';
/// Seconds from 1970 to 2000, the beginning of the server's times.
pub(super) const EPOCH_2000_SECONDS: i64 = 946_684_800;
/// The longest message that is taken: above the server's own limit for one value.
const MESSAGE_BYTES_MAX: usize = (1 << 30) + (1 << 20);

trait Link: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Link for T {}

/// See the module.
pub struct WalConnection {
    link: Box<dyn Link>,
    incoming: BytesMut,
    address: String,
}

/// What arrives in the stream.
#[derive(Debug)]
pub enum WalMessage {
    /// One message of the output plugin.
    Data(Bytes),
    /// The server has sent everything up to here.
    KeepAlive { end: Lsn, wants_reply: bool },
}

impl WalConnection {
    /// Connects, signs on, and fixes how values are printed: what the log prints, reads have to understand.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn open(source: &PgSource, encoding: &str) -> Result<Self, SourceError> {
        let limit = Duration::from_secs(source.address.connect_timeout_seconds.max(1));
        let address = source.address.host_and_port();
        match tokio::time::timeout(limit, Self::sign_on(source, encoding)).await {
            Ok(opened) => opened,
            Err(_) => Err(SourceError::Unreachable {
                address,
                reason: format!("no answer within {} seconds", limit.as_secs()),
            }),
        }
    }

    async fn sign_on(source: &PgSource, encoding: &str) -> Result<Self, SourceError> {
        let a = &source.address;
        let unreachable = |e: std::io::Error| SourceError::Unreachable {
            address: a.host_and_port(),
            reason: e.to_string(),
        };
        let link = if a.is_socket() {
            by_socket(&a.host, a.port).await.map_err(unreachable)?
        } else {
            let tcp = TcpStream::connect((a.host.as_str(), a.port))
                .await
                .map_err(unreachable)?;
            tcp.set_nodelay(true).map_err(unreachable)?;
            encrypted(source, tcp).await?
        };
        let mut connection = WalConnection {
            link,
            incoming: BytesMut::with_capacity(1 << 16),
            address: a.host_and_port(),
        };
        let database = if a.database.is_empty() { &a.user } else { &a.database };
        let parameters = [
            ("user", a.user.as_str()),
            ("database", database),
            ("replication", "database"),
            ("application_name", "godwit"),
            ("client_encoding", encoding),
        ];
        let parameters = parameters.into_iter().chain(REPLICATION_SESSION);
        connection
            .send(|out| frontend::startup_message(parameters, out))
            .await?;
        connection.authenticate(source).await?;
        connection.until_ready(Some(source)).await?;
        Ok(connection)
    }

    async fn authenticate(&mut self, source: &PgSource) -> Result<(), SourceError> {
        let a = &source.address;
        let wrong_password = || SourceError::WrongPassword {
            address: a.host_and_port(),
            user: a.user.clone(),
        };
        let password = a.password.clone();
        let mut scram = None;
        loop {
            match self.message().await? {
                Message::AuthenticationOk => return Ok(()),
                Message::AuthenticationCleartextPassword => {
                    let password = password.clone().ok_or_else(wrong_password)?;
                    self.send(|out| frontend::password_message(password.as_bytes(), out))
                        .await?;
                }
                Message::AuthenticationMd5Password(body) => {
                    let password = password.clone().ok_or_else(wrong_password)?;
                    let hash = md5_hash(a.user.as_bytes(), password.as_bytes(), body.salt());
                    self.send(|out| frontend::password_message(hash.as_bytes(), out))
                        .await?;
                }
                Message::AuthenticationSasl(body) => {
                    let offers = body.mechanisms().any(|m| Ok(m == SCRAM_SHA_256));
                    if !offers.map_err(|e| self.lost(&e))? {
                        return Err(self.refused("it offers no way to sign on that is known here"));
                    }
                    let password = password.clone().ok_or_else(wrong_password)?;
                    let exchange = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
                    self.send(|out| frontend::sasl_initial_response(SCRAM_SHA_256, exchange.message(), out))
                        .await?;
                    scram = Some(exchange);
                }
                Message::AuthenticationSaslContinue(body) => {
                    let exchange = scram.as_mut().ok_or_else(|| self.refused("it signs on out of turn"))?;
                    exchange.update(body.data()).map_err(|_| wrong_password())?;
                    let answer = exchange.message().to_vec();
                    self.send(|out| frontend::sasl_response(&answer, out)).await?;
                }
                Message::AuthenticationSaslFinal(body) => {
                    let exchange = scram.as_mut().ok_or_else(|| self.refused("it signs on out of turn"))?;
                    exchange.finish(body.data()).map_err(|_| wrong_password())?;
                }
                Message::ErrorResponse(body) => return Err(self.error(body.fields(), Some(source))),
                _ => return Err(self.refused("it asks for a way to sign on that is not known here")),
            }
        }
    }

    async fn until_ready(&mut self, signing_on: Option<&PgSource>) -> Result<(), SourceError> {
        loop {
            match self.message().await? {
                Message::ReadyForQuery(_) => return Ok(()),
                Message::ErrorResponse(body) => return Err(self.error(body.fields(), signing_on)),
                _ => {}
            }
        }
    }

    /// Runs one command and returns its rows as text.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn command(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, SourceError> {
        self.send(|out| frontend::query(sql, out)).await?;
        let (mut rows, mut failed) = (Vec::new(), None);
        loop {
            match self.message().await? {
                Message::DataRow(body) => {
                    let ranges: Vec<_> = body.ranges().collect().map_err(|e| self.lost(&e))?;
                    let text =
                        |range: std::ops::Range<usize>| String::from_utf8_lossy(&body.buffer()[range]).into_owned();
                    rows.push(ranges.into_iter().map(|r| r.map(text)).collect());
                }
                Message::ErrorResponse(body) => failed = Some(self.error(body.fields(), None)),
                Message::ReadyForQuery(_) => return failed.map_or(Ok(rows), Err),
                _ => {}
            }
        }
    }

    /// Opens the stream.
    ///
    /// # Errors
    /// When the server refuses it: the slot is gone or in use.
    pub async fn start(&mut self, sql: &str) -> Result<(), SourceError> {
        self.send(|out| frontend::query(sql, out)).await?;
        loop {
            let (tag, body) = self.frame().await?;
            if tag == COPY_BOTH_RESPONSE {
                return Ok(());
            }
            if let Some(Message::ErrorResponse(body)) = self.parse(tag, &body)? {
                return Err(self.stream_error(body.fields()));
            }
        }
    }

    /// The next message of the stream. May be dropped and called again without loss.
    ///
    /// # Errors
    /// When the connection ends.
    pub async fn next(&mut self) -> Result<WalMessage, SourceError> {
        loop {
            if let Some(message) = self.buffered()? {
                return Ok(message);
            }
            self.fill().await?;
        }
    }

    /// The next message of those that have arrived already.
    ///
    /// # Errors
    /// When the server ended the stream.
    pub fn buffered(&mut self) -> Result<Option<WalMessage>, SourceError> {
        while let Some((tag, mut body)) = self.take_frame()? {
            if tag != COPY_DATA {
                if let Some(Message::ErrorResponse(body)) = self.parse(tag, &body)? {
                    return Err(self.stream_error(body.fields()));
                }
                // The server ends the stream when it shuts down.
                if tag == b'c' || tag == b'C' {
                    return Err(self.lost(&"the server ended the stream"));
                }
                continue;
            }
            match body.first() {
                Some(b'w') if body.len() >= 25 => {
                    body.advance(25);
                    return Ok(Some(WalMessage::Data(body)));
                }
                Some(b'k') if body.len() >= 18 => {
                    body.advance(1);
                    let end = Lsn(body.get_u64());
                    body.advance(8);
                    return Ok(Some(WalMessage::KeepAlive {
                        end,
                        wants_reply: body.get_u8() == 1,
                    }));
                }
                _ => return Err(MalformedRow("a message of the log that is not known").into()),
            }
        }
        Ok(None)
    }

    /// Tells the server up to where changes are durable: it may discard its log up to there.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn send_status(&mut self, durable: Lsn, wants_reply: bool) -> Result<(), SourceError> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = since_1970.as_micros() as i64 - EPOCH_2000_SECONDS * 1_000_000;
        let mut body = BytesMut::with_capacity(34);
        body.put_u8(b'r');
        for _ in ["written", "flushed", "applied"] {
            body.put_u64(durable.0);
        }
        body.put_i64(now);
        body.put_u8(u8::from(wants_reply));
        self.send(|out| {
            frontend::CopyData::new(body.freeze())?.write(out);
            Ok(())
        })
        .await
    }

    async fn send(&mut self, write: impl FnOnce(&mut BytesMut) -> std::io::Result<()>) -> Result<(), SourceError> {
        let mut out = BytesMut::new();
        write(&mut out).map_err(|e| self.lost(&e))?;
        self.link.write_all(&out).await.map_err(|e| self.lost(&e))?;
        self.link.flush().await.map_err(|e| self.lost(&e))
    }

    async fn message(&mut self) -> Result<Message, SourceError> {
        loop {
            let (tag, body) = self.frame().await?;
            if let Some(message) = self.parse(tag, &body)? {
                return Ok(message);
            }
        }
    }

    /// Reads a message by the protocol library; `None` for those that it does not know.
    fn parse(&self, tag: u8, body: &Bytes) -> Result<Option<Message>, SourceError> {
        if tag == COPY_BOTH_RESPONSE {
            return Ok(None);
        }
        let mut whole = BytesMut::with_capacity(body.len() + 5);
        whole.put_u8(tag);
        whole.put_u32(body.len() as u32 + 4);
        whole.extend_from_slice(body);
        Message::parse(&mut whole).map_err(|e| self.lost(&e))
    }

    async fn frame(&mut self) -> Result<(u8, Bytes), SourceError> {
        loop {
            if let Some(frame) = self.take_frame()? {
                return Ok(frame);
            }
            self.fill().await?;
        }
    }

    fn take_frame(&mut self) -> Result<Option<(u8, Bytes)>, SourceError> {
        let Some(head) = self.incoming.get(..5) else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if !(4..=MESSAGE_BYTES_MAX).contains(&length) {
            return Err(MalformedRow("a message with an impossible length").into());
        }
        if self.incoming.len() < length + 1 {
            self.incoming.reserve(length + 1 - self.incoming.len());
            return Ok(None);
        }
        let tag = head[0];
        self.incoming.advance(5);
        Ok(Some((tag, self.incoming.split_to(length - 4).freeze())))
    }

    async fn fill(&mut self) -> Result<(), SourceError> {
        if self.incoming.capacity() - self.incoming.len() < 1 << 14 {
            self.incoming.reserve(1 << 16);
        }
        match self.link.read_buf(&mut self.incoming).await {
            Ok(0) => Err(self.lost(&"the server closed it")),
            Ok(_) => Ok(()),
            Err(error) => Err(self.lost(&error)),
        }
    }

    fn lost(&self, reason: &dyn std::fmt::Display) -> SourceError {
        SourceError::ConnectionLost {
            reason: format!("{}: {reason}", self.address),
        }
    }

    fn refused(&self, reason: &str) -> SourceError {
        SourceError::Unreachable {
            address: self.address.clone(),
            reason: reason.into(),
        }
    }

    fn error(&self, fields: ErrorFields<'_>, signing_on: Option<&PgSource>) -> SourceError {
        let (code, message) = code_and_message(fields);
        match signing_on {
            Some(source) if code.starts_with("28P") => SourceError::WrongPassword {
                address: self.address.clone(),
                user: source.address.user.clone(),
            },
            Some(source) if code == "28000" => SourceError::NotLetIn {
                address: self.address.clone(),
                user: source.address.user.clone(),
                reason: message,
            },
            // The server itself knows all of our parameters.
            Some(_) if code == "08P01" => SourceError::Pooler {
                address: self.address.clone(),
                reason: format!("does not pass on connections for the change log ({message})"),
            },
            _ if code == "53300" => SourceError::TooManyConnections {
                address: self.address.clone(),
                reason: message,
            },
            _ => server_error(&code, message),
        }
    }

    /// An error of the stream. A slot or publication that is not there, or not as it was, stays so: the log is read with
    /// the catalog of its time.
    fn stream_error(&self, fields: ErrorFields<'_>) -> SourceError {
        let (code, reason) = code_and_message(fields);
        match code.as_str() {
            "42704" | "55000" => SourceError::LogUnusable { reason },
            _ => server_error(&code, reason),
        }
    }
}

fn code_and_message(mut fields: ErrorFields<'_>) -> (String, String) {
    let (mut code, mut message) = (String::new(), String::new());
    while let Ok(Some(field)) = fields.next() {
        let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => code = value(),
            b'M' => message = value(),
            _ => {}
        }
    }
    (code, message)
}

/// The socket of a server of this machine, in its folder.
#[cfg(unix)]
async fn by_socket(folder: &str, port: u16) -> std::io::Result<Box<dyn Link>> {
    let path = std::path::Path::new(folder).join(format!(".s.PGSQL.{port}"));
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn by_socket(_: &str, _: u16) -> std::io::Result<Box<dyn Link>> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// The link as the SSL mode wants it.
async fn encrypted(source: &PgSource, mut tcp: TcpStream) -> Result<Box<dyn Link>, SourceError> {
    let a = &source.address;
    if a.ssl_mode == SslMode::Disable {
        return Ok(Box::new(tcp));
    }
    let unreachable = |e: std::io::Error| SourceError::Unreachable {
        address: a.host_and_port(),
        reason: e.to_string(),
    };
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    tcp.write_all(&request).await.map_err(unreachable)?;
    let answer = tcp.read_u8().await.map_err(unreachable)?;
    if answer != b'S' {
        return match a.ssl_mode {
            SslMode::Prefer => Ok(Box::new(tcp)),
            SslMode::Disable | SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                Err(SourceError::TlsRefused {
                    address: a.host_and_port(),
                })
            }
        };
    }
    let mut tls = tokio_postgres_rustls::MakeRustlsConnect::new(source.tls_config().await?);
    let connector = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls, &a.host).map_err(|e| {
        SourceError::CertificateRejected {
            address: a.host_and_port(),
            reason: e.to_string(),
        }
    })?;
    let link = connector
        .connect(tcp)
        .await
        .map_err(|e| SourceError::CertificateRejected {
            address: a.host_and_port(),
            reason: e.to_string(),
        })?;
    Ok(Box::new(link))
}
