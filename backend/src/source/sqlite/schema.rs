//! Tables, columns, keys and indexes of a file.

use super::client::query_error;
use super::queries::quote;
use super::values::{Affinity, Comparison, SqliteCell};
use crate::data::catalog::{Catalog, CatalogColumn, CatalogForeignKey, CatalogIndex, CatalogTable, IndexKey};
use crate::data::equality::{Collation, Equality, EqualityCollation, KeyClass, KeyOrder, RowOperators};
use crate::source::SourceError;
use godwit_shared::mapping::FieldType;
use godwit_shared::schema::TableName;
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::Arc;

/// The one schema of a file.
pub(super) const SCHEMA: &str = "main";
/// Files up to this size are counted; of larger ones the number of the last row stands for their rows.
const COUNTED_BYTES_MAX: u64 = 64 << 20;
/// The only family of operators.
const FAMILY: u32 = 1;

const TABLES: &str = "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
const COLUMNS: &str = "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?1, 'main') \
    WHERE hidden <> 1 ORDER BY cid";
const KEYS: &str = "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1, 'main') ORDER BY id, seq";
const INDEXES: &str = "SELECT name, \"unique\" FROM pragma_index_list(?1, 'main') WHERE partial = 0 ORDER BY name";
const INDEX_COLUMNS: &str = "SELECT name, coll FROM pragma_index_xinfo(?1, 'main') WHERE key = 1 ORDER BY seqno";

/// Reads all tables of the file. Virtual tables and views hold no rows of their own and are left out.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read_catalog(connection: &Connection, database: String) -> Result<Catalog, SourceError> {
    let mut listed = connection.prepare(TABLES).map_err(query_error)?;
    let listed: Vec<(String, bool)> = listed
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(query_error)?;
    let pages: i64 = pragma(connection, "page_count")?;
    let page_bytes: i64 = pragma(connection, "page_size")?;
    let file_bytes = u64::try_from(pages.saturating_mul(page_bytes)).unwrap_or(0);
    let mut collations = Collations::default();
    let mut tables = Vec::with_capacity(listed.len());
    for (name, is_strict) in listed {
        tables.push(table_of(connection, &name, is_strict, file_bytes, &mut collations)?);
    }
    share_bytes(&mut tables, file_bytes);
    let names: Vec<String> = tables.iter().map(|t| t.name.table.clone()).collect();
    for name in names {
        let keys = foreign_keys(connection, &name, &tables)?;
        if let Some(table) = tables.iter_mut().find(|t| t.name.table == name) {
            table.foreign_keys = keys;
        }
    }
    Ok(Catalog {
        tables: tables.into_iter().map(|t| (t.name.clone(), Arc::new(t))).collect(),
        version: rusqlite::version().to_owned(),
        database,
        operators: Some(Arc::new(AnyColumns)),
    })
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, SourceError> {
    let read = connection.query_row(&format!("PRAGMA main.{name}"), [], |row| row.get(0));
    read.map_err(query_error)
}

/// Collations by number. The database has none, but an index and a column are compared by them.
struct Collations(Vec<String>);

impl Default for Collations {
    fn default() -> Self {
        Self(["BINARY", "NOCASE", "RTRIM"].map(str::to_owned).to_vec())
    }
}

impl Collations {
    fn number(&mut self, name: &str) -> u32 {
        let known = self.0.iter().position(|known| known.eq_ignore_ascii_case(name));
        let place = known.unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        });
        place as u32 + 1
    }

    fn collation(&mut self, name: &str) -> Collation {
        let id = self.number(name);
        Collation {
            id,
            sql: quote(&self.0[id as usize - 1]),
            is_deterministic: id == 1,
            is_default: id == 1,
        }
    }
}

fn comparison_of(collation: &Collation) -> Comparison {
    match collation.id {
        1 => Comparison::Binary,
        2 => Comparison::NoCase,
        3 => Comparison::RightTrim,
        _ => Comparison::Foreign,
    }
}

fn table_of(
    connection: &Connection,
    name: &str,
    is_strict: bool,
    file_bytes: u64,
    collations: &mut Collations,
) -> Result<CatalogTable, SourceError> {
    let mut read = connection.prepare(COLUMNS).map_err(query_error)?;
    let mut found = read.query([name]).map_err(query_error)?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    while let Some(row) = found.next().map_err(query_error)? {
        let (column, declared): (String, String) = (row.get(0).map_err(query_error)?, row.get(1).map_err(query_error)?);
        let (is_not_null, place, hidden): (bool, i64, i64) = (
            row.get(2).map_err(query_error)?,
            row.get(3).map_err(query_error)?,
            row.get(4).map_err(query_error)?,
        );
        let (_, collation, _, _, is_auto) = connection
            .column_metadata(Some(SCHEMA), name, &column)
            .map_err(query_error)?;
        let collation = collation.and_then(|c| c.to_str().ok()).unwrap_or("BINARY");
        let described = Described {
            name: column,
            declared,
            is_not_null,
            is_generated: hidden != 0,
            is_auto,
        };
        if place > 0 {
            key.push((place, columns.len()));
        }
        columns.push(column_of(described, is_strict, collations.collation(collation)));
    }
    key.sort_unstable();
    let primary_key: Vec<usize> = key.into_iter().map(|(_, column)| column).collect();
    if let [one] = primary_key.as_slice() {
        // The number of the row under another name: never NULL.
        let column = &mut columns[*one];
        if column.type_text.eq_ignore_ascii_case("INTEGER") {
            column.nullable = false;
        }
    }
    let mut table = CatalogTable {
        columns,
        primary_key,
        ..CatalogTable::new(TableName::new(SCHEMA, name))
    };
    table.indexes = indexes(connection, &table, collations)?;
    table.rows_estimated = rows_of(connection, name, file_bytes)?;
    Ok(table)
}

