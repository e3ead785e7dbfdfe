//! An open project: its bar with the tabs, and the tab that the path names.

use crate::app::{PageOutlet, TopBar};
use crate::components::button::Button;
use crate::components::empty_state::EmptyState;
use crate::components::error_panel::ErrorPanel;
use crate::components::icon::Icon;
use crate::components::tabs::{Tab, TabBar};
use crate::consent::ConsentBanner;
use crate::projects::use_projects;
use crate::remote::Remote;
use crate::routes;
use godwit_shared::ids::ProjectId;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_params_map};

/// The project of the path; for everything inside of its page.
pub fn use_project_id() -> Signal<ProjectId> {
    let params = use_params_map();
    Memo::new(move |_| ProjectId::new(params.with(|p| p.get("id")).unwrap_or_default())).into()
}

#[component]
pub fn ProjectPage() -> impl IntoView {
    let id = use_project_id();
    let projects = use_projects();
    let project = projects.find(id);
    let name = move || match project.get() {
        Remote::Ready(Some(project)) => project.name,
        Remote::Loading | Remote::Failed(_) => "\u{2026}".into(),
        Remote::Ready(None) => "Not found".into(),
    };
    // Only the answer that there is no such project replaces the tab: a list that comes anew does not.
    let is_missing = Memo::new(move |_| project.with(|p| matches!(p, Remote::Ready(None))));
    let failure = Memo::new(move |_| match project.get() {
        Remote::Failed(error) => Some(error),
        Remote::Loading | Remote::Ready(_) => None,
    });
    let retry = Callback::new(move |()| projects.reload());
    let body = move || match (failure.get(), is_missing.get()) {
        (Some(error), _) => view! { <main class="gw-page"><ErrorPanel error=error retry=retry/></main> }.into_any(),
        (None, true) => view! { <MissingProject/> }.into_any(),
        (None, false) => view! { <PageOutlet/> }.into_any(),
    };
    view! {
        <div class="gw-shell">
            <TopBar>
                <h1 class="gw-topbar__title" title=name>{name}</h1>
                <TabBar label="Project">
                    <Tab label="Mapping" href=Signal::derive(move || id.with(routes::mapping))/>
                    <Tab label="Pre-Migration Analysis" href=Signal::derive(move || id.with(routes::analysis))/>
                    <Tab label="Data Migration" href=Signal::derive(move || id.with(routes::migration))/>
                </TabBar>
            </TopBar>
            <ConsentBanner project=id/>
            {body}
        </div>
    }
}

#[component]
fn MissingProject() -> impl IntoView {
    let navigate = use_navigate();
    let go_home = Callback::new(move |()| navigate(routes::HOME, Default::default()));
    view! {
        <main class="gw-main">
            <EmptyState icon=Icon::Info title="There is no such project" text="It may have been deleted.">
                <Button label="Go to the projects" icon=Icon::Back on_press=go_home/>
            </EmptyState>
        </main>
    }
}
