//! One saved connection.

use super::draft::Start;
use super::entry::{Saved, jdbc_test, mongodb_test};
use super::{OpenDialog, use_connections};
use crate::api;
use crate::components::badge::Badge;
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
pub fn ConnectionRow(saved: Signal<Saved>) -> impl IntoView {
    let test = ConnectionTest::untested();
    // What was found does not hold for what has been changed since.
    Effect::new(move |_| {
        saved.track();
        test.forget();
    });
    let text = move |what: fn(&Saved) -> String| move || saved.with(what);
    let kind = Signal::derive(text(|saved| saved.kind().to_owned()));
    view! {
        <li class="gw-connection" data-testid="connection">
            <div class="gw-connection__main">
                <div class="gw-row">
                    <span class="gw-connection__name">{text(|saved| saved.name().to_owned())}</span>
                    <Badge text=kind/>
                    {move || view! { <EnvironmentMark tag=saved.with(Saved::tag)/> }}
                </div>
                <span class="gw-code">{text(|saved| saved.address().to_owned())}</span>
                <span class="gw-muted">{text(Saved::user)}</span>
            </div>
            <Users saved=saved/>
            <RowActions saved=saved test=test/>
            <div class="gw-connection__test"><TestOutcome test=test/></div>
        </li>
    }
}

/// The projects that use the connection, as links.
#[component]
fn Users(saved: Signal<Saved>) -> impl IntoView {
    let projects = use_projects().state();
    let users = Memo::new(move |_| {
        let list = projects.get().ready().unwrap_or_default();
        let saved = saved.get();
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
fn RowActions(saved: Signal<Saved>, test: ConnectionTest) -> impl IntoView {
    let context = use_connections();
    let open = move |dialog: fn(Saved) -> OpenDialog| {
        Callback::new(move |()| context.dialog.set(Some(dialog(saved.get_untracked()))))
    };
    let label =
        move |verb: &'static str| Signal::derive(move || saved.with(|saved| format!("{verb} {}", saved.name())));
    let [test_label, copy_label, edit_label, delete_label] = ["Test", "Copy", "Edit", "Delete"].map(label);
    let is_running = test.is_running();
    let icon = Signal::derive(move || if is_running.get() { Icon::Spinner } else { Icon::Plug });
    let run = Callback::new(move |()| match saved.get_untracked() {
        Saved::Jdbc(c) => {
            let details = jdbc_test(&c.id);
            test.run(async move { api::connections::test_jdbc(&details).await });
        }
        Saved::Mongodb(c) => {
            let details = mongodb_test(&c.id);
            test.run(async move { api::connections::test_mongodb(&details).await });
        }
    });
    let copy = open(|saved| match saved {
        Saved::Jdbc(c) => OpenDialog::Jdbc(Start::Copy(c)),
        Saved::Mongodb(c) => OpenDialog::Mongodb(Start::Copy(c)),
    });
    let edit = open(|saved| match saved {
        Saved::Jdbc(c) => OpenDialog::Jdbc(Start::Edit(c)),
        Saved::Mongodb(c) => OpenDialog::Mongodb(Start::Edit(c)),
    });
    let delete = open(OpenDialog::Delete);
    view! {
        <div class="gw-connection__actions">
            <IconButton label=test_label icon=icon on_press=run attr:data-testid="connection-test"/>
            <IconButton label=copy_label icon=Icon::Copy on_press=copy attr:data-testid="connection-copy"/>
            <IconButton label=edit_label icon=Icon::Rename on_press=edit attr:data-testid="connection-edit"/>
            <IconButton label=delete_label icon=Icon::Delete on_press=delete attr:data-testid="connection-delete"/>
        </div>
    }
}
