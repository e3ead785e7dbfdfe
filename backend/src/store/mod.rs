//! The product's own data in MongoDB: projects, connections, jobs, checkpoints, claims.
//!
//! Several processes may share it. What clients see is kept as the JSON that they get, so that no second form of it
//! can drift; secrets are encrypted with a key that is not in the store.

mod analyses;
mod asked;
mod checkpoints;
mod claims;
mod connections;
mod duty;
mod folder;
mod jobs;
mod leases;
mod local;
mod projects;
mod quarantine;
mod seal;
mod secret;
pub mod signing;
mod verifications;

use crate::data::words::plain_reason;
use bson::{Document, doc};
use godwit_shared::ids::JobId;
use godwit_shared::project::FILE_BYTES_MAX;
use godwit_shared::quarantine::EntryKind;
use godwit_shared::relmig::ProjectFileError;
use mongodb::error::{ErrorKind, RETRYABLE_WRITE_ERROR, WriteFailure};
use mongodb::options::{ClientOptions, IndexOptions};
use mongodb::{Client, Collection, Database, IndexModel};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;

pub use analyses::AnalysisRecord;
pub use asked::AskedStore;
pub use claims::{Claim, Contender};
pub use connections::{StoredJdbc, StoredMongodb};
pub use duty::JobStore;
pub use folder::claim as claim_folder;
pub use jobs::{Fence, JobHead, JobRecord, JobSecrets, RootChunks, Saved};
pub use leases::{Acquired, Held, Holder, Seen, Wish};
pub use local::LocalMongod;
pub use projects::ProjectRecord;
pub use verifications::{FindingFilter, StoredFinding, VerificationRecord};

/// Errors of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store at {uri} cannot be opened: {reason}")]
    Open { uri: String, reason: String },
    #[error("the store does not answer: {}", plain_reason(&.0.to_string()))]
    Mongo(#[from] mongodb::error::Error),
    #[error("the store does not answer within {0} seconds")]
    Silent(u64),
    #[error("an entry of the store cannot be read: {0}")]
    Malformed(String),
    #[error("the key file {path} cannot be used: {reason}")]
    KeyFile { path: String, reason: String },
    #[error(
        "{what}. Put the key file back that they were sealed with, from a backup or from the data folder of the server \
         that made them. If it is lost for good, start once with --new-key: saved connections and jobs under way of the \
         old key stay unreadable then, and have to be entered again"
    )]
    OtherKey { what: String },
    #[error("the data directory {path} cannot be used: {reason}")]
    Folder { path: String, reason: String },
    #[error("{0}")]
    Local(String),
    /// A project was saved since somebody read it.
    #[error("the project was changed since: revision {0} is no longer what is stored")]
    RevisionOld(u64),
    #[error("the name \"{0}\" is taken")]
    NameTaken(String),
    /// A project of an older version may hold what an import refuses today.
    #[error("the project cannot be used as it is stored: {0}")]
    Project(ProjectFileError),
    #[error("another server has job {job} now")]
    LeaseLost { job: JobId },
    #[error("cancelled")]
    Cancelled,
    #[error("{what} has {bytes} bytes, and the server keeps at most {bytes_max}")]
    TooLarge {
        what: String,
        bytes: usize,
        bytes_max: usize,
    },
}

/// Codes of the server that pass: it changes its primary, starts or ends, or waits for others, or for room on its disk.
/// The first ones are those of the retryable writes specification.
/// <https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md>
const PASSING_CODES: [i32; 20] = [
    6, 7, 89, 91, 112, 134, 189, 262, 317, 358, 384, 9001, 10107, 11600, 11602, 13435, 13436, 50, 64, 14031,
];

