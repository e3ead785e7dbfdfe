//! The beginning of following: what the job needs in the source is made, and remembered before it is made.

use super::error::CdcError;
use super::state::{CdcState, StreamState};
use crate::source::api::Snapshot;
use crate::source::change_log::{ChangeLog, KeepLog, LogState, Needed, NotKept};
use crate::store::JobStore;
use async_trait::async_trait;
use godwit_shared::ids::{JobId, ProjectId};
use std::sync::Arc;

/// Stores what is made in the source beside what else is known of a job.
pub struct Keeper<'a> {
    pub store: &'a JobStore,
    pub job: &'a JobId,
    pub stream: Option<&'a StreamState>,
}

#[async_trait]
impl KeepLog for Keeper<'_> {
    async fn keep(&self, log: &LogState) -> Result<(), NotKept> {
        let state = CdcState {
            log: log.clone(),
            stream: self.stream.cloned(),
        };
        Ok(self.store.save_checkpoint(self.job, &state).await?)
    }
}

/// Makes what the job needs in the source, and the point in time that fits it: nothing that is committed after that point
/// is missing in the stream. What an earlier try has left is taken away first.
///
/// # Errors
/// When the source refuses.
pub async fn begin(
    source: &dyn ChangeLog,
    store: &JobStore,
    (project, job): (&ProjectId, &JobId),
    needed: &Needed<'_>,
) -> Result<(CdcState, Arc<dyn Snapshot>), CdcError> {
    let mut state = match store.checkpoint::<CdcState>(job).await? {
        Some(state) => state,
        None => CdcState::new(source.new_state(project.as_str(), job.as_str())),
    };
    let stream = state.stream.clone();
    let keeper = Keeper {
        store,
        job,
        stream: stream.as_ref(),
    };
    let begun = source.begin(&mut state.log, needed, &keeper).await?;
    state.stream = Some(StreamState {
        system: begun.server,
        position: begun.position,
        is_snapshot_done: false,
        schema: begun.schema,
        complete_at: None,
        refused: Vec::new(),
        foreign: Vec::new(),
        is_without_snapshot: false,
    });
    store.save_checkpoint(job, &state).await?;
    Ok((state, begun.snapshot))
}
