//! The shell: what every page has in common, and which page a path shows.

use crate::clock::provide_clock;
use crate::components::button::IconButton;
use crate::components::empty_state::EmptyState;
use crate::components::icon::{Glyph, Icon};
use crate::components::toast::{ToastCorner, provide_toasts};
use crate::keyboard::{KeyOverview, provide_key_help, use_key_help};
use crate::live::{self, Link, use_live};
use crate::notify::provide_notifications;
use crate::pages::connections::ConnectionsPage;
use crate::pages::home::HomePage;

use crate::pages::migration::MigrationPage;
use crate::pages::migration::wizard::provide_drafts;
use crate::pages::parts::{AnalysisTab, MappingPart, NewProjectPart};
use crate::pages::project::ProjectPage;
use crate::pages::settings::SettingsPage;
use crate::projects::provide_projects;
use crate::routes;
use crate::theme::{Theme, provide_theme, use_theme};
use crate::title::PageTitle;
use leptos::prelude::*;
use leptos_router::components::{A, Outlet, ParentRoute, Redirect, Route, Router, Routes};
use leptos_router::path;

/// Only those see it who work on the page.
#[cfg(debug_assertions)]
use crate::pages::design::DesignPage as DevelopmentPage;
#[cfg(not(debug_assertions))]
use NotFoundPage as DevelopmentPage;

#[component]
pub fn App() -> impl IntoView {
    provide_clock();
    provide_toasts();
    let live = live::state::provide_live();
    provide_projects();
    provide_drafts();
    provide_theme();
    provide_notifications();
    provide_key_help();
    live::socket::start(live);
    view! {
        <Router>
            <PageTitle/>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/") view=HomePage/>
                <Route path=path!("/connections") view=ConnectionsPage/>
                <Route path=path!("/new-project") view=NewProjectPart/>
                <Route path=path!("/settings") view=SettingsPage/>
                <ParentRoute path=path!("/projects/:id") view=ProjectPage>
                    <Route path=path!("") view=|| view! { <Redirect path="migration"/> }/>
                    <Route path=path!("mapping") view=MappingPart/>
                    <Route path=path!("analysis") view=AnalysisTab/>
                    <Route path=path!("migration") view=MigrationPage/>
                </ParentRoute>
                <Route path=path!("/design") view=DevelopmentPage/>
            </Routes>
        </Router>
        <KeyOverview/>
        <ToastCorner/>
    }
}

/// The bar at the top. `children` stand between the name of the product and its end.
#[component]
pub fn TopBar(#[prop(optional)] children: Option<Children>) -> impl IntoView {
    view! {
        <header class="gw-topbar">
            <A href=routes::HOME attr:class="gw-topbar__brand">
                <Glyph icon=Icon::Bird/>
                "Godwit"
            </A>
            {children.map(|children| children())}
            <div class="gw-topbar__end">
                <LinkState/>
                <KeysButton/>
                <ThemeButton/>
                <A href=routes::SETTINGS attr:class="gw-button gw-button--icon" attr:aria-label="Settings" attr:title="Settings" attr:data-testid="settings">
                    <Glyph icon=Icon::Settings/>
                </A>
            </div>
        </header>
    }
}

/// Whether what is shown is what is.
#[component]
fn LinkState() -> impl IntoView {
    let live = use_live();
    let link = Memo::new(move |_| live.link());
    let class = move || match link.get() {
        Link::Live | Link::Connecting => "gw-link-state",
        Link::Reconnecting { .. } => "gw-link-state gw-link-state--broken",
    };
    let text = move || match link.get() {
        Link::Connecting => "Connecting",
        Link::Live => "Live",
        Link::Reconnecting { .. } => "Reconnecting to the server",
    };
    let title = move || match link.get() {
        Link::Connecting | Link::Live => "Changes show by themselves".to_owned(),
        Link::Reconnecting { attempt } => format!("What is shown may be old. Attempt {attempt}"),
    };
    view! {
        <span class=class title=title role="status">
            <span class="gw-link-state__dot" aria-hidden="true"></span>
            {text}
        </span>
    }
}

/// The way to the overview of keys for those who do not know its key.
#[component]
fn KeysButton() -> impl IntoView {
    let keys = use_key_help();
    let open = Callback::new(move |()| keys.open());
    view! { <IconButton label="Keys (?)" icon=Icon::Keyboard on_press=open attr:data-testid="keys-open"/> }
}

#[component]
fn ThemeButton() -> impl IntoView {
    let theme = use_theme();
    let icon = Signal::derive(move || match theme.get() {
        Theme::System => Icon::Monitor,
        Theme::Light => Icon::Sun,
        Theme::Dark => Icon::Moon,
    });
    let label = Signal::derive(move || theme.get().label().to_owned());
    view! { <IconButton label=label icon=icon on_press=Callback::new(move |()| theme.update(|t| *t = t.next()))/> }
}

/// The frame of a page below the bar; the project's pages come through the outlet.
#[component]
pub fn PageOutlet() -> impl IntoView {
    view! { <main class="gw-main"><Outlet/></main> }
}

#[component]
fn NotFoundPage() -> impl IntoView {
    view! {
        <div class="gw-shell">
            <TopBar/>
            <main class="gw-main">
                <h1 class="gw-visually-hidden">"Not found"</h1>
                <EmptyState icon=Icon::Info title="There is no such page" text="The address may be mistyped.">
                    <A href=routes::HOME>"Go to the projects"</A>
                </EmptyState>
            </main>
        </div>
    }
}
