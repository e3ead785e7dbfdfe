//! *Settings*: what this browser keeps for its user, what the administrator of the server has set, and what Godwit is.

mod about;
mod notifications;
mod webhook;

use crate::api;
use crate::components::choice::radio_of;
use crate::components::skeleton::Skeleton;
use crate::pages::home::HomeBar;
use crate::remote::{Remote, show_remote};
use crate::theme::{Theme, use_theme};
use about::About;
use godwit_shared::settings::ServerSettings;
use leptos::prelude::*;
use notifications::NotificationSettings;
use webhook::WebhookPanel;

#[component]
pub fn SettingsPage() -> impl IntoView {
    let answer = LocalResource::new(api::settings::get);
    let state = Memo::new(move |_| Remote::from(answer.get()));
    let retry = Callback::new(move |()| answer.refetch());
    let of_server = move |settings: ServerSettings| view! { <ServerPart settings=settings/> };
    view! {
        <div class="gw-shell">
            <HomeBar/>
            <main class="gw-main">
                <div class="gw-page gw-settings">
                    <div class="gw-page__head"><h1>"Settings"</h1></div>
                    <ThemeSettings/>
                    <NotificationSettings/>
                    {show_remote(state.into(), || view! { <Skeleton lines=4/> }.into_any(), retry, of_server)}
                    <About/>
                </div>
            </main>
        </div>
    }
}

/// One group of settings.
#[component]
fn SettingsPanel(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="gw-panel" aria-label=title>
            <header class="gw-panel__head"><h2>{title}</h2></header>
            <div class="gw-panel__body gw-stack">{children()}</div>
        </section>
    }
}

#[component]
fn ThemeSettings() -> impl IntoView {
    let theme = use_theme();
    let choice = move |own: Theme, label: &'static str, note: &'static str, testid: &'static str| {
        radio_of("theme", theme, own, label, note, testid)
    };
    view! {
        <SettingsPanel title="Appearance">
            <fieldset class="gw-choice-group">
                <legend class="gw-choice-group__legend">"Theme"</legend>
                {choice(Theme::System, "As the system", "Light or dark as this machine is set, and with it through the day.", "theme-system")}
                {choice(Theme::Light, "Light", "Dark text on a light page.", "theme-light")}
                {choice(Theme::Dark, "Dark", "Light text on a dark page.", "theme-dark")}
            </fieldset>
            <p class="gw-muted">"Kept in this browser; all of its tabs follow."</p>
        </SettingsPanel>
    }
}

/// What only the administrator can change.
#[component]
fn ServerPart(settings: ServerSettings) -> impl IntoView {
    let yes_no = |is: bool| if is { "Yes" } else { "No" };
    let line = |name: &'static str, value: &'static str, note: &'static str| {
        view! { <div><dt>{name}</dt><dd>{value}<p class="gw-field__note">{note}</p></dd></div> }
    };
    view! {
        <WebhookPanel webhook=settings.webhook/>
        <SettingsPanel title="Server">
            <dl class="gw-settings__list">
                {line(
                    "Certificates from a folder",
                    yes_no(settings.has_certificates_folder),
                    "Whether connections may name files of certificates. Set with --certificates-dir. A certificate can \
                     always be entered with its connection.",
                )}
                {line(
                    "Unix sockets",
                    yes_no(settings.allows_unix_sockets),
                    "Whether connections may lead through sockets of the server's machine. Set with --allow-unix-sockets.",
                )}
                {line("Telemetry", "None", "Nothing is ever sent to the makers of Godwit.")}
            </dl>
        </SettingsPanel>
    }
}
