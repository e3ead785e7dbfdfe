//! Something to know before going on: a title, a text, and perhaps what to do about it.

use super::badge::Tone;
use super::icon::{Glyph, Icon};
use leptos::prelude::*;

#[component]
pub fn Banner(
    tone: Tone,
    #[prop(into)] title: Signal<String>,
    /// Text and buttons below the title.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let (icon, role) = match tone {
        Tone::Neutral | Tone::Accent => (Icon::Info, "status"),
        Tone::Success => (Icon::Check, "status"),
        Tone::Warning => (Icon::Warning, "status"),
        Tone::Danger => (Icon::Error, "alert"),
    };
    view! {
        <div class="gw-banner" data-tone=tone.name() role=role>
            <Glyph icon=icon/>
            <div class="gw-banner__text">
                <p class="gw-banner__title">{title}</p>
                {children.map(|children| children())}
            </div>
        </div>
    }
}
