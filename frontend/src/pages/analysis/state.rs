//! What is known of a project's analyses, and how it changes.

use super::ready;
use crate::api::{ApiError, analyses};
use crate::clock::use_now;
use crate::components::toast::{Toasts, use_toasts};
use crate::remote::Remote;
use godwit_shared::analysis::{
    AnalysisReport, AnalysisReportSummary, AnalysisStatus, AnalysisTask, AnalysisTaskRequest,
};
use godwit_shared::ids::ProjectId;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::sync::Arc;

/// Seconds between two looks at a run that is at work.
const LOOK_EVERY: i64 = 1;

/// See the module.
#[derive(Clone, Copy)]
pub struct Analysis {
    pub project: Signal<ProjectId>,
    pub task: RwSignal<Remote<Option<AnalysisTask>>>,
    pub reports: RwSignal<Remote<Vec<AnalysisReportSummary>>>,
    pub report: RwSignal<Remote<Option<Arc<AnalysisReport>>>>,
    /// An earlier report that is looked at; absent: the newest.
    pub chosen: RwSignal<Option<String>>,
    /// Why a run could not be started or ended.
    pub refusal: RwSignal<Option<ApiError>>,
    pub is_busy: RwSignal<bool>,
    toasts: Toasts,
    task_version: RwSignal<u32>,
    report_version: RwSignal<u32>,
}

fn bump(version: RwSignal<u32>) {
    version.update(|version| *version = version.wrapping_add(1));
}

impl Analysis {
    pub fn new(project: Signal<ProjectId>) -> Self {
        let this = Self {
            project,
            task: RwSignal::new(Remote::Loading),
            reports: RwSignal::new(Remote::Loading),
            report: RwSignal::new(Remote::Loading),
            chosen: RwSignal::new(None),
            refusal: RwSignal::new(None),
            is_busy: RwSignal::new(false),
            toasts: use_toasts(),
            task_version: RwSignal::new(0),
            report_version: RwSignal::new(0),
        };
        this.ask();
        this.follow();
        this
    }

    pub fn of_page() -> Self {
        expect_context()
    }

    /// Asks for task, reports and report whenever they may have changed. What is known stays until the answer is there.
    fn ask(self) {
        let task = LocalResource::new(move || {
            self.task_version.track();
            let project = self.project.get();
            async move { analyses::task(&project).await }
        });
        let reports = LocalResource::new(move || {
            self.report_version.track();
            let project = self.project.get();
            async move { analyses::reports(&project).await }
        });
        let report = LocalResource::new(move || {
            self.report_version.track();
            let (project, chosen) = (self.project.get(), self.chosen.get());
            async move { analyses::report(&project, chosen.as_deref()).await }
        });
        Effect::new(move |_| {
            if let Some(answer) = task.get() {
                self.task.set(Remote::from(Some(answer)));
            }
        });
        Effect::new(move |_| {
            if let Some(answer) = reports.get() {
                self.reports.set(Remote::from(Some(answer)));
            }
        });
        Effect::new(move |_| {
            if let Some(answer) = report.get() {
                self.report
                    .set(Remote::from(Some(answer)).map(|report| report.map(Arc::new)));
            }
        });
    }

    /// Looks at a run while it is at work; when it has ended, at its report.
    fn follow(self) {
        let now = use_now();
        let second = Memo::new(move |_| now.get().timestamp() / LOOK_EVERY);
        Effect::new(move |_| {
            // A memo that nobody reads computes nothing, and so is told of nothing.
            second.get();
            if self.task.with_untracked(is_running) {
                bump(self.task_version);
            }
        });
        let is_running = Memo::new(move |_| self.is_running());
        Effect::new(move |before: Option<bool>| {
            let is_running = is_running.get();
            if before == Some(true) && !is_running {
                self.chosen.set(None);
                self.look_at_report();
            }
            is_running
        });
    }

    pub fn look_at_report(self) {
        bump(self.report_version);
    }

    pub fn is_running(self) -> bool {
        self.task.with(is_running)
    }

    /// Starts a run.
    pub fn start(self, request: AnalysisTaskRequest) {
        self.send(async move |project| analyses::start(&project, &request).await);
    }

    /// Ends it.
    pub fn cancel(self) {
        self.send(async move |project| analyses::cancel(&project).await);
    }

    fn send(self, command: impl AsyncFnOnce(ProjectId) -> Result<AnalysisTask, ApiError> + 'static) {
        let project = self.project.get_untracked();
        self.is_busy.set(true);
        spawn_local(async move {
            let answer = command(project).await;
            // The tab may be closed by now.
            let _ = self.is_busy.try_set(false);
            match answer {
                Ok(task) => {
                    let _ = self.refusal.try_set(None);
                    let _ = self.task.try_set(Remote::Ready(Some(task)));
                }
                Err(error) => {
                    let _ = self.refusal.try_set(Some(error));
                }
            }
        });
    }

    /// Marks a detection at once, and takes the mark back where the server does not store it.
    pub fn resolve(self, id: String, resolved: bool) {
        let project = self.project.get_untracked();
        let toasts = self.toasts;
        self.mark(&id, resolved);
        spawn_local(async move {
            if let Err(error) = analyses::resolve(&project, &id, resolved).await {
                self.mark(&id, !resolved);
                toasts.fail(&error);
            }
        });
    }

    fn mark(self, id: &str, resolved: bool) {
        let known = self
            .report
            .try_with_untracked(|report| ready(report).cloned())
            .flatten();
        let Some(known) = known else { return };
        let mut report = (*known).clone();
        report.resolved_rules.retain(|other| other != id);
        if resolved {
            report.resolved_rules.push(id.to_owned());
        }
        report.settle();
        let _ = self.report.try_set(Remote::Ready(Some(Arc::new(report))));
    }
}

fn is_running(task: &Remote<Option<AnalysisTask>>) -> bool {
    ready(task).is_some_and(|task| task.status == AnalysisStatus::Running)
}
