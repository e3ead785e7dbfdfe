//! What a job would read and write, before it starts.

use super::prepare::{PrepareError, prepare_source};
use crate::data::catalog::CatalogTable;
use crate::plan::{CollectionPlan, Node};
use crate::sink::Sink;
use crate::source::SourceError;
use crate::source::api::Snapshot;
use godwit_shared::job::PostMigrationJobRequest;
use godwit_shared::relmig::ProjectFile;
use godwit_shared::summary::{CollectionExtent, JobSummary, TableExtent};

/// Tables up to this size are counted where the source has no statistics of them.
const COUNT_BYTES_MAX: u64 = 32 << 20;

/// Tables up to this size are counted when a job begins, so that its figures can be compared with the source's.
const EXACT_BYTES_MAX: u64 = 64 << 20;

/// What a row is taken for where nothing else is known.
const ROW_BYTES_USUAL: u64 = 100;

/// Asks source and destination; writes nothing.
///
/// # Errors
/// As when the job is started, but for the checks of a continuous one.
pub async fn summary_of(request: &PostMigrationJobRequest, file: &ProjectFile) -> Result<JobSummary, PrepareError> {
    let sink = Sink::open(&request.mongodb_connection_details).await?;
    let (plan, source, _) = prepare_source(request, file).await?;
    let snapshot = source.begin_snapshot(&[], 1).await?;
    let mut tables = Vec::new();
    for table in plan.tables() {
        tables.push(TableExtent {
            table: table.name.to_string(),
            rows_estimated: rows_expected(&*snapshot, &table).await?,
            size_bytes: table.size_bytes,
            has_primary_key: !table.primary_key.is_empty(),
        });
    }
    let names: Vec<String> = plan.collections.iter().map(|c| c.name.clone()).collect();
    let collated = sink.collations(&names).await?;
    let mut collections = Vec::new();
    for collection in &plan.collections {
        collections.push(CollectionExtent {
            name: collection.name.clone(),
            tables: tables_of(collection),
            documents_existing: sink.count(&collection.name).await?,
        });
    }
    Ok(JobSummary {
        collections,
        tables,
        collations: collated.into_iter().map(|c| c.message).collect(),
        is_write_concern_weak: sink.is_weak,
    })
}

fn tables_of(collection: &CollectionPlan) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for node in collection.roots.iter().flat_map(|root| root.node.walk()) {
        let name = node.table.name.to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The root tables of a collection, each once.
pub fn tables_of_roots(collection: &CollectionPlan) -> Vec<String> {
    let mut names: Vec<String> = collection.roots.iter().map(|r| r.node.table.name.to_string()).collect();
    names.dedup();
    names
}

/// How many rows a table is expected to have.
///
/// # Errors
/// When the source refuses or is gone.
pub async fn rows_expected(snapshot: &dyn Snapshot, table: &CatalogTable) -> Result<u64, SourceError> {
    match (table.rows_estimated, table.size_bytes) {
        (0, 1..=COUNT_BYTES_MAX) => snapshot.count_rows(table, None).await,
        (0, size) => Ok(size / ROW_BYTES_USUAL),
        (rows, _) => Ok(rows),
    }
}

/// How many rows a table has that its filter lets through; `None` where it would take long to count them.
///
/// # Errors
/// When the source refuses or is gone.
pub async fn rows_in_scope(snapshot: &dyn Snapshot, node: &Node) -> Result<Option<u64>, SourceError> {
    match node.table.size_bytes {
        0..=EXACT_BYTES_MAX => {
            let counted = snapshot.count_rows(&node.table, node.table_filter.as_ref()).await;
            counted.map(Some)
        }
        _ => Ok(None),
    }
}
