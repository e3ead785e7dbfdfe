//! Which part of a diagram its window shows, and how large.

use super::geometry::{Point, Rect, Size};

const ZOOM_MIN: f64 = 0.02;
const ZOOM_MAX: f64 = 2.5;
/// Room around what is fitted, pixels.
const MARGIN: f64 = 24.0;

/// The window onto a diagram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// What stands in the upper left corner.
    pub at: Point,
    /// Pixels for one unit.
    pub zoom: f64,
}

impl Default for View {
    fn default() -> Self {
        Self {
            at: Point::default(),
            zoom: 1.0,
        }
    }
}

/// How much of the cards is drawn: what could not be read is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// A box for each card.
    Boxes,
    /// Boxes with their names.
    Titles,
    /// Cards with their rows.
    Rows,
}

impl View {
    /// The point of the diagram below a pixel of the window.
    pub fn to_diagram(self, pixel: Point) -> Point {
        Point::new(self.at.x + pixel.x / self.zoom, self.at.y + pixel.y / self.zoom)
    }

    /// Moves the diagram by pixels.
    pub fn panned(self, x: f64, y: f64) -> Self {
        Self {
            at: self.at.moved(-x / self.zoom, -y / self.zoom),
            ..self
        }
    }

    /// Larger or smaller; what lies below `pixel` stays there.
    pub fn zoomed(self, pixel: Point, factor: f64) -> Self {
        let zoom = (self.zoom * factor).clamp(ZOOM_MIN, ZOOM_MAX);
        let held = self.to_diagram(pixel);
        Self {
            at: Point::new(held.x - pixel.x / zoom, held.y - pixel.y / zoom),
            zoom,
        }
    }

    /// All of `bounds`, not larger than 100 %.
    pub fn fitted(bounds: Rect, window: Size) -> Self {
        let room = |pixels: f64| (pixels - 2.0 * MARGIN).max(1.0);
        let zoom = (room(window.width) / bounds.width.max(1.0))
            .min(room(window.height) / bounds.height.max(1.0))
            .clamp(ZOOM_MIN, 1.0);
        Self {
            at: Point::default(),
            zoom,
        }
        .centred(bounds.center(), window)
    }

    /// The same size, with this point in the middle.
    pub fn centred(self, on: Point, window: Size) -> Self {
        Self {
            at: on.moved(-window.width / self.zoom / 2.0, -window.height / self.zoom / 2.0),
            ..self
        }
    }

    /// As little as brings the whole of `rect` into sight.
    pub fn revealing(self, rect: Rect, window: Size) -> Self {
        match self.seen(window).covers(rect) {
            true => self,
            false => self.centred(rect.center(), window),
        }
    }

    /// What is in sight.
    pub fn seen(self, window: Size) -> Rect {
        Rect::new(self.at, Size::new(window.width / self.zoom, window.height / self.zoom))
    }

    pub fn detail(self) -> Detail {
        match self.zoom {
            zoom if zoom >= 0.45 => Detail::Rows,
            zoom if zoom >= 0.1 => Detail::Titles,
            _ => Detail::Boxes,
        }
    }

    /// `55 %`
    pub fn percent(self) -> String {
        format!("{:.0} %", self.zoom * 100.0)
    }

    /// Of the group that holds the diagram.
    pub fn transform(self) -> String {
        let Point { x, y } = self.at;
        format!(
            "translate({:.2} {:.2}) scale({:.5})",
            -x * self.zoom,
            -y * self.zoom,
            self.zoom
        )
    }
}

/// What is drawn, with a margin: as long as the window stays inside of it nothing is drawn anew, the drawing only moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    pub area: Rect,
    pub detail: Detail,
}

impl Drawn {
    /// The same as before where that still holds all that is in sight.
    pub fn next(before: Option<Self>, view: View, window: Size) -> Self {
        let (seen, detail) = (view.seen(window), view.detail());
        let is_enough = |drawn: &Self| {
            let is_lavish = drawn.area.width > 4.0 * seen.width;
            drawn.detail == detail && drawn.area.covers(seen) && !is_lavish
        };
        before.filter(is_enough).unwrap_or(Self {
            area: seen.grown(seen.width / 2.0, seen.height / 2.0),
            detail,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Size = Size::new(800.0, 600.0);

    #[test]
    fn what_lies_below_the_pointer_stays_there() {
        let view = View::default().panned(100.0, 50.0);
        let pixel = Point::new(300.0, 200.0);
        assert_eq!(view.to_diagram(pixel), Point::new(200.0, 150.0));
        for factor in [2.0, 0.5, 1e9, 1e-9] {
            let zoomed = view.zoomed(pixel, factor);
            let held = zoomed.to_diagram(pixel);
            assert!(
                (held.x - 200.0).abs() < 1e-6 && (held.y - 150.0).abs() < 1e-6,
                "{held:?}"
            );
            assert!((ZOOM_MIN..=ZOOM_MAX).contains(&zoomed.zoom));
        }
    }

    #[test]
    fn fitting_shows_all() {
        let check = |width, height, is_smaller| {
            let bounds = Rect::new(Point::new(-500.0, 80.0), Size::new(width, height));
            let view = View::fitted(bounds, WINDOW);
            assert!(view.seen(WINDOW).covers(bounds));
            assert_eq!(view.zoom < 1.0, is_smaller);
        };
        check(100.0, 100.0, false);
        check(8000.0, 100.0, true);
        check(0.0, 7000.0, true);
    }

    #[test]
    fn what_is_in_sight_does_not_move() {
        let view = View::default();
        let inside = Rect::new(Point::new(10.0, 10.0), Size::new(100.0, 100.0));
        assert_eq!(view.revealing(inside, WINDOW), view);
        let outside = Rect::new(Point::new(1000.0, 10.0), Size::new(100.0, 100.0));
        assert!(view.revealing(outside, WINDOW).seen(WINDOW).covers(outside));
    }

    #[test]
    fn a_small_step_draws_nothing_anew() {
        let first = Drawn::next(None, View::default(), WINDOW);
        let near = View::default().panned(-100.0, 100.0);
        assert_eq!(Drawn::next(Some(first), near, WINDOW), first);
        let far = View::default().panned(-900.0, 0.0);
        assert_ne!(Drawn::next(Some(first), far, WINDOW), first);
        let smaller = View::default().zoomed(Point::default(), 0.3);
        assert_eq!(Drawn::next(Some(first), smaller, WINDOW).detail, Detail::Titles);
    }
}
