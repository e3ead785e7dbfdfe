//! *Review summary*

use super::draft::Draft;
use super::extent::Extent;
use super::preflight::{PreflightState, verdict};
use super::request::mode;
use super::use_wizard;
use crate::api::connections::SavedConnections;
use crate::connections::url::source_url;
use crate::connections::usable;
use crate::pages::migration::present::mode_label;
use godwit_shared::relmig::with_masked_password;
use leptos::prelude::*;

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
        <Extent/>
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
