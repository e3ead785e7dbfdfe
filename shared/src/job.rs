//! Migration jobs: what starts one, its states, its statistics and its update log.

use crate::connection::{JdbcConnectionDetails, MongodbConnectionDetails};
use crate::error::ErrorCode;
use crate::ids::{JobId, ProjectId};
use crate::outage::{CutoverReadiness, KnownLag, Outage};
use crate::verification::VerificationLevel;
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// Which stages a job has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MigrationMode {
    /// The rows of one point in time.
    Snapshot,
    /// A snapshot, then every change until the user completes it.
    Cdc,
    /// Changes only. A later version of the API that clients know calls it `INCREMENTAL`.
    #[serde(alias = "INCREMENTAL")]
    CdcOnly,
}

/// What a row's error does to the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorHandling {
    /// Errors count towards `errorTolerance`.
    #[default]
    Fail,
    /// Errors never end the job.
    Warn,
    /// As `Warn`.
    Skip,
}

/// Options of a job. Unknown members are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", from = "AcceptedOptions")]
pub struct JobOptions {
    pub mode: MigrationMode,
    /// Drop the collections that the job writes before it starts.
    pub drop_collections: bool,
    pub error_handling: ErrorHandling,
    /// The job fails when so many errors have been counted; 0 and 1: at the first. Absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_tolerance: Option<u64>,
    /// Let a continuous job set the replica identities that it needs and restore them at its end.
    pub prepare_source: bool,
}

/// Options as clients of all versions of the API send them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AcceptedOptions {
    mode: MigrationMode,
    #[serde(default)]
    drop_collections: bool,
    #[serde(default)]
    error_handling: ErrorHandling,
    #[serde(default)]
    error_tolerance: Option<u64>,
    #[serde(default)]
    prepare_source: bool,
    /// Nothing here needs a table in the source.
    #[serde(default, rename = "signalingTable")]
    _signaling_table: IgnoredAny,
    /// How the other tool reads a catalog.
    #[serde(default, rename = "metadataSnapshotOptions")]
    _metadata_snapshot_options: IgnoredAny,
}

impl From<AcceptedOptions> for JobOptions {
    fn from(options: AcceptedOptions) -> Self {
        Self {
            mode: options.mode,
            drop_collections: options.drop_collections,
            error_handling: options.error_handling,
            error_tolerance: options.error_tolerance,
            prepare_source: options.prepare_source,
        }
    }
}

/// Whether the job compares source and destination after its snapshot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerificationRequest {
    #[serde(default)]
    pub enabled: bool,
    /// Absent or empty: all that the job writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub included_collections: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<VerificationLevel>,
    /// For the level SAMPLE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_percent: Option<f64>,
}

/// Rows of one table that the job reads; overrides the filter of the project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TableFilter {
    /// What follows WHERE, in the source's SQL; `TRUE` for a limit alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub where_clause: Option<String>,
    /// At most so many rows, the first by primary key. Snapshot jobs only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_count: Option<u64>,
}

/// Filters by schema and table.
pub type TableFilters = IndexMap<String, IndexMap<String, TableFilter>>;

/// Which collections take part, by name. Both absent or empty: all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CollectionFilters {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

/// The body of `POST /jobs`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PostMigrationJobRequest {
    pub project_id: ProjectId,
    pub jdbc_connection_details: JdbcConnectionDetails,
    pub mongodb_connection_details: MongodbConnectionDetails,
    pub options: JobOptions,
    #[serde(default)]
    pub verification: VerificationRequest,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub relational_table_filters: TableFilters,
    #[serde(default)]
    pub collection_filters: CollectionFilters,
    /// What the user calls the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the user wants to remember of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl PostMigrationJobRequest {
    /// For a look at a source as a job of a mode would read it: all of the project, and nothing is written.
    pub fn looking(project_id: ProjectId, source: JdbcConnectionDetails, mode: MigrationMode) -> Self {
        Self {
            project_id,
            jdbc_connection_details: source,
            mongodb_connection_details: MongodbConnectionDetails::default(),
            options: JobOptions {
                mode,
                drop_collections: false,
                error_handling: ErrorHandling::Fail,
                error_tolerance: None,
                prepare_source: false,
            },
            verification: VerificationRequest::default(),
            relational_table_filters: TableFilters::default(),
            collection_filters: CollectionFilters::default(),
            name: None,
            note: None,
        }
    }
}

