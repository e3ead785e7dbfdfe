//! What is sent for a draft.

use super::draft::{DestinationDraft, SourceDraft};
use super::url::source_url;
use godwit_shared::connection::{
    JdbcConnectionDetails, MongodbConnectionDetails, SavedJdbcConnection, SavedMongodbConnection,
};
use godwit_shared::ids::ConnectionId;

/// The source, for a job, a test, a schema or a preview.
pub fn source_details(source: &SourceDraft) -> JdbcConnectionDetails {
    JdbcConnectionDetails {
        kind: source.kind.clone(),
        url: source_url(source),
        user: given(&source.user),
        password: given_exactly(&source.password),
        existing_connection_id: given(&source.saved)
            .filter(|_| !source.has_address())
            .map(ConnectionId::new),
        is_manual_uri: source.is_manual_uri,
        ssl_root_cert_content: given(&source.root_certificate_content).filter(|_| source.use_ssl),
        ..Default::default()
    }
}

/// As [`source_details`], of a saved connection that is being changed: the server adds its password, where the address
/// is still the saved one.
pub fn details_of_change(source: &SourceDraft, changed: Option<&SavedJdbcConnection>) -> JdbcConnectionDetails {
    let mut details = source_details(source);
    if let Some(changed) = changed {
        details.existing_connection_id = Some(changed.id.clone());
    }
    details
}

pub fn destination_details(destination: &DestinationDraft) -> MongodbConnectionDetails {
    MongodbConnectionDetails {
        connection_string: destination.uri.trim().to_owned(),
        existing_connection_id: given(&destination.saved)
            .filter(|_| destination.uri.trim().is_empty())
            .map(ConnectionId::new),
        database: given(&destination.database),
        user: given(&destination.user),
        password: given_exactly(&destination.password),
        tls_ca_content: given(&destination.ca),
        tls_certificate_key_content: given(&destination.certificate_key),
        ..Default::default()
    }
}

/// As [`destination_details`], of a saved connection that is being changed: the server adds its password, where the
/// address is still the saved one.
pub fn details_of_changed_destination(
    destination: &DestinationDraft,
    changed: Option<&SavedMongodbConnection>,
) -> MongodbConnectionDetails {
    let mut details = destination_details(destination);
    let is_left = |c: &&SavedMongodbConnection| c.connection_string == details.connection_string;
    if let Some(changed) = changed.filter(is_left) {
        details.existing_connection_id = Some(changed.id.clone());
    }
    details
}

/// What was typed, without the blanks around it.
pub fn given(text: &str) -> Option<String> {
    given_exactly(text.trim())
}

/// Passwords may begin and end with blanks.
pub fn given_exactly(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_connection_needs_nothing_else() {
        let mut source = SourceDraft {
            saved: "c1".into(),
            ..Default::default()
        };
        let details = source_details(&source);
        assert_eq!((details.url.as_str(), details.user, details.password), ("", None, None));
        assert_eq!(details.existing_connection_id, Some(ConnectionId::new("c1")));
        source.is_manual_uri = false;
        assert_eq!(source_details(&source).url, "");
        let destination = DestinationDraft {
            saved: "c2".into(),
            uri: " ".into(),
            database: " shop ".into(),
            ..Default::default()
        };
        assert_eq!(destination_details(&destination).database.as_deref(), Some("shop"));
        assert_eq!(
            destination_details(&destination).existing_connection_id,
            Some(ConnectionId::new("c2"))
        );
    }

    #[test]
    fn a_stored_password_does_not_go_to_another_address() {
        let source = SourceDraft {
            saved: "c1".into(),
            uri: "postgres://elsewhere/db".into(),
            ..Default::default()
        };
        assert_eq!(source_details(&source).existing_connection_id, None);
        let destination = DestinationDraft {
            saved: "c2".into(),
            uri: "mongodb://elsewhere/db".into(),
            ..Default::default()
        };
        assert_eq!(destination_details(&destination).existing_connection_id, None);
    }
}
