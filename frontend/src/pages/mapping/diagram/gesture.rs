//! What pressing, dragging and letting go of the pointer means on a diagram.

use super::geometry::{Point, Rect};
use super::scene::Hit;
use super::view::View;

/// How far the pointer goes before a click becomes a drag, pixels.
const SLACK: f64 = 4.0;

/// What dragging does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tool {
    /// Moves the diagram, or the card below the pointer.
    #[default]
    Move,
    /// Draws a box around what is to be chosen.
    Select,
    /// Draws a key from a card to a card.
    Key,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub enum Gesture {
    #[default]
    None,
    Pressed {
        pixel: Point,
        hit: Option<Hit>,
        tool: Tool,
        is_additive: bool,
    },
    Panning {
        last: Point,
    },
    /// Cards, with how far they are from where they stood.
    Moving {
        ids: Vec<String>,
        from: Point,
        by: Point,
    },
    Boxing {
        from: Point,
        to: Point,
        is_additive: bool,
    },
    Drawing {
        from: Hit,
        start: Point,
        to: Point,
    },
}

/// What a gesture has come to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Nothing,
    Clicked { hit: Option<Hit>, is_additive: bool },
    Moved { ids: Vec<String>, by: Point },
    Boxed { area: Rect, is_additive: bool },
    Drawn { from: Hit, to: Point },
}

impl Gesture {
    /// The pointer moves; the view with it where it pans. `chosen` moves as one.
    pub fn dragged(self, pixel: Point, view: View, chosen: &[String]) -> (Self, View) {
        let here = view.to_diagram(pixel);
        match self {
            Gesture::Pressed { pixel: start, .. } if near(start, pixel) => (self, view),
            Gesture::Pressed {
                pixel: start,
                hit,
                tool,
                is_additive,
            } => Self::begun(start, hit, tool, is_additive, view, chosen).dragged(pixel, view, chosen),
            Gesture::Panning { last } => {
                let view = view.panned(pixel.x - last.x, pixel.y - last.y);
                (Gesture::Panning { last: pixel }, view)
            }
            Gesture::Moving { ids, from, .. } => {
                let by = Point::new(here.x - from.x, here.y - from.y);
                (Gesture::Moving { ids, from, by }, view)
            }
            Gesture::Boxing { from, is_additive, .. } => {
                let to = here;
                (Gesture::Boxing { from, to, is_additive }, view)
            }
            Gesture::Drawing { from, start, .. } => (Gesture::Drawing { from, start, to: here }, view),
            Gesture::None => (Gesture::None, view),
        }
    }

    fn begun(pixel: Point, hit: Option<Hit>, tool: Tool, is_additive: bool, view: View, chosen: &[String]) -> Self {
        let from = view.to_diagram(pixel);
        let card = hit.as_ref().and_then(Hit::card).map(str::to_owned);
        match (tool, card, hit) {
            (Tool::Key, Some(_), Some(hit)) => Gesture::Drawing {
                from: hit,
                start: from,
                to: from,
            },
            (Tool::Select, ..) => Gesture::Boxing {
                from,
                to: from,
                is_additive,
            },
            (Tool::Move, Some(card), _) => Gesture::Moving {
                ids: match chosen.contains(&card) {
                    true => chosen.to_vec(),
                    false => vec![card],
                },
                from,
                by: Point::default(),
            },
            (Tool::Move | Tool::Key, ..) => Gesture::Panning { last: pixel },
        }
    }

    /// The pointer is let go.
    pub fn released(self) -> Outcome {
        match self {
            Gesture::Pressed { hit, is_additive, .. } => Outcome::Clicked { hit, is_additive },
            Gesture::Moving { ids, by, .. } => Outcome::Moved { ids, by },
            Gesture::Boxing { from, to, is_additive } => Outcome::Boxed {
                area: Rect::between(from, to),
                is_additive,
            },
            Gesture::Drawing { from, to, .. } => Outcome::Drawn { from, to },
            Gesture::Panning { .. } | Gesture::None => Outcome::Nothing,
        }
    }
}

fn near(a: Point, b: Point) -> bool {
    (a.x - b.x).abs() < SLACK && (a.y - b.y).abs() < SLACK
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(hit: Option<&str>, tool: Tool) -> Gesture {
        Gesture::Pressed {
            pixel: Point::new(10.0, 10.0),
            hit: hit.map(|id| Hit::Card(id.to_owned())),
            tool,
            is_additive: false,
        }
    }

    fn play(gesture: Gesture, to: Point, chosen: &[&str]) -> (Outcome, View) {
        let chosen: Vec<String> = chosen.iter().map(|id| (*id).to_owned()).collect();
        let view = View {
            zoom: 0.5,
            ..View::default()
        };
        let (gesture, view) = gesture.dragged(Point::new(12.0, 8.0), view, &chosen);
        let (gesture, view) = gesture.dragged(to, view, &chosen);
        (gesture.released(), view)
    }

    #[test]
    fn a_click_is_no_drag() {
        let (outcome, view) = play(pressed(Some("a"), Tool::Move), Point::new(11.0, 13.0), &[]);
        let hit = Some(Hit::Card("a".into()));
        assert_eq!(
            outcome,
            Outcome::Clicked {
                hit,
                is_additive: false
            }
        );
        assert_eq!(view.at, Point::default());
    }

    #[test]
    fn the_background_pans_and_cards_move() {
        let to = Point::new(60.0, 10.0);
        let (outcome, view) = play(pressed(None, Tool::Move), to, &[]);
        assert_eq!((outcome, view.at), (Outcome::Nothing, Point::new(-100.0, 0.0)));
        let moved = |ids: &[&str]| Outcome::Moved {
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            by: Point::new(100.0, 0.0),
        };
        assert_eq!(play(pressed(Some("a"), Tool::Move), to, &["b"]).0, moved(&["a"]));
        assert_eq!(
            play(pressed(Some("a"), Tool::Move), to, &["b", "a"]).0,
            moved(&["b", "a"])
        );
    }

    #[test]
    fn boxes_and_keys_are_drawn() {
        let to = Point::new(60.0, 30.0);
        let area = Rect::between(Point::new(20.0, 20.0), Point::new(120.0, 60.0));
        let is_additive = false;
        assert_eq!(
            play(pressed(Some("a"), Tool::Select), to, &[]).0,
            Outcome::Boxed { area, is_additive }
        );
        let from = Hit::Card("a".into());
        let to_point = Point::new(120.0, 60.0);
        assert_eq!(
            play(pressed(Some("a"), Tool::Key), to, &[]).0,
            Outcome::Drawn { from, to: to_point }
        );
        assert_eq!(play(pressed(None, Tool::Key), to, &[]).0, Outcome::Nothing);
    }
}
