//! Colours, sizes of text, spaces, radii, shadows and durations.

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

const SPACES: [&str; 7] = ["1", "2", "3", "4", "5", "6", "7"];
const RADII: [&str; 4] = ["s", "m", "l", "full"];
const SHADOWS: [&str; 2] = ["s", "l"];
const DURATIONS: [&str; 2] = ["fast", "slow"];

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
            <ul class="gw-swatches">{SPACES.map(|name| swatch("space", name, "width"))}</ul>
            <ul class="gw-swatches">{RADII.map(|name| swatch("radius", name, "border-radius"))}</ul>
            <ul class="gw-swatches">{SHADOWS.map(|name| swatch("shadow", name, "box-shadow"))}</ul>
            // Pointed at, they change their colour.
            <ul class="gw-swatches">{DURATIONS.map(|name| swatch("duration", name, "transition-duration"))}</ul>
        </Sample>
    }
}

/// A token where it is used.
fn swatch(kind: &'static str, name: &'static str, property: &'static str) -> impl IntoView {
    view! {
        <li class="gw-swatch">
            <span class="gw-swatch__colour gw-swatch__token" style=format!("{property}: var(--{kind}-{name})")></span>
            <span class="gw-code">{format!("{kind}-{name}")}</span>
        </li>
    }
}
