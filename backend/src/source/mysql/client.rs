//! Connections: TLS, sign-on, session settings, and errors in words.

use super::flavor::Server;
use super::link::Link;
use super::url::{MySqlAddress, ROOT_CERT, RootCert, SslMode};
use crate::certificates;
use crate::data::words::plain_cause;
use crate::source::SourceError;
use godwit_shared::connection::SourceKind;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error, OptsBuilder, SslOpts};
use std::error::Error as _;
use std::time::Duration;

/// The largest packet of the protocol: the server's own limit is for what it is sent.
const PACKET_BYTES_MAX: usize = 1 << 30;
/// A server that does not know the name of a setting.
const UNKNOWN_SETTING: u16 = 1193;

/// A source as a place to connect to.
#[derive(Debug, Clone)]
pub struct MySqlSource {
    /// As the connection names it; a server of the other of the two is read all the same.
    pub kind: SourceKind,
    pub address: MySqlAddress,
    /// Set where somebody waits for an answer: no query takes longer. A job has all the time that it needs.
    pub patience: Option<Duration>,
}

impl MySqlSource {
    /// Opens a connection with the session settings that every read needs.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or is too old; the variants tell why.
    pub async fn connect(&self) -> Result<Link, SourceError> {
        let opening = async {
            let (mut conn, server) = self.open().await?;
            if let Some(reason) = server.too_old() {
                return Err(SourceError::Query { reason });
            }
            for sql in server.session() {
                conn.query_drop(sql).await.map_err(query_error)?;
            }
            let limit = server.time_limit(self.patience);
            for sql in server.optional_settings().iter().copied().chain([limit.as_str()]) {
                match conn.query_drop(sql).await {
                    Err(Error::Server(error)) if error.code == UNKNOWN_SETTING => {}
                    other => other.map_err(query_error)?,
                }
            }
            Ok(Link::start(self.clone(), conn, server))
        };
        self.in_time(opening).await
    }

    /// Waits no longer than the address says.
    pub(super) async fn in_time<T>(
        &self,
        opening: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let limit = Duration::from_secs(self.address.connect_timeout_seconds.max(1));
        let opened = tokio::time::timeout(limit, opening).await;
        opened.unwrap_or_else(|_| {
            Err(SourceError::Unreachable {
                address: self.address.host_and_port(),
                reason: format!("no answer within {} seconds", limit.as_secs()),
            })
        })
    }

    /// A connection as it comes, without any setting.
    pub(super) async fn open(&self) -> Result<(Conn, Server), SourceError> {
        let tls = self.tls().await?;
        let first = self.dial(tls.clone()).await;
        let conn = match (first, self.address.ssl_mode) {
            (Ok(conn), _) => conn,
            // It has no TLS, or none that we speak.
            (Err(error), SslMode::Preferred) if is_tls(&error) => {
                self.dial(None).await.map_err(|e| self.connect_error(&e))?
            }
            (Err(error), SslMode::VerifyCa) => {
                // The chain was good, the name another: whoever the certificate names is who is meant.
                let (Some(name), Some(tls)) = (presented_name(&error), tls) else {
                    return Err(self.connect_error(&error));
                };
                let tls = tls.with_danger_tls_hostname_override(Some(name));
                self.dial(Some(tls)).await.map_err(|e| self.connect_error(&e))?
            }
            (Err(error), _) => return Err(self.connect_error(&error)),
        };
        self.greeted(conn).await
    }

