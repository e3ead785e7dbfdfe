//! What the job will read and write, asked of source and destination before it starts.

use super::confirm::DropConfirmation;
use super::draft::{DraftStoreFields, OptionsDraft};
use super::request::job_request;
use super::use_wizard;
use crate::api;
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::skeleton::Skeleton;
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use crate::pages::migration::use_migration;
use crate::remote::{Remote, show_remote};
use godwit_shared::summary::{CollectionExtent, JobSummary, TableExtent};
use leptos::prelude::*;

const COLLECTIONS: &[TableColumn] = &[
    TableColumn::text("Collection"),
    TableColumn::text("Tables"),
    TableColumn::number("Rows, estimate"),
    TableColumn::number("Size"),
    TableColumn::number("Existing documents"),
];

const TABLES: &[TableColumn] = &[
    TableColumn::text("Table"),
    TableColumn::number("Rows, estimate"),
    TableColumn::number("Size"),
];

#[component]
pub fn Extent() -> impl IntoView {
    let wizard = use_wizard();
    let project = use_migration().project;
    let answer = LocalResource::new(move || {
        let request = job_request(&wizard.draft.get_untracked(), &project.get());
        async move { api::jobs::summary(&request).await }
    });
    let state = Memo::new(move |_| Remote::from(answer.get()));
    // What was agreed to before may not be what is lost now.
    wizard.draft.confirmation().set(String::new());
    wizard.extent.set(Remote::Loading);
    Effect::new(move |_| wizard.extent.set(state.get()));
    let retry = Callback::new(move |()| answer.refetch());
    let ready = move |summary: JobSummary| {
        let options = untrack(|| wizard.draft.with(|draft| draft.options.clone()));
        view! { <ExtentView warnings=warnings(&summary, &options) summary=summary/> }
    };
    show_remote(state.into(), || view! { <Skeleton lines=4/> }.into_any(), retry, ready)
}

#[component]
fn ExtentView(summary: JobSummary, warnings: Vec<String>) -> impl IntoView {
    let figure = |(label, value): (&'static str, String)| {
        view! { <div class="gw-figure"><dt>{label}</dt><dd>{value}</dd></div> }
    };
    let warnings = (!warnings.is_empty()).then(|| {
        let warning = |text: String| view! { <p>{text}</p> };
        view! {
            <Banner tone=Tone::Warning title="Before you start">
                <div class="gw-stack" data-testid="review-warnings">{warnings.into_iter().map(warning).collect_view()}</div>
            </Banner>
        }
    });
    view! {
        <dl class="gw-figures gw-extent__figures" data-testid="review-figures">{figures(&summary).map(figure)}</dl>
        {warnings}
        <DropConfirmation/>
        <div class="gw-extent__list"><CollectionTable summary=summary.clone()/></div>
        <div class="gw-extent__list"><SourceTable tables=summary.tables/></div>
    }
}

#[component]
fn CollectionTable(summary: JobSummary) -> impl IntoView {
    let row = |collection: &CollectionExtent| {
        let (rows, bytes) = extent_of(collection, &summary.tables);
        view! {
            <tr>
                <td class="gw-code">{collection.name.clone()}</td>
                <td class="gw-code">{collection.tables.join(", ")}</td>
                <td class="gw-number">{number::count(rows)}</td>
                <td class="gw-number">{number::bytes(bytes as f64)}</td>
                <td class="gw-number">{number::count(collection.documents_existing)}</td>
            </tr>
        }
    };
    let rows = summary.collections.iter().map(row).collect_view();
    view! { <Table caption="Collections that the job writes" columns=COLLECTIONS><tbody>{rows}</tbody></Table> }
}

#[component]
fn SourceTable(tables: Vec<TableExtent>) -> impl IntoView {
    let row = |table: TableExtent| {
        view! {
            <tr>
                <td class="gw-code">{table.table}</td>
                <td class="gw-number">{number::count(table.rows_estimated)}</td>
                <td class="gw-number">{number::bytes(table.size_bytes as f64)}</td>
            </tr>
        }
    };
    let rows = tables.into_iter().map(row).collect_view();
    view! { <Table caption="Tables that the job reads" columns=TABLES><tbody>{rows}</tbody></Table> }
}

/// Rows and bytes of the tables that a collection is made of.
fn extent_of(collection: &CollectionExtent, tables: &[TableExtent]) -> (u64, u64) {
    let own = tables.iter().filter(|t| collection.tables.contains(&t.table));
    own.fold((0, 0), |(rows, bytes), t| {
        (rows + t.rows_estimated, bytes + t.size_bytes)
    })
}

