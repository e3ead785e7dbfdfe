//! The form of a destination: a saved connection, or a URI, with database, user and password.

use super::chosen::{ChosenConnection, destination_lines};
use super::details::{destination_details, details_of_changed_destination};
use super::draft::{DestinationDraft, DestinationDraftStoreFields};
use super::pem_field::{PemField, stored_or_example};
use super::problem::{DestinationField, destination_problem, is_destination_complete, mongodb_uri_problem_of};
use super::test::{ConnectionTest, ConnectionTestBar};
use crate::api;
use crate::components::field::{FieldKind, TextField};
use crate::components::select::{SelectField, SelectOption};
use godwit_shared::connection::SavedMongodbConnection;
use leptos::prelude::*;
use reactive_stores::Field;

/// Of a job: something has to name the database.
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
    let saved = StoredValue::new(saved);
    let chosen = Memo::new(move |_| {
        let id = destination.saved().get();
        saved.with_value(|saved| saved.iter().find(|c| c.id.as_str() == id).cloned())
    });
    let problem = move |field| {
        Signal::derive(move || {
            let problem = saved.with_value(|saved| destination.with(|d| destination_problem(d, saved, field)));
            problem.filter(|_| was_tried.get())
        })
    };
    let hint = Some("With everything that the server needs to be found.".to_owned());
    let typed = move || {
        view! {
            <DestinationFields
                destination=destination
                known=chosen
                hint=hint.clone()
                uri_error=problem(DestinationField::Uri)
                database_error=problem(DestinationField::Database)
            />
        }
    };
    view! {
        <SavedDestination destination=destination choices=options/>
        <Show when=move || chosen.with(Option::is_some) fallback=typed>
            <ChosenDestination destination=destination chosen=chosen database_error=problem(DestinationField::Database)/>
        </Show>
    }
}

/// One that is saved, as it is: the job alone may name another database.
#[component]
fn ChosenDestination(
    destination: Field<DestinationDraft>,
    chosen: Memo<Option<SavedMongodbConnection>>,
    database_error: Signal<Option<String>>,
) -> impl IntoView {
    let change = Callback::new(move |()| {
        if let Some(connection) = chosen.get_untracked() {
            destination.set(DestinationDraft::of(&connection));
        }
    });
    let lines = move || {
        let connection = chosen.get()?;
        Some(view! { <ChosenConnection lines=destination_lines(&connection) on_change=change/> })
    };
    view! {
        {lines}
        <TextField
            label="Database of this job"
            kind=FieldKind::Code
            value=destination.database()
            hint=Some("Empty: the one of the connection.".to_owned())
            error=database_error
            testid="target-database"
        />
    }
}

/// The URI, and what wins over it.
#[component]
pub fn DestinationFields(
    destination: Field<DestinationDraft>,
    /// The saved connection that is chosen or changed: what it holds need not be typed.
    #[prop(into)]
    known: Signal<Option<SavedMongodbConnection>>,
    #[prop(into)] hint: Signal<Option<String>>,
    #[prop(into)] uri_error: Signal<Option<String>>,
    #[prop(optional, into)] database_error: Signal<Option<String>>,
) -> impl IntoView {
    let of_known = move |what: fn(SavedMongodbConnection) -> Option<String>| {
        Signal::derive(move || known.get().and_then(what).unwrap_or_default())
    };
    let uri = Signal::derive(move || match known.get() {
        Some(connection) => connection.connection_string,
        None => "mongodb://host:27017/database".into(),
    });
    let is_known = move |what: fn(&SavedMongodbConnection) -> bool| {
        Signal::derive(move || stored_or_example(known.get().as_ref().is_some_and(what)))
    };
    let (stored_ca, stored_key) = (is_known(|c| c.has_tls_ca), is_known(|c| c.has_tls_certificate_key));
    let stored = of_known(|c| c.has_password.then(|| "Stored with the connection".to_owned()));
    view! {
        <TextField
            label="MongoDB connection string (URI)"
            kind=FieldKind::Code
            value=destination.uri()
            placeholder=uri
            hint=hint
            error=uri_error
            testid="target-uri"
        />
        <div class="gw-form__row">
            <TextField
                label="Database"
                kind=FieldKind::Code
                value=destination.database()
                placeholder=of_known(|c| c.database)
                error=database_error
                testid="target-database"
            />
            <TextField
                label="Username"
                value=destination.user()
                placeholder=of_known(|c| c.user)
                testid="target-user"
            />
            <TextField
                label="Password"
                kind=FieldKind::Password
                value=destination.password()
                placeholder=stored
                testid="target-password"
            />
        </div>
        <details class="gw-more">
            <summary>"Certificates"</summary>
            <PemField
                label="CA certificate"
                value=destination.ca().into()
                placeholder=stored_ca
                hint="In PEM. Turns TLS on: the server has to show a certificate of this authority."
                testid="target-ca"
            />
            <PemField
                label="Certificate and private key"
                value=destination.certificate_key().into()
                placeholder=stored_key
                hint="In PEM, one below the other: to sign on with. Encrypted, on the machine of Godwit."
                testid="target-certificate-key"
            />
        </details>
        <p class="gw-field__note">"Only needed where the URI does not say them; what is entered here wins over it."</p>
    }
}

/// Choosing a saved connection clears the URI; typing one makes it a new connection.
fn link_choice_and_uri(destination: Field<DestinationDraft>) {
    let (saved, uri) = (destination.saved(), destination.uri());
    let has_uri = Memo::new(move |_| uri.with(|uri| !uri.trim().is_empty()));
    Effect::new(move |was_chosen: Option<String>| {
        let chosen = saved.get();
        if was_chosen.is_some_and(|before| before != chosen) && !chosen.is_empty() {
            destination.update(DestinationDraft::choose);
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
pub fn DestinationTest(
    destination: Field<DestinationDraft>,
    saved: Vec<SavedMongodbConnection>,
    was_tried: RwSignal<bool>,
    /// Who else asks for a test, and what came of it.
    test: ConnectionTest,
) -> impl IntoView {
    forget_with_changes(test, destination);
    let run = Callback::new(move |()| {
        if !destination.with_untracked(|destination| is_destination_complete(destination, &saved)) {
            return was_tried.set(true);
        }
        let details = destination.with_untracked(destination_details);
        test.run(async move { api::connections::test_mongodb(&details).await });
    });
    view! { <ConnectionTestBar test=test on_test=run testid="target-test"/> }
}

/// *Test connection* for a destination that is to be saved: its database may be left to the job.
#[component]
pub fn MongodbTest(
    destination: Field<DestinationDraft>,
    /// The connection that is being changed.
    #[prop(optional_no_strip)]
    changed: Option<SavedMongodbConnection>,
    was_tried: RwSignal<bool>,
) -> impl IntoView {
    let test = ConnectionTest::untested();
    forget_with_changes(test, destination);
    let run = Callback::new(move |()| {
        let draft = destination.get_untracked();
        if mongodb_uri_problem_of(&draft.uri, changed.as_ref()).is_some() {
            return was_tried.set(true);
        }
        let details = details_of_changed_destination(&draft, changed.as_ref());
        test.run(async move { api::connections::test_mongodb(&details).await });
    });
    view! { <ConnectionTestBar test=test on_test=run testid="target-test"/> }
}

/// What it finds holds for as long as nothing is changed.
fn forget_with_changes(test: ConnectionTest, destination: Field<DestinationDraft>) {
    Effect::new(move |_| {
        destination.track();
        test.forget();
    });
}
