//! What has been written of each collection.

use super::JobSignal;
use super::collection_details::CollectionDrawer;
use super::figures::{CollectionFigures, collection_figures};
use super::parts::{PartList, tone_of};
use crate::components::badge::Badge;
use crate::components::table::TableColumn;
use leptos::prelude::*;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Collection"),
    TableColumn::text("Status"),
    TableColumn::number("Written"),
    TableColumn::number("In the collection now"),
];

#[component]
pub fn CollectionList(job: JobSignal) -> impl IntoView {
    let names = Memo::new(move |_| {
        let job = job.get();
        let names = job.statistics.collections.iter().map(|c| c.collection.clone());
        names.enumerate().collect()
    });
    // All stay in sight: what they hold goes on changing.
    let finished = Memo::new(move |_| Vec::new());
    let row = move |(index, name): (usize, String)| view! { <CollectionRow job=job index=index name=name/> };
    view! { <PartList title="Collections" caption="Documents of each collection" columns=COLUMNS names=names finished=finished row=row/> }
}

#[component]
fn CollectionRow(job: JobSignal, index: usize, name: String) -> impl IntoView {
    let figures = Memo::new(move |_| {
        let job = job.get();
        let collection = job.statistics.collections.get(index);
        collection.map_or_else(CollectionFigures::default, |c| collection_figures(&job, c))
    });
    let tone = Signal::derive(move || tone_of(figures.with(|f| f.state)));
    let is_open = RwSignal::new(false);
    let close = Callback::new(move |()| is_open.set(false));
    let own = name.clone();
    let details = move || {
        is_open
            .get()
            .then(|| view! { <CollectionDrawer job=job name=own.clone() on_close=close/> })
    };
    let notice = move || {
        let text = figures.with(|f| f.untouched.clone());
        text.map(|text| view! { <p class="gw-untouched" data-testid="untouched">{text}</p> })
    };
    view! {
        <tr data-testid="collection-row">
            <td>
                <button
                    type="button"
                    class="gw-link-button gw-code"
                    aria-haspopup="dialog"
                    data-testid="collection-open"
                    on:click=move |_| is_open.set(true)
                >
                    {name.clone()}
                </button>
                {notice}
                {details}
            </td>
            <td><Badge text=Signal::derive(move || figures.with(|f| f.label.to_owned())) tone=tone/></td>
            <td class="gw-number" data-testid="collection-written">{move || figures.with(|f| f.documents.clone())}</td>
            <td class="gw-number" data-testid="collection-now">{move || figures.with(|f| f.now.clone())}</td>
        </tr>
    }
}
