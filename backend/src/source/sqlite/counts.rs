//! Counts for proposals, keys that somebody draws, and filters.

use super::client::query_error;
use super::queries::{quote, table_name};
use super::reader::count;
use super::values::key_text;
use crate::data::catalog::{Catalog, CatalogTable};
use crate::plan::Join;
use crate::source::SourceError;
use crate::source::api::Matched;
use crate::source::sqlite::keys::affinity_of;
use godwit_shared::proposal::{Facts, Fan, Figures, TableFacts};
use godwit_shared::schema::RelationalModel;
use rusqlite::Connection;

/// Keys without a row that are shown.
const EXAMPLES: usize = 5;

fn own_columns(own: &CatalogTable, join: &Join) -> Vec<String> {
    let columns = join.pairs.iter().map(|pair| &own.columns[pair.own].name);
    columns.map(|name| format!("c.{}", quote(name))).collect()
}

fn all_there(columns: &[String]) -> String {
    let there: Vec<String> = columns.iter().map(|c| format!("{c} IS NOT NULL")).collect();
    there.join(" AND ")
}

/// How many rows there are for each value of some columns.
fn for_each_value(table: &CatalogTable, columns: &[String]) -> String {
    format!(
        "(SELECT count(*) AS n FROM {} AS c WHERE {} GROUP BY {})",
        table_name(table),
        all_there(columns),
        columns.join(", ")
    )
}

/// Counts the rows of a table that find one by a join.
///
/// # Errors
/// When the database refuses, or it takes too long.
pub(super) fn match_key(
    connection: &Connection,
    parent: &CatalogTable,
    own: &CatalogTable,
    join: &Join,
) -> Result<Matched, SourceError> {
    let columns = own_columns(own, join);
    let there = all_there(&columns);
    let pairs: Vec<String> = (join.pairs.iter())
        .map(|pair| {
            let above = format!("p.{}", quote(&parent.columns[pair.parent].name));
            let [to, from] = pair.sides(above, format!("c.{}", quote(&own.columns[pair.own].name)));
            format!("{to} = {from}")
        })
        .collect();
    let found = format!(
        "EXISTS (SELECT 1 FROM {} AS p WHERE {})",
        table_name(parent),
        pairs.join(" AND ")
    );
    let from = format!("FROM {} AS c", table_name(own));
    let rows = count(connection, &format!("SELECT count(*) {from}"))?;
    let with_key = count(connection, &format!("SELECT count(*) {from} WHERE {there}"))?;
    let matching = count(connection, &format!("SELECT count(*) {from} WHERE {there} AND {found}"))?;
    let most = format!("SELECT max(n) FROM {}", for_each_value(own, &columns));
    let of_parent: Vec<String> = (join.pairs.iter())
        .map(|pair| format!("c.{}", quote(&parent.columns[pair.parent].name)))
        .collect();
    let repeats = format!(
        "SELECT count(*) FROM {} WHERE n > 1",
        for_each_value(parent, &of_parent)
    );
    let misses = format!(
        "SELECT DISTINCT {} {from} WHERE {there} AND NOT {found} LIMIT {EXAMPLES}",
        columns.join(", ")
    );
    let mut statement = connection.prepare(&misses).map_err(query_error)?;
    let mut missed = statement.query([]).map_err(query_error)?;
    let mut examples = Vec::new();
    while let Some(row) = missed.next().map_err(query_error)? {
        let mut example = Vec::new();
        for (place, pair) in join.pairs.iter().enumerate() {
            let value = row.get_ref(place).map_err(query_error)?;
            example.push(key_text(value, affinity_of(&own.columns[pair.own])).unwrap_or_default());
        }
        examples.push(example);
    }
    Ok(Matched {
        rows,
        nulls: rows.saturating_sub(with_key),
        matching,
        most_for_one: count(connection, &most)?,
        is_target_unique: count(connection, &repeats)? == 0,
        examples,
    })
}

/// What the catalog says of its tables.
pub(super) fn facts_of(catalog: &Catalog) -> Facts {
    let mut facts = Facts {
        figures: Figures::Catalog,
        ..Facts::default()
    };
    for table in catalog.tables.values() {
        let rows = table.rows_estimated as f64;
        let known = TableFacts {
            rows: Some(rows),
            row_bytes: (rows > 0.0).then(|| table.size_bytes as f64 / rows),
            ..TableFacts::default()
        };
        facts.tables.insert(table.name.clone(), known);
    }
    facts
}

/// Counts rows, and children for each parent.
///
/// # Errors
/// When the database refuses, or it takes too long.
pub(super) fn count_exactly(
    connection: &Connection,
    catalog: &Catalog,
    model: &RelationalModel,
    facts: &mut Facts,
) -> Result<(), SourceError> {
    facts.figures = Figures::Exact;
    for (path, table) in model.tables() {
        let name = path.name();
        let Some(found) = catalog.tables.get(&name) else {
            continue;
        };
        let rows = count(connection, &format!("SELECT count(*) FROM {}", table_name(found)))?;
        facts.tables.entry(name.clone()).or_default().rows = Some(rows as f64);
        for (key, foreign) in &table.foreign_keys {
            let columns: Option<Vec<String>> = (foreign.column_mappings.iter())
                .map(|pair| {
                    let column = found.column(&pair.source)?;
                    Some(format!("c.{}", quote(&found.columns[column].name)))
                })
                .collect();
            let Some(columns) = columns.filter(|columns| !columns.is_empty()) else {
                continue;
            };
            if let Some(fan) = fan_of(connection, &for_each_value(found, &columns))? {
                facts.fans.insert((name.clone(), key.clone()), fan);
            }
        }
    }
    Ok(())
}

fn fan_of(connection: &Connection, counted: &str) -> Result<Option<Fan>, SourceError> {
    let sql = format!("SELECT avg(n), max(n), count(*) FROM {counted}");
    let read = connection.query_row(&sql, [], |row| {
        Ok((
            row.get::<_, Option<f64>>(0)?,
            row.get::<_, Option<f64>>(1)?,
            row.get::<_, i64>(2)?,
        ))
    });
    let (average, largest, values) = read.map_err(query_error)?;
    let Some(average) = average else { return Ok(None) };
    // 99 of 100 have at most so many.
    let place = ((values as f64 * 0.99).ceil() as i64 - 1).max(0);
    let sql = format!("SELECT n FROM {counted} ORDER BY n LIMIT 1 OFFSET {place}");
    let p99 = connection
        .query_row(&sql, [], |row| row.get::<_, f64>(0))
        .map_err(query_error)?;
    Ok(Some(Fan {
        average,
        p99: Some(p99),
        largest,
    }))
}
