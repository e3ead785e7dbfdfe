//! What is wrong with the draft, at the place that it belongs to, with ways to put it right.

use crate::components::button::{Button, ButtonTone};
use crate::components::icon::{Glyph, Icon};
use crate::format::text::sentence;
use crate::pages::mapping::workbench::{Workbench, use_workbench};
use godwit_shared::edit::{Draft, Fault, Fix, Place};
use godwit_shared::ids::CollectionId;
use leptos::prelude::*;

/// What stands at a place: an edit that was refused there, else a fault of the draft.
pub fn error_at(place: Place) -> Signal<Option<String>> {
    let bench = use_workbench();
    let found = Memo::new(move |_| {
        let is_here = |other: &Place| is_same(other, &place);
        let refused = bench
            .problem
            .with(|problem| problem.as_ref().filter(|p| is_here(&p.place)).map(|p| p.text.clone()));
        let text = refused.or_else(|| {
            bench
                .faults
                .with(|faults| faults.iter().find(|f| is_here(&f.place)).map(|f| f.message.clone()))
        });
        text.map(|text| sentence(&text))
    });
    found.into()
}

/// A place that names its rule or table need not name the collection.
fn is_same(a: &Place, b: &Place) -> bool {
    let is_open = a.rule.is_some() || a.table.is_some();
    a.part == b.part && a.rule == b.rule && a.table == b.table && (is_open || a.collection == b.collection)
}

/// Whether a fault belongs to a collection.
fn concerns(draft: &Draft, fault: &Fault, collection: &CollectionId) -> bool {
    let of_rule = fault
        .place
        .rule
        .as_ref()
        .and_then(|rule| draft.rule(rule))
        .map(|rule| &rule.collection_id);
    match fault.place.collection.as_ref().or(of_rule) {
        Some(own) => own == collection,
        None => true,
    }
}

/// All that is wrong with a collection.
#[component]
pub fn FaultList(collection: CollectionId) -> impl IntoView {
    let bench = use_workbench();
    let faults = Memo::new(move |_| {
        bench.faults.with(|faults| {
            bench.with(|draft| {
                let own = faults.iter().filter(|fault| concerns(draft, fault, &collection));
                own.cloned().collect::<Vec<_>>()
            })
        })
    });
    let item = move |fault: Fault| view! { <FaultItem fault=fault bench=bench/> };
    view! {
        <ul class="gw-faults" aria-live="polite" data-testid="faults">
            {move || faults.get().into_iter().map(item).collect_view()}
        </ul>
    }
}

#[component]
fn FaultItem(fault: Fault, bench: Workbench) -> impl IntoView {
    let fix = move |fix: Fix| {
        let edit = fix.edit;
        let press = Callback::new(move |()| _ = bench.apply(edit.clone()));
        view! { <Button label=fix.label tone=ButtonTone::Quiet on_press=press attr:data-testid="fix"/> }
    };
    let row = fault.row.map(|row| {
        let key = row
            .key
            .iter()
            .map(|(column, value)| format!("{column} {value}"))
            .collect::<Vec<_>>()
            .join(", ");
        let values = row
            .values
            .iter()
            .map(|(column, value)| format!("{column}: {value}"))
            .collect::<Vec<_>>()
            .join(", ");
        view! { <p class="gw-muted">"Row " {key} ": " <span class="gw-code">{values}</span></p> }
    });
    view! {
        <li class="gw-faults__item">
            <Glyph icon=Icon::Error/>
            <div>
                <p data-testid="fault">{sentence(&fault.message)}</p>
                {row}
                <div class="gw-row">{fault.fixes.into_iter().map(fix).collect_view()}</div>
            </div>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;
    use godwit_shared::edit::{FaultKind, Part};
    use godwit_shared::ids::MappingId;

    #[test]
    fn a_fault_stands_where_it_belongs() {
        let rule = MappingId::new("m2");
        let place = Place::of_rule(&rule, Part::Path);
        let fault = Fault {
            place: Place {
                collection: Some(CollectionId::new("c1")),
                ..place.clone()
            },
            kind: FaultKind::NameTaken,
            message: "taken".into(),
            fixes: Vec::new(),
            row: None,
        };
        assert!(is_same(&fault.place, &place));
        assert!(!is_same(&fault.place, &Place::of_rule(&rule, Part::Link)));
        assert!(concerns(&samples::draft(), &fault, &CollectionId::new("c1")));
        assert!(!concerns(&samples::draft(), &fault, &CollectionId::new("c2")));
    }
}
