//! The card of the CDC stage, for jobs that have one.

use super::cdc_figures::{
    CdcFigures, Completion, Cutover, Notice, cdc_figures, completion, cutover, lag, notices, readiness, time_left_tone,
};
use super::charts::{HistoryChart, WholeJobButton};
use super::figures::NONE;
use super::parts::Help;
use super::{FigureItem, JobSignal, KnownFigure};
use crate::components::badge::{Badge, Tone};
use crate::components::banner::Banner;
use crate::components::chart::ChartUnit;
use crate::components::progress::ProgressBar;
use crate::components::status::StatusText;
use crate::format::number;
use crate::format::text::sentence;
use crate::live::use_live;
use crate::pages::migration::present::{cdc_status, is_streaming};
use chrono::Local;
use leptos::prelude::*;

#[component]
pub fn CdcStage(job: JobSignal) -> impl IntoView {
    let status = Memo::new(move |_| cdc_status(&job.get()));
    let has_begun = Memo::new(move |_| job.get().cdc_statistics.is_some());
    view! {
        <section class="gw-panel" aria-label="CDC stage">
            <header class="gw-panel__head">
                <h2>"CDC stage"</h2>
                <div class="gw-row">
                    <CutoverMark job=job/>
                    <span class="gw-status-slot" data-testid="cdc-status"><StatusText status=status/></span>
                </div>
            </header>
            <div class="gw-panel__body gw-stack">
                <Notices job=job/>
                <CompletionProgress job=job/>
                <Show when=move || has_begun.get()><Lead job=job/></Show>
                <WholeJobButton/>
                <div class="gw-charts">
                    <HistoryChart job=job title="Events per second" unit=ChartUnit::EventsPerSecond pick=|h| &h.events/>
                    <HistoryChart job=job title="Lag" unit=ChartUnit::LagMs pick=|h| &h.lag_ms/>
                </div>
                <Show when=move || has_begun.get() fallback=move || view! { <NotBegun job=job/> }>
                    <details class="gw-more" data-testid="cdc-more">
                        <summary>"All figures of the stage"</summary>
                        <FigureGrid job=job/>
                    </details>
                    <CdcHelp/>
                </Show>
            </div>
        </section>
    }
}

/// What the figures mean, where they stand.
#[component]
fn CdcHelp() -> impl IntoView {
    view! {
        <Help title="What these figures mean">
            <dt>"Lag"</dt>
            <dd>
                "How old the oldest committed change is that MongoDB does not have yet, by log and clock of the source. It \
                 grows while the job is paused or the source is away."
            </dd>
            <dt>"Rate"</dt>
            <dd>"Changes of mapped rows applied per second, over the last seconds."</dd>
            <dt>"Cut-over"</dt>
            <dd>
                "Ready when the lag has been under a second for a minute: then stop writing to the source, choose Complete \
                 CDC, and switch the application over when it is done."
            </dd>
            <dt>"Until the log is discarded"</dt>
            <dd>
                "The source keeps its log for this job. Where it has a limit (max_slot_wal_keep_size), this is how long it \
                 lasts; afterwards the job has to start anew."
            </dd>
            <dt>"Charts"</dt>
            <dd>"Drag over a part of one to see it more closely. Upright lines are what happened to the job."</dd>
        </Help>
    }
}

#[component]
fn NotBegun(job: JobSignal) -> impl IntoView {
    let text = move || match job.get().status.is_ended() {
        true => "The job ended before it.",
        false => {
            "It begins when the snapshot is complete. What is changed in the source until then is applied as well."
        }
    };
    view! { <p class="gw-muted">{text}</p> }
}

/// Whether the application may be switched over now.
#[component]
fn CutoverMark(job: JobSignal) -> impl IntoView {
    let state = Memo::new(move |_| cutover(&job.get()));
    let mark = move || match state.get() {
        Cutover::Ready => Some((
            "Ready for cut-over",
            Tone::Success,
            "Lag has been under a second for a minute",
        )),
        Cutover::NotReady => Some((
            "Not ready for cut-over",
            Tone::Neutral,
            "Ready when lag has been under a second for a minute",
        )),
        Cutover::Unknown => None,
    };
    move || {
        mark().map(|(text, tone, title)| {
            view! { <Badge text=text.to_owned() tone=tone attr:title=title attr:data-testid="cutover"/> }
        })
    }
}

