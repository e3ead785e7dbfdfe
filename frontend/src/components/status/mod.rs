//! The state of something that runs: icon, colour and text.

use super::badge::Tone;
use super::icon::{Glyph, Icon};
use leptos::prelude::*;
use std::borrow::Cow;

/// A state as it is shown. What it stands for is decided elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub icon: Icon,
    pub tone: Tone,
    pub label: Cow<'static, str>,
}

impl Status {
    pub fn new(icon: Icon, tone: Tone, label: impl Into<Cow<'static, str>>) -> Self {
        Self {
            icon,
            tone,
            label: label.into(),
        }
    }
}

/// Icon and text.
#[component]
pub fn StatusText(#[prop(into)] status: Signal<Status>) -> impl IntoView {
    view! {
        <span class="gw-status" data-tone=move || status.get().tone.name()>
            <Glyph icon=Signal::derive(move || status.get().icon)/>
            <span>{move || status.get().label}</span>
        </span>
    }
}

/// The icon alone; its text is read out and shown as a tooltip.
#[component]
pub fn StatusIcon(#[prop(into)] status: Signal<Status>) -> impl IntoView {
    let label = move || status.get().label;
    let picture = move || format!("{:?}", status.get().icon);
    view! {
        <span
            class="gw-status"
            role="img"
            data-tone=move || status.get().tone.name()
            data-icon=picture
            aria-label=label
            title=label
        >
            <Glyph icon=Signal::derive(move || status.get().icon)/>
        </span>
    }
}
