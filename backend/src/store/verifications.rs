//! Verifications: what each came to, how far it has come, and what it has found.

use super::jobs::SECRETS_BYTES_MAX;
use super::{JobSecrets, Store, StoreError, from_json, to_json};
use bson::spec::BinarySubtype;
use bson::{Binary, Document, doc};
use futures_util::TryStreamExt;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::verification::{Finding, FindingKind, Verification};
use mongodb::error::ErrorKind;
use serde::Serialize;
use serde::de::DeserializeOwned;

const DUPLICATE_KEY: i32 = 11_000;
/// The most bytes of a status.
const STATUS_BYTES_MAX: usize = 2 << 20;

/// A verification as it is stored.
#[derive(Debug, Clone)]
pub struct VerificationRecord {
    pub status: Verification,
    /// What is needed to go on: of one that belongs to no job; encrypted, for it holds passwords.
    pub secrets: Option<JobSecrets>,
    /// Which installation runs it.
    pub owner: String,
}

/// A finding with what is needed to look at its document again.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFinding {
    pub finding: Finding,
    /// The `_id` as an element of raw BSON; empty where it is about no single document.
    pub id: Vec<u8>,
    /// Which root of the collection, and the values by which its row is found again.
    pub row: Option<(usize, Vec<Option<String>>)>,
}

/// Which findings are asked for.
#[derive(Debug, Clone, Default)]
pub struct FindingFilter {
    pub collection: Option<String>,
    pub kind: Option<FindingKind>,
    pub only_open: bool,
}

impl Store {
    /// Stores a verification that is new.
    ///
    /// # Errors
    /// When the store fails, or the project is too large for it.
    pub async fn insert_verification(&self, record: &VerificationRecord) -> Result<(), StoreError> {
        let status = &record.status;
        let mut entry = doc! {
            "_id": &status.id,
            "project": status.project_id.as_str(),
            "job": status.job_id.as_ref().map(JobId::as_str),
            "startedAt": bson::DateTime::from_millis(status.started_at.timestamp_millis()),
            "isEnded": status.status.is_ended(),
            "owner": &record.owner,
            "status": to_json(status),
        };
        if let Some(secrets) = &record.secrets {
            let bytes = to_json(secrets).len();
            if bytes > SECRETS_BYTES_MAX {
                return Err(StoreError::TooLarge {
                    what: "the project of the verification".into(),
                    bytes,
                    bytes_max: SECRETS_BYTES_MAX,
                });
            }
            entry.insert("secrets", self.seal(secrets));
        }
        self.collection("verifications").insert_one(entry).await?;
        Ok(())
    }

