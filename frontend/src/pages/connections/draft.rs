//! What is entered of a connection that is added or changed, and what is sent for it.

use super::entry::copy_name;
use crate::connections::details::{given, given_exactly};
use crate::connections::draft::{DestinationDraft, SourceDraft};
use crate::connections::environment;
use crate::connections::problem::{KnownSources, connection_name_problem, is_source_complete, mongodb_uri_problem_of};
use crate::connections::url::source_url;
use crate::format::wire_name;
use godwit_shared::connection::{
    EnvironmentTag, SaveJdbcConnection, SaveMongodbConnection, SavedJdbcConnection, SavedMongodbConnection,
};
use reactive_stores::Store;
use serde::{Deserialize, Serialize};

/// What a dialog begins with.
#[derive(Debug, Clone, PartialEq)]
pub enum Start<T> {
    Add,
    Edit(T),
    Copy(T),
}

impl<T> Start<T> {
    pub fn title(&self) -> &'static str {
        match self {
            Start::Add => "Add connection",
            Start::Edit(_) => "Edit connection",
            Start::Copy(_) => "Copy connection",
        }
    }

    /// The connection that is changed.
    pub fn changed(&self) -> Option<&T> {
        match self {
            Start::Edit(connection) => Some(connection),
            Start::Add | Start::Copy(_) => None,
        }
    }
}

/// No `Debug`: it holds passwords.
#[derive(Clone, PartialEq, Default, Store, Serialize, Deserialize)]
#[serde(default)]
pub struct JdbcDraft {
    pub name: String,
    /// A value of [`environment::options`].
    pub tag: String,
    pub save_password: bool,
    pub source: SourceDraft,
}

impl JdbcDraft {
    pub fn of(start: &Start<SavedJdbcConnection>) -> Self {
        let (connection, name) = match start {
            Start::Add => return Self::new(),
            Start::Edit(connection) => (connection, connection.name.clone()),
            Start::Copy(connection) => (connection, copy_name(&connection.name)),
        };
        Self {
            name,
            tag: wire_name(&connection.environment_tag),
            save_password: connection.has_password,
            source: SourceDraft::of(connection),
        }
    }

    fn new() -> Self {
        Self {
            name: String::new(),
            tag: wire_name(&EnvironmentTag::None),
            save_password: true,
            source: SourceDraft::in_fields(),
        }
    }

    /// What is sent to save it.
    pub fn to_save(&self, changed: Option<&SavedJdbcConnection>) -> SaveJdbcConnection {
        SaveJdbcConnection {
            id: changed.map(|c| c.id.clone()),
            name: self.name.trim().to_owned(),
            kind: self.source.kind.clone(),
            url: source_url(&self.source),
            user: given(&self.source.user),
            password: given_exactly(&self.source.password),
            save_password: self.save_password,
            environment_tag: environment::from_value(&self.tag),
            ssl_root_cert_content: given(&self.source.root_certificate_content),
        }
    }

    pub fn is_complete(&self, changed: Option<&SavedJdbcConnection>) -> bool {
        name_problem(&self.name).is_none() && is_source_complete(&self.source, KnownSources::changed(changed))
    }
}

/// No `Debug`: it may hold passwords.
#[derive(Clone, PartialEq, Default, Store, Serialize, Deserialize)]
#[serde(default)]
pub struct MongodbDraft {
    pub name: String,
    /// A value of [`environment::options`].
    pub tag: String,
    pub save_password: bool,
    pub destination: DestinationDraft,
}

impl MongodbDraft {
    pub fn of(start: &Start<SavedMongodbConnection>) -> Self {
        let (connection, name) = match start {
            Start::Add => {
                return Self {
                    tag: wire_name(&EnvironmentTag::None),
                    save_password: true,
                    ..Self::default()
                };
            }
            Start::Edit(connection) => (connection, connection.name.clone()),
            Start::Copy(connection) => (connection, copy_name(&connection.name)),
        };
        Self {
            name,
            tag: wire_name(&connection.environment_tag),
            save_password: connection.has_password || connection.user.is_none(),
            destination: DestinationDraft::of(connection),
        }
    }

    /// What is sent to save it.
    pub fn to_save(&self, changed: Option<&SavedMongodbConnection>) -> SaveMongodbConnection {
        SaveMongodbConnection {
            id: changed.map(|c| c.id.clone()),
            name: self.name.trim().to_owned(),
            connection_string: self.destination.uri.trim().to_owned(),
            database: given(&self.destination.database),
            user: given(&self.destination.user),
            password: given_exactly(&self.destination.password),
            save_password: self.save_password,
            environment_tag: environment::from_value(&self.tag),
            tls_ca_content: given(&self.destination.ca),
            tls_certificate_key_content: given(&self.destination.certificate_key),
        }
    }

    pub fn is_complete(&self, changed: Option<&SavedMongodbConnection>) -> bool {
        name_problem(&self.name).is_none() && mongodb_uri_problem_of(&self.destination.uri, changed).is_none()
    }
}

pub fn name_problem(name: &str) -> Option<String> {
    match name.trim().is_empty() {
        true => Some("Enter a name.".into()),
        false => connection_name_problem(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use godwit_shared::ids::ConnectionId;

    fn saved() -> SavedJdbcConnection {
        SavedJdbcConnection {
            id: ConnectionId::new("c1"),
            name: "Shop".into(),
            kind: "POSTGRESQL".into(),
            url: "jdbc:postgresql://h:5432/shop".into(),
            user: Some("shop".into()),
            environment_tag: EnvironmentTag::Qa,
            has_password: true,
            has_ssl_root_cert: false,
        }
    }

    #[test]
    fn an_edited_connection_keeps_its_id_and_a_copy_gets_none() {
        let sent = |start: Start<SavedJdbcConnection>| JdbcDraft::of(&start).to_save(start.changed());
        let edited = sent(Start::Edit(saved()));
        let user = edited.user.as_deref();
        assert_eq!(
            (edited.id, &*edited.name, &*edited.url, user, edited.password),
            (
                Some(ConnectionId::new("c1")),
                "Shop",
                "jdbc:postgresql://h:5432/shop",
                Some("shop"),
                None
            )
        );
        assert_eq!(
            (edited.save_password, edited.environment_tag),
            (true, EnvironmentTag::Qa)
        );
        let copied = sent(Start::Copy(saved()));
        assert_eq!((copied.id, &*copied.name), (None, "Shop-Copy"));
    }

    #[test]
    fn what_a_new_connection_lacks() {
        let mut draft = JdbcDraft::of(&Start::Add);
        assert!(!draft.is_complete(None));
        draft.source.host = "h".into();
        assert!(!draft.is_complete(None));
        draft.name = "Shop".into();
        assert!(draft.is_complete(None));
        draft.name = "x".repeat(101);
        assert!(!draft.is_complete(None));
    }

    #[test]
    fn a_masked_uri_may_stay_but_not_be_copied() {
        let saved = SavedMongodbConnection {
            id: ConnectionId::new("m1"),
            name: "Main".into(),
            connection_string: "mongodb://u:***@h/shop".into(),
            database: None,
            user: None,
            environment_tag: EnvironmentTag::None,
            has_password: false,
            has_tls_ca: false,
            has_tls_certificate_key: false,
        };
        let check = |start: Start<SavedMongodbConnection>, is_complete| {
            assert_eq!(MongodbDraft::of(&start).is_complete(start.changed()), is_complete);
        };
        check(Start::Edit(saved.clone()), true);
        check(Start::Copy(saved), false);
    }
}
