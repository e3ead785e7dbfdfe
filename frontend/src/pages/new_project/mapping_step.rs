//! *Initial mappings*

use super::draft::{CollectionOfTable, ProjectDraftStoreFields, Start, collections_of};
use super::{NewProject, use_new_project};
use crate::api;
use crate::components::badge::{Badge, Tone};
use crate::components::button::{Button, ButtonTone};
use crate::components::choice::radio_of;
use crate::components::error_panel::ErrorPanel;
use crate::components::skeleton::Skeleton;
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use crate::pages::mapping::decisions::{DecisionList, choices, figures_text};
use godwit_shared::initial::InitialMapping;
use godwit_shared::proposal::{Figures, Proposal, ProposeForSchema};
use leptos::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Schema"),
    TableColumn::text("Table"),
    TableColumn::text("Collection"),
    TableColumn::unnamed("Place"),
];

#[component]
pub fn MappingStep() -> impl IntoView {
    let context = use_new_project();
    let start = context.draft.start();
    let choice = move |of: Start, label: &'static str, note: &'static str, testid: &'static str| {
        radio_of("mapping", start, of, label, note, testid)
    };
    let body = move || match start.get() {
        Start::Relational => view! { <Collections/> }.into_any(),
        Start::Proposed => view! { <Proposed/> }.into_any(),
        Start::Empty => ().into_any(),
    };
    view! {
        <div class="gw-form">
            <fieldset class="gw-choice-group">
                <legend class="gw-choice-group__legend">"Initial mappings"</legend>
                {choice(
                    Start::Relational,
                    "Start with a MongoDB schema that matches your relational schema",
                    "One collection for each table, one document for each row.",
                    "mapping-relational",
                )}
                {choice(
                    Start::Proposed,
                    "Start with a recommended MongoDB schema",
                    "Rows that belong together go into one document. Each table says why, and you take the proposal whole or in part.",
                    "mapping-proposed",
                )}
                {choice(
                    Start::Empty,
                    "Start with an empty MongoDB schema",
                    "No rules yet: you drag the first table on the Mapping tab.",
                    "mapping-empty",
                )}
            </fieldset>
            {body}
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

/// What is asked of the server: which schema, and which of its tables.
fn request_of(context: NewProject, exact: bool) -> Option<(String, ProposeForSchema)> {
    context.schema.with(|read| {
        let read = read.as_ref()?;
        let tables = context
            .selection
            .with(|selection| selection.tables(&read.tree).map(|path| path.name()).collect());
        let request = ProposeForSchema {
            jdbc_connection_details: read.connection(),
            exact,
            tables: Some(tables),
        };
        Some((read.id.clone(), request))
    })
}

/// Asks for a model of the selected tables, and shows it.
#[component]
fn Proposed() -> impl IntoView {
    let context = use_new_project();
    let exact = RwSignal::new(false);
    let answer = LocalResource::new(move || {
        let request = request_of(context, exact.get());
        async move {
            let (id, request) = request?;
            Some(api::schema::propose(&id, &request).await)
        }
    });
    Effect::new(move |_| {
        let proposal = answer.get().flatten().and_then(Result::ok);
        let taken = proposal.as_ref().map(choices).unwrap_or_default();
        let untaken = context.untaken.get_untracked();
        context.taken.set(taken.difference(&untaken).cloned().collect());
        context.proposal.set(proposal.map(Arc::new));
    });
    let retry = Callback::new(move |()| answer.refetch());
    move || match answer.get().map(|answer| answer.transpose()) {
        None => view! { <Skeleton lines=8/> }.into_any(),
        Some(Err(error)) => view! { <ErrorPanel error=error retry=retry/> }.into_any(),
        Some(Ok(None)) => ().into_any(),
        Some(Ok(Some(proposal))) => view! { <Decisions proposal=proposal exact=exact/> }.into_any(),
    }
}

#[component]
fn Decisions(proposal: Proposal, exact: RwSignal<bool>) -> impl IntoView {
    let context = use_new_project();
    let all = choices(&proposal);
    // What is left out stays so, if the page is loaded again.
    Effect::new(move |_| {
        let taken = context.taken.get();
        let untaken: HashSet<String> = all.difference(&taken).cloned().collect();
        if context.untaken.with_untracked(|before| *before != untaken) {
            context.untaken.set(untaken);
        }
    });
    let figures = figures_text(&proposal);
    let can_count = proposal.figures == Figures::Catalog;
    let count = Callback::new(move |()| exact.set(true));
    let collections = proposal
        .decisions
        .iter()
        .filter(|decision| matches!(decision.choice, godwit_shared::proposal::Choice::Collection));
    let collections = number::counted(collections.count() as u64, "collection", "collections");
    let proposal = StoredValue::new(proposal);
    let error = move || {
        let is_nothing = context.was_tried.get() && context.taken.with(HashSet::is_empty);
        is_nothing.then_some("Take at least one of them, or start with an empty schema.")
    };
    view! {
        <div class="gw-row">
            <h2>"Proposed model"</h2>
            <Badge text=collections/>
            <p class="gw-muted">{figures}</p>
            {can_count.then(|| view! {
                <Button label="Count exactly" tone=ButtonTone::Quiet on_press=count attr:data-testid="proposal-count"/>
            })}
        </div>
        <p class="gw-field__note gw-field__note--error" role="alert">{error}</p>
        <div class="gw-bounded" tabindex="0" role="region" aria-label="Proposed model" data-testid="proposal">
            <DecisionList proposal=proposal taken=context.taken/>
        </div>
    }
}
