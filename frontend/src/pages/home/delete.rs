//! The question before a project is deleted.

use crate::api::{self, ApiError};
use crate::components::button::ButtonTone;
use crate::components::dialog::{ConfirmAction, ConfirmDialog};
use crate::components::error_panel::ErrorPanel;
use crate::components::toast::use_toasts;
use crate::projects::use_projects;
use godwit_shared::project::ProjectSummary;
use leptos::prelude::*;

const DELETE: ConfirmAction = ConfirmAction {
    label: "Delete",
    tone: ButtonTone::Danger,
    testid: "delete-confirm",
};

#[component]
pub fn DeleteDialog(project: ProjectSummary, on_close: Callback<()>) -> impl IntoView {
    let (projects, toasts) = (use_projects(), use_toasts());
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
        <ConfirmDialog title=title action=DELETE is_busy=delete.pending() on_confirm=confirm on_close=on_close>
            <p>
                "The project goes with its mapping rules and the history of its jobs. This cannot be undone. Data that \
                 its jobs have written to MongoDB stays."
            </p>
            {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
        </ConfirmDialog>
    }
}
