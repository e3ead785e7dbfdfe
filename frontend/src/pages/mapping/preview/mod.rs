//! Documents of the collection in hand, assembled from live rows by the rules as they stand on the screen. Nothing is
//! written. What cannot be assembled is said, and the last documents stay, greyed.

mod document;
mod find;
mod json_lines;

use super::source::{SourceDrawer, has_source};
use super::workbench::{Workbench, use_workbench};
use crate::api::{self, Abort, ApiError};
use crate::components::button::{Button, ButtonTone, IconButton};
use crate::components::error_panel::ErrorPanel;
use crate::components::icon::Icon;
use crate::components::skeleton::Skeleton;
use crate::format::number;
use crate::format::text::sentence;
use crate::pages::migration::wizard::use_drafts;
use document::DocumentView;
use find::{Find, FindFields, key_columns};
use godwit_shared::draft::{CheckDraft, DraftBody, DraftCheck, DraftPreview, PreviewDraft};
use godwit_shared::ids::CollectionId;
use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const DOCUMENTS: u32 = 3;
/// After the last key that was typed: less than anybody notices.
const PAUSE: Duration = Duration::from_millis(120);

/// The newest answer, and whether it is of what stands on the screen.
#[derive(Debug, Clone, PartialEq, Default)]
struct Answer {
    /// The last documents that could be assembled, and of which collection.
    good: Option<(CollectionId, Arc<Shown>)>,
    failure: Option<ApiError>,
    /// Something is wrong with the draft: the documents are older than it.
    is_old: bool,
}

/// Documents as they are shown.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    documents: Vec<(String, serde_json::Value)>,
    sizes: String,
    /// There would be more documents.
    is_cut: bool,
    issues: Vec<String>,
}

fn shown(preview: &DraftPreview) -> Shown {
    let bytes = |n: u64| number::bytes(n as f64);
    let documents = preview.documents.iter().enumerate().map(|(n, one)| {
        let arrays = one.arrays.iter().map(|(path, count)| format!(", {path}: {count}"));
        let title = format!("Document {}, {}{}", n + 1, bytes(one.size), arrays.collect::<String>());
        (title, one.document.clone())
    });
    Shown {
        documents: documents.collect(),
        sizes: match preview.documents.len() {
            0 | 1 => String::new(),
            _ => format!(
                "largest {}, {} on average",
                bytes(preview.largest),
                bytes(preview.average)
            ),
        },
        is_cut: preview.is_cut,
        issues: preview.issues.iter().map(|issue| sentence(&issue.message)).collect(),
    }
}

/// The draft as a request carries it.
pub fn body_of(bench: Workbench) -> DraftBody {
    let (content, model) = bench
        .draft
        .with_untracked(|draft| (draft.content.clone(), draft.model.clone()));
    let is_same = bench.stored_model.with_value(|stored| *stored == model);
    DraftBody {
        content,
        full: (!is_same).then_some(model),
    }
}

#[component]
pub fn PreviewPane() -> impl IntoView {
    let bench = use_workbench();
    let drafts = use_drafts();
    let is_choosing = RwSignal::new(false);
    // Counts every wish to look again.
    let version = RwSignal::new(0u32);
    let find = RwSignal::new(Find::default());
    let is_known = Memo::new(move |_| {
        version.track();
        let saved = bench.details.with_value(|details| details.summary.jdbc_id.clone());
        bench.id.with_value(|id| has_source(drafts, id, saved.as_deref()))
    });
    let (answer, is_busy) = (RwSignal::new(Answer::default()), RwSignal::new(false));
    look(
        bench,
        Wish {
            version,
            find,
            is_known,
            answer,
            is_busy,
        },
    );
    let name = move || bench.collection.get().map(|id| bench.name_of(&id));
    let refresh = Callback::new(move |()| version.update(|n| *n += 1));
    let choose = Callback::new(move |()| is_choosing.set(true));
    let close = Callback::new(move |()| is_choosing.set(false));
    let body = move || match is_known.get() {
        true => view! { <Documents answer=answer retry=refresh/> }.into_any(),
        false => view! { <NoSource on_choose=choose/> }.into_any(),
    };
    view! {
        <section
            class="gw-mapping__pane"
            class:gw-mapping__pane--small=move || !is_known.get()
            aria-label="Documents"
            data-testid="documents"
        >
            <header class="gw-mapping__pane-head">
                <h2 title=name>"Documents of " <span class="gw-code" data-testid="preview-collection">{name}</span></h2>
                <Show when=move || is_known.get()>
                    <FindFields find=find/>
                </Show>
                <div class="gw-mapping__pane-end">
                    <IconButton label="Source of the documents" icon=Icon::Database on_press=choose attr:data-testid="preview-source"/>
                    <IconButton
                        label="Read the rows again"
                        icon=Icon::Retry
                        is_busy=is_busy
                        is_disabled=Signal::derive(move || !is_known.get())
                        on_press=refresh
                        attr:data-testid="preview-refresh"
                    />
                </div>
            </header>
            <div class="gw-mapping__scroll gw-documents" tabindex="0" role="region" aria-label="Documents from live rows">{body}</div>
        </section>
        {move || is_choosing.get().then(|| view! { <SourceDrawer id=bench.id.get_value() on_chosen=refresh on_close=close/> })}
    }
}

