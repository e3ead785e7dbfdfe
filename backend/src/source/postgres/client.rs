//! Connections: TLS, sign-on, session settings, and errors in words.

use super::pooler;
use super::url::{PgAddress, ROOT_CERT, RootCert, SslMode};
use crate::certificates::{self, certificates};
use crate::data::words::plain_cause;
use crate::source::SourceError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_postgres::error::SqlState;

/// A source as a place to connect to.
#[derive(Debug, Clone)]
pub struct PgSource {
    pub address: PgAddress,
    /// Set where somebody waits for an answer: no statement takes longer, and those of a connection that is dropped are
    /// ended in the server too. A job has all the time that it needs.
    pub patience: Option<Duration>,
    /// A pooler there has been found to give sessions.
    has_sessions: Arc<AtomicBool>,
}

/// What every session starts with, so that no setting of server, database or user changes what is read or compared.
/// `row_security = off` turns rows that would be hidden into an error. A database in SQL_ASCII holds any bytes: asked for
/// UTF-8, it would refuse to send a row instead of leaving one bad value to the issues.
///
/// Our own queries name every operator and type with its schema; the search path is for what the user writes in table
/// filters, and the same for all roles: the server's own names first, then `public` and where extensions are installed.
/// Limits of time that only some versions have are set where they are known.
const SESSION: &str = "SET search_path = pg_catalog, pg_temp; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; \
    SET IntervalStyle = 'iso_8601'; SET bytea_output = 'hex'; SET extra_float_digits = 3; SET xmloption = 'content'; \
    SET xmlbinary = 'base64'; SET array_nulls = on; SET lc_monetary = 'C'; SET lc_numeric = 'C'; SET lc_time = 'C'; \
    SET quote_all_identifiers = off; SET transform_null_equals = off; SET gin_fuzzy_search_limit = 0; \
    SET timezone_abbreviations = 'Default'; SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET row_security = off; \
    SET statement_timeout = 0; SET lock_timeout = 3000; SET idle_in_transaction_session_timeout = 0; \
    SET default_transaction_read_only = on; \
    SELECT set_config('client_encoding', 'SQL_ASCII', false) WHERE current_setting('server_encoding') = 'SQL_ASCII'; \
    SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout'); \
    SELECT set_config('search_path', concat_ws(', ', 'pg_catalog', string_agg(quote_ident(n.nspname), ', ' \
        ORDER BY n.nspname <> 'public', n.nspname), 'pg_temp'), false) FROM pg_namespace n \
    WHERE n.nspname <> 'pg_catalog' AND (n.nspname = 'public' OR n.oid IN (SELECT extnamespace FROM pg_extension))";

/// The same for a replication connection, which takes them when it starts.
pub(super) const REPLICATION_SESSION: [(&str, &str); 12] = [
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "iso_8601"),
    ("TimeZone", "UTC"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "3"),
    ("xmlbinary", "base64"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("quote_all_identifiers", "off"),
    ("statement_timeout", "0"),
    // What is printed by name (a regclass) carries its schema.
    ("search_path", "pg_catalog"),
];

/// One open connection. Dropping it closes it.
pub struct PgClient {
    pub client: Arc<tokio_postgres::Client>,
    driver: tokio::task::JoinHandle<()>,
    canceller: tokio_postgres::CancelToken,
    tls: Option<tokio_postgres_rustls::MakeRustlsConnect>,
    /// Whether the link is encrypted.
    pub is_encrypted: bool,
    /// What the server is doing for it ends with it.
    cancels_on_drop: bool,
    /// The place, where a pooler answers: others get the connection afterwards.
    pooled: Option<PgSource>,
}

impl Drop for PgClient {
    fn drop(&mut self) {
        let runtime = tokio::runtime::Handle::try_current();
        let (true, Ok(runtime)) = (self.pooled.is_some() || self.cancels_on_drop, runtime) else {
            self.driver.abort();
            return;
        };
        let cancel = cancelled(self.canceller.clone(), self.tls.clone());
        if self.pooled.is_none() {
            self.driver.abort();
            // A server that computes does not notice that nobody listens any more.
            runtime.spawn(cancel);
            return;
        }
        let (client, driver) = (self.client.clone(), self.driver.abort_handle());
        runtime.spawn(async move {
            pooler::put_in_order(client, cancel).await;
            // Without a client the driver says goodbye and ends; one that cannot is ended.
            tokio::time::sleep(Duration::from_secs(1)).await;
            driver.abort();
        });
    }
}

