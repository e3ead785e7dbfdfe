//! Where a table is cut into parts of about equal size.
//!
//! The server tells without reading how many rows lie between two keys, as it does for its own plans. So the heaviest part
//! is cut again and again, at keys that it has: in the middle of its numbers or dates, or behind the common start of its
//! texts. No part of the table is scanned for it, and gaps in the keys do no harm.

use super::columns::Kind;
use super::link::{Line, Link};
use super::queries::{end_of_range, rows_of_range};
use crate::data::catalog::{CatalogColumn, CatalogTable};
use crate::source::SourceError;
use crate::source::read::KeyRange;
use chrono::{NaiveDate, NaiveDateTime};

/// What may follow the common start of texts, in the order of most collations.
const PROBES: &str = "0123456789abcdefghijklmnopqrstuvwxyzàаא一";

type Key = Vec<String>;

/// A part of the table that has rows.
struct Part {
    range: KeyRange,
    first: Key,
    last: Key,
    rows: u64,
    can_be_cut: bool,
}

/// Keys that cut a table into parts of about equal size; empty when one part is enough.
///
/// # Errors
/// When the source refuses or is gone.
pub async fn split_keys(
    link: &Link,
    table: &CatalogTable,
    chunk_bytes: u64,
    chunks_max: u64,
) -> Result<Vec<Key>, SourceError> {
    let wanted = (table.size_bytes / chunk_bytes.max(1)).min(chunks_max);
    if table.primary_key.is_empty() || wanted < 2 {
        return Ok(Vec::new());
    }
    let splitter = Splitter { link, table };
    let mut parts: Vec<Part> = splitter.part(KeyRange::default()).await?.into_iter().collect();
    let enough = parts.iter().map(|p| p.rows).sum::<u64>() / wanted;
    while (parts.len() as u64) < wanted {
        let cuttable = parts.iter().enumerate().filter(|(_, part)| part.can_be_cut);
        let heaviest = cuttable.max_by_key(|(_, part)| part.rows);
        let Some((place, part)) = heaviest.filter(|(_, part)| part.rows > enough + enough / 2) else {
            break;
        };
        let cuts = splitter.cuts(part).await?;
        if cuts.is_empty() {
            parts[place].can_be_cut = false;
            continue;
        }
        let pieces = splitter.pieces(&part.range, cuts).await?;
        parts.splice(place..=place, pieces);
    }
    Ok(parts.into_iter().filter_map(|part| part.range.from).collect())
}

struct Splitter<'a> {
    link: &'a Link,
    table: &'a CatalogTable,
}

impl Splitter<'_> {
    /// What is in a range; `None` when nothing is.
    async fn part(&self, range: KeyRange) -> Result<Option<Part>, SourceError> {
        let (Some(first), Some(last)) = (
            self.end(None, &range, false).await?,
            self.end(None, &range, true).await?,
        ) else {
            return Ok(None);
        };
        let lines = self.link.query(rows_of_range(self.table, &range)).await?;
        // MySQL has two columns more, one of them before this.
        let place = if self.link.server().is_mariadb() { 8 } else { 9 };
        let rows = lines.first().and_then(|line| line.get(place)?.as_ref()?.parse().ok());
        Ok(Some(Part {
            can_be_cut: first != last,
            rows: rows.unwrap_or(0),
            range,
            first,
            last,
        }))
    }

    async fn end(&self, from: Option<&[String]>, range: &KeyRange, is_last: bool) -> Result<Option<Key>, SourceError> {
        let lines = self.link.query(end_of_range(self.table, from, range, is_last)).await?;
        Ok(lines
            .into_iter()
            .next()
            .and_then(|line: Line| line.into_iter().collect()))
    }

    /// Keys inside of a part, in their order.
    async fn cuts(&self, part: &Part) -> Result<Vec<Key>, SourceError> {
        let Some(place) = (0..part.first.len()).find(|i| part.first[*i] != part.last[*i]) else {
            return Ok(Vec::new());
        };
        let column = &self.table.columns[self.table.primary_key[place]];
        let mut cuts: Vec<Key> = Vec::new();
        for value in between(column, &part.first[place], &part.last[place]) {
            let mut from = part.first[..place].to_vec();
            from.push(value);
            // Behind the last cut, so that they come in their order whatever the collation's is.
            let range = KeyRange {
                from: cuts.last().cloned().or_else(|| part.range.from.clone()),
                to: part.range.to.clone(),
            };
            let found = self.end(Some(&from), &range, false).await?;
            cuts.extend(found.filter(|key| *key != part.first && cuts.last() != Some(key)));
        }
        Ok(cuts)
    }

    async fn pieces(&self, range: &KeyRange, cuts: Vec<Key>) -> Result<Vec<Part>, SourceError> {
        let mut pieces: Vec<Part> = Vec::with_capacity(cuts.len() + 1);
        let mut from = range.from.clone();
        for to in cuts.into_iter().map(Some).chain([range.to.clone()]) {
            let piece = self.part(KeyRange { from, to: to.clone() }).await?;
            pieces.extend(piece);
            from = to;
        }
        // The first of the table begins where the table does.
        if let Some(first) = pieces.first_mut() {
            first.range.from = range.from.clone();
        }
        Ok(pieces)
    }
}