fn figures(summary: &JobSummary) -> [(&'static str, String); 5] {
    let rows = summary.tables.iter().map(|t| t.rows_estimated).sum();
    let bytes: u64 = summary.tables.iter().map(|t| t.size_bytes).sum();
    [
        ("Collections", number::count(summary.collections.len() as u64)),
        ("Tables", number::count(summary.tables.len() as u64)),
        ("Rows, estimate", number::count(rows)),
        ("Size of tables", number::bytes(bytes as f64)),
        ("Existing documents", number::count(existing(summary))),
    ]
}

fn existing(summary: &JobSummary) -> u64 {
    summary.collections.iter().map(|c| c.documents_existing).sum()
}

/// What the user may not expect.
fn warnings(summary: &JobSummary, options: &OptionsDraft) -> Vec<String> {
    [
        documents_there(summary, options.drop_collections),
        without_key(summary).filter(|_| options.is_continuous),
        weak_write_concern(summary),
    ]
    .into_iter()
    .flatten()
    .chain(collations(summary, options.drop_collections))
    .collect()
}

/// A job that drops its collections makes them anew, without a collation.
fn collations(summary: &JobSummary, drops: bool) -> Vec<String> {
    if drops { Vec::new() } else { summary.collations.clone() }
}

fn documents_there(summary: &JobSummary, drops: bool) -> Option<String> {
    let filled = summary.collections.iter().filter(|c| c.documents_existing > 0);
    let names: Vec<&str> = filled.map(|c| c.name.as_str()).collect();
    let count = number::counted(existing(summary), "document", "documents");
    match (names.is_empty(), drops) {
        (true, _) => None,
        (false, true) => Some(format!(
            "{count} will be deleted: the job drops {} before it starts.",
            names.join(", ")
        )),
        (false, false) => Some(format!(
            "{count} lie in {} already. Those with the _id of a new one are replaced, the others stay.",
            names.join(", ")
        )),
    }
}

fn without_key(summary: &JobSummary) -> Option<String> {
    let tables: Vec<&str> = summary
        .tables
        .iter()
        .filter(|t| !t.has_primary_key)
        .map(|t| t.table.as_str())
        .collect();
    (!tables.is_empty()).then(|| {
        format!(
            "Without a primary key, rows are told apart by all their columns: {}.",
            tables.join(", ")
        )
    })
}

fn weak_write_concern(summary: &JobSummary) -> Option<String> {
    summary.is_write_concern_weak.then(|| {
        "The URI of the destination asks for less than a majority: documents can be lost there after they were \
         reported as written. Remove w from the URI."
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> JobSummary {
        let collection = |name: &str, documents_existing| CollectionExtent {
            name: name.into(),
            tables: vec!["public.a".into()],
            documents_existing,
        };
        let table = |name: &str, rows_estimated, has_primary_key| TableExtent {
            table: name.into(),
            rows_estimated,
            size_bytes: 1_500_000,
            has_primary_key,
        };
        JobSummary {
            collections: vec![collection("orders", 0), collection("lines", 1200)],
            tables: vec![table("public.a", 1000, true), table("public.b", 250_000, false)],
            ..JobSummary::default()
        }
    }

    #[test]
    fn sums() {
        let values = figures(&summary()).map(|(_, value)| value);
        assert_eq!(values, ["2", "2", "251,000", "3.0 MB", "1,200"]);
        let of_lines = extent_of(&summary().collections[1], &summary().tables);
        assert_eq!(of_lines, (1000, 1_500_000));
    }

    #[test]
    fn what_may_surprise() {
        let mut options = OptionsDraft::default();
        let said = warnings(&summary(), &options);
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with("1,200 documents lie in lines already."), "{said:?}");
        options.drop_collections = true;
        assert!(warnings(&summary(), &options)[0].starts_with("1,200 documents will be deleted"));
        options.is_continuous = true;
        assert!(warnings(&summary(), &options)[1].ends_with("public.b."));
        let mut weak = summary();
        weak.is_write_concern_weak = true;
        assert_eq!(warnings(&weak, &options).len(), 3);
        weak.collections.clear();
        assert_eq!(warnings(&weak, &OptionsDraft::default()).len(), 1);
    }

    #[test]
    fn a_collation_is_told_where_the_collection_stays() {
        let mut options = OptionsDraft::default();
        let collated = JobSummary {
            collations: vec!["\"a\" compares texts".into()],
            ..Default::default()
        };
        assert_eq!(warnings(&collated, &options), collated.collations);
        options.drop_collections = true;
        assert!(warnings(&collated, &options).is_empty());
    }
}
