//! Charts of the last minutes of a job.

use super::JobSignal;
use crate::clock::use_now;
use crate::components::chart::{ChartUnit, LineChart, Plot};
use crate::format::time;
use crate::live::history::JobHistory;
use crate::live::samples::{Samples, Window};
use crate::live::use_live;
use chrono::{DateTime, Local, TimeZone, Utc};
use leptos::prelude::*;
use std::fmt::Display;

/// Fewer of them make no line that says something.
const VALUES_MIN: usize = 3;

/// One value of a job over the last minutes; it moves on every second. Nothing, where nothing is known of it.
#[component]
pub fn HistoryChart(
    job: JobSignal,
    title: &'static str,
    unit: ChartUnit,
    pick: fn(&JobHistory) -> &Samples,
) -> impl IntoView {
    let live = use_live();
    let now = use_now();
    let plot = Memo::new(move |_| {
        let now: DateTime<Utc> = now.get();
        let window = live.with_history(&job.get_untracked().id, |history| pick(history).window(now.timestamp()));
        window
            .flatten()
            .filter(is_worth_drawing)
            .map(|window| plot(window, &Local))
    });
    let is_known = Memo::new(move |_| plot.with(Option::is_some));
    view! {
        <Show when=move || is_known.get()>
            <LineChart title=title unit=unit plot=Signal::derive(move || plot.get().unwrap_or_default())/>
        </Show>
    }
}

/// Of a stage that is over in a moment nothing is left that makes a line.
fn is_worth_drawing(window: &Window) -> bool {
    window.ended.is_none() || window.values.iter().flatten().count() >= VALUES_MIN
}

fn plot<Z: TimeZone>(window: Window, zone: &Z) -> Plot
where
    Z::Offset: Display,
{
    let ended = window.ended.and_then(|second| DateTime::from_timestamp(second, 0));
    Plot {
        values: window.values,
        ended: ended.map(|at| time::clock(at, zone)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_makes_no_line() {
        let check = |known: usize, ended, expected| {
            let mut values = vec![None; 60];
            values.extend(vec![Some(1.0); known]);
            assert_eq!(is_worth_drawing(&Window { values, ended }), expected);
        };
        check(0, None, true);
        check(2, Some(1_793_700_202), false);
        check(3, Some(1_793_700_202), true);
    }

    #[test]
    fn the_end_of_a_stage_has_its_time() {
        let end_of = |ended| {
            let window = Window {
                values: vec![Some(1.0)],
                ended,
            };
            plot(window, &Utc).ended
        };
        assert_eq!(end_of(Some(1_793_700_202)).as_deref(), Some("10:03:22"));
        assert_eq!(end_of(None), None);
    }
}
