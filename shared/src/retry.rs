//! Rows that have failed, and whether they can be tried again.

use crate::job::MigrationJobStatus;
use serde::{Deserialize, Serialize};

/// Whether a second try can help where a row has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// There is no document of the row: when the cause is gone, there can be one.
    CanHelp,
    /// Why it cannot, and what does.
    CannotHelp(&'static str),
}

/// Whether a second try can help, by the code of the error; `None` of what is no error of a row.
pub fn retry_of(error_code: &str) -> Option<Retry> {
    match error_code {
        "write_refused" | "document_too_large" | "id_invalid" | "filter_failed" | "filter_not_boolean" => {
            Some(Retry::CanHelp)
        }
        "duplicate_id" => Some(Retry::CannotHelp(
            "Another row has the document. In a continuous job this one gets it by itself when the other one goes; \
             otherwise run the job again.",
        )),
        "value_not_convertible" | "expression_failed" => Some(Retry::CannotHelp(
            "The document is there, with null in this place. When the row is corrected in the source, a continuous job \
             follows by itself; otherwise run the job again.",
        )),
        _ => None,
    }
}

/// The answer of `GET /jobs/{id}/failed-rows`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FailedRows {
    /// Rows without a document that are known by their keys: they can be tried again.
    pub rows: u64,
    /// Further ones that nobody has remembered, for there were too many.
    pub beyond: u64,
    /// Why not just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_now: Option<String>,
}

/// Rows that are not tried again, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    pub rows: u64,
    pub reason: String,
}

/// The answer of `POST /jobs/{id}/failed-rows/retry`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RetryAnswer {
    /// The job that tries them: the same one, or, where it has ended, a new one that does nothing else.
    pub job: MigrationJobStatus,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}
