//! Fills an empty mapping with what matches the relational schema, and the page that offers it.

use super::MappedProject;
use crate::api::{self, ApiError};
use crate::components::button::{Button, ButtonTone};
use crate::components::empty_state::EmptyState;
use crate::components::error_panel::ErrorPanel;
use crate::components::icon::Icon;
use godwit_shared::initial::{InitialMapping, content_of};
use godwit_shared::mapping::Content;
use godwit_shared::schema::RelationalModel;
use leptos::prelude::*;
use std::sync::Arc;

/// One collection for each table that the project has taken over; its settings and all else stay.
pub fn filled(content: &Content, model: &RelationalModel) -> Content {
    let settings = &content.settings;
    let part = taken_over(content, model);
    let made = content_of(
        &part,
        settings.casing,
        settings.key_handling,
        InitialMapping::Relational,
    );
    Content {
        collections: made.collections,
        mappings: made.mappings,
        relationships: made.relationships,
        tables: made.tables,
        ..content.clone()
    }
}

/// The model with the tables that the project names; a project that names none has all.
fn taken_over(content: &Content, model: &RelationalModel) -> RelationalModel {
    let mut part = model.clone();
    if content.tables.is_empty() {
        return part;
    }
    let is_named = |schema: &str, table: &str| {
        let mut named = content.tables.values();
        named.any(|entry| entry.path.schema == schema && entry.path.table == table)
    };
    for database in part.databases.values_mut() {
        for (schema, objects) in &mut database.schemas {
            objects.tables.retain(|table, _| is_named(schema, table));
        }
    }
    part
}

#[component]
pub fn NoCollections(project: Arc<MappedProject>, on_filled: Callback<()>) -> impl IntoView {
    let fill = Action::new_local(move |(): &()| {
        let project = project.clone();
        async move {
            let content = filled(project.content(), &project.model);
            api::projects::set_content(project.details.clone(), content).await?;
            on_filled.run(());
            Ok::<(), ApiError>(())
        }
    });
    let failure = move || fill.value().get().and_then(Result::err);
    let press = Callback::new(move |()| drop(fill.dispatch_local(())));
    view! {
        <EmptyState
            icon=Icon::Collection
            title="This project maps no table yet"
            text="A job needs at least one collection. Fill in the mapping that matches the relational schema, one \
                  collection for each table, or import a project file that has mapping rules."
        >
            <Button
                label="Match the relational schema"
                tone=ButtonTone::Primary
                is_busy=fill.pending()
                on_press=press
                attr:data-testid="fill-mapping"
            />
            {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
        </EmptyState>
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_tables_that_the_project_names_are_mapped() {
        let mut content = samples::content();
        content.collections.clear();
        content.mappings.clear();
        content.tables.shift_remove(&godwit_shared::ids::TableId::new("t2"));
        let collections = |content: &Content| {
            let all = filled(content, &samples::model()).collections;
            all.values().map(|c| c.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(collections(&content), ["borrowers", "desks"]);
        assert_eq!(filled(&content, &samples::model()).settings, content.settings);
        content.tables.clear();
        assert_eq!(collections(&content), ["borrowers", "loans", "desks"]);
    }
}
