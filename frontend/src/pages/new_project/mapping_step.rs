//! *Initial mappings*

use super::draft::{CollectionOfTable, ProjectDraftStoreFields, collections_of};
use super::use_new_project;
use crate::components::badge::{Badge, Tone};
use crate::components::choice::Radio;
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use godwit_shared::initial::InitialMapping;
use leptos::prelude::*;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Schema"),
    TableColumn::text("Table"),
    TableColumn::text("Collection"),
    TableColumn::unnamed("Place"),
];

#[component]
pub fn MappingStep() -> impl IntoView {
    let empty = use_new_project().draft.starts_empty();
    view! {
        <div class="gw-form">
            <fieldset class="gw-choice-group">
                <legend class="gw-choice-group__legend">"Initial mappings"</legend>
                <Radio
                    label="Start with a MongoDB schema that matches your relational schema"
                    name="mapping"
                    note="One collection for each table, one document for each row."
                    checked=Signal::derive(move || !empty.get())
                    on_choose=Callback::new(move |()| empty.set(false))
                    testid="mapping-relational"
                />
                <Radio
                    label="Start with an empty MongoDB schema"
                    name="mapping"
                    note="No rules yet. A job needs some: fill them in on the Mapping tab, or import a project file that has them."
                    checked=Signal::derive(move || empty.get())
                    on_choose=Callback::new(move |()| empty.set(true))
                    testid="mapping-empty"
                />
            </fieldset>
            <Show when=move || !empty.get()><Collections/></Show>
        </div>
    }
}

/// The collections that the project starts with.
#[component]
fn Collections() -> impl IntoView {
    let context = use_new_project();
    let collections = Memo::new(move |_| {
        let casing = context.draft.with(|draft| draft.chosen_casing());
        let content = context.schema.with(|read| {
            let read = read.as_ref()?;
            Some(
                context
                    .selection
                    .with(|s| read.content(s, casing, InitialMapping::Relational)),
            )
        });
        content
            .map(|content| collections_of(&content, casing))
            .unwrap_or_default()
    });
    let count = Signal::derive(move || number::count(collections.with(Vec::len) as u64));
    let row = |c: CollectionOfTable| {
        let note = match c.is_renamed {
            true => {
                view! { <Badge text="renamed: another one has the name".to_owned() tone=Tone::Warning/> }.into_any()
            }
            false => view! { <Badge text="top-level".to_owned()/> }.into_any(),
        };
        view! {
            <tr>
                <td class="gw-code">{c.schema}</td>
                <td class="gw-code">{c.table}</td>
                <td class="gw-code">{c.collection}</td>
                <td>{note}</td>
            </tr>
        }
    };
    view! {
        <div class="gw-row"><h2>"Collections"</h2><Badge text=count/></div>
        <div class="gw-bounded">
            <Table caption="Collections that the project starts with" columns=COLUMNS>
                <tbody>{move || collections.get().into_iter().map(row).collect_view()}</tbody>
            </Table>
        </div>
    }
}
