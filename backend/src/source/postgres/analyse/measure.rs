//! What the values of columns are: one read for each table that has such columns, of all of its rows where it is small, of
//! a sample of its pages else. Large values are not fetched for it: the server knows how long they are.

use super::super::client::{PgClient, query_error};
use super::super::queries::{only, quote};
use crate::analysis::facts::{Measured, SourceFacts, TableFacts, Trait};
use crate::data::catalog::{Catalog, CatalogColumn, CatalogTable};
use crate::source::SourceError;
use godwit_shared::schema::TableName;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use tokio_postgres::Row;

/// For all tables together.
const TIME_MAX: Duration = Duration::from_secs(20);
/// For one of them.
const STATEMENT: &str = "SELECT current_setting('statement_timeout'), set_config('statement_timeout', '3000', false)";
/// Of a table that is larger a sample is read.
const BYTES_MAX: u64 = 32 << 20;
/// Expressions of one query; a table may have 1,600 columns.
const EXPRESSIONS_MAX: usize = 300;

/// One thing that is asked of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Bytes,
    Digits,
    /// Whether there are values that are no numbers, or no moments.
    NotANumber,
    Infinite,
    FarAway,
}

impl Ask {
    fn sql(self, column: &str) -> String {
        const NO_NUMBERS: &str = "('NaN', 'Infinity', '-Infinity')";
        match self {
            Ask::Bytes => format!("max(octet_length({column}))::int8"),
            Ask::Digits => format!(
                "(max(length(btrim(translate(abs({column})::text, '.', ''), '0'))) FILTER (WHERE {column}::text NOT IN {NO_NUMBERS}))::int8"
            ),
            Ask::NotANumber => format!("bool_or({column}::text IN {NO_NUMBERS})::int::int8"),
            Ask::Infinite => format!("bool_or(NOT isfinite({column}))::int::int8"),
            Ask::FarAway => format!(
                "bool_or(CASE WHEN isfinite({column}) THEN extract(year FROM {column}) NOT BETWEEN 1 AND 9999 END)::int::int8"
            ),
        }
    }

    fn take(self, measured: &mut Measured, value: i64) {
        let found = |words: &str, measured: &mut Measured| {
            if value > 0 {
                measured.special.push(words.to_owned());
            }
        };
        match self {
            Ask::Bytes => measured.bytes = u64::try_from(value).ok(),
            Ask::Digits => measured.digits = u32::try_from(value).ok(),
            Ask::NotANumber => found("NaN or infinity", measured),
            Ask::Infinite => found("infinity", measured),
            Ask::FarAway => found("a year before 1 or after 9999", measured),
        }
    }
}

/// What is asked of a column of a type.
fn asks(column: &CatalogColumn, traits: &[Trait]) -> Vec<Ask> {
    if traits.contains(&Trait::Large { bytes_max: None }) {
        return vec![Ask::Bytes];
    }
    // Of a domain the type below it; an array is none of these.
    let base = column.cast.replace('"', "");
    match base.strip_prefix("pg_catalog.").unwrap_or_default() {
        "numeric" if traits.contains(&Trait::Numeric { precision: None }) => vec![Ask::Digits, Ask::NotANumber],
        "numeric" | "float4" | "float8" => vec![Ask::NotANumber],
        "date" | "timestamp" | "timestamptz" => vec![Ask::Infinite, Ask::FarAway],
        _ => Vec::new(),
    }
}

