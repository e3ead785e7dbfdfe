//! The progress of each table.

use super::JobSignal;
use super::figures::{TableFigures, table_figures};
use super::parts::{PartList, tone_of};
use crate::components::badge::Badge;
use crate::components::progress::ProgressBar;
use crate::components::table::TableColumn;
use leptos::prelude::*;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Table"),
    TableColumn::text("Status"),
    TableColumn::number("Rows in the source"),
    TableColumn::number("Rows read"),
    TableColumn::number("Share"),
    TableColumn::unnamed("Progress"),
];

#[component]
pub fn TableList(job: JobSignal) -> impl IntoView {
    let names = Memo::new(move |_| {
        let job = job.get();
        let names = job.statistics.tables.iter().map(|t| t.table.clone());
        names.enumerate().collect()
    });
    let finished = Memo::new(move |_| {
        let job = job.get();
        let tables = job.statistics.tables.iter().enumerate();
        tables.filter(|(_, t)| t.is_complete).map(|(place, _)| place).collect()
    });
    let row = move |(index, name): (usize, String)| view! { <TableRow job=job index=index name=name/> };
    view! { <PartList title="Tables" caption="Progress of each table" columns=COLUMNS names=names finished=finished row=row/> }
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
    let tone = Signal::derive(move || tone_of(state.get()));
    let percent_text = Signal::derive(move || figures.with(|f| f.percent_text.clone()));
    let label = format!("Progress of {name}");
    view! {
        <tr data-testid="table-row">
            <td class="gw-code">{name}</td>
            <td><Badge text=Signal::derive(move || state.get().label().to_owned()) tone=tone/></td>
            <td class="gw-number" data-testid="rows-in-scope">{move || figures.with(|f| f.in_scope.clone())}</td>
            <td class="gw-number">{move || figures.with(|f| f.rows.clone())}</td>
            <td class="gw-number">{percent_text}</td>
            <td class="gw-cell-bar">
                <ProgressBar label=label percent=Signal::derive(move || figures.with(|f| f.percent)) value_text=percent_text tone=tone/>
            </td>
        </tr>
    }
}
