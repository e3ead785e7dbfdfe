//! Analyses before a migration: where the newest run of each project stands, its reports, and which detections are resolved.
//!
//! A report may be larger than one entry: its text lies in parts.

use super::{Store, StoreError, from_json, to_json};
use bson::{DateTime, Document, doc};
use chrono::Utc;
use futures_util::TryStreamExt;
use godwit_shared::analysis::{AnalysisReport, AnalysisReportSummary, AnalysisStatus, AnalysisTask};
use godwit_shared::ids::ProjectId;
use mongodb::error::{ErrorKind, WriteFailure};
use std::time::Duration;

/// Reports of a project that are kept, the newest ones.
pub const REPORTS_MAX: usize = 10;
/// Of one entry.
const PART_BYTES_MAX: usize = 8 << 20;
/// Marks of a project that are kept.
const MARKS_MAX: u64 = 20_000;
const DUPLICATE_KEY: i32 = 11_000;

/// A run as it is stored.
#[derive(Debug, Clone)]
pub struct AnalysisRecord {
    pub task: AnalysisTask,
    /// The installation that runs it.
    pub owner: String,
    /// How long ago it was heard of.
    pub silent_for: Duration,
}

impl Store {
    /// Stores that a run begins, unless one of the project is at work. One that nobody has heard of for `silence` is none.
    /// Returns whether it was stored.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin_analysis(
        &self,
        task: &AnalysisTask,
        owner: &str,
        silence: Duration,
    ) -> Result<bool, StoreError> {
        let id = task.project_id.as_str();
        let before = Utc::now().timestamp_millis() - i64::try_from(silence.as_millis()).unwrap_or(i64::MAX);
        let free = doc! {
            "_id": id,
            "$or": [{"isEnded": true}, {"seenAt": {"$lt": DateTime::from_millis(before)}}],
        };
        let entry = doc! {
            "_id": id,
            "task": to_json(task),
            "isEnded": false,
            "owner": owner,
            "seenAt": DateTime::now(),
            "submittedAt": DateTime::from_millis(task.submitted_at.timestamp_millis()),
        };
        match self
            .collection("analysisTasks")
            .replace_one(free, entry)
            .upsert(true)
            .await
        {
            Ok(_) => Ok(true),
            Err(error) => match error.kind.as_ref() {
                ErrorKind::Write(WriteFailure::WriteError(e)) if e.code == DUPLICATE_KEY => Ok(false),
                _ => Err(error.into()),
            },
        }
    }

    /// Stores where a run stands, while it is the newest of its project and has not ended. Returns whether it was stored.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save_analysis(&self, task: &AnalysisTask) -> Result<bool, StoreError> {
        let own = doc! {
            "_id": task.project_id.as_str(),
            "isEnded": false,
            "submittedAt": DateTime::from_millis(task.submitted_at.timestamp_millis()),
        };
        let set = doc! {
            "task": to_json(task),
            "isEnded": task.status != AnalysisStatus::Running,
            "seenAt": DateTime::now(),
        };
        let saved = self
            .collection("analysisTasks")
            .update_one(own, doc! {"$set": set})
            .await?;
        Ok(saved.matched_count > 0)
    }

    /// The newest run of a project.
    ///
    /// # Errors
    /// When the store fails, or the entry cannot be read.
    pub async fn analysis(&self, project: &ProjectId) -> Result<Option<AnalysisRecord>, StoreError> {
        let found = self
            .collection("analysisTasks")
            .find_one(doc! {"_id": project.as_str()})
            .await?;
        found.map(|entry| record_of(&entry)).transpose()
    }

    /// The runs of an installation that have not ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_analyses(&self, owner: &str) -> Result<Vec<AnalysisRecord>, StoreError> {
        let open = doc! {"isEnded": false, "owner": owner};
        let entries: Vec<Document> = self.collection("analysisTasks").find(open).await?.try_collect().await?;
        Ok(entries.iter().filter_map(|entry| record_of(entry).ok()).collect())
    }

    /// Stores a report, and forgets the oldest ones of its project.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn insert_report(
        &self,
        report: &AnalysisReport,
        summary: &AnalysisReportSummary,
    ) -> Result<(), StoreError> {
        let text = to_json(report);
        let parts = self.collection("analysisReportParts");
        let mut rest = text.as_str();
        let mut number = 0;
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(rest.floor_char_boundary(PART_BYTES_MAX));
            parts
                .insert_one(doc! {"report": &report.id, "n": number, "text": part})
                .await?;
            (rest, number) = (behind, number + 1);
        }
        let entry = doc! {
            "_id": &report.id,
            "project": report.project_id.as_str(),
            "generatedAt": DateTime::from_millis(report.generated_at.timestamp_millis()),
            "summary": to_json(summary),
            "parts": number,
        };
        self.collection("analysisReports").insert_one(entry).await?;
        let old = self.reports_of(&report.project_id, REPORTS_MAX as u64).await?;
        self.delete_reports(&old).await
    }

    async fn reports_of(&self, project: &ProjectId, after: u64) -> Result<Vec<String>, StoreError> {
        let reports = self.collection("analysisReports");
        let found = reports
            .find(doc! {"project": project.as_str()})
            .sort(doc! {"generatedAt": -1})
            .skip(after)
            .projection(doc! {"_id": 1})
            .await?;
        let entries: Vec<Document> = found.try_collect().await?;
        Ok(entries
            .iter()
            .filter_map(|e| e.get_str("_id").ok().map(Into::into))
            .collect())
    }

    async fn delete_reports(&self, ids: &[String]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        self.collection("analysisReports")
            .delete_many(doc! {"_id": {"$in": ids}})
            .await?;
        self.collection("analysisReportParts")
            .delete_many(doc! {"report": {"$in": ids}})
            .await?;
        Ok(())
    }

    /// The reports of a project, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn report_summaries(&self, project: &ProjectId) -> Result<Vec<AnalysisReportSummary>, StoreError> {
        let reports = self.collection("analysisReports");
        let found = reports
            .find(doc! {"project": project.as_str()})
            .sort(doc! {"generatedAt": -1})
            .await?;
        let entries: Vec<Document> = found.try_collect().await?;
        Ok(entries
            .iter()
            .filter_map(|entry| from_json(entry, "summary").ok())
            .collect())
    }

    /// A report of a project, or its newest one, with what is resolved by now.
    ///
    /// # Errors
    /// When the store fails, or the report cannot be read.
    pub async fn report(&self, project: &ProjectId, id: Option<&str>) -> Result<Option<AnalysisReport>, StoreError> {
        let mut which = doc! {"project": project.as_str()};
        if let Some(id) = id {
            which.insert("_id", id);
        }
        let reports = self.collection("analysisReports");
        let Some(entry) = reports.find_one(which).sort(doc! {"generatedAt": -1}).await? else {
            return Ok(None);
        };
        let malformed = |e: String| StoreError::Malformed(format!("report: {e}"));
        let id = entry.get_str("_id").map_err(|e| malformed(e.to_string()))?;
        let parts = self.collection("analysisReportParts");
        let mut found = parts.find(doc! {"report": id}).sort(doc! {"n": 1}).await?;
        let mut text = String::new();
        while let Some(part) = found.try_next().await? {
            text.push_str(part.get_str("text").map_err(|e| malformed(e.to_string()))?);
        }
        let mut report: AnalysisReport = serde_json::from_str(&text).map_err(|e| malformed(e.to_string()))?;
        report.resolved_rules = self.resolved(project).await?;
        report.settle();
        Ok(Some(report))
    }

    /// Marks a detection as resolved, or takes the mark away.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn set_resolved(&self, project: &ProjectId, detection: &str, resolved: bool) -> Result<(), StoreError> {
        let marks = self.collection("analysisMarks");
        let id = format!("{project}/{}", blake3::hash(detection.as_bytes()).to_hex());
        let one = doc! {"_id": &id};
        if !resolved {
            marks.delete_one(one).await?;
            return Ok(());
        }
        let count = marks.count_documents(doc! {"project": project.as_str()}).await?;
        if count >= MARKS_MAX {
            return Err(StoreError::TooLarge {
                what: "the list of resolved detections".into(),
                bytes: usize::try_from(count).unwrap_or(usize::MAX),
                bytes_max: MARKS_MAX as usize,
            });
        }
        let entry = doc! {"_id": &id, "project": project.as_str(), "detection": detection, "at": DateTime::now()};
        marks.replace_one(one, entry).upsert(true).await?;
        Ok(())
    }

    /// The detections of a project that are marked as resolved.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resolved(&self, project: &ProjectId) -> Result<Vec<String>, StoreError> {
        let found = self
            .collection("analysisMarks")
            .find(doc! {"project": project.as_str()})
            .await?;
        let entries: Vec<Document> = found.try_collect().await?;
        Ok(entries
            .iter()
            .filter_map(|e| e.get_str("detection").ok().map(Into::into))
            .collect())
    }

    /// Forgets what belongs to a project that is deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_analyses_of(&self, project: &ProjectId) -> Result<(), StoreError> {
        let reports = self.reports_of(project, 0).await?;
        self.delete_reports(&reports).await?;
        self.collection("analysisMarks")
            .delete_many(doc! {"project": project.as_str()})
            .await?;
        self.collection("analysisTasks")
            .delete_one(doc! {"_id": project.as_str()})
            .await?;
        Ok(())
    }
}

fn record_of(entry: &Document) -> Result<AnalysisRecord, StoreError> {
    let seen = entry.get_datetime("seenAt").map_or(0, |at| at.timestamp_millis());
    let silent = Utc::now().timestamp_millis().saturating_sub(seen);
    Ok(AnalysisRecord {
        task: from_json(entry, "task")?,
        owner: entry.get_str("owner").unwrap_or_default().to_owned(),
        silent_for: Duration::from_millis(u64::try_from(silent).unwrap_or(0)),
    })
}
