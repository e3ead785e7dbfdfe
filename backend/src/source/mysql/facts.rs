//! What the source knows of its rows without reading them, and exact counts where somebody asks for them.

use super::link::Link;
use super::matching::count_rows;
use super::queries::literal;
use super::queries::matching::{key_fan, key_percentile};
use crate::data::catalog::{Catalog, CatalogTable};
use crate::source::SourceError;
use godwit_shared::proposal::{Facts, Fan, Figures, TableFacts};
use godwit_shared::schema::{RelationalModel, TableName};
use std::collections::HashMap;

/// Bytes of a table from which on its size says something of its rows.
const SIZE_TOLD: u64 = 128 << 10;

/// How many values the leading columns of an index have, by index and how many of its columns.
type Cardinalities = HashMap<(TableName, String), Vec<(String, f64)>>;

/// What the catalog says. What this user may not see, or was never collected, is missing.
///
/// # Errors
/// When the connection is lost.
pub async fn read_facts(link: &Link, catalog: &Catalog, model: &RelationalModel) -> Result<Facts, SourceError> {
    let mut facts = Facts {
        figures: Figures::Catalog,
        ..Facts::default()
    };
    for table in catalog.tables.values() {
        let rows = table.rows_estimated as f64;
        let known = TableFacts {
            rows: Some(rows),
            row_bytes: bytes_of_row(table, rows),
            ..TableFacts::default()
        };
        facts.tables.insert(table.name.clone(), known);
    }
    let cardinalities = read_cardinalities(link, catalog).await?;
    for (path, table) in model.tables() {
        let name = path.name();
        let Some(rows) = facts.table(&name).rows.filter(|rows| *rows > 0.0) else {
            continue;
        };
        for (key, found) in &table.foreign_keys {
            let columns: Vec<&str> = found.column_mappings.iter().map(|pair| pair.source.as_str()).collect();
            let values = values_of(&cardinalities, &name, &columns).filter(|values| *values >= 1.0);
            let fan = values.map(|values| Fan {
                average: (rows / values).max(1.0),
                p99: None,
                largest: None,
            });
            facts.fans.extend(fan.map(|fan| ((name.clone(), key.clone()), fan)));
        }
    }
    Ok(facts)
}

async fn read_cardinalities(link: &Link, catalog: &Catalog) -> Result<Cardinalities, SourceError> {
    let mut schemas: Vec<&str> = catalog.tables.keys().map(|name| name.schema.as_str()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    let mut found = Cardinalities::new();
    for schema in schemas {
        let sql = format!(
            "SELECT s.TABLE_NAME, s.INDEX_NAME, s.COLUMN_NAME, s.CARDINALITY FROM information_schema.STATISTICS s \
             WHERE s.TABLE_SCHEMA = {} ORDER BY s.TABLE_NAME, s.INDEX_NAME, s.SEQ_IN_INDEX",
            literal(schema)
        );
        for line in link.query(sql).await? {
            let [Some(table), Some(index), Some(column), Some(values)] = line.as_slice() else {
                continue;
            };
            let of_index = found.entry((TableName::new(schema, table), index.clone())).or_default();
            of_index.push((column.clone(), values.parse().unwrap_or(0.0)));
        }
    }
    Ok(found)
}

/// How many different values some columns have together, where an index leads with them.
fn values_of(cardinalities: &Cardinalities, table: &TableName, columns: &[&str]) -> Option<f64> {
    let of_table = cardinalities.iter().filter(|((name, _), _)| name == table);
    of_table
        .filter_map(|(_, index)| {
            let leading = index.get(..columns.len())?;
            let is_led = leading.iter().all(|(column, _)| columns.contains(&column.as_str()));
            leading.last().filter(|_| is_led).map(|(_, values)| *values)
        })
        .reduce(f64::max)
}

/// What a table takes for each row; of a small one its pages say nothing.
fn bytes_of_row(table: &CatalogTable, rows: f64) -> Option<f64> {
    (rows > 0.0 && table.size_bytes >= SIZE_TOLD).then(|| table.size_bytes as f64 / rows)
}

/// Counts the rows of all tables and of all keys. A count that takes too long leaves what the catalog says.
///
/// # Errors
/// When the connection is lost.
pub async fn count_exactly(
    link: &Link,
    catalog: &Catalog,
    model: &RelationalModel,
    facts: &mut Facts,
) -> Result<(), SourceError> {
    facts.figures = Figures::Exact;
    for (path, table) in model.tables() {
        let name = path.name();
        let Some(found) = catalog.tables.get(&name).filter(|t| t.can_select) else {
            continue;
        };
        match count_rows(link, found, None).await {
            Ok(rows) => {
                let rows = rows as f64;
                let known = facts.tables.entry(name.clone()).or_default();
                known.rows = Some(rows);
                known.row_bytes = bytes_of_row(found, rows);
            }
            Err(SourceError::Cancelled) => continue,
            Err(error) => return Err(error),
        }
        for (key, foreign) in &table.foreign_keys {
            let columns: Vec<&str> = foreign.column_mappings.iter().map(|p| p.source.as_str()).collect();
            if columns.is_empty() || columns.iter().any(|c| found.column(c).is_none()) {
                continue;
            }
            match fan(link, found, &columns).await {
                Ok(fan) => facts.fans.extend(fan.map(|fan| ((name.clone(), key.clone()), fan))),
                Err(SourceError::Cancelled | SourceError::Query { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

async fn fan(link: &Link, table: &CatalogTable, columns: &[&str]) -> Result<Option<Fan>, SourceError> {
    let line = link.one(key_fan(table, columns)).await?;
    let number = |place: usize| line.get(place)?.as_ref()?.parse::<f64>().ok();
    let (Some(average), values) = (number(0), number(2).unwrap_or(0.0)) else {
        return Ok(None);
    };
    let percentile = link.query(key_percentile(table, columns, values as u64)).await?;
    let p99 = percentile.first().and_then(|line| line.first()?.as_ref()?.parse().ok());
    Ok(Some(Fan {
        average,
        p99,
        largest: number(1),
    }))
}
