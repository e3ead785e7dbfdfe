//! The life of an analysis: it is started, watched, cancelled. One that was at work when its server ended is over: there
//! is nothing to go on from, and it takes no longer to begin anew.

use super::prepare::{PATIENCE, PrepareError, open_session};
use crate::analysis::report::{Ingredients, make};
use crate::plan::{PlanOptions, compile};
use crate::source::SourceError;
use crate::source::api::{Session, Source};
use crate::source::model::model_of;
use crate::store::{ProjectRecord, Store, StoreError, new_id};
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use godwit_shared::analysis::{
    AnalysisCheck, AnalysisFailure, AnalysisReport, AnalysisReportSummary, AnalysisStatus, AnalysisTask,
    DatabaseMetadata, LevelCounts,
};
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::error::ErrorCode;
use godwit_shared::ids::ProjectId;
use godwit_shared::initial::{InitialMapping, content_of};
use godwit_shared::job::MigrationMode;
use godwit_shared::preflight::CheckStatus;
use godwit_shared::relmig::with_masked_password;
use godwit_shared::schema::TableName;
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often a run tells the store that it is at work.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// A run that has told nothing for so long is over: its server has gone away.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// All analyses of this process.
pub struct Analyser {
    store: Store,
    owner: String,
    active: Mutex<HashMap<ProjectId, Arc<Active>>>,
    tasks: TaskTracker,
}

struct Active {
    task: Mutex<AnalysisTask>,
    cancel: CancellationToken,
}

impl Active {
    fn lock(&self) -> MutexGuard<'_, AnalysisTask> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, words: &str) {
        self.lock().step = Some(words.into());
    }
}

/// What a run needs.
pub struct AnalysisStart {
    pub record: ProjectRecord,
    pub details: JdbcConnectionDetails,
    /// The name of the saved connection, where it is one.
    pub connection_name: String,
    /// Absent: continuous where the source has a change log.
    pub mode: Option<MigrationMode>,
    /// Why the texts of the project may not run; then the prerequisites are not checked.
    pub withheld: Option<String>,
}

