//! A line of values over time, all at the same distance from each other; gaps where nothing is known. A part of it is
//! chosen by dragging, and what happened to the job stands as marks on it.
//!
//! The drawing is stretched to the width that there is; texts stand beside it, so that they are not stretched with it.
//! What is drawn is also said in words, for those who do not see it.

mod geometry;
mod unit;

pub use unit::ChartUnit;

use crate::format::time;
use chrono::{DateTime, Local, TimeZone};
use geometry::{HEIGHT, WIDTH, area, line, x_of};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use std::fmt::Display;
use web_sys::{Element, PointerEvent};

/// What a chart draws.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plot {
    /// Oldest first; `None` where nothing is known.
    pub values: Vec<Option<f64>>,
    /// The second of the first value, by the clock of the page.
    pub first: i64,
    /// Seconds between two values.
    pub step: i64,
    /// The last value is that of now.
    pub is_now: bool,
    pub marks: Vec<Mark>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// By the clock of the page.
    pub second: i64,
    pub text: String,
}

impl Plot {
    fn last(&self) -> Option<f64> {
        self.values.iter().rev().copied().flatten().next()
    }

    fn lowest_and_highest(&self) -> Option<(f64, f64)> {
        let known = self.values.iter().copied().flatten();
        known.fold(None, |found, v| match found {
            None => Some((v, v)),
            Some((low, high)) => Some((v.min(low), v.max(high))),
        })
    }

    fn span_seconds(&self) -> u64 {
        u64::try_from(self.second_of(self.values.len().saturating_sub(1)) - self.first).unwrap_or(0)
    }

    fn second_of(&self, index: usize) -> i64 {
        self.first + i64::try_from(index).unwrap_or(0) * self.step
    }

    /// Where a second stands, as an index with a fraction; `None` outside.
    fn place_of(&self, second: i64) -> Option<f64> {
        let last = self.values.len().checked_sub(1).filter(|last| *last > 0)?;
        let place = (second - self.first) as f64 / self.step.max(1) as f64;
        (0.0..=last as f64).contains(&place).then_some(place)
    }
}

#[component]
pub fn LineChart(
    #[prop(into)] title: String,
    unit: ChartUnit,
    #[prop(into)] plot: Signal<Plot>,
    /// The seconds that the user has chosen by dragging.
    on_select: Callback<(i64, i64)>,
) -> impl IntoView {
    let pointed = RwSignal::new(None::<usize>);
    let dragged_from = RwSignal::new(None::<usize>);
    let label = title.clone();
    let spoken = move || plot.with(|plot| summary(&label, unit, plot));
    let top = Memo::new(move |_| plot.with(|p| unit.top(p.lowest_and_highest().map_or(0.0, |(_, high)| high))));
    let tick = move |share: f64| move || unit.short(top.get() * share);
    let readout = move || plot.with(|plot| readout(unit, plot, pointed.get(), &Local));
    let [first_time, last_time] = [false, true].map(|is_last| move || plot.with(|p| edge(p, is_last, &Local)));
    let index_of = move |event: &PointerEvent| {
        let target = event.current_target();
        let width = target.map(|target| target.unchecked_into::<Element>().client_width());
        let count = plot.with_untracked(|plot| plot.values.len());
        width.and_then(|width| index_at(event.offset_x(), width, count))
    };
    let on_move = move |event: PointerEvent| pointed.set(index_of(&event));
    let on_down = move |event: PointerEvent| dragged_from.set(index_of(&event));
    let on_up = move |event: PointerEvent| {
        let (from, to) = (dragged_from.get_untracked(), index_of(&event));
        dragged_from.set(None);
        if let Some((from, to)) = from.zip(to).filter(|(from, to)| from.abs_diff(*to) >= DRAGGED_MIN) {
            let (from, to) = (from.min(to), from.max(to));
            on_select.run(plot.with_untracked(|plot| (plot.second_of(from), plot.second_of(to))));
        }
    };
    let on_leave = move |_| {
        pointed.set(None);
        dragged_from.set(None);
    };
    view! {
        <figure class="gw-chart">
            <figcaption class="gw-chart__head">
                <span class="gw-chart__title">{title}</span>
                <span class="gw-chart__value">{readout}</span>
            </figcaption>
            <div class="gw-chart__ticks" aria-hidden="true">
                <span>{tick(1.0)}</span>
                <span>{tick(0.5)}</span>
                <span>{tick(0.0)}</span>
            </div>
            <div
                class="gw-chart__plot"
                role="img"
                aria-label=spoken
                on:pointermove=on_move
                on:pointerdown=on_down
                on:pointerup=on_up
                on:pointerleave=on_leave
            >
                <Drawing plot=plot top=top pointed=pointed dragged_from=dragged_from/>
            </div>
            <div class="gw-chart__times" aria-hidden="true">
                <span>{first_time}</span>
                <span>{last_time}</span>
            </div>
        </figure>
    }
}

