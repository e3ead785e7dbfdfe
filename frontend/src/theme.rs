//! Light, dark, or as the system says; kept in the browser.

use leptos::prelude::*;

const STORAGE_KEY: &str = "godwit.theme";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// The one that the button leads to.
    pub fn next(self) -> Theme {
        match self {
            Theme::System => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::System,
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Theme::System => "Theme: as the system",
            Theme::Light => "Theme: light",
            Theme::Dark => "Theme: dark",
        }
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Theme::System => None,
            Theme::Light => Some("light"),
            Theme::Dark => Some("dark"),
        }
    }

    fn from_name(name: &str) -> Theme {
        [Theme::Light, Theme::Dark]
            .into_iter()
            .find(|t| t.name() == Some(name))
            .unwrap_or_default()
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

/// The theme of the page, for those who show or change it.
pub fn use_theme() -> RwSignal<Theme> {
    let ThemeContext(theme) = expect_context();
    theme
}

#[derive(Clone, Copy)]
struct ThemeContext(RwSignal<Theme>);

/// Shows and keeps whatever theme is chosen. Once, in the shell.
pub fn provide_theme() {
    let theme = RwSignal::new(stored());
    Effect::new(move |_| apply(theme.get()));
    follow_other_tabs(theme);
    provide_context(ThemeContext(theme));
}

/// The theme kept in this browser.
fn stored() -> Theme {
    let name = storage().and_then(|s| s.get_item(STORAGE_KEY).ok().flatten());
    Theme::from_name(&name.unwrap_or_default())
}

/// Takes over what another tab has chosen.
fn follow_other_tabs(theme: RwSignal<Theme>) {
    let listener = window_event_listener_untyped("storage", move |_| theme.set(stored()));
    on_cleanup(move || listener.remove());
}

/// Shows the theme and keeps it. A browser that keeps nothing still shows it.
fn apply(theme: Theme) {
    if let Some(root) = document().document_element() {
        let _ = match theme.name() {
            Some(name) => root.set_attribute("data-theme", name),
            None => root.remove_attribute("data-theme"),
        };
    }
    if let Some(storage) = storage() {
        let _ = match theme.name() {
            Some(name) => storage.set_item(STORAGE_KEY, name),
            None => storage.remove_item(STORAGE_KEY),
        };
    }
}
