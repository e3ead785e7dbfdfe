//! Paths of a drawing of [`WIDTH`] by [`HEIGHT`], which the page stretches.

use std::fmt::Write;

pub const WIDTH: f64 = 600.0;
pub const HEIGHT: f64 = 100.0;

/// Where the value with this index stands; `None` where there is no such value.
pub fn x_of(index: usize, count: usize) -> Option<f64> {
    let last = count.checked_sub(1).filter(|last| *last > 0 && index <= *last)?;
    Some(index as f64 / last as f64 * WIDTH)
}

fn y_of(value: f64, top: f64) -> f64 {
    HEIGHT - (value / top).clamp(0.0, 1.0) * HEIGHT
}

/// Stretches of known values: the index of the first one, and the values.
fn stretches(values: &[Option<f64>]) -> Vec<(usize, Vec<f64>)> {
    let mut found: Vec<(usize, Vec<f64>)> = Vec::new();
    let mut is_inside = false;
    for (index, value) in values.iter().enumerate() {
        match (value, found.last_mut()) {
            (Some(value), Some((_, stretch))) if is_inside => stretch.push(*value),
            (Some(value), _) => found.push((index, vec![*value])),
            (None, _) => {}
        }
        is_inside = value.is_some();
    }
    found
}

/// The corners of one stretch as `x y`; those on a level line between two others are left out.
fn corners(first: usize, stretch: &[f64], count: usize, top: f64) -> Vec<(f64, f64)> {
    let is_needed = |i: usize| {
        let is_end = i == 0 || i + 1 == stretch.len();
        is_end || stretch[i - 1] != stretch[i] || stretch[i] != stretch[i + 1]
    };
    let corner = |i: usize| x_of(first + i, count).map(|x| (x, y_of(stretch[i], top)));
    (0..stretch.len())
        .filter(|i| is_needed(*i))
        .filter_map(corner)
        .collect()
}

/// The line through the values; broken where one is not known. `top` is the end of the axis.
pub fn line(values: &[Option<f64>], top: f64) -> String {
    let mut path = String::new();
    for (first, stretch) in stretches(values) {
        for (i, (x, y)) in corners(first, &stretch, values.len(), top).into_iter().enumerate() {
            let command = if i == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{x:.1} {y:.1}");
        }
        if stretch.len() == 1 {
            // A line of no length, with round ends: a dot.
            path.push_str("h0");
        }
    }
    path
}

/// What lies between the line and the axis.
pub fn area(values: &[Option<f64>], top: f64) -> String {
    let mut path = String::new();
    for (first, stretch) in stretches(values) {
        let corners = corners(first, &stretch, values.len(), top);
        let (Some((left, _)), Some((right, _))) = (corners.first(), corners.last()) else {
            continue;
        };
        let _ = write!(path, "M{left:.1} {HEIGHT:.0}");
        for (x, y) in &corners {
            let _ = write!(path, "L{x:.1} {y:.1}");
        }
        let _ = write!(path, "L{right:.1} {HEIGHT:.0}Z");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: Option<f64> = None;

    #[test]
    fn a_line_goes_from_corner_to_corner_and_is_broken_where_nothing_is_known() {
        let check = |values: &[Option<f64>], path: &str| assert_eq!(line(values, 10.0), path);
        check(&[], "");
        check(&[N, N], "");
        check(&[Some(0.0), Some(10.0)], "M0.0 100.0L600.0 0.0");
        check(
            &[Some(5.0), Some(5.0), Some(5.0), Some(10.0)],
            "M0.0 50.0L400.0 50.0L600.0 0.0",
        );
        check(
            &[Some(5.0), N, Some(20.0), Some(20.0), N, Some(1.0), N],
            "M0.0 50.0h0M200.0 0.0L300.0 0.0M500.0 90.0h0",
        );
    }

    #[test]
    fn an_area_reaches_down_to_the_axis() {
        assert_eq!(
            area(&[N, Some(5.0), Some(10.0)], 10.0),
            "M300.0 100L300.0 50.0L600.0 0.0L600.0 100Z"
        );
        assert_eq!(area(&[N], 10.0), "");
    }

    #[test]
    fn places_of_values() {
        assert_eq!(x_of(0, 61), Some(0.0));
        assert_eq!(x_of(60, 61), Some(600.0));
        assert_eq!(x_of(61, 61), None);
        assert_eq!(x_of(0, 1), None);
    }
}