#[component]
fn Drawing(
    plot: Signal<Plot>,
    top: Memo<f64>,
    pointed: RwSignal<Option<usize>>,
    dragged_from: RwSignal<Option<usize>>,
) -> impl IntoView {
    let line_path = move || plot.with(|plot| line(&plot.values, top.get()));
    let area_path = move || plot.with(|plot| area(&plot.values, top.get()));
    let cursor = move || {
        let x = plot.with(|plot| x_of(pointed.get()?, plot.values.len()));
        x.map(|x| view! { <line class="gw-chart__cursor" x1=x x2=x y1="0" y2=HEIGHT/> })
    };
    let selection = move || {
        let count = plot.with(|plot| plot.values.len());
        let (a, b) = (x_of(dragged_from.get()?, count)?, x_of(pointed.get()?, count)?);
        Some(view! { <rect class="gw-chart__selection" x=a.min(b) width=(a - b).abs() y="0" height=HEIGHT/> })
    };
    let marks = move || {
        plot.with(|plot| {
            let last = plot.values.len().saturating_sub(1).max(1) as f64;
            let line = |mark: &Mark| {
                let x = plot.place_of(mark.second)? / last * WIDTH;
                Some(view! { <line class="gw-chart__mark" x1=x x2=x y1="0" y2=HEIGHT/> })
            };
            plot.marks.iter().filter_map(line).collect_view()
        })
    };
    let grid = [0.0, HEIGHT / 2.0, HEIGHT].map(|y| {
        view! { <line class="gw-chart__grid" x1="0" x2=WIDTH y1=y y2=y/> }
    });
    view! {
        <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
            {grid}
            <path class="gw-chart__area" d=area_path/>
            <path class="gw-chart__line" d=line_path/>
            {marks}
            {selection}
            {cursor}
        </svg>
    }
}

/// A shorter drag is a press that slipped.
const DRAGGED_MIN: usize = 3;

/// The drawing in words.
fn summary(title: &str, unit: ChartUnit, plot: &Plot) -> String {
    match (plot.last(), plot.lowest_and_highest()) {
        (Some(last), Some((low, high))) => format!(
            "{title} over {}: {} {}, lowest {}, highest {}",
            length(plot.span_seconds()),
            if plot.is_now { "now" } else { "at the end" },
            unit.long(last),
            unit.long(low),
            unit.long(high)
        ),
        _ => format!("{title}: nothing measured yet"),
    }
}

/// The value under the pointer with its time and what happened there, else the last one.
fn readout<Z: TimeZone>(unit: ChartUnit, plot: &Plot, pointed: Option<usize>, zone: &Z) -> String
where
    Z::Offset: Display,
{
    let text = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| unit.long(v));
    let Some(index) = pointed.filter(|index| *index < plot.values.len()) else {
        return text(plot.last());
    };
    let near = |mark: &&Mark| {
        plot.place_of(mark.second)
            .is_some_and(|place| (place - index as f64).abs() <= MARK_REACH)
    };
    let happened: String = plot
        .marks
        .iter()
        .filter(near)
        .map(|mark| format!(", {}", mark.text))
        .collect();
    format!(
        "{}: {}{happened}",
        clock_at(plot, index, zone),
        text(plot.values[index])
    )
}

