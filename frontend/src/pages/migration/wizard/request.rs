//! What is sent for a draft.

use super::draft::{DestinationDraft, Draft, OptionsDraft, SourceDraft};
use godwit_shared::connection::{JdbcConnectionDetails, MongodbConnectionDetails};
use godwit_shared::ids::{ConnectionId, ProjectId};
use godwit_shared::job::{
    CollectionFilters, ErrorHandling, JobOptions, MigrationMode, PostMigrationJobRequest, VerificationRequest,
};

const KIND: &str = "POSTGRESQL";

pub fn job_request(draft: &Draft, project: &ProjectId) -> PostMigrationJobRequest {
    PostMigrationJobRequest {
        project_id: project.clone(),
        jdbc_connection_details: source_details(&draft.source),
        mongodb_connection_details: destination_details(&draft.destination),
        options: options(&draft.options),
        verification: VerificationRequest::default(),
        relational_table_filters: Default::default(),
        collection_filters: CollectionFilters::default(),
    }
}

/// The source, for a job, a test or a preview.
pub fn source_details(source: &SourceDraft) -> JdbcConnectionDetails {
    JdbcConnectionDetails {
        kind: KIND.into(),
        url: source_url(source),
        user: given(&source.user),
        password: given_exactly(&source.password),
        existing_connection_id: given(&source.saved)
            .filter(|_| !source.has_address())
            .map(ConnectionId::new),
        is_manual_uri: source.is_manual_uri,
        ..Default::default()
    }
}

pub fn destination_details(destination: &DestinationDraft) -> MongodbConnectionDetails {
    MongodbConnectionDetails {
        connection_string: destination.uri.trim().to_owned(),
        existing_connection_id: given(&destination.saved)
            .filter(|_| destination.uri.trim().is_empty())
            .map(ConnectionId::new),
        ..Default::default()
    }
}

pub fn mode(options: &OptionsDraft) -> MigrationMode {
    match options.is_continuous {
        true => MigrationMode::Cdc,
        false => MigrationMode::Snapshot,
    }
}

fn options(options: &OptionsDraft) -> JobOptions {
    JobOptions {
        mode: mode(options),
        drop_collections: options.drop_collections,
        error_handling: ErrorHandling::Fail,
        error_tolerance: options
            .error_limit
            .trim()
            .parse()
            .ok()
            .filter(|_| options.has_error_limit),
        prepare_source: options.is_continuous && options.prepare_source,
    }
}

/// The URL of the draft with its SSL mode; empty where a saved connection says everything.
pub fn source_url(source: &SourceDraft) -> String {
    let base = match source.is_manual_uri {
        true => source.uri.trim().to_owned(),
        false => form_url(source),
    };
    let says_itself = base.contains("sslmode=");
    match source.ssl_mode.as_str() {
        "" => base,
        _ if base.is_empty() || says_itself => base,
        mode => {
            let separator = if base.contains('?') { '&' } else { '?' };
            format!("{base}{separator}sslmode={mode}")
        }
    }
}

fn form_url(source: &SourceDraft) -> String {
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
    format!("jdbc:postgresql://{host}:{}/{database}", source.port.trim())
}

/// Percent escapes for everything that is not plain in a path.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn given(text: &str) -> Option<String> {
    given_exactly(text.trim())
}

/// Passwords may begin and end with blanks.
fn given_exactly(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn urls_of_the_form_and_of_the_uri() {
        let form = |host: &str, database: &str, ssl_mode: &str| {
            source_url(&SourceDraft {
                is_manual_uri: false,
                host: host.into(),
                database: database.into(),
                ssl_mode: ssl_mode.into(),
                ..Default::default()
            })
        };
        assert_eq!(form(" h ", "shop", ""), "jdbc:postgresql://h:5432/shop");
        assert_eq!(
            form("::1", "a b/ü", "require"),
            "jdbc:postgresql://[::1]:5432/a%20b%2F%C3%BC?sslmode=require"
        );
        let uri = |uri: &str, ssl_mode: &str| {
            source_url(&SourceDraft {
                uri: uri.into(),
                ssl_mode: ssl_mode.into(),
                ..Default::default()
            })
        };
        assert_eq!(
            uri("postgres://h/db?a=1", "require"),
            "postgres://h/db?a=1&sslmode=require"
        );
        assert_eq!(
            uri("postgres://h/db?sslmode=disable", "require"),
            "postgres://h/db?sslmode=disable"
        );
        assert_eq!(uri("", "require"), "");
    }

    #[test]
    fn the_body_of_a_new_job() {
        let mut draft = Draft::default();
        draft.source.uri = "jdbc:postgresql://h:5432/shop".into();
        draft.source.user = "u ".into();
        draft.source.password = " p".into();
        draft.destination.uri = "mongodb://h/shop".into();
        draft.options.drop_collections = true;
        let body = serde_json::to_value(job_request(&draft, &ProjectId::new("p1"))).unwrap();
        assert_eq!(
            body,
            json!({
                "projectId": "p1",
                "jdbcConnectionDetails": {"type": "POSTGRESQL", "url": "jdbc:postgresql://h:5432/shop", "user": "u",
                    "password": " p", "savePassword": false, "isManualUri": true},
                "mongodbConnectionDetails": {"connectionString": "mongodb://h/shop", "savePassword": false},
                "options": {"mode": "SNAPSHOT", "dropCollections": true, "errorHandling": "FAIL", "errorTolerance": 100,
                    "prepareSource": false},
                "verification": {"enabled": false},
                "collectionFilters": {}
            })
        );
    }

    #[test]
    fn a_saved_connection_needs_nothing_else_and_no_limit_means_never() {
        let mut draft = Draft::default();
        draft.source.saved = "c1".into();
        draft.destination.saved = "c2".into();
        draft.options.has_error_limit = false;
        let request = job_request(&draft, &ProjectId::new("p1"));
        let source = request.jdbc_connection_details;
        assert_eq!((source.url.as_str(), source.user, source.password), ("", None, None));
        assert_eq!(source.existing_connection_id, Some(ConnectionId::new("c1")));
        assert_eq!(
            request.mongodb_connection_details.existing_connection_id,
            Some(ConnectionId::new("c2"))
        );
        assert_eq!(request.options.error_tolerance, None);
        draft.source.is_manual_uri = false;
        assert_eq!(source_details(&draft.source).url, "");
    }

    #[test]
    fn the_source_is_prepared_for_continuous_jobs_only() {
        let mut draft = Draft::default();
        draft.options.prepare_source = true;
        let options = |draft: &Draft| {
            let options = job_request(draft, &ProjectId::new("p1")).options;
            (options.mode, options.prepare_source)
        };
        assert_eq!(options(&draft), (MigrationMode::Snapshot, false));
        draft.options.is_continuous = true;
        assert_eq!(options(&draft), (MigrationMode::Cdc, true));
    }

    #[test]
    fn a_stored_password_does_not_go_to_another_address() {
        let mut draft = Draft::default();
        draft.source.saved = "c1".into();
        draft.source.uri = "postgres://elsewhere/db".into();
        draft.destination.saved = "c2".into();
        draft.destination.uri = "mongodb://elsewhere/db".into();
        assert_eq!(source_details(&draft.source).existing_connection_id, None);
        assert_eq!(destination_details(&draft.destination).existing_connection_id, None);
    }
}
