//! The product's own data in MongoDB: projects, connections, jobs, checkpoints, claims.
//!
//! Several processes may share it. What clients see is kept as the JSON that they get, so that no second form of it
//! can drift; secrets are encrypted with a key that is not in the store.

mod checkpoints;
mod claims;
mod connections;
mod jobs;
mod local;
mod projects;
mod secret;

use bson::{Document, doc};
use godwit_shared::project::FILE_BYTES_MAX;
use godwit_shared::relmig::ProjectFileError;
use mongodb::error::{ErrorKind, RETRYABLE_WRITE_ERROR};
use mongodb::options::{ClientOptions, IndexOptions};
use mongodb::{Client, Collection, Database, IndexModel};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;

pub use claims::{Claim, Contender};
pub use connections::{StoredJdbc, StoredMongodb};
pub use jobs::{JobRecord, JobSecrets, RootChunks};
pub use local::LocalMongod;
pub use projects::ProjectRecord;

/// Errors of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store at {uri} cannot be opened: {reason}")]
    Open { uri: String, reason: String },
    #[error("the store does not answer: {0}")]
    Mongo(#[from] mongodb::error::Error),
    #[error("an entry of the store cannot be read: {0}")]
    Malformed(String),
    #[error("the key file {path} cannot be used: {reason}")]
    KeyFile { path: String, reason: String },
    #[error("{0}")]
    Local(String),
    #[error("the name \"{0}\" is taken")]
    NameTaken(String),
    /// A project of an older version may hold what an import refuses today.
    #[error("the project cannot be used as it is stored: {0}")]
    Project(ProjectFileError),
    #[error("{what} has {bytes} bytes, and the server keeps at most {FILE_BYTES_MAX}")]
    TooLarge { what: &'static str, bytes: usize },
}

impl StoreError {
    /// Whether the same may work later: the server is away, or changes its primary.
    pub fn is_passing(&self) -> bool {
        match self {
            StoreError::Mongo(error) => {
                let is_away = matches!(
                    error.kind.as_ref(),
                    ErrorKind::Io(_) | ErrorKind::ServerSelection { .. } | ErrorKind::ConnectionPoolCleared { .. }
                );
                is_away || error.contains_label(RETRYABLE_WRITE_ERROR)
            }
            StoreError::Open { .. }
            | StoreError::Malformed(_)
            | StoreError::KeyFile { .. }
            | StoreError::Local(_)
            | StoreError::NameTaken(_)
            | StoreError::Project(_)
            | StoreError::TooLarge { .. } => false,
        }
    }
}

/// The store.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    key: secret::Key,
}

/// The database where the URI names none.
const DATABASE: &str = "godwit";

impl Store {
    /// Opens the store and makes its indexes.
    ///
    /// # Errors
    /// When MongoDB does not answer or the key file cannot be used.
    pub async fn open(uri: &str, data_dir: &Path) -> Result<Self, StoreError> {
        let failed = |e: mongodb::error::Error| StoreError::Open {
            uri: godwit_shared::relmig::with_masked_password(uri),
            reason: e.kind.to_string(),
        };
        let mut options = ClientOptions::parse(uri).await.map_err(failed)?;
        options.app_name = Some("godwit".into());
        options.server_selection_timeout.get_or_insert(Duration::from_secs(15));
        // Checkpoints stand for finished work: they have to survive what the work survives.
        options.write_concern = Some(mongodb::options::WriteConcern::majority());
        let name = options.default_database.clone().unwrap_or_else(|| DATABASE.into());
        let database = Client::with_options(options).map_err(failed)?.database(&name);
        let store = Self {
            database,
            key: secret::Key::of(data_dir)?,
        };
        store.make_indexes().await.map_err(failed)?;
        Ok(store)
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.run_command(doc! {"ping": 1}).await?;
        Ok(())
    }

    async fn make_indexes(&self) -> Result<(), mongodb::error::Error> {
        let unique = IndexOptions::builder().unique(true).build();
        let by_name = IndexModel::builder().keys(doc! {"name": 1}).options(unique).build();
        self.collection("projects").create_index(by_name).await?;
        self.collection("jobs")
            .create_index(IndexModel::builder().keys(doc! {"submittedAt": -1}).build())
            .await?;
        self.collection("chunks")
            .create_index(IndexModel::builder().keys(doc! {"job": 1}).build())
            .await?;
        let by_owner = IndexModel::builder().keys(doc! {"j": 1, "c": 1, "o": 1}).build();
        self.collection("claims").create_index(by_owner).await?;
        let by_contender = IndexModel::builder().keys(doc! {"j": 1, "w.c": 1, "_id.o": 1}).build();
        self.collection("contenders").create_index(by_contender).await?;
        let by_wish = IndexModel::builder().keys(doc! {"w": 1}).build();
        self.collection("contenders").create_index(by_wish).await?;
        Ok(())
    }

    fn collection(&self, name: &str) -> Collection<Document> {
        self.database.collection(name)
    }
}

fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("types of the wire have string keys")
}

/// As [`to_json`], of what has to fit into a document of the store beside other things.
fn to_bounded_json<T: Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    let text = to_json(value);
    match text.len() {
        bytes if bytes > FILE_BYTES_MAX => Err(StoreError::TooLarge { what, bytes }),
        _ => Ok(text),
    }
}

fn from_json<T: DeserializeOwned>(entry: &Document, member: &str) -> Result<T, StoreError> {
    let malformed = |e: String| StoreError::Malformed(format!("{member}: {e}"));
    let text = entry.get_str(member).map_err(|e| malformed(e.to_string()))?;
    serde_json::from_str(text).map_err(|e| malformed(e.to_string()))
}

/// A new random id: 32 hexadecimal digits.
pub fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
