//! The dialog of a relational connection.

use super::draft::{JdbcDraft, JdbcDraftStoreFields, Start};
use super::kept::{self, Kind};
use super::name_and_tag::NameAndTag;
use super::use_connections;
use crate::api::{self, ApiError};
use crate::components::choice::Checkbox;
use crate::components::dialog::{Dialog, DialogFoot, DialogSize};
use crate::components::error_panel::ErrorPanel;
use crate::components::keys::on_enter;
use crate::components::toast::use_toasts;
use crate::connections::draft::SourceDraft;
use crate::connections::{SourceForm, SourceTest};
use godwit_shared::connection::SavedJdbcConnection;
use leptos::prelude::*;
use reactive_stores::{Field, Store};

#[component]
pub fn JdbcDialog(start: Start<SavedJdbcConnection>, on_close: Callback<()>) -> impl IntoView {
    let (context, toasts) = (use_connections(), use_toasts());
    let title = start.title();
    let draft = Store::new(kept::draft(Kind::Jdbc, &start, |c| c.id.clone()).unwrap_or_else(|| JdbcDraft::of(&start)));
    kept::keep(
        Kind::Jdbc,
        &start,
        |c| c.id.clone(),
        Signal::derive(move || draft.get()),
    );
    let was_tried = RwSignal::new(false);
    let changed = StoredValue::new(start.changed().cloned());
    let to_save = move |draft: &JdbcDraft| changed.with_value(|changed| draft.to_save(changed.as_ref()));
    let save = Action::new_local(move |(): &()| {
        let request = draft.with_untracked(to_save);
        async move {
            let saved = api::connections::save_jdbc(&request).await?;
            toasts.say(format!("Saved “{}”.", saved.name));
            context.reload.run(());
            on_close.run(());
            Ok::<(), ApiError>(())
        }
    });
    let failure = move || save.value().get().and_then(Result::err);
    let is_complete = move |draft: &JdbcDraft| changed.with_value(|changed| draft.is_complete(changed.as_ref()));
    let submit = Callback::new(move |()| match draft.with_untracked(is_complete) {
        true => drop(save.dispatch_local(())),
        false => was_tried.set(true),
    });
    let source: Field<SourceDraft> = draft.source().into();
    let password_note = match &start {
        Start::Copy(original) if original.has_password => {
            "Encrypted, on the machine of Godwit. A copy does not get the password of the original: enter it again."
        }
        Start::Add | Start::Edit(_) | Start::Copy(_) => {
            "Encrypted, on the machine of Godwit. Without it every job asks for the password."
        }
    };
    view! {
        <Dialog title=title size=DialogSize::Wide on_close=on_close>
            <div class="gw-dialog__body gw-form" on:keydown=on_enter(submit)>
                <NameAndTag name=draft.name() tag=draft.tag() was_tried=was_tried/>
                <SourceForm source=source changed=changed.get_value() was_tried=was_tried/>
                <Checkbox label="Save password" note=password_note checked=draft.save_password() testid="save-password"/>
                <SourceTest source=source changed=changed.get_value() was_tried=was_tried/>
                {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
            </div>
            <DialogFoot
                label="Save"
                is_busy=save.pending()
                on_press=submit
                on_close=on_close
                testid="connection-save"
            />
        </Dialog>
    }
}
