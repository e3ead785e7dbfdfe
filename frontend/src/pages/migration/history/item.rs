//! One job of the history.

use crate::clock::use_now;
use crate::components::icon::{Glyph, Icon};
use crate::components::status::{Status, StatusIcon};
use crate::format::{number, time};
use crate::live::JobField;
use crate::pages::migration::overview::verification::mark_of;
use crate::pages::migration::present::{is_streaming, job_status, mode_label};
use crate::pages::migration::use_migration;
use crate::routes::MigrationView;
use chrono::{DateTime, Local, TimeZone, Utc};
use godwit_shared::ids::JobId;
use godwit_shared::job::MigrationJobStatus;
use leptos::prelude::*;
use std::fmt::Display;

/// What of a job its row shows; progress does not change it.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    id: JobId,
    mode: &'static str,
    name: Option<String>,
    /// Documents written and what was wrong, of a job that has ended.
    result: String,
    status: Status,
    submitted_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    is_ended: bool,
    is_streaming: bool,
    /// What its newest verification says.
    verified: Option<(Icon, &'static str)>,
}

impl Row {
    fn of(job: &MigrationJobStatus) -> Self {
        Self {
            id: job.id.clone(),
            mode: mode_label(job.options.mode),
            name: job.name.clone(),
            result: result(job),
            status: job_status(job),
            submitted_at: job.submitted_at,
            ended_at: job.ended_at,
            is_ended: job.status.is_ended(),
            is_streaming: is_streaming(job),
            verified: mark_of(job.metadata.verification_status.as_deref()),
        }
    }
}

/// `12,000 documents, 3 errors`; progress does not change it, so it is empty as long as there is some.
fn result(job: &MigrationJobStatus) -> String {
    let s = &job.statistics;
    if !job.status.is_ended() {
        return String::new();
    }
    let documents = number::counted(s.documents_written, "document", "documents");
    match s.errors {
        0 => documents,
        errors => format!("{documents}, {}", number::counted(errors, "error", "errors")),
    }
}

#[component]
pub fn HistoryItem(job: JobField) -> impl IntoView {
    let row = Memo::new(move |_| job.status().map(|job| Row::of(&job)));
    // Its status changes below; only its going takes the row away.
    let first = row.get_untracked();
    first.map(|first| view! { <HistoryRow first=first row=row/> })
}

#[component]
fn HistoryRow(first: Row, row: Memo<Option<Row>>) -> impl IntoView {
    let context = use_migration();
    let (id, submitted_at) = (first.id.clone(), first.submitted_at);
    let path = MigrationView::of_job(id.clone()).path(&context.project.get_untracked());
    let job_id = id.to_string();
    let is_selected = move || context.selection.with(|selected| selected.job() == Some(&id));
    let shown = move || row.get().unwrap_or_else(|| first.clone());
    let status = Memo::new({
        let shown = shown.clone();
        move |_| shown().status
    });
    let shown = Signal::derive(shown);
    let is_streaming = Memo::new(move |_| shown.get().is_streaming);
    let mark = move || is_streaming.get().then(|| view! { <StreamingMark/> });
    let verified = Memo::new(move |_| shown.get().verified);
    let verified = move || {
        verified
            .get()
            .map(|(icon, words)| view! { <VerifiedMark icon=icon words=words/> })
    };
    let duration = duration_of(shown);
    let name = move || {
        let name = shown.with(|row| row.name.clone());
        name.map(|name| view! { <span class="gw-history__name">{name}</span> })
    };
    let mode = move || shown.with(|row| view! { <span>{row.mode}</span> });
    let result = move || shown.with(|row| view! { <span>{row.result.clone()}</span> });
    let tooltip = move || shown.with(|row| tooltip(row, &duration.get(), &Local));
    view! {
        <li>
            <a
                href=path
                class="gw-history__item"
                data-testid="history-item"
                data-job-id=job_id
                title=tooltip
                aria-current=move || is_selected().then_some("true")
            >
                <span class="gw-status-slot" data-testid="history-icon"><StatusIcon status=status/></span>
                <span class="gw-history__time">{time::clock(submitted_at, &Local)}</span>
                <span class="gw-history__duration">{duration}</span>
                {name}
                <span class="gw-history__label">{move || status.get().label} {mark} {verified}</span>
                <span class="gw-history__label">{mode} {result}</span>
            </a>
        </li>
    }
}

/// Says that changes of the source are being applied.
#[component]
fn StreamingMark() -> impl IntoView {
    view! { <span class="gw-history__mark" data-testid="streaming-mark"><Glyph icon=Icon::Streaming/>"Streaming"</span> }
}

/// Says what its verification came to.
#[component]
fn VerifiedMark(icon: Icon, words: &'static str) -> impl IntoView {
    view! { <span class="gw-history__mark" data-testid="verified-mark" title=words><Glyph icon=icon/>{words}</span> }
}

/// The job in four lines.
fn tooltip<Z: TimeZone>(row: &Row, duration: &str, zone: &Z) -> String
where
    Z::Offset: Display,
{
    let start = time::date_and_clock(row.submitted_at, zone);
    let exactly = time::exact_utc(row.submitted_at);
    let label = &row.status.label;
    format!("{}: {label}\nStarted {start}\n{exactly}\nDuration {duration}", row.mode)
}

/// From submission to end, or to now.
fn duration_of(row: Signal<Row>) -> Memo<String> {
    let now = use_now();
    Memo::new(move |_| {
        let row = row.get();
        match (row.ended_at, row.is_ended) {
            (Some(end), _) => time::duration(time::seconds_between(row.submitted_at, end)),
            (None, false) => time::duration(time::seconds_between(row.submitted_at, now.get()).floor()),
            (None, true) => String::new(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::job;
    use godwit_shared::job::JobStatus;

    #[test]
    fn a_row_says_more_when_it_is_pointed_at() {
        let row = Row::of(&job(JobStatus::Failed));
        assert_eq!(
            tooltip(&row, "45 s", &Utc),
            "Snapshot: Failed\nStarted 3 Nov 2026, 10:00:00\n2026-11-03T10:00:00.000Z\nDuration 45 s"
        );
    }
}
