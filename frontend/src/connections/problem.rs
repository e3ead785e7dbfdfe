//! What is missing or wrong in a draft, and what to write instead.

use super::draft::{DestinationDraft, SourceDraft};
use super::kinds::{beginnings, example};
use super::url::source_url;
use godwit_shared::connection::{CONNECTION_NAME_LENGTH_MAX, SavedJdbcConnection, SavedMongodbConnection, SourceKind};

/// The fields of a source that can be wrong before the server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceField {
    Uri,
    Host,
    Port,
}

impl SourceField {
    pub const ALL: [SourceField; 3] = [SourceField::Uri, SourceField::Host, SourceField::Port];
}

/// What the server knows of connections already.
#[derive(Debug, Clone, Copy, Default)]
pub struct KnownSources<'a> {
    /// The one that is being changed.
    pub changed: Option<&'a SavedJdbcConnection>,
    /// Those that may be chosen.
    pub saved: &'a [SavedJdbcConnection],
}

impl<'a> KnownSources<'a> {
    pub fn saved(saved: &'a [SavedJdbcConnection]) -> Self {
        Self { changed: None, saved }
    }

    pub fn changed(changed: Option<&'a SavedJdbcConnection>) -> Self {
        Self { changed, saved: &[] }
    }
}

/// What is missing or wrong at a field. An address that is left as it was saved needs no password in it.
pub fn source_problem(source: &SourceDraft, known: KnownSources<'_>, field: SourceField) -> Option<String> {
    let is_left = known.changed.is_some_and(|changed| changed.url == source_url(source));
    let is_choice = !source.saved.is_empty() && !source.has_address();
    match (field, source.is_manual_uri) {
        (_, _) if is_choice || is_left => None,
        (SourceField::Uri, true) => source_uri_problem(&source.uri, &source.kind),
        (SourceField::Host, false) => missing(&source.host, "Enter the host of the server."),
        (SourceField::Port, false) => port_problem(&source.port),
        (SourceField::Uri, false) | (SourceField::Host | SourceField::Port, true) => None,
    }
}

/// Whether nothing is missing or wrong.
pub fn is_source_complete(source: &SourceDraft, known: KnownSources<'_>) -> bool {
    let mut fields = SourceField::ALL.into_iter();
    fields.all(|field| source_problem(source, known, field).is_none())
}

/// Whether the server has the password of a saved connection, with it or in its URI.
pub fn has_stored_password(connection: &SavedJdbcConnection) -> bool {
    connection.has_password || is_masked(&connection.url)
}

fn missing(text: &str, message: &str) -> Option<String> {
    text.trim().is_empty().then(|| message.into())
}

fn port_problem(port: &str) -> Option<String> {
    match port.trim().parse::<u16>() {
        Ok(1..) => None,
        Ok(0) | Err(_) => Some("A port is a number from 1 to 65535.".into()),
    }
}

fn source_uri_problem(uri: &str, kind: &str) -> Option<String> {
    let uri = uri.trim();
    match uri {
        "" => Some(format!("Enter the URI: {}.", example(kind))),
        _ if is_masked(uri) => Some(MASKED.into()),
        _ => match SourceKind::of_url(uri) {
            Some(SourceKind::Postgresql | SourceKind::Mysql | SourceKind::Mariadb) if uri.contains("://") => None,
            Some(SourceKind::Sqlite) => None,
            Some(SourceKind::Postgresql | SourceKind::Mysql | SourceKind::Mariadb) | None => {
                Some(format!("A URI begins with {}.", beginnings()))
            }
        },
    }
}

/// The fields of a destination that can be wrong before the server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestinationField {
    Uri,
    Database,
}

