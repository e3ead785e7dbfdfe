//! Connection URLs: `jdbc:mysql://...`, `jdbc:mariadb://...` and native ones, parsed and never passed through blindly.

use crate::certificates;
use crate::source::SourceError;
use crate::source::percent::percent_decode;
use godwit_shared::connection::JdbcConnectionDetails;
use std::sync::Arc;

/// How the link is encrypted, with the names of MySQL's clients; those of MariaDB's are taken as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    Disabled,
    /// Encrypted where the server offers it.
    Preferred,
    /// Encrypted, whoever the server is.
    Required,
    /// The certificate comes from a trusted authority.
    VerifyCa,
    /// And names this host.
    VerifyIdentity,
}

/// Where certificates of authorities are, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub enum RootCert {
    /// A file of the folder of certificates.
    File(String),
    Content(Arc<str>),
}

/// The option that names them, for messages.
pub const ROOT_CERT: &str = "serverSslCert";
/// Longer waits are cut: somebody waits for the answer.
const CONNECT_SECONDS_MAX: u64 = 60;
/// Longer names than any server takes.
const TEXT_BYTES_MAX: usize = 20_000;
const PORT: u16 = 3306;

/// Everything that a connection needs.
#[derive(Clone, PartialEq, Eq)]
pub struct MySqlAddress {
    pub host: String,
    pub port: u16,
    /// Empty: all databases of the server that are not its own.
    pub database: String,
    pub user: String,
    pub password: Option<String>,
    pub ssl_mode: SslMode,
    /// The authorities to trust instead of the usual ones.
    pub ssl_root_cert: Option<RootCert>,
    pub connect_timeout_seconds: u64,
}

impl std::fmt::Debug for MySqlAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}/{}", self.user, self.host_and_port(), self.database)
    }
}

/// Parameters that are understood. Some are accepted because clients write them, and change nothing here.
const KNOWN: [&str; 32] = [
    "user",
    "password",
    "sslMode",
    "useSSL",
    "useSsl",
    "requireSSL",
    "verifyServerCertificate",
    "trustServerCertificate",
    ROOT_CERT,
    "connectTimeout",
    // Of no effect: encoding, time zone and protocol are our own.
    "allowPublicKeyRetrieval",
    "useUnicode",
    "characterEncoding",
    "connectionCollation",
    "characterSetResults",
    "serverTimezone",
    "connectionTimeZone",
    "forceConnectionTimeZoneToSession",
    "preserveInstants",
    "useLegacyDatetimeCode",
    "zeroDateTimeBehavior",
    "tinyInt1isBit",
    "transformedBitIsBoolean",
    "yearIsDateType",
    "autoReconnect",
    "tcpKeepAlive",
    "socketTimeout",
    "useCursorFetch",
    "defaultFetchSize",
    "rewriteBatchedStatements",
    "useCompression",
    "nullCatalogMeansCurrent",
];