/// A mark is read out this near to it, in values.
const MARK_REACH: f64 = 4.0;

fn clock_at<Z: TimeZone>(plot: &Plot, index: usize, zone: &Z) -> String
where
    Z::Offset: Display,
{
    let at = DateTime::from_timestamp(plot.second_of(index), 0);
    at.map_or_else(String::new, |at| time::clock(at, zone))
}

/// The time at the beginning or the end of the axis.
fn edge<Z: TimeZone>(plot: &Plot, is_last: bool, zone: &Z) -> String
where
    Z::Offset: Display,
{
    match (is_last, plot.is_now, plot.values.len()) {
        (_, _, 0) => String::new(),
        (true, true, _) => "now".into(),
        (true, false, count) => clock_at(plot, count - 1, zone),
        (false, _, _) => clock_at(plot, 0, zone),
    }
}

/// `45 s`, `5 min`, `4 min 59 s`
fn length(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, rest) => format!("{rest} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, rest) => format!("{minutes} min {rest:02} s"),
    }
}

/// The value that lies nearest to a place of the drawing, both in pixels.
fn index_at(x: i32, width: i32, count: usize) -> Option<usize> {
    if width <= 0 || count == 0 {
        return None;
    }
    let share = (f64::from(x) / f64::from(width)).clamp(0.0, 1.0);
    Some((share * (count - 1) as f64).round() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Utc;

    /// Ends at 10:03:22.
    fn plot(values: &[Option<f64>], is_now: bool) -> Plot {
        let end = 1_793_700_202;
        Plot {
            values: values.to_vec(),
            first: end - (values.len() as i64 - 1),
            step: 1,
            is_now,
            marks: Vec::new(),
        }
    }

    #[test]
    fn the_drawing_in_words() {
        let check = |plot: Plot, text: &str| assert_eq!(summary("Rate", ChartUnit::EventsPerSecond, &plot), text);
        check(plot(&[None, None], true), "Rate: nothing measured yet");
        check(
            plot(&[Some(4.0), None, Some(2.0)], true),
            "Rate over 2 s: now 2 events/s, lowest 2 events/s, highest 4 events/s",
        );
        check(
            plot(&[Some(4.0); 61], false),
            "Rate over 1 min: at the end 4 events/s, lowest 4 events/s, highest 4 events/s",
        );
    }

    #[test]
    fn what_is_pointed_at() {
        let mut rates = plot(&[Some(4.0), None, Some(2.0)], true);
        let text = |plot: &Plot, index| readout(ChartUnit::EventsPerSecond, plot, index, &Utc);
        assert_eq!(text(&rates, None), "2 events/s");
        assert_eq!(text(&rates, Some(0)), "10:03:20: 4 events/s");
        assert_eq!(text(&rates, Some(1)), "10:03:21: –");
        assert_eq!(text(&rates, Some(9)), "2 events/s");
        rates.marks.push(Mark {
            second: rates.first,
            text: "paused".into(),
        });
        assert_eq!(text(&rates, Some(1)), "10:03:21: –, paused");
        assert_eq!(index_at(0, 100, 61), Some(0));
        assert_eq!(index_at(49, 100, 61), Some(29));
        assert_eq!(index_at(140, 100, 61), Some(60));
        assert_eq!(index_at(10, 0, 61), None);
    }

    #[test]
    fn the_ends_of_the_axis_of_time_and_places_on_it() {
        let ends = |plot: &Plot| [edge(plot, false, &Utc), edge(plot, true, &Utc)];
        assert_eq!(ends(&plot(&[None; 301], true)), ["09:58:22", "now"]);
        assert_eq!(ends(&plot(&[None; 91], false)), ["10:01:52", "10:03:22"]);
        let mut long = plot(&[None; 91], true);
        long.step = 60;
        assert_eq!(long.span_seconds(), 5_400);
        assert_eq!(long.place_of(long.first + 90), Some(1.5));
        assert_eq!(
            (long.place_of(long.first - 1), long.place_of(long.first + 6_000)),
            (None, None)
        );
    }
}
