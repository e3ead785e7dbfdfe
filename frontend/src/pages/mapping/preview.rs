//! Documents of the chosen collection, assembled from live rows. Nothing is written.

use super::source::{SourceDrawer, has_source};
use super::use_mapping;
use crate::api::{self, ApiError};
use crate::components::button::{Button, ButtonTone};
use crate::components::code::{CodeLanguage, CodeView};
use crate::components::empty_state::EmptyState;
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::format::number;
use crate::format::text::sentence;
use crate::pages::migration::wizard::use_drafts;
use crate::remote::{Remote, show_remote};
use godwit_shared::ids::ProjectId;
use godwit_shared::project::{Preview, PreviewRequest};
use leptos::prelude::*;
use serde_json::Value;

const DOCUMENTS: u32 = 3;

#[component]
pub fn PreviewPane(id: ProjectId) -> impl IntoView {
    let context = use_mapping();
    let drafts = use_drafts();
    let id = StoredValue::new(id);
    let is_choosing = RwSignal::new(false);
    // Counts what was chosen and every refresh.
    let version = RwSignal::new(0u32);
    let is_known = Memo::new(move |_| {
        version.track();
        let saved = context
            .project
            .with_value(|project| project.details.summary.jdbc_id.clone());
        id.with_value(|id| has_source(drafts, id, saved.as_deref()))
    });
    let is_busy = RwSignal::new(false);
    let name = move || context.collection.get().map(|id| context.name_of(&id));
    let refresh = Callback::new(move |()| version.update(|n| *n += 1));
    let choose = Callback::new(move |()| is_choosing.set(true));
    let close = Callback::new(move |()| is_choosing.set(false));
    let body = move || match is_known.get() {
        true => view! { <Documents id=id version=version is_busy=is_busy/> }.into_any(),
        false => view! { <NoSource on_choose=choose/> }.into_any(),
    };
    view! {
        <section class="gw-mapping__pane" aria-label="Documents" data-testid="documents">
            <header class="gw-mapping__pane-head">
                <h2 title=name>"Documents of " <span class="gw-code">{name}</span></h2>
                <div class="gw-mapping__pane-end">
                    <Button label="Source" icon=Icon::Database tone=ButtonTone::Quiet on_press=choose attr:data-testid="preview-source"/>
                    <Button
                        label="Refresh"
                        icon=Icon::Retry
                        tone=ButtonTone::Quiet
                        is_busy=is_busy
                        is_disabled=Signal::derive(move || !is_known.get())
                        on_press=refresh
                        attr:data-testid="preview-refresh"
                    />
                </div>
            </header>
            <div class="gw-mapping__scroll gw-documents" tabindex="0" role="region" aria-label="Documents from live rows">{body}</div>
        </section>
        {move || is_choosing.get().then(|| view! { <SourceDrawer id=id.get_value() on_chosen=refresh on_close=close/> })}
    }
}

#[component]
fn NoSource(on_choose: Callback<()>) -> impl IntoView {
    view! {
        <EmptyState
            icon=Icon::Preview
            title="See documents as they will be"
            text="Godwit reads a few rows of the source and assembles them by these rules. Nothing is written."
        >
            <Button label="Connect the source" tone=ButtonTone::Primary icon=Icon::Plug on_press=on_choose attr:data-testid="preview-connect"/>
        </EmptyState>
    }
}

/// What documents are asked for: another one makes an answer an old one.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    version: u32,
    /// The name of the collection.
    collection: Option<String>,
}

