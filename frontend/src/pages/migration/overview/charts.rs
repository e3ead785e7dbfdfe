//! Charts of a job from its beginning on; a part of it is chosen by dragging.

use super::JobSignal;
use crate::clock::use_now;
use crate::components::button::{Button, ButtonTone};
use crate::components::chart::{ChartUnit, LineChart, Mark, Plot};
use crate::components::icon::Icon;
use crate::live::history::JobHistory;
use crate::live::samples::{Samples, Span, Window};
use crate::live::use_live;
use chrono::{DateTime, Utc};
use godwit_shared::job::MigrationJobStatus;
use leptos::prelude::*;

/// Fewer of them make no line that says something.
const VALUES_MIN: usize = 3;

/// The part of the time that the charts of the job show; `None`: all of it.
#[derive(Clone, Copy)]
pub struct Zoom(RwSignal<Option<Span>>);

/// Once for each job that is shown: all of its charts show the same time.
pub fn provide_zoom() {
    provide_context(Zoom(RwSignal::new(None)));
}

/// Leads back to the whole job.
#[component]
pub fn WholeJobButton() -> impl IntoView {
    let Zoom(zoom) = expect_context();
    let reset = Callback::new(move |()| zoom.set(None));
    view! {
        <Show when=move || zoom.with(Option::is_some)>
            <div>
                <Button
                    label="Show the whole job"
                    tone=ButtonTone::Quiet
                    icon=Icon::Retry
                    on_press=reset
                    attr:data-testid="whole-job"
                />
            </div>
        </Show>
    }
}

/// One value of a job; it moves on every second. Nothing, where nothing is known of it.
#[component]
pub fn HistoryChart(
    job: JobSignal,
    title: &'static str,
    unit: ChartUnit,
    pick: fn(&JobHistory) -> &Samples,
) -> impl IntoView {
    let live = use_live();
    let now = use_now();
    let Zoom(zoom) = expect_context();
    let marks = Memo::new(move |_| marks(&job.get()));
    let plot = Memo::new(move |_| {
        let now: DateTime<Utc> = now.get();
        let part = zoom.get();
        let window = live.with_history(&job.get_untracked().id, |history| {
            pick(history).window(now.timestamp(), part)
        });
        let window = window
            .flatten()
            .filter(|window| part.is_some() || is_worth_drawing(window));
        window.map(|window| plot(window, part.is_none(), marks.get()))
    });
    let is_known = Memo::new(move |_| plot.with(Option::is_some));
    let select = Callback::new(move |part: Span| zoom.set(Some(part)));
    view! {
        <Show when=move || is_known.get()>
            <LineChart
                title=title
                unit=unit
                plot=Signal::derive(move || plot.get().unwrap_or_default())
                on_select=select
            />
        </Show>
    }
}

/// Of a stage that is over in a moment nothing is left that makes a line.
fn is_worth_drawing(window: &Window) -> bool {
    window.ended.is_none() || window.values.iter().flatten().count() >= VALUES_MIN
}

fn plot(window: Window, is_whole: bool, marks: Vec<Mark>) -> Plot {
    Plot {
        is_now: is_whole && window.ended.is_none(),
        values: window.values,
        first: window.first,
        step: window.step,
        marks,
    }
}

/// What happened to the job, as its log says.
fn marks(job: &MigrationJobStatus) -> Vec<Mark> {
    let of = |code: &str| match code {
        "outage_began" => Some("outage"),
        "outage_ended" => Some("end of the outage"),
        "job_paused" => Some("paused"),
        "job_resumed" => Some("resumed"),
        "job_restarted" => Some("restart"),
        "stands_still" => Some("stands still"),
        "schema_changed" => Some("schema change"),
        "failed_rows_tried" => Some("failed rows tried again"),
        _ => None,
    };
    let mark = |update: &godwit_shared::job::JobUpdate| {
        Some(Mark {
            second: update.timestamp.timestamp(),
            text: of(&update.error_code)?.to_owned(),
        })
    };
    job.job_updates.iter().filter_map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::migration::present::tests::job;
    use godwit_shared::job::JobStatus;
    use serde_json::json;

    fn window(known: usize, ended: Option<i64>) -> Window {
        let mut values = vec![None; 60];
        values.extend(vec![Some(1.0); known]);
        Window {
            values,
            first: 0,
            step: 1,
            ended,
        }
    }

    #[test]
    fn a_moment_makes_no_line() {
        let check = |known, ended, expected| assert_eq!(is_worth_drawing(&window(known, ended)), expected);
        check(0, None, true);
        check(2, Some(1_793_700_202), false);
        check(3, Some(1_793_700_202), true);
    }

    #[test]
    fn only_a_whole_job_that_goes_on_ends_now() {
        assert!(plot(window(3, None), true, vec![]).is_now);
        assert!(!plot(window(3, Some(9)), true, vec![]).is_now);
        assert!(!plot(window(3, None), false, vec![]).is_now);
    }

    #[test]
    fn what_happened_to_the_job_is_marked() {
        let mut job = job(JobStatus::Running);
        let update = |code: &str| {
            let update = json!({"eventType": "INFO", "stage": "STREAMING", "message": "m", "count": 1,
                "timestamp": "2026-11-03T10:03:22Z", "errorCode": code});
            serde_json::from_value(update).expect("an update")
        };
        job.job_updates = vec![update("job_paused"), update("precision_lost"), update("schema_changed")];
        let shown: Vec<(i64, String)> = marks(&job).into_iter().map(|m| (m.second, m.text)).collect();
        assert_eq!(
            shown,
            [
                (1_793_700_202, "paused".to_owned()),
                (1_793_700_202, "schema change".to_owned())
            ]
        );
    }
}