/// Asks the server to end what a connection is doing. Ends within a second, whatever the server does.
async fn cancelled(canceller: tokio_postgres::CancelToken, tls: Option<tokio_postgres_rustls::MakeRustlsConnect>) {
    let cancel = async {
        match tls {
            Some(tls) => canceller.cancel_query(tls).await,
            None => canceller.cancel_query(tokio_postgres::NoTls).await,
        }
    };
    if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(1), cancel).await {
        tracing::debug!(%error, "Query could not be cancelled");
    }
}

impl PgClient {
    pub(super) fn canceller(&self) -> &tokio_postgres::CancelToken {
        &self.canceller
    }

    pub(super) fn set_pooled(&mut self, source: &PgSource) {
        self.pooled = Some(source.clone());
    }

    /// The place, where a pooler answers instead of the server.
    pub fn pooled(&self) -> Option<&PgSource> {
        self.pooled.as_ref()
    }

    /// Asks the server to end what this connection is doing. Ends within a second, whatever the server does.
    pub async fn cancel_query(&self) {
        cancelled(self.canceller.clone(), self.tls.clone()).await;
    }
}

impl PgSource {
    pub fn new(address: PgAddress) -> Self {
        Self {
            address,
            patience: None,
            has_sessions: Arc::default(),
        }
    }

    /// A source that somebody waits for.
    pub fn with_patience(address: PgAddress, patience: Duration) -> Self {
        Self {
            address,
            patience: Some(patience),
            has_sessions: Arc::default(),
        }
    }

    pub(super) fn has_sessions(&self) -> bool {
        self.has_sessions.load(Ordering::Relaxed)
    }

    pub(super) fn set_has_sessions(&self) {
        self.has_sessions.store(true, Ordering::Relaxed);
    }

    /// Opens a connection with the session settings that every read needs.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses; the variants tell why.
    pub async fn connect(&self) -> Result<PgClient, SourceError> {
        let limit = Duration::from_secs(self.address.connect_timeout_seconds.max(1));
        let is_signed_on = AtomicBool::new(false);
        let opening = async {
            let mut pg = self.open().await?;
            is_signed_on.store(true, Ordering::Relaxed);
            pooler::examine(self, &mut pg).await?;
            pg.client.batch_execute(SESSION).await.map_err(query_error)?;
            if let Some(patience) = self.patience {
                let limit = format!("SET statement_timeout = {}", patience.as_millis());
                pg.client.batch_execute(&limit).await.map_err(query_error)?;
                pg.cancels_on_drop = true;
            }
            Ok(pg)
        };
        let opened = tokio::time::timeout(limit, opening).await;
        opened.unwrap_or_else(|_| {
            let address = self.address.host_and_port();
            let seconds = limit.as_secs();
            Err(if is_signed_on.load(Ordering::Relaxed) {
                let reason = format!(
                    "it took the connection, but has answered nothing on it for {seconds} seconds: if it is a pooler, all \
                     of its own are in use"
                );
                SourceError::TooManyConnections { address, reason }
            } else {
                SourceError::Unreachable {
                    address,
                    reason: format!("no answer within {seconds} seconds"),
                }
            })
        })
    }

