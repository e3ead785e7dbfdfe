//! The dialog that renames a project.

use crate::api::{self, ApiError};
use crate::components::button::{Button, ButtonTone};
use crate::components::dialog::Dialog;
use crate::components::error_panel::ErrorPanel;
use crate::components::field::TextField;
use crate::projects::{name_error, taken_error, use_projects};
use godwit_shared::project::ProjectSummary;
use leptos::prelude::*;
use reactive_stores::Store;

#[component]
pub fn RenameDialog(project: ProjectSummary, on_close: Callback<()>) -> impl IntoView {
    let projects = use_projects();
    let name = Store::new(project.name.clone());
    let own_id = StoredValue::new(project.id.clone());
    let rename = Action::new_local(move |name: &String| {
        let (id, name) = (project.id.clone(), name.trim().to_owned());
        async move {
            api::projects::rename(&id, name).await?;
            projects.reload();
            on_close.run(());
            Ok::<(), ApiError>(())
        }
    });
    let others = move || {
        let all = projects.state().get().ready().unwrap_or_default();
        all.into_iter()
            .filter(|p| p.id != own_id.get_value())
            .collect::<Vec<_>>()
    };
    let error = Signal::derive(move || name.with(|name| name_error(name).or_else(|| taken_error(name, &others()))));
    let failure = move || rename.value().get().and_then(Result::err);
    let submit = Callback::new(move |()| {
        if error.with_untracked(Option::is_none) {
            rename.dispatch_local(name.get_untracked());
        }
    });
    let on_submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        submit.run(());
    };
    view! {
        <Dialog title="Rename project" on_close=on_close>
            <form class="gw-dialog__body" on:submit=on_submit>
                <TextField label="Name" value=name error=error testid="project-name"/>
                {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
            </form>
            <footer class="gw-dialog__foot">
                <Button label="Cancel" on_press=on_close/>
                <Button label="Rename" tone=ButtonTone::Primary is_busy=rename.pending() on_press=submit/>
            </footer>
        </Dialog>
    }
}
