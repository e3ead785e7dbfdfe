//! Which cards are in sight in a diagram: all of both views, with a box at each.

use super::coupling::{feeds, hide, show};
use super::saved::Side;
use super::state::DiagramState;
use super::tabs::TabCall;
use crate::components::button::{Button, ButtonTone};
use crate::components::dialog::{Dialog, DialogFoot};
use crate::format::number;
use leptos::prelude::*;

/// The most lines that are drawn: a filter leads to the others.
const LINES_MAX: usize = 400;

#[derive(Debug, Clone, PartialEq)]
struct Line {
    card: (Side, String),
    title: String,
    note: String,
}

/// The lines whose name holds the text, in any letters.
fn filtered(all: &[Line], text: &str) -> Vec<Line> {
    let text = text.trim().to_lowercase();
    let lines = all.iter().filter(|line| line.title.to_lowercase().contains(&text));
    lines.cloned().collect()
}

#[component]
pub fn CardsDialog(state: DiagramState, on_call: Callback<TabCall>, on_close: Callback<()>) -> impl IntoView {
    let shown = RwSignal::new(state.shown_cards());
    let before = shown.get_untracked();
    let filter = RwSignal::new(String::new());
    let all: Vec<Line> = [Side::Relational, Side::Documents]
        .into_iter()
        .flat_map(|side| {
            let graph = state.graph(side);
            let line = move |card: &std::sync::Arc<super::card::Card>| Line {
                card: (side, card.id.clone()),
                title: card.title.clone(),
                note: card.note.clone(),
            };
            graph.cards.iter().map(line).collect::<Vec<_>>()
        })
        .collect();
    let all = StoredValue::new(all);
    let found = Memo::new(move |_| all.with_value(|all| filter.with(|filter| filtered(all, filter))));
    let pairs = StoredValue::new(state.draft.with_untracked(|draft| feeds(&draft.content)));
    let set = move |cards: Vec<(Side, String)>, is_on: bool| {
        shown.update(|shown| {
            pairs.with_value(|pairs| {
                for card in &cards {
                    match is_on {
                        true => show(shown, card, pairs),
                        false => hide(shown, card, pairs),
                    }
                }
            });
        });
    };
    let set_all = move |is_on: bool| {
        Callback::new(move |()| {
            let cards = found.with_untracked(|found| found.iter().map(|line| line.card.clone()).collect());
            set(cards, is_on);
        })
    };
    let list = move |side: Side, title: &'static str| {
        let lines = move || {
            let of_side = found.with(|found| {
                found
                    .iter()
                    .filter(|line| line.card.0 == side)
                    .cloned()
                    .collect::<Vec<_>>()
            });
            of_side.into_iter().take(LINES_MAX).collect::<Vec<_>>()
        };
        let more = move || {
            let count = found.with(|found| found.iter().filter(|line| line.card.0 == side).count());
            (count > LINES_MAX).then(|| format!("And {} more: filter them.", number::count((count - LINES_MAX) as u64)))
        };
        let line = move |line: Line| {
            let card = StoredValue::new(line.card);
            let is_on = move || card.with_value(|card| shown.with(|shown| shown.contains(card)));
            view! {
                <li>
                    <label class="gw-choice" data-testid="diagram-card">
                        <input
                            type="checkbox"
                            prop:checked=is_on
                            on:change=move |event| set(vec![card.get_value()], event_target_checked(&event))
                        />
                        <span>{line.title} " " <span class="gw-muted">{line.note}</span></span>
                    </label>
                </li>
            }
        };
        view! {
            <section aria-label=title>
                <h3>{title}</h3>
                <ul class="gw-cards__list">
                    <For each=lines key=|line| line.card.1.clone() children=line/>
                </ul>
                <p class="gw-muted">{more}</p>
            </section>
        }
    };
    let is_same = Signal::derive(move || shown.with(|shown| *shown == before));
    let save = Callback::new(move |()| {
        on_call.run(TabCall::ShowCards(shown.get_untracked()));
        on_close.run(());
    });
    view! {
        <Dialog title="Cards in this diagram" on_close=on_close>
            <div class="gw-dialog__body" data-testid="diagram-cards-dialog">
                <div class="gw-row">
                    <input
                        class="gw-input gw-cards__filter"
                        type="search"
                        placeholder="Filter"
                        aria-label="Filter the cards"
                        data-testid="diagram-cards-filter"
                        on:input=move |event| filter.set(event_target_value(&event))
                    />
                    <Button label="Show all" tone=ButtonTone::Quiet on_press=set_all(true) attr:data-testid="diagram-show-all"/>
                    <Button label="Hide all" tone=ButtonTone::Quiet on_press=set_all(false)/>
                </div>
                <p class="gw-muted">"Tables and the collections that they feed come and go together."</p>
                <div class="gw-cards">
                    {list(Side::Relational, "Tables")}
                    {list(Side::Documents, "Collections")}
                </div>
            </div>
            <DialogFoot
                label="Show these"
                is_disabled=is_same
                on_press=save
                on_close=on_close
                testid="diagram-cards-save"
            />
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_finds_names_in_any_letters() {
        let line = |title: &str| Line {
            card: (Side::Relational, title.to_owned()),
            title: title.to_owned(),
            note: String::new(),
        };
        let all = [line("Customer"), line("order_line")];
        assert_eq!(filtered(&all, " CUST ").len(), 1);
        assert_eq!(filtered(&all, "").len(), 2);
        assert!(filtered(&all, "x").is_empty());
    }
}
