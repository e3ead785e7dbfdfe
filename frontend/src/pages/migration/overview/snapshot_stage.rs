//! The card of the snapshot stage.

use super::charts::HistoryChart;
use super::figures::{SnapshotFigures, snapshot_figures};
use super::{FigureItem, JobSignal};
use crate::components::chart::ChartUnit;
use crate::components::progress::ProgressBar;
use crate::components::status::StatusText;
use crate::pages::migration::present::{is_in_cdc, snapshot_status};
use chrono::Local;
use leptos::prelude::*;

#[component]
pub fn SnapshotStage(job: JobSignal) -> impl IntoView {
    let status = Memo::new(move |_| snapshot_status(&job.get()));
    let figures = Memo::new(move |_| snapshot_figures(&job.get(), &Local));
    let percent = Memo::new(move |_| job.get().statistics.percent);
    let percent_text = Signal::derive(move || figures.with(|f| f.percent.clone()));
    // Beside a CDC stage at work they would only take its place.
    let has_charts = Memo::new(move |_| !is_in_cdc(&job.get()));
    let in_work = move || figures.with(|f| f.in_work.clone());
    view! {
        <section class="gw-panel" aria-label="Snapshot stage">
            <header class="gw-panel__head">
                <h2>"Snapshot stage"</h2>
                <span class="gw-status-slot" data-testid="snapshot-status"><StatusText status=status/></span>
            </header>
            <div class="gw-panel__body gw-stack">
                <div class="gw-stage-progress">
                    <ProgressBar
                        label="Snapshot progress"
                        percent=percent
                        value_text=percent_text
                        tone=Signal::derive(move || status.get().tone)
                        attr:data-testid="progress"
                    />
                    <span class="gw-number">{percent_text}</span>
                </div>
                <Show when=move || has_charts.get()>
                    <div class="gw-charts">
                        <HistoryChart job=job title="Rows read per second" unit=ChartUnit::RowsPerSecond pick=|h| &h.rows/>
                        <HistoryChart job=job title="Data written per second" unit=ChartUnit::BytesPerSecond pick=|h| &h.bytes/>
                    </div>
                </Show>
                <FigureGrid figures=figures/>
                <Show when=move || !in_work().is_empty()>
                    <p class="gw-in-work"><span class="gw-muted">"Tables in work "</span><span class="gw-code">{in_work}</span></p>
                </Show>
            </div>
        </section>
    }
}

#[component]
fn FigureGrid(figures: Memo<SnapshotFigures>) -> impl IntoView {
    let show = move |pick: fn(&SnapshotFigures) -> &String| Signal::derive(move || figures.with(|f| pick(f).clone()));
    view! {
        <dl class="gw-figures">
            <FigureItem label="Started" value=show(|f| &f.started) title=show(|f| &f.started_exactly)/>
            <FigureItem label="Duration" value=show(|f| &f.duration)/>
            <FigureItem label="Estimated time remaining" value=show(|f| &f.remaining)/>
            <FigureItem label="Tables migrated" value=show(|f| &f.tables) testid="tables-migrated"/>
            <FigureItem label="Rows migrated" value=show(|f| &f.rows) testid="rows-migrated"/>
            <FigureItem label="Rows expected" value=show(|f| &f.rows_expected)/>
            <FigureItem label="Documents written" value=show(|f| &f.documents) testid="documents-written"/>
            <FigureItem label="Reading" value=show(|f| &f.rows_rate)/>
            <FigureItem label="Writing" value=show(|f| &f.bytes_rate)/>
            <FigureItem label="Issues" value=show(|f| &f.issues)/>
        </dl>
    }
}
