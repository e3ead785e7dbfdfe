//! *Connections*: what is saved of sources and destinations.

mod delete;
mod draft;
mod edit_jdbc;
mod edit_mongodb;
mod entry;
mod kept;
mod name_and_tag;
mod row;

use crate::api;
use crate::components::badge::Badge;
use crate::components::button::Button;
use crate::components::empty_state::EmptyState;
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::format::number;
use crate::live::use_live;
use crate::pages::home::HomeBar;
use crate::pages::unreadable::UnreadableEntries;
use crate::remote::{Remote, show_remote};
use delete::DeleteConnectionDialog;
use draft::Start;
use edit_jdbc::JdbcDialog;
use edit_mongodb::MongodbDialog;
use entry::{Saved, in_order};
use godwit_shared::connection::{SavedJdbcConnection, SavedMongodbConnection};
use godwit_shared::quarantine::EntryKind;
use leptos::html;
use leptos::prelude::*;
use row::ConnectionRow;

/// The dialog that is open.
#[derive(Debug, Clone, PartialEq)]
enum OpenDialog {
    Jdbc(Start<SavedJdbcConnection>),
    Mongodb(Start<SavedMongodbConnection>),
    Delete(Saved),
}

/// What rows and dialogs can do with the page.
#[derive(Clone, Copy)]
struct ConnectionsContext {
    dialog: RwSignal<Option<OpenDialog>>,
    reload: Callback<()>,
}

fn use_connections() -> ConnectionsContext {
    expect_context()
}

const UNREADABLE: [EntryKind; 2] = [EntryKind::JdbcConnection, EntryKind::MongodbConnection];

#[component]
pub fn ConnectionsPage() -> impl IntoView {
    let live = use_live();
    let answer = LocalResource::new(move || {
        live.connections_version();
        async { api::connections::saved().await }
    });
    let state = Memo::new(move |_| Remote::from(answer.get()));
    let context = ConnectionsContext {
        dialog: RwSignal::new(None),
        reload: Callback::new(move |()| answer.refetch()),
    };
    provide_context(context);
    // What is shown stays where it is when the list comes anew: only its rows change.
    let phase = Memo::new(move |_| state.get().map(|_| ()));
    let saved = move || state.get().ready().unwrap_or_default();
    // One that was open when the page was loaded again.
    let reopened = StoredValue::new(false);
    Effect::new(move |_| {
        if let (Remote::Ready(saved), false) = (state.get(), reopened.get_value()) {
            reopened.set_value(true);
            let jdbc = saved.jdbc.into_iter().map(Saved::Jdbc);
            let all: Vec<Saved> = jdbc.chain(saved.mongodb.into_iter().map(Saved::Mongodb)).collect();
            if let Some(dialog) = kept::dialog(&all) {
                context.dialog.set(Some(dialog));
            }
        }
    });
    let jdbc = Memo::new(move |_| in_order(saved().jdbc.into_iter().map(Saved::Jdbc).collect()));
    let mongodb = Memo::new(move |_| in_order(saved().mongodb.into_iter().map(Saved::Mongodb).collect()));
    let ready = move |()| {
        view! {
            <ConnectionList kind=&RELATIONAL list=jdbc/>
            <ConnectionList kind=&MONGODB list=mongodb/>
        }
    };
    view! {
        <div class="gw-shell">
            <HomeBar/>
            <main class="gw-main">
                <div class="gw-page">
                    <div class="gw-page__head"><h1>"Connections"</h1></div>
                    <UnreadableEntries kinds=&UNREADABLE/>
                    {show_remote(phase.into(), || view! { <Skeleton lines=6/> }.into_any(), context.reload, ready)}
                </div>
            </main>
        </div>
        <ConnectionDialog context=context/>
    }
}

#[component]
fn ConnectionDialog(context: ConnectionsContext) -> impl IntoView {
    let close = Callback::new(move |()| context.dialog.set(None));
    move || {
        context.dialog.get().map(|dialog| match dialog {
            OpenDialog::Jdbc(start) => view! { <JdbcDialog start=start on_close=close/> }.into_any(),
            OpenDialog::Mongodb(start) => view! { <MongodbDialog start=start on_close=close/> }.into_any(),
            OpenDialog::Delete(saved) => view! { <DeleteConnectionDialog saved=saved on_close=close/> }.into_any(),
        })
    }
}

/// What the two lists differ in.
struct ListKind {
    title: &'static str,
    add: fn() -> OpenDialog,
    testid: &'static str,
    empty: &'static str,
    /// What connections of this kind are for.
    about: &'static str,
}

const RELATIONAL: ListKind = ListKind {
    title: "Relational",
    add: || OpenDialog::Jdbc(Start::Add),
    testid: "add-jdbc",
    empty: "No relational connection is saved yet",
    about: "Sources of projects and jobs. One that is typed in for a project or a job can be saved there as well.",
};

const MONGODB: ListKind = ListKind {
    title: "MongoDB",
    add: || OpenDialog::Mongodb(Start::Add),
    testid: "add-mongodb",
    empty: "No MongoDB connection is saved yet",
    about: "Destinations of jobs. One that is typed in for a job can be saved there as well.",
};

#[component]
fn ConnectionList(kind: &'static ListKind, list: Memo<Vec<Saved>>) -> impl IntoView {
    let count = Signal::derive(move || number::count(list.with(Vec::len) as u64));
    let is_empty = Memo::new(move |_| list.with(Vec::is_empty));
    let heading = NodeRef::<html::H2>::new();
    keep_focus(list, heading);
    let row = move |first: Saved| {
        let id = first.id().clone();
        // It keeps its last state while it goes.
        let saved = Memo::new(move |before: Option<&Saved>| {
            let found = list.with(|list| list.iter().find(|saved| *saved.id() == id).cloned());
            found.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        });
        view! { <ConnectionRow saved=saved.into()/> }
    };
    view! {
        <section class="gw-panel" aria-label=kind.title>
            <header class="gw-panel__head">
                <div class="gw-row"><h2 tabindex="-1" node_ref=heading>{kind.title}</h2><Badge text=count/></div>
                <AddButton kind=kind attr:data-testid=kind.testid/>
            </header>
            <ul hidden=is_empty><For each=move || list.get() key=|saved| saved.id().clone() children=row/></ul>
            <Show when=move || is_empty.get()>
                <EmptyState icon=Icon::Plug title=kind.empty text=kind.about><AddButton kind=kind/></EmptyState>
            </Show>
        </section>
    }
}

#[component]
fn AddButton(kind: &'static ListKind) -> impl IntoView {
    let context = use_connections();
    let open = Callback::new(move |()| context.dialog.set(Some((kind.add)())));
    view! { <Button label="Add connection" icon=Icon::Plus on_press=open/> }
}

/// Where the button that had the focus goes with its row, the heading of the list gets it.
fn keep_focus(list: Memo<Vec<Saved>>, heading: NodeRef<html::H2>) {
    Effect::new(move |before: Option<Vec<Saved>>| {
        let now = list.get();
        if before.is_some_and(|before| before != now) {
            // After the rows have been rendered, and a dialog has given the focus back: to the heading of the page, where
            // what opened it is gone. That of the list is nearer.
            request_animation_frame(move || {
                request_animation_frame(move || {
                    let is_lost = document()
                        .active_element()
                        .is_none_or(|element| matches!(element.tag_name().as_str(), "BODY" | "H1"));
                    if let (true, Some(heading)) = (is_lost, heading.get_untracked()) {
                        let _ = heading.focus();
                    }
                });
            });
        }
        now
    });
}
