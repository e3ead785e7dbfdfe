//! The report of a job: what its status says, and both sides counted anew.

use super::prepare::{prepare_source, sink_of};
use super::summary::tables_of_roots;
use super::supervisor::JobError;
use crate::plan::Plan;
use crate::source::api::Source;
use crate::store::{JobRecord, JobSecrets};
use chrono::Utc;
use godwit_shared::job::MigrationJobStatus;
use godwit_shared::report::{CollectionReport, JobReport, Stages, TableReport};
use std::collections::HashMap;
use std::time::Duration;

/// How long each side may take to be counted. What is not counted by then is left out.
const COUNT_MAX: Duration = Duration::from_secs(20);

/// Makes the report of a job as it is now.
///
/// # Errors
/// None that a side which is away could bring: its counts are left out.
pub async fn report_of(record: &JobRecord, status: &MigrationJobStatus) -> Result<JobReport, JobError> {
    let secrets = record.secrets.as_ref().ok();
    let (source, destination) = tokio::join!(
        count_source(secrets),
        count_destination(secrets, record.is_made, &record.collections)
    );
    let s = &status.statistics;
    let cdc = status.cdc_statistics.as_ref();
    let tables = s.tables.iter().map(|t| TableReport {
        table: t.table.clone(),
        rows_at_snapshot: t.rows_in_scope,
        rows_now: source.rows.get(&t.table).copied(),
        rows_read: t.rows_read,
    });
    let collections = record.collections.iter().map(|name| {
        let progress = s
            .collections
            .iter()
            .find(|c| c.collection == *name)
            .cloned()
            .unwrap_or_default();
        let root_tables = source.roots.get(name).cloned().unwrap_or_default();
        let rows: Option<u64> = root_tables.iter().map(|t| source.rows.get(t).copied()).sum();
        CollectionReport {
            collection: name.clone(),
            root_rows_now: rows.filter(|_| !root_tables.is_empty()),
            root_tables,
            documents_now: destination.get(name).copied(),
            documents_written: progress.documents_written,
            documents_rebuilt: progress.documents_rebuilt,
            documents_deleted: progress.documents_deleted,
            documents_untouched: progress.documents_untouched,
        }
    });
    Ok(JobReport {
        made_at: Utc::now(),
        version: env!("CARGO_PKG_VERSION").into(),
        job_id: status.id.to_string(),
        name: status.name.clone(),
        note: status.note.clone(),
        project: status.project_name.clone(),
        status: status.status,
        cdc_status: status.cdc_status,
        started_at: status.submitted_at,
        ended_at: status.ended_at,
        source: status.jdbc_connection_string.clone(),
        source_user: source.user.clone(),
        destination: status.mongo_db_connection_string.clone(),
        options: status.options.clone(),
        table_filters: status.relational_table_filters.clone(),
        snapshot_seconds: s.elapsed_seconds,
        rows_read: s.total_events_seen,
        documents_written: s.documents_written,
        bytes_written: s.bytes_written,
        errors: s.errors,
        warnings: s.warnings,
        stages: Stages {
            changes_applied: cdc.map(|c| c.total_events_seen),
            position: cdc.and_then(|c| c.position.clone()),
            applied_until: cdc.and_then(|c| c.applied_until),
            lag_ms: cdc.filter(|c| !c.is_lag_unknown).map(|c| c.lag_ms),
            lag_bytes: cdc.map(|c| c.lag_bytes),
            cutover: cdc.and_then(|c| c.cutover.clone()),
        },
        tables: tables.collect(),
        collections: collections.collect(),
        issues: status.job_updates.clone(),
        failure: status.failure_error.clone(),
        end: status.end.clone(),
    })
}

/// The side of the source.
#[derive(Default)]
struct SourceCounts {
    user: String,
    /// Rows that the filters let through, by table.
    rows: HashMap<String, u64>,
    /// The root tables of each collection.
    roots: HashMap<String, Vec<String>>,
}

async fn count_source(secrets: Option<&JobSecrets>) -> SourceCounts {
    let mut counts = SourceCounts::default();
    let Some(JobSecrets { request, file, .. }) = secrets else {
        return counts;
    };
    let prepared = tokio::time::timeout(COUNT_MAX, Box::pin(prepare_source(request, file))).await;
    let Ok(Ok((plan, source, _))) = prepared else {
        return counts;
    };
    source.user().clone_into(&mut counts.user);
    for collection in &plan.collections {
        counts
            .roots
            .insert(collection.name.clone(), tables_of_roots(collection));
    }
    // What has been counted when the time is over counts.
    let counting = count_tables(&plan, &*source, &mut counts.rows);
    if tokio::time::timeout(COUNT_MAX, counting).await.is_err() {
        tracing::debug!("Not all tables were counted for a report");
    }
    counts
}

async fn count_tables(plan: &Plan, source: &dyn Source, rows: &mut HashMap<String, u64>) {
    let Ok(snapshot) = source.begin_snapshot(&[], 1).await else {
        return;
    };
    for node in plan
        .collections
        .iter()
        .flat_map(|c| &c.roots)
        .flat_map(|r| r.node.walk())
    {
        let name = node.table.name.to_string();
        if !rows.contains_key(&name)
            && let Ok(count) = snapshot.count_rows(&node.table, node.table_filter.as_ref()).await
        {
            rows.insert(name, count);
        }
    }
}

async fn count_destination(
    secrets: Option<&JobSecrets>,
    is_made: bool,
    collections: &[String],
) -> HashMap<String, u64> {
    let mut counts = HashMap::new();
    let Some(secrets) = secrets else { return counts };
    let Ok(sink) = sink_of(secrets, is_made).await else {
        return counts;
    };
    let counting = async {
        for name in collections {
            if let Ok(count) = sink.count_exactly(name).await {
                counts.insert(name.clone(), count);
            }
        }
    };
    let _ = tokio::time::timeout(COUNT_MAX, counting).await;
    counts
}
