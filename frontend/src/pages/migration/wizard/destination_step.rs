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
    view! {
        <div class="gw-form">
            <SavedDestination destination=destination/>
            <UriField destination=destination/>
            <DestinationTest destination=destination/>
        </div>
    }
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
