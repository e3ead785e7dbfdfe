//! Everything that can be found wrong with a job before it writes anything.

use crate::data::catalog::Catalog;
use crate::plan::{About, CollectionPlan, IdPlan, Node, Plan, PlanOptions, PlanProblem, RootPlan, Script, compile};
use crate::scripts;
use crate::sink::{Sink, SinkError};
use crate::source::api::{Session, Source};
use crate::source::change_log::Preparation;
use crate::source::filter::{FilterProblem, unstable_filters};
use crate::source::{SourceError, check, script, source_of};
use crate::store::JobSecrets;
use chrono::Utc;
use godwit_shared::connection::{JdbcConnectionDetails, SourceKind};
use godwit_shared::edit::{FaultKind, Part};
use godwit_shared::error::ErrorCode;
use godwit_shared::job::{MigrationMode, PostMigrationJobRequest};
use godwit_shared::mapping::CollectionType;
use godwit_shared::preflight::{CheckStatus, PreflightCheck, PreflightReport};
use godwit_shared::relmig::ProjectFile;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What one statement may take where somebody waits for the answer.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A job that may start.
pub struct Prepared {
    pub plan: Plan,
    pub source: Arc<dyn Source>,
    pub sink: Sink,
    pub catalog: Catalog,
    /// What a continuous job does at the source before it can follow changes; `None` for a snapshot.
    pub continuous: Option<Preparation>,
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
    #[error("the source is not ready: {}", messages(.0))]
    Preflight(Vec<PreflightCheck>),
    #[error("the filter of {} cannot be used in a continuous job: {}", .0.table, .0.reason)]
    UnstableFilter(FilterProblem),
    #[error(
        "the documents of \"{collection}\" cannot be followed without a snapshot: which row has which `_id` is learnt from it"
    )]
    NeedsSnapshot { collection: String },
    #[error("the project is of the type {0}, which this version cannot read")]
    ProjectKind(String),
    #[error("the project is of a {} database, and the connection leads to {}", project.name(), connection.name())]
    OtherKind {
        project: SourceKind,
        connection: SourceKind,
    },
    #[error("changes of {} cannot be followed by this version", .0.name())]
    NoChangeLog(SourceKind),
    #[error(transparent)]
    Scripts(#[from] scripts::Unavailable),
}

fn first(problems: &[PlanProblem]) -> String {
    match problems {
        [] => String::new(),
        [one] => one.to_string(),
        [one, rest @ ..] => format!("{one} (and {} more)", rest.len()),
    }
}

fn messages(checks: &[PreflightCheck]) -> String {
    let messages: Vec<&str> = checks.iter().map(|c| c.message.trim_end_matches('.')).collect();
    messages.join("; ")
}

impl PrepareError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            PrepareError::Source(e) => e.code(),
            PrepareError::Sink(e) => e.code(),
            PrepareError::Mapping(_) => ErrorCode::InvalidMapping,
            PrepareError::Preflight(_) => ErrorCode::PreflightFailed,
            PrepareError::UnstableFilter(_)
            | PrepareError::NeedsSnapshot { .. }
            | PrepareError::ProjectKind(_)
            | PrepareError::OtherKind { .. }
            | PrepareError::NoChangeLog(_) => ErrorCode::InvalidRequest,
            PrepareError::Scripts(_) => ErrorCode::Internal,
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
            PrepareError::Preflight(checks) => Some(format!(
                "The preflight check of the project has the whole script. It comes to:\n{}",
                script::essence(checks)
            )),
            PrepareError::UnstableFilter(_) => Some(
                "Let it depend on the columns of its own row alone, without sub-select, time or chance; or choose SNAPSHOT."
                    .into(),
            ),
            PrepareError::NeedsSnapshot { .. } => Some(
                "Choose CDC: its snapshot replaces the documents that are there. Or let one rule fill the collection, with an `_id` that is not calculated."
                    .into(),
            ),
            PrepareError::Scripts(_) => Some(
                "Look at the limits of processes and memory for the user that Godwit runs as, and whether its program is still there."
                    .into(),
            ),
            PrepareError::ProjectKind(_) => {
                let names = SourceKind::ALL.map(SourceKind::name).join(", ");
                Some(format!("Make a project from a database of one of these: {names}."))
            }
            PrepareError::OtherKind { .. } => Some("Choose a connection to a database of the project's type.".into()),
            PrepareError::NoChangeLog(_) => Some("Choose the mode SNAPSHOT.".into()),
        }
    }
}

/// Reads the catalog, compiles the plan, and tries source and destination. A job that has begun may find what it has made.
///
/// # Errors
/// The first thing that is wrong; of a mapping and of a source that is not ready everything.
pub async fn prepare(
    request: &PostMigrationJobRequest,
    file: &ProjectFile,
    has_begun: bool,
) -> Result<Prepared, PrepareError> {
    let sink = open_sink(request, file).await?;
    let mut opened = open_source(request, file, None).await?;
    check::check_plan(&*opened.session, &mut opened.plan).await?;
    let continuous = match request.options.mode {
        MigrationMode::Snapshot => None,
        MigrationMode::Cdc | MigrationMode::CdcOnly => Some(check_continuous(&mut opened, request).await?),
    };
    let names: Vec<String> = opened.plan.collections.iter().map(|c| c.name.clone()).collect();
    sink.check(&names, has_begun || request.options.drop_collections)
        .await?;
    Ok(Prepared {
        plan: opened.plan,
        source: opened.source,
        sink,
        catalog: opened.catalog,
        continuous,
    })
}

