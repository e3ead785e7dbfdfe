//! Boxes in rows, the whole about as wide as a window is.

use crate::pages::mapping::diagram::geometry::{Point, Size};

/// How much wider than high the whole is to be.
const RATIO: f64 = 1.6;

/// The upper left corner of each box. The order of equally high ones stays.
pub fn pack(sizes: &[Size], gap: f64) -> Vec<Point> {
    let area: f64 = sizes.iter().map(|s| (s.width + gap) * (s.height + gap)).sum();
    let widest = sizes.iter().map(|s| s.width).fold(0.0, f64::max);
    let row_width = (area * RATIO).sqrt().max(widest);
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|a, b| sizes[*b].height.total_cmp(&sizes[*a].height));
    let mut places = vec![Point::default(); sizes.len()];
    let (mut x, mut y, mut row_height) = (0.0, 0.0, 0.0f64);
    for index in order {
        let size = sizes[index];
        if x > 0.0 && x + size.width > row_width {
            (x, y, row_height) = (0.0, y + row_height + gap, 0.0);
        }
        places[index] = Point::new(x, y);
        x += size.width + gap;
        row_height = row_height.max(size.height);
    }
    places
}
