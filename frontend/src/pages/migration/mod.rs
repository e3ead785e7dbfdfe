//! The *Data Migration* tab: the history of jobs, the overview of the selected one, and the wizard.
//!
//! The selection and the wizard stand in the URL ([`crate::routes::MigrationView`]). What a job's state means for the
//! page (its label, its icon, what may be done with it) is decided in [`present`].

pub mod history;
pub mod log;
pub mod overview;
pub mod present;
pub mod wizard;

use crate::api;
use crate::components::button::Button;
use crate::components::empty_state::EmptyState;
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::live::{JobField, Live, use_live};
use crate::pages::project::use_project_id;
use crate::remote::Remote;
use crate::routes::{MigrationView, WizardStart};
use godwit_shared::ids::{JobId, ProjectId};
use godwit_shared::project::ProjectCollection;
use history::HistoryPane;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use overview::JobOverview;
use wizard::Wizard;

/// What the tab shows, and how its parts change that.
#[derive(Clone, Copy)]
pub struct MigrationContext {
    pub project: Signal<ProjectId>,
    pub view: Signal<MigrationView>,
    pub selection: Signal<Selection>,
    /// The collections of the project.
    collections: Signal<Remote<Vec<ProjectCollection>>>,
    go: Callback<MigrationView>,
}

impl MigrationContext {
    fn new() -> Self {
        let project = use_project_id();
        let query = use_query_map();
        let view = Memo::new(move |_| query.with(|q| MigrationView::from_query(q.get("job"), q.get("wizard"))));
        let (navigate, context_view) = (use_navigate(), view);
        let go = Callback::new(move |view: MigrationView| {
            let options = NavigateOptions {
                // The browser's own button does not lead back into a wizard that was left.
                replace: context_view.with_untracked(|view| view.wizard.is_some()),
                ..NavigateOptions::default()
            };
            navigate(&view.path(&project.get_untracked()), options);
        });
        let live = use_live();
        let answer = LocalResource::new(move || {
            live.projects_version();
            let project = project.get();
            async move { api::projects::collections(&project).await }
        });
        let collections = Memo::new(move |_| Remote::from(answer.get()));
        let selection = Memo::new(move |_| selection(live, &project.get(), &view.get()));
        Self {
            project,
            view: view.into(),
            selection: selection.into(),
            collections: collections.into(),
            go,
        }
    }

    /// As far as they are known.
    pub fn collection_names(self) -> Signal<Vec<String>> {
        let collections = self.collections;
        Signal::derive(move || {
            let known = collections.get().ready().unwrap_or_default();
            known.into_iter().map(|collection| collection.name).collect()
        })
    }

    /// As far as they are known.
    pub fn collections(self) -> Signal<Vec<ProjectCollection>> {
        let collections = self.collections;
        Signal::derive(move || collections.get().ready().unwrap_or_default())
    }

    /// Whether no job can be started, because the project maps no table.
    pub fn has_no_rules(self) -> Signal<bool> {
        let collections = self.collections;
        Memo::new(move |_| collections.with(|known| matches!(known, Remote::Ready(list) if list.is_empty()))).into()
    }

    pub fn open_wizard(self, start: WizardStart) {
        self.go.run(self.view.get_untracked().with_wizard(Some(start)));
    }

    pub fn close_wizard(self) {
        self.go.run(self.view.get_untracked().with_wizard(None));
    }

    pub fn show(self, view: MigrationView) {
        self.go.run(view);
    }

    pub fn show_job(self, job: JobId) {
        self.go.run(MigrationView::of_job(job));
    }
}

pub fn use_migration() -> MigrationContext {
    expect_context()
}

#[component]
pub fn MigrationPage() -> impl IntoView {
    let context = MigrationContext::new();
    provide_context(context);
    let wizard = Memo::new(move |_| context.view.with(|view| view.wizard.clone()));
    let open_wizard = move || wizard.get().map(|start| view! { <Wizard start=start/> });
    view! {
        <div class="gw-migration">
            <HistoryPane/>
            <section class="gw-migration__job" aria-label="Job overview"><SelectedJob/></section>
        </div>
        {open_wizard}
    }
}

/// What the right side shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Selection {
    Loading,
    NoJobs,
    /// The URL names a job that is not there.
    Gone,
    Job(JobId),
}

impl Selection {
    pub fn job(&self) -> Option<&JobId> {
        match self {
            Selection::Job(id) => Some(id),
            Selection::Loading | Selection::NoJobs | Selection::Gone => None,
        }
    }
}

/// The job that the URL names, else the newest of the project.
fn selection(live: Live, project: &ProjectId, view: &MigrationView) -> Selection {
    let found = live.with_jobs(|jobs| {
        let mut own = jobs.filter(|job| job.project_id == *project);
        let found = match &view.job {
            Some(id) => own.find(|job| job.id == *id),
            None => own.next(),
        };
        found.map(|job| job.id.clone())
    });
    match (found, live.is_loaded(), &view.job) {
        (Some(id), _, _) => Selection::Job(id),
        (None, false, _) => Selection::Loading,
        (None, true, Some(_)) => Selection::Gone,
        (None, true, None) => Selection::NoJobs,
    }
}

#[component]
fn SelectedJob() -> impl IntoView {
    let live = use_live();
    let context = use_migration();
    let job_view = move |job: JobField| view! { <JobOverview job=job/> };
    move || match context.selection.get() {
        Selection::Loading => view! { <Skeleton lines=8/> }.into_any(),
        Selection::NoJobs => view! { <NoJobs/> }.into_any(),
        Selection::Gone => view! { <GoneJob/> }.into_any(),
        Selection::Job(id) => live.job(&id).map(job_view).into_any(),
    }
}

#[component]
fn NoJobs() -> impl IntoView {
    let context = use_migration();
    let create = Callback::new(move |()| context.open_wizard(WizardStart::Empty));
    view! {
        <EmptyState
            icon=Icon::Play
            title="No migration job yet"
            text="A job reads the tables of the source at one point in time and writes whole documents to MongoDB. Its \
                  progress shows here."
        >
            <Button label="Create migration job" icon=Icon::Plus on_press=create attr:data-testid="create-first-job"/>
        </EmptyState>
    }
}

#[component]
fn GoneJob() -> impl IntoView {
    view! {
        <EmptyState icon=Icon::Info title="There is no such job" text="Choose one from the history on the left."/>
    }
}