/// The part of [`prepare`] that a continuous job needs that has made everything in the source already.
///
/// # Errors
/// As [`prepare`], but for the checks of the source: what is wrong there shows when changes are read.
pub async fn prepare_again(request: &PostMigrationJobRequest, file: &ProjectFile) -> Result<Prepared, PrepareError> {
    let sink = open_sink(request, file).await?;
    let mut opened = open_source(request, file, None).await?;
    check::check_filters(&*opened.session, &mut opened.plan).await?;
    Ok(Prepared {
        plan: opened.plan,
        source: opened.source,
        sink,
        catalog: opened.catalog,
        continuous: Some(Preparation::Done),
    })
}

/// The destination of a job while it runs: what becomes a time series is collected beside it first.
///
/// # Errors
/// When the URI is not valid, or names no database.
pub async fn open_sink(request: &PostMigrationJobRequest, file: &ProjectFile) -> Result<Sink, SinkError> {
    let collections = file.project.content.collections.values();
    let series = collections.filter(|c| c.kind == CollectionType::TimeSeries);
    let names = series.map(|c| c.name.clone()).collect();
    Ok(Sink::open(&request.mongodb_connection_details).await?.staging(names))
}

/// The destination as a job has left it so far.
///
/// # Errors
/// As [`open_sink`].
pub async fn sink_of(secrets: &JobSecrets, is_made: bool) -> Result<Sink, SinkError> {
    match is_made {
        true => Sink::open(&secrets.request.mongodb_connection_details).await,
        false => open_sink(&secrets.request, &secrets.file).await,
    }
}

/// The plan of a job for a catalog.
///
/// # Errors
/// Everything that is wrong with the mapping.
pub fn plan_of(request: &PostMigrationJobRequest, file: &ProjectFile, catalog: &Catalog) -> Result<Plan, PrepareError> {
    let options = PlanOptions {
        project_id: request.project_id.to_string(),
        table_filters: request.relational_table_filters.clone(),
        collection_filters: request.collection_filters.clone(),
    };
    compile(file, catalog, &options).map_err(PrepareError::Mapping)
}

/// The part of [`prepare`] that a preview needs: everything but the destination.
///
/// # Errors
/// As [`prepare`].
pub async fn prepare_source(
    request: &PostMigrationJobRequest,
    file: &ProjectFile,
) -> Result<(Plan, Arc<dyn Source>, Catalog), PrepareError> {
    let mut opened = open_source(request, file, Some(PATIENCE)).await?;
    check::check_plan(&*opened.session, &mut opened.plan).await?;
    Ok((opened.plan, opened.source, opened.catalog))
}

/// Whether the source is ready for a continuous job, and what the job has to do there. A job that goes on after a
/// restart is checked again: what it has made is known by its name.
///
/// # Errors
/// A filter that only a snapshot can use, or all checks that failed. With the option `prepareSource` what
/// the job may change itself is none of them.
async fn check_continuous(opened: &mut Opened, request: &PostMigrationJobRequest) -> Result<Preparation, PrepareError> {
    let plan = &mut opened.plan;
    if opened.source.change_log().is_none() {
        return Err(PrepareError::NoChangeLog(opened.source.kind()));
    }
    let learns_ids = |c: &&CollectionPlan| {
        let is_custom = |r: &RootPlan| matches!(r.id, IdPlan::Custom { .. });
        c.needs_claims && (c.roots.len() > 1 || c.roots.iter().any(is_custom))
    };
    if request.options.mode == MigrationMode::CdcOnly
        && let Some(collection) = plan.collections.iter().find(learns_ids)
    {
        return Err(PrepareError::NeedsSnapshot {
            collection: collection.name.clone(),
        });
    }
    if let Some(unstable) = unstable_filters(plan).into_iter().next() {
        return Err(PrepareError::UnstableFilter(unstable));
    }
    let (mode, project) = (request.options.mode, request.project_id.as_str());
    let findings = opened.session.preflight(plan, mode, project).await?;
    let failed = findings.failed(request.options.prepare_source);
    match findings.continuous {
        Some(continuous) if failed.is_empty() => Ok(continuous),
        _ => Err(PrepareError::Preflight(failed)),
    }
}

/// All checks of the source for the mode of the request. The destination is not looked at.
///
/// # Errors
/// When the checks cannot run: no connection, or a mapping that is not valid.
pub async fn preflight_report(
    request: &PostMigrationJobRequest,
    file: &ProjectFile,
) -> Result<PreflightReport, PrepareError> {
    let mode = request.options.mode;
    let checks = match open_source(request, file, Some(PATIENCE)).await {
        Ok(mut opened) => {
            let project = request.project_id.as_str();
            opened.session.preflight(&mut opened.plan, mode, project).await?.checks
        }
        Err(PrepareError::Preflight(failed)) => failed,
        Err(other) => return Err(other),
    };
    Ok(PreflightReport {
        mode,
        checked_at: Utc::now(),
        passed: checks.iter().all(|c| c.status != CheckStatus::Failed),
        checks,
    })
}