/// The body of `PUT /jobs/{id}/label`. Absent or empty: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct JobLabel {
    pub name: Option<String>,
    pub note: Option<String>,
}

/// The most characters of a name and of a note.
pub const NAME_CHARS_MAX: usize = 100;
pub const NOTE_CHARS_MAX: usize = 2_000;

impl JobLabel {
    /// Without what says nothing, and cut where it is too long.
    pub fn tidied(self) -> Self {
        let tidy = |text: Option<String>, max: usize| {
            let text = text?;
            let text: String = text.trim().chars().take(max).collect();
            (!text.is_empty()).then_some(text)
        };
        Self {
            name: tidy(self.name, NAME_CHARS_MAX),
            note: tidy(self.note, NOTE_CHARS_MAX),
        }
    }
}

/// The status of the whole job.
///
/// ```text
///            ┌──── pause ───▶ PAUSED ─── resume ──┐
///            │                  │ stop            │
/// RUNNING ◀──┴──────────────────┼─────────────────┘
///    │ stop (snapshot stage)    ▼
///    ├──────────────────▶ CANCELLING ───────────────▶ CANCELLED
///    ├── all stages done ──▶ CLEANING_UP (COMPLETED) ──▶ COMPLETED
///    └── fatal error, or too many ──▶ CLEANING_UP (FAILED) ──▶ FAILED
/// ```
/// All are stored. In CLEANING_UP and CANCELLING the end is decided already, as [`JobEnd`] says: nothing is written to the
/// destination any more, and no way leads back. After a restart RUNNING goes on, CLEANING_UP and CANCELLING clean up and
/// end, PAUSED stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    Running,
    Paused,
    CleaningUp,
    Cancelling,
    Cancelled,
    Failed,
    Completed,
}

impl JobStatus {
    /// Whether nothing more will happen to the job.
    pub fn is_ended(self) -> bool {
        match self {
            JobStatus::Cancelled | JobStatus::Failed | JobStatus::Completed => true,
            JobStatus::Running | JobStatus::Paused | JobStatus::CleaningUp | JobStatus::Cancelling => false,
        }
    }
}

/// How a job ends. Once it is decided, it is never another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobOutcome {
    Completed,
    Cancelled,
    Failed,
}

impl JobOutcome {
    /// The status of a job that has ended so.
    pub fn status(self) -> JobStatus {
        match self {
            JobOutcome::Completed => JobStatus::Completed,
            JobOutcome::Cancelled => JobStatus::Cancelled,
            JobOutcome::Failed => JobStatus::Failed,
        }
    }
}

/// The end of a job: stored before anything is cleaned, and kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobEnd {
    pub outcome: JobOutcome,
    pub decided_at: DateTime<Utc>,
    /// Nothing of the job is left in the source or in Godwit's own data. Until then it is tried again, in the background
    /// and at every start.
    #[serde(default)]
    pub is_cleaned: bool,
    /// How often cleaning was tried.
    #[serde(default)]
    pub clean_attempts: u32,
    /// What is still in the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftInSource>,
    /// The changes that a CDC stage had not applied when the user ended it without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unapplied: Option<Unapplied>,
}

/// One thing that a job has made or changed in the source and could not take back yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeftInSource {
    /// `the replication slot "godwit_..."`
    pub object: String,
    /// Why it is still there.
    pub reason: String,
    /// The SQL that takes it back by hand.
    pub statement: String,
}

/// A part of the source's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Unapplied {
    /// Everything before it is in the documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Where the log ended when it was last seen, or where the stage was to be completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    pub bytes: u64,
    /// Everything that was committed before is applied, by the clock of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
}

/// A job that waits for its user: it does nothing until he lets it go on, or ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct StandStill {
    pub reason: String,
    pub since: DateTime<Utc>,
}

/// The status of the CDC stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CdcStatus {
    #[default]
    NotStarted,
    Running,
    Completing,
    Completed,
    Failed,
    Cancelled,
    Paused,
}

