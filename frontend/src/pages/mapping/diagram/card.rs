//! The cards of a diagram: a table with its columns, or a collection with the fields of its documents.

use super::geometry::Size;

/// As project files have it, so that pictures of other tools keep their places.
pub const WIDTH: f64 = 244.0;
/// From the upper edge to the first row.
pub const HEAD: f64 = 36.0;
pub const ROW: f64 = 18.0;
const FOOT: f64 = 8.0;
/// How far one level of a document is drawn in.
pub const LEVEL: f64 = 12.0;

/// Characters that fit beside each other.
const CHARS: usize = 33;
const KIND_CHARS_MAX: usize = 14;
pub const TITLE_CHARS: usize = 26;

/// What stands on one card.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Card {
    /// A table's or a collection's, as project files name the nodes of diagrams.
    pub id: String,
    pub title: String,
    /// Read out with the title: what it is, how much it holds.
    pub note: String,
    pub rows: Vec<CardRow>,
    /// Something that is only proposed.
    pub is_proposed: bool,
}

/// A column, or a field at its level of the document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CardRow {
    /// Unlike that of every other row of the card: a column's name, a field's path.
    pub id: String,
    pub label: String,
    pub kind: String,
    pub level: usize,
    pub is_key: bool,
    pub is_link: bool,
    pub is_calculated: bool,
}

impl Card {
    pub fn size(&self) -> Size {
        Size::new(WIDTH, HEAD + FOOT + ROW * self.rows.len() as f64)
    }

    /// The middle of a row, from the upper edge; of the head where there is no such row.
    pub fn row_middle(&self, row: Option<&str>) -> f64 {
        let place = row.and_then(|row| self.rows.iter().position(|own| own.id == row));
        place.map_or(HEAD / 2.0, |place| HEAD + ROW * (place as f64 + 0.5))
    }

    /// The row at this height, from the upper edge.
    pub fn row_at(&self, y: f64) -> Option<&CardRow> {
        let place = (y - HEAD) / ROW;
        (place >= 0.0).then(|| self.rows.get(place as usize)).flatten()
    }
}

impl CardRow {
    /// Label and kind, as much as there is room for.
    pub fn texts(&self) -> (String, String) {
        let kind = cut(&self.kind, KIND_CHARS_MAX);
        let marks = usize::from(self.is_key || self.is_link) * 3;
        let room = CHARS.saturating_sub(width_of(&kind) + marks + 2 * self.level.min(8));
        (cut(&self.label, room.max(4)), kind)
    }
}

/// Characters of east Asian scripts are as wide as two.
fn width_of(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    1 + usize::from(
        matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ff60}'),
    )
}

/// As much of a text as fits, with `…` where that is not all.
pub fn cut(text: &str, chars_max: usize) -> String {
    if width_of(text) <= chars_max {
        return text.to_owned();
    }
    let mut room = chars_max.saturating_sub(1);
    let fits = |c: &char| {
        let width = char_width(*c);
        let is_fit = width <= room;
        room = room.saturating_sub(width);
        is_fit
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(rows: usize) -> Card {
        Card {
            rows: (0..rows)
                .map(|n| CardRow {
                    id: format!("r{n}"),
                    ..CardRow::default()
                })
                .collect(),
            ..Card::default()
        }
    }

    #[test]
    fn cards_are_as_large_as_project_files_say() {
        // `Categories` and `Orders` of the sample of Northwind.
        assert_eq!(card(4).size(), Size::new(244.0, 116.0));
        assert_eq!(card(14).size(), Size::new(244.0, 296.0));
    }

    #[test]
    fn rows_are_found_by_their_height() {
        let card = card(2);
        let at = |y| card.row_at(y).map(|row| row.id.as_str());
        assert_eq!(
            [at(10.0), at(40.0), at(70.0), at(75.0)],
            [None, Some("r0"), Some("r1"), None]
        );
        assert_eq!(at(card.row_middle(Some("r1"))), Some("r1"));
        assert_eq!(card.row_middle(None), 18.0);
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(cut("customer", 8), "customer");
        assert_eq!(cut("customers", 8), "custome…");
        assert_eq!(cut("注文の明細", 7), "注文の…");
        let row = CardRow {
            label: "a".repeat(200),
            kind: "timestamp with time zone".into(),
            is_key: true,
            ..CardRow::default()
        };
        let (label, kind) = row.texts();
        assert_eq!((width_of(&label), kind.as_str()), (16, "timestamp wit…"));
    }
}
