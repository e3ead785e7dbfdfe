//! What the diagram of a project shows right now: its cards and lines, its two canvases, what is chosen on them.

use super::build::{laid_out, scene};
use super::canvas::CanvasState;
use super::card::Card;
use super::coupling::Cards;
use super::edge::Edge;
use super::geometry::Point;
use super::gesture::Tool;
use super::layout::Layout;
use super::saved::{Diagrams, Side};
use super::scene::Scene;
use super::{documents, relational};
use crate::pages::mapping::lineage::{Lineage, Thing, marks};
use godwit_shared::edit::Draft;
use godwit_shared::mapping::Content;
use godwit_shared::schema::RelationalModel;
use leptos::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

/// Which views stand in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Panes {
    #[default]
    Both,
    Only(Side),
}

/// Cards and lines of one view, before anybody has placed them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    pub cards: Vec<Arc<Card>>,
    pub edges: Vec<Arc<Edge>>,
}

impl Graph {
    fn of(side: Side, content: &Content, model: &RelationalModel) -> Self {
        let (cards, edges) = match side {
            Side::Relational => relational::graph(content, model),
            Side::Documents => documents::graph(content, model),
        };
        Self { cards, edges }
    }

    /// Cards that say what they said before stay the same ones: only the others are drawn anew.
    fn keeping(mut self, before: Option<&Self>) -> Self {
        let known: HashMap<&str, &Arc<Card>> = before
            .into_iter()
            .flat_map(|graph| graph.cards.iter().map(|card| (card.id.as_str(), card)))
            .collect();
        for card in &mut self.cards {
            if let Some(same) = known.get(card.id.as_str()).filter(|known| ***known == *card) {
                *card = (*same).clone();
            }
        }
        self
    }
}

#[derive(Clone, Copy)]
pub struct DiagramState {
    pub draft: RwSignal<Draft>,
    pub diagrams: Memo<Diagrams>,
    pub relational: CanvasState,
    pub documents: CanvasState,
    graphs: [Memo<Graph>; 2],
    pub panes: RwSignal<Panes>,
    pub tool: RwSignal<Tool>,
    pub chosen: RwSignal<Vec<Thing>>,
    pub pointed: RwSignal<Option<Thing>>,
    pub lineage: Memo<Arc<Lineage>>,
}

impl DiagramState {
    pub fn new(draft: RwSignal<Draft>, chosen: RwSignal<Vec<Thing>>, pointed: RwSignal<Option<Thing>>) -> Self {
        let graphs = [Side::Relational, Side::Documents].map(|side| {
            Memo::new(move |before: Option<&Graph>| {
                draft.with(|draft| Graph::of(side, &draft.content, &draft.model).keeping(before))
            })
        });
        let diagrams = Memo::new(move |_| draft.with(|draft| Diagrams::read(draft.content.diagrams.as_ref())));
        let lineage = Memo::new(move |_| draft.with(|draft| Lineage::of(&draft.content)));
        let tool = RwSignal::new(Tool::default());
        let [relational, documents] = [Side::Relational, Side::Documents].map(|side| {
            let graph = graphs[usize::from(side == Side::Documents)];
            let scene = Memo::new(move |_| {
                let made = graph.with(|graph| {
                    diagrams.with(|all| scene(side, &graph.cards, &graph.edges, all.active(), Layout::default()))
                });
                Arc::new(made)
            });
            let marks = Memo::new(move |_| {
                let all = chosen.with(|chosen| {
                    pointed.with(|pointed| lineage.with(|lineage| marks(side, chosen, pointed.as_ref(), lineage)))
                });
                Arc::new(all)
            });
            CanvasState::new(side, tool, scene.into(), marks.into())
        });
        Self {
            draft,
            diagrams,
            relational,
            documents,
            graphs,
            panes: RwSignal::new(Panes::default()),
            tool,
            chosen,
            pointed,
            lineage,
        }
    }

    pub fn canvas(self, side: Side) -> CanvasState {
        match side {
            Side::Relational => self.relational,
            Side::Documents => self.documents,
        }
    }

    pub fn graph(self, side: Side) -> Graph {
        self.graphs[usize::from(side == Side::Documents)].get_untracked()
    }

    pub fn is_shown(self, side: Side) -> bool {
        match self.panes.get() {
            Panes::Both => true,
            Panes::Only(only) => only == side,
        }
    }

    pub fn fit_soon(self) {
        self.relational.fit_soon();
        self.documents.fit_soon();
    }

    /// The cards in sight of one view with the places that a layout gives them.
    pub fn arranged(self, side: Side, layout: Layout) -> Vec<(Arc<Card>, Point)> {
        let graph = self.graph(side);
        let is_shown = |card: &&Arc<Card>| self.diagrams.with_untracked(|all| !all.active().is_hidden(side, card));
        let shown: Vec<&Arc<Card>> = graph.cards.iter().filter(is_shown).collect();
        let places = laid_out(&shown, &graph.edges, layout);
        shown.into_iter().cloned().zip(places).collect()
    }

    /// The cards in sight, of both views.
    pub fn shown_cards(self) -> Cards {
        let of_side = |side: Side| {
            let scene = self.scene(side);
            let ids = scene.cards.iter().map(|placed| (side, placed.card.id.clone()));
            ids.collect::<Vec<_>>()
        };
        [Side::Relational, Side::Documents]
            .into_iter()
            .flat_map(of_side)
            .collect()
    }

    /// How many cards of both views are hidden in the diagram in sight.
    pub fn hidden_count(self) -> usize {
        let of_side = |side: Side| {
            let all = self.graphs[usize::from(side == Side::Documents)].with(|graph| graph.cards.len());
            all - self.canvas(side).scene.with(|scene| scene.cards.len())
        };
        of_side(Side::Relational) + of_side(Side::Documents)
    }

    /// What is chosen by a click, or added to what is.
    pub fn choose(self, thing: Thing, is_additive: bool) {
        self.chosen.update(|chosen| match is_additive {
            false => *chosen = vec![thing],
            true => match chosen.iter().position(|own| *own == thing) {
                Some(place) => drop(chosen.remove(place)),
                None => chosen.push(thing),
            },
        });
    }

    /// The scene of the first view that is shown, for files.
    pub fn scene(self, side: Side) -> Arc<Scene> {
        self.canvas(side).scene.get_untracked()
    }
}
