//! What is chosen and what is lit up on a diagram.

use super::card::{HEAD, ROW};
use super::geometry::{Point, Rect};
use super::scene::Scene;
use std::collections::HashSet;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks {
    /// Cards that are chosen.
    pub chosen: Vec<String>,
    /// Lines that are chosen or belong to what is pointed at.
    pub edges: HashSet<String>,
    /// Cards that belong to what is chosen or pointed at elsewhere.
    pub cards: HashSet<String>,
    /// Rows that do: card and row.
    pub rows: HashSet<(String, String)>,
}

impl Marks {
    /// Frames around cards that are chosen.
    pub fn chosen_frames(&self, scene: &Scene) -> Vec<Rect> {
        frames(scene, self.chosen.iter())
    }

    /// Frames around those that are lit up.
    pub fn lit_frames(&self, scene: &Scene) -> Vec<Rect> {
        frames(scene, self.cards.iter().filter(|id| !self.chosen.contains(id)))
    }

    /// The bands of rows that are lit up.
    pub fn bands(&self, scene: &Scene) -> Vec<Rect> {
        let band = |(card, row): &(String, String)| {
            let placed = scene.card(card)?;
            let place = placed.card.rows.iter().position(|own| own.id == *row)?;
            let y = placed.rect.y + HEAD + ROW * place as f64;
            let (left, right) = (Point::new(placed.rect.x, y), Point::new(placed.rect.right(), y + ROW));
            Some(Rect::between(left, right))
        };
        sorted(self.rows.iter().filter_map(band).collect())
    }
}

fn frames<'a>(scene: &Scene, ids: impl Iterator<Item = &'a String>) -> Vec<Rect> {
    sorted(ids.filter_map(|id| scene.card(id)).map(|card| card.rect).collect())
}

/// In an order of their own: sets have none.
fn sorted(mut rects: Vec<Rect>) -> Vec<Rect> {
    rects.sort_by(|a, b| (a.x, a.y).partial_cmp(&(b.x, b.y)).unwrap_or(std::cmp::Ordering::Equal));
    rects
}

#[cfg(test)]
mod tests {
    use super::super::scene::tests::card;
    use super::*;

    #[test]
    fn frames_and_bands() {
        let scene = Scene::new(vec![(card("a", &["id", "name"]), Point::new(100.0, 50.0))], &[]);
        let marks = Marks {
            chosen: vec!["a".into(), "gone".into()],
            cards: ["a".to_owned()].into(),
            rows: [("a".to_owned(), "name".to_owned()), ("a".to_owned(), "gone".to_owned())].into(),
            ..Marks::default()
        };
        assert_eq!(marks.chosen_frames(&scene).len(), 1);
        assert!(marks.lit_frames(&scene).is_empty());
        let [band] = marks.bands(&scene)[..] else { panic!() };
        assert_eq!((band.x, band.y, band.height), (100.0, 50.0 + HEAD + ROW, ROW));
    }
}
