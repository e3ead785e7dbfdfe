//! A document model that is proposed, with a reason for every decision; taken whole or in part.

use super::decisions::{DecisionList, choices, figures_text, in_order};
use super::preview::body_of;
use super::workbench::{Workbench, use_workbench};
use crate::api::{self, ApiError};
use crate::components::button::{Button, ButtonTone};
use crate::components::dialog::{Dialog, DialogFoot, DialogSize};
use crate::components::error_panel::ErrorPanel;
use crate::components::skeleton::Skeleton;
use crate::pages::migration::wizard::use_drafts;
use godwit_shared::edit::{Draft, Edit, apply};
use godwit_shared::proposal::{Figures, Proposal, ProposeForDraft, take};
use leptos::prelude::*;
use std::collections::HashSet;

/// The edit that takes what is chosen; with `anew` in the place of all collections that there are.
fn edit_of(draft: &Draft, proposal: &Proposal, taken: &HashSet<String>, anew: bool) -> Edit {
    let taken = in_order(proposal, taken);
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
    let taken = RwSignal::new(choices(&proposal));
    let anew = RwSignal::new(
        bench
            .draft
            .with_untracked(|draft| !draft.content.collections.is_empty()),
    );
    let had_some = anew.get_untracked();
    let figures = figures_text(&proposal);
    let can_count = proposal.figures == Figures::Catalog;
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
            <DecisionList proposal=proposal taken=taken/>
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
        <DialogFoot
            label="Take it over"
            is_disabled=Signal::derive(move || taken.with(HashSet::is_empty))
            on_press=accept
            on_close=on_close
            testid="proposal-take"
        />
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::decisions::what;
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