/// Why something about an analysis is refused.
#[derive(Debug, thiserror::Error)]
pub enum AnalysingError {
    #[error("an analysis of this project is at work")]
    AtWork,
    #[error("the analysis of project {0} is at work in another server: cancel it there")]
    Elsewhere(ProjectId),
    #[error("the analysis has ended and cannot be cancelled")]
    Ended,
    #[error("no analysis of project {0} was run yet")]
    NotFound(ProjectId),
    #[error(transparent)]
    Prepare(#[from] Box<PrepareError>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Analyser {
    /// With nothing at work. `owner` stands for the data folder.
    pub fn new(store: Store, owner: String) -> Self {
        Self {
            store,
            owner,
            active: Mutex::default(),
            tasks: TaskTracker::new(),
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ProjectId, Arc<Active>>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn active(&self, project: &ProjectId) -> Option<Arc<Active>> {
        self.all().get(project).cloned()
    }

    /// Ends the runs that this data folder has left behind.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recover(&self) -> Result<(), StoreError> {
        for record in self.store.open_analyses(&self.owner).await? {
            self.store.save_analysis(&left_behind(record.task)).await?;
        }
        Ok(())
    }

    /// Starts a run, once the source has answered.
    ///
    /// # Errors
    /// When the source cannot be reached or read, or a run of the project is at work.
    pub async fn start(self: &Arc<Self>, start: AnalysisStart) -> Result<AnalysisTask, AnalysingError> {
        let kind = &start.record.file.project.kind;
        let opened = open_session(&start.details, kind, Some(PATIENCE))
            .await
            .map_err(Box::new)?;
        let has_log = opened.0.change_log().is_some();
        let mode = start.mode.unwrap_or(if has_log {
            MigrationMode::Cdc
        } else {
            MigrationMode::Snapshot
        });
        let task = AnalysisTask {
            project_id: start.record.summary.id.clone(),
            status: AnalysisStatus::Running,
            submitted_at: now(),
            ended_at: None,
            mode,
            step: None,
            failure: None,
            report_id: None,
        };
        if !self.store.begin_analysis(&task, &self.owner, SILENCE_MAX).await? {
            return Err(AnalysingError::AtWork);
        }
        let active = Arc::new(Active {
            task: Mutex::new(task.clone()),
            cancel: CancellationToken::new(),
        });
        self.all().insert(task.project_id.clone(), active.clone());
        let analyser = self.clone();
        self.tasks
            .spawn(async move { analyser.work(active, start, opened, mode).await });
        Ok(task)
    }

    async fn work(
        &self,
        active: Arc<Active>,
        start: AnalysisStart,
        opened: (Arc<dyn Source>, Box<dyn Session>),
        mode: MigrationMode,
    ) {
        let project = start.record.summary.id.clone();
        let running = async {
            let looking = AssertUnwindSafe(self.look(&active, &start, opened, mode)).catch_unwind();
            tokio::select! {
                biased;
                () = active.cancel.cancelled() => None,
                done = Box::pin(looking) => Some(done),
            }
        };
        let telling = async {
            loop {
                tokio::time::sleep(TELL_EVERY).await;
                let task = active.lock().clone();
                if let Err(error) = self.store.save_analysis(&task).await {
                    tracing::warn!(project.id = %project, %error, "The analysis of project {project} could not be stored");
                }
            }
        };
        let ended = tokio::select! {
            biased;
            ended = running => ended,
            () = telling => unreachable!("it tells for ever"),
        };
        let mut task = active.lock().clone();
        task.step = None;
        task.ended_at = Some(now());
        match ended {
            None => task.status = AnalysisStatus::Cancelled,
            Some(Ok(Ok(report))) => match self.keep(&task, &report).await {
                Ok(()) => {
                    task.status = AnalysisStatus::Completed;
                    task.report_id = Some(report.id);
                }
                Err(error) => fail(&mut task, ErrorCode::StoreUnavailable, error.to_string(), None),
            },
            Some(Ok(Err(error))) => fail(&mut task, error.code(), error.to_string(), error.hint()),
            Some(Err(panic)) => fail(&mut task, ErrorCode::Internal, super::runner::text_of(&*panic), None),
        }
        if let Some(failure) = &task.failure {
            tracing::warn!(project.id = %project, error = %failure.message, "The analysis of project {project} has failed");
        }
        if let Err(error) = self.store.save_analysis(&task).await {
            tracing::warn!(project.id = %project, %error, "The end of the analysis of project {project} could not be stored");
        }
        self.all().remove(&project);
    }

    /// Stores a report, unless its project was deleted meanwhile.
    async fn keep(&self, task: &AnalysisTask, report: &AnalysisReport) -> Result<(), StoreError> {
        if self.store.save_analysis(task).await? {
            self.store.insert_report(report, &summary_of(report)).await?;
        }
        Ok(())
    }

    async fn look(
        &self,
        active: &Active,
        start: &AnalysisStart,
        (source, session): (Arc<dyn Source>, Box<dyn Session>),
        mode: MigrationMode,
    ) -> Result<AnalysisReport, PrepareError> {
        let started_at = now();
        let (record, details) = (&start.record, &start.details);
        let planned = &record.file.schema.full;
        let wanted: HashSet<TableName> = planned.tables().map(|(path, _)| path.name()).collect();
        active.step("Reading the catalog");
        let catalog = session.read_catalog().await?;
        active.step("Looking at tables, views, routines and values");
        let mut facts = session.analyse(&catalog, &wanted).await?;
        active.step("Reading statistics");
        let figures = match session.read_facts(&catalog, planned).await {
            Ok(figures) => figures,
            Err(error) if error.is_outage() => return Err(error.into()),
            Err(error) => {
                facts.gaps.push(format!("Could not read statistics: {error}."));
                Default::default()
            }
        };
        active.step("Checking the prerequisites");
        let modes: &[MigrationMode] = match source.change_log() {
            Some(_) => &[MigrationMode::Snapshot, MigrationMode::Cdc, MigrationMode::CdcOnly],
            None => &[MigrationMode::Snapshot, MigrationMode::Cdc],
        };
        let mut checks = Vec::new();
        match &start.withheld {
            Some(reason) => facts
                .gaps
                .push(format!("The prerequisites were not checked: {reason}.")),
            None => check(record, &catalog, &*session, modes, &mut checks, &mut facts.gaps).await?,
        }
        active.step("Putting the report together");
        let earlier = self.store.report(&record.summary.id, None).await;
        let earlier = earlier.unwrap_or_else(|error| {
            tracing::warn!(%error, "The earlier report cannot be read");
            None
        });
        Ok(make(Ingredients {
            id: new_id(),
            project: record.summary.id.clone(),
            project_name: record.summary.name.clone(),
            content: &record.file.project.content,
            planned,
            live: model_of(source.kind(), &catalog),
            catalog: &catalog,
            facts,
            figures,
            checks,
            metadata: DatabaseMetadata {
                database_version: catalog.version.clone(),
                connection_id: details
                    .existing_connection_id
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                connection_name: start.connection_name.clone(),
                connection_url: with_masked_password(&details.url),
                database_type: source.kind().code().into(),
            },
            mode,
            started_at,
            now: now(),
            earlier: earlier.as_ref(),
        }))
    }

    /// The newest run of a project.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub async fn task(&self, project: &ProjectId) -> Result<AnalysisTask, AnalysingError> {
        if let Some(active) = self.active(project) {
            return Ok(active.lock().clone());
        }
        let record = self.store.analysis(project).await?;
        let record = record.ok_or_else(|| AnalysingError::NotFound(project.clone()))?;
        if record.task.status != AnalysisStatus::Running || record.silent_for < SILENCE_MAX {
            return Ok(record.task);
        }
        let ended = left_behind(record.task);
        self.store.save_analysis(&ended).await?;
        Ok(ended)
    }

    /// Ends a run.
    ///
    /// # Errors
    /// When none of the project is at work here.
    pub async fn cancel(&self, project: &ProjectId) -> Result<AnalysisTask, AnalysingError> {
        let Some(active) = self.active(project) else {
            let task = self.task(project).await?;
            return Err(match task.status {
                AnalysisStatus::Running => AnalysingError::Elsewhere(project.clone()),
                AnalysisStatus::Failed | AnalysisStatus::Cancelled | AnalysisStatus::Completed => AnalysingError::Ended,
            });
        };
        active.cancel.cancel();
        let mut task = active.lock().clone();
        task.status = AnalysisStatus::Cancelled;
        task.step = None;
        task.ended_at = Some(now());
        Ok(task)
    }

    /// The reports of a project, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reports(&self, project: &ProjectId) -> Result<Vec<AnalysisReportSummary>, StoreError> {
        self.store.report_summaries(project).await
    }

