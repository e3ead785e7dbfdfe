//! The engine in this process, for commands that need no server: its state lies in a folder beside the project.

use super::ask::Api;
use super::exit::{Exit, Failure};
use super::project_file::{project_id, state_folder};
use crate::api::InProcess;
use crate::config::StateArgs;
use crate::engine::{Claimed, Engine};
use crate::store::ProjectRecord;
use chrono::Utc;
use godwit_shared::connection::MongodbConnectionDetails;
use godwit_shared::ids::ProjectId;
use godwit_shared::project::{NAME_LENGTH_MAX, ProjectSummary};
use godwit_shared::relmig::ProjectFile;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// See the module.
pub struct Standalone {
    pub engine: Engine,
    pub api: Api,
    pub folder: PathBuf,
}

impl Standalone {
    /// Opens the state of a project. Nothing of it goes on yet.
    ///
    /// # Errors
    /// When another process has it, or it cannot be opened.
    pub async fn open(args: &StateArgs, project: &Path, target: &MongodbConnectionDetails) -> Result<Self, Failure> {
        let folder = args.state.clone().unwrap_or_else(|| state_folder(project));
        let uri = match args.store_in_target {
            true => Some(store_beside(target)?),
            false => args.store_uri.clone(),
        };
        let claimed = Claimed::take(&folder).map_err(|error| {
            let text = format!("{error:#}");
            match text.contains("another Godwit uses") {
                true => Failure::new(Exit::Conflict, "state_in_use", text)
                    .with_hint("Wait for its end, or name another folder with --state."),
                false => error.into(),
            }
        })?;
        let engine = claimed.open(uri, false).await?;
        let nowhere: SocketAddr = ([127, 0, 0, 1], 0).into();
        let state = engine.state((nowhere, None), None, CancellationToken::new());
        Ok(Self {
            engine,
            api: Api::InProcess(InProcess::new(state)),
            folder,
        })
    }

    /// Puts the project into the state, under the id that it has in every run. As with every file that a program sends,
    /// who names it has agreed to the SQL and JavaScript in it.
    ///
    /// # Errors
    /// When the store fails, or the file is too large for it.
    pub async fn put(&self, file: &ProjectFile) -> Result<ProjectId, Failure> {
        let id = project_id(file);
        let before = self.engine.store.project(&id).await?;
        let name: String = file.project.name.trim().chars().take(NAME_LENGTH_MAX).collect();
        let mut file = file.clone();
        file.project.id = id.to_string();
        // Names are unique in a store; a folder that several projects share may hold the same one twice.
        let is_taken = self
            .engine
            .store
            .projects()
            .await?
            .iter()
            .any(|p| p.name == name && p.id != id);
        file.project.name = match is_taken {
            true => id.to_string(),
            false => name,
        };
        let summary = ProjectSummary {
            id: id.clone(),
            name: file.project.name.clone(),
            kind: file.project.kind.clone(),
            jdbc_id: None,
            mongodb_id: None,
            last_modified: Utc::now(),
            revision: before.map_or(0, |record| record.summary.revision) + 1,
            needs_consent: false,
        };
        self.engine
            .store
            .save_project(&ProjectRecord { summary, file }, None)
            .await?;
        Ok(id)
    }

    /// Lets what is under way stand, and ends.
    pub async fn close(self) {
        self.engine.let_jobs_stand().await;
        self.engine.close().await;
    }
}

/// The URI of a database beside the destination's.
fn store_beside(target: &MongodbConnectionDetails) -> Result<String, Failure> {
    let wrong = |what: &str| Failure::usage(format!("--store-in-target: {what}"));
    if target.tls_ca_content.is_some() || target.tls_certificate_key_content.is_some() {
        return Err(wrong(
            "certificates of the destination have to stand in its URI (tlsCAFile, tlsCertificateKeyFile)",
        ));
    }
    // A list of hosts is no URL that could be parsed: the parts are found by their signs.
    let (scheme, rest) = target
        .connection_string
        .split_once("://")
        .ok_or_else(|| wrong("the URI is not valid"))?;
    let (front, query) = rest.split_once('?').map_or((rest, ""), |(front, query)| (front, query));
    let (authority, database) = front.split_once('/').map_or((front, ""), |(a, d)| (a, d));
    let database = target.database.as_deref().unwrap_or(database);
    if database.is_empty() {
        return Err(wrong("the URI of the destination names no database"));
    }
    let (credentials, hosts) = authority.rsplit_once('@').map_or(("", authority), |(c, h)| (c, h));
    let (user, password) = credentials.split_once(':').map_or((credentials, ""), |(u, p)| (u, p));
    let encode = |text: &Option<String>, own: &str| text.as_deref().map_or_else(|| own.to_owned(), super::ask::encoded);
    let (user, password) = (encode(&target.user, user), encode(&target.password, password));
    let credentials = match (user.is_empty(), password.is_empty()) {
        (true, _) => String::new(),
        (false, true) => format!("{user}@"),
        (false, false) => format!("{user}:{password}@"),
    };
    let mut query = query.to_owned();
    let names_source = query
        .split('&')
        .any(|p| p.to_ascii_lowercase().starts_with("authsource="));
    if !credentials.is_empty() && !names_source && scheme == "mongodb" {
        // What the database of the URI was for the sign-on.
        query = format!(
            "{query}{}authSource={database}",
            if query.is_empty() { "" } else { "&" }
        );
    }
    Ok(format!("{scheme}://{credentials}{hosts}/{database}_godwit?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(uri: &str, user: Option<&str>, password: Option<&str>) -> String {
        let target = MongodbConnectionDetails {
            connection_string: uri.into(),
            user: user.map(Into::into),
            password: password.map(Into::into),
            ..MongodbConnectionDetails::default()
        };
        store_beside(&target).expect("a URI")
    }

    #[test]
    fn the_state_lies_beside_the_destination() {
        assert_eq!(
            beside("mongodb://h:1,i:2/shop?w=1", None, None),
            "mongodb://h:1,i:2/shop_godwit?w=1"
        );
        assert_eq!(
            beside("mongodb://u:p@h/shop", None, Some("x@y")),
            "mongodb://u:x%40y@h/shop_godwit?authSource=shop"
        );
        assert_eq!(
            beside("mongodb+srv://h/shop?authSource=admin", Some("u"), None),
            "mongodb+srv://u@h/shop_godwit?authSource=admin"
        );
        assert!(store_beside(&MongodbConnectionDetails::default()).is_err());
    }
}
