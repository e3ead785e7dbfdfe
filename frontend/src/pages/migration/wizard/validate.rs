//! What is missing or wrong in a draft, by field.

use super::draft::{DestinationDraft, Draft, SourceDraft};
use super::steps::Step;

/// The fields that can be wrong before the server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldId {
    SourceUri,
    SourceHost,
    SourcePort,
    SourceDatabase,
    DestinationUri,
    ErrorLimit,
}

impl Step {
    /// The fields that have to be right before the step is left.
    pub fn fields(self) -> impl Iterator<Item = FieldId> {
        let fields: &[FieldId] = match self {
            Step::Source => &[
                FieldId::SourceUri,
                FieldId::SourceHost,
                FieldId::SourcePort,
                FieldId::SourceDatabase,
            ],
            Step::Destination => &[FieldId::DestinationUri],
            Step::Options => &[FieldId::ErrorLimit],
            Step::Review => &[],
        };
        fields.iter().copied()
    }
}

/// What is wrong with a field, and what to write instead.
pub fn problem_of(draft: &Draft, field: FieldId) -> Option<String> {
    let source = &draft.source;
    match field {
        FieldId::SourceUri if source.is_manual_uri => source_uri_problem(source),
        FieldId::SourceHost | FieldId::SourcePort | FieldId::SourceDatabase
            if !source.saved.is_empty() && !source.has_address() =>
        {
            None
        }
        FieldId::SourceHost if !source.is_manual_uri => missing(&source.host, "Enter the host of the server."),
        FieldId::SourcePort if !source.is_manual_uri => port_problem(&source.port),
        FieldId::SourceDatabase if !source.is_manual_uri => missing(&source.database, "Enter the database."),
        FieldId::SourceUri | FieldId::SourceHost | FieldId::SourcePort | FieldId::SourceDatabase => None,
        FieldId::DestinationUri => destination_problem(&draft.destination),
        FieldId::ErrorLimit => {
            let is_number = draft.options.error_limit.trim().parse::<u64>().is_ok();
            (draft.options.has_error_limit && !is_number).then(|| "Enter a whole number, 0 or more.".into())
        }
    }
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

fn source_uri_problem(source: &SourceDraft) -> Option<String> {
    let uri = source.uri.trim();
    match uri {
        "" if !source.saved.is_empty() => None,
        "" => Some("Enter the URI: jdbc:postgresql://host:5432/database.".into()),
        _ if is_masked(uri) => Some(MASKED.into()),
        _ if SOURCE_SCHEMES.iter().any(|scheme| uri.starts_with(scheme)) => None,
        _ => Some("The URI of a PostgreSQL source begins with jdbc:postgresql:// or postgresql://.".into()),
    }
}

fn destination_problem(destination: &DestinationDraft) -> Option<String> {
    let uri = destination.uri.trim();
    let rest = uri
        .strip_prefix("mongodb://")
        .or_else(|| uri.strip_prefix("mongodb+srv://"));
    match (uri, rest) {
        ("", _) if !destination.saved.is_empty() => None,
        ("", _) => Some("Enter the URI: mongodb://host:27017/database.".into()),
        (_, None) => Some("A MongoDB URI begins with mongodb:// or mongodb+srv://.".into()),
        (uri, Some(_)) if is_masked(uri) => Some(MASKED.into()),
        (_, Some(rest)) if has_database(rest) => None,
        (_, Some(_)) => Some("The URI names no database. Write it behind the host: mongodb://host:27017/shop.".into()),
    }
}

const MASKED: &str = "The password is hidden as ***. Enter it again.";

/// Whether the password of the URI is the mask that answers of the API have in its place.
fn is_masked(uri: &str) -> bool {
    uri.contains(":***@") || uri.contains("assword=***")
}

/// Of what stands behind the scheme.
fn has_database(rest: &str) -> bool {
    let path = rest.split('?').next().unwrap_or_default();
    path.split_once('/').is_some_and(|(_, database)| !database.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut Draft)) -> Draft {
        let mut draft = Draft::default();
        change(&mut draft);
        draft
    }

    #[test]
    fn source_uris() {
        let check = |saved: &str, uri: &str, is_right: bool| {
            let draft = with(|d| (d.source.saved, d.source.uri) = (saved.into(), uri.into()));
            assert_eq!(problem_of(&draft, FieldId::SourceUri).is_none(), is_right, "{uri}");
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
        let form = with(|d| d.source.is_manual_uri = false);
        let problems = |draft: &Draft| {
            Step::Source
                .fields()
                .filter(|f| problem_of(draft, *f).is_some())
                .collect::<Vec<_>>()
        };
        assert_eq!(problems(&form), [FieldId::SourceHost, FieldId::SourceDatabase]);
        assert_eq!(problems(&Draft::default()), [FieldId::SourceUri]);
        let saved = with(|d| (d.source.is_manual_uri, d.source.saved) = (false, "c1".into()));
        assert_eq!(problems(&saved), []);
        let filled = with(|d| {
            d.source.is_manual_uri = false;
            d.source.host = "h".into();
            d.source.port = "70000".into();
            d.source.database = "db".into();
        });
        assert_eq!(problems(&filled), [FieldId::SourcePort]);
    }

    #[test]
    fn destination_uris() {
        let check = |uri: &str, expected: Option<&str>| {
            let draft = with(|d| d.destination.uri = uri.into());
            let problem = problem_of(&draft, FieldId::DestinationUri);
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
    }

    #[test]
    fn the_limit_of_errors() {
        let check = |has_limit, text: &str, is_right: bool| {
            let draft = with(|d| (d.options.has_error_limit, d.options.error_limit) = (has_limit, text.into()));
            assert_eq!(problem_of(&draft, FieldId::ErrorLimit).is_none(), is_right);
        };
        check(true, "100", true);
        check(true, "0", true);
        check(true, "-1", false);
        check(true, "", false);
        check(false, "", true);
    }
}
