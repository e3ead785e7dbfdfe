//! Connection URLs: `jdbc:postgresql://...` and native ones, parsed and never passed through blindly.

use crate::certificates;
use crate::source::SourceError;
use crate::source::percent::percent_decode;
use godwit_shared::connection::JdbcConnectionDetails;

/// How the link is encrypted, with the names that libpq and the JDBC driver share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    Disable,
    /// Encrypted where the server offers it.
    Prefer,
    /// Encrypted, whoever the server is.
    Require,
    /// The certificate comes from a trusted authority.
    VerifyCa,
    /// And names this host.
    VerifyFull,
}

/// Where certificates of authorities are, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub enum RootCert {
    /// A file of the folder of certificates.
    File(String),
    Content(std::sync::Arc<str>),
}

/// The option that names them, for messages.
pub const ROOT_CERT: &str = "sslrootcert";
/// Longer waits are cut: somebody waits for the answer.
const CONNECT_SECONDS_MAX: u64 = 60;
/// Longer names than any server takes.
const TEXT_BYTES_MAX: usize = 20_000;

/// Everything that a connection needs.
#[derive(Clone, PartialEq, Eq)]
pub struct PgAddress {
    pub host: String,
    pub port: u16,
    /// Empty: the server's default for the user.
    pub database: String,
    pub user: String,
    pub password: Option<String>,
    pub ssl_mode: SslMode,
    /// The authorities to trust instead of the usual ones.
    pub ssl_root_cert: Option<RootCert>,
    pub connect_timeout_seconds: u64,
}

impl std::fmt::Debug for PgAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}/{}", self.user, self.host_and_port(), self.database)
    }
}

/// Parameters that are understood. Some are accepted because clients write them, and change nothing here.
const KNOWN: [&str; 12] = [
    "user",
    "password",
    "ssl",
    "sslmode",
    "sslrootcert",
    "connect_timeout",
    "connectTimeout",
    "loginTimeout",
    "applicationName",
    "application_name",
    "currentSchema",
    "tcpKeepAlive",
];

impl PgAddress {
    /// Reads the URL of a request; user and password given beside it win.
    ///
    /// # Errors
    /// When it is no URL of PostgreSQL or has parameters that are not known; the text lists those that are.
    pub fn parse(details: &JdbcConnectionDetails) -> Result<Self, SourceError> {
        if !details.kind.is_empty() && !details.kind.eq_ignore_ascii_case("POSTGRESQL") {
            return Err(SourceError::UnsupportedKind {
                kind: details.kind.clone(),
            });
        }
        let invalid = |reason: String| SourceError::InvalidUrl { reason };
        let text = details.url.trim();
        if text.is_empty() {
            return Err(invalid("it is empty".into()));
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(invalid(format!("it has more than {TEXT_BYTES_MAX} bytes")));
        }
        let native = text.strip_prefix("jdbc:").unwrap_or(text);
        let url = url::Url::parse(native).map_err(|e| invalid(e.to_string()))?;
        if !matches!(url.scheme(), "postgresql" | "postgres") {
            return Err(invalid(format!(
                "it starts with \"{}\", not with \"jdbc:postgresql\"",
                url.scheme()
            )));
        }
        let decode =
            |s: &str| percent_decode(s).ok_or_else(|| invalid("a % in it is not followed by two digits".into()));
        let host = url
            .host_str()
            .filter(|h| !h.is_empty())
            .ok_or_else(|| invalid("it names no host".into()))?;
        let mut address = PgAddress {
            host: decode(host.trim_start_matches('[').trim_end_matches(']'))?,
            port: url.port().unwrap_or(5432),
            database: decode(url.path().trim_start_matches('/'))?,
            user: decode(url.username())?,
            password: url.password().map(decode).transpose()?,
            ssl_mode: SslMode::Prefer,
            ssl_root_cert: None,
            connect_timeout_seconds: 10,
        };
        for (name, value) in url.query_pairs() {
            address.set(&name, &value).map_err(invalid)?;
        }
        if let Some(user) = details.user.as_ref().filter(|u| !u.is_empty()) {
            address.user = user.clone();
        }
        if let Some(password) = &details.password {
            address.password = Some(password.clone());
        }
        if address.user.is_empty() {
            return Err(invalid("no user is given".into()));
        }
        let password = address.password.as_deref().unwrap_or_default();
        for (what, text) in [
            ("host", address.host.as_str()),
            ("database", &address.database),
            ("user", &address.user),
            ("password", password),
        ] {
            if text.contains('\0') {
                return Err(invalid(format!("the {what} has a NUL character")));
            }
            if text.len() > TEXT_BYTES_MAX {
                return Err(invalid(format!("the {what} has more than {TEXT_BYTES_MAX} bytes")));
            }
        }
        address.check_host()?;
        if let Some(content) = details.ssl_root_cert_content.as_ref().filter(|c| !c.trim().is_empty()) {
            certificates::certificates(ROOT_CERT, content.as_bytes())?;
            address.ssl_root_cert = Some(RootCert::Content(content.as_str().into()));
        }
        if let Some(RootCert::File(name)) = &address.ssl_root_cert {
            certificates::check_name(ROOT_CERT, name)?;
        }
        Ok(address)
    }

