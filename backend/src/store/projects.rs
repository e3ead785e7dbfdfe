//! Projects: each is its project file, plus what a list shows of it. Schemas that were read from a connection and wait
//! for a project to be made of them lie beside.

use super::quarantine::check_own_id;
use super::{Store, StoreError, from_json, to_bounded_json, to_json};
use bson::{Document, RawDocumentBuf, doc};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use godwit_shared::forest::check_forest;
use godwit_shared::ids::ProjectId;
use godwit_shared::project::ProjectSummary;
use godwit_shared::quarantine::EntryKind;
use godwit_shared::relmig::ProjectFile;
use godwit_shared::schema::RelationalModel;

/// A project as it is stored.
#[derive(Debug, Clone)]
pub struct ProjectRecord {
    pub summary: ProjectSummary,
    pub file: ProjectFile,
}

/// The server's code for a value that a unique index has already.
const DUPLICATE_KEY: i32 = 11_000;

impl Store {
    /// Writes a project, new or changed. With `instead_of` only where that revision is stored: two windows that save at
    /// once cannot both stand on it.
    ///
    /// # Errors
    /// [`StoreError::RevisionOld`] when another one is stored, or nothing any more. [`StoreError::NameTaken`] when another project has the name, [`StoreError::TooLarge`] when its file does not fit.
    pub async fn save_project(&self, record: &ProjectRecord, instead_of: Option<u64>) -> Result<(), StoreError> {
        let id = record.summary.id.as_str();
        let entry = doc! {
            "_id": id,
            "name": &record.summary.name,
            "lastModified": bson::DateTime::from_millis(record.summary.last_modified.timestamp_millis()),
            "revision": revision(record.summary.revision),
            "summary": to_json(&record.summary),
            "file": to_bounded_json("the project file", &record.file)?,
        };
        let filter = match instead_of {
            None => doc! {"_id": id},
            // Entries of before this was counted have none.
            Some(0) => doc! {"_id": id, "revision": {"$in": [0_i64, bson::Bson::Null]}},
            Some(given) => doc! {"_id": id, "revision": revision(given)},
        };
        let written = self
            .collection("projects")
            .replace_one(filter, entry)
            .upsert(instead_of.is_none())
            .await;
        match (written, instead_of) {
            (Ok(done), Some(given)) if done.matched_count == 0 => Err(StoreError::RevisionOld(given)),
            (Err(e), _) if code_of(&e) == Some(DUPLICATE_KEY) => {
                Err(StoreError::NameTaken(record.summary.name.clone()))
            }
            (other, _) => Ok(other.map(|_| ())?),
        }
    }

    /// One project.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn project(&self, id: &ProjectId) -> Result<Option<ProjectRecord>, StoreError> {
        let entry = self.collection("projects").find_one(doc! {"_id": id.as_str()}).await?;
        entry
            .map(|e| {
                let file: ProjectFile = from_json(&e, "file")?;
                check_forest(&file.project.content).map_err(|e| StoreError::Project(e.into()))?;
                Ok(ProjectRecord {
                    summary: from_json(&e, "summary")?,
                    file,
                })
            })
            .transpose()
    }

    /// Whether there is a project, be it readable or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_project(&self, id: &ProjectId) -> Result<bool, StoreError> {
        Ok(self
            .collection("projects")
            .find_one(doc! {"_id": id.as_str()})
            .projection(doc! {"_id": 1})
            .await?
            .is_some())
    }

    /// All projects that can be read, without their files.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn projects(&self) -> Result<Vec<ProjectSummary>, StoreError> {
        let projects = self.database.collection::<RawDocumentBuf>("projects");
        let found = projects.find(doc! {}).projection(doc! {"summary": 1}).await?;
        let entries: Vec<RawDocumentBuf> = found.try_collect().await?;
        let read = |entry: &Document| {
            let summary: ProjectSummary = from_json(entry, "summary")?;
            check_own_id(entry, summary.id.as_str()).map(|()| summary)
        };
        Ok(self.readable(EntryKind::Project, true, entries, read))
    }

    /// Deletes a project; returns whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_project(&self, id: &ProjectId) -> Result<bool, StoreError> {
        Ok(self
            .collection("projects")
            .delete_one(doc! {"_id": id.as_str()})
            .await?
            .deleted_count
            > 0)
    }

    /// Keeps a schema under an id.
    ///
    /// # Errors
    /// When the store fails, or the schema does not fit into it.
    pub async fn save_schema(&self, id: &str, model: &RelationalModel) -> Result<(), StoreError> {
        let now: DateTime<Utc> = Utc::now();
        let model = to_bounded_json("the schema of the source", model)?;
        let entry = doc! {"_id": id, "at": bson::DateTime::from_millis(now.timestamp_millis()), "model": model};
        self.collection("schemas")
            .replace_one(doc! {"_id": id}, entry)
            .upsert(true)
            .await?;
        Ok(())
    }

    /// A schema by its id, be it kept alone or in a project.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn schema(&self, id: &str) -> Result<Option<RelationalModel>, StoreError> {
        match self.collection("schemas").find_one(doc! {"_id": id}).await? {
            Some(entry) => from_json(&entry, "model").map(Some),
            None => Ok(None),
        }
    }
}

fn revision(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

pub(super) fn code_of(error: &mongodb::error::Error) -> Option<i32> {
    use mongodb::error::{ErrorKind, WriteFailure};
    match error.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(e)) => Some(e.code),
        ErrorKind::Command(e) => Some(e.code),
        _ => None,
    }
}
