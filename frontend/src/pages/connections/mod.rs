//! *Connections*: what is saved of sources and destinations.

mod delete;
mod draft;
mod edit_jdbc;
mod edit_mongodb;
mod entry;
mod name_and_tag;
mod row;

use crate::api;
use crate::api::connections::SavedConnections;
use crate::components::badge::Badge;
use crate::components::button::Button;
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::format::number;
use crate::live::use_live;
use crate::pages::home::HomeBar;
use crate::remote::{Remote, show_remote};
use delete::DeleteConnectionDialog;
use draft::Start;
use edit_jdbc::JdbcDialog;
use edit_mongodb::MongodbDialog;
use entry::{Saved, in_order};
use godwit_shared::connection::{SavedJdbcConnection, SavedMongodbConnection};
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
    let ready = |saved: SavedConnections| {
        let jdbc = in_order(saved.jdbc.into_iter().map(Saved::Jdbc).collect());
        let mongodb = in_order(saved.mongodb.into_iter().map(Saved::Mongodb).collect());
        view! {
            <ConnectionList title="Relational" list=jdbc add=OpenDialog::Jdbc(Start::Add) testid="add-jdbc"/>
            <ConnectionList title="MongoDB" list=mongodb add=OpenDialog::Mongodb(Start::Add) testid="add-mongodb"/>
        }
    };
    view! {
        <div class="gw-shell">
            <HomeBar/>
            <main class="gw-main">
                <div class="gw-page">
                    <div class="gw-page__head"><h1>"Connections"</h1></div>
                    {show_remote(state.into(), || view! { <Skeleton lines=6/> }.into_any(), context.reload, ready)}
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

#[component]
fn ConnectionList(title: &'static str, list: Vec<Saved>, add: OpenDialog, testid: &'static str) -> impl IntoView {
    let context = use_connections();
    let count = number::count(list.len() as u64);
    let open = Callback::new(move |()| context.dialog.set(Some(add.clone())));
    let rows = match list.is_empty() {
        true => view! { <p class="gw-panel__body gw-muted">"None is saved yet."</p> }.into_any(),
        false => {
            let row = |saved| view! { <ConnectionRow saved=saved/> };
            view! { <ul>{list.into_iter().map(row).collect_view()}</ul> }.into_any()
        }
    };
    view! {
        <section class="gw-panel" aria-label=title>
            <header class="gw-panel__head">
                <div class="gw-row"><h2>{title}</h2><Badge text=count/></div>
                <Button label="Add connection" icon=Icon::Plus on_press=open attr:data-testid=testid/>
            </header>
            {rows}
        </section>
    }
}
