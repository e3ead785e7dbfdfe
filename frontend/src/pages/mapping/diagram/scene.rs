//! Cards at their places with the lines between them: what is in sight, and what lies below the pointer.

use super::card::{Card, HEAD};
use super::edge::{Curve, Edge};
use super::geometry::{Point, Rect};
use std::collections::HashMap;
use std::sync::Arc;

/// How near to a line counts as on it, pixels.
const NEAR: f64 = 6.0;
/// Between two lines of the same rows.
const BESIDE: f64 = 5.0;

/// A diagram that can be drawn.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    pub cards: Vec<PlacedCard>,
    pub edges: Vec<PlacedEdge>,
    by_id: HashMap<String, usize>,
}

impl PartialEq for Scene {
    /// The index follows from the cards.
    fn eq(&self, other: &Self) -> bool {
        self.cards == other.cards && self.edges == other.edges
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct PlacedCard {
    pub card: Arc<Card>,
    pub rect: Rect,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PlacedEdge {
    pub edge: Arc<Edge>,
    pub curve: Curve,
    pub bounds: Rect,
}

/// What lies below the pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hit {
    Card(String),
    Row { card: String, row: String },
    Edge(String),
}

impl Hit {
    pub fn card(&self) -> Option<&str> {
        match self {
            Hit::Card(card) | Hit::Row { card, .. } => Some(card),
            Hit::Edge(_) => None,
        }
    }
}

/// Where the arrow keys lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Left,
    Right,
    Up,
    Down,
}

impl Scene {
    /// Lines without both of their cards are left out.
    pub fn new(cards: Vec<(Arc<Card>, Point)>, edges: &[Arc<Edge>]) -> Self {
        let cards: Vec<PlacedCard> = cards
            .into_iter()
            .map(|(card, at)| PlacedCard {
                rect: Rect::new(at, card.size()),
                card,
            })
            .collect();
        let by_id = cards.iter().enumerate().map(|(n, c)| (c.card.id.clone(), n)).collect();
        let mut scene = Self {
            cards,
            edges: Vec::new(),
            by_id,
        };
        let mut same: HashMap<[i64; 4], usize> = HashMap::new();
        scene.edges = edges.iter().filter_map(|edge| scene.place(edge, &mut same)).collect();
        scene
    }

    fn place(&self, edge: &Arc<Edge>, same: &mut HashMap<[i64; 4], usize>) -> Option<PlacedEdge> {
        let (from, to) = (self.card(&edge.from)?, self.card(&edge.to)?);
        let from_y = from.rect.y + from.card.row_middle(edge.from_row.as_deref());
        let to_y = to.rect.y + to.card.row_middle(edge.to_row.as_deref());
        let key = [from.rect.x, from_y, to.rect.x, to_y].map(|v| v.round() as i64);
        let before = same.entry(key).or_default();
        let aside = *before as f64 * BESIDE;
        *before += 1;
        let curve = Curve::between(from.rect, from_y + aside, to.rect, to_y + aside, edge.from_many);
        Some(PlacedEdge {
            edge: edge.clone(),
            bounds: curve.bounds(),
            curve,
        })
    }

    pub fn card(&self, id: &str) -> Option<&PlacedCard> {
        self.by_id.get(id).map(|n| &self.cards[*n])
    }

    pub fn bounds(&self) -> Option<Rect> {
        Rect::around(self.cards.iter().map(|card| card.rect))
    }

    /// Cards that lie at least in part in an area.
    pub fn cards_in(&self, area: Rect) -> impl Iterator<Item = &PlacedCard> {
        self.cards.iter().filter(move |card| card.rect.meets(area))
    }

    pub fn edges_in(&self, area: Rect) -> impl Iterator<Item = &PlacedEdge> {
        self.edges.iter().filter(move |edge| edge.bounds.meets(area))
    }

    /// The ids of the cards in a box that was drawn.
    pub fn ids_in(&self, area: Rect) -> Vec<String> {
        self.cards_in(area).map(|card| card.card.id.clone()).collect()
    }

