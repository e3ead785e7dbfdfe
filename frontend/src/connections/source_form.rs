//! The form of a source: a saved connection, or URI or fields, with user, password and SSL.

use super::chosen::{ChosenConnection, source_lines};
use super::details::details_of_change;
use super::draft::{SourceDraft, SourceDraftStoreFields, verifies};
use super::kinds::{SSL_MODES, ServerForm, example, form_of};
use super::pem_field::{PemField, stored_or_example};
use super::problem::{KnownSources, SourceField, has_stored_password, is_source_complete, source_problem};
use super::test::{ConnectionTest, ConnectionTestBar};
use super::{kind_label, usable};
use crate::api;
use crate::components::choice::Checkbox;
use crate::components::field::{FieldKind, TextField};
use crate::components::select::{SelectField, SelectOption};
use godwit_shared::connection::{SavedJdbcConnection, SourceKind};
use leptos::prelude::*;
use reactive_stores::Field;

/// What the parts of the form share.
#[derive(Clone, Copy)]
struct Form {
    source: Field<SourceDraft>,
    /// The saved connection that is chosen or changed: what it holds need not be typed.
    known: Signal<Option<SavedJdbcConnection>>,
    changed: StoredValue<Option<SavedJdbcConnection>>,
    saved: StoredValue<Vec<SavedJdbcConnection>>,
    was_tried: Signal<bool>,
}

impl Form {
    /// The error to show at a field.
    fn problem(self, field: SourceField) -> Signal<Option<String>> {
        Signal::derive(move || {
            let problem = self.changed.with_value(|changed| {
                self.saved.with_value(|saved| {
                    let known = KnownSources {
                        changed: changed.as_ref(),
                        saved,
                    };
                    self.source.with(|source| source_problem(source, known, field))
                })
            });
            problem.filter(|_| self.was_tried.get())
        })
    }
}

#[component]
pub fn SourceForm(
    source: Field<SourceDraft>,
    /// Those that may be chosen instead of typing.
    #[prop(optional)]
    saved: Vec<SavedJdbcConnection>,
    /// The connection that is being changed.
    #[prop(optional_no_strip)]
    changed: Option<SavedJdbcConnection>,
    /// Whether the user has tried to go on: before that gaps are no errors.
    #[prop(into)]
    was_tried: Signal<bool>,
) -> impl IntoView {
    link_choice_and_address(source);
    carry_over_between_forms(source);
    follow_kind(source);
    let choices: Vec<_> = usable(&saved).cloned().collect();
    let changed = StoredValue::new(changed);
    let known = Memo::new({
        let choices = choices.clone();
        move |_| {
            let id = source.saved().get();
            let chosen = choices.iter().find(|c| c.id.as_str() == id).cloned();
            changed.get_value().or(chosen)
        }
    });
    let form = Form {
        source,
        known: known.into(),
        changed,
        saved: StoredValue::new(choices.clone()),
        was_tried,
    };
    view! {
        <SavedSource source=source choices=choices/>
        <Show when=move || form.chosen().is_some() fallback=move || view! { <TypedSource form=form/> }>
            <ChosenSource form=form/>
        </Show>
    }
}

/// One that is typed.
#[component]
fn TypedSource(form: Form) -> impl IntoView {
    let is_file = Memo::new(move |_| form.source.with(SourceDraft::is_file));
    view! {
        <KindField source=form.source/>
        <Show when=move || is_file.get() fallback=move || view! { <Server form=form/> }>
            <UriField form=form/>
            <p class="gw-field__note">
                "The file lies in the folder of SQLite files of the server: "<code>"sqlite"</code>" in its data directory, or \
                 the one that "<code>"--sqlite-dir"</code>" names. It is read and never written."
            </p>
        </Show>
    }
}

#[component]
fn Server(form: Form) -> impl IntoView {
    let is_manual = form.source.is_manual_uri();
    view! {
        <Checkbox label="Enter URI manually" checked=is_manual testid="source-manual"/>
        <Show when=move || is_manual.get() fallback=move || view! { <HostFields form=form/> }>
            <UriField form=form/>
        </Show>
        <Credentials form=form/>
        <SslFields form=form/>
    }
}

