//! The card of the CDC stage, for jobs that have one.

use super::figures::{CdcFigures, cdc_figures};
use super::{FigureItem, JobSignal};
use crate::components::status::StatusText;
use crate::pages::migration::present::cdc_status;
use chrono::Local;
use leptos::prelude::*;

#[component]
pub fn CdcStage(job: JobSignal) -> impl IntoView {
    let status = Memo::new(move |_| cdc_status(&job.get()));
    let figures = Memo::new(move |_| cdc_figures(job.get().cdc_statistics.as_ref(), &Local));
    let show = move |pick: fn(&CdcFigures) -> &String| Signal::derive(move || figures.with(|f| pick(f).clone()));
    view! {
        <section class="gw-panel" aria-label="CDC stage">
            <header class="gw-panel__head">
                <h2>"CDC stage"</h2>
                <span class="gw-status-slot" data-testid="cdc-status"><StatusText status=status/></span>
            </header>
            <dl class="gw-panel__body gw-figures">
                <FigureItem label="Started" value=show(|f| &f.started)/>
                <FigureItem label="Last event time" value=show(|f| &f.last_event)/>
                <FigureItem label="Total events seen" value=show(|f| &f.total) testid="cdc-events"/>
                <FigureItem label="Events in the last hour" value=show(|f| &f.last_hour)/>
                <FigureItem label="Events in the last minute" value=show(|f| &f.last_minute)/>
            </dl>
        </section>
    }
}
