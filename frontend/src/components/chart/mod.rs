//! A line of values over the last minutes: one value for each second, gaps where nothing is known.
//!
//! The drawing is stretched to the width that there is; texts stand beside it, so that they are not stretched with it.
//! What is drawn is also said in words, for those who do not see it.

mod geometry;
mod unit;

pub use unit::ChartUnit;

use geometry::{HEIGHT, WIDTH, area, line, x_of};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};

/// What a chart draws.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plot {
    /// One for each second, oldest first; `None` where nothing is known.
    pub values: Vec<Option<f64>>,
    /// The time of the last value as a clock shows it; absent: it is now.
    pub ended: Option<String>,
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
        self.values.len().saturating_sub(1) as u64
    }
}

#[component]
pub fn LineChart(#[prop(into)] title: String, unit: ChartUnit, #[prop(into)] plot: Signal<Plot>) -> impl IntoView {
    let pointed = RwSignal::new(None::<usize>);
    let label = title.clone();
    let spoken = move || plot.with(|plot| summary(&label, unit, plot));
    let top = Memo::new(move |_| plot.with(|p| unit.top(p.lowest_and_highest().map_or(0.0, |(_, high)| high))));
    let tick = move |share: f64| move || unit.short(top.get() * share);
    let readout = move || plot.with(|plot| readout(unit, plot, pointed.get()));
    let [first_time, last_time] = [Edge::First, Edge::Last].map(|edge| move || plot.with(|p| time_at(p, edge)));
    let on_move = move |event: PointerEvent| {
        let width = event
            .current_target()
            .map(|target| target.unchecked_into::<Element>().client_width());
        let count = plot.with_untracked(|plot| plot.values.len());
        pointed.set(width.and_then(|width| index_at(event.offset_x(), width, count)));
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
                on:pointerleave=move |_| pointed.set(None)
            >
                <Drawing plot=plot top=top pointed=pointed/>
            </div>
            <div class="gw-chart__times" aria-hidden="true">
                <span>{first_time}</span>
                <span>{last_time}</span>
            </div>
        </figure>
    }
}

#[component]
fn Drawing(plot: Signal<Plot>, top: Memo<f64>, pointed: RwSignal<Option<usize>>) -> impl IntoView {
    let line_path = move || plot.with(|plot| line(&plot.values, top.get()));
    let area_path = move || plot.with(|plot| area(&plot.values, top.get()));
    let cursor = move || {
        let x = plot.with(|plot| x_of(pointed.get()?, plot.values.len()));
        x.map(|x| view! { <line class="gw-chart__cursor" x1=x x2=x y1="0" y2=HEIGHT/> })
    };
    let grid = [0.0, HEIGHT / 2.0, HEIGHT].map(|y| {
        view! { <line class="gw-chart__grid" x1="0" x2=WIDTH y1=y y2=y/> }
    });
    view! {
        <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
            {grid}
            <path class="gw-chart__area" d=area_path/>
            <path class="gw-chart__line" d=line_path/>
            {cursor}
        </svg>
    }
}

/// The drawing in words.
fn summary(title: &str, unit: ChartUnit, plot: &Plot) -> String {
    match (plot.last(), plot.lowest_and_highest()) {
        (Some(last), Some((low, high))) => format!(
            "{title} over {}: {} {}, lowest {}, highest {}",
            length(plot.span_seconds()),
            if plot.ended.is_some() { "at the end" } else { "now" },
            unit.long(last),
            unit.long(low),
            unit.long(high)
        ),
        _ => format!("{title}: nothing measured yet"),
    }
}

/// The value under the pointer with its time, else the last one.
fn readout(unit: ChartUnit, plot: &Plot, pointed: Option<usize>) -> String {
    let text = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| unit.long(v));
    match pointed.filter(|index| *index < plot.values.len()) {
        Some(index) => {
            let seconds_before_end = plot.span_seconds() - index as u64;
            format!("{}: {}", before_end(plot, seconds_before_end), text(plot.values[index]))
        }
        None => text(plot.last()),
    }
}

/// An end of the axis of time.
#[derive(Clone, Copy)]
enum Edge {
    First,
    Last,
}

fn time_at(plot: &Plot, edge: Edge) -> String {
    match edge {
        Edge::First => before_end(plot, plot.span_seconds()),
        Edge::Last => before_end(plot, 0),
    }
}

fn before_end(plot: &Plot, seconds: u64) -> String {
    match (&plot.ended, seconds) {
        (None, 0) => "now".into(),
        (None, _) => format!("{} ago", length(seconds)),
        (Some(clock), 0) => clock.clone(),
        (Some(_), _) => format!("{} earlier", length(seconds)),
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

    fn plot(values: &[Option<f64>], ended: Option<&str>) -> Plot {
        Plot {
            values: values.to_vec(),
            ended: ended.map(String::from),
        }
    }

    #[test]
    fn the_drawing_in_words() {
        let check = |plot: Plot, text: &str| assert_eq!(summary("Rate", ChartUnit::EventsPerSecond, &plot), text);
        check(plot(&[None, None], None), "Rate: nothing measured yet");
        check(
            plot(&[Some(4.0), None, Some(2.0)], None),
            "Rate over 2 s: now 2 events/s, lowest 2 events/s, highest 4 events/s",
        );
        check(
            plot(&[Some(4.0); 61], Some("14:03:22")),
            "Rate over 1 min: at the end 4 events/s, lowest 4 events/s, highest 4 events/s",
        );
    }

    #[test]
    fn what_is_pointed_at() {
        let rates = plot(&[Some(4.0), None, Some(2.0)], None);
        let check = |index, text: &str| assert_eq!(readout(ChartUnit::EventsPerSecond, &rates, index), text);
        check(None, "2 events/s");
        check(Some(0), "2 s ago: 4 events/s");
        check(Some(1), "1 s ago: –");
        check(Some(2), "now: 2 events/s");
        check(Some(9), "2 events/s");
        assert_eq!(index_at(0, 100, 61), Some(0));
        assert_eq!(index_at(49, 100, 61), Some(29));
        assert_eq!(index_at(140, 100, 61), Some(60));
        assert_eq!(index_at(10, 0, 61), None);
    }

    #[test]
    fn the_ends_of_the_axis_of_time() {
        let ends = |plot: &Plot| [time_at(plot, Edge::First), time_at(plot, Edge::Last)];
        assert_eq!(ends(&plot(&[None; 301], None)), ["5 min ago", "now"]);
        assert_eq!(
            ends(&plot(&[None; 91], Some("14:03:22"))),
            ["1 min 30 s earlier", "14:03:22"]
        );
    }
}
