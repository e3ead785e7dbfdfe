//! A document model that is proposed, with a reason for every decision; taken whole or in part.

use super::preview::body_of;
use super::workbench::{Workbench, use_workbench};
use crate::api::{self, ApiError};
use crate::components::button::{Button, ButtonTone};
use crate::components::dialog::{Dialog, DialogSize};
use crate::components::error_panel::ErrorPanel;
use crate::components::skeleton::Skeleton;
use crate::format::text::sentence;
use crate::pages::migration::wizard::use_drafts;
use godwit_shared::edit::{Draft, Edit, Shape, apply};
use godwit_shared::proposal::{Choice, Decision, Figures, Proposal, ProposeForDraft, take};
use leptos::prelude::*;
use std::collections::HashSet;

/// *Array in customers*.
fn what(proposal: &Proposal, decision: &Decision) -> String {
    match &decision.choice {
        Choice::Collection => "Collection".to_owned(),
        Choice::Refer { to, .. } => format!("Refers to {}", to.table),
        Choice::Embed { under, shape, .. } => {
            let above = proposal.decisions.iter().find(|other| other.id == *under);
            let above = above.map(|other| other.table.table.clone()).unwrap_or_default();
            let shape = match shape {
                Shape::Array => "Array",
                Shape::Values => "Array of values",
                Shape::Document => "Document",
                Shape::Merged => "Fields",
            };
            format!("{shape} in {above}")
        }
    }
}

/// What can be taken or left: a reference leaves everything as it is.
fn is_choice(decision: &Decision) -> bool {
    !matches!(decision.choice, Choice::Refer { .. })
}

/// The edit that takes what is chosen; with `anew` in the place of all collections that there are.
fn edit_of(draft: &Draft, proposal: &Proposal, taken: &HashSet<String>, anew: bool) -> Edit {
    let taken: Vec<String> = proposal
        .decisions
        .iter()
        .filter(|d| taken.contains(&d.id))
        .map(|d| d.id.clone())
        .collect();
    let mut work = draft.clone();
    let mut edits = Vec::new();
    if anew {
        for collection in draft.content.collections.keys() {
            let collection = collection.clone();
            let edit = Edit::DeleteCollection { collection };
            if apply(&mut work, &edit).is_ok() {
                edits.push(edit);
            }
        }
    }
    // One step of the history: an edit of several holds no other one of its kind.
    match take(&work, proposal, &taken) {
        Edit::All { edits: taken, .. } => edits.extend(taken),
        single => edits.push(single),
    }
    let words = "took over the proposed model".to_owned();
    Edit::All { words, edits }
}

#[component]
pub fn ProposalDialog(is_open: RwSignal<bool>) -> impl IntoView {
    let close = Callback::new(move |()| is_open.set(false));
    move || is_open.get().then(|| view! { <ProposalForm on_close=close/> })
}

async fn ask(bench: Workbench, request: ProposeForDraft) -> Result<Proposal, ApiError> {
    api::drafts::propose(&bench.id.get_value(), &request).await
}

#[component]
fn ProposalForm(on_close: Callback<()>) -> impl IntoView {
    let bench = use_workbench();
    let drafts = use_drafts();
    let exact = RwSignal::new(false);
    let answer = LocalResource::new(move || {
        let request = ProposeForDraft {
            draft: body_of(bench),
            jdbc_connection_details: bench.id.with_value(|id| drafts.source_of(id)),
            exact: exact.get(),
        };
        ask(bench, request)
    });
    let body = move || match answer.get() {
        None => view! { <div class="gw-dialog__body"><Skeleton lines=8/></div> }.into_any(),
        Some(Err(error)) => view! { <div class="gw-dialog__body"><ErrorPanel error=error/></div> }.into_any(),
        Some(Ok(proposal)) => view! { <Decisions proposal=proposal exact=exact on_close=on_close/> }.into_any(),
    };
    view! { <Dialog title="A model for these tables" size=DialogSize::Wide on_close=on_close>{body}</Dialog> }
}