/// A source with the plan for it.
struct Opened {
    plan: Plan,
    source: Arc<dyn Source>,
    catalog: Catalog,
    session: Box<dyn Session>,
}

/// Opens the source of a project of a kind, and finds out whether it can be read at all.
///
/// # Errors
/// When it cannot be reached, is of another kind, or is too old.
pub async fn open_session(
    details: &JdbcConnectionDetails,
    kind: &str,
    patience: Option<Duration>,
) -> Result<(Arc<dyn Source>, Box<dyn Session>), PrepareError> {
    let project = SourceKind::of(kind).ok_or_else(|| PrepareError::ProjectKind(kind.to_owned()))?;
    let source = source_of(details, patience)?;
    let connection = source.kind();
    if !project.is_read_like(connection) {
        return Err(PrepareError::OtherKind { project, connection });
    }
    let session = source.session().await?;
    let version = session.check_version().await?;
    if version.status == CheckStatus::Failed {
        return Err(PrepareError::Preflight(vec![version]));
    }
    Ok((source, session))
}

async fn open_source(
    request: &PostMigrationJobRequest,
    file: &ProjectFile,
    patience: Option<Duration>,
) -> Result<Opened, PrepareError> {
    let (source, session) = open_session(&request.jdbc_connection_details, &file.project.kind, patience).await?;
    let catalog = session.read_catalog().await?;
    let plan = plan_of(request, file, &catalog)?;
    check_scripts(&plan).await?;
    Ok(Opened {
        plan,
        source,
        catalog,
        session,
    })
}

/// An expression that does not compile would fail for every row.
async fn check_scripts(plan: &Plan) -> Result<(), PrepareError> {
    let problems = script_problems(plan, |_| true).await?;
    if problems.is_empty() {
        Ok(())
    } else {
        Err(PrepareError::Mapping(problems))
    }
}

/// One expression of a plan, and where it stands.
pub struct PlacedScript<'p> {
    pub collection: &'p CollectionPlan,
    pub root: &'p RootPlan,
    pub node: &'p Node,
    pub script: &'p Script,
    pub use_of: ScriptUse<'p>,
}

/// What an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptUse<'p> {
    Id,
    Filter,
    /// The calculated field of this name.
    Field(&'p str),
}

impl ScriptUse<'_> {
    /// The part of the rule; of a calculated field its name stands for its id, which a plan does not know.
    pub fn part(self) -> Part {
        match self {
            ScriptUse::Id => Part::Id,
            ScriptUse::Filter => Part::RuleFilter,
            ScriptUse::Field(name) => Part::Calculated { id: name.to_owned() },
        }
    }
}

impl fmt::Display for ScriptUse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScriptUse::Id => f.write_str("the expression of `_id`"),
            ScriptUse::Filter => f.write_str("the rule filter"),
            ScriptUse::Field(name) => write!(f, "the calculated field \"{name}\""),
        }
    }
}

/// All expressions of a plan.
pub fn scripts_of(plan: &Plan) -> Vec<PlacedScript<'_>> {
    let mut found = Vec::new();
    let roots = plan
        .collections
        .iter()
        .flat_map(|c| c.roots.iter().map(move |r| (c, r)));
    for (collection, root) in roots {
        let mut add = |node, script, use_of| {
            found.push(PlacedScript {
                collection,
                root,
                node,
                script,
                use_of,
            });
        };
        if let IdPlan::Custom { script, .. } = &root.id {
            add(&root.node, script, ScriptUse::Id);
        }
        for node in root.node.walk() {
            node.rule_filter
                .iter()
                .for_each(|script| add(node, script, ScriptUse::Filter));
            for calculated in &node.calculated {
                add(node, &calculated.script, ScriptUse::Field(&calculated.name));
            }
        }
    }
    found
}

/// The expressions that do not compile, of those that may be looked at.
///
/// # Errors
/// When no worker can be started.
pub async fn script_problems(
    plan: &Plan,
    may_look: impl Fn(&PlacedScript<'_>) -> bool,
) -> Result<Vec<PlanProblem>, scripts::Unavailable> {
    let mut found = scripts_of(plan);
    found.retain(|placed| may_look(placed));
    let all: Vec<&Script> = found.iter().map(|placed| placed.script).collect();
    let checked = scripts::check(&all).await?;
    Ok((found.into_iter().zip(checked))
        .filter_map(|(placed, checked)| {
            Some(PlanProblem {
                collection: placed.collection.name.clone(),
                rule: Some(placed.node.rule.clone()),
                table: Some(placed.node.table.name.clone()),
                about: About(FaultKind::Expression, placed.use_of.part()),
                message: format!("{}: {}", placed.use_of, checked.err()?),
            })
        })
        .collect())
}