/// One job as the API and the live channel show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MigrationJobStatus {
    pub id: JobId,
    pub project_id: ProjectId,
    pub project_name: String,
    /// What the user calls the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The job whose failed rows this one tries again, and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<JobId>,
    pub status: JobStatus,
    pub submitted_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    pub options: JobOptions,
    #[serde(default)]
    pub cdc_status: CdcStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_job_id: Option<String>,
    /// Passwords masked.
    pub jdbc_connection_string: String,
    /// Passwords masked.
    pub mongo_db_connection_string: String,
    pub statistics: JobStatistics,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cdc_statistics: Option<CdcStatistics>,
    /// Equal events folded with a count, newest last; at most [`JOB_UPDATES_MAX`].
    #[serde(default)]
    pub job_updates: Vec<JobUpdate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_error: Option<FailureError>,
    /// How it ends, from the moment in which that is decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<JobEnd>,
    /// Why it stands still without the user having paused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_still: Option<StandStill>,
    /// Servers that do not answer just now: as long as there is one, the job tries again, whatever `status` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<Outage>,
    pub metadata: JobMetadata,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub relational_table_filters: TableFilters,
}

impl MigrationJobStatus {
    /// How the job ends; `None` as long as nothing is decided.
    pub fn outcome(&self) -> Option<JobOutcome> {
        let decided = self.end.as_ref().map(|end| end.outcome);
        // Earlier versions had the status alone.
        decided.or(match self.status {
            JobStatus::CleaningUp | JobStatus::Completed => Some(JobOutcome::Completed),
            JobStatus::Cancelling | JobStatus::Cancelled => Some(JobOutcome::Cancelled),
            JobStatus::Failed => Some(JobOutcome::Failed),
            JobStatus::Running | JobStatus::Paused => None,
        })
    }
}

/// The most groups of the update log that a job keeps; further ones are folded into one that counts them.
pub const JOB_UPDATES_MAX: usize = 500;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobMetadata {
    pub verification_requested: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_status: Option<String>,
}

/// Progress of the snapshot stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct JobStatistics {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// Time in work, without pauses, in whole seconds.
    #[serde(deserialize_with = "whole")]
    pub elapsed_seconds: u64,
    /// The same, ms.
    pub elapsed_ms: u64,
    pub total_table_count: u64,
    pub remaining_table_count: u64,
    /// Names of the tables whose rows have all been read.
    pub migrated_tables: Vec<String>,
    /// Names of the tables that are being read now.
    pub processing_tables: Vec<String>,
    /// Rows that the job is expected to read: an estimate from the source's statistics until all are read.
    pub total_events: u64,
    /// Rows read so far.
    pub total_events_seen: u64,
    /// Bytes of the rows read so far, as the source sent them.
    pub total_event_size: u64,
    pub documents_written: u64,
    /// Bytes of BSON written.
    pub bytes_written: u64,
    pub errors: u64,
    pub warnings: u64,
    /// Over the last seconds.
    pub rows_per_second: f64,
    /// BSON bytes written per second, over the last seconds.
    pub bytes_per_second: f64,
    /// 0 to 100.
    pub percent: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_seconds_remaining: Option<f64>,
    pub snapshot_completed: bool,
    /// Why nothing moves just now: a server does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    pub tables: Vec<TableProgress>,
    pub collections: Vec<CollectionProgress>,
}

/// Earlier versions stored fractions.
fn whole<'de, D: Deserializer<'de>>(value: D) -> Result<u64, D::Error> {
    Ok(f64::deserialize(value)? as u64)
}

/// One table's part of the snapshot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TableProgress {
    /// `schema.table`
    pub table: String,
    /// How often a row of it was read: a row counts again for each place in which it is embedded.
    pub rows_read: u64,
    pub rows_estimated: u64,
    /// Rows that the filters let through, each once, counted in the point in time of the snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_in_scope: Option<u64>,
    pub is_complete: bool,
}

