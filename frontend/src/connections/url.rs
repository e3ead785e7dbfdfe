//! URIs of servers: made of the fields of the form, and taken apart for them.

use super::draft::{SourceDraft, verifies};
use super::kinds::{SSL_OFF, ServerForm, form_of, server_form};
use godwit_shared::connection::SourceKind;

/// The URL of the draft with its SSL mode; empty where a saved connection says everything.
pub fn source_url(source: &SourceDraft) -> String {
    let form = form_of(&source.kind);
    let base = match (source.is_manual_uri, form) {
        (false, Some(form)) => form_url(source, form),
        (true, _) | (false, None) => source.uri.trim().to_owned(),
    };
    let Some(form) = form.filter(|form| !base.is_empty() && !says_ssl(&base, form)) else {
        return base;
    };
    ssl_parameters(source, form).into_iter().fold(base, |url, parameter| {
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}{parameter}")
    })
}

/// Whether a URI says itself how it is encrypted.
fn says_ssl(uri: &str, form: &ServerForm) -> bool {
    let (_, query) = uri.split_once('?').unwrap_or_default();
    let mut names = query
        .split('&')
        .map(|parameter| parameter.split('=').next().unwrap_or_default());
    names.any(|name| form.ssl_parameters.contains(&name))
}

/// Without parameters.
fn form_url(source: &SourceDraft, form: &ServerForm) -> String {
    if !source.has_address() {
        return String::new();
    }
    let host = source.host.trim();
    // An IPv6 address needs brackets.
    let host = if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let database = escaped(source.database.trim());
    let scheme = form.schemes[0];
    format!("jdbc:{scheme}://{host}:{}/{database}", source.port.trim())
}

fn ssl_parameters(source: &SourceDraft, form: &ServerForm) -> Vec<String> {
    let mode = match (source.use_ssl, source.ssl_mode.as_str()) {
        (false, _) => SSL_OFF,
        (true, "") => return vec![],
        (true, mode) => mode,
    };
    let certificate = source.root_certificate.trim();
    let certificate = Some(certificate).filter(|path| !path.is_empty() && verifies(mode));
    let certificate = certificate.map(|path| format!("{}={}", form.root_certificate, escaped_but_slash(path)));
    [Some(format!("{}={}", form.ssl_mode, form.ssl_name(mode))), certificate]
        .into_iter()
        .flatten()
        .collect()
}

/// Percent escapes for everything that is not plain in a path.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn escaped_but_slash(path: &str) -> String {
    path.split('/').map(escaped).collect::<Vec<_>>().join("/")
}

/// What the fields of the form can hold of a URI.
#[derive(Clone, PartialEq, Eq)]
pub struct UrlFields {
    pub host: String,
    pub port: String,
    pub database: String,
    pub user: Option<String>,
    pub password: Option<String>,
    pub ssl_mode: Option<String>,
    pub root_certificate: Option<String>,
}

impl UrlFields {
    /// Whether both lead to the same database in the same way, whoever asks and whatever else is said.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let place = |f: &Self| {
            let ssl = [&f.ssl_mode, &f.root_certificate].map(Clone::clone);
            (f.host.clone(), f.port.clone(), f.database.clone(), ssl)
        };
        place(self) == place(other)
    }
}

/// Takes the URI of a server apart; `None` where it is none. Whether its values make sense is for the server to say.
pub fn fields_of(uri: &str) -> Option<UrlFields> {
    let uri = uri.trim();
    let native = uri.strip_prefix("jdbc:").unwrap_or(uri);
    let form = server_form(SourceKind::of_url(uri)?)?;
    let (scheme, rest) = native.split_once("://")?;
    if !form.schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return None;
    }
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = place.split_once('/').unwrap_or((place, ""));
    let (credentials, address) = match authority.rsplit_once('@') {
        Some((credentials, address)) => (Some(credentials), address),
        None => (None, authority),
    };
    let (host, port) = host_and_port(address);
    let mut fields = UrlFields {
        host: unescaped(host)?,
        port: port.unwrap_or(form.port).to_owned(),
        database: unescaped(database)?,
        user: None,
        password: None,
        ssl_mode: None,
        root_certificate: None,
    };
    if let Some(credentials) = credentials {
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (credentials, None),
        };
        fields.user = Some(unescaped(user)?);
        fields.password = match password {
            Some(password) => Some(unescaped(password)?),
            None => None,
        };
    }
    for parameter in query.split('&').filter(|text| !text.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = unescaped(value)?;
        match name {
            "user" => fields.user = Some(value),
            "password" => fields.password = Some(value),
            name if name == form.ssl_mode => fields.ssl_mode = form.ssl_mode_of(&value),
            name if name == form.root_certificate => fields.root_certificate = Some(value),
            // What else a URI says stands in none of the fields.
            _ => {}
        }
    }
    Some(fields)
}

/// `host:port`, `[::1]:port`, or without a port.
fn host_and_port(address: &str) -> (&str, Option<&str>) {
    if let Some((host, after)) = address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, after.strip_prefix(':'));
    }
    match address.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (address, None),
    }
}

