//! What is measured of a job over time, for its charts.

use crate::job::{CdcStatus, JobStatus, MigrationJobStatus};
use crate::outage::Dependency;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The most samples that are kept of a job; the oldest go first. With [`thin`] they reach back over more than two weeks.
pub const SAMPLES_MAX: usize = 4_000;

/// How far apart samples of an age stand, in seconds: the older they are, the fewer are kept.
fn spacing(age_seconds: i64) -> i64 {
    match age_seconds {
        ..600 => 1,
        600..7_200 => 10,
        7_200..86_400 => 60,
        86_400.. => 600,
    }
}

/// Leaves out old samples that stand close to each other. The first one stays, and so do beginnings and ends of gaps.
pub fn thin<T>(samples: &mut VecDeque<T>, now_second: i64, second: impl Fn(&T) -> i64, is_gap: impl Fn(&T) -> bool) {
    let mut last: Option<(i64, bool)> = None;
    samples.retain(|sample| {
        let (at, gap) = (second(sample), is_gap(sample));
        let is_kept = match last {
            None => true,
            Some((_, was_gap)) if was_gap != gap => true,
            Some((before, _)) => at - before >= spacing(now_second - at),
        };
        if is_kept {
            last = Some((at, gap));
        }
        is_kept
    });
}

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
    /// Oldest first, at most one for each second and fewer of long ago, and only where something has changed; at most
    /// [`SAMPLES_MAX`].
    pub samples: Vec<JobSample>,
}

impl Measured {
    /// Nothing of what only a server can tell that is away: a line that goes on would say that nothing has changed.
    pub fn of(job: &MigrationJobStatus) -> Self {
        let is_away = |server: Dependency| job.outages.iter().any(|o| o.server == server);
        let mut measured = Self::at_work(job);
        if is_away(Dependency::Source) || is_away(Dependency::Destination) {
            measured.rows_per_second = None;
            measured.bytes_per_second = None;
            measured.events_per_second = None;
        }
        let is_unknown = job.cdc_statistics.as_ref().is_some_and(|s| s.is_lag_unknown);
        if is_unknown {
            measured.lag_ms = None;
        }
        measured
    }

    fn at_work(job: &MigrationJobStatus) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_the_fewer_and_gaps_stay() {
        // Two days, a value each second, with a gap of ten seconds an hour before the end.
        let now: i64 = 2 * 86_400;
        let is_gap = |second: &i64| (now - 3_610..now - 3_600).contains(second);
        let mut samples: VecDeque<i64> = (0..now).collect();
        thin(&mut samples, now, |second| *second, is_gap);
        assert!(samples.len() < 3_000, "{}", samples.len());
        assert_eq!(samples.front(), Some(&0));
        assert_eq!(samples.iter().filter(|s| **s >= now - 599).count(), 599);
        assert!(samples.contains(&(now - 3_610)) && samples.contains(&(now - 3_600)));
        let before = samples.len();
        thin(&mut samples, now, |second| *second, is_gap);
        assert_eq!(samples.len(), before);
    }
}
