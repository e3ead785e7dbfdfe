//! One finding: both documents side by side.

use crate::api::verifications;
use crate::components::code::{CodeLanguage, CodeView};
use crate::components::dialog::{Dialog, DialogSize};
use crate::components::error_panel::ErrorPanel;
use crate::components::skeleton::Skeleton;
use crate::remote::Remote;
use godwit_shared::verification::{FindingDetails, SourceRow};
use leptos::prelude::*;

#[component]
pub fn FindingDialog(id: String, number: u64, on_close: Callback<()>) -> impl IntoView {
    let id = StoredValue::new(id);
    let answer = LocalResource::new(move || async move { verifications::finding(&id.get_value(), number).await });
    let body = move || match Remote::from(answer.get()) {
        Remote::Loading => view! { <Skeleton lines=8/> }.into_any(),
        Remote::Failed(error) => {
            let retry = Callback::new(move |()| answer.refetch());
            view! { <ErrorPanel error=error retry=retry/> }.into_any()
        }
        Remote::Ready(details) => view! { <Details details=details/> }.into_any(),
    };
    view! {
        <Dialog title="Finding" size=DialogSize::Wide on_close=on_close>
            <div class="gw-dialog__body gw-stack" data-testid="finding-details">{body}</div>
        </Dialog>
    }
}

#[component]
fn Details(details: FindingDetails) -> impl IntoView {
    let finding = details.finding;
    let rows = finding.rows.iter().map(row_in_words).collect::<Vec<_>>().join("; ");
    let differences = finding
        .differences
        .iter()
        .map(|d| {
            let text = format!(
                ": {}. Expected {}, found {}",
                d.kind.words(),
                d.expected.as_deref().unwrap_or("nothing"),
                d.found.as_deref().unwrap_or("nothing")
            );
            view! { <li><span class="gw-code">{d.path.clone()}</span>{text}</li> }
        })
        .collect_view();
    let note = details.note.map(|note| view! { <p class="gw-muted">{note}</p> });
    view! {
        <p>
            {finding.kind.words()} " in " <span class="gw-code">{finding.collection}</span> ", _id "
            <span class="gw-code">{finding.key.to_string()}</span>
        </p>
        <Show when={ let rows = rows.clone(); move || !rows.is_empty() }>
            <p>"Row " <span class="gw-code">{rows.clone()}</span></p>
        </Show>
        <ul class="gw-bullets">{differences}</ul>
        {note}
        <div class="gw-both">
            <Side title="What the rows give now" document=details.expected none="The rows give no document."/>
            <Side title="What is stored now" document=details.found none="There is no such document."/>
        </div>
    }
}

#[component]
fn Side(title: &'static str, document: Option<serde_json::Value>, none: &'static str) -> impl IntoView {
    let shown = match document {
        Some(document) => {
            let text = serde_json::to_string_pretty(&document).unwrap_or_default();
            view! { <CodeView label=title text=text language=CodeLanguage::Json/> }.into_any()
        }
        None => view! { <p class="gw-muted">{none}</p> }.into_any(),
    };
    view! { <section aria-label=title><h3>{title}</h3>{shown}</section> }
}

/// `public.orders: id = 5`
fn row_in_words(row: &SourceRow) -> String {
    let key: Vec<String> = row
        .key
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    format!("{}: {}", row.table, key.join(", "))
}
