//! Buttons, and links that look like them.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ButtonTone {
    /// The one thing to do next.
    Primary,
    #[default]
    Secondary,
    /// Ends or deletes something.
    Danger,
    /// Completes something.
    Success,
    /// Without a frame, inside of rows and bars.
    Quiet,
}

impl ButtonTone {
    fn class(self) -> &'static str {
        match self {
            ButtonTone::Primary => "gw-button gw-button--primary",
            ButtonTone::Secondary => "gw-button gw-button--secondary",
            ButtonTone::Danger => "gw-button gw-button--danger",
            ButtonTone::Success => "gw-button gw-button--success",
            ButtonTone::Quiet => "gw-button gw-button--quiet",
        }
    }
}

/// A button with a text, and an icon before it.
#[component]
pub fn Button(
    #[prop(into)] label: Signal<String>,
    on_press: Callback<()>,
    #[prop(optional)] tone: ButtonTone,
    #[prop(optional, into)] icon: Option<Icon>,
    /// The work that it started is not done: it shows a spinner and takes no further press.
    #[prop(optional, into)]
    is_busy: Signal<bool>,
    #[prop(optional, into)] is_disabled: Signal<bool>,
) -> impl IntoView {
    let is_blocked = move || is_busy.get() || is_disabled.get();
    let glyph = move || {
        let shown = if is_busy.get() { Some(Icon::Spinner) } else { icon };
        shown.map(|icon| view! { <Glyph icon=icon/> })
    };
    view! {
        <button type="button" class=tone.class() disabled=is_blocked on:click=move |_| on_press.run(())>
            {glyph}
            <span>{label}</span>
        </button>
    }
}

/// A button that is only an icon; its name is read out and shown as a tooltip.
#[component]
pub fn IconButton(
    #[prop(into)] label: Signal<String>,
    #[prop(into)] icon: Signal<Icon>,
    on_press: Callback<()>,
    /// As that of [`Button`].
    #[prop(optional, into)]
    is_busy: Signal<bool>,
    #[prop(optional, into)] is_disabled: Signal<bool>,
) -> impl IntoView {
    let icon = Signal::derive(move || if is_busy.get() { Icon::Spinner } else { icon.get() });
    view! {
        <button
            type="button"
            class="gw-button gw-button--icon"
            aria-label=label
            title=label
            disabled=move || is_busy.get() || is_disabled.get()
            on:click=move |_| on_press.run(())
        >
            <Glyph icon=icon/>
        </button>
    }
}

/// A download that looks like [`IconButton`] or, with `is_wide`, like [`Button`].
#[component]
pub fn DownloadLink(
    #[prop(into)] label: Signal<String>,
    #[prop(into)] href: String,
    #[prop(into)] file_name: Signal<String>,
    #[prop(optional)] is_wide: bool,
) -> impl IntoView {
    let class = if is_wide {
        ButtonTone::Quiet.class()
    } else {
        "gw-button gw-button--icon"
    };
    let text = is_wide.then_some(label);
    view! {
        // `rel=external`: the router leaves it to the browser.
        <a class=class href=href download=file_name rel="external" aria-label=label title=label>
            <Glyph icon=Icon::Download/>
            {text}
        </a>
    }
}