#[component]
fn Documents(id: StoredValue<ProjectId>, version: RwSignal<u32>, is_busy: RwSignal<bool>) -> impl IntoView {
    let context = use_mapping();
    let drafts = use_drafts();
    let asked = Memo::new(move |_| Asked {
        version: version.get(),
        collection: context.collection.get().map(|id| context.name_of(&id)),
    });
    let answer = LocalResource::new(move || {
        let asked = asked.get();
        let project = id.get_value();
        let request = PreviewRequest {
            jdbc_connection_details: drafts.source_of(&project),
            collection: asked.collection.clone(),
            limit: Some(DOCUMENTS),
        };
        async move { (asked, api::projects::preview(&project, &request).await) }
    });
    Effect::new(move |_| is_busy.set(answer.get().is_none_or(|(of, _)| of != asked.get())));
    on_cleanup(move || _ = is_busy.try_set(false));
    let state = Memo::new(move |_| state(&asked.get(), answer.get())).into();
    let retry = Callback::new(move |()| version.update(|n| *n += 1));
    let ready = |shown: Shown| view! { <ShownDocuments shown=shown/> };
    show_remote(state, || view! { <Skeleton lines=8/> }.into_any(), retry, ready)
}

/// Documents of another collection do not stand beside the rules of this one; of this one they stay until newer ones are
/// there.
fn state(asked: &Asked, answer: Option<(Asked, Result<Preview, ApiError>)>) -> Remote<Shown> {
    let answer = answer.filter(|(of, _)| of.collection == asked.collection);
    Remote::from(answer.map(|(_, result)| result.map(|preview| shown(&preview))))
}

#[component]
fn ShownDocuments(shown: Shown) -> impl IntoView {
    let is_empty = shown.documents.is_empty();
    let document = |document: ShownDocument| {
        view! {
            <figure class="gw-document" data-testid="document">
                <figcaption class="gw-muted">{document.title.clone()}</figcaption>
                <CodeView label=document.title text=document.json language=CodeLanguage::Json/>
            </figure>
        }
    };
    let nothing = is_empty
        .then(|| view! { <p class="gw-muted">"The tables of this collection hold no rows that pass its rules."</p> });
    let issue = |issue: String| view! { <li>{issue}</li> };
    let issues = (!shown.issues.is_empty()).then(|| {
        view! {
            <div class="gw-documents__issues">
                <h3>"A job would report of these rows"</h3>
                <ul>{shown.issues.into_iter().map(issue).collect_view()}</ul>
            </div>
        }
    });
    view! {
        {nothing}
        {shown.documents.into_iter().map(document).collect_view()}
        {issues}
    }
}

/// The answer as it is shown.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    documents: Vec<ShownDocument>,
    issues: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct ShownDocument {
    json: String,
    title: String,
}

fn shown(preview: &Preview) -> Shown {
    let document = |(place, value): (usize, &Value)| {
        let size = preview
            .sizes
            .get(place)
            .map(|n| format!(", {}", number::bytes(*n as f64)));
        ShownDocument {
            json: serde_json::to_string_pretty(value).unwrap_or_default(),
            title: format!("Document {}{}", place + 1, size.unwrap_or_default()),
        }
    };
    Shown {
        documents: preview.documents.iter().enumerate().map(document).collect(),
        issues: preview.issues.iter().map(|issue| sentence(&issue.message)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_another_collection_are_not_shown() {
        let asked = |version, name: &str| Asked {
            version,
            collection: Some(name.into()),
        };
        let nothing = || Preview {
            collection: String::new(),
            documents: vec![],
            sizes: vec![],
            is_cut: false,
            issues: vec![],
        };
        let answer = |of: Asked| Some((of, Ok(nothing())));
        let now = asked(2, "letters");
        assert_eq!(state(&now, None), Remote::Loading);
        assert_eq!(state(&now, answer(asked(2, "customers"))), Remote::Loading);
        assert!(state(&now, answer(asked(1, "letters"))).ready().is_some());
    }
    use serde_json::json;

    #[test]
    fn documents_with_their_sizes() {
        let preview = Preview {
            collection: "borrowers".into(),
            documents: vec![json!({"_id": 1}), json!({"_id": 2})],
            sizes: vec![1_400],
            is_cut: false,
            issues: Vec::new(),
        };
        let shown = shown(&preview);
        let titles: Vec<_> = shown.documents.iter().map(|d| &*d.title).collect();
        assert_eq!(titles, ["Document 1, 1.4 kB", "Document 2"]);
        assert_eq!(shown.documents[0].json, "{\n  \"_id\": 1\n}");
    }
}
