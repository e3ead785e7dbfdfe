//! Drafts for as long as the page lives: passwords are kept nowhere else.

use super::draft::Draft;
use crate::connections::details::source_details;
use crate::connections::draft::SourceDraft;
use godwit_shared::connection::JdbcConnectionDetails;
use godwit_shared::ids::{JobId, ProjectId};
use leptos::prelude::*;
use std::collections::HashMap;

#[derive(Default)]
struct Memory {
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
