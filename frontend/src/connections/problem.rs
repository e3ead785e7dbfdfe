//! What is missing or wrong in a draft, and what to write instead.

use super::draft::{DestinationDraft, SourceDraft};
use super::url::source_url;
use godwit_shared::connection::{SavedJdbcConnection, SavedMongodbConnection};

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

pub fn source_problem(source: &SourceDraft, field: SourceField) -> Option<String> {
    let is_saved_one = !source.saved.is_empty() && !source.has_address();
    match (field, source.is_manual_uri) {
        (_, _) if is_saved_one => None,
        (SourceField::Uri, true) => source_uri_problem(&source.uri),
        (SourceField::Host, false) => missing(&source.host, "Enter the host of the server."),
        (SourceField::Port, false) => port_problem(&source.port),
        (SourceField::Uri, false) | (SourceField::Host | SourceField::Port, true) => None,
    }
}

/// The same for a connection that is being changed: an address that is left as it is needs no password in it.
pub fn source_problem_of(
    source: &SourceDraft,
    changed: Option<&SavedJdbcConnection>,
    field: SourceField,
) -> Option<String> {
    let is_left = changed.is_some_and(|changed| changed.url == source_url(source));
    source_problem(source, field).filter(|_| !is_left)
}

/// Whether nothing is missing or wrong.
pub fn is_source_complete(source: &SourceDraft, changed: Option<&SavedJdbcConnection>) -> bool {
    let mut fields = SourceField::ALL.into_iter();
    fields.all(|field| source_problem_of(source, changed, field).is_none())
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

const SOURCE_SCHEMES: [&str; 3] = ["jdbc:postgresql://", "postgresql://", "postgres://"];

fn source_uri_problem(uri: &str) -> Option<String> {
    let uri = uri.trim();
    match uri {
        "" => Some("Enter the URI: jdbc:postgresql://host:5432/database.".into()),
        _ if is_masked(uri) => Some(MASKED.into()),
        _ if SOURCE_SCHEMES.iter().any(|scheme| uri.starts_with(scheme)) => None,
        _ => Some("The URI of a PostgreSQL source begins with jdbc:postgresql:// or postgresql://.".into()),
    }
}

/// Of a destination for a job: it has to name its database.
pub fn destination_problem(destination: &DestinationDraft) -> Option<String> {
    match destination.uri.trim() {
        "" if !destination.saved.is_empty() => None,
        uri => mongodb_uri_problem(uri).or_else(|| (!has_database(uri)).then(|| NO_DATABASE.into())),
    }
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

const NO_DATABASE: &str = "The URI names no database. Write it behind the host: mongodb://host:27017/shop.";
const MASKED: &str = "The password is hidden as ***. Enter it again.";

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
            assert_eq!(source_problem(&source, SourceField::Uri).is_none(), is_right, "{uri}");
        };
        check("", "", false);
        check("c1", "", true);
        check("", "jdbc:postgresql://h:5432/db", true);
        check("", " postgres://u:p@h/db ", true);
        check("", "jdbc:mysql://h/db", false);
        check("c1", "h:5432", false);
        check("", "postgres://u:***@h/db", false);
        check("", "jdbc:postgresql://h/db?password=***", false);
    }

    #[test]
    fn only_the_fields_of_the_form_in_sight_count() {
        let problems = |source: &SourceDraft| {
            let all = SourceField::ALL.into_iter();
            all.filter(|f| source_problem(source, *f).is_some()).collect::<Vec<_>>()
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
        assert!(!is_source_complete(&filled, None));
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
        };
        let mut source = SourceDraft::of(&saved);
        assert!(is_source_complete(&source, Some(&saved)));
        assert!(!is_source_complete(&source, None));
        source.uri = "postgres://u:***@elsewhere/db".into();
        assert!(!is_source_complete(&source, Some(&saved)));
    }

    #[test]
    fn destination_uris() {
        let check = |uri: &str, expected: Option<&str>| {
            let destination = DestinationDraft {
                uri: uri.into(),
                ..Default::default()
            };
            let problem = destination_problem(&destination);
            match expected {
                None => assert_eq!(problem, None, "{uri}"),
                Some(part) => assert!(problem.is_some_and(|p| p.contains(part)), "{uri}"),
            }
        };
        check("mongodb://h:27017/shop", None);
        check("mongodb://u:p%40@h1:1,h2:2/shop?replicaSet=rs0", None);
        check("mongodb+srv://h/shop", None);
        check("mongodb://h:27017", Some("no database"));
        check("mongodb://h:27017/?w=1", Some("no database"));
        check("mongodb://u:***@h/shop", Some("again"));
        check("postgres://h/db", Some("begins with"));
        check("", Some("Enter the URI"));
        assert_eq!(mongodb_uri_problem("mongodb://h:27017"), None);
    }
}
