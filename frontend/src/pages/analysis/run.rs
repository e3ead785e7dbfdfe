//! The head of the tab: run, end, run again; earlier reports; what a report can be kept as.

use super::ready;
use super::state::Analysis;
use crate::api::analyses::report_url;
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::{Button, ButtonTone, DownloadLink};
use crate::components::error_panel::ErrorPanel;
use crate::components::icon::{Glyph, Icon};
use crate::format::number;
use crate::format::text::sentence;
use crate::format::time::date_and_clock;
use crate::pages::mapping::source::{SourceDrawer, has_source};
use crate::pages::migration::wizard::use_drafts;
use crate::projects::use_projects;
use crate::remote::Remote;
use chrono::Local;
use godwit_shared::analysis::{AnalysisReportSummary, AnalysisStatus, AnalysisTask, AnalysisTaskRequest, Readiness};
use godwit_shared::job::MigrationMode;
use leptos::prelude::*;

/// Which mode the levels are for.
fn mode_of(value: &str) -> Option<MigrationMode> {
    match value {
        "SNAPSHOT" => Some(MigrationMode::Snapshot),
        "CDC" => Some(MigrationMode::Cdc),
        _ => None,
    }
}

#[component]
pub fn RunBar() -> impl IntoView {
    let analysis = Analysis::of_page();
    let drafts = use_drafts();
    let project = use_projects().find(analysis.project);
    let (version, is_choosing) = (RwSignal::new(0_u32), RwSignal::new(false));
    let mode = RwSignal::new(String::new());
    let has_connection = Memo::new(move |_| {
        version.track();
        let saved = project.get().ready().flatten().and_then(|p| p.jdbc_id);
        analysis.project.with(|id| has_source(drafts, id, saved.as_deref()))
    });
    let run = Callback::new(move |()| {
        let details = analysis.project.with_untracked(|id| drafts.source_of(id));
        analysis.start(AnalysisTaskRequest {
            jdbc_connection_details: details,
            mode: mode.with_untracked(|mode| mode_of(mode)),
        });
    });
    let press = Callback::new(move |()| match has_connection.get_untracked() {
        true => run.run(()),
        false => is_choosing.set(true),
    });
    let has_report = Memo::new(move |_| analysis.report.with(|report| ready(report).is_some()));
    let label = Signal::derive(move || {
        let words = match (has_connection.get(), has_report.get()) {
            (false, _) => "Connect and run analysis",
            (true, false) => "Run analysis",
            (true, true) => "Rerun analysis",
        };
        words.to_owned()
    });
    let is_running = Memo::new(move |_| analysis.is_running());
    let cancel = Callback::new(move |()| analysis.cancel());
    let choose = Callback::new(move |()| is_choosing.set(true));
    let close = Callback::new(move |()| is_choosing.set(false));
    let chosen = Callback::new(move |()| {
        version.update(|n| *n += 1);
        run.run(());
    });
    let drawer = move || {
        is_choosing.get().then(|| {
            view! {
                <SourceDrawer
                    id=analysis.project.get_untracked()
                    title="Source to analyse"
                    label="Run analysis"
                    on_chosen=chosen
                    on_close=close
                />
            }
        })
    };
    let refusal = move || {
        analysis.refusal.get().map(|error| {
            view! {
                <div class="gw-stack" data-testid="analysis-refused">
                    <ErrorPanel error=error retry=run/>
                    <div><Button label="Another source" icon=Icon::Plug on_press=choose/></div>
                </div>
            }
        })
    };
    view! {
        <div class="gw-page__head">
            <h2>"Pre-Migration Analysis"</h2>
            <div class="gw-row">
                <EarlierReports/>
                <ModeChoice mode=mode/>
                <Show when=move || is_running.get()>
                    <Button label="Terminate" icon=Icon::Stop is_busy=analysis.is_busy on_press=cancel attr:data-testid="analysis-terminate"/>
                </Show>
                <Show when=move || !is_running.get()>
                    <Button
                        label=label
                        tone=ButtonTone::Primary
                        icon=Icon::Play
                        is_busy=analysis.is_busy
                        on_press=press
                        attr:data-testid="analysis-run"
                    />
                </Show>
            </div>
        </div>
        {refusal}
        <Show when=move || has_report.get()><Forms/></Show>
        {drawer}
    }
}

#[component]
fn ModeChoice(mode: RwSignal<String>) -> impl IntoView {
    let option = move |value: &'static str, label: &'static str| {
        view! { <option value=value selected=move || mode.with(|mode| mode == value)>{label}</option> }
    };
    view! {
        <select
            class="gw-input gw-analysis__select"
            aria-label="For which mode of migration"
            data-testid="analysis-mode"
            on:change=move |event| mode.set(event_target_value(&event))
        >
            {option("", "For the usual mode")}
            {option("SNAPSHOT", "For a snapshot")}
            {option("CDC", "For a continuous migration")}
        </select>
    }
}

