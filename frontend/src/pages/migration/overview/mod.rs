//! *Job overview*: what the selected job does, and what may be done with it.

mod actions;
mod cdc_figures;
mod cdc_stage;
mod charts;
mod collection_details;
mod collections;
mod failure;
mod figures;
mod head;
mod parts;
mod shelf;
mod snapshot_stage;
mod tables;
pub mod verification;
mod way;

use super::log::JobLog;
use super::present::{announcement, has_cdc, is_stale};
use crate::api;
use crate::clock::use_now;
use crate::components::badge::Tone;
use crate::live::{JobField, Link, use_live};
use actions::JobActions;
use cdc_stage::CdcStage;
use charts::provide_zoom;
use collections::CollectionList;
use failure::FailureBox;
use figures::NONE;
use godwit_shared::job::MigrationJobStatus;
use head::JobHead;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shelf::JobShelf;
use snapshot_stage::SnapshotStage;
use std::sync::Arc;
use tables::TableList;
use verification::VerificationPane;

/// The job as the parts read it: they follow what they show of it through memos of their own.
pub type JobSignal = Signal<Arc<MigrationJobStatus>>;

#[component]
pub fn JobOverview(job: JobField) -> impl IntoView {
    // A job that goes away is replaced by its parent; until then its last state stands.
    let first = untrack(|| job.status());
    first.map(|first| {
        let job: JobSignal = Signal::derive(move || job.status().unwrap_or_else(|| first.clone()));
        view! { <JobParts job=job/> }
    })
}

#[component]
fn JobParts(job: JobSignal) -> impl IntoView {
    let has_cdc = Memo::new(move |_| has_cdc(&job.get()));
    let spoken = Memo::new(move |_| announcement(&job.get()));
    prime_charts(job);
    provide_zoom();
    let (live, now) = (use_live(), use_now());
    let is_stale = Memo::new(move |_| {
        let job = job.get();
        is_stale(&job, now.get()) || (!job.status.is_ended() && live.is_silent(now.get()))
    });
    view! {
        <div class="gw-job" data-stale=move || is_stale.get().to_string()>
            <header class="gw-job__head">
                <h2>"Job overview"</h2>
                <JobActions job=job/>
            </header>
            <p class="gw-visually-hidden" aria-live="polite">{spoken}</p>
            <FailureBox job=job/>
            <JobHead job=job/>
            <SnapshotStage job=job/>
            <Show when=move || has_cdc.get()><CdcStage job=job/></Show>
            <div class="gw-beside">
                <TableList job=job/>
                <CollectionList job=job/>
            </div>
            <VerificationPane job=job/>
            <JobLog job=job/>
            <JobShelf job=job/>
        </div>
    }
}

/// Asks for what was measured before the page looked, and again after each break of the link.
fn prime_charts(job: JobSignal) {
    let live = use_live();
    let is_live = Memo::new(move |_| live.link() == Link::Live);
    Effect::new(move |_| {
        let id = job.get_untracked().id.clone();
        if is_live.get() {
            spawn_local(async move {
                // Without it the charts begin now.
                if let Ok(samples) = api::jobs::samples(&id).await {
                    live.prime(&id, &samples);
                }
            });
        }
    });
}

/// One value with its name, in a list of values.
#[component]
fn FigureItem(
    label: &'static str,
    #[prop(into)] value: Signal<String>,
    #[prop(optional, into)] title: Signal<String>,
    #[prop(optional, into)] tone: Signal<Tone>,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    view! {
        <div class="gw-figure">
            <dt>{label}</dt>
            <dd title=title data-tone=move || tone.get().name() data-testid=testid>{value}</dd>
        </div>
    }
}

/// A figure that is there only while there is something to say.
#[component]
fn KnownFigure(label: &'static str, #[prop(into)] value: Signal<String>) -> impl IntoView {
    let is_known = Memo::new(move |_| value.with(|value| value != NONE));
    view! { <Show when=move || is_known.get()><FigureItem label=label value=value/></Show> }
}
