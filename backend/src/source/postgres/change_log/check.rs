//! Whether a stream can go on where a job stands.

use super::PgLogState;
use crate::source::change_log::{LogError, ServerIdentity};
use crate::source::postgres::client::PgClient;
use crate::source::postgres::replication::wire::WalConnection;
use crate::source::postgres::replication::{Lsn, slot};

/// See the module. A connection that still holds the slot is ended.
///
/// # Errors
/// [`LogError::Resync`] where the log does not reach back to it, or belongs to another server or another history.
pub async fn check(
    control: &PgClient,
    wal: &mut WalConnection,
    (log, server, position): (&PgLogState, &ServerIdentity, Lsn),
) -> Result<(), LogError> {
    let system = slot::identify(wal).await?;
    if system.system_id != server.system_id {
        return Err(LogError::Resync(format!(
            "the source is another server now: its system identifier is {}, not {}",
            system.system_id, server.system_id
        )));
    }
    if system.timeline != server.timeline {
        return Err(LogError::Resync(format!(
            "the source has switched from timeline {} to {}: it may have lost what was read before",
            server.timeline, system.timeline
        )));
    }
    let end = slot::flushed_end(control).await?;
    if position > end {
        return Err(LogError::Resync(format!(
            "the source's log ends at {end}, before the job's position {position}: an older state of the source was put \
             back"
        )));
    }
    let Some(found) = slot::slot_state(control, &log.slot).await? else {
        return Err(LogError::Resync(format!(
            "the replication slot \"{}\" is gone",
            log.slot
        )));
    };
    let lost = found.wal_status.as_deref() == Some("lost");
    if let Some(reason) = found
        .conflict
        .or(lost.then(|| "the log it needs was removed".to_owned()))
    {
        return Err(LogError::Resync(format!(
            "the replication slot \"{}\" is invalid: {reason}",
            log.slot
        )));
    }
    if found.plugin != "pgoutput" {
        return Err(LogError::Resync(format!(
            "the replication slot \"{}\" is another one: its plugin is {}",
            log.slot, found.plugin
        )));
    }
    if found.confirmed > position {
        return Err(LogError::Resync(format!(
            "the replication slot \"{}\" stands at {}, after the job's position {position}: it was made anew or advanced \
             by somebody else",
            log.slot, found.confirmed
        )));
    }
    if let Some(pid) = found.active_pid {
        // Nobody but this job reads from its slot: it is what a process that died has left.
        let sql = format!("SELECT pg_terminate_backend({pid})");
        if let Err(error) = control.client.batch_execute(&sql).await {
            tracing::warn!(%error, "The connection that holds slot {} could not be ended", log.slot);
        }
    }
    Ok(())
}