#[component]
fn NoSource(on_choose: Callback<()>) -> impl IntoView {
    view! {
        <div class="gw-row">
            <p class="gw-muted">"Godwit reads a few rows of the source and assembles documents by these rules. Nothing is written."</p>
            <Button label="Connect the source" tone=ButtonTone::Primary icon=Icon::Plug on_press=on_choose attr:data-testid="preview-connect"/>
        </div>
    }
}

/// What is looked for, and where the answer goes.
#[derive(Clone, Copy)]
struct Wish {
    version: RwSignal<u32>,
    find: RwSignal<Find>,
    is_known: Memo<bool>,
    answer: RwSignal<Answer>,
    is_busy: RwSignal<bool>,
}

/// Asks a moment after each change, and no longer for what stood there before.
fn look(bench: Workbench, wish: Wish) {
    let drafts = use_drafts();
    let asked = StoredValue::new(0u32);
    let under_way = StoredValue::new_local(None::<Abort>);
    on_cleanup(move || _ = under_way.try_update_value(Option::take));
    Effect::new(move |_| {
        let Some(collection) = bench.collection.get().filter(|_| wish.is_known.get()) else {
            return;
        };
        bench.version.track();
        wish.version.track();
        let find = wish.find.get();
        let number = asked.get_value() + 1;
        asked.set_value(number);
        wish.is_busy.set(true);
        // The server ends what it does for a request that is gone.
        under_way.set_value(None);
        let is_newest = move || asked.try_get_value() == Some(number);
        let ask = move || {
            if !is_newest() {
                return;
            }
            let id = bench.id.get_value();
            let source = drafts.source_of(&id);
            let columns = bench.draft.with_untracked(|draft| key_columns(draft, &collection));
            let preview = PreviewDraft {
                draft: body_of(bench),
                jdbc_connection_details: source.clone(),
                collection: collection.clone(),
                pick: Some(find.pick(&columns, DOCUMENTS)),
            };
            let check = CheckDraft {
                draft: preview.draft.clone(),
                jdbc_connection_details: source,
                rule: None,
            };
            let abort = Abort::new();
            let signal = abort.signal();
            under_way.set_value(Some(abort));
            leptos::task::spawn_local(async move {
                let result = api::drafts::preview(&id, &preview, &signal).await;
                if !is_newest() {
                    return;
                }
                wish.is_busy.set(false);
                wish.answer.update(|answer| take(answer, &collection, result));
                let checked: Result<DraftCheck, ApiError> = api::drafts::check(&id, &check, &signal).await;
                if let (true, Ok(check)) = (is_newest(), checked) {
                    bench.faults.set(check.faults);
                }
            });
        };
        set_timeout(ask, PAUSE);
    });
}