#[component]
fn Decisions(proposal: Proposal, exact: RwSignal<bool>, on_close: Callback<()>) -> impl IntoView {
    let bench = use_workbench();
    let all: HashSet<String> = proposal
        .decisions
        .iter()
        .filter(|d| is_choice(d))
        .map(|d| d.id.clone())
        .collect();
    let taken = RwSignal::new(all);
    let anew = RwSignal::new(
        bench
            .draft
            .with_untracked(|draft| !draft.content.collections.is_empty()),
    );
    let had_some = anew.get_untracked();
    let figures = match (proposal.figures, &proposal.source_problem) {
        (Figures::Exact, _) => "By keys and exact counts of the rows.".to_owned(),
        (Figures::Catalog, _) => "By keys and the statistics of the source.".to_owned(),
        (Figures::None, Some(problem)) => format!("By keys alone: {problem}."),
        (Figures::None, None) => "By keys alone.".to_owned(),
    };
    let can_count = proposal.figures == Figures::Catalog;
    let lines: Vec<(Decision, String)> = proposal
        .decisions
        .iter()
        .map(|d| (d.clone(), what(&proposal, d)))
        .collect();
    let line =
        move |(decision, what): (Decision, String)| view! { <DecisionLine decision=decision what=what taken=taken/> };
    let proposal = StoredValue::new(proposal);
    let accept = Callback::new(move |()| {
        let edit = bench.draft.with_untracked(|draft| {
            taken.with_untracked(|taken| {
                proposal.with_value(|proposal| edit_of(draft, proposal, taken, anew.get_untracked()))
            })
        });
        if bench.apply(edit).is_some() {
            on_close.run(());
            bench.diagram.fit_soon();
        }
    });
    let count = Callback::new(move |()| exact.set(true));
    view! {
        <div class="gw-dialog__body" data-testid="proposal">
            <div class="gw-row">
                <p class="gw-muted">{figures}</p>
                {can_count.then(|| view! { <Button label="Count exactly" tone=ButtonTone::Quiet on_press=count/> })}
            </div>
            <ul class="gw-proposal">{lines.into_iter().map(line).collect_view()}</ul>
            {had_some.then(|| view! {
                <label class="gw-choice">
                    <input
                        type="checkbox"
                        prop:checked=anew
                        on:change=move |event| anew.set(event_target_checked(&event))
                    />
                    <span>"In the place of the collections that there are"</span>
                </label>
            })}
        </div>
        <footer class="gw-dialog__foot">
            <Button label="Cancel" on_press=on_close/>
            <Button
                label="Take it over"
                tone=ButtonTone::Primary
                is_disabled=Signal::derive(move || taken.with(HashSet::is_empty))
                on_press=accept
                attr:data-testid="proposal-take"
            />
        </footer>
    }
}

#[component]
fn DecisionLine(decision: Decision, what: String, taken: RwSignal<HashSet<String>>) -> impl IntoView {
    let id = StoredValue::new(decision.id.clone());
    let needs = StoredValue::new(decision.needs.clone());
    let is_taken = move || id.with_value(|id| taken.with(|taken| taken.contains(id)));
    let set = move |is_on: bool| {
        taken.update(|taken| match is_on {
            // What it lies below comes with it.
            true => {
                taken.insert(id.get_value());
                taken.extend(needs.get_value());
            }
            false => _ = taken.remove(&id.get_value()),
        });
    };
    let label = format!("{}: {what}", decision.table);
    let control = is_choice(&decision).then(|| {
        view! {
            <input
                type="checkbox"
                aria-label=label
                prop:checked=is_taken
                on:change=move |event| set(event_target_checked(&event))
            />
        }
    });
    view! {
        <li class="gw-proposal__line" data-testid="decision">
            <span>{control}</span>
            <div>
                <p><span class="gw-code">{decision.table.to_string()}</span> " · " {what}</p>
                <p class="gw-muted">{sentence(&decision.reason)}</p>
            </div>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;
    use godwit_shared::proposal::{Facts, propose};

    #[test]
    fn a_proposal_takes_the_place_of_what_there_is() {
        let mut draft = samples::draft();
        let proposal = propose(&draft.model, &Facts::default());
        let all: HashSet<String> = proposal.decisions.iter().map(|d| d.id.clone()).collect();
        let edit = edit_of(&draft, &proposal, &all, true);
        apply(&mut draft, &edit).expect("an edit");
        let names: HashSet<&str> = draft.content.collections.values().map(|c| c.name.as_str()).collect();
        assert!(
            names.contains("borrowers") && names.contains("desks") && !names.contains("empty"),
            "{names:?}"
        );
        assert!(proposal.decisions.iter().all(|d| !what(&proposal, d).is_empty()));
    }
}
