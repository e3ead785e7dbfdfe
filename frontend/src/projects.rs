//! The list of projects, asked for once and again when the server says that it changed.

use crate::api;
use crate::live::use_live;
use crate::remote::Remote;
use godwit_shared::ids::ProjectId;
use godwit_shared::project::ProjectSummary;
use leptos::prelude::*;

#[derive(Clone, Copy)]
pub struct Projects {
    state: Signal<Remote<Vec<ProjectSummary>>>,
    /// Counts the reloads that this page asked for itself.
    reloads: RwSignal<u32>,
}

impl Projects {
    pub fn state(self) -> Signal<Remote<Vec<ProjectSummary>>> {
        self.state
    }

    /// Asks again, without waiting for the server to say so.
    pub fn reload(self) {
        self.reloads.update(|n| *n += 1);
    }

    /// One project of the list; `Ready(None)` where it is not there.
    pub fn find(self, id: Signal<ProjectId>) -> Signal<Remote<Option<ProjectSummary>>> {
        Memo::new(move |_| match self.state.get() {
            Remote::Loading => Remote::Loading,
            Remote::Failed(error) => Remote::Failed(error),
            Remote::Ready(list) => Remote::Ready(id.with(|id| list.into_iter().find(|p| p.id == *id))),
        })
        .into()
    }
}

/// Starts to load. Once, in the shell, after the live state.
pub fn provide_projects() {
    let live = use_live();
    let reloads = RwSignal::new(0);
    let answer = LocalResource::new(move || {
        live.projects_version();
        reloads.track();
        async { api::projects::list().await.map(newest_first) }
    });
    let state = Memo::new(move |_| Remote::from(answer.get())).into();
    provide_context(Projects { state, reloads });
}

pub fn use_projects() -> Projects {
    expect_context()
}

/// Newest change first; equal times by name.
pub fn newest_first(mut list: Vec<ProjectSummary>) -> Vec<ProjectSummary> {
    list.sort_by(|a, b| b.last_modified.cmp(&a.last_modified).then_with(|| a.name.cmp(&b.name)));
    list
}

/// Why a project cannot have this name beside others.
pub fn taken_error(name: &str, others: &[ProjectSummary]) -> Option<String> {
    let is_taken = others.iter().any(|p| p.name == name.trim());
    is_taken.then(|| "Another project has this name.".into())
}

/// Why a project cannot have this name.
pub fn name_error(name: &str) -> Option<String> {
    let length = name.trim().chars().count();
    match length {
        0 => Some("Enter a name.".into()),
        n if n > godwit_shared::project::NAME_LENGTH_MAX => Some(format!(
            "At most {} characters; this name has {n}.",
            godwit_shared::project::NAME_LENGTH_MAX
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};

    fn project(name: &str, day: u32) -> ProjectSummary {
        ProjectSummary {
            id: ProjectId::new(name),
            name: name.into(),
            kind: "POSTGRESQL".into(),
            jdbc_id: None,
            mongodb_id: None,
            revision: 0,
            needs_consent: false,
            last_modified: Utc.with_ymd_and_hms(2026, 5, day, 0, 0, 0).unwrap(),
        }
    }

    #[test]
    fn the_newest_change_is_first() {
        let list = newest_first(vec![project("b", 1), project("c", 2), project("a", 1)]);
        assert_eq!(list.iter().map(|p| &*p.name).collect::<Vec<_>>(), ["c", "a", "b"]);
    }

    #[test]
    fn names_of_projects() {
        assert_eq!(name_error("Shop"), None);
        assert_eq!(name_error(&"ü".repeat(50)), None);
        assert!(name_error("  ").is_some());
        assert!(name_error(&"x".repeat(51)).is_some_and(|e| e.contains("51")));
    }
}