fn has_passing_code(error: &mongodb::error::Error) -> bool {
    let is_passing = |code: i32| PASSING_CODES.contains(&code);
    match error.kind.as_ref() {
        ErrorKind::Command(e) => is_passing(e.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(e)) => is_passing(e.code),
        ErrorKind::Write(WriteFailure::WriteError(e)) => is_passing(e.code),
        ErrorKind::InsertMany(e) => e.write_concern_error.as_ref().is_some_and(|e| is_passing(e.code)),
        _ => false,
    }
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
                is_away || error.contains_label(RETRYABLE_WRITE_ERROR) || has_passing_code(error)
            }
            StoreError::Silent(_) => true,
            StoreError::Open { .. }
            | StoreError::Malformed(_)
            | StoreError::KeyFile { .. }
            | StoreError::OtherKey { .. }
            | StoreError::Folder { .. }
            | StoreError::Local(_)
            | StoreError::NameTaken(_)
            | StoreError::Project(_)
            | StoreError::LeaseLost { .. }
            | StoreError::Cancelled
            | StoreError::RevisionOld(_)
            | StoreError::TooLarge { .. } => false,
        }
    }
}

/// The store.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    key: secret::Key,
    /// What could not be read so far.
    unreadable: quarantine::Unreadable,
}

/// The database where the URI names none.
const DATABASE: &str = "godwit";

impl Store {
    /// Opens the store and makes its indexes.
    ///
    /// # Errors
    /// When MongoDB does not answer, or the key file cannot be used or is not the one of the store's entries; with `new_key`
    /// it need not be.
    pub async fn open(uri: &str, data_dir: &Path, new_key: bool) -> Result<Self, StoreError> {
        let failed = |e: mongodb::error::Error| StoreError::Open {
            uri: godwit_shared::relmig::with_masked_password(uri),
            reason: plain_reason(&e.kind.to_string()),
        };
        let mut options = ClientOptions::parse(uri).await.map_err(failed)?;
        options.app_name = Some("godwit".into());
        options.server_selection_timeout.get_or_insert(Duration::from_secs(15));
        // Checkpoints stand for finished work: they have to survive what the work survives.
        options.write_concern = Some(mongodb::options::WriteConcern::majority());
        let name = options.default_database.clone().unwrap_or_else(|| DATABASE.into());
        let database = Client::with_options(options).map_err(failed)?.database(&name);
        let key = match seal::key_of(&database, data_dir, new_key).await {
            Err(StoreError::Mongo(e)) => return Err(failed(e)),
            other => other?,
        };
        let store = Self {
            database,
            key,
            unreadable: quarantine::Unreadable::default(),
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

    /// An index that the entries do not allow is told: without it the server is slower, or a name may be taken twice.
    async fn make_indexes(&self) -> Result<(), mongodb::error::Error> {
        let unique = IndexOptions::builder().unique(true).build();
        let by_name = IndexModel::builder().keys(doc! {"name": 1}).options(unique).build();
        let plain = |keys: Document| IndexModel::builder().keys(keys).build();
        let wanted = [
            ("projects", by_name),
            ("jobs", plain(doc! {"submittedAt": -1})),
            ("jobs", plain(doc! {"holder": 1})),
            ("chunks", plain(doc! {"job": 1})),
            ("claims", plain(doc! {"j": 1, "c": 1, "o": 1})),
            ("contenders", plain(doc! {"j": 1, "w.c": 1, "_id.o": 1})),
            ("contenders", plain(doc! {"w": 1})),
            ("verifications", plain(doc! {"job": 1, "startedAt": -1})),
            ("verifications", plain(doc! {"project": 1, "startedAt": -1})),
            ("analysisReports", plain(doc! {"project": 1, "generatedAt": -1})),
            ("analysisReportParts", plain(doc! {"report": 1, "n": 1})),
            ("analysisMarks", plain(doc! {"project": 1})),
            ("verificationMarks", plain(doc! {"run": 1})),
            ("verificationFindings", plain(doc! {"run": 1, "n": 1})),
        ];
        for (collection, index) in wanted {
            let Err(error) = self.collection(collection).create_index(index).await else {
                continue;
            };
            let ErrorKind::Command(refusal) = error.kind.as_ref() else {
                return Err(error);
            };
            let reason = format!(
                "an index of the collection {collection} cannot be made: {}",
                refusal.message
            );
            self.unreadable.add(EntryKind::Store, collection.to_owned(), reason);
        }
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
        bytes if bytes > FILE_BYTES_MAX => Err(StoreError::TooLarge {
            what: what.to_owned(),
            bytes,
            bytes_max: FILE_BYTES_MAX,
        }),
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