/// Measures the columns of some tables.
///
/// # Errors
/// When the connection is lost; a table that cannot be read in time is not measured.
pub(super) async fn measure(
    pg: &PgClient,
    catalog: &Catalog,
    tables: &HashSet<TableName>,
    facts: &mut SourceFacts,
) -> Result<(), SourceError> {
    let mut wanted: Vec<&CatalogTable> = (tables.iter())
        .filter_map(|name| catalog.tables.get(name).map(AsRef::as_ref))
        .filter(|table| table.can_select && !table.has_row_security)
        .collect();
    wanted.sort_by(|a, b| (a.size_bytes, &a.name).cmp(&(b.size_bytes, &b.name)));
    let mut hidden: Vec<String> = (tables.iter())
        .filter(|name| {
            catalog
                .tables
                .get(*name)
                .is_some_and(|t| !t.can_select || t.has_row_security)
        })
        .map(ToString::to_string)
        .collect();
    if !hidden.is_empty() {
        hidden.sort();
        let names = hidden.join(", ");
        facts.gaps.push(format!(
            "This user may not read all rows of {names}: their values were not looked at."
        ));
    }
    let limit = pg.client.query_one(STATEMENT, &[]).await.map_err(query_error)?;
    let begin = Instant::now();
    let mut late = 0;
    for table in wanted {
        let Some(known) = facts.tables.get_mut(&table.name) else {
            continue;
        };
        let asked: Vec<(&str, Ask)> = (table.columns.iter())
            .filter_map(|c| Some((c, known.columns.get(&c.name)?)))
            .flat_map(|(c, of)| asks(c, &of.traits).into_iter().map(move |ask| (c.name.as_str(), ask)))
            .collect();
        if asked.is_empty() {
            continue;
        }
        if begin.elapsed() > TIME_MAX {
            late += 1;
            continue;
        }
        for part in asked.chunks(EXPRESSIONS_MAX) {
            let is_sample = table.size_bytes > BYTES_MAX;
            match pg
                .client
                .query_one(&query_of(table, part), &[])
                .await
                .map_err(query_error)
            {
                Ok(row) => take(known, part, &row, is_sample),
                Err(error) if error.is_outage() => return Err(error),
                Err(SourceError::Cancelled) => late += 1,
                Err(error) => facts
                    .gaps
                    .push(format!("Could not look at the values of {}: {error}.", table.name)),
            }
        }
    }
    if late > 0 {
        facts
            .gaps
            .push(format!("The values of {late} tables could not be looked at in time."));
    }
    let back = "SELECT set_config('statement_timeout', $1, false)";
    let before: String = limit.get(0);
    pg.client.query(back, &[&before]).await.map_err(query_error)?;
    Ok(())
}

fn query_of(table: &CatalogTable, asked: &[(&str, Ask)]) -> String {
    let expressions: Vec<String> = asked
        .iter()
        .map(|(column, ask)| ask.sql(&format!("t.{}", quote(column))))
        .collect();
    let sample = match table.size_bytes > BYTES_MAX {
        true => format!(
            " TABLESAMPLE SYSTEM ({:.6}) REPEATABLE (1)",
            100.0 * BYTES_MAX as f64 / table.size_bytes as f64
        ),
        false => String::new(),
    };
    format!("SELECT {} FROM {} AS t{sample}", expressions.join(", "), only(table))
}

fn take(known: &mut TableFacts, asked: &[(&str, Ask)], row: &Row, is_sample: bool) {
    for (place, (column, ask)) in asked.iter().enumerate() {
        let Some(column) = known.columns.get_mut(*column) else {
            continue;
        };
        let measured = column.measured.get_or_insert_with(|| Measured {
            is_sample,
            ..Measured::default()
        });
        match (row.get::<_, Option<i64>>(place), ask) {
            (Some(value), ask) => ask.take(measured, value),
            // No row has a value.
            (None, Ask::Bytes) => measured.bytes = Some(0),
            (None, Ask::Digits) => measured.digits = Some(0),
            (None, Ask::NotANumber | Ask::Infinite | Ask::FarAway) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::catalog::testing::int4;

    #[test]
    fn what_is_asked_follows_the_type_below() {
        let of = |cast: &str, traits: &[Trait]| {
            let column = CatalogColumn {
                cast: cast.into(),
                ..int4("c")
            };
            asks(&column, traits)
        };
        let numeric = r#""pg_catalog"."numeric""#;
        assert_eq!(
            of(numeric, &[Trait::Numeric { precision: None }]),
            [Ask::Digits, Ask::NotANumber]
        );
        assert_eq!(
            of(numeric, &[Trait::Numeric { precision: Some(40) }]),
            [Ask::NotANumber]
        );
        assert_eq!(of(r#""pg_catalog"."date""#, &[]), [Ask::Infinite, Ask::FarAway]);
        assert_eq!(
            of(r#""pg_catalog"."text""#, &[Trait::Large { bytes_max: None }]),
            [Ask::Bytes]
        );
        assert!(of(r#""pg_catalog"."float8"[]"#, &[]).is_empty());
        assert!(of(r#""public"."date""#, &[]).is_empty());
        let bounded = [Trait::Large { bytes_max: Some(80) }];
        assert!(of(r#""pg_catalog"."bpchar""#, &bounded).is_empty());
    }
}
