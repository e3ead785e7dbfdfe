//! What the user does on the diagram, as edits of the project.

use super::carry::{carry, let_go};
use super::delete::Deleting;
use super::diagram::card::Card;
use super::diagram::geometry::Point;
use super::diagram::layout::Layout;
use super::diagram::pane::DiagramCalls;
use super::diagram::saved::{FIRST_ID, FIRST_NAME, Side};
use super::lineage::Thing;
use super::workbench::Workbench;
use godwit_shared::edit::{DiagramEdit, Edit, NodePlace, View};
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
        on_hide: Callback::new(move |()| hide(bench)),
    }
}

fn view_of(side: Side) -> View {
    match side {
        Side::Relational => View::Relational,
        Side::Documents => View::Collection,
    }
}

fn node(card: &Card, at: Point, hidden: bool) -> (String, NodePlace) {
    let size = card.size();
    let place = NodePlace {
        x: at.x,
        y: at.y,
        width: size.width,
        height: size.height,
        hidden,
    };
    (card.id.clone(), place)
}

/// The edit that puts cards somewhere; the first one makes the diagram where the project has none.
fn placed(bench: Workbench, nodes: Vec<(Side, Vec<(String, NodePlace)>)>, words: String) -> Edit {
    let (tab, is_new) = bench.diagram.diagrams.with_untracked(|all| {
        let is_new = bench.draft.with_untracked(|draft| !has_tabs(&draft.content));
        (all.active().id.clone(), is_new)
    });
    let make = is_new.then(|| {
        Edit::Diagram(DiagramEdit::AddTab {
            tab: Some(FIRST_ID.to_owned()),
            name: FIRST_NAME.to_owned(),
            copy_of: None,
        })
    });
    let place = |(side, nodes): (Side, Vec<(String, NodePlace)>)| {
        Edit::Diagram(DiagramEdit::PlaceNodes {
            tab: tab.clone(),
            view: view_of(side),
            nodes,
            words: Some(words.clone()),
        })
    };
    let edits: Vec<Edit> = make.into_iter().chain(nodes.into_iter().map(place)).collect();
    Edit::All { words, edits }
}

fn has_tabs(content: &godwit_shared::mapping::Content) -> bool {
    let tabs = content
        .diagrams
        .as_ref()
        .and_then(|diagrams| diagrams.get("tabs")?.as_array());
    tabs.is_some_and(|tabs| !tabs.is_empty())
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
    bench.apply(placed(bench, vec![(side, nodes)], words));
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
    bench.apply(placed(
        bench,
        nodes.into_iter().filter(|(_, nodes)| !nodes.is_empty()).collect(),
        words,
    ));
    bench.diagram.fit_soon();
}

/// Hides what is chosen in this diagram; the project keeps it.
fn hide(bench: Workbench) {
    let chosen = bench.chosen.get_untracked();
    let of_side = |side: Side| {
        let scene = bench.diagram.scene(side);
        let cards = chosen
            .iter()
            .filter_map(|thing| thing.card())
            .filter(|(own, _)| *own == side);
        let nodes = cards.filter_map(|(_, id)| {
            let placed = scene.card(id)?;
            Some(node(&placed.card, Point::new(placed.rect.x, placed.rect.y), true))
        });
        (side, nodes.collect::<Vec<_>>())
    };
    let nodes: Vec<_> = [Side::Relational, Side::Documents]
        .into_iter()
        .map(of_side)
        .filter(|(_, n)| !n.is_empty())
        .collect();
    let count: usize = nodes.iter().map(|(_, nodes)| nodes.len()).sum();
    if count > 0 {
        let words = format!(
            "hid {count} {} in the diagram",
            if count == 1 { "card" } else { "cards" }
        );
        bench.apply(placed(bench, nodes, words));
        bench.chosen.set(Vec::new());
    }
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