    /// Stores how a verification stands.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save_verification(&self, status: &Verification) -> Result<(), StoreError> {
        let mut text = to_json(status);
        if text.len() > STATUS_BYTES_MAX {
            let mut less = status.clone();
            less.notes.clear();
            less.exceptions.truncate(50);
            text = to_json(&less);
        }
        let set = doc! {"status": text, "isEnded": status.status.is_ended() && !status.is_repairing};
        self.collection("verifications")
            .update_one(doc! {"_id": &status.id}, doc! {"$set": set})
            .await?;
        Ok(())
    }

    /// The newest verifications, newest first: of a job, of a project, or all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn verifications(
        &self,
        job: Option<&JobId>,
        project: Option<&ProjectId>,
        limit: i64,
    ) -> Result<Vec<Verification>, StoreError> {
        let mut filter = Document::new();
        if let Some(job) = job {
            filter.insert("job", job.as_str());
        }
        if let Some(project) = project {
            filter.insert("project", project.as_str());
        }
        let entries = self.collection("verifications");
        let mut found = entries
            .find(filter)
            .sort(doc! {"startedAt": -1})
            .limit(limit)
            .projection(doc! {"status": 1})
            .await?;
        let mut all = Vec::new();
        while let Some(entry) = found.try_next().await? {
            match from_json(&entry, "status") {
                Ok(status) => all.push(status),
                // One that cannot be read does not hide the others.
                Err(error) => tracing::warn!(%error, "A verification cannot be read"),
            }
        }
        Ok(all)
    }

    /// One verification.
    ///
    /// # Errors
    /// When the store fails, or the entry cannot be read.
    pub async fn verification(&self, id: &str) -> Result<Option<VerificationRecord>, StoreError> {
        let Some(entry) = self.collection("verifications").find_one(doc! {"_id": id}).await? else {
            return Ok(None);
        };
        let secrets = match entry.contains_key("secrets") {
            true => Some(self.unseal(&entry, "secrets")?),
            false => None,
        };
        Ok(Some(VerificationRecord {
            status: from_json(&entry, "status")?,
            secrets,
            owner: entry.get_str("owner").unwrap_or_default().to_owned(),
        }))
    }

    /// Those of an installation that have not ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_verifications(&self, owner: &str) -> Result<Vec<String>, StoreError> {
        let open = doc! {"isEnded": false, "owner": owner};
        let entries = self.collection("verifications");
        let found = entries.find(open).projection(doc! {"_id": 1}).await?;
        let entries: Vec<Document> = found.try_collect().await?;
        Ok(entries
            .iter()
            .filter_map(|e| e.get_str("_id").ok().map(Into::into))
            .collect())
    }

    /// Where a verification stands in one collection, in the form that its room gave it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn verification_mark<T: DeserializeOwned>(
        &self,
        run: &str,
        collection: &str,
    ) -> Result<Option<T>, StoreError> {
        let id = format!("{run}/{collection}");
        let found = self.collection("verificationMarks").find_one(doc! {"_id": id}).await?;
        found.map(|entry| from_json(&entry, "mark")).transpose()
    }

    /// Stores where it stands there: after what was found before is stored.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save_verification_mark<T: Serialize>(
        &self,
        run: &str,
        collection: &str,
        mark: &T,
    ) -> Result<(), StoreError> {
        let id = format!("{run}/{collection}");
        let entry = doc! {"_id": &id, "run": run, "mark": to_json(mark)};
        self.collection("verificationMarks")
            .replace_one(doc! {"_id": id}, entry)
            .upsert(true)
            .await?;
        Ok(())
    }

    /// Forgets where a verification stood: it has ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_verification_marks(&self, run: &str) -> Result<(), StoreError> {
        let marks = self.collection("verificationMarks");
        marks.delete_many(doc! {"run": run}).await?;
        Ok(())
    }

    /// Stores findings, each once: what is found again after a crash is the same one. Returns how many are new.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_findings(&self, run: &str, findings: &[StoredFinding]) -> Result<u64, StoreError> {
        if findings.is_empty() {
            return Ok(0);
        }
        let entries: Vec<Document> = findings.iter().map(|f| entry_of(run, f)).collect();
        let count = entries.len() as u64;
        match self
            .collection("verificationFindings")
            .insert_many(entries)
            .ordered(false)
            .await
        {
            Ok(_) => Ok(count),
            Err(error) => match error.kind.as_ref() {
                ErrorKind::InsertMany(failed)
                    if failed.write_concern_error.is_none()
                        && failed.write_errors.iter().flatten().all(|e| e.code == DUPLICATE_KEY) =>
                {
                    Ok(count - failed.write_errors.iter().flatten().count() as u64)
                }
                _ => Err(error.into()),
            },
        }
    }

    /// Some findings in the order of their numbers, and how many there are of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn findings(
        &self,
        run: &str,
        filter: &FindingFilter,
        after: u64,
        limit: i64,
    ) -> Result<(Vec<StoredFinding>, u64), StoreError> {
        let all = filter_of(run, filter);
        let entries = self.collection("verificationFindings");
        let total = entries.count_documents(all.clone()).await?;
        let mut found = entries.find(all).sort(doc! {"n": 1}).skip(after).limit(limit).await?;
        let mut findings = Vec::new();
        while let Some(entry) = found.try_next().await? {
            findings.push(finding_of(&entry)?);
        }
        Ok((findings, total))
    }

    /// One finding.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn finding(&self, run: &str, number: u64) -> Result<Option<StoredFinding>, StoreError> {
        let one = doc! {"run": run, "n": number as i64};
        let found = self.collection("verificationFindings").find_one(one).await?;
        found.map(|entry| finding_of(&entry)).transpose()
    }

    /// The number of the last finding, and how many there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn last_finding(&self, run: &str) -> Result<(u64, u64), StoreError> {
        let entries = self.collection("verificationFindings");
        let last = entries
            .find_one(doc! {"run": run})
            .sort(doc! {"n": -1})
            .projection(doc! {"n": 1})
            .await?;
        let count = entries.count_documents(doc! {"run": run}).await?;
        let last = last.and_then(|e| e.get_i64("n").ok()).unwrap_or_default();
        Ok((last.max(0) as u64, count))
    }

    /// Forgets what was found in a collection that is begun anew.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_findings_of(&self, run: &str, collection: &str) -> Result<u64, StoreError> {
        let entries = self.collection("verificationFindings");
        let deleted = entries.delete_many(doc! {"run": run, "c": collection}).await?;
        Ok(deleted.deleted_count)
    }

    /// Notes that what was found is no more so.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mark_repaired(&self, run: &str, numbers: &[u64]) -> Result<(), StoreError> {
        let numbers: Vec<i64> = numbers.iter().map(|n| *n as i64).collect();
        self.collection("verificationFindings")
            .update_many(
                doc! {"run": run, "n": {"$in": numbers}},
                doc! {"$set": {"repaired": true}},
            )
            .await?;
        Ok(())
    }

    /// Forgets the verifications of a job that is deleted, or of a project.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_verifications_of(&self, jobs: &[JobId], project: Option<&ProjectId>) -> Result<(), StoreError> {
        let ids: Vec<&str> = jobs.iter().map(JobId::as_str).collect();
        let mut which = vec![doc! {"job": {"$in": ids}}];
        if let Some(project) = project {
            which.push(doc! {"project": project.as_str()});
        }
        let entries = self.collection("verifications");
        let found = entries.find(doc! {"$or": which}).projection(doc! {"_id": 1}).await?;
        let found: Vec<Document> = found.try_collect().await?;
        let runs: Vec<&str> = found.iter().filter_map(|e| e.get_str("_id").ok()).collect();
        for name in ["verificationFindings", "verificationMarks"] {
            self.collection(name).delete_many(doc! {"run": {"$in": &runs}}).await?;
        }
        entries.delete_many(doc! {"_id": {"$in": &runs}}).await?;
        Ok(())
    }
}

