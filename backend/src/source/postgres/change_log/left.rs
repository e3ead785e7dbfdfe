//! Takes away what a job made, and tells what stays.

use super::PgLogState;
use crate::hooks;
use crate::source::SourceError;
use crate::source::change_log::{Leftover, Shared};
use crate::source::postgres::client::PgSource;
use crate::source::postgres::identity::{self, PreviousIdentity};
use crate::source::postgres::queries::{literal, quote};
use crate::source::postgres::replication::slot;
use godwit_shared::job::LeftInSource;

/// Takes away what the job made in the source and sets back what it changed there. May be repeated. Returns what is still
/// there.
///
/// `shared` names relations that other jobs read, each with its job: those need the replica identities as they are.
pub async fn end(source: &PgSource, log: &PgLogState, shared: &[Shared]) -> Vec<Leftover> {
    let control = match source.connect().await {
        Ok(control) => control,
        Err(error) => return all_left(log, &error.to_string()),
    };
    let mut left = Vec::new();
    let mut keep = |told: LeftInSource| {
        left.push(Leftover { told, is_shared: false });
    };
    if let Err(error) = slot::drop_slot(&control, &log.slot).await {
        keep(left_slot(log, &error.to_string()));
    }
    hooks::hold(hooks::SLOT_GONE).await;
    if log.owns_publication
        && let Err(error) = slot::drop_publication(&control, &log.publication).await
    {
        keep(left_publication(log, &error.to_string()));
    }
    hooks::hold(hooks::PUBLICATION_GONE).await;
    for was in &log.previous_identities {
        if shared.iter().any(|s| s.object == was.oid) {
            continue;
        }
        if let Err(error) = identity::restore(&control, std::slice::from_ref(was)).await {
            left.push(Leftover {
                told: left_identity(was, &error.to_string()),
                is_shared: false,
            });
        }
    }
    left.extend(shared_identities(log, shared));
    left
}

/// The identities that stay for other jobs.
pub fn shared_identities(log: &PgLogState, shared: &[Shared]) -> Vec<Leftover> {
    let of_relation = |was: &PreviousIdentity| {
        let job = &shared.iter().find(|s| s.object == was.oid)?.job;
        let reason = format!("job {job} reads the table, and needs it until it ends; then it is set back");
        Some(Leftover {
            told: left_identity(was, &reason),
            is_shared: true,
        })
    };
    log.previous_identities.iter().filter_map(of_relation).collect()
}

/// Gives relations their full images again that [`end`] has just set back: another job has begun to read them meanwhile.
///
/// # Errors
/// When the source refuses.
pub async fn keep_identities(source: &PgSource, log: &PgLogState, shared: &[Shared]) -> Result<(), SourceError> {
    let control = source.connect().await?;
    for was in &log.previous_identities {
        if shared.iter().any(|s| s.object == was.oid) {
            identity::set_full_again(&control, was).await?;
        }
    }
    Ok(())
}

/// All that a job may have left in a source that cannot be reached.
pub fn all_left(log: &PgLogState, reason: &str) -> Vec<Leftover> {
    let mut told = vec![left_slot(log, reason)];
    if log.owns_publication {
        told.push(left_publication(log, reason));
    }
    told.extend(log.previous_identities.iter().map(|was| left_identity(was, reason)));
    let left = |told| Leftover { told, is_shared: false };
    told.into_iter().map(left).collect()
}

fn left_slot(log: &PgLogState, reason: &str) -> LeftInSource {
    LeftInSource {
        object: format!("the replication slot \"{}\"", log.slot),
        reason: reason.into(),
        statement: format!("SELECT pg_drop_replication_slot({});", literal(&log.slot)),
    }
}

fn left_publication(log: &PgLogState, reason: &str) -> LeftInSource {
    LeftInSource {
        object: format!("the publication \"{}\"", log.publication),
        reason: reason.into(),
        statement: format!("DROP PUBLICATION IF EXISTS {};", quote(&log.publication)),
    }
}

fn left_identity(was: &PreviousIdentity, reason: &str) -> LeftInSource {
    LeftInSource {
        object: format!("the replica identity FULL of {}", was.relation),
        reason: reason.into(),
        statement: was.restore_sql(),
    }
}
