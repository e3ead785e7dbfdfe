//! The time of day as a signal: durations of running jobs and *Today* follow it.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use std::time::Duration;

#[derive(Clone, Copy)]
struct Clock(RwSignal<DateTime<Utc>>);

/// Starts the clock of the page. Once, in the shell.
pub fn provide_clock() {
    let now = RwSignal::new(Utc::now());
    provide_context(Clock(now));
    // Lives as long as the page; without a timer the page only shows the time of its start.
    let _ = set_interval_with_handle(move || now.set(Utc::now()), Duration::from_secs(1));
}

/// The time in UTC, new every second.
pub fn use_now() -> Signal<DateTime<Utc>> {
    expect_context::<Clock>().0.into()
}