/// One that is saved, as it is. A password that is not stored with it is asked for; the server may need none.
#[component]
fn ChosenSource(form: Form) -> impl IntoView {
    let change = Callback::new(move |()| {
        if let Some(connection) = form.chosen() {
            form.source.set(SourceDraft::of(&connection));
        }
    });
    move || {
        let connection = form.chosen()?;
        let is_server = SourceKind::of(&connection.kind) != Some(SourceKind::Sqlite);
        let password = (is_server && !has_stored_password(&connection)).then(|| {
            view! {
                <TextField
                    label="Password"
                    kind=FieldKind::Password
                    value=form.source.password()
                    hint=Some("Not stored with the connection. Empty, where the server asks for none.".to_owned())
                    testid="source-password"
                />
            }
        });
        Some(view! {
            <ChosenConnection lines=source_lines(&connection) on_change=change/>
            {password}
        })
    }
}

/// Choosing a saved connection clears the address; typing one makes it a new connection.
fn link_choice_and_address(source: Field<SourceDraft>) {
    let has_address = Memo::new(move |_| source.with(SourceDraft::has_address));
    Effect::new(move |was_chosen: Option<String>| {
        let chosen = source.saved().get();
        let is_changed = was_chosen.is_some_and(|before| before != chosen);
        if is_changed && !chosen.is_empty() {
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

fn follow_kind(source: Field<SourceDraft>) {
    Effect::new(move |before: Option<String>| {
        let mut followed = source.get();
        followed.follow_kind();
        if let Some(before) = before.filter(|before| *before != followed.kind) {
            followed.follow_port(&before);
        }
        let kind = followed.kind.clone();
        if source.with_untracked(|source| *source != followed) {
            source.set(followed);
        }
        kind
    });
}

fn carry_over_between_forms(source: Field<SourceDraft>) {
    Effect::new(move |was_manual: Option<bool>| {
        let is_manual = source.is_manual_uri().get();
        if was_manual.is_some_and(|before| before != is_manual) {
            source.update(SourceDraft::carry_over);
        }
        is_manual
    });
}

#[component]
fn SavedSource(source: Field<SourceDraft>, choices: Vec<SavedJdbcConnection>) -> impl IntoView {
    let option = |c: &SavedJdbcConnection| SelectOption::new(c.id.as_str(), format!("{} ({})", c.name, c.url));
    (!choices.is_empty()).then(|| {
        let new = SelectOption::new("", "New connection");
        let options: Vec<_> = std::iter::once(new).chain(choices.iter().map(option)).collect();
        view! { <SelectField label="Connection" value=source.saved() options=options testid="source-saved"/> }
    })
}

/// The kinds that this build reads, and the one that the connection has.
#[component]
fn KindField(source: Field<SourceDraft>) -> impl IntoView {
    let own = source.kind().get_untracked();
    let other = SourceKind::of(&own).is_none().then_some(own);
    let kinds = SourceKind::ALL
        .into_iter()
        .map(|kind| kind.code().to_owned())
        .chain(other);
    let option = |kind: String| SelectOption::new(kind.clone(), kind_label(&kind));
    let options: Vec<_> = kinds.map(option).collect();
    view! { <SelectField label="Database type" value=source.kind() options=options testid="source-kind"/> }
}

#[component]
fn UriField(form: Form) -> impl IntoView {
    let placeholder = Signal::derive(move || match form.known.get() {
        Some(connection) => connection.url,
        None => example(&form.source.kind().get()),
    });
    view! {
        <TextField
            label="JDBC URI"
            kind=FieldKind::Code
            value=form.source.uri()
            placeholder=placeholder
            error=form.problem(SourceField::Uri)
            testid="source-uri"
        />
    }
}

impl Form {
    /// The saved connection that is chosen, and not changed.
    fn chosen(self) -> Option<SavedJdbcConnection> {
        let is_choice = self.source.saved().with(|saved| !saved.is_empty());
        self.known.get().filter(|_| is_choice)
    }
}

/// What a kind says at a field.
fn hint(form: Form, of: impl Fn(&ServerForm) -> &'static str + Send + Sync + 'static) -> Signal<Option<String>> {
    Signal::derive(move || form_of(&form.source.kind().get()).map(|kind| of(kind).to_owned()))
}

#[component]
fn HostFields(form: Form) -> impl IntoView {
    view! {
        <div class="gw-form__row gw-form__row--host">
            <TextField
                label="Host"
                kind=FieldKind::Code
                value=form.source.host()
                error=form.problem(SourceField::Host)
                testid="source-host"
            />
            <TextField
                label="Port"
                kind=FieldKind::Code
                value=form.source.port()
                error=form.problem(SourceField::Port)
                testid="source-port"
            />
            <TextField
                label="Database"
                kind=FieldKind::Code
                value=form.source.database()
                hint=hint(form, |kind| kind.no_database)
                testid="source-database"
            />
        </div>
    }
}

#[component]
fn Credentials(form: Form) -> impl IntoView {
    let user = Signal::derive(move || form.known.get().and_then(|c| c.user).unwrap_or_default());
    let password = Signal::derive(move || match form.known.get() {
        Some(connection) if connection.has_password => "Stored with the connection".into(),
        Some(_) | None => String::new(),
    });
    view! {
        <div class="gw-form__row">
            <TextField label="Username" value=form.source.user() placeholder=user testid="source-user"/>
            <TextField
                label="Password"
                kind=FieldKind::Password
                value=form.source.password()
                placeholder=password
                hint=hint(form, |kind| kind.no_password)
                testid="source-password"
            />
        </div>
    }
}

#[component]
fn SslFields(form: Form) -> impl IntoView {
    let source = form.source;
    let modes = SSL_MODES.map(|(value, label)| SelectOption::new(value, label)).to_vec();
    let use_ssl = source.use_ssl();
    let has_file = move || source.ssl_mode().with(|mode| verifies(mode));
    let placeholder =
        Signal::derive(move || stored_or_example(form.known.get().is_some_and(|known| known.has_ssl_root_cert)));
    view! {
        <Checkbox label="Use SSL" checked=use_ssl testid="source-use-ssl"/>
        <Show when=move || use_ssl.get()>
            <div class="gw-form__row">
                <SelectField label="SSL mode" value=source.ssl_mode() options=modes.clone() testid="source-ssl-mode"/>
                <Show when=has_file>
                    <TextField
                        label="CA certificate file"
                        kind=FieldKind::Code
                        value=source.root_certificate()
                        placeholder="ca.pem"
                        hint=Some("In the folder that the server takes certificates from; or enter it below.".to_owned())
                        testid="source-root-certificate"
                    />
                </Show>
            </div>
            <PemField
                label="CA certificate"
                value=source.root_certificate_content().into()
                placeholder=placeholder
                hint="In PEM. With it the server has to show a certificate of this authority, in every SSL mode. Empty: \
                      the well-known authorities, where the mode verifies."
                testid="source-root-certificate-content"
            />
        </Show>
    }
}

/// *Test connection* for what the form holds.
#[component]
pub fn SourceTest(
    source: Field<SourceDraft>,
    /// Those that may be chosen instead of typing.
    #[prop(optional)]
    saved: Vec<SavedJdbcConnection>,
    /// The connection that is being changed.
    #[prop(optional_no_strip)]
    changed: Option<SavedJdbcConnection>,
    was_tried: RwSignal<bool>,
    /// Who else asks for a test, and what came of it.
    #[prop(optional)]
    test: Option<ConnectionTest>,
) -> impl IntoView {
    let test = test.unwrap_or_else(ConnectionTest::untested);
    Effect::new(move |_| {
        source.track();
        test.forget();
    });
    let run = Callback::new(move |()| {
        let changed = changed.as_ref();
        let known = KnownSources { changed, saved: &saved };
        if !source.with_untracked(|source| is_source_complete(source, known)) {
            return was_tried.set(true);
        }
        let details = source.with_untracked(|source| details_of_change(source, changed));
        test.run(async move { api::connections::test_jdbc(&details).await });
    });
    view! { <ConnectionTestBar test=test on_test=run testid="source-test"/> }
}
