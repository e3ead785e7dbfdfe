//! Lines of the update log that tell of the job itself, one for each time that something happened: outages, pauses,
//! restarts. Issues of rows are folded instead, in [`data::issue`](crate::data::issue).

use chrono::{DateTime, Utc};
use godwit_shared::job::{CdcStatus, EventStage, EventType, JobUpdate, MigrationJobStatus};
use std::collections::VecDeque;

/// The kinds, by their stable codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    OutageBegan,
    OutageEnded,
    Paused,
    Resumed,
    Restarted,
    FailedRowsTried,
    SchemaChanged,
    Verified,
    NotVerified,
}

impl EventKind {
    const ALL: [EventKind; 9] = [
        EventKind::OutageBegan,
        EventKind::OutageEnded,
        EventKind::Paused,
        EventKind::Resumed,
        EventKind::Restarted,
        EventKind::FailedRowsTried,
        EventKind::SchemaChanged,
        EventKind::Verified,
        EventKind::NotVerified,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            EventKind::OutageBegan => "outage_began",
            EventKind::OutageEnded => "outage_ended",
            EventKind::Paused => "job_paused",
            EventKind::Resumed => "job_resumed",
            EventKind::Restarted => "job_restarted",
            EventKind::FailedRowsTried => "failed_rows_tried",
            EventKind::SchemaChanged => "schema_changed",
            EventKind::Verified => "verified",
            EventKind::NotVerified => "not_verified",
        }
    }

    fn event_type(self) -> EventType {
        match self {
            EventKind::OutageBegan | EventKind::NotVerified => EventType::Warning,
            EventKind::OutageEnded
            | EventKind::Paused
            | EventKind::Resumed
            | EventKind::Restarted
            | EventKind::FailedRowsTried
            | EventKind::SchemaChanged
            | EventKind::Verified => EventType::Info,
        }
    }
}

/// The most lines of a job; the oldest go first.
const EVENTS_MAX: usize = 200;

/// The lines of one job, oldest first.
#[derive(Debug, Default)]
pub struct Events(VecDeque<JobUpdate>);

impl Events {
    /// Those of a job that goes on.
    pub fn of(updates: &[JobUpdate]) -> Self {
        Self(updates.iter().filter(|u| is_event(u)).cloned().collect())
    }

    pub fn add(&mut self, kind: EventKind, at: DateTime<Utc>, message: String, status: &MigrationJobStatus) {
        self.0.push_back(JobUpdate {
            event_type: kind.event_type(),
            stage: match (kind, status.cdc_status) {
                (EventKind::Verified | EventKind::NotVerified, _) => EventStage::Verification,
                (_, CdcStatus::NotStarted) => EventStage::Snapshotting,
                (_, _) => EventStage::Streaming,
            },
            message,
            details: None,
            timestamp: at,
            error_code: kind.code().into(),
            suggestion: None,
            location_type: None,
            location_name: None,
            field_name: None,
            key: Default::default(),
            count: 1,
        });
        while self.0.len() > EVENTS_MAX {
            self.0.pop_front();
        }
    }

    /// Puts them into the log of a status, where another part of it may just have been replaced, and counts its warnings.
    pub fn merge_into(&self, status: &mut MigrationJobStatus) {
        let updates = &mut status.job_updates;
        updates.retain(|u| !is_event(u));
        updates.extend(self.0.iter().cloned());
        let warnings = updates.iter().filter(|u| u.event_type == EventType::Warning);
        status.statistics.warnings = warnings.map(JobUpdate::weight).sum();
    }
}

fn is_event(update: &JobUpdate) -> bool {
    EventKind::ALL.iter().any(|kind| kind.code() == update.error_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_stay_whoever_writes_the_log() {
        let status = serde_json::json!({
            "id": "j", "projectId": "p", "projectName": "P", "status": "RUNNING", "submittedAt": "2026-11-26T12:00:00Z",
            "options": {"mode": "SNAPSHOT"}, "jdbcConnectionString": "", "mongoDbConnectionString": "",
            "statistics": {}, "metadata": {"verificationRequested": false},
        });
        let mut status: MigrationJobStatus = serde_json::from_value(status).expect("a job");
        let mut events = Events::default();
        events.add(EventKind::OutageBegan, Utc::now(), "a".into(), &status);
        events.add(EventKind::OutageEnded, Utc::now(), "b".into(), &status);
        for _ in 0..2 {
            events.merge_into(&mut status);
        }
        let messages: Vec<&str> = status.job_updates.iter().map(|u| &*u.message).collect();
        assert_eq!((messages, status.statistics.warnings), (vec!["a", "b"], 1));
        assert_eq!(Events::of(&status.job_updates).0.len(), 2);
        for _ in 0..EVENTS_MAX {
            events.add(EventKind::Paused, Utc::now(), "c".into(), &status);
        }
        assert_eq!(events.0.len(), EVENTS_MAX);
    }
}
