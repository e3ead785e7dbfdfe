//! What a page is called, in the tab of the browser and for screen readers.

use crate::browser;
use crate::format::number;
use crate::live::use_live;
use crate::pages::migration::present::{is_snapshot_over, is_streaming, job_status, retrying};
use crate::projects::use_projects;
use crate::remote::Remote;
use crate::routes;
use chrono::Utc;
use godwit_shared::ids::ProjectId;
use godwit_shared::job::{JobStatus, MigrationJobStatus};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Follows the path: sets the title of the document, and after a navigation moves the focus to the heading, so that it is
/// read out and the next Tab leads into the page.
#[component]
pub fn PageTitle() -> impl IntoView {
    let path = use_location().pathname;
    let projects = use_projects().state();
    let title = Memo::new(move |_| {
        let name = |id: &str| match projects.get() {
            Remote::Ready(list) => list.into_iter().find(|p| p.id == ProjectId::new(id)).map(|p| p.name),
            Remote::Loading | Remote::Failed(_) => None,
        };
        title(&path.get(), name)
    });
    let (query, live) = (use_location().query, use_live());
    let state = Memo::new(move |_| {
        let path = path.get();
        let project = project_of_jobs(&path)?;
        let wanted = query.with(|query| query.get("job"));
        live.with_jobs(|jobs| {
            let mut own = jobs.filter(|job| job.project_id.as_str() == project);
            let job = match wanted.filter(|id| !id.is_empty()) {
                Some(id) => own.find(|job| job.id.as_str() == id),
                None => own.next(),
            };
            job.and_then(state_in_short)
        })
    });
    Effect::new(move |_| {
        let title = title.get();
        document().set_title(&match state.get() {
            Some(state) => format!("{state} · {title}"),
            None => title,
        });
    });
    Effect::new(move |before: Option<String>| {
        let path = path.get();
        if before.is_some_and(|before| before != path) {
            // After the page has been rendered.
            request_animation_frame(browser::focus_heading);
        }
        path
    });
}

/// The project whose jobs a page shows.
fn project_of_jobs(path: &str) -> Option<&str> {
    match path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>()[..] {
        ["projects", id, "migration", ..] => Some(id),
        _ => None,
    }
}

/// What a job is doing, for a tab that nobody looks into: `47 %`, `Retrying`.
fn state_in_short(job: &MigrationJobStatus) -> Option<String> {
    if retrying(job, &Utc).is_some() {
        return Some("Retrying".into());
    }
    match job.status {
        JobStatus::Running if !is_snapshot_over(job) => Some(number::percent(job.statistics.percent.floor())),
        JobStatus::Running if is_streaming(job) => Some("Streaming".into()),
        JobStatus::Running
        | JobStatus::Paused
        | JobStatus::CleaningUp
        | JobStatus::Cancelling
        | JobStatus::Failed
        | JobStatus::Cancelled
        | JobStatus::Completed => Some(job_status(job).label.into_owned()),
    }
}

/// `Shop · Data Migration · Godwit`
fn title(path: &str, project_name: impl Fn(&str) -> Option<String>) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (project, page) = match parts[..] {
        [] => (None, "Projects"),
        ["projects", id, "mapping"] => (project_name(id), "Mapping"),
        ["projects", id, "analysis"] => (project_name(id), "Pre-Migration Analysis"),
        ["projects", id, ..] => (project_name(id), "Data Migration"),
        _ if path == routes::CONNECTIONS => (None, "Connections"),
        _ if path == routes::SETTINGS => (None, "Settings"),
        _ if path == routes::NEW_PROJECT => (None, "New project"),
        _ => (None, "Not found"),
    };
    let parts = project.into_iter().chain([page.to_owned(), "Godwit".to_owned()]);
    parts.collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_says_what_its_job_is_doing() {
        use crate::pages::migration::present::tests::{cdc_job, job};
        use godwit_shared::job::CdcStatus;
        let short = |job: MigrationJobStatus| state_in_short(&job).unwrap_or_default();
        let mut running = job(JobStatus::Running);
        running.statistics.percent = 47.8;
        assert_eq!(short(running), "47 %");
        assert_eq!(short(job(JobStatus::Failed)), "Failed");
        assert_eq!(
            short(cdc_job(JobStatus::Running, CdcStatus::Running, true)),
            "Streaming"
        );
        assert_eq!(
            short(cdc_job(JobStatus::Running, CdcStatus::Paused, true)),
            "CDC paused"
        );
        assert_eq!(project_of_jobs("/projects/p1/migration"), Some("p1"));
        assert_eq!(project_of_jobs("/projects/p1/mapping"), None);
    }

    #[test]
    fn every_page_has_its_own_title() {
        let name = |id: &str| (id == "p1").then(|| "Shop".to_owned());
        for (path, expected) in [
            ("/", "Projects · Godwit"),
            ("/connections", "Connections · Godwit"),
            ("/new-project", "New project · Godwit"),
            ("/settings", "Settings · Godwit"),
            ("/projects/p1/mapping", "Shop · Mapping · Godwit"),
            ("/projects/p1/migration", "Shop · Data Migration · Godwit"),
            ("/projects/p1/analysis", "Shop · Pre-Migration Analysis · Godwit"),
            ("/projects/gone/migration", "Data Migration · Godwit"),
            ("/nothing", "Not found · Godwit"),
        ] {
            assert_eq!(title(path, name), expected, "{path}");
        }
    }
}
