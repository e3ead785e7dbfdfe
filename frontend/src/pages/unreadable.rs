//! What the store of Godwit holds and cannot be read: said where it would be listed, with a way to be rid of it.

use crate::api::{self, ApiError};
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::{Button, ButtonTone};
use crate::components::dialog::{ConfirmAction, ConfirmDialog};
use crate::components::error_panel::ErrorPanel;
use crate::format::number;
use godwit_shared::ids::{ConnectionId, ProjectId};
use godwit_shared::quarantine::{EntryKind, UnreadableEntry};
use leptos::prelude::*;

const DELETE: ConfirmAction = ConfirmAction {
    label: "Delete",
    tone: ButtonTone::Danger,
    testid: "unreadable-delete-confirm",
};

/// A banner where some of these kinds cannot be read; nothing where all can.
#[component]
pub fn UnreadableEntries(kinds: &'static [EntryKind]) -> impl IntoView {
    let answer = LocalResource::new(api::store::unreadable);
    let asked = RwSignal::new(None::<UnreadableEntry>);
    let close = Callback::new(move |()| asked.set(None));
    let reload = Callback::new(move |()| answer.refetch());
    let found = move || {
        let all = answer.get().and_then(Result::ok).unwrap_or_default();
        all.into_iter().filter(|e| kinds.contains(&e.kind)).collect::<Vec<_>>()
    };
    let row = move |entry: UnreadableEntry| {
        let text = format!("{} {}: {}", kind_name(entry.kind), entry.id, entry.reason);
        let can_delete = match entry.kind {
            EntryKind::Project | EntryKind::JdbcConnection | EntryKind::MongodbConnection => true,
            EntryKind::Job | EntryKind::Store => false,
        };
        let ask = Callback::new(move |()| asked.set(Some(entry.clone())));
        let button = can_delete.then(|| view! { <Button label="Delete" tone=ButtonTone::Quiet on_press=ask/> });
        view! { <li>{text}{button}</li> }
    };
    let banner = move || {
        let entries = found();
        (!entries.is_empty()).then(|| {
            view! {
                <Banner tone=Tone::Danger title=title_of(entries.len()) attr:data-testid="unreadable">
                    <p>
                        "Left out here; everything else works. Put back what they were, from a backup of the store or of \
                         the key file, or delete them."
                    </p>
                    <ul class="gw-bullets">{entries.into_iter().map(row).collect_view()}</ul>
                </Banner>
            }
        })
    };
    view! {
        {banner}
        {move || asked.get().map(|entry| view! { <DeleteUnreadable entry=entry reload=reload on_close=close/> })}
    }
}

fn title_of(count: usize) -> String {
    match count {
        1 => "One entry of the store cannot be read".into(),
        n => format!("{} entries of the store cannot be read", number::count(n as u64)),
    }
}

fn kind_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Project => "Project",
        EntryKind::JdbcConnection => "Relational connection",
        EntryKind::MongodbConnection => "MongoDB connection",
        EntryKind::Job => "Job",
        EntryKind::Store => "Store",
    }
}

#[component]
fn DeleteUnreadable(entry: UnreadableEntry, reload: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let title = format!("Delete the {} {}?", kind_name(entry.kind).to_lowercase(), entry.id);
    let delete = Action::new_local(move |(): &()| {
        let entry = entry.clone();
        async move {
            match entry.kind {
                EntryKind::Project => api::projects::delete(&ProjectId::new(&entry.id)).await?,
                EntryKind::JdbcConnection => api::connections::delete_jdbc(&ConnectionId::new(&entry.id)).await?,
                EntryKind::MongodbConnection => api::connections::delete_mongodb(&ConnectionId::new(&entry.id)).await?,
                EntryKind::Job | EntryKind::Store => {}
            }
            reload.run(());
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
            <p>"What it holds cannot be read now, but may be with another key file or a later version. This cannot be undone."</p>
            {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
        </ConfirmDialog>
    }
}