/// Values of a column between two others, in ascending order.
fn between(column: &CatalogColumn, first: &str, last: &str) -> Vec<String> {
    match Kind::of(column) {
        Kind::Integer | Kind::Year | Kind::Bits | Kind::Decimal => middle_number(first, last).into_iter().collect(),
        Kind::Date | Kind::DateTime | Kind::Timestamp => middle_date(column, first, last).into_iter().collect(),
        Kind::Text | Kind::Plain => {
            let start: String = (first.chars().zip(last.chars()))
                .take_while(|(a, b)| a == b)
                .map(|(a, _)| a)
                .collect();
            PROBES.chars().map(|c| format!("{start}{c}")).collect()
        }
        Kind::Binary => {
            let digits = |text: &str| text.strip_prefix("0x").unwrap_or_default().to_owned();
            let (first, last) = (digits(first), digits(last));
            let same = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
            let start = &first[..same - same % 2];
            (0..16).map(|n| format!("0x{start}{n:X}0")).collect()
        }
        Kind::Float | Kind::Double | Kind::Enum | Kind::Set | Kind::Json | Kind::Time | Kind::Geometry => Vec::new(),
    }
}

fn middle_number(first: &str, last: &str) -> Option<String> {
    let whole = |text: &str| text.split('.').next().and_then(|whole| whole.parse::<i128>().ok());
    let (first, last) = (whole(first)?, whole(last)?);
    (last > first).then(|| (first + (last - first + 1) / 2).to_string())
}

fn middle_date(column: &CatalogColumn, first: &str, last: &str) -> Option<String> {
    let read = |text: &str| match text.contains(' ') {
        true => NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok(),
        false => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0),
    };
    let (first, last) = (read(first)?, read(last)?);
    let middle = first + (last - first) / 2;
    let printed = match Kind::of(column) {
        Kind::Date => middle.format("%Y-%m-%d").to_string(),
        _ => middle.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
    };
    (last > first).then_some(printed)
}

#[cfg(test)]
mod tests {
    use super::super::columns::Declared;
    use super::*;

    fn of(data_type: &str, first: &str, last: &str) -> Vec<String> {
        let column = Declared {
            name: "c".into(),
            data_type: data_type.into(),
            type_text: data_type.into(),
            ..Declared::default()
        };
        between(&column.column(), first, last)
    }

    #[test]
    fn the_middle_lies_between() {
        assert_eq!(
            of("bigint", "-9223372036854775808", "18446744073709551615"),
            ["4611686018427387904"]
        );
        assert_eq!(of("int", "1", "2"), ["2"]);
        assert_eq!(of("int", "7", "7"), Vec::<String>::new());
        assert_eq!(of("decimal", "1.50", "9.25"), ["5"]);
        assert_eq!(of("date", "2020-01-01", "2020-01-03"), ["2020-01-02"]);
        assert_eq!(
            of("datetime", "2020-01-01 00:00:00", "2020-01-02 00:00:00"),
            ["2020-01-01 12:00:00.000000"]
        );
        assert_eq!(of("date", "0000-00-00", "2020-01-03"), Vec::<String>::new());
        assert_eq!(of("varbinary", "0xAB01", "0xAB99")[..2], ["0xAB00", "0xAB10"]);
        assert_eq!(of("uuid", "ab1", "ab2")[0], "ab0");
    }
}
