//! What a job makes in the source, looks after, and takes away: publication, slot, replica identities.

use super::error::CdcError;
use super::schema::watched;
use super::state::{CdcState, StreamState};
use crate::hooks;
use crate::plan::Plan;
use crate::source::SourceError;
use crate::source::postgres::PgSource;
use crate::source::postgres::client::PgClient;
use crate::source::postgres::identity::{self, PreviousIdentity};
use crate::source::postgres::preflight::{Continuous, PublicationPlan};
use crate::source::postgres::queries::{literal, quote};
use crate::source::postgres::reader::PgSnapshot;
use crate::source::postgres::replication::slot;
use crate::source::postgres::replication::wire::WalConnection;
use crate::source::postgres::watch::read_state;
use crate::store::JobStore;
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::job::LeftInSource;

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
    store: &JobStore,
    (project, job): (&ProjectId, &JobId),
    plan: &Plan,
    (wanted, prepares_source): (&Continuous, bool),
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
    let tables = plan.tables();
    let relations = identity::read_relations(&control, tables.iter().map(AsRef::as_ref)).await?;
    state.relations = relations.iter().map(|r| r.oid).collect();
    (state.database, state.system) = slot::place_of(&control).await?;
    // What is changed is written down before it is changed.
    remember(&mut state, &wanted.identities);
    store.save_checkpoint(job, &state).await?;
    // Another job that ends may have set identities back since the checks. Now that it can see this one, it does not.
    let lacking = identity::read_lacking(&control, plan).await?;
    if let Some(first) = lacking.iter().find(|l| !(prepares_source && l.can_be_prepared)) {
        return Err(SourceError::IdentityNotSet {
            relation: first.relation.to_string(),
            reason: "it was changed while the job began".into(),
        }
        .into());
    }
    if lacking
        .iter()
        .any(|l| !wanted.identities.iter().any(|w| w.oid == l.oid))
    {
        remember(&mut state, &lacking);
        store.save_checkpoint(job, &state).await?;
    }
    identity::set_full(&control, &lacking).await?;

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

/// Notes what relations have now, before it is changed. What was noted first counts.
fn remember(state: &mut CdcState, lacking: &[identity::LackingIdentity]) {
    let known: Vec<u32> = state.previous_identities.iter().map(|p| p.oid).collect();
    let new = lacking.iter().map(identity::LackingIdentity::previous);
    state
        .previous_identities
        .extend(new.filter(|p| !known.contains(&p.oid)));
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

/// Something of the job that is still in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    pub told: LeftInSource,
    /// It stays for another job, and goes when that one has ended.
    pub is_shared: bool,
}

/// Takes away what the job made in the source and sets back what it changed there. May be repeated. Returns what is still
/// there.
///
/// `sharing` names relations that other jobs read, each with its job: those need the replica identities as they are.
pub async fn end(source: &PgSource, state: &CdcState, sharing: &[(u32, JobId)]) -> Vec<Leftover> {
    let control = match source.connect().await {
        Ok(control) => control,
        Err(error) => return all_left(state, &error.to_string()),
    };
    let mut left = Vec::new();
    let mut keep = |told: LeftInSource| {
        left.push(Leftover { told, is_shared: false });
    };
    if let Err(error) = slot::drop_slot(&control, &state.slot).await {
        keep(left_slot(state, &error.to_string()));
    }
    hooks::hold(hooks::SLOT_GONE).await;
    if state.owns_publication
        && let Err(error) = slot::drop_publication(&control, &state.publication).await
    {
        keep(left_publication(state, &error.to_string()));
    }
    hooks::hold(hooks::PUBLICATION_GONE).await;
    for was in &state.previous_identities {
        if sharing.iter().any(|(relation, _)| *relation == was.oid) {
            continue;
        }
        if let Err(error) = identity::restore(&control, std::slice::from_ref(was)).await {
            left.push(Leftover {
                told: left_identity(was, &error.to_string()),
                is_shared: false,
            });
        }
    }
    left.extend(shared_identities(state, sharing));
    left
}

/// The identities that stay for other jobs.
pub fn shared_identities(state: &CdcState, sharing: &[(u32, JobId)]) -> Vec<Leftover> {
    let of_relation = |was: &PreviousIdentity| {
        let (_, job) = sharing.iter().find(|(relation, _)| *relation == was.oid)?;
        let reason = format!("job {job} reads the table, and needs it until it ends; then it is set back");
        Some(Leftover {
            told: left_identity(was, &reason),
            is_shared: true,
        })
    };
    state.previous_identities.iter().filter_map(of_relation).collect()
}

/// Gives relations their full images again that [`end`] has just set back: another job has begun to read them meanwhile.
///
/// # Errors
/// When the source refuses.
pub async fn keep_identities(source: &PgSource, state: &CdcState, sharing: &[(u32, JobId)]) -> Result<(), SourceError> {
    let control = source.connect().await?;
    for was in &state.previous_identities {
        if sharing.iter().any(|(relation, _)| *relation == was.oid) {
            identity::set_full_again(&control, was).await?;
        }
    }
    Ok(())
}

/// All that a job may have left in a source that cannot be reached.
pub fn all_left(state: &CdcState, reason: &str) -> Vec<Leftover> {
    let mut told = vec![left_slot(state, reason)];
    if state.owns_publication {
        told.push(left_publication(state, reason));
    }
    told.extend(state.previous_identities.iter().map(|was| left_identity(was, reason)));
    let left = |told| Leftover { told, is_shared: false };
    told.into_iter().map(left).collect()
}

fn left_slot(state: &CdcState, reason: &str) -> LeftInSource {
    LeftInSource {
        object: format!("the replication slot \"{}\"", state.slot),
        reason: reason.into(),
        statement: format!("SELECT pg_drop_replication_slot({});", literal(&state.slot)),
    }
}

fn left_publication(state: &CdcState, reason: &str) -> LeftInSource {
    LeftInSource {
        object: format!("the publication \"{}\"", state.publication),
        reason: reason.into(),
        statement: format!("DROP PUBLICATION IF EXISTS {};", quote(&state.publication)),
    }
}

fn left_identity(was: &PreviousIdentity, reason: &str) -> LeftInSource {
    LeftInSource {
        object: format!("the replica identity FULL of {}", was.relation),
        reason: reason.into(),
        statement: was.restore_sql(),
    }
}
