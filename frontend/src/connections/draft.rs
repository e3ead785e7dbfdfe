//! What the user has entered of a connection so far.

use super::kinds::{SSL_OFF, form_of, server_form};
use super::url::{UrlFields, fields_of, source_url};
use godwit_shared::connection::{SavedJdbcConnection, SavedMongodbConnection, SourceKind};
use godwit_shared::ids::ConnectionId;
use godwit_shared::relmig::with_masked_password;
use reactive_stores::Store;
use serde::{Deserialize, Serialize, Serializer};

/// A password is kept in memory alone: what is written down has a mask in its place.
fn without_password<S: Serializer>(uri: &str, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&with_masked_password(uri))
}

/// No `Debug`: it holds passwords. What is serialized has none.
#[derive(Clone, PartialEq, Store, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceDraft {
    /// The id of a saved connection; empty: a new one. A user or password typed besides wins over its own; an address
    /// makes it a new one, so that a stored password never goes to another server.
    pub saved: String,
    /// The kind of database as the API spells it.
    pub kind: String,
    /// One URI instead of host, port and database.
    pub is_manual_uri: bool,
    #[serde(serialize_with = "without_password")]
    pub uri: String,
    pub host: String,
    pub port: String,
    pub database: String,
    pub user: String,
    #[serde(skip)]
    pub password: String,
    pub use_ssl: bool,
    /// A value of [`SSL_MODES`](super::kinds::SSL_MODES), or the name of another one as the URI has it.
    pub ssl_mode: String,
    /// The name of a file of the folder that the server of Godwit may take certificates from.
    pub root_certificate: String,
    /// The certificates that are trusted, in PEM.
    pub root_certificate_content: String,
}

impl SourceDraft {
    /// A new one, with the fields in sight.
    pub fn in_fields() -> Self {
        Self {
            is_manual_uri: false,
            ..Self::default()
        }
    }

    /// Whether it is a file, which has no server to sign on to.
    pub fn is_file(&self) -> bool {
        SourceKind::of(&self.kind) == Some(SourceKind::Sqlite)
    }

    /// The kind is the one of the URI that was typed. What has no fields is named by its URI alone.
    pub fn follow_kind(&mut self) {
        if let Some(kind) = SourceKind::of_url(&self.uri).filter(|_| self.is_manual_uri) {
            self.kind = kind.code().to_owned();
        }
        if form_of(&self.kind).is_none() {
            self.is_manual_uri = true;
        }
    }

    /// Another kind was chosen than before: its servers listen elsewhere.
    pub fn follow_port(&mut self, kind_before: &str) {
        if let (Some(before), Some(now)) = (form_of(kind_before), form_of(&self.kind))
            && self.port.trim() == before.port
        {
            self.port = now.port.into();
        }
    }

    /// A new one of a kind, with the fields in sight where it has some.
    pub fn of_kind(kind: SourceKind) -> Self {
        let usual = Self::in_fields();
        let form = server_form(kind);
        Self {
            kind: kind.code().into(),
            port: form.map_or(usual.port, |form| form.port.into()),
            is_manual_uri: form.is_none(),
            ..usual
        }
    }

    /// Whether an address was typed in, in the form that is in sight.
    pub fn has_address(&self) -> bool {
        let typed = match self.is_manual_uri {
            true => [&self.uri, &self.uri],
            false => [&self.host, &self.database],
        };
        typed.iter().any(|text| !text.trim().is_empty())
    }

    /// A saved connection that is chosen takes the place of what was typed before.
    pub fn choose(&mut self) {
        let kept = (std::mem::take(&mut self.saved), self.is_manual_uri);
        *self = Self::default();
        (self.saved, self.is_manual_uri) = kept;
    }

    /// What was typed has been saved under this id. A password that is not saved with it is still known.
    pub fn become_saved(&mut self, id: &ConnectionId, has_password: bool) {
        let password = std::mem::take(&mut self.password);
        self.saved = id.to_string();
        self.choose();
        if !has_password {
            self.password = password;
        }
    }

    /// What was typed in the form that was in sight before `is_manual_uri` changed is carried over to the other one.
    pub fn carry_over(&mut self) {
        match self.is_manual_uri {
            true => self.fields_to_uri(),
            false => self.uri_to_fields(),
        }
    }

