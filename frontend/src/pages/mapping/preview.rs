//! Documents of a collection, assembled from live rows. Nothing is written.

use crate::api;
use crate::components::dialog::{Dialog, DialogSize};
use crate::components::skeleton::Skeleton;
use crate::format::number;
use crate::pages::migration::wizard::use_drafts;
use crate::remote::{Remote, show_remote};
use godwit_shared::ids::ProjectId;
use godwit_shared::project::{Preview, PreviewRequest};
use leptos::prelude::*;
use serde_json::Value;

const DOCUMENTS: u32 = 3;

#[component]
pub fn PreviewDialog(project: ProjectId, collection: String, on_close: Callback<()>) -> impl IntoView {
    let title = format!("{collection}: documents from live rows");
    let source = use_drafts().source_of(&project);
    let answer = LocalResource::new(move || {
        let project = project.clone();
        let request = PreviewRequest {
            jdbc_connection_details: source.clone(),
            collection: Some(collection.clone()),
            limit: Some(DOCUMENTS),
        };
        async move { api::projects::preview(&project, &request).await }
    });
    let state = Memo::new(move |_| Remote::from(answer.get().map(|result| result.map(|p| shown(&p))))).into();
    let retry = Callback::new(move |()| answer.refetch());
    let ready = |documents: Vec<ShownDocument>| {
        let shown = |document: ShownDocument| {
            view! {
                <figure class="gw-document">
                    <figcaption class="gw-muted">{document.size}</figcaption>
                    <pre tabindex="0">{document.json}</pre>
                </figure>
            }
        };
        match documents.is_empty() {
            true => view! { <p class="gw-muted">"The tables of this collection hold no rows."</p> }.into_any(),
            false => documents.into_iter().map(shown).collect_view().into_any(),
        }
    };
    view! {
        <Dialog title=title size=DialogSize::Wide on_close=on_close>
            <div class="gw-dialog__body">
                {show_remote(state, || view! { <Skeleton lines=8/> }.into_any(), retry, ready)}
            </div>
        </Dialog>
    }
}

/// A document as it is shown.
#[derive(Debug, Clone, PartialEq)]
struct ShownDocument {
    json: String,
    size: String,
}

fn shown(preview: &Preview) -> Vec<ShownDocument> {
    let size = |i: usize| {
        preview
            .sizes
            .get(i)
            .map_or_else(String::new, |n| number::bytes(*n as f64))
    };
    let document = |(i, value): (usize, &Value)| ShownDocument {
        json: serde_json::to_string_pretty(value).unwrap_or_default(),
        size: format!("Document {}, {}", i + 1, size(i)),
    };
    preview.documents.iter().enumerate().map(document).collect()
}
