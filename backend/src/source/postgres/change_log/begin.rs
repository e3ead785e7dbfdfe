//! Makes what a job needs: first the publication, then the slot, then the point in time that fits it. So nothing that is
//! committed after that point is missing in the stream.

use super::PgLogState;
use crate::source::SourceError;
use crate::source::change_log::{Beginning, KeepLog, LogError, LogState, Needed, Preparation, SchemaState, Watched};
use crate::source::postgres::client::PgSource;
use crate::source::postgres::identity;
use crate::source::postgres::preflight::{Continuous, PublicationPlan};
use crate::source::postgres::reader::PgSnapshot;
use crate::source::postgres::replication::slot;
use crate::source::postgres::replication::wire::WalConnection;
use crate::source::postgres::watch::read_state;
use std::sync::Arc;

/// How often a slot is made anew because a table was changed in the moment between it and the locks.
const TRIES: usize = 5;

/// See the module. What an earlier try has left is taken away first.
///
/// # Errors
/// When the source refuses, or what is about to be changed cannot be stored.
pub async fn begin(
    source: &PgSource,
    state: &mut LogState,
    needed: &Needed<'_>,
    keeper: &dyn KeepLog,
) -> Result<Beginning, LogError> {
    let nothing = Continuous {
        publication: PublicationPlan::Create,
        identities: Vec::new(),
    };
    let wanted = match needed.preparation {
        Preparation::Postgresql(wanted) => wanted,
        Preparation::Done | Preparation::Nothing => &nothing,
    };
    let control = source.connect().await?;
    let tables = needed.plan.tables();
    {
        let log = PgLogState::of_mut(state)?;
        if let PublicationPlan::Use(name) = &wanted.publication {
            log.publication = name.clone();
            log.owns_publication = false;
        }
        let relations = identity::read_relations(&control, tables.iter().map(AsRef::as_ref)).await?;
        log.relations = relations.iter().map(|r| r.oid).collect();
        (log.database, log.system) = slot::place_of(&control).await?;
        // What is changed is written down before it is changed.
        log.remember(&wanted.identities);
    }
    keeper.keep(state).await.map_err(LogError::NotKept)?;
    // Another job that ends may have set identities back since the checks. Now that it can see this one, it does not.
    let lacking = identity::read_lacking(&control, needed.plan).await?;
    if let Some(first) = lacking.iter().find(|l| !(needed.prepares_source && l.can_be_prepared)) {
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
        let log = PgLogState::of_mut(state)?;
        log.remember(&lacking);
        keeper.keep(state).await.map_err(LogError::NotKept)?;
    }
    identity::set_full(&control, &lacking).await?;

    let watched = Watched::of(needed.plan, state);
    let log = PgLogState::of(state)?;
    slot::drop_slot(&control, &log.slot).await?;
    if log.owns_publication {
        slot::drop_publication(&control, &log.publication).await?;
        slot::create_publication(&control, &log.publication, &tables).await?;
    }
    let encoding = slot::client_encoding(&control).await?;
    for _ in 0..TRIES {
        let mut wal = WalConnection::open(source, &encoding).await?;
        let server = slot::identify(&mut wal).await?;
        let new = slot::create_slot(&mut wal, &log.slot).await?;
        let point = PgSnapshot::import(source, &new.snapshot, &tables).await?;
        // The locks came after the point in time: nothing may have been changed between the two.
        let then = read_state(point.holder(), &watched).await?;
        let now = read_state(&control, &watched).await?;
        // What is decoded from here on is decoded with the publication as it is here.
        if let Some(reason) = then.lack() {
            return Err(SourceError::NotPublished {
                publication: log.publication.clone(),
                reason,
            }
            .into());
        }
        if then.is_same_storage(&now) {
            return Ok(Beginning {
                server,
                position: new.consistent_point.into(),
                schema: SchemaState::Postgresql(then),
                snapshot: Arc::new(point),
            });
        }
        drop((point, wal));
        slot::drop_slot(&control, &log.slot).await?;
    }
    Err(SourceError::Query {
        reason: "tables of the mapping were changed again and again while the job began".into(),
    }
    .into())
}
