//! Lists of keys that the database is given, as temporary tables. Their columns have the affinity and the collation of the
//! columns that the keys are of, so that a comparison with them is one with those columns.

use super::client::query_error;
use super::queries::quote;
use super::values::{Affinity, value_of};
use crate::data::catalog::CatalogColumn;
use crate::source::SourceError;
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, params_from_iter};

/// The affinity of a column of the catalog.
pub(super) fn affinity_of(column: &CatalogColumn) -> Affinity {
    match column.cast.as_str() {
        "INTEGER" => Affinity::Integer,
        "REAL" => Affinity::Real,
        "NUMERIC" => Affinity::Numeric,
        "TEXT" => Affinity::Text,
        _ => Affinity::Blob,
    }
}

/// Keys with what their columns are.
pub(super) struct KeyList {
    columns: Vec<(Affinity, Option<String>)>,
    rows: Vec<Vec<Stored>>,
}

impl KeyList {
    /// Keys of some columns; each has a text for each of them, or nothing for NULL.
    pub(super) fn new<'k>(columns: &[&CatalogColumn], keys: impl Iterator<Item = Vec<Option<&'k str>>>) -> Self {
        let of = |column: &&CatalogColumn| {
            let collation = column.collation.as_ref().map(|c| c.sql.clone());
            (affinity_of(column), collation)
        };
        let columns: Vec<_> = columns.iter().map(of).collect();
        let row = |key: Vec<Option<&str>>| {
            let values = key.into_iter().zip(&columns);
            values
                .map(|(text, (affinity, _))| text.map_or(Stored::Null, |text| value_of(text, *affinity)))
                .collect()
        };
        let rows = keys.map(row).collect();
        Self { columns, rows }
    }

    /// Puts the keys into a table: `n` counts them from 0, `k1`, `k2` and so on are their values. Returns its name.
    ///
    /// # Errors
    /// When the database refuses.
    pub(super) fn put(&self, connection: &Connection) -> Result<String, SourceError> {
        let name: Vec<String> = (self.columns.iter())
            .map(|(affinity, collation)| {
                format!("{} {}", affinity.declared(), collation.as_deref().unwrap_or_default())
            })
            .collect();
        let name = format!("temp.{}", quote(&format!("keys {}", name.join(", "))));
        let columns: Vec<String> = (self.columns.iter().enumerate())
            .map(|(i, (affinity, collation))| {
                let collate = collation.as_ref().map(|c| format!(" COLLATE {c}")).unwrap_or_default();
                format!(", k{} {}{collate}", i + 1, affinity.declared())
            })
            .collect();
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {name} (n INTEGER PRIMARY KEY{}); DELETE FROM {name};",
            columns.concat()
        );
        connection.execute_batch(&create).map_err(query_error)?;
        let places: String = ", ?".repeat(self.columns.len());
        let insert = format!("INSERT INTO {name} VALUES (?{places})");
        let mut insert = connection.prepare(&insert).map_err(query_error)?;
        for (number, row) in self.rows.iter().enumerate() {
            let number = Stored::Integer(i64::try_from(number).unwrap_or(i64::MAX));
            let values = std::iter::once(&number).chain(row);
            insert.execute(params_from_iter(values)).map_err(query_error)?;
        }
        Ok(name)
    }
}