    /// A report, or the newest one.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub async fn report(&self, project: &ProjectId, id: Option<&str>) -> Result<AnalysisReport, AnalysingError> {
        let report = self.store.report(project, id).await?;
        report.ok_or_else(|| AnalysingError::NotFound(project.clone()))
    }

    /// The detections that are marked as resolved.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resolved(&self, project: &ProjectId) -> Result<Vec<String>, StoreError> {
        self.store.resolved(project).await
    }

    /// Marks a detection, or takes its mark away.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resolve(
        &self,
        project: &ProjectId,
        detection: &str,
        resolved: bool,
    ) -> Result<Vec<String>, StoreError> {
        self.store.set_resolved(project, detection, resolved).await?;
        self.store.resolved(project).await
    }

    /// Ends the run of a project that is deleted, and forgets its reports and marks.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget(&self, project: &ProjectId) -> Result<(), StoreError> {
        if let Some(active) = self.active(project) {
            active.cancel.cancel();
        }
        self.store.delete_analyses_of(project).await
    }

    /// Ends all runs with the process.
    pub async fn shut_down(&self) {
        self.tasks.close();
        for active in self.all().values() {
            active.cancel.cancel();
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), self.tasks.wait()).await;
    }
}

/// Checks the source for each mode. What cannot be checked is told.
async fn check(
    record: &ProjectRecord,
    catalog: &crate::data::catalog::Catalog,
    session: &dyn Session,
    modes: &[MigrationMode],
    checks: &mut Vec<AnalysisCheck>,
    gaps: &mut Vec<String>,
) -> Result<(), SourceError> {
    let options = PlanOptions {
        project_id: record.summary.id.to_string(),
        table_filters: Default::default(),
        collection_filters: Default::default(),
    };
    // A project without rules is checked as if it took every table as it is.
    let mut file = record.file.clone();
    if file.project.content.collections.is_empty() {
        let (casing, keys) = (Default::default(), Default::default());
        file.project.content = content_of(&file.schema.full, casing, keys, InitialMapping::Relational);
    }
    let plan = match compile(&file, catalog, &options) {
        Ok(plan) => plan,
        Err(problems) => {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            gaps.push(format!(
                "The prerequisites were not checked: the mapping cannot be used as it is: {first}."
            ));
            return Ok(());
        }
    };
    for mode in modes {
        let mut plan = plan.clone();
        match session.preflight(&mut plan, *mode, record.summary.id.as_str()).await {
            Ok(found) => checks.extend(found.checks.into_iter().map(|check| AnalysisCheck {
                name: check.title.clone(),
                migration_mode: *mode,
                passed: check.status != CheckStatus::Failed,
                check,
            })),
            Err(error) if error.is_outage() => return Err(error),
            Err(error) => gaps.push(format!("The prerequisites could not be checked: {error}.")),
        }
    }
    Ok(())
}

/// To the millisecond, as it is stored.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap_or_default()
}

fn fail(task: &mut AnalysisTask, code: ErrorCode, message: String, hint: Option<String>) {
    task.status = AnalysisStatus::Failed;
    task.failure = Some(AnalysisFailure { code, message, hint });
}

/// A run whose server has ended in the middle of it.
fn left_behind(mut task: AnalysisTask) -> AnalysisTask {
    task.step = None;
    task.ended_at = Some(now());
    let hint = "Run the analysis again: nothing of it is kept.".to_owned();
    let message = "the server was stopped while the analysis was at work".to_owned();
    fail(&mut task, ErrorCode::Internal, message, Some(hint));
    task
}

fn summary_of(report: &AnalysisReport) -> AnalysisReportSummary {
    let mut detections = LevelCounts::default();
    for detection in &report.rules {
        detections.add(Some(detection.rule_type));
    }
    AnalysisReportSummary {
        id: report.id.clone(),
        generated_at: report.generated_at,
        mode: report.mode,
        health_score: report.health_score,
        detections,
        errors: report.errors.len() as u64,
    }
}
