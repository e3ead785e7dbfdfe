//! One project of the list.

use super::HomeDialog;
use crate::api::projects::export_url;
use crate::clock::use_now;
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, DownloadLink, IconButton};
use crate::components::icon::{Glyph, Icon};
use crate::connections::kind_label;
use crate::format::{number, time};
use crate::live::use_live;
use crate::pages::migration::present::retrying;
use crate::routes;
use chrono::Local;
use godwit_shared::ids::ProjectId;
use godwit_shared::job::{CdcStatus, JobStatus, MigrationJobStatus};
use godwit_shared::project::ProjectSummary;
use leptos::prelude::*;
use leptos_router::components::A;

#[component]
pub fn ProjectCard(project: Memo<ProjectSummary>, dialog: RwSignal<Option<HomeDialog>>) -> impl IntoView {
    let now = use_now();
    let id = project.with_untracked(|p| p.id.clone());
    let changed_at = Memo::new(move |_| project.with(|p| p.last_modified));
    let changed = Memo::new(move |_| time::ago(changed_at.get(), now.get(), &Local));
    let name = Memo::new(move |_| project.with(|p| p.name.clone()));
    let kind = Signal::derive(move || project.with(|p| kind_name(&p.kind)));
    let named = move |verb: &'static str| Signal::derive(move || format!("{verb} {}", name.get()));
    let ask = move |dialog_of: fn(ProjectSummary) -> HomeDialog| {
        Callback::new(move |()| dialog.set(Some(dialog_of(project.get_untracked()))))
    };
    view! {
        <li class="gw-card" data-testid="project-card">
            <div class="gw-card__head">
                <A href=routes::migration(&id) attr:class="gw-card__name">{name}</A>
                <Badge text=kind/>
            </div>
            <div class="gw-row gw-muted">
                <span title=move || time::exact_utc(changed_at.get())>"Changed " {changed}</span>
                <JobMarks project=id.clone()/>
            </div>
            <div class="gw-card__actions">
                {move || project.with(|p| p.needs_consent).then(|| view! {
                    <Button label="Read its code" icon=Icon::Warning on_press=ask(HomeDialog::Consent) attr:data-testid="read-code"/>
                })}
                <IconButton label=named("Rename") icon=Icon::Rename on_press=ask(HomeDialog::Rename)/>
                <DownloadLink label=named("Export") href=export_url(&id) file_name=Signal::derive(move || file_name(&name.get()))/>
                <IconButton label=named("Delete") icon=Icon::Delete on_press=ask(HomeDialog::Delete)/>
            </div>
        </li>
    }
}

/// What the jobs of the project are doing.
#[component]
fn JobMarks(project: ProjectId) -> impl IntoView {
    let live = use_live();
    let marks = Memo::new(move |_| live.with_jobs(|jobs| marks(jobs.filter(|j| j.project_id == project))));
    let view = |mark: Mark| {
        view! {
            <span class="gw-status" data-tone=mark.tone.name() data-testid=mark.testid>
                <Glyph icon=mark.icon/>
                {mark.text}
            </span>
        }
    };
    move || marks.get().into_iter().map(view).collect_view()
}

#[derive(Debug, Clone, PartialEq)]
struct Mark {
    icon: Icon,
    tone: Tone,
    text: String,
    testid: &'static str,
}

/// `jobs` are those of one project, newest first. A failure counts until there is a newer job.
fn marks<'a>(jobs: impl Iterator<Item = &'a MigrationJobStatus>) -> Vec<Mark> {
    let (mut running, mut paused, mut is_failed) = (0, 0, false);
    let mut waits = Vec::new();
    for (place, job) in jobs.enumerate() {
        if let Some(text) = retrying(job, &Local) {
            waits.push(Mark {
                icon: Icon::Warning,
                tone: Tone::Warning,
                text,
                testid: "project-retrying",
            });
            continue;
        }
        match job.status {
            JobStatus::Paused => paused += 1,
            JobStatus::Running if job.cdc_status == CdcStatus::Paused => paused += 1,
            JobStatus::Running | JobStatus::CleaningUp | JobStatus::Cancelling => running += 1,
            JobStatus::Failed => is_failed |= place == 0,
            JobStatus::Cancelled | JobStatus::Completed => {}
        }
    }
    let mark = |count: u64, tone, icon, one, many, testid| Mark {
        icon,
        tone,
        text: number::counted(count, one, many),
        testid,
    };
    let running = (running > 0).then(|| {
        let tone = Tone::Accent;
        mark(
            running,
            tone,
            Icon::Running,
            "job running",
            "jobs running",
            "project-running",
        )
    });
    let paused = (paused > 0).then(|| {
        let tone = Tone::Warning;
        mark(paused, tone, Icon::Pause, "job paused", "jobs paused", "project-paused")
    });
    let failed = is_failed.then(|| Mark {
        icon: Icon::Error,
        tone: Tone::Danger,
        text: "Last job failed".into(),
        testid: "project-failed",
    });
    waits.into_iter().chain(running).chain(paused).chain(failed).collect()
}

/// The name of a database kind as people write it.
fn kind_name(kind: &str) -> String {
    match kind {
        "MYSQL" => "MySQL".into(),
        "SQL_SERVER" => "SQL Server".into(),
        "ORACLE" => "Oracle".into(),
        other => kind_label(other).to_owned(),
    }
}

/// `name.relmig`, without what file systems refuse.
fn file_name(project: &str) -> String {
    let safe = project.replace(['/', '\\', ':', '*', '?', '"', '<', '>', '|'], "_");
    format!("{safe}.relmig")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::{cdc_job, job};

    #[test]
    fn what_the_jobs_of_a_project_are_doing() {
        let texts = |jobs: &[MigrationJobStatus]| marks(jobs.iter()).into_iter().map(|m| m.text).collect::<Vec<_>>();
        let failed = || job(JobStatus::Failed);
        assert_eq!(texts(&[failed(), job(JobStatus::Completed)]), ["Last job failed"]);
        assert_eq!(texts(&[job(JobStatus::Completed), failed()]), [""; 0]);
        let jobs = [
            job(JobStatus::Running),
            job(JobStatus::Paused),
            cdc_job(JobStatus::Running, CdcStatus::Paused, true),
            failed(),
        ];
        assert_eq!(texts(&jobs), ["1 job running", "2 jobs paused"]);
    }

    #[test]
    fn names() {
        assert_eq!(kind_name("POSTGRESQL"), "PostgreSQL");
        assert_eq!(kind_name("DB2"), "DB2");
        assert_eq!(file_name("a/b: c"), "a_b_ c.relmig");
    }
}
