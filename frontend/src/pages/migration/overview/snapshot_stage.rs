//! The card of the snapshot stage.

use super::charts::{HistoryChart, WholeJobButton};
use super::figures::{SnapshotFigures, snapshot_figures};
use super::parts::Help;
use super::{FigureItem, JobSignal, KnownFigure};
use crate::components::chart::ChartUnit;
use crate::components::progress::ProgressBar;
use crate::components::status::{Status, StatusText};
use crate::pages::migration::present::{has_cdc, is_snapshot_over, snapshot_status};
use chrono::Local;
use leptos::prelude::*;

#[component]
pub fn SnapshotStage(job: JobSignal) -> impl IntoView {
    let status = Memo::new(move |_| snapshot_status(&job.get()));
    let figures = Memo::new(move |_| snapshot_figures(&job.get(), &Local));
    // Of a stage that lies behind the job little is of interest; the CDC stage has the room.
    let is_behind = Memo::new(move |_| has_cdc(&job.get()) && is_snapshot_over(&job.get()));
    view! {
        <section class="gw-panel" aria-label="Snapshot stage">
            <header class="gw-panel__head">
                <h2>"Snapshot stage"</h2>
                <span class="gw-status-slot" data-testid="snapshot-status"><StatusText status=status/></span>
            </header>
            <div class="gw-panel__body gw-stack">
                <Show
                    when=move || !is_behind.get()
                    fallback=move || view! { <dl class="gw-figures"><MainFigures figures=figures/></dl> }
                >
                    <StageAtWork job=job status=status figures=figures/>
                </Show>
            </div>
        </section>
    }
}

#[component]
fn StageAtWork(job: JobSignal, status: Memo<Status>, figures: Memo<SnapshotFigures>) -> impl IntoView {
    let percent = Memo::new(move |_| job.get().statistics.percent);
    let percent_text = Signal::derive(move || figures.with(|f| f.percent.clone()));
    let in_work = move || figures.with(|f| f.in_work.clone());
    view! {
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
        <WholeJobButton/>
        <div class="gw-charts">
            <HistoryChart job=job title="Rows read per second" unit=ChartUnit::RowsPerSecond pick=|h| &h.rows/>
            <HistoryChart job=job title="Data written per second" unit=ChartUnit::BytesPerSecond pick=|h| &h.bytes/>
        </div>
        <dl class="gw-figures">
            <MainFigures figures=figures/>
            <KnownFigure label="Estimated time remaining" value=shown(figures, |f| &f.remaining)/>
            <KnownFigure label="Rows expected" value=shown(figures, |f| &f.rows_expected)/>
            <KnownFigure label="Average reading" value=shown(figures, |f| &f.average_rows)/>
            <KnownFigure label="Average writing" value=shown(figures, |f| &f.average_bytes)/>
        </dl>
        <Help title="What these figures mean">
            <dt>"Rows in the source"</dt>
            <dd>"Rows of all tables that the filters let through, each counted once, at the point in time that is copied."</dd>
            <dt>"Rows read"</dt>
            <dd>"A row counts again for each document that it is embedded in, so there may be more than in the source."</dd>
            <dt>"Documents written"</dt>
            <dd>"By this stage, with their size as BSON. One that was there before is replaced, and counts too."</dd>
            <dt>"Documents in MongoDB now"</dt>
            <dd>"In all collections of the job, whoever has written them: this goes on being counted."</dd>
        </Help>
        <Show when=move || !in_work().is_empty()>
            <p class="gw-in-work"><span class="gw-muted">"Tables in work "</span><span class="gw-code">{in_work}</span></p>
        </Show>
    }
}

fn shown(figures: Memo<SnapshotFigures>, pick: fn(&SnapshotFigures) -> &String) -> Signal<String> {
    Signal::derive(move || figures.with(|f| pick(f).clone()))
}

/// What is of interest as long as the job is.
#[component]
fn MainFigures(figures: Memo<SnapshotFigures>) -> impl IntoView {
    view! {
        <FigureItem label="Started" value=shown(figures, |f| &f.started) title=shown(figures, |f| &f.started_exactly)/>
        <FigureItem label="Duration" value=shown(figures, |f| &f.duration)/>
        <FigureItem label="Tables migrated" value=shown(figures, |f| &f.tables) testid="tables-migrated"/>
        <FigureItem label="Rows in the source" value=shown(figures, |f| &f.in_scope) testid="rows-in-source"/>
        <FigureItem label="Rows read" value=shown(figures, |f| &f.rows) testid="rows-migrated"/>
        <FigureItem label="Documents written" value=shown(figures, |f| &f.documents) testid="documents-written"/>
        <FigureItem label="Documents in MongoDB now" value=shown(figures, |f| &f.now) testid="documents-now"/>
        <FigureItem label="Issues" value=shown(figures, |f| &f.issues)/>
    }
}