    /// A connection as it comes, without any setting.
    pub(super) async fn open(&self) -> Result<PgClient, SourceError> {
        let a = &self.address;
        let mut config = tokio_postgres::Config::new();
        config
            .host(&a.host)
            .port(a.port)
            .user(&a.user)
            .application_name("godwit");
        // A link that is cut without a word is noticed within half a minute.
        config
            .keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(25));
        if !a.database.is_empty() {
            config.dbname(&a.database);
        }
        if let Some(password) = &a.password {
            config.password(password);
        }
        // A socket leads nowhere else.
        if a.ssl_mode == SslMode::Disable || a.is_socket() {
            config.ssl_mode(tokio_postgres::config::SslMode::Disable);
            let (client, connection) = config
                .connect(tokio_postgres::NoTls)
                .await
                .map_err(|e| self.connect_error(&e))?;
            return Ok(started(client, connection, None));
        }
        config.ssl_mode(match a.ssl_mode {
            SslMode::Prefer => tokio_postgres::config::SslMode::Prefer,
            _ => tokio_postgres::config::SslMode::Require,
        });
        let tls = tokio_postgres_rustls::MakeRustlsConnect::new(self.tls_config().await?);
        let (client, connection) = config.connect(tls.clone()).await.map_err(|e| self.connect_error(&e))?;
        Ok(started(client, connection, Some(tls)))
    }

    pub(super) async fn tls_config(&self) -> Result<ClientConfig, SourceError> {
        let provider = CryptoProvider::get_default()
            .cloned()
            .unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| self.rejected(&e.to_string()))?;
        let verify = match (self.address.ssl_mode, &self.address.ssl_root_cert) {
            (SslMode::Disable, _) | (SslMode::Prefer | SslMode::Require, None) => Verify::Nothing,
            // Who gives an authority wants it looked at: for `require` libpq says so.
            (SslMode::Prefer | SslMode::Require, Some(_)) | (SslMode::VerifyCa, _) => {
                Verify::Authority(Arc::new(self.roots().await?))
            }
            (SslMode::VerifyFull, _) => {
                let roots = self.roots().await?;
                return Ok(builder.with_root_certificates(roots).with_no_client_auth());
            }
        };
        let verifier = Arc::new(Verifier { verify, provider });
        Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth())
    }

    async fn roots(&self) -> Result<RootCertStore, SourceError> {
        let mut roots = RootCertStore::empty();
        let certificates = match &self.address.ssl_root_cert {
            None => {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
                return Ok(roots);
            }
            Some(RootCert::Content(pem)) => certificates(ROOT_CERT, pem.as_bytes())?,
            Some(RootCert::File(name)) => certificates(ROOT_CERT, &certificates::read(ROOT_CERT, name).await?)?,
        };
        for certificate in certificates {
            roots.add(certificate).map_err(|e| self.rejected(&e.to_string()))?;
        }
        Ok(roots)
    }

    fn rejected(&self, reason: &str) -> SourceError {
        SourceError::CertificateRejected {
            address: self.address.host_and_port(),
            reason: reason.into(),
        }
    }

    fn connect_error(&self, error: &tokio_postgres::Error) -> SourceError {
        let address = self.address.host_and_port();
        match error.code() {
            Some(&SqlState::INVALID_PASSWORD) => {
                return SourceError::WrongPassword {
                    address,
                    user: self.address.user.clone(),
                };
            }
            Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                return SourceError::NotLetIn {
                    address,
                    user: self.address.user.clone(),
                    reason: causes(error),
                };
            }
            Some(&SqlState::TOO_MANY_CONNECTIONS) => {
                return SourceError::TooManyConnections {
                    address,
                    reason: causes(error),
                };
            }
            Some(&SqlState::INVALID_CATALOG_NAME) => {
                return SourceError::NoSuchDatabase {
                    address,
                    database: self.address.database.clone(),
                };
            }
            _ => {}
        }
        let cause = causes(error);
        if cause.contains("password missing") {
            return SourceError::WrongPassword {
                address,
                user: self.address.user.clone(),
            };
        }
        // The driver has no kind for these two: the server's one-byte "no" to TLS, and the handshake.
        if cause.contains("server does not support TLS") {
            return SourceError::TlsRefused { address };
        }
        if cause.contains("certificate") {
            return SourceError::CertificateRejected { address, reason: cause };
        }
        SourceError::Unreachable { address, reason: cause }
    }
}

fn started<S, T>(
    client: tokio_postgres::Client,
    connection: tokio_postgres::Connection<S, T>,
    tls: Option<tokio_postgres_rustls::MakeRustlsConnect>,
) -> PgClient
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    T: tokio_postgres::tls::TlsStream + Unpin + Send + 'static,
{
    let canceller = client.cancel_token();
    let is_encrypted = tls.is_some();
    // The task ends with the connection; the client's calls carry its errors.
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "Source connection ended");
        }
    });
    PgClient {
        client: Arc::new(client),
        driver,
        canceller,
        tls,
        is_encrypted,
        cancels_on_drop: false,
        pooled: None,
    }
}

/// The texts of an error and of what caused it.
fn causes(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return db.message().to_owned();
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    plain_cause(&text)
}

/// An error of a query on an open connection.
pub(super) fn query_error(error: tokio_postgres::Error) -> SourceError {
    let reason = causes(&error);
    match error.code() {
        Some(code) => server_error(code.code(), reason),
        None => SourceError::ConnectionLost { reason },
    }
}

/// An error that the server reports with a code.
/// <https://www.postgresql.org/docs/15/errcodes-appendix.html>
pub(super) fn server_error(code: &str, reason: String) -> SourceError {
    match code {
        "57014" => SourceError::Cancelled,
        "55P03" => SourceError::LockedOut { reason },
        "42501" => SourceError::NoRight { reason },
        code if code.starts_with("57P") || code.starts_with("08") => SourceError::ConnectionLost { reason },
        _ => SourceError::Query { reason },
    }
}

#[derive(Debug)]
enum Verify {
    /// The link is encrypted, whoever answers: what `require` means everywhere.
    Nothing,
    /// The chain, not the name.
    Authority(Arc<RootCertStore>),
}

#[derive(Debug)]
struct Verifier {
    verify: Verify,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Verify::Authority(roots) = &self.verify {
            let algorithms = self.provider.signature_verification_algorithms.all;
            let certificate = ParsedCertificate::try_from(end_entity)?;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
