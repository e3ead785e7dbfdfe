//! One project of the list.

use super::HomeDialog;
use crate::api::projects::export_url;
use crate::clock::use_now;
use crate::components::badge::{Badge, Tone};
use crate::components::button::{DownloadLink, IconButton};
use crate::components::icon::{Glyph, Icon};
use crate::format::{number, time};
use crate::live::use_live;
use crate::routes;
use chrono::Local;
use godwit_shared::ids::ProjectId;
use godwit_shared::job::JobStatus;
use godwit_shared::project::ProjectSummary;
use leptos::prelude::*;
use leptos_router::components::A;

#[component]
pub fn ProjectCard(project: ProjectSummary, dialog: RwSignal<Option<HomeDialog>>) -> impl IntoView {
    let now = use_now();
    let changed_at = project.last_modified;
    let changed = Memo::new(move |_| time::ago(changed_at, now.get(), &Local));
    let (to_rename, to_delete) = (project.clone(), project.clone());
    let rename = Callback::new(move |()| dialog.set(Some(HomeDialog::Rename(to_rename.clone()))));
    let delete = Callback::new(move |()| dialog.set(Some(HomeDialog::Delete(to_delete.clone()))));
    let name = project.name;
    let [rename_label, export_label, delete_label] =
        ["Rename", "Export", "Delete"].map(|verb| format!("{verb} {name}"));
    let file = file_name(&name);
    view! {
        <li class="gw-card" data-testid="project-card">
            <div class="gw-card__head">
                <A href=routes::migration(&project.id) attr:class="gw-card__name">{name}</A>
                <Badge text=kind_name(&project.kind)/>
            </div>
            <div class="gw-row gw-muted">
                <span title=time::exact_utc(changed_at)>"Changed " {changed}</span>
                <RunningMark project=project.id.clone()/>
            </div>
            <div class="gw-card__actions">
                <IconButton label=rename_label icon=Icon::Rename on_press=rename/>
                <DownloadLink
                    label=export_label
                    href=export_url(&project.id)
                    file_name=file
                />
                <IconButton label=delete_label icon=Icon::Delete on_press=delete/>
            </div>
        </li>
    }
}

/// Says that jobs of the project are running.
#[component]
fn RunningMark(project: ProjectId) -> impl IntoView {
    let live = use_live();
    let running = Memo::new(move |_| {
        live.with_jobs(|jobs| jobs.filter(|j| j.project_id == project && is_at_work(j.status)).count())
    });
    move || {
        let count = running.get();
        (count > 0).then(|| {
            view! {
                <span class="gw-status" data-tone=Tone::Accent.name() data-testid="project-running">
                    <Glyph icon=Icon::Spinner/>
                    {number::counted(count as u64, "job running", "jobs running")}
                </span>
            }
        })
    }
}

/// Whether the job does something now: a paused one waits for its user.
fn is_at_work(status: JobStatus) -> bool {
    match status {
        JobStatus::Running | JobStatus::CleaningUp | JobStatus::Cancelling => true,
        JobStatus::Paused | JobStatus::Cancelled | JobStatus::Failed | JobStatus::Completed => false,
    }
}

/// The name of a database kind as people write it.
fn kind_name(kind: &str) -> String {
    match kind {
        "POSTGRESQL" => "PostgreSQL".into(),
        "MYSQL" => "MySQL".into(),
        "MARIADB" => "MariaDB".into(),
        "SQL_SERVER" => "SQL Server".into(),
        "ORACLE" => "Oracle".into(),
        other => other.to_owned(),
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

    #[test]
    fn names() {
        assert_eq!(kind_name("POSTGRESQL"), "PostgreSQL");
        assert_eq!(kind_name("DB2"), "DB2");
        assert_eq!(file_name("a/b: c"), "a_b_ c.relmig");
    }
}
