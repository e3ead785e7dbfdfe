//! The *Pre-Migration Analysis* tab: what stands in the way of a migration, object by object, and what to do about it.
//!
//! Which part is shown stands in the URL. Filters and counts are plain functions ([`filter`]); what is resolved is computed
//! by the same code as in the server ([`godwit_shared::analysis`]).

mod detections;
mod filter;
mod objects;
mod prerequisites;
mod run;
mod state;
mod summary;
mod tables;

use crate::components::empty_state::EmptyState;
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::dry_run::DryRunPanel;
use crate::pages::migration::wizard::use_drafts;
use crate::pages::project::use_project_id;
use crate::remote::{Remote, show_remote};
use crate::routes::{self, AnalysisPart as Part};
use detections::Detections;
use godwit_shared::analysis::AnalysisReport;
use godwit_shared::dry_run::DryRunRequest;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use objects::{Kind, Objects};
use prerequisites::Prerequisites;
use run::{RunBar, TaskState};
use state::Analysis;
use std::sync::Arc;
use summary::Summary;
use tables::Tables;

/// A report as the parts read it.
type ReportSignal = Signal<Arc<AnalysisReport>>;

#[component]
pub fn AnalysisPage() -> impl IntoView {
    let analysis = Analysis::new(use_project_id());
    provide_context(analysis);
    let retry = Callback::new(move |()| analysis.look_at_report());
    let waiting = || view! { <Skeleton lines=8/> }.into_any();
    // Marks change the report and not what is shown of it.
    let which = Memo::new(move |_| analysis.report.get().map(|report| report.map(|r| r.id.clone())));
    let body = show_remote(which.into(), waiting, retry, move |id| match id {
        None => view! { <Nothing/> }.into_any(),
        Some(_) => {
            let first = analysis.report.get_untracked().ready().flatten();
            first.map(|first| view! { <Report first=first/> }).into_any()
        }
    });
    view! {
        <div class="gw-page gw-analysis" data-testid="analysis">
            <RunBar/>
            <TaskState/>
            {body}
        </div>
    }
}

#[component]
fn Nothing() -> impl IntoView {
    let analysis = Analysis::of_page();
    let is_running = Memo::new(move |_| analysis.is_running());
    view! {
        <Show when=move || !is_running.get()>
            <div data-testid="analysis-none">
                <EmptyState
                    icon=Icon::Search
                    title="Not analysed yet"
                    text="The analysis reads the catalog and the statistics of the source and looks at a sample of its values. It \
                          tells what needs work before a migration, what may go wrong, and which prerequisites are missing. \
                          Nothing is written."
                />
            </div>
        </Show>
    }
}

#[component]
fn Report(first: Arc<AnalysisReport>) -> impl IntoView {
    let analysis = Analysis::of_page();
    let report: ReportSignal =
        Signal::derive(move || analysis.report.get().ready().flatten().unwrap_or_else(|| first.clone()));
    let query = use_query_map();
    let part = Memo::new(move |_| Part::from_query(query.with(|q| q.get(routes::PART))));
    let errors = Memo::new(move |_| report.get().errors.clone());
    let body = move || match part.get() {
        Part::Summary => view! { <Summary report=report/> }.into_any(),
        Part::Detections => view! { <Detections report=report/> }.into_any(),
        Part::Tables => view! { <Tables report=report/> }.into_any(),
        Part::Routines => view! { <Objects report=report kind=Kind::Routines/> }.into_any(),
        Part::Triggers => view! { <Objects report=report kind=Kind::Triggers/> }.into_any(),
        Part::Views => view! { <Objects report=report kind=Kind::Views/> }.into_any(),
        Part::Features => view! { <Objects report=report kind=Kind::Incompatible/> }.into_any(),
        Part::Prerequisites => view! { <Prerequisites report=report/> }.into_any(),
        Part::DryRun => view! { <DryRunOfProject/> }.into_any(),
    };
    view! {
        <Show when=move || !errors.with(Vec::is_empty)><Gaps errors=errors/></Show>
        <PartBar report=report part=part/>
        {body}
    }
}

/// Of the connection that the analysis uses.
#[component]
fn DryRunOfProject() -> impl IntoView {
    let analysis = Analysis::of_page();
    let drafts = use_drafts();
    let request = Callback::new(move |()| DryRunRequest {
        jdbc_connection_details: analysis.project.with_untracked(|id| drafts.source_of(id)),
        ..DryRunRequest::default()
    });
    view! { <DryRunPanel project=analysis.project request=request/> }
}

/// What could not be read.
#[component]
fn Gaps(errors: Memo<Vec<String>>) -> impl IntoView {
    let lines = move || errors.get().into_iter().map(|e| view! { <li>{e}</li> }).collect_view();
    view! {
        <crate::components::banner::Banner tone=crate::components::badge::Tone::Warning title="Not everything could be read: detections may be missing">
            <ul class="gw-bullets" data-testid="analysis-errors">{lines}</ul>
        </crate::components::banner::Banner>
    }
}

#[component]
fn PartBar(report: ReportSignal, part: Memo<Part>) -> impl IntoView {
    let analysis = Analysis::of_page();
    let link = move |of: Part| {
        let count = Memo::new(move |_| count_of(&report.get(), of));
        let label = move || {
            count
                .get()
                .map_or_else(|| of.label().to_owned(), |n| format!("{} {n}", of.label()))
        };
        view! {
            <a
                class="gw-tabs__tab"
                href=move || analysis.project.with(|project| of.path(project))
                aria-current=move || (part.get() == of).then_some("page")
                data-testid=format!("part-{}", of.name())
            >
                {label}
            </a>
        }
    };
    view! {
        <nav class="gw-tabs gw-analysis__parts" aria-label="Parts of the analysis">
            {Part::ALL.map(link).collect_view()}
        </nav>
    }
}

/// What stands behind the name of a part.
fn count_of(report: &AnalysisReport, part: Part) -> Option<usize> {
    let metrics = &report.db_metrics;
    match part {
        Part::Summary | Part::Prerequisites | Part::DryRun => None,
        Part::Detections => Some(report.rules.len()),
        Part::Tables => Some(metrics.all_tables.len()),
        Part::Routines => Some(metrics.all_stored_procedures.len()),
        Part::Triggers => Some(metrics.all_triggers.len()),
        Part::Views => Some(metrics.all_views.len()),
        Part::Features => Some(
            report
                .rules
                .iter()
                .filter(|d| d.incompatible_feature_type.is_some())
                .count(),
        ),
    }
}

/// A state that is not `Ready` stays as it is.
fn ready<T>(state: &Remote<Option<T>>) -> Option<&T> {
    match state {
        Remote::Ready(value) => value.as_ref(),
        Remote::Loading | Remote::Failed(_) => None,
    }
}