    /// A host is a name or an address. What begins with a slash is a folder with the socket of a server of this machine.
    fn check_host(&self) -> Result<(), SourceError> {
        if self.is_socket() {
            return Ok(certificates::check_socket(&self.host)?);
        }
        let text = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        url::Host::parse(&text).map(drop).map_err(|e| SourceError::InvalidUrl {
            reason: format!("\"{}\" is no host: {e}", self.host),
        })
    }

    /// Whether the host is the folder of a socket.
    pub fn is_socket(&self) -> bool {
        self.host.starts_with(['/', '@'])
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "user" => self.user = value.into(),
            "password" => self.password = Some(value.into()),
            "ssl" => {
                self.ssl_mode = if value == "false" {
                    SslMode::Disable
                } else {
                    SslMode::VerifyFull
                }
            }
            "sslmode" => {
                self.ssl_mode = match value {
                    "disable" => SslMode::Disable,
                    "allow" | "prefer" => SslMode::Prefer,
                    "require" => SslMode::Require,
                    "verify-ca" => SslMode::VerifyCa,
                    "verify-full" => SslMode::VerifyFull,
                    other => {
                        return Err(format!(
                            "sslmode \"{other}\" is none of disable, prefer, require, verify-ca, verify-full"
                        ));
                    }
                }
            }
            ROOT_CERT => self.ssl_root_cert = Some(value).filter(|v| !v.is_empty()).map(|v| RootCert::File(v.into())),
            "connect_timeout" | "connectTimeout" | "loginTimeout" => {
                let seconds: u64 = value
                    .parse()
                    .map_err(|_| format!("{name} is not a number of seconds"))?;
                self.connect_timeout_seconds = match seconds {
                    // To other clients, no limit.
                    0 => CONNECT_SECONDS_MAX,
                    seconds => seconds.min(CONNECT_SECONDS_MAX),
                };
            }
            known if KNOWN.contains(&known) => {}
            unknown => {
                return Err(format!(
                    "the parameter \"{unknown}\" is not known; known are {}",
                    KNOWN.join(", ")
                ));
            }
        }
        Ok(())
    }

    /// For messages: no user, no password.
    pub fn host_and_port(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<PgAddress, SourceError> {
        PgAddress::parse(&JdbcConnectionDetails {
            kind: "POSTGRESQL".into(),
            url: url.into(),
            ..Default::default()
        })
    }

    #[test]
    fn jdbc_and_native_urls() {
        let a = parse("jdbc:postgresql://db.example:5433/shop?user=u&password=p%40&sslmode=verify-full").unwrap();
        assert_eq!(
            (&*a.host, a.port, &*a.database, &*a.user, a.password.as_deref()),
            ("db.example", 5433, "shop", "u", Some("p@"))
        );
        assert_eq!(a.ssl_mode, SslMode::VerifyFull);
        let a = parse("postgres://m%C3%BC:a%2Fb@[::1]/Sh%20op").unwrap();
        assert_eq!(
            (&*a.host, a.port, &*a.database, &*a.user, a.password.as_deref()),
            ("::1", 5432, "Sh op", "mü", Some("a/b"))
        );
        assert_eq!(a.host_and_port(), "[::1]:5432");
    }

    /// Without a folder that the administrator names.
    #[test]
    fn files_and_sockets_of_this_machine_are_refused() {
        let check = |url: &str, expected: &str| {
            let error = parse(url).unwrap_err();
            let message = error.to_string();
            assert!(message.contains(expected), "{url}: {message}");
            assert_eq!(error.code(), godwit_shared::error::ErrorCode::InvalidRequest);
        };
        for mode in [
            "",
            "&sslmode=prefer",
            "&sslmode=require",
            "&sslmode=verify-ca",
            "&sslmode=disable",
        ] {
            for file in ["/dev/zero", "/etc/shadow", "/no/such/file", "ca.pem", "../ca.pem"] {
                check(
                    &format!("postgresql://h/db?user=u{mode}&sslrootcert={file}"),
                    "reads certificates from no folder",
                );
            }
        }
        for host in ["%2Ftmp", "%2Fvar%2Frun%2Fpostgresql", "%40abstract"] {
            check(&format!("postgresql://{host}/db?user=u"), "socket");
        }
        for url in [
            "postgresql://%252Ftmp/db?user=u",
            "postgresql://h%2Ftmp/db?user=u",
            "postgresql://a%00b/db?user=u",
            "postgresql://h/db?user=a%00b",
            "postgresql://h/a%00b?user=u",
            "postgresql://h/db?user=u&password=%00",
            "postgresql://h%20i/db?user=u",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
        assert!(parse("postgresql://h/db?user=u&sslrootcert=").is_ok());
    }

    #[test]
    fn a_wait_is_never_without_end() {
        for (asked, given) in [("5", 5), ("0", 60), ("18446744073709551615", 60)] {
            let a = parse(&format!("postgresql://h/db?user=u&connect_timeout={asked}")).unwrap();
            assert_eq!(a.connect_timeout_seconds, given);
        }
        assert!(parse(&format!("postgresql://h/{}?user=u", "x".repeat(TEXT_BYTES_MAX))).is_err());
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let check = |url: &str, expected: &str| {
            let message = parse(url).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        check("", "empty");
        check("jdbc:mysql://h/db?user=u", "mysql");
        check("jdbc:postgresql://h/db", "no user");
        check("jdbc:postgresql://h/db?user=u&sslMod=x", "sslMod");
        check("jdbc:postgresql://h/db?user=u&sslmode=x", "verify-full");
    }
}
