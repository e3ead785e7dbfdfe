//! *Review summary*

use super::draft::Draft;
use super::extent::Extent;
use super::preflight::verdict;
use super::request::mode;
use super::selective::{collection_filters, selection_text};
use super::use_wizard;
use crate::api::connections::SavedConnections;
use crate::connections::details::{given, source_details};
use crate::connections::url::source_url;
use crate::connections::usable;
use crate::dry_run::DryRunPanel;
use crate::pages::migration::present::mode_label;
use crate::pages::migration::use_migration;
use godwit_shared::dry_run::DryRunRequest;
use godwit_shared::relmig::with_masked_password;
use leptos::prelude::*;

#[component]
pub fn ReviewStep() -> impl IntoView {
    let wizard = use_wizard();
    let lines = Memo::new(move |_| {
        let draft = wizard.draft.get();
        let lines = wizard.saved.with_value(|saved| summary(&draft, saved));
        let collections = wizard.collections.with(|names| selection_text(&draft.options, names));
        let checks = wizard
            .preflight
            .with_state(|state| verdict(state, draft.options.prepare_source));
        [lines, vec![("Collections", collections), ("Preflight checks", checks)]].concat()
    });
    let project = use_migration().project;
    let request = Callback::new(move |()| {
        wizard.draft.with_untracked(|draft| DryRunRequest {
            jdbc_connection_details: Some(source_details(&draft.source)),
            collection_filters: collection_filters(&draft.options),
            ..DryRunRequest::default()
        })
    });
    let line = |(name, value): (&'static str, String)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    view! {
        <dl class="gw-summary">{move || lines.get().into_iter().map(line).collect_view()}</dl>
        <Extent/>
        <DryRunPanel project=project request=request/>
    }
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
        (
            "Verify migrated data",
            yes_no(options.verifies && !options.is_continuous),
        ),
    ]
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
    let place = match (uri.is_empty(), chosen) {
        (true, Some(connection)) => format!("{} ({})", connection.name, connection.connection_string),
        (false, _) | (true, None) => uri,
    };
    let of_chosen = chosen.and_then(|connection| connection.database.clone());
    match given(&draft.destination.database).or(of_chosen) {
        Some(database) => format!("{place}, database {database}"),
        None => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden() {
        let mut draft = Draft::default();
        (draft.source.is_manual_uri, draft.source.uri) = (true, "postgres://u:secret@h/db".into());
        draft.destination.uri = "mongodb://u:secret@h/db".into();
        draft.options.has_error_limit = false;
        let lines = summary(&draft, &SavedConnections::default());
        assert!(lines.iter().all(|(_, value)| !value.contains("secret")), "{lines:?}");
        assert_eq!(lines[4], ("Stop after errors", "Never".to_owned()));
    }

    #[test]
    fn a_database_that_was_entered_is_named() {
        let mut draft = Draft::default();
        draft.destination.uri = "mongodb://h".into();
        draft.destination.database = "shop".into();
        let saved = SavedConnections::default();
        assert_eq!(destination_text(&draft, &saved), "mongodb://h, database shop");
    }
}
