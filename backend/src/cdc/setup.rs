//! What a job makes in the source, looks after, and takes away: publication, slot, replica identities.

use super::error::CdcError;
use super::schema::watched;
use super::state::{CdcState, StreamState};
use crate::plan::Plan;
use crate::source::SourceError;
use crate::source::postgres::PgSource;
use crate::source::postgres::client::PgClient;
use crate::source::postgres::identity;
use crate::source::postgres::preflight::{Continuous, PublicationPlan};
use crate::source::postgres::reader::PgSnapshot;
use crate::source::postgres::replication::slot;
use crate::source::postgres::replication::wire::WalConnection;
use crate::source::postgres::watch::read_state;
use crate::store::Store;
use godwit_shared::ids::{JobId, ProjectId};

/// How often a slot is made anew because a table was changed in the moment between it and the locks.
const TRIES: usize = 5;

/// Makes what the job needs in the source: first the publication, then the slot, then the point in time that fits it.
/// So nothing that is committed after that point is missing in the stream. What an earlier try has left is taken away
/// first.
///
/// # Errors
/// When the source refuses.
pub async fn begin(
    source: &PgSource,
    store: &Store,
    (project, job): (&ProjectId, &JobId),
    plan: &Plan,
    wanted: &Continuous,
) -> Result<(CdcState, PgSnapshot), CdcError> {
    let control = source.connect().await?;
    let mut state = match store.checkpoint::<CdcState>(job).await? {
        Some(state) => state,
        None => CdcState::new(project.as_str(), job.as_str()),
    };
    if let PublicationPlan::Use(name) = &wanted.publication {
        state.publication = name.clone();
        state.owns_publication = false;
    }
    // What is changed is written down before it is changed.
    let known: Vec<u32> = state.previous_identities.iter().map(|p| p.oid).collect();
    let new = wanted.identities.iter().map(identity::LackingIdentity::previous);
    state
        .previous_identities
        .extend(new.filter(|p| !known.contains(&p.oid)));
    store.save_checkpoint(job, &state).await?;
    identity::set_full(&control, &wanted.identities).await?;

    let tables = plan.tables();
    slot::drop_slot(&control, &state.slot).await?;
    if state.owns_publication {
        slot::drop_publication(&control, &state.publication).await?;
        slot::create_publication(&control, &state.publication, &tables).await?;
    }
    let encoding = slot::client_encoding(&control).await?;
    for _ in 0..TRIES {
        let mut wal = WalConnection::open(source, &encoding).await?;
        let system = slot::identify(&mut wal).await?;
        let new = slot::create_slot(&mut wal, &state.slot).await?;
        let point = PgSnapshot::import(source, &new.snapshot, &tables).await?;
        // The locks came after the point in time: nothing may have been changed between the two.
        let watched = watched(plan, &state.publication);
        let then = read_state(point.holder(), &watched).await?;
        let now = read_state(&control, &watched).await?;
        // What is decoded from here on is decoded with the publication as it is here.
        if let Some(reason) = then.lack() {
            return Err(SourceError::NotPublished {
                publication: state.publication.clone(),
                reason,
            }
            .into());
        }
        if then.is_same_storage(&now) {
            state.stream = Some(StreamState {
                system,
                position: new.consistent_point,
                is_snapshot_done: false,
                schema: then,
                complete_at: None,
                refused: Vec::new(),
                foreign: Vec::new(),
                is_without_snapshot: false,
            });
            store.save_checkpoint(job, &state).await?;
            return Ok((state, point));
        }
        drop((point, wal));
        slot::drop_slot(&control, &state.slot).await?;
    }
    Err(SourceError::Query {
        reason: "tables of the mapping were changed again and again while the job began".into(),
    }
    .into())
}

