//! Saves by itself, a moment after the last change; tells where somebody else has saved in between.

use super::workbench::Workbench;
use crate::api::projects::{SaveError, save as send};
use crate::api::{self, ApiError};
use crate::live::use_live;
use godwit_shared::edit::Draft;
use godwit_shared::ids::ProjectId;
use godwit_shared::mapping::Content;
use godwit_shared::project::{ProjectDetails, RevisionConflict, SaveProject};
use godwit_shared::schema::RelationalModel;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// After the last change.
const PAUSE: Duration = Duration::from_millis(700);

/// Whether what stands on the screen is stored.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Saving {
    #[default]
    Saved,
    /// There are changes that no request carries yet.
    Changed,
    /// A request is under way.
    Running,
    Failed(ApiError),
    /// Somebody else has saved since this draft was read: the user decides.
    Conflict(Box<RevisionConflict>),
}

impl Saving {
    pub fn words(&self) -> &'static str {
        match self {
            Saving::Saved => "Saved",
            Saving::Changed | Saving::Running => "Saving…",
            Saving::Failed(_) => "Not saved",
            Saving::Conflict(_) => "Changed elsewhere",
        }
    }

    fn is_open(&self) -> bool {
        !matches!(self, Saving::Saved)
    }
}

/// Saves whenever the draft has changed; what is open when the window goes away waits in the browser.
pub fn save_by_itself(bench: Workbench) {
    Effect::new(move |_| {
        let version = bench.version.get();
        if version == 0 {
            return;
        }
        if !matches!(bench.saving.get_untracked(), Saving::Conflict(_) | Saving::Running) {
            bench.saving.set(Saving::Changed);
        }
        let is_last = move || bench.version.try_get_untracked() == Some(version);
        let go_on = move || {
            if is_last() {
                save(bench);
            }
        };
        set_timeout(go_on, PAUSE);
    });
    let keep = window_event_listener(leptos::ev::pagehide, move |_| {
        if bench.saving.try_with_untracked(Saving::is_open) == Some(true) {
            Kept::of(bench).keep(&bench.id.get_value());
        }
    });
    on_cleanup(move || {
        keep.remove();
        // Another page of this one comes: the request lives on.
        if bench
            .saving
            .try_with_untracked(|saving| matches!(saving, Saving::Changed))
            == Some(true)
        {
            let request = request(bench);
            leptos::task::spawn_local(async move { drop(send(&request).await) });
        }
    });
}

/// Sends the draft as it stands.
pub fn save(bench: Workbench) {
    if matches!(bench.saving.get_untracked(), Saving::Running | Saving::Conflict(_)) {
        return;
    }
    bench.saving.set(Saving::Running);
    let sent = bench.version.get_untracked();
    let request = request(bench);
    leptos::task::spawn_local(async move {
        let answer = send(&request).await;
        let Some(now) = bench.version.try_get_untracked() else {
            return;
        };
        match answer {
            Ok(details) => {
                // No reader of the draft looks at its revision.
                bench
                    .draft
                    .update_untracked(|draft| draft.revision = details.summary.revision);
                bench.details.set_value(details);
                if let Some(full) = request.full {
                    bench.stored_model.set_value(full);
                }
                bench
                    .saving
                    .set(if now == sent { Saving::Saved } else { Saving::Changed });
                if now != sent {
                    save(bench);
                }
            }
            Err(SaveError::Conflict(stored)) => bench.saving.set(Saving::Conflict(stored)),
            Err(SaveError::Other(error)) => bench.saving.set(Saving::Failed(error)),
        }
    });
}

fn request(bench: Workbench) -> SaveProject {
    let draft = bench.draft.get_untracked();
    let is_same = bench.stored_model.with_value(|stored| *stored == draft.model);
    bench.details.with_value(|details| SaveProject {
        id: Some(details.summary.id.clone()),
        name: draft.name,
        kind: details.summary.kind.clone(),
        schemas_id: details.schemas_id.clone(),
        content: draft.content,
        jdbc_id: details.summary.jdbc_id.clone(),
        mongodb_id: details.summary.mongodb_id.clone(),
        revision: Some(draft.revision),
        full: (!is_same).then_some(draft.model),
    })
}

/// What is saved in another window while this one has no changes of its own is taken over; else the next save tells.
pub fn follow_others(bench: Workbench) {
    let live = use_live();
    Effect::new(move |before: Option<()>| {
        live.projects_version();
        if before.is_none() {
            return;
        }
        let id = bench.id.get_value();
        leptos::task::spawn_local(async move {
            let answer = futures_util::try_join!(api::projects::get(&id), api::schema::of_project(&id));
            let is_clean = || bench.saving.try_with_untracked(|saving| *saving == Saving::Saved) == Some(true);
            let Ok((details, schema)) = answer else { return };
            if is_clean()
                && bench
                    .draft
                    .with_untracked(|draft| details.summary.revision > draft.revision)
            {
                take_over(bench, details, schema.full);
            }
        });
    });
}

/// What is stored stands on the screen from now on.
pub fn take_over(bench: Workbench, details: ProjectDetails, model: RelationalModel) {
    bench.replace(Draft::of(details.clone(), model.clone()));
    bench.details.set_value(details);
    bench.stored_model.set_value(model);
    bench.saving.set(Saving::Saved);
}

/// What stands on the screen replaces what the other window has saved.
pub fn keep_own(bench: Workbench, revision: u64) {
    bench.draft.update_untracked(|draft| draft.revision = revision);
    bench.saving.set(Saving::Changed);
    save(bench);
}

/// Changes that no request could carry any more.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    revision: u64,
    name: String,
    content: Content,
    full: Option<RelationalModel>,
}

fn kept_key(id: &ProjectId) -> String {
    format!("godwit.draft.{id}")
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

impl Kept {
    fn of(bench: Workbench) -> Self {
        let request = request(bench);
        Self {
            revision: request.revision.unwrap_or_default(),
            name: request.name,
            content: request.content,
            full: request.full,
        }
    }

    /// A browser without room for it loses the last second, as it would lose all without it.
    fn keep(&self, id: &ProjectId) {
        if let (Some(storage), Ok(text)) = (storage(), serde_json::to_string(self)) {
            let _ = storage.set_item(&kept_key(id), &text);
        }
    }

    /// What was kept, once.
    pub fn take(id: &ProjectId) -> Option<Self> {
        let (storage, key) = (storage()?, kept_key(id));
        let text = storage.get_item(&key).ok().flatten()?;
        let _ = storage.remove_item(&key);
        serde_json::from_str(&text).ok()
    }

    /// Goes on with it where nobody has saved since.
    pub fn restore(self, bench: Workbench) {
        let is_next = bench.draft.with_untracked(|draft| draft.revision == self.revision);
        if !is_next {
            return;
        }
        bench.draft.update(|draft| {
            draft.name = self.name;
            draft.content = self.content;
            if let Some(full) = self.full {
                draft.model = full;
            }
        });
        bench.version.update(|version| *version += 1);
    }
}