/// Of a destination for a job: something has to name its database.
pub fn destination_problem(
    destination: &DestinationDraft,
    saved: &[SavedMongodbConnection],
    field: DestinationField,
) -> Option<String> {
    let uri = destination.uri.trim();
    let chosen = saved
        .iter()
        .find(|c| uri.is_empty() && c.id.as_str() == destination.saved);
    let of_uri = match chosen {
        Some(_) => None,
        None => mongodb_uri_problem(uri),
    };
    let names_database = match chosen {
        Some(c) => c.database.is_some() || has_database(&c.connection_string),
        None => has_database(uri),
    };
    match field {
        DestinationField::Uri => of_uri,
        DestinationField::Database => {
            let is_missing = of_uri.is_none() && !names_database && destination.database.trim().is_empty();
            is_missing.then(|| NO_DATABASE.into())
        }
    }
}

/// Whether nothing is missing or wrong for a job.
pub fn is_destination_complete(destination: &DestinationDraft, saved: &[SavedMongodbConnection]) -> bool {
    let mut fields = [DestinationField::Uri, DestinationField::Database].into_iter();
    fields.all(|field| destination_problem(destination, saved, field).is_none())
}

/// Of a URI that may leave the database to the job.
pub fn mongodb_uri_problem(uri: &str) -> Option<String> {
    let uri = uri.trim();
    let is_known = ["mongodb://", "mongodb+srv://"]
        .iter()
        .any(|scheme| uri.starts_with(scheme));
    match uri {
        "" => Some("Enter the URI: mongodb://host:27017/database.".into()),
        _ if !is_known => Some("A MongoDB URI begins with mongodb:// or mongodb+srv://.".into()),
        _ if is_masked(uri) => Some(MASKED.into()),
        _ => None,
    }
}

/// The same for a connection that is being changed: a URI that is left as it is needs no password in it.
pub fn mongodb_uri_problem_of(uri: &str, changed: Option<&SavedMongodbConnection>) -> Option<String> {
    let is_left = changed.is_some_and(|changed| changed.connection_string == uri.trim());
    mongodb_uri_problem(uri).filter(|_| !is_left)
}

const NO_DATABASE: &str = "Enter the database: the URI names none.";
const MASKED: &str = "The password is hidden as ***. Enter it again.";

/// What is wrong with the name of a connection; whether it may be blank is for the form to say.
pub fn connection_name_problem(name: &str) -> Option<String> {
    let length = name.trim().chars().count();
    (length > CONNECTION_NAME_LENGTH_MAX)
        .then(|| format!("At most {CONNECTION_NAME_LENGTH_MAX} characters; this name has {length}."))
}

/// Whether the password of the URI is the mask that answers of the API have in its place.
pub fn is_masked(uri: &str) -> bool {
    uri.contains(":***@") || uri.contains("assword=***")
}

