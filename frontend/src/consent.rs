//! What an imported project carries that is run, and the agreement of the user to it.

use crate::api::{self, ApiError};
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::{Button, ButtonTone};
use crate::components::code::CodeView;
use crate::components::dialog::{Dialog, DialogSize};
use crate::components::error_panel::ErrorPanel;
use crate::components::skeleton::Skeleton;
use crate::projects::use_projects;
use crate::remote::{Remote, show_remote};
use godwit_shared::consent::{CarriedCode, CodeLanguage, CodePlace, Consent};
use godwit_shared::ids::ProjectId;
use leptos::prelude::*;

/// All of it to read, and the button that agrees.
#[component]
pub fn ConsentDialog(project: ProjectId, on_close: Callback<()>) -> impl IntoView {
    let projects = use_projects();
    let id = StoredValue::new(project);
    let answer = LocalResource::new(move || {
        let id = id.get_value();
        async move { api::projects::consent(&id).await }
    });
    let state = Memo::new(move |_| Remote::from(answer.get()));
    let retry = Callback::new(move |()| answer.refetch());
    let allow = Action::new_local(move |digest: &String| {
        let (id, digest) = (id.get_value(), digest.clone());
        async move {
            api::projects::give_consent(&id, digest).await?;
            projects.reload();
            on_close.run(());
            Ok::<(), ApiError>(())
        }
    });
    let failure = move || allow.value().get().and_then(Result::err);
    let press = Callback::new(move |()| {
        if let Some(consent) = state.get_untracked().ready() {
            allow.dispatch_local(consent.digest);
        }
    });
    let is_waiting = Signal::derive(move || state.get().ready().is_none());
    let ready = |consent: Consent| view! { <CodeList code=consent.code/> }.into_any();
    view! {
        <Dialog title="This project carries SQL and JavaScript" size=DialogSize::Wide on_close=on_close>
            <div class="gw-dialog__body gw-stack" data-testid="consent">
                <p>
                    "The SQL runs in your source, with the rights of its user; the JavaScript runs in Godwit. Nothing of \
                     it runs before you have read it and agreed."
                </p>
                {show_remote(state.into(), || view! { <Skeleton lines=6/> }.into_any(), retry, ready)}
                {move || failure().map(|error| view! { <ErrorPanel error=error/> })}
            </div>
            <footer class="gw-dialog__foot">
                <Button label="Not now" on_press=on_close attr:autofocus=""/>
                <Button
                    label="I have read these: allow"
                    tone=ButtonTone::Primary
                    is_busy=allow.pending()
                    is_disabled=is_waiting
                    on_press=press
                    attr:data-testid="consent-allow"
                />
            </footer>
        </Dialog>
    }
}

#[component]
fn CodeList(code: Vec<CarriedCode>) -> impl IntoView {
    let item = |code: CarriedCode| {
        let title = title_of(&code);
        view! {
            <li>
                <p>{title.clone()}</p>
                <CodeView label=title text=code.text/>
            </li>
        }
    };
    view! { <ul class="gw-stack" data-testid="consent-code">{code.into_iter().map(item).collect_view()}</ul> }
}

/// Where a text stands, in words.
fn title_of(code: &CarriedCode) -> String {
    let language = match code.language {
        CodeLanguage::Sql => "SQL",
        CodeLanguage::Javascript => "JavaScript",
    };
    let place = match code.place {
        CodePlace::TableFilter => format!("filter of the table {}", code.table),
        CodePlace::RuleFilter => format!("filter of a rule of {}", code.table),
        CodePlace::CalculatedField => {
            let field = code.field.as_deref().unwrap_or_default();
            format!("calculated field \u{201c}{field}\u{201d} of a rule of {}", code.table)
        }
    };
    let collection = code.collection.as_ref();
    let collection = collection
        .map(|c| format!(", collection \u{201c}{c}\u{201d}"))
        .unwrap_or_default();
    format!("{language}: {place}{collection}")
}

/// Says in an open project that it waits, with the way to the dialog.
#[component]
pub fn ConsentBanner(project: Signal<ProjectId>) -> impl IntoView {
    let projects = use_projects();
    let found = projects.find(project);
    let is_needed = Memo::new(move |_| found.get().ready().flatten().is_some_and(|p| p.needs_consent));
    let is_open = RwSignal::new(false);
    let open = Callback::new(move |()| is_open.set(true));
    let close = Callback::new(move |()| is_open.set(false));
    move || {
        is_needed.get().then(|| {
            view! {
                <div class="gw-page" data-testid="consent-banner">
                    <Banner tone=Tone::Warning title="This project carries SQL and JavaScript">
                        <p>"It was imported. Previews, checks and jobs wait until you have read what would run."</p>
                        <Button label="Read and allow" on_press=open/>
                    </Banner>
                </div>
                {move || is_open.get().then(|| {
                    view! { <ConsentDialog project=project.get_untracked() on_close=close/> }
                })}
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_says_where_it_stands() {
        let code = |language, place, collection: Option<&str>, field: Option<&str>| {
            title_of(&CarriedCode {
                language,
                place,
                table: "public.item".into(),
                collection: collection.map(str::to_owned),
                field: field.map(str::to_owned),
                text: "x".into(),
            })
        };
        assert_eq!(
            code(CodeLanguage::Sql, CodePlace::TableFilter, None, None),
            "SQL: filter of the table public.item"
        );
        assert_eq!(
            code(
                CodeLanguage::Javascript,
                CodePlace::CalculatedField,
                Some("items"),
                Some("total")
            ),
            "JavaScript: calculated field \u{201c}total\u{201d} of a rule of public.item, collection \u{201c}items\u{201d}"
        );
    }
}
