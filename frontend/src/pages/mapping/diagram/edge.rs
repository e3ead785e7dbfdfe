//! The lines between cards: a curve with a crow's foot at the end that has many, a bar at the end that has one.

use super::geometry::{Point, Rect};
use std::fmt::Write;

const STEPS: usize = 16;
/// How far a line goes away from its card before it bends, at least.
const BEND: f64 = 40.0;
const FOOT_LENGTH: f64 = 11.0;
const FOOT_WIDTH: f64 = 6.0;

/// How many rows of one end belong to one of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Many {
    One,
    Many,
}

/// A foreign key between two cards.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    pub id: String,
    /// The card that holds the key, and its row.
    pub from: String,
    pub from_row: Option<String>,
    /// The card that it leads to.
    pub to: String,
    pub to_row: Option<String>,
    pub from_many: Many,
    pub is_synthetic: bool,
    /// What it says, for those who do not see it.
    pub label: String,
}

/// Where a line leaves a card: to the left or to the right.
#[derive(Debug, Clone, Copy, PartialEq)]
struct End {
    at: Point,
    /// 1: to the right.
    side: f64,
}

/// A line as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    from: End,
    to: End,
    from_many: Many,
}

impl Curve {
    /// Between rows at these heights of two cards.
    pub fn between(from: Rect, from_y: f64, to: Rect, to_y: f64, from_many: Many) -> Self {
        let end = |rect: Rect, y: f64, side: f64| End {
            at: Point::new(if side > 0.0 { rect.right() } else { rect.x }, y),
            side,
        };
        let (from_side, to_side) = sides(from, to);
        Self {
            from: end(from, from_y, from_side),
            to: end(to, to_y, to_side),
            from_many,
        }
    }

    /// The handles of the curve.
    fn handles(&self) -> (Point, Point) {
        let reach = ((self.from.at.x - self.to.at.x).abs() / 2.0).max(BEND);
        let handle = |end: End| end.at.moved(end.side * reach, 0.0);
        (handle(self.from), handle(self.to))
    }

    fn point(&self, share: f64) -> Point {
        let (a, b) = self.handles();
        let (rest, mix) = (1.0 - share, |w: [f64; 4], c: [f64; 4]| {
            w.iter().zip(c).map(|(w, c)| w * c).sum()
        });
        let weights = [
            rest.powi(3),
            3.0 * rest.powi(2) * share,
            3.0 * rest * share.powi(2),
            share.powi(3),
        ];
        Point::new(
            mix(weights, [self.from.at.x, a.x, b.x, self.to.at.x]),
            mix(weights, [self.from.at.y, a.y, b.y, self.to.at.y]),
        )
    }

    pub fn distance(&self, point: Point) -> f64 {
        let points: Vec<Point> = (0..=STEPS).map(|n| self.point(n as f64 / STEPS as f64)).collect();
        let distances = points.windows(2).map(|pair| point.distance_to_line(pair[0], pair[1]));
        distances.fold(f64::INFINITY, f64::min)
    }

    pub fn bounds(&self) -> Rect {
        let (a, b) = self.handles();
        Rect::between(self.from.at, self.to.at)
            .grown(0.0, FOOT_WIDTH)
            .with(a)
            .with(b)
    }

    /// The curve alone, for what is far away.
    pub fn draw_line(&self, path: &mut String) {
        let ((a, b), from, to) = (self.handles(), self.from.at, self.to.at);
        let _ = write!(
            path,
            "M{:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
            from.x, from.y, a.x, a.y, b.x, b.y, to.x, to.y
        );
    }

    /// The curve with what its ends say.
    pub fn draw(&self, path: &mut String) {
        self.draw_line(path);
        draw_end(path, self.from, self.from_many);
        draw_end(path, self.to, Many::One);
    }
}

impl Rect {
    fn with(self, point: Point) -> Self {
        let all = [self, Rect::between(point, point)];
        Rect::around(all).unwrap_or(self)
    }
}

/// The sides at which a line leaves two cards: those that face each other, else the same one.
fn sides(from: Rect, to: Rect) -> (f64, f64) {
    if from.right() + BEND <= to.x {
        (1.0, -1.0)
    } else if to.right() + BEND <= from.x {
        (-1.0, 1.0)
    } else if from.center().x <= to.center().x {
        (1.0, 1.0)
    } else {
        (-1.0, -1.0)
    }
}

fn draw_end(path: &mut String, end: End, many: Many) {
    let Point { x, y } = end.at;
    let away = x + end.side * FOOT_LENGTH;
    let (above, below) = (y - FOOT_WIDTH, y + FOOT_WIDTH);
    let _ = match many {
        Many::Many => write!(path, "M{x:.1} {above:.1}L{away:.1} {y:.1}L{x:.1} {below:.1}"),
        Many::One => write!(path, "M{away:.1} {above:.1}V{below:.1}"),
    };
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Size;
    use super::*;

    fn rect(x: f64, y: f64) -> Rect {
        Rect::new(Point::new(x, y), Size::new(100.0, 50.0))
    }

    #[test]
    fn lines_leave_at_the_sides_that_face_each_other() {
        assert_eq!(sides(rect(0.0, 0.0), rect(300.0, 0.0)), (1.0, -1.0));
        assert_eq!(sides(rect(300.0, 0.0), rect(0.0, 0.0)), (-1.0, 1.0));
        assert_eq!(sides(rect(0.0, 0.0), rect(10.0, 200.0)), (1.0, 1.0));
        assert_eq!(sides(rect(0.0, 0.0), rect(0.0, 0.0)), (1.0, 1.0));
    }

    #[test]
    fn a_foot_for_many_and_a_bar_for_one() {
        let mut path = String::new();
        let curve = Curve::between(rect(0.0, 0.0), 20.0, rect(300.0, 0.0), 30.0, Many::Many);
        curve.draw(&mut path);
        assert_eq!(
            path,
            "M100.0 20.0C200.0 20.0 200.0 30.0 300.0 30.0M100.0 14.0L111.0 20.0L100.0 26.0M289.0 24.0V36.0"
        );
    }

    #[test]
    fn a_table_that_refers_to_itself_has_a_loop() {
        let own = rect(0.0, 0.0);
        let curve = Curve::between(own, 10.0, own, 40.0, Many::Many);
        assert!(curve.bounds().right() >= own.right() + BEND);
        assert!(curve.distance(Point::new(130.0, 25.0)) < 2.0);
        assert!(curve.distance(Point::new(50.0, 25.0)) > 40.0);
    }
}
