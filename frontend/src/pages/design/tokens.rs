//! Colours and sizes of text.

use super::Sample;
use leptos::prelude::*;

const COLOURS: [&str; 22] = [
    "page",
    "surface",
    "raised",
    "sunken",
    "hover",
    "line",
    "line-strong",
    "text",
    "text-muted",
    "accent",
    "accent-strong",
    "accent-soft",
    "on-accent",
    "success",
    "success-soft",
    "warning",
    "warning-soft",
    "danger",
    "danger-fill",
    "danger-soft",
    "on-danger",
    "backdrop",
];

const TEXTS: [&str; 5] = ["xs", "s", "m", "l", "xl"];

#[component]
pub fn Tokens() -> impl IntoView {
    let colour = |name: &'static str| {
        view! {
            <li class="gw-swatch">
                <span class="gw-swatch__colour" style:background=format!("var(--color-{name})")></span>
                <span class="gw-code">{name}</span>
            </li>
        }
    };
    let text = |name: &'static str| {
        view! { <p style:font-size=format!("var(--text-{name})")>{format!("{name}: 0123456789 Documents, rows and changes")}</p> }
    };
    view! {
        <Sample title="Tokens">
            <ul class="gw-swatches">{COLOURS.map(colour)}</ul>
            {TEXTS.map(text)}
        </Sample>
    }
}
