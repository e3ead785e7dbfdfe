//! Makes the scene of a view: places as they are saved, room for what has none, a layout where nothing has a place.

use super::card::Card;
use super::edge::Edge;
use super::geometry::{Point, Rect, Size};
use super::layout::{Layout, place_new};
use super::saved::{Diagram, Side};
use super::scene::Scene;
use std::collections::HashMap;
use std::sync::Arc;

/// The scene of one view of a diagram.
pub fn scene(side: Side, cards: &[Arc<Card>], edges: &[Arc<Edge>], diagram: &Diagram, layout: Layout) -> Scene {
    let shown: Vec<&Arc<Card>> = cards.iter().filter(|card| !diagram.is_hidden(side, card)).collect();
    let saved: Vec<Option<Point>> = shown.iter().map(|card| diagram.place_of(side, card)).collect();
    let places = match saved.iter().any(Option::is_some) {
        true => beside(&shown, &saved),
        false => laid_out(&shown, edges, layout),
    };
    Scene::new(shown.into_iter().cloned().zip(places).collect(), edges)
}

/// New cards stand below those that have their place.
fn beside(cards: &[&Arc<Card>], saved: &[Option<Point>]) -> Vec<Point> {
    let placed = cards
        .iter()
        .zip(saved)
        .filter_map(|(card, at)| Some(Rect::new((*at)?, card.size())));
    let taken: Vec<Rect> = placed.collect();
    let new: Vec<Size> = cards
        .iter()
        .zip(saved)
        .filter(|(_, at)| at.is_none())
        .map(|(c, _)| c.size())
        .collect();
    let mut new = place_new(&new, &taken).into_iter();
    saved
        .iter()
        .map(|at| at.or_else(|| new.next()).unwrap_or_default())
        .collect()
}

/// All cards by a layout.
pub fn laid_out(cards: &[&Arc<Card>], edges: &[Arc<Edge>], layout: Layout) -> Vec<Point> {
    let index: HashMap<&str, usize> = cards
        .iter()
        .enumerate()
        .map(|(n, card)| (card.id.as_str(), n))
        .collect();
    let pairs = edges
        .iter()
        .filter_map(|edge| Some((*index.get(&*edge.from)?, *index.get(&*edge.to)?)));
    let sizes: Vec<Size> = cards.iter().map(|card| card.size()).collect();
    layout.place(&sizes, &pairs.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::super::saved::Diagrams;
    use super::super::scene::tests::{card, edge};
    use super::*;
    use serde_json::json;

    #[test]
    fn saved_places_stay_and_new_cards_find_room() {
        let cards = [card("a", &["id"]), card("b", &["id", "a"]), card("c", &["id"])];
        let edges = [edge("k", ("b", "a"), ("a", "id"))];
        let node = json!({"id": "a", "position": {"x": -189.5, "y": 41.0}, "width": 244, "height": 9, "hidden": false});
        let hidden = json!({"id": "c", "position": {"x": 0, "y": 0}, "hidden": true});
        let file = json!({"tabs": [{"id": "1", "name": "One", "relational": {"nodes": [node, hidden]}}]});
        let diagrams = Diagrams::read(Some(&file));
        let scene = scene(Side::Relational, &cards, &edges, diagrams.active(), Layout::default());
        let at: Vec<_> = scene.cards.iter().map(|c| (c.card.id.as_str(), c.rect.x)).collect();
        assert_eq!(at, [("a", -189.5), ("b", -189.5)]);
        assert!(scene.cards[1].rect.y > scene.cards[0].rect.bottom());
        assert_eq!(scene.edges.len(), 1);
    }

    #[test]
    fn without_places_a_layout_decides() {
        let cards = [card("a", &["id"]), card("b", &["id", "a"])];
        let edges = [edge("k", ("b", "a"), ("a", "id"))];
        let scene = scene(
            Side::Documents,
            &cards,
            &edges,
            Diagrams::read(None).active(),
            Layout::LeftToRight,
        );
        assert!(scene.cards[1].rect.x > scene.cards[0].rect.right());
    }
}
