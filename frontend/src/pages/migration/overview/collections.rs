//! What has been written of each collection.

use super::JobSignal;
use super::figures::{CollectionFigures, TableState, collection_figures};
use crate::components::badge::{Badge, Tone};
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use leptos::prelude::*;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Collection"),
    TableColumn::text("Status"),
    TableColumn::number("Documents"),
];

#[component]
pub fn CollectionList(job: JobSignal) -> impl IntoView {
    // The collections of a job and their order do not change.
    let names = Memo::new(move |_| {
        let job = job.get();
        let names = job.statistics.collections.iter().map(|c| c.collection.clone());
        names.enumerate().collect::<Vec<_>>()
    });
    let count = Signal::derive(move || number::count(names.with(Vec::len) as u64));
    let row = move |(index, name): (usize, String)| view! { <CollectionRow job=job index=index name=name/> };
    view! {
        <Show when=move || !names.with(Vec::is_empty)>
            <section class="gw-panel" aria-label="Collections">
                <header class="gw-panel__head">
                    <div class="gw-row"><h2>"Collections"</h2><Badge text=count/></div>
                </header>
                <div class="gw-bounded">
                    <Table caption="Documents of each collection" columns=COLUMNS>
                        <tbody><For each=move || names.get() key=Clone::clone children=row/></tbody>
                    </Table>
                </div>
            </section>
        </Show>
    }
}

#[component]
fn CollectionRow(job: JobSignal, index: usize, name: String) -> impl IntoView {
    let figures = Memo::new(move |_| {
        let job = job.get();
        let collection = job.statistics.collections.get(index);
        collection.map_or_else(CollectionFigures::default, |c| collection_figures(&job, c))
    });
    let state = Memo::new(move |_| figures.with(|f| f.state));
    let tone = Signal::derive(move || match state.get() {
        TableState::Complete => Tone::Success,
        TableState::Reading => Tone::Accent,
        TableState::Waiting | TableState::NotRead | TableState::Partly => Tone::Neutral,
    });
    let notice = move || {
        let text = figures.with(|f| f.untouched.clone());
        text.map(|text| view! { <p class="gw-untouched" data-testid="untouched">{text}</p> })
    };
    view! {
        <tr data-testid="collection-row">
            <td><span class="gw-code">{name}</span>{notice}</td>
            <td><Badge text=Signal::derive(move || figures.with(|f| f.label.to_owned())) tone=tone/></td>
            <td class="gw-number">{move || figures.with(|f| f.documents.clone())}</td>
        </tr>
    }
}
