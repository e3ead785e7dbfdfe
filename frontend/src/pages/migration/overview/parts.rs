//! The frame of a list of what a job works on: its tables, its collections.

use super::figures::TableState;
use crate::components::badge::{Badge, Tone};
use crate::components::icon::{Glyph, Icon};
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use leptos::prelude::*;

/// Fewer finished parts need no folding.
const FOLDED_MIN: usize = 5;

/// A panel with a row for each part. The parts of a job and their order do not change; a row follows its own.
#[component]
pub fn PartList<R, V>(
    title: &'static str,
    caption: &'static str,
    columns: &'static [TableColumn],
    /// Each with its place.
    names: Memo<Vec<(usize, String)>>,
    /// Places of those that are finished: many of them are folded into one line.
    finished: Memo<Vec<usize>>,
    row: R,
) -> impl IntoView
where
    R: Fn((usize, String)) -> V + Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let row = StoredValue::new(row);
    let count = Signal::derive(move || number::count(names.with(Vec::len) as u64));
    let is_open = RwSignal::new(false);
    let folds = Memo::new(move |_| finished.with(Vec::len) >= FOLDED_MIN);
    let shown = Memo::new(move |_| {
        let folded = if folds.get() && !is_open.get() {
            finished.get()
        } else {
            Vec::new()
        };
        names.with(|names| {
            let is_shown = |part: &&(usize, String)| folded.binary_search(&part.0).is_err();
            names.iter().filter(is_shown).cloned().collect::<Vec<_>>()
        })
    });
    let fold_count = move || number::counted(finished.with(Vec::len) as u64, "finished", "finished");
    let fold_hint = move || if is_open.get() { "fold them" } else { "show them" };
    let chevron = Signal::derive(move || {
        if is_open.get() {
            Icon::ChevronDown
        } else {
            Icon::ChevronRight
        }
    });
    let width = columns.len();
    view! {
        <Show when=move || !names.with(Vec::is_empty)>
            <section class="gw-panel" aria-label=title>
                <header class="gw-panel__head">
                    <div class="gw-row"><h2>{title}</h2><Badge text=count/></div>
                </header>
                <div class="gw-bounded">
                    <Table caption=caption columns=columns>
                        <tbody>
                            <For each=move || shown.get() key=Clone::clone children=row.get_value()/>
                            <Show when=move || folds.get()>
                                <tr class="gw-fold" data-testid="finished-parts">
                                    <td colspan=width>
                                        <button
                                            type="button"
                                            class="gw-fold__toggle"
                                            aria-expanded=move || is_open.get().to_string()
                                            on:click=move |_| is_open.update(|open| *open = !*open)
                                        >
                                            <Glyph icon=chevron/>
                                            <span class="gw-status" data-tone="success"><Glyph icon=Icon::Check/></span>
                                            {fold_count}
                                            <span class="gw-fold__hint gw-muted">{fold_hint}</span>
                                        </button>
                                    </td>
                                </tr>
                            </Show>
                        </tbody>
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

/// Words with what they mean, folded: `children` are `<dt>` and `<dd>`.
#[component]
pub fn Help(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <details class="gw-more gw-help">
            <summary>{title}</summary>
            <dl class="gw-help__list">{children()}</dl>
        </details>
    }
}
