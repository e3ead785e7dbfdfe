//! One saved connection.

use super::draft::Start;
use super::entry::{Saved, jdbc_test, mongodb_test};
use super::{OpenDialog, use_connections};
use crate::api;
use crate::components::button::IconButton;
use crate::components::icon::{Glyph, Icon};
use crate::connections::environment::EnvironmentMark;
use crate::connections::{ConnectionTest, TestOutcome};
use crate::format::number;
use crate::projects::use_projects;
use crate::routes;
use godwit_shared::ids::ProjectId;
use leptos::prelude::*;
use leptos_router::components::A;

#[component]
pub fn ConnectionRow(saved: Saved) -> impl IntoView {
    let test = ConnectionTest::untested();
    let (name, address, user) = (saved.name().to_owned(), saved.address().to_owned(), saved.user());
    view! {
        <li class="gw-connection" data-testid="connection">
            <div class="gw-connection__main">
                <div class="gw-row">
                    <span class="gw-connection__name">{name}</span>
                    <EnvironmentMark tag=saved.tag()/>
                </div>
                <span class="gw-code">{address}</span>
                <span class="gw-muted">{user}</span>
            </div>
            <Users saved=saved.clone()/>
            <RowActions saved=saved test=test/>
            <div class="gw-connection__test"><TestOutcome test=test/></div>
        </li>
    }
}

/// The projects that use the connection, as links.
#[component]
fn Users(saved: Saved) -> impl IntoView {
    let projects = use_projects().state();
    let users = Memo::new(move |_| {
        let list = projects.get().ready().unwrap_or_default();
        let users = saved.users(&list).into_iter();
        users
            .map(|(id, name)| (id.clone(), name.to_owned()))
            .collect::<Vec<_>>()
    });
    let link = |(id, name): (ProjectId, String)| view! { <A href=routes::migration(&id)>{name}</A> };
    let text = move || {
        users.with(|users| match users.len() {
            0 => "Used by no project".to_owned(),
            n => format!("Used by {}:", number::counted(n as u64, "project", "projects")),
        })
    };
    view! {
        <div class="gw-connection__users gw-muted">
            <Glyph icon=Icon::Info/>
            <span>{text}</span>
            {move || users.get().into_iter().map(link).collect_view()}
        </div>
    }
}

#[component]
fn RowActions(saved: Saved, test: ConnectionTest) -> impl IntoView {
    let context = use_connections();
    let open = move |dialog: OpenDialog| Callback::new(move |()| context.dialog.set(Some(dialog.clone())));
    let (edit, copy) = match &saved {
        Saved::Jdbc(c) => (
            OpenDialog::Jdbc(Start::Edit(c.clone())),
            OpenDialog::Jdbc(Start::Copy(c.clone())),
        ),
        Saved::Mongodb(c) => (
            OpenDialog::Mongodb(Start::Edit(c.clone())),
            OpenDialog::Mongodb(Start::Copy(c.clone())),
        ),
    };
    let label = |verb: &str| format!("{verb} {}", saved.name());
    let [test_label, copy_label, edit_label, delete_label] = ["Test", "Copy", "Edit", "Delete"].map(label);
    let delete = OpenDialog::Delete(saved.clone());
    let is_running = test.is_running();
    let icon = Signal::derive(move || if is_running.get() { Icon::Spinner } else { Icon::Plug });
    let run = Callback::new(move |()| match &saved {
        Saved::Jdbc(c) => {
            let details = jdbc_test(&c.id);
            test.run(async move { api::connections::test_jdbc(&details).await });
        }
        Saved::Mongodb(c) => {
            let details = mongodb_test(&c.id);
            test.run(async move { api::connections::test_mongodb(&details).await });
        }
    });
    view! {
        <div class="gw-connection__actions">
            <IconButton label=test_label icon=icon on_press=run attr:data-testid="connection-test"/>
            <IconButton label=copy_label icon=Icon::Copy on_press=open(copy) attr:data-testid="connection-copy"/>
            <IconButton label=edit_label icon=Icon::Rename on_press=open(edit) attr:data-testid="connection-edit"/>
            <IconButton label=delete_label icon=Icon::Delete on_press=open(delete) attr:data-testid="connection-delete"/>
        </div>
    }
}
