//! *Job update log*: groups of equal events. They can be sorted, filtered by severity and opened.
//!
//! Only the rows in sight are in the page ([`window`]): a log holds hundreds of groups, and changes several times a second.

mod again;
mod order;
mod row;
mod view;
mod window;

use super::overview::JobSignal;
use crate::api::jobs::logs_url;
use crate::components::badge::Badge;
use crate::components::button::DownloadLink;
use crate::components::icon::{Glyph, Icon};
use crate::format::number;
use again::RetryButton;
use godwit_shared::job::EventType;
use leptos::html;
use leptos::prelude::*;
use order::LogIndex;
use row::{LogRow, severity};
use std::collections::HashMap;
use std::sync::Arc;
use view::{Column, Order, SEVERITIES, Shown, count_of, rows};
use window::{Window, window};

/// The height of a closed row before the first one has been measured, pixels.
const ROW_HEIGHT: f64 = 30.0;

/// Rows that need no scrolling.
const SHORT: usize = 8;

/// What the parts of the log share.
#[derive(Clone, Copy)]
struct Log {
    index: Memo<Arc<LogIndex>>,
    order: RwSignal<Order>,
    shown: RwSignal<Shown>,
    /// The height of what is open below a row, by its key.
    open: RwSignal<HashMap<String, f64>>,
    row_height: RwSignal<f64>,
}

impl Log {
    fn toggle(self, key: &str) {
        self.open.update(|open| {
            if open.remove(key).is_none() {
                open.insert(key.to_owned(), 0.0);
            }
        });
    }

    /// Takes the height that the page has given to the details of an open row.
    fn measured(self, key: &str, height: f64) {
        let is_new = self
            .open
            .with_untracked(|open| open.get(key).is_some_and(|known| *known != height));
        if is_new {
            self.open.update(|open| _ = open.insert(key.to_owned(), height));
        }
    }
}

#[component]
pub fn JobLog(job: JobSignal) -> impl IntoView {
    let index = Memo::new_with_compare(
        move |known: Option<&Arc<LogIndex>>| {
            let job = job.get();
            match known {
                Some(known) if known.is_of(&job) => known.clone(),
                Some(_) | None => Arc::new(LogIndex::of(job)),
            }
        },
        |before, after| {
            !before
                .zip(after)
                .is_some_and(|(before, after)| Arc::ptr_eq(before, after))
        },
    );
    let log = Log {
        index,
        order: RwSignal::new(Order::default()),
        shown: RwSignal::new(Shown::default()),
        open: RwSignal::new(HashMap::new()),
        row_height: RwSignal::new(ROW_HEIGHT),
    };
    let count = Signal::derive(move || number::count(index.with(|index| index.event_count())));
    let is_empty = Memo::new(move |_| index.with(|index| index.keys().is_empty()));
    let id = job.get_untracked().id.clone();
    view! {
        <section class="gw-panel" aria-label="Job update log">
            <header class="gw-panel__head">
                <div class="gw-row"><h2>"Job update log"</h2><Badge text=count attr:data-testid="log-count"/></div>
                <div class="gw-row">
                    <Show when=move || !is_empty.get()>
                        <LogSearch log=log/>
                        <SeverityFilter log=log/>
                    </Show>
                    <RetryButton job=job/>
                    <DownloadLink label="Download" href=logs_url(&id) file_name=format!("job-{id}.jsonl") is_wide=true/>
                </div>
            </header>
            <Show
                when=move || !is_empty.get()
                fallback=|| view! { <p class="gw-panel__body gw-muted">"Nothing to report so far."</p> }
            >
                <LogTable log=log/>
            </Show>
        </section>
    }
}

/// Looks for a text in all that a line says.
#[component]
fn LogSearch(log: Log) -> impl IntoView {
    let on_input = move |event| log.shown.update(|shown| shown.search = event_target_value(&event));
    view! {
        <input
            type="search"
            class="gw-input gw-log__search"
            placeholder="Search the log"
            aria-label="Search the log"
            data-testid="log-search"
            prop:value=move || log.shown.with(|shown| shown.search.clone())
            on:input=on_input
        />
    }
}

