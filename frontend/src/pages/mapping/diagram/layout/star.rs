//! Rings around the card with most lines.

use super::GAP;
use crate::pages::mapping::diagram::geometry::{Point, Size};
use std::f64::consts::TAU;

pub fn place(sizes: &[Size], edges: &[(usize, usize)]) -> Vec<Point> {
    let mut near = vec![Vec::new(); sizes.len()];
    for (from, to) in edges {
        near[*from].push(*to);
        near[*to].push(*from);
    }
    // The first of those with most.
    let Some(center) = (0..sizes.len()).rev().max_by_key(|card| near[*card].len()) else {
        return Vec::new();
    };
    let mut places = vec![Point::default(); sizes.len()];
    let mut is_seen = vec![false; sizes.len()];
    is_seen[center] = true;
    let diagonal = |card: usize| sizes[card].width.hypot(sizes[card].height) + GAP;
    let mut ring = vec![center];
    let mut outer = diagonal(center) / 2.0;
    places[center] = corner(Point::default(), sizes[center]);
    while !ring.is_empty() {
        let mut next = Vec::new();
        for card in &ring {
            for other in &near[*card] {
                if !std::mem::replace(&mut is_seen[*other], true) {
                    next.push(*other);
                }
            }
        }
        let widest = next.iter().map(|card| diagonal(*card)).fold(0.0, f64::max);
        let around: f64 = next.iter().map(|card| diagonal(*card)).sum();
        // A chord is shorter than its arc: few cards need more room than the sum says.
        let radius = (outer + widest / 2.0).max(around * 1.1 / TAU);
        let mut angle = -TAU / 4.0;
        for card in &next {
            let share = diagonal(*card) / around * TAU;
            let middle = angle + share / 2.0;
            places[*card] = corner(Point::new(radius * middle.cos(), radius * middle.sin()), sizes[*card]);
            angle += share;
        }
        outer = radius + widest / 2.0;
        ring = next;
    }
    places
}

fn corner(center: Point, size: Size) -> Point {
    center.moved(-size.width / 2.0, -size.height / 2.0)
}
