//! Which rows of a long list are in the page: those in sight and some around them.

/// Rows before and after those in sight, so that a fast scroll finds some.
const AROUND: usize = 8;

/// The rows from `first` to before `last`, and the empty space that stands for the others, pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Window {
    pub first: usize,
    pub last: usize,
    pub above: f64,
    pub below: f64,
}

/// `heights` of all rows; `scrolled` is how far the list is scrolled, `viewport` how much of it is in sight.
pub fn window(heights: &[f64], scrolled: f64, viewport: f64) -> Window {
    let bottom = scrolled + viewport;
    let mut ends = Vec::with_capacity(heights.len());
    let mut end = 0.0;
    for height in heights {
        end += height;
        ends.push(end);
    }
    let in_sight = ends.partition_point(|end| *end <= scrolled);
    // A list that has become shorter is scrolled further than it is long: then its end is in sight.
    let first = in_sight.min(heights.len().saturating_sub(1)).saturating_sub(AROUND);
    let past = ends.partition_point(|end| *end < bottom) + 1;
    let last = (past + AROUND).min(heights.len());
    let start_of = |row: usize| row.checked_sub(1).map_or(0.0, |before| ends[before]);
    Window {
        first,
        last,
        above: start_of(first),
        below: end - start_of(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(window: Window) -> std::ops::Range<usize> {
        window.first..window.last
    }

    #[test]
    fn only_rows_around_the_sight_are_there() {
        let heights = [30.0; 500];
        let top = window(&heights, 0.0, 300.0);
        assert_eq!((rows(top), top.above), (0..18, 0.0));
        let middle = window(&heights, 3000.0, 300.0);
        assert_eq!(rows(middle), 92..118);
        assert_eq!((middle.above, middle.below), (92.0 * 30.0, (500.0 - 118.0) * 30.0));
        let end = window(&heights, 500.0 * 30.0 - 300.0, 300.0);
        assert_eq!((end.last, end.below), (500, 0.0));
    }

    #[test]
    fn the_space_and_the_rows_are_always_as_long_as_the_list() {
        let heights: Vec<f64> = (0..200).map(|i| if i % 7 == 0 { 130.0 } else { 30.0 }).collect();
        let all: f64 = heights.iter().sum();
        for scrolled in [0.0, 1.0, 777.0, 4000.0, all, all * 2.0] {
            let w = window(&heights, scrolled, 250.0);
            let shown: f64 = heights[w.first..w.last].iter().sum();
            assert!((w.above + shown + w.below - all).abs() < 1e-6, "{scrolled}: {w:?}");
            assert!(w.last > w.first, "{scrolled}: {w:?}");
        }
    }

    #[test]
    fn short_and_empty_lists() {
        assert_eq!(window(&[], 0.0, 300.0), Window::default());
        assert_eq!(rows(window(&[30.0; 3], 0.0, 300.0)), 0..3);
        assert_eq!(rows(window(&[30.0; 3], 0.0, 0.0)), 0..3);
    }
}
