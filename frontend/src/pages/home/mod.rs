//! The list of projects, and how new ones come in.

mod card;
mod delete;
mod import;
mod rename;

use crate::api;
use crate::app::TopBar;
use crate::browser::focus_heading;
use crate::components::button::Button;
use crate::components::empty_state::EmptyState;
use crate::components::icon::{Glyph, Icon};
use crate::components::skeleton::Skeleton;
use crate::components::tabs::{Tab, TabBar};
use crate::components::toast::use_toasts;
use crate::consent::ConsentDialog;
use crate::pages::unreadable::UnreadableEntries;
use crate::projects::use_projects;
use crate::remote::{Remote, show_remote};
use crate::routes;
use card::ProjectCard;
use delete::DeleteDialog;
use godwit_shared::ids::ProjectId;
use godwit_shared::project::ProjectSummary;
use godwit_shared::quarantine::EntryKind;
use import::{DropZone, ImportButton, Importer};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::components::A;
use leptos_router::hooks::use_navigate;
use rename::RenameDialog;

/// The dialog that is open, and about which project.
#[derive(Debug, Clone, PartialEq)]
enum HomeDialog {
    Rename(ProjectSummary),
    Delete(ProjectSummary),
    Consent(ProjectSummary),
}

/// The bar of the pages that belong to no project.
#[component]
pub fn HomeBar() -> impl IntoView {
    view! {
        <TopBar>
            <TabBar label="Home">
                <Tab label="Projects" href=routes::HOME.to_owned()/>
                <Tab label="Connections" href=routes::CONNECTIONS.to_owned()/>
            </TabBar>
        </TopBar>
    }
}

/// What is told here of entries that cannot be read; connections are told on their page.
const UNREADABLE: [EntryKind; 3] = [EntryKind::Project, EntryKind::Job, EntryKind::Store];

#[component]
pub fn HomePage() -> impl IntoView {
    let dialog = RwSignal::new(None::<HomeDialog>);
    let asks = Callback::new(move |project| dialog.set(Some(HomeDialog::Consent(project))));
    let importer = Importer::new(asks);
    let close = Callback::new(move |()| dialog.set(None));
    let open_dialog = move || {
        dialog.get().map(|dialog| match dialog {
            HomeDialog::Rename(project) => view! { <RenameDialog project=project on_close=close/> }.into_any(),
            HomeDialog::Consent(project) => view! { <ConsentDialog project=project.id on_close=close/> }.into_any(),
            HomeDialog::Delete(project) => view! { <DeleteDialog project=project on_close=close/> }.into_any(),
        })
    };
    view! {
        <div class="gw-shell">
            <HomeBar/>
            <main class="gw-main">
                <DropZone importer=importer>
                    <div class="gw-page">
                        <div class="gw-page__head">
                            <h1>"Projects"</h1>
                            <div class="gw-row">
                                <ImportButton importer=importer/>
                                <NewProjectLink/>
                            </div>
                        </div>
                        {importer.failure_view()}
                        <UnreadableEntries kinds=&UNREADABLE/>
                        <ProjectList importer=importer dialog=dialog/>
                    </div>
                </DropZone>
            </main>
        </div>
        {open_dialog}
    }
}

#[component]
fn NewProjectLink() -> impl IntoView {
    view! {
        <A href=routes::NEW_PROJECT attr:class="gw-button gw-button--primary" attr:data-testid="new-project">
            <Glyph icon=Icon::Plus/>
            "New project"
        </A>
    }
}

/// What the list shows instead of cards, if anything: a change of one project does not make the others anew.
fn without_cards(state: Remote<Vec<ProjectSummary>>) -> Remote<bool> {
    match state {
        Remote::Loading => Remote::Loading,
        Remote::Failed(error) => Remote::Failed(error),
        Remote::Ready(list) => Remote::Ready(list.is_empty()),
    }
}

#[component]
fn ProjectList(importer: Importer, dialog: RwSignal<Option<HomeDialog>>) -> impl IntoView {
    let projects = use_projects();
    let retry = Callback::new(move |()| projects.reload());
    let state = Memo::new(move |_| without_cards(projects.state().get()));
    let ready = move |is_empty: bool| match is_empty {
        true => view! { <NoProjects importer=importer/> }.into_any(),
        false => view! { <Cards dialog=dialog/> }.into_any(),
    };
    show_remote(state.into(), || view! { <Skeleton lines=4/> }.into_any(), retry, ready)
}

#[component]
fn Cards(dialog: RwSignal<Option<HomeDialog>>) -> impl IntoView {
    let projects = use_projects();
    let list = Memo::new(move |_| projects.state().get().ready().unwrap_or_default());
    let ids = move || list.with(|list| list.iter().map(|p| p.id.clone()).collect::<Vec<_>>());
    let card = move |id: ProjectId| {
        let first = list.with_untracked(|list| list.iter().find(|p| p.id == id).cloned());
        first.map(|first| {
            // One that goes away is taken out by the list; until then it stays as it was.
            let project = Memo::new(move |before: Option<&ProjectSummary>| {
                let now = list.with(|list| list.iter().find(|p| p.id == id).cloned());
                now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
            });
            view! { <ProjectCard project=project dialog=dialog/> }
        })
    };
    let focused = StoredValue::new_local(None::<web_sys::HtmlElement>);
    Effect::new(move |_| {
        list.track();
        // After the cards have been moved.
        request_animation_frame(move || give_back_focus(focused.try_get_value().flatten()));
    });
    view! {
        <ul class="gw-cards" on:focusin=move |event| focused.set_value(Some(event_target(&event)))>
            <For each=ids key=ProjectId::clone children=card/>
        </ul>
    }
}

/// A card that is moved loses the focus, and one that goes takes it along: then the heading gets it.
fn give_back_focus(last: Option<web_sys::HtmlElement>) {
    let has_focus = document()
        .active_element()
        .is_some_and(|element| element.tag_name() != "BODY");
    match last.filter(|_| !has_focus) {
        Some(element) if element.is_connected() => _ = element.focus(),
        Some(_) => focus_heading(),
        None => {}
    }
}

#[component]
fn NoProjects(importer: Importer) -> impl IntoView {
    let choose = Callback::new(move |()| importer.choose_file());
    let (toasts, navigate, projects) = (use_toasts(), use_navigate(), use_projects());
    let is_busy = RwSignal::new(false);
    let try_it = Callback::new(move |()| {
        is_busy.set(true);
        let navigate = navigate.clone();
        spawn_local(async move {
            let made = api::projects::create_sample_database().await;
            is_busy.try_set(false);
            match made {
                Ok(project) => {
                    projects.reload();
                    navigate(&routes::mapping(&project.id), NavigateOptions::default());
                }
                Err(error) => toasts.fail(&error),
            }
        });
    });
    view! {
        <div class="gw-panel">
            <EmptyState
                icon=Icon::Database
                title="Bring your first project"
                text="A project holds the schema of a database and the rules that shape its rows into \
                      documents. Connect a database, or import a .relmig file, with the button or by dropping it here."
            >
                <div class="gw-row">
                    <Button label="Choose a project file" icon=Icon::Upload on_press=choose/>
                    <NewProjectLink/>
                    <Button label="Try it with a sample database" icon=Icon::Sparkles on_press=try_it is_busy=is_busy attr:data-testid="try-sample"/>
                </div>
            </EmptyState>
        </div>
    }
}