fn has_database(uri: &str) -> bool {
    let rest = uri.split_once("://").map_or("", |(_, rest)| rest);
    let place = rest.split('?').next().unwrap_or_default();
    place.split_once('/').is_some_and(|(_, database)| !database.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_uris() {
        let check = |saved: &str, uri: &str, is_right: bool| {
            let source = SourceDraft {
                saved: saved.into(),
                uri: uri.into(),
                ..Default::default()
            };
            assert_eq!(
                source_problem(&source, KnownSources::default(), SourceField::Uri).is_none(),
                is_right,
                "{uri}"
            );
        };
        check("", "", false);
        check("c1", "", true);
        check("", "jdbc:postgresql://h:5432/db", true);
        check("", " postgres://u:p@h/db ", true);
        check("", "jdbc:mysql://h/db", true);
        check("", "jdbc:sqlite:shop.db", true);
        check("", "jdbc:mysql:h/db", false);
        check("", "jdbc:oracle:thin:@h:1521/db", false);
        check("c1", "h:5432", false);
        check("", "postgres://u:***@h/db", false);
        check("", "jdbc:postgresql://h/db?password=***", false);
    }

    #[test]
    fn only_the_fields_of_the_form_in_sight_count() {
        let problems = |source: &SourceDraft| {
            let all = SourceField::ALL.into_iter();
            all.filter(|f| source_problem(source, KnownSources::default(), *f).is_some())
                .collect::<Vec<_>>()
        };
        let form = SourceDraft {
            is_manual_uri: false,
            ..Default::default()
        };
        assert_eq!(problems(&form), [SourceField::Host]);
        assert_eq!(problems(&SourceDraft::default()), [SourceField::Uri]);
        let saved = SourceDraft {
            saved: "c1".into(),
            ..form.clone()
        };
        assert_eq!(problems(&saved), []);
        let filled = SourceDraft {
            host: "h".into(),
            port: "70000".into(),
            ..form
        };
        assert_eq!(problems(&filled), [SourceField::Port]);
        assert!(!is_source_complete(&filled, KnownSources::default()));
    }

    /// The server may know its users otherwise: by a certificate, by the user of the socket, or trust all of them.
    #[test]
    fn no_password_has_to_be_entered() {
        let chosen = SourceDraft {
            saved: "c1".into(),
            ..Default::default()
        };
        assert!(is_source_complete(&chosen, KnownSources::default()));
    }

    #[test]
    fn an_address_that_is_left_as_it_is_may_be_masked() {
        let url = "postgres://u:***@h/db";
        let saved = SavedJdbcConnection {
            id: godwit_shared::ids::ConnectionId::new("c"),
            name: "Shop".into(),
            kind: "POSTGRESQL".into(),
            url: url.into(),
            user: None,
            environment_tag: Default::default(),
            has_password: false,
            has_ssl_root_cert: false,
        };
        let mut source = SourceDraft::of(&saved);
        let changed = KnownSources::changed(Some(&saved));
        assert!(is_source_complete(&source, changed));
        assert!(!is_source_complete(&source, KnownSources::default()));
        source.uri = "postgres://u:***@elsewhere/db".into();
        assert!(!is_source_complete(&source, changed));
    }

    #[test]
    fn destination_uris() {
        let check = |uri: &str, expected: [Option<&str>; 2]| {
            let destination = DestinationDraft {
                uri: uri.into(),
                ..Default::default()
            };
            let fields = [DestinationField::Uri, DestinationField::Database];
            for (field, expected) in fields.into_iter().zip(expected) {
                let problem = destination_problem(&destination, &[], field);
                match expected {
                    None => assert_eq!(problem, None, "{uri}"),
                    Some(part) => assert!(problem.is_some_and(|p| p.contains(part)), "{uri}"),
                }
            }
        };
        check("mongodb://h:27017/shop", [None, None]);
        check("mongodb://u:p%40@h1:1,h2:2/shop?replicaSet=rs0", [None, None]);
        check("mongodb+srv://h/shop", [None, None]);
        check("mongodb://h:27017", [None, Some("names none")]);
        check("mongodb://h:27017/?w=1", [None, Some("names none")]);
        check("mongodb://u:***@h/shop", [Some("again"), None]);
        check("postgres://h/db", [Some("begins with"), None]);
        check("", [Some("Enter the URI"), None]);
        assert_eq!(mongodb_uri_problem("mongodb://h:27017"), None);
    }

    #[test]
    fn a_saved_destination_without_a_database_needs_one() {
        let check = |uri: &str, own: Option<&str>, typed: &str, is_right: bool| {
            let saved = [SavedMongodbConnection {
                id: godwit_shared::ids::ConnectionId::new("m1"),
                name: "Main".into(),
                connection_string: uri.into(),
                database: own.map(String::from),
                user: None,
                environment_tag: Default::default(),
                has_password: false,
                has_tls_ca: false,
                has_tls_certificate_key: false,
            }];
            let destination = DestinationDraft {
                saved: "m1".into(),
                database: typed.into(),
                ..Default::default()
            };
            assert_eq!(is_destination_complete(&destination, &saved), is_right, "{uri}");
        };
        check("mongodb://u:***@h", None, "", false);
        check("mongodb://u:***@h", None, "shop", true);
        check("mongodb://u:***@h", Some("shop"), "", true);
        check("mongodb://u:***@h/shop", None, " ", true);
    }

    #[test]
    fn names_of_connections() {
        assert_eq!(connection_name_problem(&"ü".repeat(100)), None);
        assert!(connection_name_problem(&"x".repeat(101)).is_some_and(|p| p.contains("101")));
    }
}
