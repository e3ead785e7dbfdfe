//! Sums of columns, computed by the source.

use super::client::{PgClient, query_error};
use super::queries::{column_sums, sum_kind, width};
use crate::data::row::MalformedRow;
use crate::plan::Node;
use crate::source::SourceError;
use crate::source::sums::{ColumnSum, SumKind, Sums};

/// Columns of one query: the source takes a good 1,600 in a result.
const COLUMNS_AT_ONCE: usize = 300;

/// See [`Reader::sums`](crate::source::api::Reader::sums).
pub async fn read(pg: &PgClient, path: &[&Node], columns: &[usize]) -> Result<Sums, SourceError> {
    let node = path[path.len() - 1];
    let kinds: Vec<(usize, Option<SumKind>)> = columns
        .iter()
        .map(|column| (*column, sum_kind(&node.table.columns[*column])))
        .collect();
    let summed: Vec<(usize, SumKind)> = kinds.iter().filter_map(|(c, kind)| Some((*c, (*kind)?))).collect();
    let mut sums = Sums {
        rows: 0,
        columns: vec![None; columns.len()],
    };
    let none: &[(usize, SumKind)] = &[];
    let parts: Vec<&[(usize, SumKind)]> = match summed.is_empty() {
        true => vec![none],
        false => summed.chunks(COLUMNS_AT_ONCE).collect(),
    };
    for part in parts {
        let row = pg
            .client
            .query_one(&column_sums(path, part), &[])
            .await
            .map_err(query_error)?;
        let number = |place: usize| -> Result<u64, SourceError> {
            let text: String = row.get(place);
            Ok(text.parse().map_err(|_| MalformedRow("a count that is no number"))?)
        };
        sums.rows = number(0)?;
        let mut at = 1;
        for (column, kind) in part {
            let width = width(*kind);
            let sum = ColumnSum {
                kind: *kind,
                count: number(at)?,
                values: (at + 1..at + width).map(|place| row.get(place)).collect(),
            };
            at += width;
            let place = columns.iter().position(|c| c == column);
            if let Some(place) = place {
                sums.columns[place] = Some(sum);
            }
        }
    }
    Ok(sums)
}
