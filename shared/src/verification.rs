//! Verification: whether the documents of a destination are those that the rows of a source give.

use crate::error::ErrorCode;
use crate::ids::{JobId, ProjectId};
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The most findings of one run that are stored; the rest is counted.
pub const FINDINGS_MAX: u64 = 10_000;

/// How much is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VerificationLevel {
    /// How many documents there are, and how many there should be.
    Counts,
    /// Whole documents of some root rows, the same ones each time.
    Sample,
    /// All documents, in both directions.
    #[default]
    Full,
}

/// The status of one verification.
///
/// ```text
/// VERIFYING ──▶ VERIFIED | VERIFIED_WITH_EXCEPTIONS | FAILED      all was compared
///    │ ──────▶ ABORTED ── resume ──▶ VERIFYING                    an error: it goes on where it was
///    └ cancel ▶ CANCELLING ──▶ CANCELLED
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VerificationStatus {
    Verifying,
    /// Source and destination match, and nothing was left out.
    Verified,
    /// What was compared matches; what was left out is named.
    VerifiedWithExceptions,
    /// There are differences.
    Failed,
    /// It could not go on; resumed, it does.
    Aborted,
    Cancelling,
    Cancelled,
}

impl VerificationStatus {
    /// Whether nothing is at work for it.
    pub fn is_ended(self) -> bool {
        !matches!(self, VerificationStatus::Verifying | VerificationStatus::Cancelling)
    }

    /// As the wire spells it.
    pub fn word(self) -> &'static str {
        match self {
            VerificationStatus::Verifying => "VERIFYING",
            VerificationStatus::Verified => "VERIFIED",
            VerificationStatus::VerifiedWithExceptions => "VERIFIED_WITH_EXCEPTIONS",
            VerificationStatus::Failed => "FAILED",
            VerificationStatus::Aborted => "ABORTED",
            VerificationStatus::Cancelling => "CANCELLING",
            VerificationStatus::Cancelled => "CANCELLED",
        }
    }
}

/// What is compared, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct VerificationOptions {
    pub level: VerificationLevel,
    /// Of the root rows, in percent; for the level SAMPLE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_percent: Option<f64>,
    /// Empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub included_collections: Vec<String>,
    /// At most so many rows are read in a second; absent: as fast as it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rows_per_second: Option<u64>,
    /// The order of the fields in a document says nothing.
    pub ignore_field_order: bool,
    /// Documents that no row gives are no difference: the collection holds those of others.
    pub ignore_unexpected: bool,
    /// Blanks at the end of a text say nothing.
    pub ignore_trailing_blanks: bool,
    /// Sums of columns are compared besides, computed by source and destination themselves.
    pub checksums: bool,
}

impl Default for VerificationOptions {
    fn default() -> Self {
        Self {
            level: VerificationLevel::default(),
            sample_percent: None,
            included_collections: Vec::new(),
            max_rows_per_second: None,
            ignore_field_order: false,
            ignore_unexpected: false,
            ignore_trailing_blanks: false,
            checksums: true,
        }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    pub id: String,
    /// The job whose documents are verified, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    pub project_id: ProjectId,
    pub project_name: String,
    pub status: VerificationStatus,
    /// It stands still because its user wants that.
    #[serde(default)]
    pub is_paused: bool,
    /// It is the last stage of its job.
    #[serde(default)]
    pub is_stage: bool,
    pub started_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    pub options: VerificationOptions,
    /// Passwords masked.
    pub source: String,
    /// Passwords masked.
    pub destination: String,
    /// In words: which state of the source the documents were compared with.
    #[serde(default)]
    pub read_at: String,
    pub collections: Vec<CollectionVerification>,
    /// Of the program.
    pub version: String,
    /// Findings, all of them.
    #[serde(default)]
    pub findings: u64,
    /// Those that are stored.
    #[serde(default)]
    pub findings_stored: u64,
    /// Of the stored ones: repaired since, and found equal then.
    #[serde(default)]
    pub findings_repaired: u64,
    /// Why the verdict is not plain: what was left out, and why.
    #[serde(default)]
    pub exceptions: Vec<VerificationException>,
    /// What is worth knowing and is no exception: values that are stored with a loss.
    #[serde(default)]
    pub notes: Vec<VerificationException>,
    /// Why it was aborted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<VerificationFailure>,
    /// A repair is at work.
    #[serde(default)]
    pub is_repairing: bool,
    /// What the last repair came to, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<String>,
}

impl Verification {
    /// Collections that are done.
    pub fn collections_verified(&self) -> usize {
        self.collections.iter().filter(|c| c.is_complete).count()
    }

    /// Documents that were compared.
    pub fn documents_verified(&self) -> u64 {
        self.collections.iter().map(|c| c.compared).sum()
    }

    /// Root rows that are expected to be read altogether.
    pub fn documents_expected(&self) -> u64 {
        self.collections.iter().map(|c| c.rows_estimated.max(c.rows)).sum()
    }