    /// The topmost thing at a point. Rows count where they are drawn.
    pub fn at(&self, point: Point, zoom: f64, has_rows: bool) -> Option<Hit> {
        if let Some(found) = self.cards.iter().rev().find(|card| card.rect.contains(point)) {
            let card = found.card.id.clone();
            let y = point.y - found.rect.y;
            let row = found.card.row_at(y).filter(|_| has_rows && y > HEAD);
            return Some(match row {
                Some(row) => Hit::Row {
                    card,
                    row: row.id.clone(),
                },
                None => Hit::Card(card),
            });
        }
        let near = NEAR / zoom;
        let around = Rect::between(point, point).grown(near, near);
        let distances = self.edges_in(around).map(|edge| (edge, edge.curve.distance(point)));
        let nearest = distances.min_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, d)| *d <= near);
        nearest.map(|(edge, _)| Hit::Edge(edge.edge.id.clone()))
    }

    /// The nearest card in a direction; without a card to begin from, the first one.
    pub fn next(&self, from: Option<&str>, direction: Direction) -> Option<&PlacedCard> {
        let Some(from) = from.and_then(|id| self.card(id)) else {
            return self.cards.first();
        };
        let center = from.rect.center();
        let far = |card: &&PlacedCard| {
            let (x, y) = (card.rect.center().x - center.x, card.rect.center().y - center.y);
            let (along, aside) = match direction {
                Direction::Left => (-x, y),
                Direction::Right => (x, y),
                Direction::Up => (-y, x),
                Direction::Down => (y, x),
            };
            // What lies aside is farther away than it looks.
            (along > 1.0).then(|| along + 2.0 * aside.abs())
        };
        let others = self.cards.iter().filter_map(|card| far(&card).map(|far| (card, far)));
        others.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(card, _)| card)
    }

    /// Cards whose name, or the name of one of whose rows, holds a text; names first.
    pub fn find(&self, text: &str) -> Vec<&PlacedCard> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Vec::new();
        }
        let has = |name: &str| name.to_lowercase().contains(&text);
        let (mut named, others): (Vec<_>, Vec<_>) = self.cards.iter().partition(|c| has(&c.card.title));
        named.sort_by_key(|c| c.card.title.len());
        let by_row = others
            .into_iter()
            .filter(|c| c.card.rows.iter().any(|row| has(&row.label)));
        named.into_iter().chain(by_row).collect()
    }
}

#[cfg(test)]
pub mod tests {
    use super::super::card::CardRow;
    use super::super::edge::Many;
    use super::*;

    pub fn card(id: &str, rows: &[&str]) -> Arc<Card> {
        let row = |label: &&str| CardRow {
            id: (*label).to_owned(),
            label: (*label).to_owned(),
            ..CardRow::default()
        };
        Arc::new(Card {
            id: id.to_owned(),
            title: id.to_owned(),
            rows: rows.iter().map(row).collect(),
            ..Card::default()
        })
    }

    pub fn edge(id: &str, from: (&str, &str), to: (&str, &str)) -> Arc<Edge> {
        Arc::new(Edge {
            id: id.to_owned(),
            from: from.0.to_owned(),
            from_row: Some(from.1.to_owned()),
            to: to.0.to_owned(),
            to_row: Some(to.1.to_owned()),
            from_many: Many::Many,
            is_synthetic: false,
            label: id.to_owned(),
        })
    }

    fn scene() -> Scene {
        let cards = vec![
            (
                card("orders", &["id", "customer_id", "billed_to"]),
                Point::new(0.0, 0.0),
            ),
            (card("customers", &["id", "name"]), Point::new(500.0, 0.0)),
            (card("notes", &["id"]), Point::new(0.0, 400.0)),
        ];
        let edges = [
            edge("a", ("orders", "customer_id"), ("customers", "id")),
            edge("b", ("orders", "customer_id"), ("customers", "id")),
            edge("gone", ("orders", "customer_id"), ("nowhere", "id")),
        ];
        Scene::new(cards, &edges)
    }

    #[test]
    fn what_lies_below_the_pointer() {
        let scene = scene();
        let at = |x, y| scene.at(Point::new(x, y), 1.0, true);
        assert_eq!(at(10.0, 10.0), Some(Hit::Card("orders".into())));
        let row = Hit::Row {
            card: "orders".into(),
            row: "customer_id".into(),
        };
        assert_eq!(at(10.0, 60.0), Some(row));
        assert_eq!(
            scene.at(Point::new(10.0, 60.0), 0.2, false),
            Some(Hit::Card("orders".into()))
        );
        assert_eq!(at(250.0, 62.0), Some(Hit::Edge("a".into())));
        assert_eq!(at(300.0, 300.0), None);
    }

    #[test]
    fn two_keys_between_the_same_rows_are_two_lines() {
        let scene = scene();
        assert_eq!(scene.edges.len(), 2);
        assert_ne!(scene.edges[0].curve, scene.edges[1].curve);
    }

    #[test]
    fn only_what_is_in_sight_is_drawn() {
        let scene = scene();
        let area = Rect::between(Point::new(-10.0, -10.0), Point::new(400.0, 90.0));
        assert_eq!(scene.ids_in(area), ["orders"]);
        assert_eq!(scene.edges_in(area).count(), 2);
        let area = Rect::between(Point::new(0.0, 380.0), Point::new(50.0, 420.0));
        assert_eq!(
            (scene.ids_in(area), scene.edges_in(area).count()),
            (vec!["notes".to_owned()], 0)
        );
    }

    #[test]
    fn keys_and_searches_find_cards() {
        let scene = scene();
        let next = |from, direction| scene.next(from, direction).map(|c| c.card.id.as_str());
        assert_eq!(next(None, Direction::Up), Some("orders"));
        assert_eq!(next(Some("orders"), Direction::Right), Some("customers"));
        assert_eq!(next(Some("orders"), Direction::Down), Some("notes"));
        assert_eq!(next(Some("orders"), Direction::Left), None);
        let found = |text| scene.find(text).iter().map(|c| c.card.id.as_str()).collect::<Vec<_>>();
        assert_eq!(found("CUSTOM"), ["customers", "orders"]);
        assert!(found(" ").is_empty() && found("nothing").is_empty());
    }
}
