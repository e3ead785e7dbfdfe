//! Points and rectangles of a diagram, in its own units: one is a pixel at 100 %.

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    pub fn moved(self, x: f64, y: f64) -> Self {
        Self::new(self.x + x, self.y + y)
    }

    fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// How far it is from the line between two others.
    pub fn distance_to_line(self, from: Self, to: Self) -> f64 {
        let (x, y) = (to.x - from.x, to.y - from.y);
        let length = x * x + y * y;
        if length == 0.0 {
            return self.distance(from);
        }
        let share = ((self.x - from.x) * x + (self.y - from.y) * y) / length;
        self.distance(from.moved(x * share.clamp(0.0, 1.0), y * share.clamp(0.0, 1.0)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Size {
    pub width: f64,
    pub height: f64,
}

impl Size {
    pub const fn new(width: f64, height: f64) -> Self {
        Self { width, height }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Rect {
    pub const fn new(at: Point, size: Size) -> Self {
        Self {
            x: at.x,
            y: at.y,
            width: size.width,
            height: size.height,
        }
    }

    /// Between two corners, whichever they are.
    pub fn between(a: Point, b: Point) -> Self {
        Self {
            x: a.x.min(b.x),
            y: a.y.min(b.y),
            width: (a.x - b.x).abs(),
            height: (a.y - b.y).abs(),
        }
    }

    pub fn right(self) -> f64 {
        self.x + self.width
    }

    pub fn bottom(self) -> f64 {
        self.y + self.height
    }

    pub fn center(self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    pub fn contains(self, point: Point) -> bool {
        (self.x..=self.right()).contains(&point.x) && (self.y..=self.bottom()).contains(&point.y)
    }

    pub fn covers(self, other: Self) -> bool {
        self.x <= other.x && self.y <= other.y && self.right() >= other.right() && self.bottom() >= other.bottom()
    }

    pub fn meets(self, other: Self) -> bool {
        self.x <= other.right() && other.x <= self.right() && self.y <= other.bottom() && other.y <= self.bottom()
    }

    /// With a margin on all sides.
    pub fn grown(self, x: f64, y: f64) -> Self {
        Self {
            x: self.x - x,
            y: self.y - y,
            width: self.width + 2.0 * x,
            height: self.height + 2.0 * y,
        }
    }

    fn joined(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self {
            x,
            y,
            width: self.right().max(other.right()) - x,
            height: self.bottom().max(other.bottom()) - y,
        }
    }

    /// The smallest one that covers all; `None` of none.
    pub fn around(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        all.into_iter().reduce(Self::joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles() {
        let rect = Rect::between(Point::new(10.0, 0.0), Point::new(0.0, 20.0));
        assert_eq!(rect, Rect::new(Point::default(), Size::new(10.0, 20.0)));
        let far = Rect::new(Point::new(30.0, 30.0), Size::new(1.0, 1.0));
        assert!(!rect.meets(far) && rect.grown(25.0, 25.0).meets(far));
        let all = Rect::around([rect, far]).expect("two");
        assert!(all.covers(rect) && all.covers(far) && !rect.covers(far));
        assert_eq!(Rect::around([]), None);
    }

    #[test]
    fn how_far_a_point_is_from_a_line() {
        let check = |x: f64, y: f64, distance: f64| {
            let found = Point::new(x, y).distance_to_line(Point::default(), Point::new(10.0, 0.0));
            assert!((found - distance).abs() < 1e-9, "{found}");
        };
        check(5.0, 3.0, 3.0);
        check(13.0, 4.0, 5.0);
        check(-3.0, 0.0, 3.0);
    }
}
