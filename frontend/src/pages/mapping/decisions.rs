//! A proposed model as a list: a line for each decision with its reason, and a box that takes it or leaves it.

use crate::format::text::sentence;
use godwit_shared::edit::Shape;
use godwit_shared::proposal::{Choice, Decision, Figures, Proposal};
use leptos::prelude::*;
use std::collections::HashSet;

/// *Array in customers*.
pub fn what(proposal: &Proposal, decision: &Decision) -> String {
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
pub fn is_choice(decision: &Decision) -> bool {
    !matches!(decision.choice, Choice::Refer { .. })
}

/// All that can be taken.
pub fn choices(proposal: &Proposal) -> HashSet<String> {
    let choices = proposal.decisions.iter().filter(|decision| is_choice(decision));
    choices.map(|decision| decision.id.clone()).collect()
}

/// What is taken, in the order of the proposal.
pub fn in_order(proposal: &Proposal, taken: &HashSet<String>) -> Vec<String> {
    let all = proposal.decisions.iter().map(|decision| &decision.id);
    all.filter(|id| taken.contains(*id)).cloned().collect()
}

/// Where the figures come from.
pub fn figures_text(proposal: &Proposal) -> String {
    match (proposal.figures, &proposal.source_problem) {
        (Figures::Exact, _) => "By keys and exact counts of the rows.".to_owned(),
        (Figures::Catalog, _) => "By keys and the statistics of the source.".to_owned(),
        (Figures::None, Some(problem)) => format!("By keys alone: {problem}."),
        (Figures::None, None) => "By keys alone.".to_owned(),
    }
}

#[component]
pub fn DecisionList(proposal: StoredValue<Proposal>, taken: RwSignal<HashSet<String>>) -> impl IntoView {
    let line = |proposal: &Proposal, decision: &Decision| {
        view! { <DecisionLine decision=decision.clone() what=what(proposal, decision) taken=taken/> }
    };
    let lines = proposal.with_value(|proposal| proposal.decisions.iter().map(|d| line(proposal, d)).collect_view());
    view! { <ul class="gw-proposal">{lines}</ul> }
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