/// `None` where an escape is broken.
fn unescaped(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                out.push(u8::from_str_radix(text.get(at + 1..at + 3)?, 16).ok()?);
                at += 3;
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(host: &str, database: &str, change: impl FnOnce(&mut SourceDraft)) -> String {
        let mut draft = SourceDraft {
            is_manual_uri: false,
            host: host.into(),
            database: database.into(),
            ..Default::default()
        };
        change(&mut draft);
        source_url(&draft)
    }

    #[test]
    fn urls_of_the_form() {
        let mode = |mode: &str| {
            let mode = mode.to_owned();
            move |d: &mut SourceDraft| (d.ssl_mode, d.root_certificate) = (mode, "/etc/my ca.pem".into())
        };
        assert_eq!(form(" h ", "shop", |_| ()), "jdbc:postgresql://h:5432/shop");
        assert_eq!(form("h", "", |_| ()), "jdbc:postgresql://h:5432/");
        assert_eq!(
            form("::1", "a b/ü", mode("require")),
            "jdbc:postgresql://[::1]:5432/a%20b%2F%C3%BC?sslmode=require"
        );
        assert_eq!(
            form("h", "db", mode("verify-full")),
            "jdbc:postgresql://h:5432/db?sslmode=verify-full&sslrootcert=/etc/my%20ca.pem"
        );
        assert_eq!(
            form("h", "db", |d| d.use_ssl = false),
            "jdbc:postgresql://h:5432/db?sslmode=disable"
        );
        assert_eq!(form("", "", mode("require")), "");
        let mysql = |d: &mut SourceDraft| {
            (d.kind, d.port, d.ssl_mode, d.root_certificate) =
                ("MYSQL".into(), "3306".into(), "verify-full".into(), "ca.pem".into());
        };
        assert_eq!(
            form("h", "shop", mysql),
            "jdbc:mysql://h:3306/shop?sslMode=VERIFY_IDENTITY&serverSslCert=ca.pem"
        );
        let file = |d: &mut SourceDraft| (d.kind, d.uri) = ("SQLITE".into(), "jdbc:sqlite:a.db".into());
        assert_eq!(form("", "", file), "jdbc:sqlite:a.db");
    }

    #[test]
    fn a_typed_uri_gets_the_ssl_mode_that_it_does_not_name() {
        let uri = |uri: &str, ssl_mode: &str| {
            source_url(&SourceDraft {
                uri: uri.into(),
                ssl_mode: ssl_mode.into(),
                ..Default::default()
            })
        };
        assert_eq!(uri(" postgres://h/db ", ""), "postgres://h/db");
        assert_eq!(
            uri("postgres://h/db?a=1", "require"),
            "postgres://h/db?a=1&sslmode=require"
        );
        assert_eq!(
            uri("postgres://h/db?sslmode=disable", "require"),
            "postgres://h/db?sslmode=disable"
        );
        assert_eq!(uri("", "require"), "");
        let mysql = |uri: &str| {
            source_url(&SourceDraft {
                kind: "MYSQL".into(),
                uri: uri.into(),
                ssl_mode: "require".into(),
                ..Default::default()
            })
        };
        assert_eq!(mysql("mysql://h/db?useSSL=false"), "mysql://h/db?useSSL=false");
        assert_eq!(mysql("mysql://h/db"), "mysql://h/db?sslMode=REQUIRED");
    }

    #[test]
    fn uris_taken_apart() {
        let shown = |uri: &str| {
            let f = fields_of(uri)?;
            let rest = [f.user, f.password, f.ssl_mode, f.root_certificate].map(Option::unwrap_or_default);
            Some(format!("{}|{}|{}|{}", f.host, f.port, f.database, rest.join("|")))
        };
        let check = |uri: &str, fields: &str| assert_eq!(shown(uri).as_deref(), Some(fields), "{uri}");
        check("jdbc:postgresql://h:5433/shop", "h|5433|shop||||");
        check("postgres://h", "h|5432|||||");
        check("postgresql://u:a%2Fb@[::1]:1/Sh%20op", "::1|1|Sh op|u|a/b||");
        check("postgres://u@h/db?sslmode=prefer", "h|5432|db|u|||");
        check(
            "postgres://h/db?user=u&password=p&sslmode=require&x=1",
            "h|5432|db|u|p|require|",
        );
        check(
            "jdbc:mysql://h/db?user=u&sslMode=VERIFY_CA&serverSslCert=ca.pem",
            "h|3306|db|u||verify-ca|ca.pem",
        );
        check("mariadb://u:p@h:3307/?sslMode=preferred", "h|3307||u|p||");
        assert_eq!(shown("jdbc:sqlite:shop.db"), None);
        assert_eq!(shown("jdbc:mysql:h/db"), None);
        assert_eq!(shown("postgres://h/%zz"), None);
        assert_eq!(shown(""), None);
    }
}
