//! Whether a source is ready for a mode of migration, and what mends it where it is not.
//!
//! ```text
//! facts: server, user, publication ─┐
//! relations and their identities ───┼─▶ checks: each passed, warned or failed ─▶ script: the SQL of what is missing
//! plan: tables, old images, joins ──┘
//! ```
//!
//! Everything is read with the rights of the user of the migration and judged in plain functions. Nothing is changed
//! here: what a job changes at its start (its publication and slot, with consent the replica identities) it changes
//! itself, by what [`Continuous`] says.

mod facts;
mod publication;
mod server;
mod tables;

use super::client::{PgClient, query_error};
use super::identity::{LackingIdentity, lacking, read_relations};
use super::publication::read_publication;
use super::replication::wire::WalConnection;
use crate::plan::Plan;
use crate::plan::images::images;
use crate::source::SourceError;
use crate::source::api::Findings;
use crate::source::change_log::Preparation;
use crate::source::filter::{settle_filters, unstable_filters};
use godwit_shared::job::MigrationMode;
use godwit_shared::preflight::PreflightCheck;
use tables::Subject;

pub use publication::{PublicationPlan, create_sql, prepare_sql, replication_name};

/// What a continuous job has to do at the source before its slot, in this order: identities, then publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuous {
    pub publication: PublicationPlan,
    /// Whose identity the job sets to FULL, with the user's consent; empty when nothing lacks.
    pub identities: Vec<LackingIdentity>,
}

/// Checks a source for a mode, and makes the filters of the plan usable.
///
/// # Errors
/// When the checks themselves cannot run; what they find is no error.
pub async fn examine(
    pg: &PgClient,
    plan: &mut Plan,
    mode: MigrationMode,
    project_id: &str,
) -> Result<Findings, SourceError> {
    let name = replication_name(project_id);
    let facts = facts::read_facts(pg, &name).await?;
    let tables = plan.tables();
    let mut all = vec![server::version(facts.version, &facts.version_text)];
    let access = [
        server::row_security(&facts, &tables),
        server::select_privilege(&facts, &facts::read_refused(pg, &tables).await?),
    ];
    let invalid = settle_filters(pg, plan).await?;
    let plan: &Plan = plan;
    let is_continuous = match mode {
        MigrationMode::Snapshot => false,
        MigrationMode::Cdc | MigrationMode::CdcOnly => true,
    };
    if !is_continuous {
        all.extend(access);
        all.extend(tables::filters(plan, &invalid, &[]));
        return Ok(Findings {
            checks: all,
            continuous: None,
        });
    }
    let images = images(plan);
    let relations = read_relations(pg, tables.iter().map(|t| &**t)).await?;
    let lacking = lacking(&images, &relations);
    let needed = publication::needed(&images, &relations, &lacking);
    let existing = read_publication(pg, &name, &needed).await?;
    let publication = publication::decide(&facts, &name, &relations, existing.as_ref());
    let unstable = unstable_filters(plan);
    let subject = Subject {
        facts: &facts,
        name: &name,
        tables: &tables,
        images: &images,
        relations: &relations,
    };
    // The order of the script: server, user, schemas, tables, and the publication when the tables are fit for it.
    if let Some(source) = pg.pooled() {
        let opened = WalConnection::open(source, "UTF8").await;
        all.push(server::log_is_reachable(opened.err().as_ref()));
    }
    all.extend(server::settings(&facts));
    all.extend(access);
    all.push(tables::logged(&subject));
    all.push(tables::generated(&subject, &lacking));
    all.push(tables::replica_identity(&subject, &lacking));
    all.push(tables::publication(&subject, &publication, existing.is_some()));
    all.extend(tables::filters(plan, &invalid, &unstable));
    all.push(tables::join_indexes(plan));
    Ok(Findings {
        checks: all,
        continuous: publication.ok().map(|publication| {
            Preparation::Postgresql(Continuous {
                publication,
                identities: lacking,
            })
        }),
    })
}

/// Whether the server is of a version that can be read at all: older ones do not even understand the questions.
///
/// # Errors
/// When the server does not answer.
pub async fn check_version(pg: &PgClient) -> Result<PreflightCheck, SourceError> {
    let sql = "SELECT current_setting('server_version_num')::int4, current_setting('server_version')";
    let row = pg.client.query_one(sql, &[]).await.map_err(query_error)?;
    Ok(server::version(row.get(0), row.get(1)))
}
