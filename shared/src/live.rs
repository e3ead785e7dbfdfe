//! The messages that the server pushes over the WebSocket `/api/v1/live`.

use crate::ids::JobId;
use crate::job::MigrationJobStatus;
use serde::{Deserialize, Serialize};

/// Counts the messages that one connection was sent, from 1. States that were skipped leave no gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The number that the next message of this connection has.
    pub fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

/// How often a `beat` comes. A reader that has had nothing for three of them is cut off, whatever its socket says.
pub const BEAT_SECONDS: u64 = 5;

/// First one `snapshot` with every job, then what changes, at most 5 a second for each job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ServerMessage {
    /// The state of every job, newest first.
    Snapshot { seq: Seq, jobs: Vec<MigrationJobStatus> },
    /// One job's newest state; also a job that is new.
    JobChanged { seq: Seq, job: Box<MigrationJobStatus> },
    /// The job is gone: its project was deleted.
    JobRemoved { seq: Seq, job_id: JobId },
    /// Projects were added, changed or deleted: ask for the list again.
    ProjectsChanged { seq: Seq },
    /// Saved connections were added, changed or deleted: ask for the list again.
    ConnectionsChanged { seq: Seq },
    /// Nothing has changed, and the link is alive: every [`BEAT_SECONDS`].
    Beat { seq: Seq },
}
