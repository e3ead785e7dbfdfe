//! What a verification has found, page by page.

use super::VerificationSignal;
use super::finding::FindingDialog;
use crate::api::verifications::{self, FINDINGS_PAGE};
use crate::components::button::Button;
use crate::components::error_panel::ErrorPanel;
use crate::components::skeleton::Skeleton;
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use crate::remote::Remote;
use godwit_shared::verification::{Finding, Verification};
use leptos::prelude::*;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Kind"),
    TableColumn::text("Collection"),
    TableColumn::text("_id"),
    TableColumn::text("Path"),
    TableColumn::text("Expected"),
    TableColumn::text("Found"),
];

/// What of a run decides which findings there are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored {
    id: String,
    count: u64,
    repaired: u64,
}

fn stored(one: &Verification) -> Stored {
    Stored {
        id: one.id.clone(),
        count: one.findings_stored,
        repaired: one.findings_repaired,
    }
}

#[component]
pub fn FindingList(one: VerificationSignal) -> impl IntoView {
    let which = Memo::new(move |_| stored(&one.get()));
    let has_any = Memo::new(move |_| which.with(|w| w.count > 0));
    view! { <Show when=move || has_any.get()><Findings one=one which=which/></Show> }
}

#[component]
fn Findings(one: VerificationSignal, which: Memo<Stored>) -> impl IntoView {
    let offset = RwSignal::new(0);
    let answer = LocalResource::new(move || {
        let (Stored { id, .. }, offset) = (which.get(), offset.get());
        async move { verifications::findings(&id, offset).await }
    });
    let known = Memo::new(move |_| Remote::from(answer.get()));
    let open = RwSignal::new(None::<u64>);
    let close = Callback::new(move |()| open.set(None));
    let dialog = move || {
        let number = open.get()?;
        let id = which.get_untracked().id;
        Some(view! { <FindingDialog id=id number=number on_close=close/> })
    };
    let rows = move || match known.get() {
        Remote::Loading => view! { <Skeleton lines=3/> }.into_any(),
        Remote::Failed(error) => {
            let retry = Callback::new(move |()| answer.refetch());
            view! { <ErrorPanel error=error retry=retry/> }.into_any()
        }
        Remote::Ready(list) => view! { <Rows list=list open=open/> }.into_any(),
    };
    let beyond = Memo::new(move |_| {
        let one = one.get();
        one.findings.saturating_sub(one.findings_stored)
    });
    let count = move || which.with(|w| w.count);
    let has_pages = Memo::new(move |_| count() > FINDINGS_PAGE);
    let is_first = Signal::derive(move || offset.get() == 0);
    let is_last = Signal::derive(move || offset.get() + FINDINGS_PAGE >= count());
    let back = Callback::new(move |()| offset.update(|o| *o = o.saturating_sub(FINDINGS_PAGE)));
    let on = Callback::new(move |()| offset.update(|o| *o += FINDINGS_PAGE));
    let place = move || {
        let last = (offset.get() + FINDINGS_PAGE).min(count());
        format!(
            "{} to {} of {}",
            number::count(offset.get() + 1),
            number::count(last),
            number::count(count())
        )
    };
    view! {
        <h3>"Findings"</h3>
        {rows}
        <Show when=move || has_pages.get()>
            <div class="gw-row">
                <Button label="Previous" is_disabled=is_first on_press=back attr:data-testid="findings-previous"/>
                <span class="gw-number">{place}</span>
                <Button label="Next" is_disabled=is_last on_press=on attr:data-testid="findings-next"/>
            </div>
        </Show>
        <Show when=move || beyond.get() != 0>
            <p class="gw-muted">{move || format!("{} further findings were counted and not kept.", number::count(beyond.get()))}</p>
        </Show>
        {dialog}
    }
}

#[component]
fn Rows(list: Vec<Finding>, open: RwSignal<Option<u64>>) -> impl IntoView {
    let row = move |finding: Finding| view! { <FindingRow finding=finding open=open/> };
    view! {
        <div class="gw-bounded">
            <Table caption="What the verification has found" columns=COLUMNS>
                <tbody>{list.into_iter().map(row).collect_view()}</tbody>
            </Table>
        </div>
    }
}

#[component]
fn FindingRow(finding: Finding, open: RwSignal<Option<u64>>) -> impl IntoView {
    let number = finding.number;
    let key = if finding.key.is_null() {
        String::new()
    } else {
        finding.key.to_string()
    };
    let label = format!("{} {key}", finding.kind.words());
    let repaired = finding
        .is_repaired
        .then(|| view! { <span class="gw-muted">" (repaired)"</span> });
    let is_of_document = finding.kind.is_of_document();
    let kind = match is_of_document {
        true => view! {
            <button
                type="button"
                class="gw-link-button"
                aria-haspopup="dialog"
                aria-label=label
                data-testid="finding-open"
                on:click=move |_| open.set(Some(number))
            >
                {finding.kind.words()}
            </button>
        }
        .into_any(),
        false => view! { <span>{finding.kind.words()}</span> }.into_any(),
    };
    view! {
        <tr data-testid="finding">
            <td>{kind}{repaired}</td>
            <td class="gw-code">{finding.collection}</td>
            <td class="gw-code">{key}</td>
            <td class="gw-code">{finding.path.unwrap_or_default()}</td>
            <td class="gw-code">{finding.expected.unwrap_or_default()}</td>
            <td class="gw-code">{finding.found.unwrap_or_default()}</td>
        </tr>
    }
}
