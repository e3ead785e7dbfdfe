//! *Connect Destination DB*

use super::connection_test::{ConnectionTest, ConnectionTestBar};
use super::draft::{DestinationDraft, DestinationDraftStoreFields, DraftStoreFields};
use super::request::destination_details;
use super::use_wizard;
use super::validate::FieldId;
use crate::api;
use crate::components::field::{FieldKind, TextField};
use crate::components::select::{SelectField, SelectOption};
use godwit_shared::connection::SavedMongodbConnection;
use leptos::prelude::*;
use reactive_stores::Field;

#[component]
pub fn DestinationStep() -> impl IntoView {
    let destination: Field<DestinationDraft> = use_wizard().draft.destination().into();
    link_choice_and_uri(destination);
    view! {
        <div class="gw-form">
            <SavedDestination destination=destination/>
            <UriField destination=destination/>
            <DestinationTest destination=destination/>
        </div>
    }
}

/// Choosing a saved connection clears the URI; typing one makes it a new connection.
fn link_choice_and_uri(destination: Field<DestinationDraft>) {
    let (saved, uri) = (destination.saved(), destination.uri());
    let has_uri = Memo::new(move |_| uri.with(|uri| !uri.trim().is_empty()));
    Effect::new(move |was_chosen: Option<String>| {
        let chosen = saved.get();
        if was_chosen.is_some_and(|before| before != chosen) && !chosen.is_empty() && has_uri.get_untracked() {
            uri.set(String::new());
        }
        chosen
    });
    Effect::new(move |_| {
        if has_uri.get() && !saved.get_untracked().is_empty() {
            saved.set(String::new());
        }
    });
}

#[component]
fn SavedDestination(destination: Field<DestinationDraft>) -> impl IntoView {
    let options = use_wizard().saved.with_value(|saved| {
        let option = |c: &SavedMongodbConnection| {
            SelectOption::new(c.id.as_str(), format!("{} ({})", c.name, c.connection_string))
        };
        saved.mongodb.iter().map(option).collect::<Vec<_>>()
    });
    (!options.is_empty()).then(|| {
        let options = [vec![SelectOption::new("", "New connection")], options].concat();
        view! { <SelectField label="Connection" value=destination.saved() options=options testid="target-saved"/> }
    })
}

#[component]
fn UriField(destination: Field<DestinationDraft>) -> impl IntoView {
    let wizard = use_wizard();
    let chosen = Memo::new(move |_| {
        let id = destination.saved().get();
        wizard
            .saved
            .with_value(|s| s.mongodb.iter().find(|c| c.id.as_str() == id).cloned())
    });
    let placeholder = Signal::derive(move || match chosen.get() {
        Some(connection) => connection.connection_string,
        None => "mongodb://host:27017/database".into(),
    });
    let hint = Signal::derive(move || {
        Some(match chosen.get() {
            Some(_) => "Leave empty to use the saved connection as it is.".to_owned(),
            None => "With the database in its path, and user and password where the server asks for them.".to_owned(),
        })
    });
    view! {
        <TextField
            label="MongoDB connection string (URI)"
            kind=FieldKind::Code
            value=destination.uri()
            placeholder=placeholder
            hint=hint
            error=wizard.problem(FieldId::DestinationUri)
            testid="target-uri"
        />
    }
}

#[component]
fn DestinationTest(destination: Field<DestinationDraft>) -> impl IntoView {
    let wizard = use_wizard();
    let test = ConnectionTest::new();
    Effect::new(move |_| {
        destination.track();
        test.forget();
    });
    let run = Callback::new(move |()| {
        if !wizard.is_step_complete() {
            return wizard.was_tried.set(true);
        }
        let details = destination.with_untracked(destination_details);
        test.run(async move { api::connections::test_mongodb(&details).await });
    });
    view! { <ConnectionTestBar test=test on_test=run testid="target-test"/> }
}