/// What a person at a cut-over looks at.
#[component]
fn Lead(job: JobSignal) -> impl IntoView {
    let lag = Memo::new(move |_| lag(&job.get(), &Local));
    let ready = Memo::new(move |_| readiness(&job.get()));
    let rate = Memo::new(move |_| {
        let job = job.get();
        let statistics = job.cdc_statistics.as_ref();
        let rate = statistics.filter(|_| is_streaming(&job)).map(|s| s.events_per_second);
        rate.map_or_else(|| NONE.into(), |rate| ChartUnit::EventsPerSecond.long(rate))
    });
    let total = Memo::new(move |_| {
        let total = job.get().cdc_statistics.as_ref().map_or(0, |s| s.total_events_seen);
        format!("{} in all", number::counted(total, "change", "changes"))
    });
    let of = |pair: Memo<(String, String)>| {
        (
            Signal::derive(move || pair.get().0),
            Signal::derive(move || pair.get().1),
        )
    };
    let (lag_value, lag_note) = of(lag);
    view! {
        <dl class="gw-lead">
            <LeadFigure label="Lag" value=lag_value note=lag_note testid="lag"/>
            <LeadFigure label="Rate" value=rate note=total testid="cdc-rate" note_testid="cdc-events"/>
            <LeadFigure
                label="Cut-over"
                value=Signal::derive(move || ready.get().0.to_owned())
                note=Signal::derive(move || sentence(&ready.get().1))
                testid="readiness"
            />
        </dl>
    }
}

#[component]
fn LeadFigure(
    label: &'static str,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] note: Signal<String>,
    testid: &'static str,
    #[prop(optional)] note_testid: &'static str,
) -> impl IntoView {
    view! {
        <div class="gw-figure gw-lead__figure" data-testid=testid>
            <dt>{label}</dt>
            <dd class="gw-lead__value">{value}</dd>
            <dd class="gw-lead__note" data-testid=note_testid>{note}</dd>
        </div>
    }
}

#[component]
fn Notices(job: JobSignal) -> impl IntoView {
    let notices = Memo::new(move |_| notices(&job.get()));
    let banner = |notice: Notice| {
        view! {
            <Banner tone=Tone::Warning title=notice.title attr:data-testid="cdc-notice"><p>{notice.text}</p></Banner>
        }
    };
    move || notices.get().into_iter().map(banner).collect_view()
}

/// What *Complete CDC* still has to do.
#[component]
fn CompletionProgress(job: JobSignal) -> impl IntoView {
    let live = use_live();
    let state = Memo::new(move |_| {
        let job = job.get();
        let from = live
            .with_history(&job.id, |history| history.completing_from.clone())
            .flatten();
        completion(&job, from.as_deref())
    });
    let is_completing = Memo::new(move |_| state.with(Option::is_some));
    view! { <Show when=move || is_completing.get()><CompletionBar state=state/></Show> }
}

#[component]
fn CompletionBar(state: Memo<Option<Completion>>) -> impl IntoView {
    let percent = Signal::derive(move || state.with(|s| s.as_ref().and_then(|s| s.percent)));
    let percent_text = Signal::derive(move || percent.get().map(number::percent).unwrap_or_default());
    let text = move || state.with(|s| s.as_ref().map(|s| s.text.clone()));
    view! {
        <div class="gw-completion" data-testid="completion">
            <p>{text}</p>
            <Show when=move || percent.get().is_some()>
                <div class="gw-stage-progress">
                    <ProgressBar
                        label="Changes applied up to the end"
                        percent=Signal::derive(move || percent.get().unwrap_or_default())
                        value_text=percent_text
                        tone=Tone::Success
                    />
                    <span class="gw-number">{percent_text}</span>
                </div>
            </Show>
        </div>
    }
}

#[component]
fn FigureGrid(job: JobSignal) -> impl IntoView {
    let figures = Memo::new(move |_| cdc_figures(&job.get(), &Local));
    let left = Memo::new(move |_| time_left_tone(&job.get()));
    let show = move |pick: fn(&CdcFigures) -> &String| Signal::derive(move || figures.with(|f| pick(f).clone()));
    view! {
        <dl class="gw-figures">
            <FigureItem label="Started" value=show(|f| &f.started) title=show(|f| &f.started_exactly)/>
            <FigureItem label="Last event time" value=show(|f| &f.last_event) title=show(|f| &f.last_event_exactly)/>
            <FigureItem label="Committed in the source" value=show(|f| &f.last_commit) title=show(|f| &f.last_commit_exactly)/>
            <FigureItem label="Total events seen" value=show(|f| &f.total)/>
            <FigureItem label="Events in the last hour" value=show(|f| &f.last_hour)/>
            <FigureItem label="Events in the last minute" value=show(|f| &f.last_minute)/>
            <KnownFigure label="Wait of the last batch" value=show(|f| &f.slowest)/>
            <FigureItem label="Documents rebuilt" value=show(|f| &f.rebuilt) testid="cdc-rebuilt"/>
            <FigureItem label="Documents deleted" value=show(|f| &f.deleted)/>
            <FigureItem label="Position in the source" value=show(|f| &f.position)/>
            <KnownFigure label="Log kept by the source" value=show(|f| &f.retained)/>
            <FigureItem label="Until the log is discarded" value=show(|f| &f.time_left) tone=left testid="log-time-left"/>
        </dl>
    }
}
