//! What the page says: states, messages, progress, charts.

use super::Sample;
use crate::components::badge::{Badge, Tone};
use crate::components::banner::Banner;
use crate::components::button::Button;
use crate::components::chart::{ChartUnit, LineChart, Mark, Plot};
use crate::components::empty_state::EmptyState;
use crate::components::error_panel::ErrorBox;
use crate::components::icon::{Glyph, Icon};
use crate::components::progress::ProgressBar;
use crate::components::skeleton::Skeleton;
use crate::components::status::{Status, StatusIcon, StatusText};
use crate::components::table::{Table, TableColumn};
use crate::components::toast::use_toasts;
use leptos::prelude::*;

const TONES: [Tone; 5] = [Tone::Neutral, Tone::Accent, Tone::Success, Tone::Warning, Tone::Danger];

const STATES: [(Icon, Tone, &str); 6] = [
    (Icon::Info, Tone::Neutral, "Not started"),
    (Icon::Running, Tone::Accent, "Running"),
    (Icon::Streaming, Tone::Accent, "Streaming"),
    (Icon::Check, Tone::Success, "Completed"),
    (Icon::Pause, Tone::Warning, "Paused"),
    (Icon::Error, Tone::Danger, "Failed"),
];

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Table"),
    TableColumn::number("Rows"),
    TableColumn::text("Share"),
];

#[component]
pub fn States() -> impl IntoView {
    let status = |(icon, tone, label)| view! { <StatusText status=Status::new(icon, tone, label)/> };
    let icon = |(icon, tone, label)| view! { <StatusIcon status=Status::new(icon, tone, label)/> };
    let chip = |is_pressed: bool| {
        view! {
            <button type="button" class="gw-chip" aria-pressed=is_pressed.to_string()>
                <span class="gw-status" data-tone=Tone::Warning.name()><Glyph icon=Icon::Warning/></span>
                "Warning"
                <span class="gw-muted">"12"</span>
            </button>
        }
    };
    let badge = |tone: Tone| view! { <Badge text=tone.name().to_owned() tone=tone/> };
    let bar = |(i, tone): (usize, Tone)| {
        view! { <ProgressBar label=tone.name() percent=20.0 * (i + 1) as f64 value_text="" tone=tone/> }
    };
    let row = |(name, rows, share): (&'static str, &'static str, f64)| {
        view! {
            <tr>
                <td class="gw-code">{name}</td>
                <td class="gw-number">{rows}</td>
                <td class="gw-cell-bar"><ProgressBar label=name percent=share value_text=""/></td>
            </tr>
        }
    };
    view! {
        <Sample title="States">
            <div class="gw-row">{STATES.map(status)}</div>
            <div class="gw-row">{STATES.map(icon)}</div>
            <div class="gw-row">{[true, false].map(chip)}</div>
            <div class="gw-row">{TONES.map(badge)}</div>
            {TONES.into_iter().enumerate().map(bar).collect_view()}
            <Table caption="A table" columns=COLUMNS>
                <tbody>{[("shop.orders", "1,200,000", 80.0), ("shop.customer", "40,210", 100.0)].map(row)}</tbody>
            </Table>
        </Sample>
    }
}

#[component]
pub fn Messages() -> impl IntoView {
    let toasts = use_toasts();
    let say = Callback::new(move |()| toasts.say("Imported “Shop”."));
    let warn = Callback::new(move |()| toasts.warn("The job cannot be paused.", "Its state has changed: look again."));
    let banner = |tone: Tone| {
        view! { <Banner tone=tone title="What happened, to which object"><p>"What to do about it."</p></Banner> }
    };
    view! {
        <Sample title="Messages">
            {TONES.map(banner)}
            <ErrorBox message="The table shop.orders cannot be read." hint="Grant SELECT on it." code="source_permission"/>
            <div class="gw-row">
                <Button label="Say something" on_press=say/>
                <Button label="Say a failure" on_press=warn/>
            </div>
            <EmptyState icon=Icon::Database title="Nothing here yet" text="What belongs here, and how it gets here."/>
            <Skeleton lines=3/>
        </Sample>
    }
}

#[component]
pub fn Charts() -> impl IntoView {
    let wave = |i: usize| 200.0 + 150.0 * (i as f64 / 9.0).sin();
    // 3 November 2026, 10:03:22 UTC.
    let first = 1_793_700_202;
    let live = Plot {
        values: (0..121).map(|i| Some(wave(i))).collect(),
        first,
        step: 1,
        is_now: true,
        marks: vec![Mark {
            second: first + 40,
            text: "paused".into(),
        }],
    };
    let broken = Plot {
        values: (0..61)
            .map(|i| Some(wave(i) * 9.0).filter(|_| !(20..30).contains(&i)))
            .collect(),
        first,
        step: 1,
        ..Plot::default()
    };
    let select = Callback::new(|_| ());
    view! {
        <Sample title="Charts">
            <div class="gw-charts">
                <LineChart title="Events per second" unit=ChartUnit::EventsPerSecond plot=live on_select=select/>
                <LineChart title="Lag, with a gap" unit=ChartUnit::LagMs plot=broken on_select=select/>
            </div>
        </Sample>
    }
}