    fn fields_to_uri(&mut self) {
        let from_fields = source_url(&Self {
            is_manual_uri: false,
            ..self.clone()
        });
        let Some(fields) = fields_of(&from_fields) else { return };
        // A URI that leads to the same place stays as it was typed: it may say more.
        if !fields_of(&self.uri).is_some_and(|typed| typed.is_same_place(&fields)) {
            self.uri = from_fields;
        }
    }

    fn uri_to_fields(&mut self) {
        let Some(fields) = fields_of(&self.uri) else { return };
        self.take_fields(fields);
    }

    fn take_fields(&mut self, fields: UrlFields) {
        (self.host, self.port, self.database) = (fields.host, fields.port, fields.database);
        if let Some(user) = fields.user {
            self.user = user;
        }
        if let Some(password) = fields.password {
            self.password = password;
        }
        if let Some(mode) = fields.ssl_mode {
            self.use_ssl = mode != SSL_OFF;
            self.ssl_mode = if self.use_ssl { mode } else { String::new() };
        }
        if let Some(path) = fields.root_certificate {
            self.root_certificate = path;
        }
    }

    /// A saved connection, to be changed. Its password is not known here.
    pub fn of(connection: &SavedJdbcConnection) -> Self {
        let mut draft = Self {
            kind: connection.kind.clone(),
            uri: connection.url.clone(),
            user: connection.user.clone().unwrap_or_default(),
            ..Self::default()
        };
        let Some(fields) = fields_of(&connection.url) else {
            return draft;
        };
        let mut in_fields = draft.clone();
        in_fields.is_manual_uri = false;
        in_fields.take_fields(fields);
        // Fields that would write another URI than the saved one hide what it says.
        if source_url(&in_fields) == connection.url {
            draft = in_fields;
        }
        draft
    }
}

impl Default for SourceDraft {
    fn default() -> Self {
        Self {
            saved: String::new(),
            kind: SourceKind::Postgresql.code().into(),
            is_manual_uri: true,
            uri: String::new(),
            host: String::new(),
            port: form_of("").map_or_else(String::new, |form| form.port.into()),
            database: String::new(),
            user: String::new(),
            password: String::new(),
            use_ssl: true,
            ssl_mode: String::new(),
            root_certificate: String::new(),
            root_certificate_content: String::new(),
        }
    }
}

/// No `Debug`: it holds passwords.
#[derive(Clone, PartialEq, Default, Store, Serialize, Deserialize)]
#[serde(default)]
pub struct DestinationDraft {
    /// The id of a saved connection; empty: a new one. A URI makes it a new one; what is typed besides wins over its own.
    pub saved: String,
    #[serde(serialize_with = "without_password")]
    pub uri: String,
    /// Wins over that of the URI, as user and password do.
    pub database: String,
    pub user: String,
    #[serde(skip)]
    pub password: String,
    /// The certificates that are trusted, in PEM.
    pub ca: String,
    /// Certificate and private key to sign on with, in PEM.
    #[serde(skip)]
    pub certificate_key: String,
}

impl DestinationDraft {
    /// A saved connection, to be changed. Its password is not known here.
    pub fn of(connection: &SavedMongodbConnection) -> Self {
        Self {
            uri: connection.connection_string.clone(),
            database: connection.database.clone().unwrap_or_default(),
            user: connection.user.clone().unwrap_or_default(),
            ..Self::default()
        }
    }

    /// A saved connection that is chosen takes the place of what was typed before.
    pub fn choose(&mut self) {
        *self = Self {
            saved: std::mem::take(&mut self.saved),
            ..Self::default()
        };
    }

    /// As [`SourceDraft::become_saved`].
    pub fn become_saved(&mut self, id: &ConnectionId, has_password: bool) {
        let password = std::mem::take(&mut self.password);
        self.saved = id.to_string();
        self.choose();
        if !has_password {
            self.password = password;
        }
    }
}