fn filter_of(run: &str, filter: &FindingFilter) -> Document {
    let mut all = doc! {"run": run};
    if let Some(collection) = &filter.collection {
        all.insert("c", collection);
    }
    if let Some(kind) = filter.kind {
        all.insert("k", word_of(kind));
    }
    if filter.only_open {
        all.insert("repaired", doc! {"$ne": true});
    }
    all
}

fn word_of(kind: FindingKind) -> String {
    to_json(&kind).trim_matches('"').to_owned()
}

fn entry_of(run: &str, stored: &StoredFinding) -> Document {
    let finding = &stored.finding;
    // What is one thing in the run: a document, or a sum of a column.
    let mut hasher = blake3::Hasher::new();
    hasher.update(finding.collection.as_bytes());
    hasher.update(&[0]);
    hasher.update(&stored.id);
    if stored.id.is_empty() {
        hasher.update(word_of(finding.kind).as_bytes());
        hasher.update(finding.path.as_deref().unwrap_or_default().as_bytes());
    }
    let mut entry = doc! {
        "_id": format!("{run}/{}", hasher.finalize().to_hex()),
        "run": run,
        "n": finding.number as i64,
        "c": &finding.collection,
        "k": word_of(finding.kind),
        "finding": to_json(finding),
        "id": Binary { subtype: BinarySubtype::Generic, bytes: stored.id.clone() },
    };
    if let Some(row) = &stored.row {
        entry.insert("row", to_json(row));
    }
    entry
}

fn finding_of(entry: &Document) -> Result<StoredFinding, StoreError> {
    let mut finding: Finding = from_json(entry, "finding")?;
    finding.is_repaired = entry.get_bool("repaired").unwrap_or(false);
    Ok(StoredFinding {
        finding,
        id: entry.get_binary_generic("id").cloned().unwrap_or_default(),
        row: match entry.contains_key("row") {
            true => Some(from_json(entry, "row")?),
            false => None,
        },
    })
}
