//! A short text in a frame: a kind, a count.

use leptos::prelude::*;

/// What a colour says. Text always says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Neutral,
    Accent,
    Success,
    Warning,
    Danger,
}

impl Tone {
    /// For `data-tone`.
    pub fn name(self) -> &'static str {
        match self {
            Tone::Neutral => "neutral",
            Tone::Accent => "accent",
            Tone::Success => "success",
            Tone::Warning => "warning",
            Tone::Danger => "danger",
        }
    }
}

#[component]
pub fn Badge(#[prop(into)] text: Signal<String>, #[prop(optional, into)] tone: Signal<Tone>) -> impl IntoView {
    view! { <span class="gw-badge" data-tone=move || tone.get().name()>{text}</span> }
}
