//! Whether and how a connection that was typed in is saved.

use super::details::{given, given_exactly};
use super::draft::{DestinationDraft, SourceDraft};
use super::environment;
use super::kind_label;
use super::problem::connection_name_problem;
use super::url::{fields_of, source_url};
use crate::format::wire_name;
use godwit_shared::connection::{
    CONNECTION_NAME_LENGTH_MAX, EnvironmentTag, SaveJdbcConnection, SaveMongodbConnection,
};
use reactive_stores::Store;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Store, Serialize, Deserialize)]
#[serde(default)]
pub struct SaveDraft {
    pub is_saved: bool,
    /// Blank: the suggested one.
    pub name: String,
    pub save_password: bool,
    /// A value of [`environment::options`].
    pub tag: String,
}

impl Default for SaveDraft {
    fn default() -> Self {
        Self {
            is_saved: true,
            name: String::new(),
            save_password: true,
            tag: wire_name(&EnvironmentTag::None),
        }
    }
}

impl SaveDraft {
    /// What is wrong with the name, where it counts.
    pub fn problem(&self) -> Option<String> {
        connection_name_problem(&self.name).filter(|_| self.is_saved)
    }

    /// Whether a source is to be saved: one that was chosen is saved already.
    pub fn has_source_to_save(&self, source: &SourceDraft) -> bool {
        self.is_saved && source.saved.is_empty()
    }

    /// As [`SaveDraft::has_source_to_save`].
    pub fn has_destination_to_save(&self, destination: &DestinationDraft) -> bool {
        self.is_saved && destination.saved.is_empty()
    }

    /// What is sent to save a source.
    pub fn source(&self, source: &SourceDraft) -> SaveJdbcConnection {
        SaveJdbcConnection {
            id: None,
            name: self.name_or(suggested_source_name(source)),
            kind: source.kind.clone(),
            url: source_url(source),
            user: given(&source.user),
            password: given_exactly(&source.password),
            save_password: self.save_password,
            environment_tag: environment::from_value(&self.tag),
            ssl_root_cert_content: given(&source.root_certificate_content),
        }
    }

    /// What is sent to save a destination.
    pub fn destination(&self, destination: &DestinationDraft) -> SaveMongodbConnection {
        SaveMongodbConnection {
            id: None,
            name: self.name_or(suggested_destination_name(destination)),
            connection_string: destination.uri.trim().to_owned(),
            database: given(&destination.database),
            user: given(&destination.user),
            password: given_exactly(&destination.password),
            save_password: self.save_password,
            environment_tag: environment::from_value(&self.tag),
            tls_ca_content: given(&destination.ca),
            tls_certificate_key_content: given(&destination.certificate_key),
        }
    }

    fn name_or(&self, suggested: String) -> String {
        match self.name.trim() {
            "" => suggested,
            name => name.to_owned(),
        }
    }
}

/// `shop on db.example`
pub fn suggested_source_name(source: &SourceDraft) -> String {
    let url = source_url(source);
    if source.is_file() {
        let file = url.rsplit([':', '/']).next().unwrap_or_default();
        return suggested("", file, kind_label(&source.kind));
    }
    match fields_of(&url) {
        Some(f) => suggested(&f.database, &f.host, kind_label(&source.kind)),
        None => kind_label(&source.kind).to_owned(),
    }
}

/// `shop on db.example`
pub fn suggested_destination_name(destination: &DestinationDraft) -> String {
    let rest = destination.uri.trim().split_once("://").map_or("", |(_, rest)| rest);
    let place = rest.split('?').next().unwrap_or_default();
    let (authority, of_uri) = place.split_once('/').unwrap_or((place, ""));
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let database = match destination.database.trim() {
        "" => of_uri,
        database => database,
    };
    suggested(database, hosts.split(',').next().unwrap_or_default(), "MongoDB")
}

fn suggested(database: &str, host: &str, kind: &str) -> String {
    let name = match (database, host) {
        (_, "") => kind.to_owned(),
        ("", host) => host.to_owned(),
        (database, host) => format!("{database} on {host}"),
    };
    name.chars().take(CONNECTION_NAME_LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_to_save() {
        let mut save = SaveDraft::default();
        let mut source = SourceDraft {
            host: "db".into(),
            database: "shop".into(),
            ..SourceDraft::in_fields()
        };
        assert!(save.has_source_to_save(&source));
        assert_eq!(save.source(&source).name, "shop on db");
        save.name = " Main ".into();
        assert_eq!(save.source(&source).name, "Main");
        source.saved = "c1".into();
        assert!(!save.has_source_to_save(&source));
        save.name = "x".repeat(101);
        assert!(save.problem().is_some());
        save.is_saved = false;
        assert_eq!(save.problem(), None);
    }

    #[test]
    fn suggested_names_of_destinations() {
        let name = |uri: &str, database: &str| {
            suggested_destination_name(&DestinationDraft {
                uri: uri.into(),
                database: database.into(),
                ..Default::default()
            })
        };
        assert_eq!(name("mongodb://u:p@h1:1,h2:2/shop?w=1", ""), "shop on h1:1");
        assert_eq!(name("mongodb://h/shop", "copy"), "copy on h");
        assert_eq!(name("mongodb://h", ""), "h");
        assert_eq!(name("", "x"), "MongoDB");
        assert_eq!(name(&format!("mongodb://{}", "h".repeat(200)), "").len(), 100);
    }
}
