//! Which rows of a table count: what follows WHERE, and how many, with a count of the rows that it lets through.

use super::forms::code_area::{CodeArea, Language};
use super::forms::faults::error_at;
use super::forms::inputs::TextInput;
use super::workbench::use_workbench;
use crate::api;
use crate::components::button::{Button, ButtonTone};
use crate::components::icon::Icon;
use crate::format::number;
use crate::pages::migration::wizard::use_drafts;
use godwit_shared::draft::{CheckFilter, FilterCount};
use godwit_shared::edit::{Edit, Part, Place, table_filter};
use godwit_shared::ids::TableId;
use godwit_shared::job::TableFilter;
use leptos::prelude::*;

/// `120 of 4,000 rows`
fn words(count: &FilterCount) -> String {
    match (&count.problem, count.rows) {
        (Some(problem), _) => problem.clone(),
        (None, Some(rows)) => format!(
            "{} of {}",
            number::count(rows),
            number::counted(count.total, "row", "rows")
        ),
        (None, None) => number::counted(count.total, "row", "rows"),
    }
}

#[component]
pub fn TableFilterField(table: TableId) -> impl IntoView {
    let bench = use_workbench();
    let drafts = use_drafts();
    let error = error_at(Place::of_table(&table, Part::TableFilter));
    let id = StoredValue::new(table);
    let now = Memo::new(move |_| {
        let found = id.with_value(|id| bench.with_content(|content| content.tables.get(id).and_then(table_filter)));
        found.unwrap_or_default()
    });
    let said = RwSignal::new(None::<Result<String, String>>);
    let set = move |filter: TableFilter| {
        let table = id.get_value();
        let is_empty = filter == TableFilter::default();
        bench.apply(Edit::SetTableFilter {
            table,
            filter: (!is_empty).then_some(filter),
        });
        said.set(None);
    };
    let clause = Signal::derive(move || now.with(|now| now.where_clause.clone()).unwrap_or_default());
    let set_clause = Callback::new(move |text: String| {
        let where_clause = Some(text).filter(|text| !text.trim().is_empty());
        set(TableFilter {
            where_clause,
            ..now.get_untracked()
        });
    });
    let limit = Signal::derive(move || now.with(|now| now.row_count.map(|n| n.to_string())).unwrap_or_default());
    let set_limit = Callback::new(move |text: String| {
        set(TableFilter {
            row_count: text.trim().parse().ok(),
            ..now.get_untracked()
        });
    });
    let is_busy = RwSignal::new(false);
    let count = Callback::new(move |()| {
        let project = bench.id.get_value();
        let request = CheckFilter {
            jdbc_connection_details: drafts.source_of(&project),
            table: id.get_value(),
            filter: now.get_untracked(),
        };
        is_busy.set(true);
        leptos::task::spawn_local(async move {
            let answer = api::drafts::filter(&project, &request).await;
            let _ = is_busy.try_set(false);
            let _ = said.try_set(Some(answer.map(|count| words(&count)).map_err(|error| error.message())));
        });
    });
    let text = move || {
        said.get().map(|said| match said {
            Ok(text) => view! { <p class="gw-muted" role="status" data-testid="filter-count">{text}</p> }.into_any(),
            Err(text) => view! { <p class="gw-forms__warning" role="status">{text}</p> }.into_any(),
        })
    };
    view! {
        <section class="gw-forms__part" aria-label="Rows of the table">
            <header class="gw-forms__part-head"><h3>"Rows"</h3></header>
            <CodeArea
                label="Only rows where (SQL)"
                value=clause
                on_commit=set_clause
                error=error
                language=Language::Sql
                placeholder="placed_on >= '2025-01-01'"
                testid="table-filter"
            />
            <TextInput label="At most so many rows" value=limit on_commit=set_limit placeholder="all" testid="table-limit"/>
            <div>
                <Button label="Count the rows" icon=Icon::Filter tone=ButtonTone::Quiet is_busy=is_busy on_press=count attr:data-testid="filter-check"/>
            </div>
            {text}
        </section>
    }
}
