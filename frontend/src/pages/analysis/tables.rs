//! *Tables*: sizes and use; or their columns.

use super::ReportSignal;
use crate::components::badge::Badge;
use crate::components::button::Button;
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use godwit_shared::analysis::{AnalysisReport, Growth, ObjectType, TableReport};
use godwit_shared::schema::Column;
use leptos::prelude::*;
use std::collections::HashMap;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Table"),
    TableColumn::number("Rows"),
    TableColumn::number("Size"),
    TableColumn::number("Indexes"),
    TableColumn::number("Growth"),
    TableColumn::number("Reads"),
    TableColumn::number("Writes"),
    TableColumn::text("Use"),
    TableColumn::number("Detections"),
];

const OF_COLUMNS: &[TableColumn] = &[
    TableColumn::text("Column"),
    TableColumn::text("Type"),
    TableColumn::text("Properties"),
];

/// Tables that are shown at once.
const SHOWN: usize = 100;

/// What a column is, in words.
fn properties(column: &Column) -> String {
    let key = column
        .foreign_key
        .as_ref()
        .map(|key| format!("refers to {}.{}", key.table, key.column));
    let words = [
        column.primary_key.is_some().then(|| "primary key".to_owned()),
        key,
        (!column.nullable && column.primary_key.is_none()).then(|| "not null".to_owned()),
        column.auto_incremented.then(|| "counter".to_owned()),
        column.generated.then(|| "computed".to_owned()),
        (column.unique_indexed && column.primary_key.is_none()).then(|| "unique".to_owned()),
        (column.indexed && !column.unique_indexed).then(|| "indexed".to_owned()),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn growth(growth: Option<Growth>) -> String {
    match growth {
        None => "\u{2013}".into(),
        Some(Growth { bytes: 0, .. }) => "0 B".into(),
        Some(Growth { bytes, .. }) => {
            let sign = if bytes < 0 { "\u{2212}" } else { "+" };
            format!("{sign}{}", number::bytes(bytes.unsigned_abs() as f64))
        }
    }
}

/// How many detections each table has.
fn detections(report: &AnalysisReport) -> HashMap<String, u64> {
    let mut counts = HashMap::new();
    for detection in report.open().filter(|d| d.dbo_type == ObjectType::Table) {
        *counts.entry(detection.entity_name.clone()).or_default() += 1;
    }
    counts
}

#[component]
pub fn Tables(report: ReportSignal) -> impl IntoView {
    let (shows_columns, text, limit) = (RwSignal::new(false), RwSignal::new(String::new()), RwSignal::new(SHOWN));
    let shown = Memo::new(move |_| {
        let wanted = text.with(|text| text.trim().to_lowercase());
        let report = report.get();
        let all = report.db_metrics.all_tables.iter();
        all.filter(|t| wanted.is_empty() || name_of(t).to_lowercase().contains(&wanted))
            .cloned()
            .collect::<Vec<_>>()
    });
    let count = Memo::new(move |_| shown.with(Vec::len));
    let toggle = move |of: bool, label: &'static str, testid: &'static str| {
        view! {
            <button
                type="button"
                class="gw-button"
                aria-pressed=move || (shows_columns.get() == of).to_string()
                data-testid=testid
                on:click=move |_| shows_columns.set(of)
            >
                {label}
            </button>
        }
    };
    let part = move || shown.with(|shown| shown.iter().take(limit.get()).cloned().collect::<Vec<_>>());
    let body = move || match shows_columns.get() {
        true => part()
            .into_iter()
            .map(|t| view! { <ColumnsOf table=t/> }.into_any())
            .collect_view()
            .into_any(),
        false => view! { <Figures tables=part() counts=detections(&report.get())/> }.into_any(),
    };
    let more = Callback::new(move |()| limit.update(|limit| *limit += SHOWN));
    view! {
        <section class="gw-stack" aria-label="Tables" data-testid="analysis-tables">
            <div class="gw-row gw-analysis__filters">
                <div class="gw-toggles" role="group" aria-label="What is shown of tables">
                    {toggle(false, "Overview and Analysis", "tables-overview")}
                    {toggle(true, "Columns", "tables-columns")}
                </div>
                <input
                    class="gw-input gw-analysis__search"
                    type="search"
                    placeholder="Table"
                    aria-label="Search tables"
                    on:input=move |event| text.set(event_target_value(&event))
                />
            </div>
            {body}
            <Show when=move || { count.get() > limit.get() }>
                <div><Button label=Signal::derive(move || format!("Show more ({} left)", count.get() - limit.get())) on_press=more/></div>
            </Show>
        </section>
    }
}

fn name_of(table: &TableReport) -> String {
    format!("{}.{}", table.path.schema, table.path.name)
}

#[component]
fn Figures(tables: Vec<TableReport>, counts: HashMap<String, u64>) -> impl IntoView {
    let row = move |table: TableReport| {
        let counted = |n: u64| {
            if table.is_counted {
                number::count(n)
            } else {
                "\u{2013}".into()
            }
        };
        let name = name_of(&table);
        let found = counts.get(&name).copied().unwrap_or(0);
        let class = table.read_write_classification.word();
        view! {
            <tr data-testid="analysed-table">
                <td class="gw-code">{name}</td>
                <td class="gw-number">{number::count(table.row_count)}</td>
                <td class="gw-number">{number::bytes(table.data_size as f64)}</td>
                <td class="gw-number">{table.index_size.map_or_else(|| "\u{2013}".into(), |n| number::bytes(n as f64))}</td>
                <td class="gw-number">{growth(table.growth)}</td>
                <td class="gw-number">{counted(table.read_count)}</td>
                <td class="gw-number">{counted(table.write_count)}</td>
                <td>{(!class.is_empty()).then(|| view! { <Badge text=class.to_owned()/> })}</td>
                <td class="gw-number">{number::count(found)}</td>
            </tr>
        }
    };
    view! {
        <Table caption="Tables with their sizes and how they are used" columns=COLUMNS>
            <tbody>{tables.into_iter().map(row).collect_view()}</tbody>
        </Table>
    }
}

#[component]
fn ColumnsOf(table: TableReport) -> impl IntoView {
    let name = name_of(&table);
    let row = |(name, column): (String, Column)| {
        view! {
            <tr>
                <td class="gw-code">{name}</td>
                <td class="gw-code">{column.kind.database_specific_type.clone()}</td>
                <td>{properties(&column)}</td>
            </tr>
        }
    };
    view! {
        <details class="gw-more">
            <summary class="gw-code">{format!("{name} ({})", number::counted(table.columns.len() as u64, "column", "columns"))}</summary>
            <Table caption=format!("Columns of {name}") columns=OF_COLUMNS>
                <tbody>{table.columns.into_iter().map(row).collect_view()}</tbody>
            </Table>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn growth_has_a_sign() {
        let of = |bytes: i64| {
            growth(Some(Growth {
                since: chrono::DateTime::UNIX_EPOCH,
                bytes,
                rows: 0,
            }))
        };
        assert_eq!(
            (of(1_500).as_str(), of(-1_500).as_str(), of(0).as_str()),
            ("+1.5 kB", "\u{2212}1.5 kB", "0 B")
        );
        assert_eq!(growth(None), "\u{2013}");
    }

    #[test]
    fn columns_say_what_they_are() {
        let column = |more: serde_json::Value| {
            let mut column = json!({"type": {}, "nullable": true});
            column
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            properties(&serde_json::from_value(column).expect("a column"))
        };
        let key = json!({"primaryKey": {"name": "k"}, "nullable": false, "autoIncremented": true, "indexed": true, "uniqueIndexed": true});
        assert_eq!(column(key), "primary key, counter");
        let foreign =
            json!({"foreignKey": {"name": "f", "table": "t", "column": "id"}, "nullable": false, "indexed": true});
        assert_eq!(column(foreign), "refers to t.id, not null, indexed");
        assert_eq!(column(json!({})), "");
    }
}
