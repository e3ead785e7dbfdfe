//! What is measured of a job over time, for its charts.

use crate::job::{CdcStatus, JobStatus, MigrationJobStatus};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The most samples that are kept of a job; the oldest go first.
pub const SAMPLES_MAX: usize = 600;

/// What holds from a moment on; absent for a stage that is not at work.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// Rows read, in the snapshot stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_per_second: Option<f64>,
    /// Bytes written, in the snapshot stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<f64>,
    /// Changes applied, in the CDC stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_second: Option<f64>,
    /// How far the CDC stage is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<f64>,
}

/// A measurement with its time by the clock of the server.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobSample {
    pub at: DateTime<Utc>,
    #[serde(flatten)]
    pub measured: Measured,
}

/// The answer of `GET /jobs/{id}/samples`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobSamples {
    /// When they were taken, by the same clock: who draws them has another one.
    pub taken_at: DateTime<Utc>,
    /// Oldest first, at most one for each second, and only where something has changed; at most [`SAMPLES_MAX`].
    pub samples: Vec<JobSample>,
}

impl Measured {
    pub fn of(job: &MigrationJobStatus) -> Self {
        match job.cdc_status {
            CdcStatus::NotStarted => Self::of_snapshot(job),
            CdcStatus::Running | CdcStatus::Completing => Self::of_cdc(job, 1.0),
            // What was measured before the pause is not measured any more: nothing is applied.
            CdcStatus::Paused => Self::of_cdc(job, 0.0),
            CdcStatus::Completed | CdcStatus::Failed | CdcStatus::Cancelled => Self::default(),
        }
    }

    fn of_snapshot(job: &MigrationJobStatus) -> Self {
        let s = &job.statistics;
        let share = match job.status {
            JobStatus::Running => 1.0,
            JobStatus::Paused => 0.0,
            JobStatus::CleaningUp
            | JobStatus::Cancelling
            | JobStatus::Cancelled
            | JobStatus::Failed
            | JobStatus::Completed => return Self::default(),
        };
        let of_stage = |rate: f64| Some(rate * share).filter(|_| !s.snapshot_completed);
        Self {
            rows_per_second: of_stage(s.rows_per_second),
            bytes_per_second: of_stage(s.bytes_per_second),
            ..Self::default()
        }
    }

    fn of_cdc(job: &MigrationJobStatus, share: f64) -> Self {
        let statistics = job.cdc_statistics.as_ref();
        Self {
            events_per_second: statistics.map(|s| s.events_per_second * share),
            lag_ms: statistics.map(|s| s.lag_ms as f64),
            ..Self::default()
        }
    }
}