impl MySqlAddress {
    /// Reads the URL of a request; user and password given beside it win.
    ///
    /// # Errors
    /// When it is no URL of MySQL or MariaDB or has parameters that are not known; the text lists those that are.
    pub fn parse(details: &JdbcConnectionDetails) -> Result<Self, SourceError> {
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
        if !matches!(url.scheme(), "mysql" | "mariadb") {
            let scheme = url.scheme();
            return Err(invalid(format!(
                "it starts with \"{scheme}\", not with \"jdbc:mysql\" or \"jdbc:mariadb\""
            )));
        }
        let decode =
            |s: &str| percent_decode(s).ok_or_else(|| invalid("a % in it is not followed by two digits".into()));
        let host = url
            .host_str()
            .filter(|h| !h.is_empty())
            .ok_or_else(|| invalid("it names no host".into()))?;
        let mut address = MySqlAddress {
            host: decode(host.trim_start_matches('[').trim_end_matches(']'))?,
            port: url.port().unwrap_or(PORT),
            database: decode(url.path().trim_start_matches('/'))?,
            user: decode(url.username())?,
            password: url.password().map(decode).transpose()?,
            ssl_mode: SslMode::Preferred,
            ssl_root_cert: None,
            connect_timeout_seconds: 10,
        };
        let mut tls = Tls::default();
        for (name, value) in url.query_pairs() {
            address.set(&name, &value, &mut tls).map_err(invalid)?;
        }
        if let Some(user) = details.user.as_ref().filter(|u| !u.is_empty()) {
            address.user = user.clone();
        }
        if let Some(password) = &details.password {
            address.password = Some(password.clone());
        }
        if let Some(content) = details.ssl_root_cert_content.as_ref().filter(|c| !c.trim().is_empty()) {
            certificates::certificates(ROOT_CERT, content.as_bytes())?;
            address.ssl_root_cert = Some(RootCert::Content(content.as_str().into()));
        }
        if let Some(RootCert::File(name)) = &address.ssl_root_cert {
            certificates::check_name(ROOT_CERT, name)?;
        }
        address.ssl_mode = tls.mode(address.ssl_root_cert.is_some());
        address.check()?;
        Ok(address)
    }

    fn check(&self) -> Result<(), SourceError> {
        let invalid = |reason: String| SourceError::InvalidUrl { reason };
        if self.user.is_empty() {
            return Err(invalid("no user is given".into()));
        }
        let password = self.password.as_deref().unwrap_or_default();
        for (what, text) in [
            ("host", self.host.as_str()),
            ("database", &self.database),
            ("user", &self.user),
            ("password", password),
        ] {
            if text.contains('\0') {
                return Err(invalid(format!("the {what} has a NUL character")));
            }
            if text.len() > TEXT_BYTES_MAX {
                return Err(invalid(format!("the {what} has more than {TEXT_BYTES_MAX} bytes")));
            }
        }
        let text = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        // Sockets of this machine are no hosts.
        url::Host::parse(&text)
            .map(drop)
            .map_err(|e| invalid(format!("\"{}\" is no host: {e}", self.host)))
    }