/// Whether the mode looks at the certificate of the server.
pub fn verifies(ssl_mode: &str) -> bool {
    ssl_mode.starts_with("verify")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_survives_a_reload_has_no_secrets() {
        let source = SourceDraft {
            uri: "postgres://u:secret@h/db".into(),
            password: "secret".into(),
            host: "h".into(),
            ..Default::default()
        };
        let destination = DestinationDraft {
            uri: "mongodb://u:secret@h/db".into(),
            password: "secret".into(),
            certificate_key: "secret".into(),
            ..Default::default()
        };
        let kept = [serde_json::to_string(&source), serde_json::to_string(&destination)].map(Result::unwrap);
        assert!(kept.iter().all(|text| !text.contains("secret")), "{kept:?}");
        let restored: SourceDraft = serde_json::from_str(&kept[0]).unwrap();
        assert_eq!((&*restored.host, &*restored.uri), ("h", "postgres://u:***@h/db"));
    }

    #[test]
    fn what_was_typed_is_carried_over_to_the_other_form() {
        let mut draft = SourceDraft {
            uri: "postgres://u:p%40@db:5433/shop?sslmode=verify-ca&sslrootcert=/etc/ca.pem".into(),
            is_manual_uri: false,
            ..Default::default()
        };
        draft.carry_over();
        let fields = [&draft.host, &draft.port, &draft.database, &draft.user, &draft.password];
        assert_eq!(fields, ["db", "5433", "shop", "u", "p@"]);
        assert_eq!(
            (draft.use_ssl, &*draft.ssl_mode, &*draft.root_certificate),
            (true, "verify-ca", "/etc/ca.pem")
        );
        draft.host = "other".into();
        draft.is_manual_uri = true;
        draft.carry_over();
        assert_eq!(
            draft.uri,
            "jdbc:postgresql://other:5433/shop?sslmode=verify-ca&sslrootcert=/etc/ca.pem"
        );
    }

    #[test]
    fn a_uri_that_says_more_than_the_fields_survives_a_look_at_them() {
        let uri = "jdbc:postgresql://db/shop?ApplicationName=x";
        let mut draft = SourceDraft {
            uri: uri.into(),
            ..Default::default()
        };
        for is_manual_uri in [false, true] {
            draft.is_manual_uri = is_manual_uri;
            draft.carry_over();
        }
        assert_eq!((&*draft.uri, &*draft.host), (uri, "db"));
    }

    #[test]
    fn the_port_follows_the_kind_as_long_as_it_is_the_usual_one() {
        let port = |port: &str| {
            let mut draft = SourceDraft {
                kind: "MARIADB".into(),
                port: port.into(),
                ..Default::default()
            };
            draft.follow_port("POSTGRESQL");
            draft.port
        };
        assert_eq!((&*port("5432"), &*port("5433")), ("3306", "5433"));
        let of = |kind| {
            let draft = SourceDraft::of_kind(kind);
            (draft.port, draft.is_manual_uri)
        };
        assert_eq!(of(SourceKind::Mysql), ("3306".to_owned(), false));
        assert!(of(SourceKind::Sqlite).1);
    }

    #[test]
    fn what_has_been_saved_is_chosen() {
        let typed = SourceDraft {
            host: "h".into(),
            user: "u".into(),
            password: "p".into(),
            ..SourceDraft::in_fields()
        };
        let saved = |has_password| {
            let mut draft = typed.clone();
            draft.become_saved(&ConnectionId::new("c1"), has_password);
            (draft.saved, draft.host, draft.user, draft.password, draft.is_manual_uri)
        };
        let chosen = |password: &str| ("c1".into(), String::new(), String::new(), password.to_owned(), false);
        assert_eq!(saved(true), chosen(""));
        assert_eq!(saved(false), chosen("p"));
        let mut destination = DestinationDraft {
            uri: "mongodb://h".into(),
            password: "p".into(),
            ..Default::default()
        };
        destination.become_saved(&ConnectionId::new("m1"), false);
        let left = (&*destination.saved, &*destination.uri, &*destination.password);
        assert_eq!(left, ("m1", "", "p"));
    }

    #[test]
    fn a_saved_connection_is_shown_in_fields_where_they_say_all_of_it() {
        let check = |url: &str, is_manual_uri: bool| {
            let draft = SourceDraft::of(&SavedJdbcConnection {
                id: godwit_shared::ids::ConnectionId::new("c"),
                name: "Shop".into(),
                kind: SourceKind::of_url(url).expect("a kind").code().into(),
                url: url.into(),
                user: Some("shop".into()),
                environment_tag: Default::default(),
                has_password: true,
                has_ssl_root_cert: false,
            });
            assert_eq!(draft.is_manual_uri, is_manual_uri, "{url}");
            assert_eq!(draft.user, "shop");
        };
        check("jdbc:postgresql://db:5432/shop?sslmode=disable", false);
        check("jdbc:postgresql://db:5432/shop?ApplicationName=x", true);
        check("postgres://u:***@db/shop", true);
        check("postgres://db/shop", true);
        check("jdbc:mysql://db:3306/shop?sslMode=VERIFY_CA", false);
        check("jdbc:mysql://db:3306/shop?useSSL=false", true);
    }
}
