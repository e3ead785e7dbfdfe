//! Everything that can be found wrong with a job before it writes anything.

use crate::assemble::script;
use crate::data::catalog::Catalog;
use crate::plan::{Plan, PlanOptions, PlanProblem, compile};
use crate::sink::{Sink, SinkError};
use crate::source::SourceError;
use crate::source::postgres::url::PgAddress;
use crate::source::postgres::{PgSource, check, schema};
use godwit_shared::error::ErrorCode;
use godwit_shared::job::{MigrationMode, PostMigrationJobRequest};
use godwit_shared::relmig::ProjectFile;

/// A job that may start.
pub struct Prepared {
    pub plan: Plan,
    pub source: PgSource,
    pub sink: Sink,
    pub catalog: Catalog,
}

/// Why a job may not start.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error("the mapping is not valid: {}", first(.0))]
    Mapping(Vec<PlanProblem>),
    #[error("the mode {0} is not available in this version")]
    Mode(&'static str),
    #[error("the project is of the type {0}, which this version cannot read")]
    ProjectKind(String),
}

fn first(problems: &[PlanProblem]) -> String {
    match problems {
        [] => String::new(),
        [one] => one.to_string(),
        [one, rest @ ..] => format!("{one} (and {} more)", rest.len()),
    }
}

impl PrepareError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            PrepareError::Source(e) => e.code(),
            PrepareError::Sink(e) => e.code(),
            PrepareError::Mapping(_) => ErrorCode::InvalidMapping,
            PrepareError::Mode(_) | PrepareError::ProjectKind(_) => ErrorCode::InvalidRequest,
        }
    }

    /// What to do now; of a mapping all that is wrong with it.
    pub fn hint(&self) -> Option<String> {
        match self {
            PrepareError::Source(e) => e.hint().map(Into::into),
            PrepareError::Sink(e) => e.hint().map(Into::into),
            PrepareError::Mapping(problems) => {
                Some(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
            }
            PrepareError::Mode(_) => Some("Choose SNAPSHOT.".into()),
            PrepareError::ProjectKind(_) => Some("Make a project from a PostgreSQL database.".into()),
        }
    }
}

/// Reads the catalog, compiles the plan, and tries source and destination.
///
/// # Errors
/// The first thing that is wrong; of a mapping everything.
pub async fn prepare(request: &PostMigrationJobRequest, file: &ProjectFile) -> Result<Prepared, PrepareError> {
    match request.options.mode {
        MigrationMode::Snapshot => {}
        MigrationMode::Cdc => return Err(PrepareError::Mode("CDC")),
        MigrationMode::CdcOnly => return Err(PrepareError::Mode("CDC_ONLY")),
    }
    let sink = Sink::open(&request.mongodb_connection_details).await?;
    let (plan, source, catalog) = prepare_source(request, file).await?;
    let names: Vec<String> = plan.collections.iter().map(|c| c.name.clone()).collect();
    sink.check(&names).await?;
    Ok(Prepared {
        plan,
        source,
        sink,
        catalog,
    })
}

/// The part of [`prepare`] that a preview needs: everything but the destination.
///
/// # Errors
/// As [`prepare`].
pub async fn prepare_source(
    request: &PostMigrationJobRequest,
    file: &ProjectFile,
) -> Result<(Plan, PgSource, Catalog), PrepareError> {
    if !file.project.kind.eq_ignore_ascii_case("POSTGRESQL") {
        return Err(PrepareError::ProjectKind(file.project.kind.clone()));
    }
    let source = PgSource::new(PgAddress::parse(&request.jdbc_connection_details)?);
    let pg = source.connect().await?;
    let catalog = schema::read_catalog(&pg).await?;
    let options = PlanOptions {
        project_id: request.project_id.to_string(),
        table_filters: request.relational_table_filters.clone(),
        collection_filters: request.collection_filters.clone(),
    };
    let plan = compile(file, &catalog, &options).map_err(PrepareError::Mapping)?;
    check_scripts(&plan)?;
    check::check_plan(&pg, &plan).await?;
    Ok((plan, source, catalog))
}

/// An expression that does not compile would fail for every row.
fn check_scripts(plan: &Plan) -> Result<(), PrepareError> {
    let mut problems = Vec::new();
    for collection in &plan.collections {
        for root in &collection.roots {
            let of_id = match &root.id {
                crate::plan::IdPlan::Custom { script, .. } => {
                    Some((&root.node, "the expression of `_id`".to_owned(), script))
                }
                _ => None,
            };
            let nodes = root.node.walk();
            let of_nodes = nodes.iter().flat_map(|node| {
                let filter = node
                    .rule_filter
                    .iter()
                    .map(|s| (*node, "the rule filter".to_owned(), s));
                filter.chain(
                    node.calculated
                        .iter()
                        .map(|c| (*node, format!("the calculated field \"{}\"", c.name), &c.script)),
                )
            });
            for (node, what, script) in of_id.into_iter().chain(of_nodes) {
                if let Err(error) = script::check(&script.source) {
                    problems.push(PlanProblem {
                        collection: collection.name.clone(),
                        rule: Some(node.rule.clone()),
                        table: Some(node.table.name.clone()),
                        column: None,
                        message: format!("{what}: {error}"),
                    });
                }
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(PrepareError::Mapping(problems))
    }
}
