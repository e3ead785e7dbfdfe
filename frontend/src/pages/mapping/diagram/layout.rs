//! Where cards stand that nobody has placed: layers from what is referred to, to what refers; or a star around the card
//! with most lines. Groups without a line between them are laid out each alone, then packed.

mod layers;
mod pack;
mod star;

use super::geometry::{Point, Rect, Size};
use pack::pack;

/// Between cards of one layer, and between groups.
const GAP: f64 = 36.0;
/// Between layers: lines need room.
const LAYER_GAP: f64 = 110.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    #[default]
    LeftToRight,
    TopToBottom,
    Star,
}

impl Layout {
    pub const ALL: [Layout; 3] = [Layout::LeftToRight, Layout::TopToBottom, Layout::Star];

    pub fn label(self) -> &'static str {
        match self {
            Layout::LeftToRight => "Left to right",
            Layout::TopToBottom => "Top to bottom",
            Layout::Star => "Star",
        }
    }

    /// The upper left corner of each card. An edge leads from the card that refers to the one that it refers to.
    pub fn place(self, sizes: &[Size], edges: &[(usize, usize)]) -> Vec<Point> {
        let mut groups: Vec<(Vec<usize>, Vec<Point>)> = Vec::new();
        let mut single = Vec::new();
        for group in connected(sizes.len(), edges) {
            match group.as_slice() {
                [alone] => single.push((vec![*alone], vec![Point::default()])),
                _ => {
                    let places = self.place_group(&group, sizes, edges);
                    groups.push((group, places));
                }
            }
        }
        groups.append(&mut single);
        let bounds: Vec<Rect> = groups
            .iter()
            .map(|(group, places)| around(group, places, sizes))
            .collect();
        let corners = pack(
            &bounds.iter().map(|b| Size::new(b.width, b.height)).collect::<Vec<_>>(),
            GAP,
        );
        let mut placed = vec![Point::default(); sizes.len()];
        for (((group, places), bounds), corner) in groups.iter().zip(bounds).zip(corners) {
            for (card, place) in group.iter().zip(places) {
                placed[*card] = place.moved(corner.x - bounds.x, corner.y - bounds.y);
            }
        }
        placed
    }

    fn place_group(self, group: &[usize], sizes: &[Size], edges: &[(usize, usize)]) -> Vec<Point> {
        let mut own = vec![usize::MAX; sizes.len()];
        group.iter().enumerate().for_each(|(n, card)| own[*card] = n);
        let inside = |(from, to): &(usize, usize)| (own[*from] != usize::MAX).then(|| (own[*from], own[*to]));
        let edges: Vec<_> = edges
            .iter()
            .filter_map(inside)
            .filter(|(from, to)| from != to)
            .collect();
        let sizes: Vec<Size> = group.iter().map(|card| sizes[*card]).collect();
        match self {
            Layout::LeftToRight => layers::place(&sizes, &edges),
            Layout::TopToBottom => {
                let turned: Vec<Size> = sizes.iter().map(|s| Size::new(s.height, s.width)).collect();
                let places = layers::place(&turned, &edges);
                places.into_iter().map(|p| Point::new(p.y, p.x)).collect()
            }
            Layout::Star => star::place(&sizes, &edges),
        }
    }
}

/// Room for cards that come to those that have their places: below them.
pub fn place_new(sizes: &[Size], taken: &[Rect]) -> Vec<Point> {
    let Some(bounds) = Rect::around(taken.iter().copied()) else {
        return pack(sizes, GAP);
    };
    let below = pack(sizes, GAP).into_iter();
    below.map(|p| p.moved(bounds.x, bounds.bottom() + LAYER_GAP)).collect()
}

fn around(group: &[usize], places: &[Point], sizes: &[Size]) -> Rect {
    let rects = group
        .iter()
        .zip(places)
        .map(|(card, place)| Rect::new(*place, sizes[*card]));
    Rect::around(rects).unwrap_or_default()
}

/// Cards that lines connect, largest group first; inside of a group in the order of the cards.
fn connected(count: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut group: Vec<usize> = (0..count).collect();
    fn root(group: &mut [usize], mut card: usize) -> usize {
        while group[card] != card {
            group[card] = group[group[card]];
            card = group[card];
        }
        card
    }
    for (from, to) in edges {
        let (a, b) = (root(&mut group, *from), root(&mut group, *to));
        group[a.max(b)] = a.min(b);
    }
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); count];
    for card in 0..count {
        let root = root(&mut group, card);
        groups[root].push(card);
    }
    groups.retain(|group| !group.is_empty());
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(count: usize) -> Vec<Size> {
        (0..count)
            .map(|n| Size::new(244.0, 60.0 + 18.0 * (n % 23) as f64))
            .collect()
    }

    /// No card lies on another, whatever the layout.
    fn check(sizes: &[Size], edges: &[(usize, usize)]) {
        for layout in Layout::ALL {
            let places = layout.place(sizes, edges);
            let rects: Vec<Rect> = places.iter().zip(sizes).map(|(p, s)| Rect::new(*p, *s)).collect();
            for (n, rect) in rects.iter().enumerate() {
                assert!(rect.x.is_finite() && rect.y.is_finite());
                let other = rects[..n].iter().position(|other| other.grown(-0.5, -0.5).meets(*rect));
                assert_eq!(other, None, "{layout:?}: {n} lies on it");
            }
        }
    }

    #[test]
    fn no_card_lies_on_another() {
        check(&[], &[]);
        check(&sizes(1), &[(0, 0)]);
        check(&sizes(3), &[(0, 1), (1, 2), (2, 0)]);
        check(&sizes(9), &[(1, 0), (2, 0), (3, 1), (4, 1), (4, 2), (5, 4), (5, 5)]);
        // One table that all others refer to, twice; and a chain.
        let star: Vec<_> = (1..80).flat_map(|n| [(n, 0), (n, 0)]).collect();
        check(&sizes(80), &star);
        let chain: Vec<_> = (1..60).map(|n| (n, n - 1)).collect();
        check(&sizes(60), &chain);
    }

    #[test]
    fn a_thousand_tables() {
        let edges: Vec<_> = (1..1000usize).map(|n| (n, n * 7919 % n)).collect();
        check(&sizes(1000), &edges);
    }

    #[test]
    fn layers_go_from_what_is_referred_to() {
        let sizes = sizes(4);
        let places = Layout::LeftToRight.place(&sizes, &[(1, 0), (2, 1), (3, 2), (3, 0)]);
        assert!((1..4).all(|n| places[n].x > places[n - 1].x + 244.0), "{places:?}");
        let places = Layout::TopToBottom.place(&sizes, &[(1, 0), (2, 1)]);
        assert!(places[2].y > places[1].y && places[1].y > places[0].y, "{places:?}");
    }

    #[test]
    fn new_cards_stand_below_the_others() {
        let taken = [Rect::new(Point::new(-40.0, 10.0), Size::new(244.0, 500.0))];
        let places = place_new(&sizes(3), &taken);
        assert!(places.iter().all(|p| p.y > 510.0), "{places:?}");
    }
}
