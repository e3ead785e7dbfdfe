//! The frame of a list of what a job works on: its tables, its collections.

use super::figures::TableState;
use crate::components::badge::{Badge, Tone};
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use leptos::prelude::*;

/// A panel with a row for each part. The parts of a job and their order do not change; a row follows its own.
#[component]
pub fn PartList<R, V>(
    title: &'static str,
    caption: &'static str,
    columns: &'static [TableColumn],
    /// Each with its place.
    names: Memo<Vec<(usize, String)>>,
    row: R,
) -> impl IntoView
where
    R: Fn((usize, String)) -> V + Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let row = StoredValue::new(row);
    let count = Signal::derive(move || number::count(names.with(Vec::len) as u64));
    view! {
        <Show when=move || !names.with(Vec::is_empty)>
            <section class="gw-panel" aria-label=title>
                <header class="gw-panel__head">
                    <div class="gw-row"><h2>{title}</h2><Badge text=count/></div>
                </header>
                <div class="gw-bounded">
                    <Table caption=caption columns=columns>
                        <tbody><For each=move || names.get() key=Clone::clone children=row.get_value()/></tbody>
                    </Table>
                </div>
            </section>
        </Show>
    }
}

/// The colour of a part's state.
pub fn tone_of(state: TableState) -> Tone {
    match state {
        TableState::Waiting | TableState::NotRead | TableState::Partly => Tone::Neutral,
        TableState::Reading => Tone::Accent,
        TableState::Complete => Tone::Success,
    }
}
