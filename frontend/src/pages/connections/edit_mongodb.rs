//! The dialog of a MongoDB connection.

use super::draft::{MongodbDraft, MongodbDraftStoreFields, Start};
use super::kept::{self, Kind};
use super::name_and_tag::NameAndTag;
use super::use_connections;
use crate::api::{self, ApiError};
use crate::components::choice::Checkbox;
use crate::components::dialog::{Dialog, DialogFoot, DialogSize};
use crate::components::error_panel::ErrorPanel;
use crate::components::keys::on_enter;
use crate::components::toast::use_toasts;
use crate::connections::draft::{DestinationDraft, DestinationDraftStoreFields};
use crate::connections::problem::mongodb_uri_problem_of;
use crate::connections::{DestinationFields, MongodbTest};
use godwit_shared::connection::SavedMongodbConnection;
use leptos::prelude::*;
use reactive_stores::{Field, Store};

const HINT: &str = "A database in its path is the destination of jobs; without one each job has to name it.";

#[component]
pub fn MongodbDialog(start: Start<SavedMongodbConnection>, on_close: Callback<()>) -> impl IntoView {
    let (context, toasts) = (use_connections(), use_toasts());
    let title = start.title();
    let draft =
        Store::new(kept::draft(Kind::Mongodb, &start, |c| c.id.clone()).unwrap_or_else(|| MongodbDraft::of(&start)));
    kept::keep(
        Kind::Mongodb,
        &start,
        |c| c.id.clone(),
        Signal::derive(move || draft.get()),
    );
    let was_tried = RwSignal::new(false);
    let changed = StoredValue::new(start.changed().cloned());
    let to_save = move |draft: &MongodbDraft| changed.with_value(|changed| draft.to_save(changed.as_ref()));
    let save = Action::new_local(move |(): &()| {
        let request = draft.with_untracked(to_save);
        async move {
            let saved = api::connections::save_mongodb(&request).await?;
            toasts.say(format!("Saved “{}”.", saved.name));
            context.reload.run(());
            on_close.run(());
            Ok::<(), ApiError>(())
        }
    });
    let failure = move || save.value().get().and_then(Result::err);
    let is_complete = move |draft: &MongodbDraft| changed.with_value(|changed| draft.is_complete(changed.as_ref()));
    let submit = Callback::new(move |()| match draft.with_untracked(is_complete) {
        true => drop(save.dispatch_local(())),
        false => was_tried.set(true),
    });
    let destination: Field<DestinationDraft> = draft.destination().into();
    let password_note = match &start {
        Start::Copy(original) if original.has_password => {
            "Encrypted, on the machine of Godwit. A copy does not get the password of the original: enter it again."
        }
        Start::Add | Start::Edit(_) | Start::Copy(_) => {
            "Encrypted, on the machine of Godwit. One in the URI is kept with it in any case."
        }
    };
    let uri_error = Signal::derive(move || {
        let problem = destination
            .uri()
            .with(|uri| changed.with_value(|changed| mongodb_uri_problem_of(uri, changed.as_ref())));
        problem.filter(|_| was_tried.get())
    });
    view! {
        <Dialog title=title size=DialogSize::Wide on_close=on_close>
            <div class="gw-dialog__body gw-form" on:keydown=on_enter(submit)>
                <NameAndTag name=draft.name() tag=draft.tag() was_tried=was_tried/>
                <DestinationFields
                    destination=destination
                    known=Signal::derive(move || changed.get_value())
                    hint=Some(HINT.to_owned())
                    uri_error=uri_error
                />
                <Checkbox label="Save password" note=password_note checked=draft.save_password() testid="save-password"/>
                <MongodbTest destination=destination changed=changed.get_value() was_tried=was_tried/>
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
