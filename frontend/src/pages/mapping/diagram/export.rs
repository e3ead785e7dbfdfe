//! A diagram as a file: SVG with all of its rows, or text for Mermaid.

use super::card::{HEAD, LEVEL, ROW, TITLE_CHARS, cut};
use super::edge::Many;
use super::geometry::Rect;
use super::scene::{PlacedCard, Scene};
use std::fmt::Write;

const MARGIN: f64 = 24.0;

/// Colours as CSS writes them. A file stands alone: it cannot ask the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    pub page: String,
    pub surface: String,
    pub line: String,
    pub text: String,
    pub muted: String,
    pub edge: String,
    pub head: String,
}

/// What a picture of the diagram shows.
pub fn bounds(scene: &Scene) -> Rect {
    scene.bounds().unwrap_or_default().grown(MARGIN, MARGIN)
}

/// The whole diagram, whatever is in sight.
pub fn svg(scene: &Scene, palette: &Palette) -> String {
    let Rect { x, y, width, height } = bounds(scene);
    let Palette {
        page,
        surface,
        line,
        text,
        muted,
        edge,
        head,
    } = palette;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{x:.0} {y:.0} {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\">\
         <rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" fill=\"{page}\"/>"
    );
    for is_synthetic in [false, true] {
        let mut path = String::new();
        let edges = scene.edges.iter().filter(|e| e.edge.is_synthetic == is_synthetic);
        edges.for_each(|e| e.curve.draw(&mut path));
        let dash = if is_synthetic { " stroke-dasharray=\"6 4\"" } else { "" };
        let _ = write!(
            out,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{edge}\" stroke-width=\"1.5\"{dash}/>"
        );
    }
    for PlacedCard { card, rect } in &scene.cards {
        let Rect { x, y, width, height } = *rect;
        let _ = write!(
            out,
            "<g transform=\"translate({x:.1} {y:.1})\"><rect width=\"{width:.0}\" height=\"{height:.0}\" rx=\"6\" \
             fill=\"{surface}\" stroke=\"{line}\"/><rect width=\"4\" height=\"{height:.0}\" rx=\"2\" fill=\"{head}\"/>\
             <text x=\"14\" y=\"23\" font-weight=\"bold\" font-size=\"13\" fill=\"{text}\">{}</text>",
            escaped(&cut(&card.title, TITLE_CHARS))
        );
        for (n, row) in card.rows.iter().enumerate() {
            let (label, kind) = row.texts();
            let (left, base) = (14.0 + LEVEL * row.level as f64, HEAD + ROW * n as f64 + 13.0);
            let style = match (row.is_key, row.is_calculated) {
                (true, _) => " font-weight=\"bold\"",
                (false, true) => " font-style=\"italic\"",
                (false, false) => "",
            };
            let _ = write!(
                out,
                "<text x=\"{left:.0}\" y=\"{base:.0}\" fill=\"{text}\"{style}>{}</text>\
                 <text x=\"{:.0}\" y=\"{base:.0}\" fill=\"{muted}\" text-anchor=\"end\">{}</text>",
                escaped(&label),
                width - 10.0,
                escaped(&kind)
            );
        }
        out.push_str("</g>");
    }
    out.push_str("</svg>\n");
    out
}

/// For the text of an XML file. What XML cannot hold at all becomes a space.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// An entity relationship diagram in the language of Mermaid.
pub fn mermaid(scene: &Scene) -> String {
    let mut out = String::from("erDiagram\n");
    for PlacedCard { card, .. } in &scene.cards {
        let _ = writeln!(out, "    {} {{", quoted(&card.title));
        for row in &card.rows {
            let mark = match (row.is_key, row.is_link) {
                (true, true) => " PK, FK",
                (true, false) => " PK",
                (false, true) => " FK",
                (false, false) => "",
            };
            let _ = writeln!(out, "        {} {}{mark}", word(&kind_word(&row.kind)), word(&row.id));
        }
        out.push_str("    }\n");
    }
    for edge in scene.edges.iter().map(|e| &e.edge) {
        let title = |id: &str| scene.card(id).map(|card| quoted(&card.card.title)).unwrap_or_default();
        let many = match edge.from_many {
            Many::Many => "o{",
            Many::One => "o|",
        };
        let line = if edge.is_synthetic { ".." } else { "--" };
        let label = edge.from_row.as_deref().unwrap_or(&edge.label);
        let _ = writeln!(
            out,
            "    {} ||{line}{many} {} : {}",
            title(&edge.to),
            title(&edge.from),
            quoted(label)
        );
    }
    out
}

fn kind_word(kind: &str) -> String {
    match kind {
        "{}" => "document".to_owned(),
        "[]" => "array".to_owned(),
        "" => "any".to_owned(),
        other => other.to_owned(),
    }
}

/// Names of entities may hold anything between quotes but quotes.
fn quoted(text: &str) -> String {
    let inner: String = text
        .chars()
        .map(|c| if c == '"' || c.is_control() { '\'' } else { c })
        .collect();
    format!("\"{inner}\"")
}

/// Types and attributes are words: letters, digits, `_`, `-`, and begin with a letter.
fn word(text: &str) -> String {
    let word: String = text
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' })
        .collect();
    match word.chars().next().is_some_and(char::is_alphabetic) {
        true => word,
        false => format!("f{word}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::super::layout::Layout;
    use super::super::saved::{Diagrams, Side};
    use super::super::scene::tests::{card, edge};
    use super::*;

    fn scene() -> Scene {
        let cards = [card("a & <b>", &["id", "x.y"]), card("say \"so\"", &["_id", "a"])];
        let edges = [edge("k", ("say \"so\"", "a"), ("a & <b>", "id"))];
        build::scene(
            Side::Relational,
            &cards,
            &edges,
            Diagrams::read(None).active(),
            Layout::Star,
        )
    }

    fn palette() -> Palette {
        let [page, surface, line, text, muted, edge, head] =
            ["white", "white", "gray", "black", "gray", "teal", "teal"].map(String::from);
        Palette {
            page,
            surface,
            line,
            text,
            muted,
            edge,
            head,
        }
    }

    #[test]
    fn a_picture_stands_alone() {
        let svg = svg(&scene(), &palette());
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
        assert!(svg.contains(">a &amp; &lt;b&gt;</text>") && svg.contains("say &quot;so&quot;"));
        assert!(!svg.contains("var(") && !svg.contains("NaN"));
    }

    #[test]
    fn text_for_mermaid() {
        let text = mermaid(&scene());
        assert_eq!(
            text,
            "erDiagram\n    \"a & <b>\" {\n        any id\n        any x_y\n    }\n    \"say 'so'\" {\n        \
             any f_id\n        any a\n    }\n    \"a & <b>\" ||--o{ \"say 'so'\" : \"a\"\n"
        );
    }
}