    async fn greeted(&self, mut conn: Conn) -> Result<(Conn, Server), SourceError> {
        let about: Option<(String, String)> = conn
            .query_first("SELECT VERSION(), @@version_comment")
            .await
            .map_err(query_error)?;
        let cipher: Option<(String, String)> = conn
            .query_first("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
            .await
            .map_err(query_error)?;
        let (version, comment) = about.unwrap_or_default();
        let mut server = Server::parse(&version, &comment);
        server.is_encrypted = cipher.is_some_and(|(_, name)| !name.is_empty());
        server.connection = u64::from(conn.id());
        // The number in the greeting has 32 bits.
        let number: Option<u64> = conn.query_first("SELECT CONNECTION_ID()").await.map_err(query_error)?;
        server.connection = number.unwrap_or(server.connection);
        Ok((conn, server))
    }

    async fn dial(&self, tls: Option<SslOpts>) -> Result<Conn, Error> {
        let a = &self.address;
        let options = OptsBuilder::default()
            .ip_or_hostname(a.host.clone())
            .tcp_port(a.port)
            .user(Some(a.user.clone()))
            .pass(a.password.clone())
            .db_name(Some(a.database.clone()).filter(|d| !d.is_empty()))
            .prefer_socket(false)
            .tcp_nodelay(true)
            // A link that is cut without a word is noticed.
            .tcp_keepalive(Some(Duration::from_secs(10)))
            .stmt_cache_size(0)
            .max_allowed_packet(Some(PACKET_BYTES_MAX))
            .ssl_opts(tls);
        Conn::new(options).await
    }

    async fn tls(&self) -> Result<Option<SslOpts>, SourceError> {
        let pem = match &self.address.ssl_root_cert {
            None => None,
            Some(RootCert::Content(pem)) => Some(pem.as_bytes().to_vec()),
            Some(RootCert::File(name)) => Some(certificates::read(ROOT_CERT, name).await?),
        };
        let options = match self.address.ssl_mode {
            SslMode::Disabled => return Ok(None),
            // The link is encrypted, whoever answers.
            SslMode::Preferred | SslMode::Required => SslOpts::default().with_danger_accept_invalid_certs(true),
            SslMode::VerifyCa | SslMode::VerifyIdentity => SslOpts::default(),
        };
        Ok(Some(match pem {
            None => options,
            Some(pem) => {
                certificates::certificates(ROOT_CERT, &pem)?;
                let roots = vec![pem.into()];
                options.with_disable_built_in_roots(true).with_root_certs(roots)
            }
        }))
    }

    fn connect_error(&self, error: &Error) -> SourceError {
        let address = self.address.host_and_port();
        let user = self.address.user.clone();
        let reason = causes(error);
        match error {
            Error::Server(server) => match server.code {
                // https://dev.mysql.com/doc/mysql-errors/5.7/en/server-error-reference.html
                1045 => SourceError::WrongPassword { address, user },
                1044 | 1130 | 1131 | 1698 | 1820 | 1862 | 3118 | 4151 => {
                    SourceError::NotLetIn { address, user, reason }
                }
                1040 | 1203 | 1226 => SourceError::TooManyConnections { address, reason },
                1049 => SourceError::NoSuchDatabase {
                    address,
                    database: self.address.database.clone(),
                },
                _ => SourceError::Unreachable { address, reason },
            },
            Error::Driver(DriverError::NoClientSslFlagFromServer) => SourceError::TlsRefused { address },
            Error::Driver(
                DriverError::UnexpectedPacket { .. }
                | DriverError::CantParseServerVersion { .. }
                | DriverError::PacketOutOfOrder
                | DriverError::PacketTooLarge,
            ) => SourceError::OtherServer {
                address,
                expected: self.kind,
            },
            _ if rustls_error(error).is_some() => SourceError::CertificateRejected { address, reason },
            _ => SourceError::Unreachable { address, reason },
        }
    }
}

/// Whether TLS is what failed.
fn is_tls(error: &Error) -> bool {
    matches!(error, Error::Driver(DriverError::NoClientSslFlagFromServer)) || rustls_error(error).is_some()
}

/// What went wrong in the handshake of TLS.
fn rustls_error(error: &Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(here) = cause {
        if let Some(found) = here.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        // What an error of input and output wraps is not its source.
        if let Some(found) = (here.downcast_ref::<std::io::Error>())
            .and_then(std::io::Error::get_ref)
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            return Some(found);
        }
        cause = here.source();
    }
    None
}

/// A name that the certificate is good for, where that is all that was wrong with it.
fn presented_name(error: &Error) -> Option<String> {
    let Some(rustls::Error::InvalidCertificate(rustls::CertificateError::NotValidForNameContext { presented, .. })) =
        rustls_error(error)
    else {
        return None;
    };
    // Each is written as `DnsName("db.example")` or `IpAddress(10.0.0.1)`.
    let name = presented.first()?;
    let inner = name.split_once('(')?.1.trim_end_matches(')').trim_matches('"');
    Some(inner.replace('*', "any"))
}

/// The texts of an error and of what caused it.
fn causes(error: &Error) -> String {
    if let Error::Server(server) = error {
        return server.message.clone();
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    plain_cause(&text)
}

/// An error of a query on an open connection.
pub(super) fn query_error(error: Error) -> SourceError {
    let reason = causes(&error);
    match &error {
        Error::Server(server) => match server.code {
            // Interrupted, and the limits of time of both.
            1317 | 1969 | 3024 => SourceError::Cancelled,
            1205 | 1206 | 1213 => SourceError::LockedOut { reason },
            1044 | 1045 | 1142 | 1143 | 1227 | 1345 | 1370 => SourceError::NoRight { reason },
            1040 | 1053 | 1077 | 1079 | 1152 | 1158..=1161 | 1184 | 1927 | 2006 | 2013 | 3169 => {
                SourceError::ConnectionLost { reason }
            }
            _ => SourceError::Query { reason },
        },
        _ => SourceError::ConnectionLost { reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_server_are_told_apart() {
        let of = |code: u16| {
            query_error(Error::Server(mysql_async::ServerError {
                code,
                message: "m".into(),
                state: "HY000".into(),
            }))
        };
        assert!(matches!(of(1317), SourceError::Cancelled));
        assert!(matches!(of(1142), SourceError::NoRight { .. }));
        assert!(matches!(of(1205), SourceError::LockedOut { .. }));
        assert!(matches!(of(1146), SourceError::Query { .. }));
        assert!(of(1053).is_outage());
    }
}
