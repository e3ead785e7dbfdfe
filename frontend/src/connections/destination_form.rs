//! The form of a destination: a saved connection, or a URI.

use super::details::destination_details;
use super::draft::{DestinationDraft, DestinationDraftStoreFields};
use super::problem::{destination_problem, is_masked, mongodb_uri_problem_of};
use super::test::{ConnectionTest, ConnectionTestBar};
use crate::api;
use crate::components::field::{FieldKind, TextField};
use crate::components::select::{SelectField, SelectOption};
use godwit_shared::connection::{MongodbConnectionDetails, SavedMongodbConnection};
use leptos::prelude::*;
use reactive_stores::Field;

/// Of a job: the URI has to name its database.
#[component]
pub fn DestinationForm(
    destination: Field<DestinationDraft>,
    saved: Vec<SavedMongodbConnection>,
    /// Whether the user has tried to go on: before that gaps are no errors.
    #[prop(into)]
    was_tried: Signal<bool>,
) -> impl IntoView {
    link_choice_and_uri(destination);
    let options = saved.clone();
    let chosen = Memo::new(move |_| {
        let id = destination.saved().get();
        saved
            .iter()
            .find(|c| c.id.as_str() == id)
            .map(|c| c.connection_string.clone())
    });
    let problem = Signal::derive(move || destination.with(destination_problem).filter(|_| was_tried.get()));
    let hint = Signal::derive(move || {
        Some(match chosen.get() {
            Some(_) => "Leave empty to use the saved connection as it is.".to_owned(),
            None => "With the database in its path, and user and password where the server asks for them.".to_owned(),
        })
    });
    view! {
        <SavedDestination destination=destination choices=options/>
        <MongodbUriField uri=destination.uri() placeholder=Signal::derive(move || chosen.get()) hint=hint error=problem/>
    }
}

/// The field of a URI of MongoDB.
#[component]
pub fn MongodbUriField(
    #[prop(into)] uri: Field<String>,
    /// Absent: an example.
    #[prop(optional, into)]
    placeholder: Signal<Option<String>>,
    #[prop(into)] hint: Signal<Option<String>>,
    #[prop(into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let placeholder = Signal::derive(move || {
        placeholder
            .get()
            .unwrap_or_else(|| "mongodb://host:27017/database".into())
    });
    view! {
        <TextField
            label="MongoDB connection string (URI)"
            kind=FieldKind::Code
            value=uri
            placeholder=placeholder
            hint=hint
            error=error
            testid="target-uri"
        />
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
fn SavedDestination(destination: Field<DestinationDraft>, choices: Vec<SavedMongodbConnection>) -> impl IntoView {
    let option =
        |c: &SavedMongodbConnection| SelectOption::new(c.id.as_str(), format!("{} ({})", c.name, c.connection_string));
    (!choices.is_empty()).then(|| {
        let new = SelectOption::new("", "New connection");
        let options: Vec<_> = std::iter::once(new).chain(choices.iter().map(option)).collect();
        view! { <SelectField label="Connection" value=destination.saved() options=options testid="target-saved"/> }
    })
}

/// *Test connection* for the destination of a job.
#[component]
pub fn DestinationTest(destination: Field<DestinationDraft>, was_tried: RwSignal<bool>) -> impl IntoView {
    let test = ConnectionTest::untested();
    Effect::new(move |_| {
        destination.track();
        test.forget();
    });
    let run = Callback::new(move |()| {
        if destination.with_untracked(destination_problem).is_some() {
            return was_tried.set(true);
        }
        let details = destination.with_untracked(destination_details);
        test.run(async move { api::connections::test_mongodb(&details).await });
    });
    view! { <ConnectionTestBar test=test on_test=run testid="target-test"/> }
}

/// *Test connection* for a URI that is to be saved.
#[component]
pub fn MongodbTest(
    #[prop(into)] uri: Field<String>,
    /// The connection that is being changed.
    #[prop(optional_no_strip)]
    changed: Option<SavedMongodbConnection>,
    was_tried: RwSignal<bool>,
) -> impl IntoView {
    let test = ConnectionTest::untested();
    Effect::new(move |_| {
        uri.track();
        test.forget();
    });
    let run = Callback::new(move |()| {
        let text = uri.get_untracked();
        if mongodb_uri_problem_of(&text, changed.as_ref()).is_some() {
            return was_tried.set(true);
        }
        let details = MongodbConnectionDetails {
            connection_string: text.trim().to_owned(),
            // Fills in the password of a URI that was left as it is.
            existing_connection_id: changed.as_ref().map(|c| c.id.clone()).filter(|_| is_masked(&text)),
            ..Default::default()
        };
        test.run(async move { api::connections::test_mongodb(&details).await });
    });
    view! { <ConnectionTestBar test=test on_test=run testid="target-test"/> }
}
