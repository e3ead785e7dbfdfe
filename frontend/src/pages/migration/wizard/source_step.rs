//! *Connect Source DB*

use super::connection_test::{ConnectionTest, ConnectionTestBar};
use super::draft::{DraftStoreFields, SSL_MODES, SourceDraft, SourceDraftStoreFields};
use super::prefill::usable;
use super::request::source_details;
use super::use_wizard;
use super::validate::FieldId;
use crate::api;
use crate::components::choice::Checkbox;
use crate::components::field::{FieldKind, TextField};
use crate::components::select::{SelectField, SelectOption};
use godwit_shared::connection::SavedJdbcConnection;
use leptos::prelude::*;
use reactive_stores::Field;

const SAVED_HINT: &str = "Leave empty to use the saved connection as it is.";

#[component]
pub fn SourceStep() -> impl IntoView {
    let source: Field<SourceDraft> = use_wizard().draft.source().into();
    link_choice_and_address(source);
    let is_manual = source.is_manual_uri();
    let modes = SSL_MODES.map(|(value, label)| SelectOption::new(value, label)).to_vec();
    view! {
        <div class="gw-form">
            <SavedSource source=source/>
            <Checkbox label="Enter URI manually" checked=is_manual/>
            <Show when=move || is_manual.get() fallback=move || view! { <HostFields source=source/> }>
                <UriField source=source/>
            </Show>
            <Credentials source=source/>
            <SelectField label="SSL mode" value=source.ssl_mode() options=modes testid="source-ssl-mode"/>
            <SourceTest source=source/>
        </div>
    }
}

/// Choosing a saved connection clears the address; typing one makes it a new connection.
fn link_choice_and_address(source: Field<SourceDraft>) {
    let has_address = Memo::new(move |_| source.with(SourceDraft::has_address));
    Effect::new(move |was_chosen: Option<String>| {
        let chosen = source.saved().get();
        let is_changed = was_chosen.is_some_and(|before| before != chosen);
        if is_changed && !chosen.is_empty() && has_address.get_untracked() {
            source.update(SourceDraft::choose);
        }
        chosen
    });
    Effect::new(move |_| {
        if has_address.get() && !source.saved().get_untracked().is_empty() {
            source.saved().set(String::new());
        }
    });
}

/// The saved connection that is chosen.
fn chosen(source: Field<SourceDraft>) -> Memo<Option<SavedJdbcConnection>> {
    let saved = use_wizard().saved;
    Memo::new(move |_| {
        let id = source.saved().get();
        saved.with_value(|saved| usable(saved).find(|c| c.id.as_str() == id).cloned())
    })
}

#[component]
fn SavedSource(source: Field<SourceDraft>) -> impl IntoView {
    let options = use_wizard().saved.with_value(|saved| {
        let saved = usable(saved).map(|c| SelectOption::new(c.id.as_str(), format!("{} ({})", c.name, c.url)));
        saved.collect::<Vec<_>>()
    });
    (!options.is_empty()).then(|| {
        let options = [vec![SelectOption::new("", "New connection")], options].concat();
        view! { <SelectField label="Connection" value=source.saved() options=options testid="source-saved"/> }
    })
}

#[component]
fn UriField(source: Field<SourceDraft>) -> impl IntoView {
    let problem = use_wizard().problem(FieldId::SourceUri);
    let chosen = chosen(source);
    let placeholder = Signal::derive(move || match chosen.get() {
        Some(connection) => connection.url,
        None => "jdbc:postgresql://host:5432/database".into(),
    });
    let hint = Signal::derive(move || chosen.get().map(|_| SAVED_HINT.to_owned()));
    view! {
        <TextField
            label="JDBC URI"
            kind=FieldKind::Code
            value=source.uri()
            placeholder=placeholder
            hint=hint
            error=problem
            testid="source-uri"
        />
    }
}

#[component]
fn HostFields(source: Field<SourceDraft>) -> impl IntoView {
    let wizard = use_wizard();
    view! {
        <div class="gw-form__row gw-form__row--host">
            <TextField
                label="Host"
                kind=FieldKind::Code
                value=source.host()
                error=wizard.problem(FieldId::SourceHost)
                testid="source-host"
            />
            <TextField
                label="Port"
                kind=FieldKind::Code
                value=source.port()
                error=wizard.problem(FieldId::SourcePort)
                testid="source-port"
            />
            <TextField
                label="Database"
                kind=FieldKind::Code
                value=source.database()
                error=wizard.problem(FieldId::SourceDatabase)
                testid="source-database"
            />
        </div>
    }
}

#[component]
fn Credentials(source: Field<SourceDraft>) -> impl IntoView {
    let chosen = chosen(source);
    let user = Signal::derive(move || chosen.get().and_then(|c| c.user).unwrap_or_default());
    let password = Signal::derive(move || match chosen.get() {
        Some(connection) if connection.has_password => "Stored with the connection".into(),
        Some(_) | None => String::new(),
    });
    view! {
        <div class="gw-form__row">
            <TextField label="Username" value=source.user() placeholder=user testid="source-user"/>
            <TextField
                label="Password"
                kind=FieldKind::Password
                value=source.password()
                placeholder=password
                testid="source-password"
            />
        </div>
    }
}

#[component]
fn SourceTest(source: Field<SourceDraft>) -> impl IntoView {
    let wizard = use_wizard();
    let test = ConnectionTest::new();
    Effect::new(move |_| {
        source.track();
        test.forget();
    });
    let run = Callback::new(move |()| {
        if !wizard.is_step_complete() {
            return wizard.was_tried.set(true);
        }
        let details = source.with_untracked(source_details);
        test.run(async move { api::connections::test_jdbc(&details).await });
    });
    view! { <ConnectionTestBar test=test on_test=run testid="source-test"/> }
}
