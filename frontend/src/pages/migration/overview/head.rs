//! From where to where, how, since when.

use super::{FigureItem, JobSignal};
use crate::clock::use_now;
use crate::components::status::StatusText;
use crate::format::{time, wire_name};
use crate::pages::migration::present::{job_status, mode_label};
use chrono::Local;
use leptos::prelude::*;

#[component]
pub fn JobHead(job: JobSignal) -> impl IntoView {
    let status = Memo::new(move |_| job_status(&job.get()));
    let status_name = move || wire_name(&job.get().status);
    let source = Memo::new(move |_| job.get().jdbc_connection_string.clone());
    let destination = Memo::new(move |_| job.get().mongo_db_connection_string.clone());
    let mode = Signal::derive(move || mode_label(job.get().options.mode).to_owned());
    let submitted_at = Memo::new(move |_| job.get().submitted_at);
    let started = Signal::derive(move || time::date_and_clock(submitted_at.get(), &Local));
    let started_exactly = Signal::derive(move || time::exact_utc(submitted_at.get()));
    view! {
        <section class="gw-panel gw-panel__body gw-stack" aria-label="Job">
            <dl class="gw-uris">
                <div><dt>"Source URI"</dt><dd class="gw-code">{source}</dd></div>
                <div><dt>"Destination URI"</dt><dd class="gw-code">{destination}</dd></div>
            </dl>
            <dl class="gw-figures">
                <FigureItem label="Job Mode" value=mode/>
                <div class="gw-figure">
                    <dt>"Status"</dt>
                    <dd class="gw-status-slot" data-testid="job-status" data-status=status_name><StatusText status=status/></dd>
                </div>
                <FigureItem label="Started" value=started title=started_exactly/>
                <FigureItem label="Duration" value=whole_duration(job)/>
            </dl>
        </section>
    }
}

/// From submission to end, pauses included.
fn whole_duration(job: JobSignal) -> Memo<String> {
    let now = use_now();
    Memo::new(move |_| {
        let job = job.get();
        match (job.ended_at, job.status.is_ended()) {
            (Some(end), _) => time::duration(time::seconds_between(job.submitted_at, end)),
            (None, false) => time::duration(time::seconds_between(job.submitted_at, now.get()).floor()),
            (None, true) => "–".into(),
        }
    })
}