/// Whether the stream can go on where the job stands.
///
/// # Errors
/// [`CdcError::Resync`] where the log does not reach back to it, or belongs to another server or another history.
pub async fn check(control: &PgClient, wal: &mut WalConnection, state: &CdcState) -> Result<(), CdcError> {
    let stream = state
        .stream
        .as_ref()
        .ok_or_else(|| CdcError::Resync("the job has no position".into()))?;
    let system = slot::identify(wal).await?;
    if system.system_id != stream.system.system_id {
        return Err(CdcError::Resync(format!(
            "the source is another server now: its system identifier is {}, not {}",
            system.system_id, stream.system.system_id
        )));
    }
    if system.timeline != stream.system.timeline {
        return Err(CdcError::Resync(format!(
            "the source has switched from timeline {} to {}: it may have lost what was read before",
            stream.system.timeline, system.timeline
        )));
    }
    let end = slot::flushed_end(control).await?;
    if stream.position > end {
        return Err(CdcError::Resync(format!(
            "the source's log ends at {end}, before the job's position {}: an older state of the source was put back",
            stream.position
        )));
    }
    let Some(found) = slot::slot_state(control, &state.slot).await? else {
        return Err(CdcError::Resync(format!(
            "the replication slot \"{}\" is gone",
            state.slot
        )));
    };
    let lost = found.wal_status.as_deref() == Some("lost");
    if let Some(reason) = found
        .conflict
        .or(lost.then(|| "the log it needs was removed".to_owned()))
    {
        return Err(CdcError::Resync(format!(
            "the replication slot \"{}\" is invalid: {reason}",
            state.slot
        )));
    }
    if found.plugin != "pgoutput" {
        return Err(CdcError::Resync(format!(
            "the replication slot \"{}\" is another one: its plugin is {}",
            state.slot, found.plugin
        )));
    }
    if found.confirmed > stream.position {
        return Err(CdcError::Resync(format!(
            "the replication slot \"{}\" stands at {}, after the job's position {}: it was made anew or advanced by \
             somebody else",
            state.slot, found.confirmed, stream.position
        )));
    }
    if let Some(pid) = found.active_pid {
        // Nobody but this job reads from its slot: it is what a process that died has left.
        let sql = format!("SELECT pg_terminate_backend({pid})");
        if let Err(error) = control.client.batch_execute(&sql).await {
            tracing::warn!(%error, "The connection that holds slot {} could not be ended", state.slot);
        }
    }
    Ok(())
}

/// Takes away what the job made in the source and sets back what it changed there. Returns, in words, what could not
/// be: somebody has to do it by hand.
///
/// `is_shared`: another job follows the same server. It may need the replica identities as they are.
pub async fn end(source: &PgSource, state: &CdcState, is_shared: bool) -> Vec<String> {
    let mut left = Vec::new();
    let control = match source.connect().await {
        Ok(control) => control,
        Err(error) => {
            let drop = format!("SELECT pg_drop_replication_slot('{}')", state.slot);
            return vec![format!(
                "the source does not answer ({error}): run {drop} there by hand"
            )];
        }
    };
    if let Err(error) = slot::drop_slot(&control, &state.slot).await {
        left.push(format!(
            "the replication slot \"{}\" must be dropped by hand: {error}",
            state.slot
        ));
    }
    if state.owns_publication
        && let Err(error) = slot::drop_publication(&control, &state.publication).await
    {
        let publication = &state.publication;
        left.push(format!(
            "the publication \"{publication}\" must be dropped by hand: {error}"
        ));
    }
    if state.previous_identities.is_empty() {
        return left;
    }
    let reason = if is_shared {
        Some("another continuous job reads from this server".to_owned())
    } else {
        let restored = identity::restore(&control, &state.previous_identities).await;
        restored.err().map(|e| e.to_string())
    };
    if let Some(reason) = reason {
        let tables: Vec<&str> = state.previous_identities.iter().map(|p| p.relation.as_str()).collect();
        let tables = tables.join(", ");
        left.push(format!(
            "the replica identity of {tables} must be set back by hand: {reason}"
        ));
    }
    left
}