#[component]
fn SeverityFilter(log: Log) -> impl IntoView {
    let toggle = move |kind: EventType| {
        let status = severity(kind);
        let count = move || number::count(log.index.with(|index| count_of(index, kind)));
        view! {
            <button
                type="button"
                class="gw-chip"
                data-testid=format!("log-{}", status.label.to_lowercase())
                aria-pressed=move || log.shown.with(|shown| shown.only == Some(kind)).to_string()
                on:click=move |_| log.shown.update(|shown| shown.press(kind))
            >
                <span class="gw-status" data-tone=status.tone.name()><Glyph icon=status.icon/></span>
                {status.label.clone()}
                <span class="gw-muted">{count}</span>
            </button>
        }
    };
    view! { <div class="gw-row" role="group" aria-label="Severities">{SEVERITIES.map(toggle)}</div> }
}

#[component]
fn LogTable(log: Log) -> impl IntoView {
    let keys = Memo::new(move |_| {
        log.index
            .with(|index| log.shown.with(|shown| rows(index, log.order.get(), shown)))
    });
    let frame = NodeRef::<html::Div>::new();
    let sight = RwSignal::new((0.0, f64::from(u16::MAX)));
    let look = move || {
        if let Some(frame) = frame.get_untracked() {
            let seen = (f64::from(frame.scroll_top()), f64::from(frame.client_height()));
            if sight.get_untracked() != seen {
                sight.set(seen);
            }
        }
    };
    // Once it is there; afterwards its own events say when something has moved.
    Effect::new(move |_| frame.get().map(|_| request_animation_frame(look)));
    let window = Memo::new(move |_| {
        let (scrolled, viewport) = sight.get();
        let row = log.row_height.get();
        let heights = keys.with(|keys| {
            let open = log.open.get();
            let height = |key: &String| row + open.get(key).copied().unwrap_or_default();
            keys.iter().map(height).collect::<Vec<_>>()
        });
        window(&heights, scrolled, viewport)
    });
    let in_page = move || {
        let Window { first, last, .. } = window.get();
        keys.with(|keys| keys.get(first..last.min(keys.len())).unwrap_or_default().to_vec())
    };
    // A short log takes no more room than it needs.
    let class = move || match keys.with(Vec::len) <= SHORT {
        true => "gw-table-frame gw-log gw-log--short",
        false => "gw-table-frame gw-log",
    };
    let row_count = move || keys.with(|keys| keys.len() + 1).to_string();
    let is_empty = Memo::new(move |_| keys.with(Vec::is_empty));
    let space = move |height: fn(&Window) -> f64| {
        view! { <tbody aria-hidden="true"><tr style:height=move || format!("{}px", window.with(height))></tr></tbody> }
    };
    view! {
        <div
            class=class
            tabindex="0"
            role="region"
            aria-label="Events of the job"
            data-testid="log-frame"
            node_ref=frame
            on:scroll=move |_| look()
            // The user may have pulled it larger: that has no event of its own.
            on:pointermove=move |_| look()
        >
            <table class="gw-table gw-log__table" aria-rowcount=row_count>
                <caption class="gw-visually-hidden">"Events of the job"</caption>
                <thead><tr>{Column::ALL.map(|column| view! { <Head column=column order=log.order/> })}</tr></thead>
                {space(|window| window.above)}
                <For each=in_page key=Clone::clone let:key><LogRow log=log key_text=key keys=keys/></For>
                {space(|window| window.below)}
            </table>
            <Show when=move || is_empty.get()>
                <p class="gw-panel__body gw-muted">"No line fits what is searched and filtered."</p>
            </Show>
        </div>
    }
}

/// The head of a column; a press sorts by it.
#[component]
fn Head(column: Column, order: RwSignal<Order>) -> impl IntoView {
    let icon = Signal::derive(move || match order.get() {
        order if order.column != column => Icon::Unsorted,
        order if order.is_descending => Icon::Descending,
        _ => Icon::Ascending,
    });
    let class = match column {
        Column::Severity => "gw-log__severity",
        Column::Time => "gw-log__time",
        Column::Location => "gw-log__location",
        Column::Field => "gw-log__field",
        Column::Count => "gw-log__count gw-number",
        Column::Message => "gw-log__message",
    };
    view! {
        <th scope="col" class=class aria-sort=move || order.get().spoken(column)>
            <button type="button" class="gw-log__sort" on:click=move |_| order.update(|order| *order = order.pressed(column))>
                {column.head()}
                <Glyph icon=icon/>
            </button>
        </th>
    }
}
