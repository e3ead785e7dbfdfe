//! *Job update log*: groups of equal events, newest first.

mod order;
mod row;

use super::overview::JobSignal;
use crate::api::jobs::logs_url;
use crate::components::badge::Badge;
use crate::components::button::DownloadLink;
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use leptos::prelude::*;
use order::LogIndex;
use row::LogRow;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Severity"),
    TableColumn::text("Date & Time"),
    TableColumn::text("Table / Collection"),
    TableColumn::number("Count"),
    TableColumn::text("Event detail"),
];

#[component]
pub fn JobLog(job: JobSignal) -> impl IntoView {
    let index = Memo::new(move |_| LogIndex::of(&job.get().job_updates));
    let count = Signal::derive(move || number::count(index.with(LogIndex::event_count)));
    let is_empty = Memo::new(move |_| index.with(|index| index.keys().is_empty()));
    let id = job.get_untracked().id.clone();
    view! {
        <section class="gw-panel" aria-label="Job update log">
            <header class="gw-panel__head">
                <div class="gw-row"><h2>"Job update log"</h2><Badge text=count attr:data-testid="log-count"/></div>
                <DownloadLink label="Download" href=logs_url(&id) file_name=format!("job-{id}.jsonl") is_wide=true/>
            </header>
            <Show
                when=move || !is_empty.get()
                fallback=|| view! { <p class="gw-panel__body gw-muted">"Nothing to report so far."</p> }
            >
                <div class="gw-bounded"><LogTable index=index/></div>
            </Show>
        </section>
    }
}

#[component]
fn LogTable(index: Memo<LogIndex>) -> impl IntoView {
    let keys = move || index.with(|index| index.keys().to_vec());
    view! {
        <Table caption="Events of the job" columns=COLUMNS>
            <For each=keys key=Clone::clone let:key><LogRow index=index key_text=key/></For>
        </Table>
    }
}
