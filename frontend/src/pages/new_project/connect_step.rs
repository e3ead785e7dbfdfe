//! *Source*: a live database whose tables are read, DDL files, or the sample shop.

use super::ddl_files::{DdlFiles, DdlInput};
use super::draft::{Origin, ProjectDraft, ProjectDraftStoreFields, ReadFrom, ReadSchema, suggested_name};
use super::selection::Selection;
use super::{NewProject, use_new_project};
use crate::api::schema::StoredSchema;
use crate::api::{self, ApiError};
use crate::components::choice::radio_of;
use crate::connections::details::source_details;
use crate::connections::draft::{SourceDraft, SourceDraftStoreFields};
use crate::connections::save::suggested_source_name;
use crate::connections::{SaveFields, SourceForm, SourceTest};
use leptos::prelude::*;
use reactive_stores::{Field, Store};

#[component]
pub fn ConnectStep() -> impl IntoView {
    let context = use_new_project();
    let origin = context.draft.origin();
    let choice = move |of: Origin, label: &'static str, note: &'static str, testid: &'static str| {
        radio_of("origin", origin, of, label, note, testid)
    };
    let body = move || {
        match origin.get() {
        Origin::Connection => view! { <Connection/> }.into_any(),
        Origin::DdlFiles => view! {
            <DdlFiles input=context.ddl/>
            <p class="gw-field__note gw-field__note--error" role="alert">{move || lacks_files(context)}</p>
        }
        .into_any(),
        Origin::Sample => view! {
            <p class="gw-muted">
                "A shop with 16 tables, mapped to 6 collections with arrays, nested documents and calculated fields. It has no \
                 rows: connect a database of yours on the Mapping tab to see documents, or look at the rules."
            </p>
        }
        .into_any(),
    }
    };
    view! {
        <div class="gw-form">
            <fieldset class="gw-choice-group gw-origin">
                <legend class="gw-choice-group__legend">"Where the tables are"</legend>
                {choice(Origin::Connection, "Connect database", "Tables, keys and statistics of a live database.", "origin-connection")}
                {choice(Origin::DdlFiles, "Import .SQL file", "DDL of PostgreSQL, MySQL, SQL Server or Oracle.", "origin-ddl")}
                {choice(Origin::Sample, "Create sample", "A shop to look around in, without a database.", "origin-sample")}
            </fieldset>
            {body}
        </div>
    }
}

fn lacks_files(context: NewProject) -> Option<&'static str> {
    let is_missing = context.was_tried.get() && context.ddl.schema().is_none();
    is_missing.then_some("Choose at least one file with a table in it.")
}

#[component]
fn Connection() -> impl IntoView {
    let context = use_new_project();
    let source: Field<SourceDraft> = context.draft.source().into();
    let saved = context.saved.with_value(|saved| saved.jdbc.clone());
    let is_new = move || source.saved().with(String::is_empty);
    let suggested = Signal::derive(move || source.with(suggested_source_name));
    let asks = move || {
        let is_missing = context.needs_password.get() && source.password().with(String::is_empty);
        is_missing.then(|| {
            view! {
                <p class="gw-forms__warning" role="status" data-testid="password-again">
                    "The page was loaded again and keeps no passwords: enter it once more. Everything else is as it was."
                </p>
            }
        })
    };
    view! {
        {asks}
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
    }
}

/// Reads the tables, unless they have been read from the same place already.
pub async fn connect(context: NewProject) -> Result<(), ApiError> {
    let Some(from) = context.reads_from() else {
        return Ok(());
    };
    let old = context.schema.get_untracked();
    if old.as_ref().is_some_and(|read| read.from == from) {
        return Ok(());
    }
    let stored = match (&from, untrack(|| context.ddl.schema())) {
        (ReadFrom::Connection(details), _) => api::schema::read(details).await?,
        (ReadFrom::Ddl { .. }, Some(read)) => StoredSchema {
            id: read.id.clone(),
            full: read.full.clone(),
        },
        (ReadFrom::Ddl { .. }, None) => return Ok(()),
    };
    take_over(context, ReadSchema::new(stored, from), old.as_ref());
    Ok(())
}

/// The tables that can be chosen from now on; what was left out of the same ones stays left out.
pub fn take_over(context: NewProject, read: ReadSchema, old: Option<&ReadSchema>) {
    let is_same_database = |old: &&ReadSchema| old.model.databases.keys().eq(read.model.databases.keys());
    let selection = match old.filter(is_same_database) {
        Some(old) => context
            .selection
            .with_untracked(|s| s.carried_over(&old.tree, &read.tree)),
        None => context
            .left_out
            .with_value(|left_out| Selection::of(&read.tree, |path| !left_out.contains(&path.name().to_string()))),
    };
    context.left_out.set_value(Default::default());
    if context.draft.name().with_untracked(|name| name.trim().is_empty()) {
        let name = suggested_name(&read.model, &context.other_projects());
        context.draft.name().set(name);
    }
    context.selection.set(selection);
    context.schema.set(Some(read));
}

/// Where the draft says that the tables are; `None` where it says nothing that can be read.
pub fn place_of(draft: Store<ProjectDraft>, ddl: DdlInput) -> Option<ReadFrom> {
    match draft.origin().get() {
        Origin::Connection => Some(ReadFrom::Connection(Box::new(draft.source().with(source_details)))),
        Origin::DdlFiles => ddl.schema().map(|read| ReadFrom::Ddl {
            database: ddl.database.get(),
            schema: read.id.clone(),
        }),
        Origin::Sample => None,
    }
}