/// One collection's part of the snapshot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CollectionProgress {
    pub collection: String,
    /// By the snapshot stage.
    pub documents_written: u64,
    pub is_complete: bool,
    /// Rows of its root tables that the snapshot has read, each once.
    #[serde(default)]
    pub root_rows: u64,
    /// Documents in the collection when the destination was last asked, whoever has written them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents_now: Option<u64>,
    /// Documents that the CDC stage has written again, or for the first time.
    #[serde(default)]
    pub documents_rebuilt: u64,
    #[serde(default)]
    pub documents_deleted: u64,
    /// Documents that were there when the job started and that it has not replaced. Known at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents_untouched: Option<u64>,
}

/// Progress of the CDC stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct CdcStatistics {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When the newest change was applied, by the clock of this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event_time: Option<DateTime<Utc>>,
    /// When the newest applied change was committed, by the clock of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event_source_database_time: Option<DateTime<Utc>>,
    /// Row changes of the mapped tables.
    pub total_events_seen: u64,
    pub events_in_last_hour: u64,
    pub events_in_last_minute: u64,
    /// Over the last seconds.
    pub events_per_second: f64,
    /// How long the oldest change of the newest batch had to wait from its commit until it was durable in MongoDB, ms.
    #[serde(rename = "latestBatchMaxSourceDbLagMs", skip_serializing_if = "Option::is_none")]
    pub latest_batch_max_lag_ms: Option<u64>,
    /// Age of the oldest committed change that is not applied yet, ms, by log and clock of the source; 0 when everything is
    /// applied. Where only the log is known and not what is in it, it is the most that it can be.
    pub lag_ms: u64,
    /// Bytes of the source's log between what is applied and its end.
    pub lag_bytes: u64,
    /// The source does not answer, so nobody knows what it has committed since: `lagMs` is the most that it can be, and
    /// grows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_lag_unknown: bool,
    /// What was known last, while it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_known_lag: Option<KnownLag>,
    /// Documents assembled again, deletions included.
    pub roots_rebuilt: u64,
    pub documents_deleted: u64,
    /// Up to where changes are applied and stored, as the source writes positions: `0/16B3748`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// The end of the source's log when it was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_end: Option<String>,
    /// Everything that was committed before this moment is applied, by the clock of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_until: Option<DateTime<Utc>>,
    /// Up to where *Complete CDC* has to apply changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete_position: Option<String>,
    /// Bytes of its log that the source keeps for this job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retained_log_bytes: Option<u64>,
    /// Bytes that may still be written to the log before the source discards what the job needs; absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_log_bytes: Option<u64>,
    /// The same as time, at the rate at which the log grew over the last minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_until_log_lost: Option<f64>,
    /// Lag has been under a second for a minute.
    pub is_ready_for_cutover: bool,
    /// The same with its reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutover: Option<CutoverReadiness>,
    /// Why nothing moves just now: the source or MongoDB does not answer, a change of the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    Error,
    Warning,
    Info,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventStage {
    Snapshotting,
    Streaming,
    Verification,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LocationType {
    Table,
    Collection,
}

/// One group of the job update log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobUpdate {
    pub event_type: EventType,
    pub stage: EventStage,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// Of the newest event of the group.
    pub timestamp: DateTime<Utc>,
    /// The kind of the event, stable: `value_not_convertible`, `document_too_large`, ...
    pub error_code: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_type: Option<LocationType>,
    /// `schema.table` or the collection's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_name: Option<String>,
    /// Key of one affected row: column to its printed value.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub key: IndexMap<String, String>,
    pub count: u64,
}

/// Losses that a column's type brings with it: each is one thing to tell of the column, whatever the number of rows.
const LOSS_CODES: [&str; 6] = [
    "value_rounded",
    "value_too_small",
    "precision_lost",
    "fraction_cut",
    "rounded_to_double",
    "array_lower_bound_dropped",
];

impl JobUpdate {
    /// For how many errors or warnings the group counts: a loss counts once for its column, and `count` says in how many
    /// rows.
    pub fn weight(&self) -> u64 {
        match LOSS_CODES.contains(&self.error_code.as_str()) {
            true => 1,
            false => self.count,
        }
    }
}

/// Why a job ended as failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FailureError {
    /// The code that a request would have been answered with.
    pub error_type: ErrorCode,
    pub message: String,
    pub failure_at: DateTime<Utc>,
    /// Whether the job failed before any data was written.
    #[serde(default)]
    pub setup_error: bool,
}