/// Documents of another collection do not stand under the name of this one; of this one they stay until newer ones come.
fn take(answer: &mut Answer, collection: &CollectionId, result: Result<DraftPreview, ApiError>) {
    if answer.good.as_ref().is_some_and(|(of, _)| of != collection) {
        answer.good = None;
    }
    match result {
        Ok(preview) if preview.faults.is_empty() => {
            *answer = Answer {
                good: Some((collection.clone(), Arc::new(shown(&preview)))),
                ..Answer::default()
            };
        }
        Ok(_) => {
            answer.is_old = true;
            answer.failure = None;
        }
        Err(error) => {
            answer.is_old = true;
            answer.failure = Some(error);
        }
    }
}

#[component]
fn Documents(answer: RwSignal<Answer>, retry: Callback<()>) -> impl IntoView {
    let bench = use_workbench();
    let is_old = Memo::new(move |_| answer.with(|answer| answer.is_old));
    let failure = Memo::new(move |_| answer.with(|answer| answer.failure.clone()));
    let good = Memo::new(move |_| {
        let collection = bench.collection.get();
        let good = answer.with(|answer| answer.good.clone());
        good.filter(|(of, _)| Some(of) == collection.as_ref())
            .map(|(_, shown)| shown)
    });
    let fault = move || {
        (is_old.get() && failure.with(Option::is_none)).then(|| {
            view! { <p class="gw-forms__warning" data-testid="preview-old">"The rules cannot be carried out as they stand: the documents below are older."</p> }
        })
    };
    let list = move || match good.get() {
        None if is_old.get() => ().into_any(),
        None => view! { <Skeleton lines=8/> }.into_any(),
        Some(shown) => view! { <ShownDocuments shown=shown/> }.into_any(),
    };
    view! {
        {move || failure.get().map(|error| view! { <ErrorPanel error=error retry=retry/> })}
        {fault}
        <div class="gw-documents__list" class:gw-documents__list--old=move || is_old.get()>{list}</div>
    }
}

#[component]
fn ShownDocuments(shown: Arc<Shown>) -> impl IntoView {
    let nothing = shown.documents.is_empty().then(|| {
        view! { <p class="gw-muted">"No row is found that passes the rules of this collection."</p> }
    });
    let issue = |issue: &String| view! { <li>{issue.clone()}</li> };
    let issues = (!shown.issues.is_empty()).then(|| {
        view! {
            <div class="gw-documents__issues">
                <h3>"A job would report of these rows"</h3>
                <ul>{shown.issues.iter().map(issue).collect_view()}</ul>
            </div>
        }
    });
    let document = |(title, value): &(String, serde_json::Value)| {
        view! { <DocumentView title=title.clone() document=value.clone()/> }
    };
    view! {
        {nothing}
        <p class="gw-muted gw-documents__sizes">{shown.sizes.clone()}</p>
        {shown.documents.iter().map(document).collect_view()}
        {shown.is_cut.then(|| view! {
            <p class="gw-forms__warning" data-testid="preview-cut">
                "Cut here: with the next document the answer would be larger than 16 MiB."
            </p>
        })}
        {issues}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use godwit_shared::draft::PreviewedDocument;
    use serde_json::json;

    fn preview(size: u64) -> DraftPreview {
        let document = PreviewedDocument {
            document: json!({"_id": 1}),
            size,
            arrays: [("lines".to_owned(), 2)].into_iter().collect(),
        };
        DraftPreview {
            collection: CollectionId::new("c1"),
            documents: vec![document],
            largest: size,
            average: size,
            is_cut: false,
            issues: Vec::new(),
            faults: Vec::new(),
        }
    }

    #[test]
    fn the_last_documents_stay_until_newer_ones_come() {
        let (one, two) = (CollectionId::new("c1"), CollectionId::new("c2"));
        let mut answer = Answer::default();
        take(&mut answer, &one, Ok(preview(1400)));
        let title = |answer: &Answer| answer.good.as_ref().map(|(_, shown)| shown.documents[0].0.clone());
        assert_eq!(title(&answer).as_deref(), Some("Document 1, 1.4 kB, lines: 2"));
        take(&mut answer, &one, Err(ApiError::Unreachable));
        assert!(answer.is_old && title(&answer).is_some() && answer.failure.is_some());
        take(&mut answer, &one, Ok(preview(7)));
        assert!(!answer.is_old && answer.failure.is_none());
        take(&mut answer, &two, Err(ApiError::Unreachable));
        assert_eq!(title(&answer), None);
    }
}