    fn set(&mut self, name: &str, value: &str, tls: &mut Tls) -> Result<(), String> {
        let switch = || match value {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            other => Err(format!("{name} is \"{other}\", neither true nor false")),
        };
        match name {
            "user" => self.user = value.into(),
            "password" => self.password = Some(value.into()),
            "sslMode" => tls.mode = Some(ssl_mode(value)?),
            "useSSL" | "useSsl" => tls.is_used = Some(switch()?),
            "requireSSL" => tls.is_required = switch()?,
            "verifyServerCertificate" => tls.is_verified = switch()?,
            "trustServerCertificate" => tls.is_trusted = switch()?,
            ROOT_CERT => self.ssl_root_cert = Some(value).filter(|v| !v.is_empty()).map(|v| RootCert::File(v.into())),
            "connectTimeout" => {
                let milliseconds: u64 = value
                    .parse()
                    .map_err(|_| format!("{name} is not a number of milliseconds"))?;
                self.connect_timeout_seconds = match milliseconds {
                    // To other clients, no limit.
                    0 => CONNECT_SECONDS_MAX,
                    milliseconds => milliseconds.div_ceil(1000).min(CONNECT_SECONDS_MAX),
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

/// What a URL says of encryption, in the words of old and new clients.
#[derive(Default)]
struct Tls {
    mode: Option<SslMode>,
    is_used: Option<bool>,
    is_required: bool,
    is_verified: bool,
    is_trusted: bool,
}

impl Tls {
    fn mode(&self, has_authority: bool) -> SslMode {
        let asked = match (self.mode, self.is_used) {
            (Some(mode), _) => mode,
            (None, Some(false)) => SslMode::Disabled,
            (None, _) if self.is_verified => SslMode::VerifyCa,
            (None, _) if self.is_required || self.is_trusted => SslMode::Required,
            (None, _) => SslMode::Preferred,
        };
        match asked {
            // Who gives an authority wants it looked at.
            SslMode::Preferred | SslMode::Required if has_authority => SslMode::VerifyCa,
            asked => asked,
        }
    }
}

fn ssl_mode(value: &str) -> Result<SslMode, String> {
    Ok(match value.to_ascii_lowercase().replace('_', "-").as_str() {
        "disabled" | "disable" => SslMode::Disabled,
        "preferred" => SslMode::Preferred,
        "required" | "trust" => SslMode::Required,
        "verify-ca" => SslMode::VerifyCa,
        "verify-identity" | "verify-full" => SslMode::VerifyIdentity,
        _ => {
            return Err(format!(
                "sslMode \"{value}\" is none of DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<MySqlAddress, SourceError> {
        MySqlAddress::parse(&JdbcConnectionDetails {
            kind: "MYSQL".into(),
            url: url.into(),
            ..Default::default()
        })
    }

    #[test]
    fn jdbc_and_native_urls() {
        let a = parse("jdbc:mysql://db.example:3307/shop?user=u&password=p%40&sslMode=VERIFY_IDENTITY").unwrap();
        assert_eq!(
            (&*a.host, a.port, &*a.database, &*a.user, a.password.as_deref()),
            ("db.example", 3307, "shop", "u", Some("p@"))
        );
        assert_eq!(a.ssl_mode, SslMode::VerifyIdentity);
        let a = parse("mariadb://m%C3%BC:a%2Fb@[::1]/Sh%20op").unwrap();
        assert_eq!(
            (&*a.host, a.port, &*a.database, &*a.user, a.password.as_deref()),
            ("::1", 3306, "Sh op", "mü", Some("a/b"))
        );
        assert_eq!(parse("mysql://u@h").unwrap().database, "");
    }

    #[test]
    fn the_names_of_all_clients_for_encryption() {
        let check = |options: &str, expected: SslMode| {
            let a = parse(&format!("jdbc:mysql://u@h/d?{options}")).unwrap();
            assert_eq!(a.ssl_mode, expected, "{options}");
        };
        check("", SslMode::Preferred);
        check("sslMode=DISABLED", SslMode::Disabled);
        check("useSSL=false", SslMode::Disabled);
        check("useSSL=true", SslMode::Preferred);
        check("useSSL=true&requireSSL=true", SslMode::Required);
        check("useSSL=true&verifyServerCertificate=true", SslMode::VerifyCa);
        check("sslMode=REQUIRED&useSSL=false", SslMode::Required);
        check("sslMode=trust", SslMode::Required);
        check("sslMode=verify-full", SslMode::VerifyIdentity);
        check("sslMode=verify-ca", SslMode::VerifyCa);
    }

    #[test]
    fn a_wait_is_never_without_end() {
        for (asked, given) in [("5000", 5), ("1", 1), ("0", 60), ("18446744073709551615", 60)] {
            let a = parse(&format!("mysql://u@h/db?connectTimeout={asked}")).unwrap();
            assert_eq!(a.connect_timeout_seconds, given);
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let check = |url: &str, expected: &str| {
            let message = parse(url).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        check("", "empty");
        check("jdbc:postgresql://h/db?user=u", "postgresql");
        check("jdbc:mysql://h/db", "no user");
        check("jdbc:mysql://u@h/db?sslMod=x", "sslMod");
        check("jdbc:mysql://u@h/db?sslMode=x", "VERIFY_IDENTITY");
        check("jdbc:mysql://u@h/db?useSSL=x", "useSSL");
        check("jdbc:mysql://u@h/db?allowLoadLocalInfile=true", "allowLoadLocalInfile");
        check("mysql://u@h%20i/db", "host");
        check("mysql://u@h/a%00b", "NUL");
        check(
            "mysql://u@h/db?serverSslCert=/etc/shadow",
            "reads certificates from no folder",
        );
    }
}
