//! The time of day as a signal: durations of running jobs and *Today* follow it. All that changes by itself changes with
//! its beat, so that the browser paints one picture for it.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use std::time::Duration;

const BEATS_PER_SECOND: u32 = 2;

#[derive(Clone, Copy)]
struct Clock {
    now: RwSignal<DateTime<Utc>>,
    beat: RwSignal<u32>,
}

/// Starts the clock of the page. Once, in the shell.
pub fn provide_clock() {
    let clock = Clock {
        now: RwSignal::new(Utc::now()),
        beat: RwSignal::new(0),
    };
    provide_context(clock);
    let tick = move || {
        clock.beat.update(|beat| *beat = beat.wrapping_add(1));
        if clock.beat.get_untracked().is_multiple_of(BEATS_PER_SECOND) {
            clock.now.set(Utc::now());
        }
    };
    // Lives as long as the page; without a timer the page only shows the time of its start.
    let _ = set_interval_with_handle(tick, Duration::from_secs(1) / BEATS_PER_SECOND);
}

/// The time in UTC, new every second.
pub fn use_now() -> Signal<DateTime<Utc>> {
    expect_context::<Clock>().now.into()
}

/// Counts half seconds.
pub fn use_beat() -> Signal<u32> {
    expect_context::<Clock>().beat.into()
}
