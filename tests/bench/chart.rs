//! Throughput over time as a picture: one strip for each plan.

use crate::snapshot::{Outcome, Sample};
use std::fmt::Write;

const WIDTH: f64 = 900.0;
const STRIP: f64 = 150.0;
/// Inside of a strip: above it the title, left of it the numbers.
const TOP: f64 = 34.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const BOTTOM: f64 = 24.0;

/// MB of BSON a second of every plan, as SVG.
pub fn throughput(outcomes: &[Outcome]) -> String {
    let height = STRIP * outcomes.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (place, outcome) in outcomes.iter().enumerate() {
        strip(&mut svg, STRIP * place as f64, outcome);
    }
    svg.push_str("</svg>\n");
    svg
}

fn strip(svg: &mut String, y: f64, outcome: &Outcome) {
    let rates = rates(&outcome.run.samples);
    let most = rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max).max(1e-9);
    let (inner_width, inner_height) = (WIDTH - LEFT - RIGHT, STRIP - TOP - BOTTOM);
    let (top, bottom) = (y + TOP, y + TOP + inner_height);
    let x_of = |seconds: f64| LEFT + inner_width * seconds / outcome.run.seconds.max(1e-9);
    let y_of = |rate: f64| bottom - inner_height * rate / most;
    let mut points = format!("{:.1},{bottom:.1}", x_of(0.0));
    for (seconds, rate) in &rates {
        let _ = write!(points, " {:.1},{:.1}", x_of(*seconds), y_of(*rate));
    }
    let mean = outcome.bytes as f64 / outcome.run.seconds / 1e6;
    let end = x_of(outcome.run.seconds);
    let _ = write!(
        svg,
        "<g>\n\
         <text x=\"{LEFT}\" y=\"{:.1}\" font-weight=\"bold\">{}: {mean:.1} MB/s, ratio {:.2}</text>\n\
         <path d=\"M{LEFT} {top:.1}V{bottom:.1}H{end:.1}\" fill=\"none\" stroke=\"#888\"/>\n\
         <path d=\"M{LEFT} {:.1}H{end:.1}\" stroke=\"#ccc\" stroke-dasharray=\"4\"/>\n\
         <polyline points=\"{points}\" fill=\"none\" stroke=\"#0a7\" stroke-width=\"1.5\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{most:.0} MB/s</text>\n\
         <text x=\"{LEFT}\" y=\"{:.1}\">0 s</text>\n\
         <text x=\"{end:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:.1} s</text>\n\
         </g>\n",
        top - 10.0,
        outcome.plan.name,
        outcome.ratio(),
        y_of(mean.min(most)),
        LEFT - 6.0,
        top + 6.0,
        bottom + 16.0,
        bottom + 16.0,
        outcome.run.seconds,
    );
}

/// Samples that lie closer together count as one: the last one comes whenever the job ends.
const APART_MIN: f64 = 0.1;

/// MB a second between samples, at the time of the later one.
fn rates(samples: &[Sample]) -> Vec<(f64, f64)> {
    let mut apart = vec![Sample {
        seconds: 0.0,
        rows: 0,
        bytes: 0,
    }];
    for sample in samples {
        let last = apart.len() - 1;
        if sample.seconds - apart[last].seconds >= APART_MIN {
            apart.push(*sample);
        } else if last > 0 {
            apart[last] = *sample;
        }
    }
    let rate = |from: &Sample, to: &Sample| {
        let bytes = to.bytes.saturating_sub(from.bytes);
        (to.seconds, bytes as f64 / (to.seconds - from.seconds) / 1e6)
    };
    apart.windows(2).map(|w| rate(&w[0], &w[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_between_samples() {
        let sample = |seconds, bytes| Sample {
            seconds,
            rows: 0,
            bytes,
        };
        let samples = [
            sample(0.0, 0),
            sample(0.5, 1_000_000),
            sample(0.5, 1_000_000),
            sample(1.5, 4_000_000),
        ];
        assert_eq!(rates(&samples), [(0.5, 2.0), (1.5, 3.0)]);
    }
}
