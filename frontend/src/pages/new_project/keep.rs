//! A draft that survives a reload of the page: kept by the browser for this window alone, and without passwords.

use super::draft::{Origin, ProjectDraft, Start};
use crate::connections::draft::SourceDraft;
use crate::connections::save::SaveDraft;
use crate::connections::url::fields_of;
use godwit_shared::ddl::DdlDatabase;
use leptos::prelude::window;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

const KEY: &str = "godwit.new-project";

/// What is kept of a draft.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Kept {
    origin: Origin,
    source: KeptSource,
    is_saved: bool,
    connection_name: String,
    save_password: bool,
    tag: String,
    keeps_original_names: bool,
    casing: String,
    start: Start,
    name: String,
    /// A password was entered, which is not kept: the source has to be asked for anew.
    pub needs_password: bool,
    /// The tables that were read, and whose DDL they came from.
    pub schema: Option<(String, Option<DdlDatabase>)>,
    /// `schema.table` of tables that are not selected.
    pub left_out: HashSet<String>,
    /// Decisions of the proposal that are not taken.
    pub untaken: HashSet<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct KeptSource {
    saved: String,
    is_manual_uri: bool,
    uri: String,
    host: String,
    port: String,
    database: String,
    user: String,
    use_ssl: bool,
    ssl_mode: String,
    root_certificate: String,
    root_certificate_content: String,
}

fn has_password(uri: &str) -> bool {
    fields_of(uri).is_some_and(|fields| fields.password.is_some())
}

impl Kept {
    /// Without what belongs to tables.
    pub fn of(draft: &ProjectDraft) -> Self {
        let source = &draft.source;
        let is_secret = has_password(&source.uri);
        Self {
            origin: draft.origin,
            source: KeptSource {
                saved: source.saved.clone(),
                is_manual_uri: source.is_manual_uri,
                uri: if is_secret { String::new() } else { source.uri.clone() },
                host: source.host.clone(),
                port: source.port.clone(),
                database: source.database.clone(),
                user: source.user.clone(),
                use_ssl: source.use_ssl,
                ssl_mode: source.ssl_mode.clone(),
                root_certificate: source.root_certificate.clone(),
                root_certificate_content: source.root_certificate_content.clone(),
            },
            is_saved: draft.save.is_saved,
            connection_name: draft.save.name.clone(),
            save_password: draft.save.save_password,
            tag: draft.save.tag.clone(),
            keeps_original_names: draft.keeps_original_names,
            casing: draft.casing.clone(),
            start: draft.start,
            name: draft.name.clone(),
            needs_password: is_secret || !source.password.is_empty(),
            ..Self::default()
        }
    }

    /// As it was entered, but for passwords.
    pub fn draft(&self) -> ProjectDraft {
        let fresh = ProjectDraft::default();
        let source = self.source.clone();
        ProjectDraft {
            origin: self.origin,
            source: SourceDraft {
                saved: source.saved,
                is_manual_uri: source.is_manual_uri,
                uri: source.uri,
                host: source.host,
                port: source.port,
                database: source.database,
                user: source.user,
                use_ssl: source.use_ssl,
                ssl_mode: source.ssl_mode,
                root_certificate: source.root_certificate,
                root_certificate_content: source.root_certificate_content,
                ..fresh.source
            },
            save: SaveDraft {
                is_saved: self.is_saved,
                name: self.connection_name.clone(),
                save_password: self.save_password,
                tag: self.tag.clone(),
            },
            keeps_original_names: self.keeps_original_names,
            casing: self.casing.clone(),
            start: self.start,
            name: self.name.clone(),
            ..fresh
        }
    }

    /// Whose DDL the tables came from.
    pub fn database(&self) -> Option<DdlDatabase> {
        self.schema.as_ref().and_then(|(_, database)| *database)
    }

    /// A browser without room for it loses the draft with a reload, as it would without this.
    pub fn keep(&self) {
        if let (Some(storage), Ok(text)) = (storage(), serde_json::to_string(self)) {
            let _ = storage.set_item(KEY, &text);
        }
    }

    /// What was kept.
    pub fn read() -> Option<Self> {
        let text = storage()?.get_item(KEY).ok().flatten()?;
        serde_json::from_str(&text).ok()
    }

    /// The draft has become a project, or was given up.
    pub fn forget() {
        if let Some(storage) = storage() {
            let _ = storage.remove_item(KEY);
        }
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().session_storage().ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_passwords_comes_back() {
        let mut draft = ProjectDraft {
            name: "Shop".into(),
            start: Start::Proposed,
            ..ProjectDraft::default()
        };
        draft.source.host = "db".into();
        draft.source.user = "shop".into();
        draft.save.name = "Mine".into();
        let kept = Kept::of(&draft);
        assert!(!kept.needs_password && kept.draft() == draft);
        draft.source.password = "secret".into();
        let kept = Kept::of(&draft);
        let text = serde_json::to_string(&kept).expect("JSON");
        assert!(kept.needs_password && !text.contains("secret"), "{text}");
        draft.source.is_manual_uri = true;
        draft.source.uri = "postgres://shop:secret@db/shop".into();
        draft.source.password = String::new();
        let kept = Kept::of(&draft);
        let text = serde_json::to_string(&kept).expect("JSON");
        assert!(kept.needs_password && !text.contains("secret"), "{text}");
        assert_eq!(serde_json::from_str::<Kept>(&text).expect("a draft"), kept);
    }
}
