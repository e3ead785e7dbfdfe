//! *Dry run*: what a job would do, asked of the source without writing anything. In the wizard and beside the analysis.

use crate::api::{Abort, ApiError, dry_runs};
use crate::components::badge::Tone;
use crate::components::banner::Banner;
use crate::components::button::Button;
use crate::components::error_panel::ErrorPanel;
use crate::components::icon::{Glyph, Icon};
use crate::components::table::{Table, TableColumn};
use crate::format::number;
use crate::format::time::duration;
use godwit_shared::dry_run::{DryRun, DryRunCollection, DryRunRequest};
use godwit_shared::ids::ProjectId;
use leptos::prelude::*;
use leptos::task::spawn_local;

const COLUMNS: &[TableColumn] = &[
    TableColumn::text("Collection"),
    TableColumn::number("Root rows"),
    TableColumn::number("Documents"),
    TableColumn::number("Assembled"),
    TableColumn::number("Average"),
    TableColumn::number("Largest"),
    TableColumn::number("Issues"),
];

#[derive(Debug, Clone, PartialEq)]
enum State {
    Unasked,
    Running,
    Failed(ApiError),
    Ready(DryRun),
}

/// A button, and what comes of it. `request` is asked when the button is pressed.
#[component]
pub fn DryRunPanel(#[prop(into)] project: Signal<ProjectId>, request: Callback<(), DryRunRequest>) -> impl IntoView {
    let state = RwSignal::new(State::Unasked);
    // Dropped, it ends the request, and with it the reads of the source.
    let abort = StoredValue::new_local(None::<Abort>);
    let run = Callback::new(move |()| {
        let (project, request) = (project.get_untracked(), request.run(()));
        let new = Abort::new();
        let signal = new.signal();
        abort.set_value(Some(new));
        state.set(State::Running);
        spawn_local(async move {
            let answer = dry_runs::run(&project, &request, &signal).await;
            if !signal.aborted() {
                // The panel may be closed by now.
                let _ = state.try_set(answer.map_or_else(State::Failed, State::Ready));
            }
        });
    });
    let cancel = Callback::new(move |()| {
        abort.set_value(None);
        state.set(State::Unasked);
    });
    on_cleanup(move || abort.set_value(None));
    let body = move || match state.get() {
        State::Unasked => view! {
            <div><Button label="Dry run" icon=Icon::Preview on_press=run attr:data-testid="dry-run"/></div>
        }
        .into_any(),
        State::Running => view! {
            <div class="gw-row" role="status">
                <Glyph icon=Icon::Spinner/>
                <span>"Counting rows and assembling a sample\u{2026}"</span>
                <Button label="Cancel" icon=Icon::Stop on_press=cancel attr:data-testid="dry-run-cancel"/>
            </div>
        }
        .into_any(),
        State::Failed(error) => view! { <ErrorPanel error=error retry=run/> }.into_any(),
        State::Ready(found) => view! {
            <Outcome found=found/>
            <div><Button label="Dry run again" icon=Icon::Retry on_press=run attr:data-testid="dry-run"/></div>
        }
        .into_any(),
    };
    view! {
        <section class="gw-panel" aria-label="Dry run" data-testid="dry-run-panel">
            <header class="gw-panel__head"><h3>"Dry run"</h3></header>
            <div class="gw-panel__body gw-stack">
                <p class="gw-muted">
                    "Counts the rows and assembles a sample of the documents as the job will: sizes, what would go wrong, and how \
                     long it may take. Nothing is written."
                </p>
                {body}
            </div>
        </section>
    }
}

/// The whole in one sentence.
fn headline(found: &DryRun) -> String {
    let documents = number::counted(found.documents, "document", "documents");
    let time = match found.seconds {
        Some(seconds) => format!(", about {}", duration(seconds.max(1.0))),
        None => String::new(),
    };
    format!(
        "{documents} of about {} together{time}",
        number::bytes(found.bytes as f64)
    )
}

#[component]
fn Outcome(found: DryRun) -> impl IntoView {
    let headline = headline(&found);
    let cut = found.is_cut.then(|| {
        view! {
            <Banner tone=Tone::Warning title="Not all of it was looked at">
                <p>"It was ended in time: what is missing below was not reached."</p>
            </Banner>
        }
    });
    let details = found
        .collections
        .iter()
        .map(|c| view! { <Details of=c.clone()/> })
        .collect_view();
    let row = |c: DryRunCollection| {
        let rows = number::count(c.rows);
        let issues: u64 = c.issues.iter().map(|issue| issue.count).sum();
        view! {
            <tr data-testid="dry-run-collection">
                <td class="gw-code">{c.collection}</td>
                <td class="gw-number">{if c.is_counted { rows } else { format!("~ {rows}") }}</td>
                <td class="gw-number">{number::count(c.documents)}</td>
                <td class="gw-number">{number::count(c.sampled)}</td>
                <td class="gw-number">{number::bytes(c.average as f64)}</td>
                <td class="gw-number">{number::bytes(c.largest as f64)}</td>
                <td class="gw-number">{number::count(issues)}</td>
            </tr>
        }
    };
    view! {
        <p data-testid="dry-run-headline"><strong>{headline}</strong></p>
        {cut}
        <Table caption="What a job would write" columns=COLUMNS>
            <tbody>{found.collections.into_iter().map(row).collect_view()}</tbody>
        </Table>
        {details}
        <p class="gw-muted" data-testid="dry-run-basis">{found.basis}</p>
    }
}

/// Issues, the largest documents and notes of a collection that has any.
#[component]
fn Details(of: DryRunCollection) -> impl IntoView {
    let is_empty = of.issues.is_empty() && of.large.is_empty() && of.note.is_none();
    let issues = of.issues.into_iter().map(|issue| {
        let place = issue.field_name.map(|field| format!(" ({field})")).unwrap_or_default();
        view! { <li>{format!("{}{place}: {}", issue.message, number::counted(issue.count, "row", "rows"))}</li> }
    });
    let large = of.large.into_iter().map(|root| {
        let size = root
            .bytes
            .map_or_else(|| "no document, see the issues".into(), |n| number::bytes(n as f64));
        view! { <li>{format!("Largest by the statistics: {} {}, {size}", root.table, root.key)}</li> }
    });
    let lines = issues
        .map(IntoAny::into_any)
        .chain(large.map(IntoAny::into_any))
        .collect_view();
    let note = of.note.map(|note| view! { <li>{note}</li> });
    (!is_empty).then(|| {
        view! {
            <details class="gw-more" open=true>
                <summary class="gw-code">{of.collection}</summary>
                <ul class="gw-bullets">{lines}{note}</ul>
            </details>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_says_how_much_and_how_long() {
        let mut found = DryRun {
            made_at: chrono::DateTime::UNIX_EPOCH,
            collections: Vec::new(),
            documents: 1_200,
            bytes: 2_400_000,
            seconds: Some(0.2),
            basis: String::new(),
            is_cut: false,
        };
        assert_eq!(headline(&found), "1,200 documents of about 2.4 MB together, about 1 s");
        found.seconds = None;
        assert_eq!(headline(&found), "1,200 documents of about 2.4 MB together");
    }
}
