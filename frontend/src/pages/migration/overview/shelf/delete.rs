//! The questions before a job, or what it has written, is deleted.

use crate::api::{self, ApiError};
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::ButtonTone;
use crate::components::dialog::{ConfirmAction, ConfirmDialog};
use crate::components::error_panel::ErrorPanel;
use crate::components::skeleton::Skeleton;
use crate::components::toast::use_toasts;
use crate::format::number;
use crate::pages::migration::overview::JobSignal;
use crate::pages::migration::use_migration;
use crate::routes::MigrationView;
use godwit_shared::written::Written;
use leptos::prelude::*;

const DELETE_JOB: ConfirmAction = ConfirmAction {
    label: "Delete from history",
    tone: ButtonTone::Danger,
    testid: "delete-job-confirm",
};

const DELETE_WRITTEN: ConfirmAction = ConfirmAction {
    label: "Delete documents",
    tone: ButtonTone::Danger,
    testid: "delete-written-confirm",
};

#[component]
pub fn DeleteJobDialog(job: JobSignal, on_close: Callback<()>) -> impl IntoView {
    let (toasts, context) = (use_toasts(), use_migration());
    let delete = Action::new_local(move |(): &()| {
        let id = job.get_untracked().id.clone();
        async move {
            api::jobs::delete(&id).await?;
            toasts.say("Deleted the job from the history.");
            on_close.run(());
            context.show(MigrationView::default());
            Ok::<(), ApiError>(())
        }
    });
    let failure = move || delete.value().get().and_then(Result::err);
    let confirm = Callback::new(move |()| {
        delete.dispatch_local(());
    });
    view! {
        <ConfirmDialog
            title="Delete the job from the history?"
            action=DELETE_JOB
            is_busy=delete.pending()
            on_confirm=confirm
            on_close=on_close
        >
            <p>"Its log and its figures go with it. What it has written to MongoDB stays. This cannot be undone."</p>
            {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
        </ConfirmDialog>
    }
}

/// Counts first, and deletes as many as the user was told.
#[component]
pub fn DeleteWrittenDialog(job: JobSignal, on_close: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let id = StoredValue::new(job.get_untracked().id.clone());
    let found = LocalResource::new(move || async move { api::jobs::written(&id.get_value()).await });
    let documents = move || found.get().and_then(Result::ok).map_or(0, |written| written.documents);
    let delete = Action::new_local(move |documents: &u64| {
        let documents = *documents;
        async move {
            api::jobs::delete_written(&id.get_value(), documents).await?;
            toasts.say(format!(
                "Deleted {}.",
                number::counted(documents, "document", "documents")
            ));
            on_close.run(());
            Ok::<(), ApiError>(())
        }
    });
    let failure = move || delete.value().get().and_then(Result::err);
    let confirm = Callback::new(move |()| {
        delete.dispatch_local(documents());
    });
    let is_nothing = Signal::derive(move || documents() == 0);
    let body = move || match found.get() {
        None => view! { <Skeleton lines=3/> }.into_any(),
        Some(Err(error)) => view! { <ErrorPanel error=error/> }.into_any(),
        Some(Ok(written)) => view! { <WhatGoes written=written/> }.into_any(),
    };
    view! {
        <ConfirmDialog
            title="Delete what this job wrote?"
            action=DELETE_WRITTEN
            is_busy=delete.pending()
            is_disabled=is_nothing
            on_confirm=confirm
            on_close=on_close
        >
            {body}
            {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
        </ConfirmDialog>
    }
}

#[component]
fn WhatGoes(written: Written) -> impl IntoView {
    let (kept, gone): (Vec<_>, Vec<_>) = written.collections.into_iter().partition(|c| c.kept_because.is_some());
    let line = |name: String, text: String| view! { <li><span class="gw-code">{name}</span>": " {text}</li> };
    let gone_lines = gone
        .into_iter()
        .map(|c| line(c.collection, number::counted(c.documents, "document", "documents")))
        .collect_view();
    let has_kept = !kept.is_empty();
    let kept_lines = kept
        .into_iter()
        .map(|c| line(c.collection, c.kept_because.unwrap_or_default()))
        .collect_view();
    let kept = has_kept.then(|| {
        view! {
            <Banner tone=Tone::Warning title="These collections stay"><ul class="gw-bullets">{kept_lines}</ul></Banner>
        }
    });
    view! {
        <p data-testid="written-count">
            {number::counted(written.documents, "document", "documents")}
            " of MongoDB would be deleted for good, with their collections and indexes, and with all that others have changed in them since."
        </p>
        <ul class="gw-bullets">{gone_lines}</ul>
        {kept}
    }
}
