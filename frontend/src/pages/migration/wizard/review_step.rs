//! *Review summary*

use super::draft::Draft;
use super::preflight::{PreflightState, verdict};
use super::request::mode;
use super::use_wizard;
use crate::api;
use crate::api::connections::SavedConnections;
use crate::components::skeleton::Skeleton;
use crate::connections::url::source_url;
use crate::connections::usable;
use crate::format::number;
use crate::pages::migration::present::mode_label;
use crate::pages::migration::use_migration;
use crate::remote::{Remote, show_remote};
use godwit_shared::project::ProjectCollection;
use godwit_shared::relmig::with_masked_password;
use leptos::prelude::*;
use std::collections::BTreeSet;

#[component]
pub fn ReviewStep() -> impl IntoView {
    let wizard = use_wizard();
    let lines = Memo::new(move |_| {
        let draft = wizard.draft.get();
        let lines = wizard.saved.with_value(|saved| summary(&draft, saved));
        let of_source = wizard.preflight.with_state(|state| cdc_summary(&draft, state));
        [lines, of_source].concat()
    });
    let line = |(name, value): (&'static str, String)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    view! {
        <dl class="gw-summary">{move || lines.get().into_iter().map(line).collect_view()}</dl>
        <CollectionSummary/>
    }
}

/// What the job will write, and from how many tables.
#[component]
fn CollectionSummary() -> impl IntoView {
    let project = use_migration().project;
    let answer = LocalResource::new(move || {
        let id = project.get();
        async move { api::projects::collections(&id).await }
    });
    let state = Memo::new(move |_| Remote::from(answer.get()));
    let retry = Callback::new(move |()| answer.refetch());
    let ready = |list: Vec<ProjectCollection>| {
        let names = list.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        view! {
            <div class="gw-stack">
                <p>{extent(&list)}</p>
                <p class="gw-code">{names}</p>
            </div>
        }
    };
    show_remote(state.into(), || view! { <Skeleton lines=2/> }.into_any(), retry, ready)
}

/// The draft in words, passwords hidden.
fn summary(draft: &Draft, saved: &SavedConnections) -> Vec<(&'static str, String)> {
    let options = &draft.options;
    let yes_no = |value| if value { "Yes" } else { "No" }.to_owned();
    let limit = match options.has_error_limit {
        true => options.error_limit.trim().to_owned(),
        false => "Never".into(),
    };
    vec![
        ("Source", source_text(draft, saved)),
        ("Destination", destination_text(draft, saved)),
        ("Mode", mode_label(mode(options)).to_owned()),
        ("Drop destination collections", yes_no(options.drop_collections)),
        ("Stop after errors", limit),
    ]
}

/// What a continuous job asks of its source.
fn cdc_summary(draft: &Draft, state: &PreflightState) -> Vec<(&'static str, String)> {
    match draft.options.is_continuous {
        true => vec![("Preflight checks", verdict(state, draft.options.prepare_source))],
        false => vec![],
    }
}

fn source_text(draft: &Draft, saved: &SavedConnections) -> String {
    let url = with_masked_password(&source_url(&draft.source));
    let chosen = usable(&saved.jdbc).find(|c| c.id.as_str() == draft.source.saved);
    match (url.is_empty(), chosen) {
        (true, Some(connection)) => format!("{} ({})", connection.name, connection.url),
        (false, _) | (true, None) => url,
    }
}

fn destination_text(draft: &Draft, saved: &SavedConnections) -> String {
    let uri = with_masked_password(draft.destination.uri.trim());
    let chosen = saved.mongodb.iter().find(|c| c.id.as_str() == draft.destination.saved);
    match (uri.is_empty(), chosen) {
        (true, Some(connection)) => format!("{} ({})", connection.name, connection.connection_string),
        (false, _) | (true, None) => uri,
    }
}

/// `3 collections from 12 tables`
fn extent(list: &[ProjectCollection]) -> String {
    let tables: BTreeSet<&str> = list.iter().flat_map(|c| c.tables.iter().map(String::as_str)).collect();
    format!(
        "{} from {}:",
        number::counted(list.len() as u64, "collection", "collections"),
        number::counted(tables.len() as u64, "table", "tables")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use godwit_shared::ids::CollectionId;

    #[test]
    fn passwords_are_hidden() {
        let mut draft = Draft::default();
        draft.source.uri = "postgres://u:secret@h/db".into();
        draft.destination.uri = "mongodb://u:secret@h/db".into();
        draft.options.has_error_limit = false;
        let lines = summary(&draft, &SavedConnections::default());
        assert!(lines.iter().all(|(_, value)| !value.contains("secret")), "{lines:?}");
        assert_eq!(lines[4], ("Stop after errors", "Never".to_owned()));
    }

    #[test]
    fn only_continuous_jobs_have_preflight_checks() {
        let mut draft = Draft::default();
        assert!(cdc_summary(&draft, &PreflightState::Unasked).is_empty());
        draft.options.is_continuous = true;
        assert_eq!(
            cdc_summary(&draft, &PreflightState::Unasked),
            [("Preflight checks", "Not run".to_owned())]
        );
    }

    #[test]
    fn a_table_in_two_collections_is_one_table() {
        let collection = |name: &str, tables: &[&str]| ProjectCollection {
            id: CollectionId::new(name),
            name: name.into(),
            tables: tables.iter().map(ToString::to_string).collect(),
        };
        let list = [collection("a", &["s.x", "s.y"]), collection("b", &["s.x"])];
        assert_eq!(extent(&list), "2 collections from 2 tables:");
    }
}
