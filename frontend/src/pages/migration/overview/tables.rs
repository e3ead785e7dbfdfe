//! The progress of each table.

use super::JobSignal;
use super::figures::{TableFigures, TableState, table_figures};
use crate::components::badge::{Badge, Tone};
use crate::components::progress::ProgressBar;
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use leptos::prelude::*;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Table"),
    TableColumn::text("Status"),
    TableColumn::number("Rows"),
    TableColumn::number("Share"),
    TableColumn::unnamed("Progress"),
];

#[component]
pub fn TableList(job: JobSignal) -> impl IntoView {
    // The tables of a job and their order do not change; their progress is followed row by row.
    let names = Memo::new(move |_| {
        let tables = job
            .get()
            .statistics
            .tables
            .iter()
            .map(|t| t.table.clone())
            .collect::<Vec<_>>();
        tables.into_iter().enumerate().collect::<Vec<_>>()
    });
    let count = Signal::derive(move || number::count(names.with(Vec::len) as u64));
    let row = move |(index, name): (usize, String)| view! { <TableRow job=job index=index name=name/> };
    view! {
        <Show when=move || !names.with(Vec::is_empty)>
            <section class="gw-panel" aria-label="Tables">
                <header class="gw-panel__head">
                    <div class="gw-row"><h2>"Tables"</h2><Badge text=count/></div>
                </header>
                <div class="gw-bounded">
                    <Table caption="Progress of each table" columns=COLUMNS>
                        <tbody><For each=move || names.get() key=Clone::clone children=row/></tbody>
                    </Table>
                </div>
            </section>
        </Show>
    }
}

#[component]
fn TableRow(job: JobSignal, index: usize, name: String) -> impl IntoView {
    let figures = Memo::new(move |_| {
        let job = job.get();
        job.statistics
            .tables
            .get(index)
            .map_or_else(TableFigures::default, |table| table_figures(&job, table))
    });
    let state = Memo::new(move |_| figures.with(|f| f.state));
    let tone = Signal::derive(move || match state.get() {
        TableState::Waiting | TableState::NotRead | TableState::Partly => Tone::Neutral,
        TableState::Reading => Tone::Accent,
        TableState::Complete => Tone::Success,
    });
    let percent_text = Signal::derive(move || figures.with(|f| f.percent_text.clone()));
    let label = format!("Progress of {name}");
    view! {
        <tr>
            <td class="gw-code">{name}</td>
            <td><Badge text=Signal::derive(move || state.get().label().to_owned()) tone=tone/></td>
            <td class="gw-number">{move || figures.with(|f| f.rows.clone())}</td>
            <td class="gw-number">{percent_text}</td>
            <td class="gw-cell-bar">
                <ProgressBar label=label percent=Signal::derive(move || figures.with(|f| f.percent)) value_text=percent_text tone=tone/>
            </td>
        </tr>
    }
}
