//! The question before a saved connection is deleted: it names the projects that use it.

use super::entry::Saved;
use super::use_connections;
use crate::api::{self, ApiError};
use crate::components::button::ButtonTone;
use crate::components::dialog::{ConfirmAction, ConfirmDialog};
use crate::components::error_panel::ErrorPanel;
use crate::components::toast::use_toasts;
use crate::projects::use_projects;
use leptos::prelude::*;

const DELETE: ConfirmAction = ConfirmAction {
    label: "Delete",
    tone: ButtonTone::Danger,
    testid: "delete-confirm",
};

#[component]
pub fn DeleteConnectionDialog(saved: Saved, on_close: Callback<()>) -> impl IntoView {
    let (context, toasts) = (use_connections(), use_toasts());
    let title = format!("Delete “{}”?", saved.name());
    let users = users_view(&saved);
    let delete = Action::new_local(move |(): &()| {
        let saved = saved.clone();
        async move {
            match &saved {
                Saved::Jdbc(c) => api::connections::delete_jdbc(&c.id).await?,
                Saved::Mongodb(c) => api::connections::delete_mongodb(&c.id).await?,
            }
            toasts.say(format!("Deleted “{}”.", saved.name()));
            context.reload.run(());
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
            {users}
            <p>"The saved address and its password go. Jobs that are running keep theirs. This cannot be undone."</p>
            {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
        </ConfirmDialog>
    }
}

/// The projects that lose their connection, and what stays of them.
fn users_view(saved: &Saved) -> Option<impl IntoView + use<>> {
    let projects = use_projects().state().get_untracked().ready().unwrap_or_default();
    let users = saved.users(&projects).into_iter();
    let names: Vec<String> = users.map(|(_, name)| name.to_owned()).collect();
    let name = |name| view! { <li>{name}</li> };
    (!names.is_empty()).then(|| {
        view! {
            <p>
                "These projects use it. They keep their mapping rules and the schema as it was last read, but need another \
                 connection for previews and jobs:"
            </p>
            <ul class="gw-bullets" data-testid="connection-users">{names.into_iter().map(name).collect_view()}</ul>
        }
    })
}
