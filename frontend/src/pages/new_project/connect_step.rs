//! *Connect database*: a saved connection or a new one, whose tables are read.

use super::draft::{ProjectDraftStoreFields, ReadSchema, suggested_name};
use super::selection::Selection;
use super::{NewProject, use_new_project};
use crate::api::{self, ApiError};
use crate::connections::details::source_details;
use crate::connections::draft::{SourceDraft, SourceDraftStoreFields};
use crate::connections::save::suggested_source_name;
use crate::connections::{SaveFields, SourceForm, SourceTest};
use leptos::prelude::*;
use reactive_stores::Field;

#[component]
pub fn ConnectStep() -> impl IntoView {
    let context = use_new_project();
    let source: Field<SourceDraft> = context.draft.source().into();
    let saved = context.saved.with_value(|saved| saved.jdbc.clone());
    let is_new = move || source.saved().with(String::is_empty);
    let suggested = Signal::derive(move || source.with(suggested_source_name));
    view! {
        <div class="gw-form">
            <SourceForm source=source saved=saved.clone() was_tried=context.was_tried/>
            <Show when=is_new>
                <SaveFields
                    save=context.draft.save()
                    suggested=suggested
                    note="Previews and jobs of the project then find it by themselves."
                    was_tried=context.was_tried
                />
            </Show>
            <SourceTest source=source saved=saved was_tried=context.was_tried/>
        </div>
    }
}

/// Reads the tables, unless they have been read with the same connection already.
pub async fn connect(context: NewProject) -> Result<(), ApiError> {
    let source = context.draft.source().with_untracked(source_details);
    let old = context.schema.get_untracked();
    if old.as_ref().is_some_and(|read| read.source == source) {
        return Ok(());
    }
    let read = ReadSchema::new(api::schema::read(&source).await?, source);
    let is_same_database = |old: &ReadSchema| old.model.databases.keys().eq(read.model.databases.keys());
    let selection = match old.filter(is_same_database) {
        Some(old) => context
            .selection
            .with_untracked(|s| s.carried_over(&old.tree, &read.tree)),
        None => Selection::all_of(&read.tree),
    };
    if context.draft.name().with_untracked(|name| name.trim().is_empty()) {
        let name = suggested_name(&read.model, &context.other_projects());
        context.draft.name().set(name);
    }
    context.selection.set(selection);
    context.schema.set(Some(read));
    Ok(())
}