    /// From 0 to 100.
    pub fn percent(&self) -> u32 {
        let done: u64 = self
            .collections
            .iter()
            .map(|c| {
                if c.is_complete {
                    c.rows_estimated.max(c.rows)
                } else {
                    c.rows
                }
            })
            .sum();
        match (
            self.collections_verified() == self.collections.len(),
            self.documents_expected(),
        ) {
            (true, _) => 100,
            (false, 0) => 0,
            (false, all) => u32::try_from(done.min(all) * 99 / all).unwrap_or(99),
        }
    }
}

/// Why a run was aborted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerificationFailure {
    pub code: ErrorCode,
    pub message: String,
}

/// One collection's part of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct CollectionVerification {
    pub collection: String,
    pub is_complete: bool,
    /// Of the root tables, by the statistics of the source.
    pub rows_estimated: u64,
    /// Root rows that were read.
    pub rows: u64,
    /// Documents that these rows give.
    pub expected: u64,
    /// Documents in the destination; absent where they were not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    pub compared: u64,
    pub equal: u64,
    pub different: u64,
    pub missing: u64,
    pub unexpected: u64,
    /// Rows without a document, each with its reason among the exceptions.
    pub skipped: u64,
    /// Documents that differ, of rows that have changed since they were read first.
    pub changed_since: u64,
    /// Columns whose sums were compared, and those whose sums differ.
    pub sums_compared: u64,
    pub sums_different: u64,
}

/// One thing that was left out of a verification, or that is worth knowing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerificationException {
    /// Stable: the code of a job's issue, or `changed_since`, `undecided`, `not_deterministic`, `unexpected_ignored`.
    pub code: String,
    /// `schema.table` or the name of a collection.
    pub place: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub reason: String,
    /// How many rows or documents.
    pub count: u64,
    /// The key of one of them.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub example: IndexMap<String, String>,
}

/// What a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingKind {
    /// A row gives a document, and there is none.
    MissingDocument,
    /// There is a document, and no row gives it.
    UnexpectedDocument,
    FieldMissing,
    FieldUnexpected,
    FieldType,
    FieldValue,
    /// An array has more elements, or fewer.
    ArrayLength,
    /// The same fields in another order.
    FieldOrder,
    /// Another number of documents than of rows.
    CountMismatch,
    /// Source and destination come to different sums of a column.
    SumMismatch,
}

impl FindingKind {
    /// In plain words.
    pub fn words(self) -> &'static str {
        match self {
            FindingKind::MissingDocument => "Document missing",
            FindingKind::UnexpectedDocument => "Document unexpected",
            FindingKind::FieldMissing => "Field missing",
            FindingKind::FieldUnexpected => "Field unexpected",
            FindingKind::FieldType => "Other type",
            FindingKind::FieldValue => "Other value",
            FindingKind::ArrayLength => "Other number of elements",
            FindingKind::FieldOrder => "Other order of fields",
            FindingKind::CountMismatch => "Other number of documents",
            FindingKind::SumMismatch => "Other sum of a column",
        }
    }

    /// Whether it is about one document.
    pub fn is_of_document(self) -> bool {
        !matches!(self, FindingKind::CountMismatch | FindingKind::SumMismatch)
    }
}

/// One place at which two documents differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    pub kind: FindingKind,
    /// `lines.2.price`
    pub path: String,
    /// Canonical extended JSON, cut where it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// A row of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SourceRow {
    pub table: String,
    /// The primary key, printed; of a table without one the whole row.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub key: IndexMap<String, String>,
}

/// One finding: of a document its first difference stands in front, and up to twenty in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// From 1 on, in the order in which they were found.
    pub number: u64,
    pub kind: FindingKind,
    pub collection: String,
    /// The `_id` as canonical extended JSON; null where it is about no single document.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub key: serde_json::Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// The root row that the document is of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<SourceRow>,
    pub found_at: DateTime<Utc>,
    /// It was repaired, and the document was found equal then.
    #[serde(default)]
    pub is_repaired: bool,
}

/// The answer of `GET /verifications/{id}/findings/{number}`: both documents as they are now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FindingDetails {
    pub finding: Finding,
    /// What the rows give now; absent where they give none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub expected: Option<serde_json::Value>,
    /// What is stored now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub found: Option<serde_json::Value>,
    /// Why one of the two could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The body of `POST /verifications/{id}/repair`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RepairRequest {
    /// Documents that no row gives are deleted too.
    pub delete_unexpected: bool,
}

/// A report with its signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SignedReport {
    pub report: VerificationReport,
    pub signature: Signature,
}

/// An Ed25519 signature of the report as compact JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Signature {
    /// `Ed25519`
    pub algorithm: String,
    /// Of the installation, as 64 hexadecimal digits.
    pub public_key: String,
    /// 128 hexadecimal digits.
    pub value: String,
}

/// What a run came to, to be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerificationReport {
    pub made_at: DateTime<Utc>,
    pub verification: Verification,
    /// The first ones.
    pub findings: Vec<Finding>,
}