struct Described {
    name: String,
    declared: String,
    is_not_null: bool,
    is_generated: bool,
    is_auto: bool,
}

fn column_of(described: Described, is_strict: bool, collation: Collation) -> CatalogColumn {
    let affinity = Affinity::of(&described.declared, is_strict);
    let word = described.declared.split(['(', ' ']).next().unwrap_or_default();
    let is_date = ["DATE", "DATETIME", "TIMESTAMP"]
        .iter()
        .any(|d| word.eq_ignore_ascii_case(d));
    let default_type = match affinity {
        _ if is_date => FieldType::Date,
        Affinity::Integer => FieldType::Long,
        Affinity::Real | Affinity::Numeric => FieldType::Double,
        Affinity::Text => FieldType::String,
        Affinity::Blob if described.declared.is_empty() => FieldType::String,
        Affinity::Blob => FieldType::BinData,
    };
    let comparison = comparison_of(&collation);
    CatalogColumn {
        name: described.name,
        type_text: described.declared,
        cast: affinity.declared().to_owned(),
        declared_type: 0,
        equality: (comparison != Comparison::Foreign).then(|| Arc::new(equality_of(&collation))),
        key_order: Some(KeyOrder {
            below: "<".into(),
            not_above: "<=".into(),
            equal: "=".into(),
            not_below: ">=".into(),
            above: ">".into(),
            cast: None,
        }),
        class: match comparison {
            Comparison::Foreign => KeyClass::Printed,
            Comparison::Binary | Comparison::NoCase | Comparison::RightTrim => KeyClass::Canonical,
        },
        default_type,
        nullable: !described.is_not_null,
        is_generated: described.is_generated,
        is_auto_incremented: described.is_auto,
        is_orderable: comparison != Comparison::Foreign,
        sent_by: None,
        reads_as_text: false,
        loses_identity: false,
        // 1 and 1.0 are equal and of two classes, and so are 0.0 and -0.0.
        equals_as_bytes: comparison == Comparison::Binary && matches!(affinity, Affinity::Integer | Affinity::Text),
        comes_apart: false,
        collation: Some(collation),
        decoder: Arc::new(SqliteCell {
            affinity,
            comparison,
            is_date,
        }),
    }
}

/// How values of a column are compared, which has the say in a comparison with another one.
fn equality_of(collation: &Collation) -> Equality {
    Equality {
        operator: "=".into(),
        casts: [None, None],
        collation: match collation.id {
            1 => EqualityCollation::Any,
            _ => EqualityCollation::Only(collation.clone()),
        },
        families: vec![FAMILY],
        shown: "the database compares any two values".into(),
    }
}

/// Any two columns can be compared; the one that is referred to has the say.
#[derive(Debug)]
struct AnyColumns;

impl RowOperators for AnyColumns {
    fn equality(&self, referenced: &CatalogColumn, referencing: &CatalogColumn) -> Option<Equality> {
        referencing.equality.as_ref()?;
        let own = referenced.equality.as_deref()?;
        let collation = match (&own.collation, &referencing.collation) {
            // Bytes are compared, whatever the other column says.
            (EqualityCollation::Any, Some(other)) if other.id != 1 => {
                EqualityCollation::Only(referenced.collation.clone()?)
            }
            (collation, _) => collation.clone(),
        };
        Some(Equality {
            collation,
            ..own.clone()
        })
    }
}

