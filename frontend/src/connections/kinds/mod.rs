//! What the form of a connection knows of each kind of database: what stands in its URIs and fields.

mod mysql;
mod postgresql;
mod sqlite;

use godwit_shared::connection::SourceKind;

/// A kind that has a server, whose address can be entered in fields.
#[derive(Debug, Clone, Copy)]
pub struct ServerForm {
    /// Between `jdbc:` and `://`; the first one is written, all are read.
    pub schemes: &'static [&'static str],
    pub port: &'static str,
    /// What an empty name of the database means.
    pub no_database: &'static str,
    /// When no password has to be entered.
    pub no_password: &'static str,
    /// The parameter of the URI for the SSL mode.
    pub ssl_mode: &'static str,
    /// Every parameter that says whether the link is encrypted.
    pub ssl_parameters: &'static [&'static str],
    /// The names of [`SSL_MODES`] in URIs, the one that is written first.
    pub ssl_names: [&'static [&'static str]; 5],
    /// The parameter for the file with the certificates of authorities.
    pub root_certificate: &'static str,
}

/// The value of the SSL mode without encryption.
pub const SSL_OFF: &str = "disable";

/// SSL modes that are offered, with their labels; the empty one is left out of the URI.
pub const SSL_MODES: [(&str, &str); 4] = [
    ("", "Prefer (encrypted where the server can)"),
    ("require", "Require"),
    ("verify-ca", "Verify CA"),
    ("verify-full", "Verify full"),
];

impl ServerForm {
    /// How a mode is written in URIs. One that is not offered stays as it is.
    pub fn ssl_name(&self, mode: &str) -> String {
        let place = modes().position(|known| known == mode);
        place.map_or_else(|| mode.to_owned(), |place| self.ssl_names[place][0].to_owned())
    }

    /// The mode of a name in a URI; `None` for the usual one.
    pub fn ssl_mode_of(&self, name: &str) -> Option<String> {
        let plain = |text: &str| text.to_ascii_lowercase().replace('_', "-");
        let is_known = |names: &&[&str]| names.iter().any(|known| plain(known) == plain(name));
        let mode = match self.ssl_names.iter().position(is_known) {
            Some(place) => modes().nth(place).unwrap_or_default().to_owned(),
            None => name.to_owned(),
        };
        Some(mode).filter(|mode| !mode.is_empty())
    }
}

/// Those of [`SSL_MODES`], then none.
fn modes() -> impl Iterator<Item = &'static str> {
    SSL_MODES.into_iter().map(|(mode, _)| mode).chain([SSL_OFF])
}

/// The form of a kind; `None` for files.
pub fn server_form(kind: SourceKind) -> Option<&'static ServerForm> {
    match kind {
        SourceKind::Postgresql => Some(&postgresql::FORM),
        SourceKind::Mysql => Some(&mysql::MYSQL),
        SourceKind::Mariadb => Some(&mysql::MARIADB),
        SourceKind::Sqlite => None,
    }
}

/// The same for a kind as the API spells it; one that this build does not know looks like the first.
pub fn form_of(kind: &str) -> Option<&'static ServerForm> {
    server_form(SourceKind::of(kind).unwrap_or(SourceKind::ALL[0]))
}

/// A URI to begin with.
pub fn example(kind: &str) -> String {
    match form_of(kind) {
        Some(form) => format!("jdbc:{}://host:{}/database", form.schemes[0], form.port),
        None => sqlite::EXAMPLE.into(),
    }
}

/// How URIs of all kinds begin, in words.
pub fn beginnings() -> String {
    let begins = |kind: SourceKind| match server_form(kind) {
        Some(form) => format!("jdbc:{}://", form.schemes[0]),
        None => sqlite::BEGINNING.into(),
    };
    let all = SourceKind::ALL.map(begins);
    let (last, others) = all.split_last().expect("there are kinds");
    format!("{} or {last}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_written_and_read_by_the_names_of_their_kind() {
        let check = |form: &ServerForm, mode: &str, name: &str| {
            assert_eq!(form.ssl_name(mode), name);
            assert_eq!(form.ssl_mode_of(name).unwrap_or_default(), mode);
        };
        for (mode, postgresql, mysql, mariadb) in [
            ("require", "require", "REQUIRED", "trust"),
            ("verify-ca", "verify-ca", "VERIFY_CA", "verify-ca"),
            ("verify-full", "verify-full", "VERIFY_IDENTITY", "verify-full"),
            (SSL_OFF, "disable", "DISABLED", "disable"),
            ("", "prefer", "PREFERRED", "preferred"),
            ("allow", "allow", "allow", "allow"),
        ] {
            check(&postgresql::FORM, mode, postgresql);
            check(&mysql::MYSQL, mode, mysql);
            check(&mysql::MARIADB, mode, mariadb);
        }
        assert_eq!(mysql::MYSQL.ssl_mode_of("verify_full").as_deref(), Some("verify-full"));
    }

    #[test]
    fn uris_begin_as_the_server_reads_them() {
        for kind in SourceKind::ALL {
            assert_eq!(SourceKind::of_url(&example(kind.code())), Some(kind));
        }
        assert_eq!(
            beginnings(),
            "jdbc:postgresql://, jdbc:mysql://, jdbc:mariadb:// or jdbc:sqlite:"
        );
    }
}
