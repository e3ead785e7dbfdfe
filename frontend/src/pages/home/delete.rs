//! The question before a project is deleted.

use crate::api::{self, ApiError};
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::ButtonTone;
use crate::components::dialog::{ConfirmAction, ConfirmDialog};
use crate::components::error_panel::ErrorPanel;
use crate::components::toast::use_toasts;
use crate::format::time;
use crate::live::use_live;
use crate::pages::migration::present::job_status;
use crate::projects::use_projects;
use chrono::Local;
use godwit_shared::job::MigrationJobStatus;
use godwit_shared::project::ProjectSummary;
use leptos::prelude::*;

const DELETE: ConfirmAction = ConfirmAction {
    label: "Delete",
    tone: ButtonTone::Danger,
    testid: "delete-confirm",
};

#[component]
pub fn DeleteDialog(project: ProjectSummary, on_close: Callback<()>) -> impl IntoView {
    let (projects, toasts, live) = (use_projects(), use_toasts(), use_live());
    let id = project.id.clone();
    let unfinished = Memo::new(move |_| {
        live.with_jobs(|jobs| {
            let own = jobs.filter(|job| job.project_id == id && !job.status.is_ended());
            own.map(JobLine::of).collect::<Vec<_>>()
        })
    });
    let is_in_use = Signal::derive(move || unfinished.with(|jobs| !jobs.is_empty()));
    let title = format!("Delete “{}”?", project.name);
    let delete = Action::new_local(move |(): &()| {
        let project = project.clone();
        async move {
            api::projects::delete(&project.id).await?;
            toasts.say(format!("Deleted “{}”.", project.name));
            projects.reload();
            on_close.run(());
            Ok::<(), ApiError>(())
        }
    });
    let failure = move || delete.value().get().and_then(Result::err);
    let confirm = Callback::new(move |()| {
        delete.dispatch_local(());
    });
    view! {
        <ConfirmDialog title=title action=DELETE is_busy=delete.pending() is_disabled=is_in_use on_confirm=confirm on_close=on_close>
            {move || is_in_use.get().then(|| view! { <JobsInTheWay jobs=unfinished.get()/> })}
            <p>
                "The project goes with its mapping rules and the history of its jobs. This cannot be undone. Data that \
                 its jobs have written to MongoDB stays."
            </p>
            {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
        </ConfirmDialog>
    }
}

/// A job that keeps the project from being deleted.
#[derive(Debug, Clone, PartialEq)]
struct JobLine {
    started: String,
    status: String,
}

impl JobLine {
    fn of(job: &MigrationJobStatus) -> Self {
        Self {
            started: time::date_and_clock(job.submitted_at, &Local),
            status: job_status(job).label.into_owned(),
        }
    }
}

#[component]
fn JobsInTheWay(jobs: Vec<JobLine>) -> impl IntoView {
    let line = |job: JobLine| view! { <li>{job.started} ": " {job.status}</li> };
    view! {
        <Banner tone=Tone::Warning title="Jobs of the project have not ended" attr:data-testid="jobs-in-the-way">
            <p>"Terminate or complete them first, or wait for their end:"</p>
            <ul class="gw-bullets">{jobs.into_iter().map(line).collect_view()}</ul>
        </Banner>
    }
}
