//! What is done with whole diagrams, as edits of the project.

use super::diagram::build::laid_out;
use super::diagram::card::Card;
use super::diagram::coupling::{self, Cards};
use super::diagram::geometry::{Point, Rect};
use super::diagram::layout::{Layout, place_new};
use super::diagram::saved::{Diagram, FIRST_ID, FIRST_NAME, Side};
use super::diagram::tabs::{TabCall, free_name};
use super::workbench::Workbench;
use godwit_shared::edit::{DiagramEdit, Edit, NodePlace, View};
use leptos::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;

/// Cards of a view at their places, as an edit has them.
pub type Nodes = Vec<(Side, Vec<(String, NodePlace)>)>;

const SIDES: [Side; 2] = [Side::Relational, Side::Documents];

fn view_of(side: Side) -> View {
    match side {
        Side::Relational => View::Relational,
        Side::Documents => View::Collection,
    }
}

pub fn node(card: &Card, at: Point, hidden: bool) -> (String, NodePlace) {
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

/// The edit that makes the first diagram, where the project has none yet.
fn first_tab(bench: Workbench) -> Option<Edit> {
    let has_tabs = bench.draft.with_untracked(|draft| {
        let tabs = draft
            .content
            .diagrams
            .as_ref()
            .and_then(|all| all.get("tabs")?.as_array());
        tabs.is_some_and(|tabs| !tabs.is_empty())
    });
    let add = Edit::Diagram(DiagramEdit::AddTab {
        tab: Some(FIRST_ID.to_owned()),
        name: FIRST_NAME.to_owned(),
        copy_of: None,
    });
    (!has_tabs).then_some(add)
}

fn place_edits(tab: &str, nodes: Nodes, words: &str) -> Vec<Edit> {
    let place = |(side, nodes): (Side, Vec<(String, NodePlace)>)| {
        Edit::Diagram(DiagramEdit::PlaceNodes {
            tab: tab.to_owned(),
            view: view_of(side),
            nodes,
            words: Some(words.to_owned()),
        })
    };
    nodes
        .into_iter()
        .filter(|(_, nodes)| !nodes.is_empty())
        .map(place)
        .collect()
}

/// All as one step, behind the edit that makes the first diagram.
fn apply(bench: Workbench, words: String, edits: Vec<Edit>) {
    if !edits.is_empty() {
        let edits = first_tab(bench).into_iter().chain(edits).collect();
        bench.apply(Edit::All { words, edits });
    }
}

/// Puts cards of the diagram in sight somewhere.
pub fn place(bench: Workbench, nodes: Nodes, words: String) {
    let tab = bench.diagram.diagrams.with_untracked(|all| all.active().id.clone());
    let edits = place_edits(&tab, nodes, &words);
    apply(bench, words, edits);
}

/// Does what the tabs ask for.
pub fn tab_call(bench: Workbench, call: TabCall) {
    let (all, active) = bench
        .diagram
        .diagrams
        .with_untracked(|all| (all.clone(), all.active().clone()));
    let tab = active.id.clone();
    let one = |edit: DiagramEdit| vec![Edit::Diagram(edit)];
    match call {
        TabCall::Show(tab) if tab == active.id => {}
        TabCall::Show(tab) => {
            let name = all.tabs.iter().find(|own| own.id == tab).map(|own| own.name.clone());
            let words = format!("showed the diagram `{}`", name.unwrap_or_default());
            apply(bench, words, one(DiagramEdit::ActivateTab { tab }));
            bench.diagram.fit_soon();
        }
        TabCall::Add => {
            let name = free_name(&all);
            let words = format!("added the diagram `{name}`");
            let (tab, copy_of) = (None, None);
            apply(bench, words, one(DiagramEdit::AddTab { tab, name, copy_of }));
            bench.diagram.fit_soon();
        }
        TabCall::Duplicate => {
            let name = free_name(&all);
            let words = format!("duplicated the diagram `{}`", active.name);
            let copy_of = Some(tab);
            apply(
                bench,
                words,
                one(DiagramEdit::AddTab {
                    tab: None,
                    name,
                    copy_of,
                }),
            );
        }
        TabCall::Describe { name, notes } => {
            let mut edits = Vec::new();
            if name != active.name {
                let tab = tab.clone();
                edits.extend(one(DiagramEdit::RenameTab {
                    tab,
                    name: name.clone(),
                }));
            }
            if notes != active.notes {
                edits.extend(one(DiagramEdit::SetTabNotes { tab, notes }));
            }
            let words = match name == active.name {
                true => format!("changed the notes of the diagram `{name}`"),
                false => format!("renamed the diagram `{}` to `{name}`", active.name),
            };
            apply(bench, words, edits);
        }
        TabCall::Move(by) => {
            let at = all.tabs.iter().position(|own| own.id == tab).unwrap_or_default();
            let to = at.saturating_add_signed(by as isize).min(all.tabs.len() - 1);
            if to != at {
                let words = format!("moved the diagram `{}`", active.name);
                apply(bench, words, one(DiagramEdit::MoveTab { tab, to }));
            }
        }
        TabCall::Remove => {
            let words = format!("removed the diagram `{}`", active.name);
            apply(bench, words, one(DiagramEdit::RemoveTab { tab }));
            bench.diagram.fit_soon();
        }
        TabCall::Send { to, is_move } => send(bench, to, is_move),
        TabCall::ShowCards(wanted) => show_cards(bench, &wanted),
    }
}

/// Shows and hides cards so that exactly these are in sight.
fn show_cards(bench: Workbench, wanted: &Cards) {
    let before = bench.diagram.shown_cards();
    let (more, less) = (wanted.difference(&before).count(), before.difference(wanted).count());
    let words = match (more, less) {
        (more, 0) => format!("showed {more} cards in the diagram"),
        (0, less) => format!("hid {less} cards in the diagram"),
        (more, less) => format!("showed {more} and hid {less} cards in the diagram"),
    };
    let nodes = SIDES.map(|side| (side, changed_nodes(bench, side, wanted))).into();
    place(bench, nodes, words);
    if before.is_empty() {
        bench.diagram.fit_soon();
    }
}

/// Hides what is chosen with what belongs to it alone; the project keeps it.
pub fn hide_chosen(bench: Workbench) {
    let chosen = bench.chosen.get_untracked();
    let before = bench.diagram.shown_cards();
    let mut wanted = before.clone();
    let feeds = bench.draft.with_untracked(|draft| coupling::feeds(&draft.content));
    for (side, id) in chosen.iter().filter_map(|thing| thing.card()) {
        coupling::hide(&mut wanted, &(side, id.to_owned()), &feeds);
    }
    if wanted != before {
        show_cards(bench, &wanted);
        bench.chosen.set(Vec::new());
    }
}

/// The cards of a view that come or go; and those that have no place of their own yet: they would find another one.
fn changed_nodes(bench: Workbench, side: Side, wanted: &Cards) -> Vec<(String, NodePlace)> {
    let (graph, scene) = (bench.diagram.graph(side), bench.diagram.scene(side));
    let active = bench.diagram.diagrams.with_untracked(|all| all.active().clone());
    let is_wanted = |card: &Card| wanted.contains(&(side, card.id.clone()));
    let mut nodes = Vec::new();
    let mut homeless: Vec<&Arc<Card>> = Vec::new();
    for card in &graph.cards {
        let seen = scene
            .card(&card.id)
            .map(|placed| Point::new(placed.rect.x, placed.rect.y));
        match (seen, is_wanted(card), active.place_of(side, card)) {
            (Some(at), false, _) => nodes.push(node(card, at, true)),
            (Some(at), true, None) => nodes.push(node(card, at, false)),
            (None, true, Some(at)) => nodes.push(node(card, at, false)),
            (None, true, None) => homeless.push(card),
            (Some(_), true, Some(_)) | (None, false, _) => {}
        }
    }
    let taken: Vec<Rect> = scene.cards.iter().map(|placed| placed.rect).collect();
    let found = match taken.is_empty() {
        true => laid_out(&homeless, &graph.edges, Layout::default()),
        false => place_new(&homeless.iter().map(|card| card.size()).collect::<Vec<_>>(), &taken),
    };
    nodes.extend(homeless.iter().zip(found).map(|(card, at)| node(card, at, false)));
    nodes
}

/// Copies or moves what is chosen to another diagram.
fn send(bench: Workbench, to: Option<String>, is_move: bool) {
    let (all, active) = bench
        .diagram
        .diagrams
        .with_untracked(|all| (all.clone(), all.active().clone()));
    let chosen: HashSet<(Side, String)> = bench.chosen.with_untracked(|chosen| {
        let cards = chosen.iter().filter_map(|thing| thing.card());
        cards.map(|(side, id)| (side, id.to_owned())).collect()
    });
    let target = to.as_ref().and_then(|to| all.tabs.iter().find(|tab| tab.id == *to));
    let mut edits = Vec::new();
    let (tab, name) = match target {
        Some(tab) => (tab.id.clone(), tab.name.clone()),
        None => {
            let is_taken = |id: &String| all.tabs.iter().any(|tab| tab.id == *id);
            let mut ids = (all.tabs.len() + 1..).map(|n| format!("diagram-{n}"));
            let id = ids.find(|id| !is_taken(id)).expect("the numbers do not end");
            let name = free_name(&all);
            edits.push(Edit::Diagram(DiagramEdit::AddTab {
                tab: Some(id.clone()),
                name: name.clone(),
                copy_of: None,
            }));
            (id, name)
        }
    };
    let verb = if is_move { "moved" } else { "copied" };
    let words = match chosen.len() {
        1 => format!("{verb} 1 card to the diagram `{name}`"),
        n => format!("{verb} {n} cards to the diagram `{name}`"),
    };
    let arriving = SIDES.map(|side| (side, arriving_nodes(bench, side, &chosen, target)));
    edits.extend(place_edits(&tab, arriving.into(), &words));
    if is_move {
        let left: Cards = bench.diagram.shown_cards().difference(&chosen).cloned().collect();
        let nodes = SIDES.map(|side| (side, changed_nodes(bench, side, &left)));
        edits.extend(place_edits(&active.id, nodes.into(), &words));
    }
    apply(bench, words, edits);
    bench.diagram.fit_soon();
}

/// Where cards stand in another diagram: as here, where it is empty, else below what it has.
fn arriving_nodes(bench: Workbench, side: Side, chosen: &Cards, target: Option<&Diagram>) -> Vec<(String, NodePlace)> {
    let (graph, scene) = (bench.diagram.graph(side), bench.diagram.scene(side));
    let coming: Vec<&Arc<Card>> = graph
        .cards
        .iter()
        .filter(|card| chosen.contains(&(side, card.id.clone())))
        .filter(|card| target.is_none_or(|tab| tab.is_hidden(side, card)))
        .collect();
    let known = |card: &Card| target.and_then(|tab| tab.place_of(side, card));
    let here = |card: &Card| {
        scene
            .card(&card.id)
            .map(|placed| Point::new(placed.rect.x, placed.rect.y))
    };
    let taken: Vec<Rect> = match target {
        Some(tab) => graph
            .cards
            .iter()
            .filter(|card| !tab.is_hidden(side, card))
            .filter_map(|card| Some(Rect::new(tab.place_of(side, card)?, card.size())))
            .collect(),
        None => Vec::new(),
    };
    let below = place_new(&coming.iter().map(|card| card.size()).collect::<Vec<_>>(), &taken);
    let place = |(card, below): (&&Arc<Card>, Point)| {
        let at = match taken.is_empty() {
            true => known(card).or_else(|| here(card)),
            false => known(card),
        };
        node(card, at.unwrap_or(below), false)
    };
    coming.iter().zip(below).map(place).collect()
}
