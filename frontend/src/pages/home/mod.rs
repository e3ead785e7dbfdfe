//! The list of projects, and how new ones come in.

mod card;
mod delete;
mod import;
mod rename;

use crate::app::TopBar;
use crate::components::empty_state::EmptyState;
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::projects::use_projects;
use crate::remote::show_remote;
use card::ProjectCard;
use delete::DeleteDialog;
use godwit_shared::project::ProjectSummary;
use import::{DropZone, ImportButton, Importer};
use leptos::prelude::*;
use rename::RenameDialog;

/// The dialog that is open, and about which project.
#[derive(Debug, Clone, PartialEq)]
enum HomeDialog {
    Rename(ProjectSummary),
    Delete(ProjectSummary),
}

#[component]
pub fn HomePage() -> impl IntoView {
    let importer = Importer::new();
    let dialog = RwSignal::new(None::<HomeDialog>);
    let close = Callback::new(move |()| dialog.set(None));
    let open_dialog = move || {
        dialog.get().map(|dialog| match dialog {
            HomeDialog::Rename(project) => view! { <RenameDialog project=project on_close=close/> }.into_any(),
            HomeDialog::Delete(project) => view! { <DeleteDialog project=project on_close=close/> }.into_any(),
        })
    };
    view! {
        <div class="gw-shell">
            <TopBar/>
            <main class="gw-main">
                <DropZone importer=importer>
                    <div class="gw-page">
                        <div class="gw-page__head">
                            <h1>"Projects"</h1>
                            <ImportButton importer=importer/>
                        </div>
                        {importer.failure_view()}
                        <ProjectList dialog=dialog/>
                    </div>
                </DropZone>
            </main>
        </div>
        {open_dialog}
    }
}

#[component]
fn ProjectList(dialog: RwSignal<Option<HomeDialog>>) -> impl IntoView {
    let projects = use_projects();
    let retry = Callback::new(move |()| projects.reload());
    let card = move |project| view! { <ProjectCard project=project dialog=dialog/> };
    let ready = move |list: Vec<ProjectSummary>| match list.is_empty() {
        true => view! { <NoProjects/> }.into_any(),
        false => view! { <ul class="gw-cards">{list.into_iter().map(card).collect_view()}</ul> }.into_any(),
    };
    show_remote(
        projects.state(),
        || view! { <Skeleton lines=4/> }.into_any(),
        retry,
        ready,
    )
}

#[component]
fn NoProjects() -> impl IntoView {
    view! {
        <div class="gw-panel">
            <EmptyState
                icon=Icon::Database
                title="Bring your first project"
                text="A project holds the schema of a PostgreSQL database and the rules that shape its rows into \
                      documents. Import a .relmig file, with the button above or by dropping it here; then open the \
                      project and create a migration job."
            />
        </div>
    }
}