fn indexes(
    connection: &Connection,
    table: &CatalogTable,
    collations: &mut Collations,
) -> Result<Vec<CatalogIndex>, SourceError> {
    let mut listed = connection.prepare(INDEXES).map_err(query_error)?;
    let listed: Vec<(String, bool)> = listed
        .query_map([&table.name.table], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(query_error)?;
    let mut all = Vec::new();
    let mut of_index = connection.prepare(INDEX_COLUMNS).map_err(query_error)?;
    for (name, is_unique) in listed {
        let parts: Vec<(Option<String>, Option<String>)> = of_index
            .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect)
            .map_err(query_error)?;
        let columns = parts.iter().map(|(column, _)| table.column(column.as_deref()?));
        let keys = parts.iter().map(|(_, collation)| IndexKey {
            family: FAMILY,
            collation: collations.number(collation.as_deref().unwrap_or("BINARY")),
        });
        all.push(CatalogIndex {
            name,
            columns: columns.collect(),
            keys: keys.collect(),
            is_unique,
        });
    }
    // The number of the row has no index of its own: it is the order of the table.
    let is_found = |index: &CatalogIndex| index.columns.iter().flatten().eq(&table.primary_key);
    if !table.primary_key.is_empty() && !all.iter().any(is_found) {
        let of_key = table.primary_key.iter().map(|c| table.columns[*c].collation.as_ref());
        all.push(CatalogIndex {
            name: "rowid".into(),
            columns: table.primary_key.iter().copied().map(Some).collect(),
            keys: of_key
                .map(|collation| IndexKey {
                    family: FAMILY,
                    collation: collation.map_or(0, |c| c.id),
                })
                .collect(),
            is_unique: true,
        });
    }
    Ok(all)
}

/// How many rows a table has: counted in a small file, else the number of its last row, which may be more.
fn rows_of(connection: &Connection, name: &str, file_bytes: u64) -> Result<u64, SourceError> {
    let table = format!("main.{}", quote(name));
    if file_bytes > COUNTED_BYTES_MAX {
        let last = format!("SELECT max(rowid) FROM {table}");
        if let Ok(last) = connection.query_row(&last, [], |row| row.get::<_, Option<i64>>(0)) {
            return Ok(last.and_then(|n| u64::try_from(n).ok()).unwrap_or(0));
        }
    }
    super::reader::count(connection, &format!("SELECT count(*) FROM {table}"))
}

/// The bytes of a file by table: by rows and columns, since it tells of no table's own.
fn share_bytes(tables: &mut [CatalogTable], file_bytes: u64) {
    let weight = |table: &CatalogTable| u128::from(table.rows_estimated) * (table.columns.len() as u128 + 1);
    let all: u128 = tables.iter().map(weight).sum();
    for table in tables {
        let share = (u128::from(file_bytes) * weight(table)).checked_div(all).unwrap_or(0);
        table.size_bytes = u64::try_from(share).unwrap_or(u64::MAX);
    }
}

/// One pair of columns of a foreign key: its number, the table that it refers to, the own column and the other one.
type KeyPart = (i64, String, String, Option<String>);

/// Foreign keys have no names: they get those of their columns.
fn foreign_keys(
    connection: &Connection,
    name: &str,
    tables: &[CatalogTable],
) -> Result<Vec<CatalogForeignKey>, SourceError> {
    let mut read = connection.prepare(KEYS).map_err(query_error)?;
    let rows: Vec<KeyPart> = read
        .query_map([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .and_then(Iterator::collect)
        .map_err(query_error)?;
    let table_named = |name: &str| tables.iter().find(|t| t.name.table.eq_ignore_ascii_case(name));
    let column_named =
        |table: &CatalogTable, name: &str| table.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name));
    let Some(own) = table_named(name) else {
        return Ok(Vec::new());
    };
    let mut by_id: Vec<(i64, Vec<&KeyPart>)> = Vec::new();
    for row in &rows {
        match by_id.iter_mut().find(|(id, _)| *id == row.0) {
            Some((_, parts)) => parts.push(row),
            None => by_id.push((row.0, vec![row])),
        }
    }
    let mut keys: Vec<CatalogForeignKey> = Vec::new();
    let mut taken: HashMap<String, usize> = HashMap::new();
    // The database lists the last one first.
    for (_, parts) in by_id.into_iter().rev() {
        let Some(target) = table_named(&parts[0].1) else {
            continue;
        };
        let pairs: Option<Vec<(usize, usize)>> = (parts.iter().enumerate())
            .map(|(place, (_, _, from, to))| {
                let target_column = match to {
                    Some(to) => column_named(target, to)?,
                    // Without a name the primary key is meant.
                    None => *target.primary_key.get(place)?,
                };
                Some((column_named(own, from)?, target_column))
            })
            .collect();
        // A key to what is not there holds for nothing.
        let Some(pairs) = pairs else { continue };
        let equalities: Option<Vec<Arc<Equality>>> = (pairs.iter())
            .map(|(from, to)| {
                Some(Arc::new(
                    AnyColumns.equality(&target.columns[*to], &own.columns[*from])?,
                ))
            })
            .collect();
        let Some(equalities) = equalities else { continue };
        let columns: Vec<String> = pairs.iter().map(|(from, _)| own.columns[*from].name.clone()).collect();
        let base = format!("fk_{}_{}", own.name.table, columns.join("_"));
        let count = taken.entry(base.clone()).or_default();
        *count += 1;
        keys.push(CatalogForeignKey {
            name: match count {
                1 => base,
                n => format!("{base}_{n}"),
            },
            columns,
            target: target.name.clone(),
            target_columns: pairs.iter().map(|(_, to)| target.columns[*to].name.clone()).collect(),
            equalities,
        });
    }
    Ok(keys)
}