fn report_label(summary: &AnalysisReportSummary) -> String {
    let readiness = Readiness::of(summary.health_score).word();
    format!(
        "{} · {readiness} · {}",
        date_and_clock(summary.generated_at, &Local),
        number::counted(summary.detections.hit(), "detection", "detections")
    )
}

#[component]
fn EarlierReports() -> impl IntoView {
    let analysis = Analysis::of_page();
    let known = Memo::new(move |_| match analysis.reports.get() {
        Remote::Ready(list) => list,
        Remote::Loading | Remote::Failed(_) => Vec::new(),
    });
    let option = move |summary: AnalysisReportSummary| {
        let own = summary.id.clone();
        let is_shown = move || {
            analysis
                .report
                .with(|report| ready(report).is_some_and(|r| r.id == own))
        };
        view! { <option value=summary.id.clone() selected=is_shown>{report_label(&summary)}</option> }
    };
    let choose = move |event| {
        let id = event_target_value(&event);
        let is_newest = known.with_untracked(|list| list.first().is_some_and(|newest| newest.id == id));
        analysis.chosen.set((!is_newest).then_some(id));
    };
    view! {
        <Show when=move || known.with(|list| list.len() > 1)>
            <select class="gw-input gw-analysis__select" aria-label="Reports" data-testid="analysis-reports" on:change=choose>
                {move || known.get().into_iter().map(option).collect_view()}
            </select>
        </Show>
    }
}

/// What the report can be kept as.
#[component]
fn Forms() -> impl IntoView {
    let analysis = Analysis::of_page();
    let about = Memo::new(move |_| {
        analysis.report.with(|report| {
            ready(report).map(|r| {
                (
                    r.id.clone(),
                    r.project_name.clone(),
                    r.generated_at,
                    r.database_metadata.clone(),
                )
            })
        })
    });
    move || {
        let (id, name, at, metadata) = about.get()?;
        let project = analysis.project.get();
        let link = |label: &'static str, form: &'static str| {
            let href = report_url(&project, &id, form);
            view! { <DownloadLink label=label href=href file_name=format!("{name} analysis.{form}") is_wide=true/> }
        };
        Some(view! {
            <div class="gw-row gw-analysis__forms">
                <p class="gw-muted" data-testid="analysis-made">
                    {format!("{} · {} {}", date_and_clock(at, &Local), metadata.database_type, metadata.database_version)}
                </p>
                <div class="gw-row">
                    <a
                        class="gw-button gw-button--quiet"
                        href=report_url(&project, &id, "html")
                        target="_blank"
                        rel="external"
                        data-testid="analysis-print"
                    >
                        <Glyph icon=Icon::Info/>
                        <span>"Print"</span>
                    </a>
                    {link("JSON", "json")}
                    {link("Markdown", "md")}
                    {link("SARIF", "sarif")}
                </div>
            </div>
        })
    }
}

/// What a run is doing, or why it gave no report.
#[component]
pub fn TaskState() -> impl IntoView {
    let analysis = Analysis::of_page();
    let task = Memo::new(move |_| analysis.task.with(|task| ready(task).cloned()));
    move || task.get().and_then(task_view)
}

fn task_view(task: AnalysisTask) -> Option<AnyView> {
    Some(match task.status {
        AnalysisStatus::Completed => return None,
        AnalysisStatus::Running => {
            let step = task.step.unwrap_or_else(|| "Starting".into());
            view! {
                <p class="gw-row gw-analysis__step" role="status" data-testid="analysis-step">
                    <Glyph icon=Icon::Spinner/>
                    {format!("{step}\u{2026}")}
                </p>
            }
            .into_any()
        }
        AnalysisStatus::Cancelled => view! {
            <div data-testid="analysis-cancelled">
                <Banner tone=Tone::Neutral title="The last analysis was terminated">
                    <p>"It has left no report."</p>
                </Banner>
            </div>
        }
        .into_any(),
        AnalysisStatus::Failed => {
            let failure = task.failure;
            let message = failure.as_ref().map(|f| sentence(&f.message)).unwrap_or_default();
            let hint = failure.and_then(|f| f.hint);
            view! {
                <div data-testid="analysis-failed">
                    <Banner tone=Tone::Danger title="The last analysis has failed">
                        <p>{message}</p>
                        {hint.map(|hint| view! { <p class="gw-muted">{hint}</p> })}
                    </Banner>
                </div>
            }
            .into_any()
        }
    })
}
