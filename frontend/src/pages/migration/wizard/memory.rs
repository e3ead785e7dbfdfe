//! Drafts for as long as the page lives: passwords are kept nowhere else. Without them, the draft of an open wizard
//! survives a reload.

use super::draft::Draft;
use crate::connections::details::source_details;
use crate::connections::draft::SourceDraft;
use crate::routes::WizardStart;
use crate::storage;
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::ids::{JobId, ProjectId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Where the draft of the open wizard is kept for a reload: in this tab, as long as that is open.
const RELOAD_KEY: &str = "godwit.job-draft";

/// The draft of an open wizard, without its secrets.
#[derive(Clone, Serialize, Deserialize)]
struct Reloaded {
    project: ProjectId,
    /// What the wizard had begun with, as it stands in the URL.
    start: String,
    draft: Draft,
}

#[derive(Default)]
struct Memory {
    /// What the open wizard has begun with.
    start: String,
    of_projects: HashMap<ProjectId, Draft>,
    of_jobs: HashMap<JobId, Draft>,
}

#[derive(Clone, Copy)]
pub struct Drafts(StoredValue<Memory>);

/// Once, in the shell.
pub fn provide_drafts() {
    provide_context(Drafts(StoredValue::new(Memory::default())));
}

pub fn use_drafts() -> Drafts {
    expect_context()
}

impl Drafts {
    /// The draft of a wizard that was open when the page was loaded again; once, and only where nothing is known of the
    /// project since.
    pub(super) fn take_reloaded(self, project: &ProjectId, start: &WizardStart) -> Option<Draft> {
        let kept: Reloaded = storage::of_session(RELOAD_KEY)?;
        let is_same = kept.project == *project && kept.start == name_of(start);
        (is_same && self.of_project(project).is_none()).then_some(kept.draft)
    }

    /// The wizard is open, and has begun with this.
    pub(super) fn reload_with(self, start: &WizardStart) {
        self.0.update_value(|memory| memory.start = name_of(start));
    }

    /// Keeps the draft of the open wizard for a reload.
    pub(super) fn keep_for_reload(self, project: &ProjectId, draft: &Draft) {
        let kept = Reloaded {
            project: project.clone(),
            start: self.0.with_value(|memory| memory.start.clone()),
            draft: draft.clone(),
        };
        storage::keep_in_session(RELOAD_KEY, &kept);
    }

    /// The wizard is closed.
    pub(super) fn forget_reload(self) {
        storage::forget_in_session(RELOAD_KEY);
    }

    /// Keeps what was entered for a project.
    pub(super) fn keep(self, project: &ProjectId, draft: Draft) {
        self.0.update_value(|memory| {
            memory.of_projects.insert(project.clone(), draft);
        });
    }

    /// Keeps what a job was started with.
    pub(super) fn remember_job(self, job: &JobId, draft: Draft) {
        self.0.update_value(|memory| {
            memory.of_jobs.insert(job.clone(), draft);
        });
    }

    /// What was entered of the source, for whoever goes on with it.
    pub fn source_draft_of(self, project: &ProjectId) -> Option<SourceDraft> {
        self.of_project(project).map(|draft| draft.source)
    }

    /// Keeps a source that was given outside of the wizard.
    pub fn keep_source(self, project: &ProjectId, source: SourceDraft) {
        let draft = self.of_project(project).unwrap_or_default();
        self.keep(project, Draft { source, ..draft });
    }

    pub(super) fn of_project(self, project: &ProjectId) -> Option<Draft> {
        self.0.with_value(|memory| memory.of_projects.get(project).cloned())
    }

    pub(super) fn of_job(self, job: &JobId) -> Option<Draft> {
        self.0.with_value(|memory| memory.of_jobs.get(job).cloned())
    }

    /// The source last used with the project, where there is one.
    pub fn source_of(self, project: &ProjectId) -> Option<JdbcConnectionDetails> {
        let details = self.of_project(project).map(|draft| source_details(&draft.source))?;
        let says_something = !details.url.is_empty() || details.existing_connection_id.is_some();
        says_something.then_some(details)
    }
}

fn name_of(start: &WizardStart) -> String {
    match start {
        WizardStart::Empty => String::new(),
        WizardStart::LikeJob(id) => id.to_string(),
    }
}
