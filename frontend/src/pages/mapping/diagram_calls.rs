//! What the user does on the diagram, as edits of the project.

use super::carry::{carry, let_go};
use super::delete::Deleting;
use super::diagram::card::Card;
use super::diagram::geometry::Point;
use super::diagram::layout::Layout;
use super::diagram::pane::DiagramCalls;
use super::diagram::saved::Side;
use super::diagram_edits::{hide_chosen, node, place, tab_call};
use super::lineage::Thing;
use super::workbench::Workbench;
use godwit_shared::edit::Edit;
use godwit_shared::ids::TableId;
use leptos::prelude::*;
use std::sync::Arc;

pub fn diagram_calls(bench: Workbench) -> DiagramCalls {
    DiagramCalls {
        on_move: Callback::new(move |(side, places)| move_cards(bench, side, places)),
        on_layout: Callback::new(move |layout| arrange(bench, layout)),
        on_draw: Callback::new(move |(from, to)| draw(bench, &from, &to)),
        on_carry: Callback::new(move |(thing, at, is_done)| {
            if let (Thing::Table(table), at) = (thing, at) {
                if is_done {
                    let_go(bench, table, at);
                } else {
                    carry(bench, table, at);
                }
            }
        }),
        on_remove: Callback::new(move |()| remove(bench)),
        on_hide: Callback::new(move |()| hide_chosen(bench)),
        on_tab: Callback::new(move |call| tab_call(bench, call)),
    }
}

/// The first move of a view fixes all of its cards: the others would find new places beside the one that was moved.
fn move_cards(bench: Workbench, side: Side, places: Vec<(String, Point)>) {
    let scene = bench.diagram.scene(side);
    let is_loose = |card: &Card| {
        bench
            .diagram
            .diagrams
            .with_untracked(|all| all.active().place_of(side, card).is_none())
    };
    let moved = |id: &str| places.iter().find(|(own, _)| own == id).map(|(_, at)| *at);
    let cards = scene.cards.iter().filter_map(|placed| {
        let card = &placed.card;
        let now = Point::new(placed.rect.x, placed.rect.y);
        let at = moved(&card.id).or_else(|| is_loose(card).then_some(now))?;
        Some(node(card, at, false))
    });
    let words = match places.as_slice() {
        [(id, _)] => format!(
            "moved `{}` in the diagram",
            scene.card(id).map(|c| c.card.title.clone()).unwrap_or_default()
        ),
        many => format!("moved {} cards in the diagram", many.len()),
    };
    let nodes: Vec<_> = cards.collect();
    place(bench, vec![(side, nodes)], words);
}

fn arrange(bench: Workbench, layout: Layout) {
    let nodes = [Side::Relational, Side::Documents].map(|side| {
        let cards: Vec<(Arc<Card>, Point)> = bench.diagram.arranged(side, layout);
        (
            side,
            cards
                .iter()
                .map(|(card, at)| node(card, *at, false))
                .collect::<Vec<_>>(),
        )
    });
    let words = format!("arranged the diagram {}", layout.label().to_lowercase());
    place(bench, nodes.into(), words);
    bench.diagram.fit_soon();
}

fn remove(bench: Workbench) {
    let chosen = bench.chosen.get_untracked();
    let tables: Vec<TableId> = chosen
        .iter()
        .filter_map(|thing| match thing {
            Thing::Table(table) | Thing::Column { table, .. } => Some(table.clone()),
            _ => None,
        })
        .collect();
    match chosen.first() {
        Some(Thing::Key { table, name }) => {
            let (table, name) = (table.clone(), name.clone());
            bench.apply(Edit::RemoveKey { table, name });
        }
        Some(Thing::Collection(collection)) => bench.deleting.set(Some(Deleting::Collection(collection.clone()))),
        Some(Thing::Rule(rule)) => bench.ask_to_delete(rule.clone()),
        Some(Thing::Table(_)) => bench.ask_to_remove_tables(tables),
        Some(Thing::Column { .. } | Thing::Path { .. }) | None => {}
    }
}

/// A line that was drawn between two tables becomes a synthetic key, once its columns are chosen.
fn draw(bench: Workbench, from: &Thing, to: &Thing) {
    let end = |thing: &Thing| match thing {
        Thing::Table(table) => Some((table.clone(), String::new())),
        Thing::Column { table, column } => Some((table.clone(), column.clone())),
        _ => None,
    };
    if let Some(((from, own), (to, other))) = end(from).zip(end(to)) {
        bench.draw_key(from, Some(to), vec![(own, other)]);
    }
}
