//! Layers from left to right, in the manner of Sugiyama: cycles are cut, each card stands right of what it refers to, the
//! order inside of a layer follows the neighbours. A layer that would be very high takes several columns.

use super::{GAP, LAYER_GAP};
use crate::pages::mapping::diagram::geometry::{Point, Size};

const SWEEPS: usize = 6;
/// Between the columns of one layer.
const COLUMN_GAP: f64 = 60.0;
/// How much higher than the square root of all areas a column may be.
const HEIGHT_SHARE: f64 = 1.1;

pub fn place(sizes: &[Size], edges: &[(usize, usize)]) -> Vec<Point> {
    let above = without_cycles(sizes.len(), edges);
    let mut layers = layered(&above);
    order(&mut layers, &neighbours(sizes.len(), edges));
    let area: f64 = sizes.iter().map(|s| (s.width + LAYER_GAP) * (s.height + GAP)).sum();
    let highest = sizes.iter().map(|s| s.height).fold(0.0, f64::max);
    let height_max = (area.sqrt() * HEIGHT_SHARE).max(highest);
    let mut places = vec![Point::default(); sizes.len()];
    let mut x = 0.0;
    for layer in &layers {
        for column in columns(layer, sizes, height_max) {
            let height: f64 = column.iter().map(|n| sizes[*n].height + GAP).sum::<f64>() - GAP;
            let mut y = -height / 2.0;
            for n in &column {
                places[*n] = Point::new(x, y);
                y += sizes[*n].height + GAP;
            }
            x += column.iter().map(|n| sizes[*n].width).fold(0.0, f64::max) + COLUMN_GAP;
        }
        x += LAYER_GAP - COLUMN_GAP;
    }
    places
}

/// What each card refers to, without the edges that would close a cycle.
fn without_cycles(count: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        Open,
        Done,
    }
    let mut targets = vec![Vec::new(); count];
    for (from, to) in edges {
        if !targets[*from].contains(to) {
            targets[*from].push(*to);
        }
    }
    let mut kept = vec![Vec::new(); count];
    let mut seen = vec![Seen::Not; count];
    for start in 0..count {
        if seen[start] != Seen::Not {
            continue;
        }
        seen[start] = Seen::Open;
        // The way from the start with how many targets of each are dealt with: no recursion, chains may be long.
        let mut way = vec![(start, 0)];
        while let Some((card, next)) = way.last_mut() {
            let card = *card;
            let Some(target) = targets[card].get(*next).copied() else {
                seen[card] = Seen::Done;
                way.pop();
                continue;
            };
            *next += 1;
            match seen[target] {
                Seen::Open => {}
                Seen::Done => kept[card].push(target),
                Seen::Not => {
                    kept[card].push(target);
                    seen[target] = Seen::Open;
                    way.push((target, 0));
                }
            }
        }
    }
    kept
}

/// Each card in the first layer after all that it refers to.
fn layered(above: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let count = above.len();
    let mut below = vec![Vec::new(); count];
    let mut open: Vec<usize> = above.iter().map(Vec::len).collect();
    for (card, targets) in above.iter().enumerate() {
        targets.iter().for_each(|target| below[*target].push(card));
    }
    let mut layer = vec![0; count];
    let mut ready: Vec<usize> = (0..count).filter(|card| open[*card] == 0).collect();
    while let Some(card) = ready.pop() {
        for child in &below[card] {
            layer[*child] = layer[*child].max(layer[card] + 1);
            open[*child] -= 1;
            if open[*child] == 0 {
                ready.push(*child);
            }
        }
    }
    // What nothing is above of moves next to what refers to it.
    for card in (0..count).filter(|card| above[*card].is_empty()) {
        if let Some(first) = below[card].iter().map(|child| layer[*child]).min() {
            layer[card] = first - 1;
        }
    }
    let mut layers = vec![Vec::new(); layer.iter().max().map_or(0, |last| last + 1)];
    (0..count).for_each(|card| layers[layer[card]].push(card));
    layers
}

fn neighbours(count: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new(); count];
    for (from, to) in edges {
        all[*from].push(*to);
        all[*to].push(*from);
    }
    all
}

/// Sorts each layer by the middle of its cards' neighbours, back and forth.
fn order(layers: &mut [Vec<usize>], neighbours: &[Vec<usize>]) {
    let mut place = vec![0.0; neighbours.len()];
    let spread = |layer: &[usize], place: &mut [f64]| {
        let last = (layer.len().max(2) - 1) as f64;
        for (n, card) in layer.iter().enumerate() {
            place[*card] = if layer.len() == 1 { 0.5 } else { n as f64 / last };
        }
    };
    layers.iter().for_each(|layer| spread(layer, &mut place));
    for sweep in 0..SWEEPS {
        let count = layers.len();
        for step in 0..count {
            let layer = &mut layers[if sweep % 2 == 0 { step } else { count - 1 - step }];
            let middle = |card: usize| {
                let near = &neighbours[card];
                let sum: f64 = near.iter().map(|other| place[*other]).sum();
                if near.is_empty() {
                    place[card]
                } else {
                    sum / near.len() as f64
                }
            };
            layer.sort_by(|a, b| middle(*a).total_cmp(&middle(*b)));
            spread(layer, &mut place);
        }
    }
}

/// A layer as columns that are not higher than allowed, about equally high.
fn columns(layer: &[usize], sizes: &[Size], height_max: f64) -> Vec<Vec<usize>> {
    let height: f64 = layer.iter().map(|n| sizes[*n].height + GAP).sum();
    let share = height / (height / height_max).ceil().max(1.0);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new()];
    let mut filled = 0.0;
    for n in layer {
        if filled > 0.0 && filled + sizes[*n].height / 2.0 > share {
            columns.push(Vec::new());
            filled = 0.0;
        }
        filled += sizes[*n].height + GAP;
        if let Some(column) = columns.last_mut() {
            column.push(*n);
        }
    }
    columns
}
