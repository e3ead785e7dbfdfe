//! The catalog in a fixed number of bulk queries, however many tables there are.

use super::client::MySqlSource;
use super::columns::Declared;
use super::link::{Line, Link};
use super::operators::Operators;
use super::queries::{literal, table_name};
use crate::data::catalog::{Catalog, CatalogColumn, CatalogForeignKey, CatalogIndex, CatalogTable, IndexKey};
use crate::source::SourceError;
use godwit_shared::schema::TableName;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// In project files of this family the schema is the database, and above it stands this.
pub const DATABASE: &str = "database";
/// The server's own.
const SYSTEM: &str = "'mysql', 'information_schema', 'performance_schema', 'sys'";
/// Tables that one statement tries to read.
const TRIED_AT_ONCE: usize = 100;

/// Reads the catalog over an open connection: of the database of the URL, or of all that are not the server's own.
///
/// # Errors
/// When the server refuses a query or the connection is lost.
pub async fn read_catalog(source: &MySqlSource, link: &Link) -> Result<Catalog, SourceError> {
    let scope = Scope::of(source, link).await?;
    let mut tables = read_tables(link, &scope).await?;
    let checked = read_checked_json(link, &scope).await?;
    for line in link.query(scope.sql(COLUMNS, "c.TABLE_SCHEMA")).await? {
        let name = name_of(&line);
        if let Some(table) = tables.get_mut(&name) {
            table.columns.push(column_of(&name, &line, &checked));
        }
    }
    for line in indexes(link, &scope).await? {
        let name = name_of(&line);
        if let Some(table) = tables.get_mut(&name) {
            add_to_index(table, &line);
        }
    }
    for line in link.query(scope.sql(FOREIGN_KEYS, "k.TABLE_SCHEMA")).await? {
        add_to_key(&mut tables, &line);
    }
    // A key into another database, or to a table that this user may not see, leads nowhere.
    let known: HashSet<TableName> = tables.keys().cloned().collect();
    for table in tables.values_mut() {
        table.foreign_keys.retain(|key| known.contains(&key.target));
        for index in table.indexes.iter().filter(|index| index.name == "PRIMARY") {
            table.primary_key = index.columns.iter().copied().flatten().collect();
        }
    }
    settle_keys(&mut tables);
    let refused = refused_tables(link, tables.keys().cloned().collect()).await?;
    for table in tables.values_mut() {
        table.can_select = !refused.contains(&table.name);
    }
    Ok(Catalog {
        tables: tables
            .into_iter()
            .map(|(name, table)| (name, Arc::new(table)))
            .collect(),
        version: link.server().version.clone(),
        database: DATABASE.into(),
        operators: Some(Arc::new(Operators)),
    })
}

/// Which databases are read.
struct Scope {
    database: Option<String>,
}

impl Scope {
    async fn of(source: &MySqlSource, link: &Link) -> Result<Self, SourceError> {
        if source.address.database.is_empty() {
            return Ok(Self { database: None });
        }
        // Spelt as the server does, where it does not tell capital letters from small ones.
        let line = link.one("SELECT DATABASE()").await?;
        Ok(Self {
            database: line.into_iter().next().flatten(),
        })
    }

    fn sql(&self, query: &str, column: &str) -> String {
        let condition = match &self.database {
            Some(database) => format!("{column} = {}", literal(database)),
            None => format!("{column} NOT IN ({SYSTEM})"),
        };
        query.replace("$scope", &condition)
    }
}

/// Views and sequences are left out; a table with the history of its rows shows those of now.
const TABLES: &str = "
    SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_ROWS, t.DATA_LENGTH FROM information_schema.TABLES t
    WHERE $scope AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')";

const COLUMNS: &str = "
    SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.IS_NULLABLE, c.COLLATION_NAME,
           c.EXTRA, COALESCE(c.DATETIME_PRECISION, c.NUMERIC_SCALE, 0), COALESCE(c.NUMERIC_PRECISION, 0)
    FROM information_schema.COLUMNS c WHERE $scope
    ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION";

const INDEXES: &str = "
    SELECT s.TABLE_SCHEMA, s.TABLE_NAME, s.INDEX_NAME, s.COLUMN_NAME, s.NON_UNIQUE
    FROM information_schema.STATISTICS s WHERE $scope AND s.INDEX_TYPE IN ('BTREE', 'HASH', 'RTREE', 'SKIPLIST')
    ORDER BY s.TABLE_SCHEMA, s.TABLE_NAME, s.INDEX_NAME, s.SEQ_IN_INDEX";

const FOREIGN_KEYS: &str = "
    SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_SCHEMA,
           k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME
    FROM information_schema.KEY_COLUMN_USAGE k WHERE $scope AND k.REFERENCED_TABLE_NAME IS NOT NULL
    ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION";

/// MariaDB's JSON is a `longtext` with this check, whose name is that of the column.
const CHECKED_JSON: &str = "
    SELECT k.CONSTRAINT_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS k
    WHERE $scope AND LOWER(k.CHECK_CLAUSE) LIKE 'json_valid(%'";

fn text(line: &Line, place: usize) -> String {
    line.get(place).cloned().flatten().unwrap_or_default()
}

fn number(line: &Line, place: usize) -> u64 {
    text(line, place).parse().unwrap_or(0)
}

fn name_of(line: &Line) -> TableName {
    TableName::new(text(line, 0), text(line, 1))
}

async fn read_tables(link: &Link, scope: &Scope) -> Result<HashMap<TableName, CatalogTable>, SourceError> {
    let mut tables = HashMap::new();
    for line in link.query(scope.sql(TABLES, "t.TABLE_SCHEMA")).await? {
        let table = CatalogTable {
            rows_estimated: number(&line, 2),
            size_bytes: number(&line, 3),
            ..CatalogTable::new(name_of(&line))
        };
        tables.insert(table.name.clone(), table);
    }
    Ok(tables)
}

/// Tables with their columns, as far as they are there: nothing else of them is read.
///
/// # Errors
/// When the server refuses a query or the connection is lost.
pub async fn read_columns(link: &Link, names: &[TableName]) -> Result<Vec<Arc<CatalogTable>>, SourceError> {
    let mut tables = Vec::new();
    for name in names {
        let condition = format!(
            "c.TABLE_SCHEMA = {} AND c.TABLE_NAME = {}",
            literal(&name.schema),
            literal(&name.table)
        );
        let lines = link.query(COLUMNS.replace("$scope", &condition)).await?;
        let mut table = CatalogTable::new(name.clone());
        table.columns = lines
            .iter()
            .map(|line| column_of(name, line, &HashSet::new()))
            .collect();
        if !table.columns.is_empty() {
            tables.push(Arc::new(table));
        }
    }
    Ok(tables)
}

async fn read_checked_json(link: &Link, scope: &Scope) -> Result<HashSet<(TableName, String)>, SourceError> {
    if !link.server().is_mariadb() {
        return Ok(HashSet::new());
    }
    let lines = link.query(scope.sql(CHECKED_JSON, "k.CONSTRAINT_SCHEMA")).await?;
    Ok(lines.iter().map(|line| (name_of(line), text(line, 2))).collect())
}

fn column_of(table: &TableName, line: &Line, checked: &HashSet<(TableName, String)>) -> CatalogColumn {
    let (name, data_type) = (text(line, 2), text(line, 3).to_lowercase());
    Declared {
        is_checked_json: data_type == "longtext" && checked.contains(&(table.clone(), name.clone())),
        name,
        data_type,
        type_text: text(line, 4),
        nullable: text(line, 5) == "YES",
        collation: line.get(6).cloned().flatten(),
        extra: text(line, 7),
        digits: u32::try_from(number(line, 8)).unwrap_or(0),
        precision: u32::try_from(number(line, 9)).unwrap_or(0),
    }
    .column()
}

/// An index that the optimizer was told to ignore finds nothing; its being unique holds all the same.
async fn indexes(link: &Link, scope: &Scope) -> Result<Vec<Line>, SourceError> {
    link.query(scope.sql(INDEXES, "s.TABLE_SCHEMA")).await
}

fn add_to_index(table: &mut CatalogTable, line: &Line) {
    let (name, column) = (text(line, 2), text(line, 3));
    let place = table.column(&column);
    let key = place.map(|place| {
        let column = &table.columns[place];
        IndexKey {
            family: column.declared_type,
            collation: column.collation.as_ref().map_or(0, |c| c.id),
        }
    });
    // Of an expression nothing is known.
    let key = key.unwrap_or(IndexKey {
        family: 0,
        collation: 0,
    });
    match table.indexes.last_mut() {
        Some(index) if index.name == name => {
            index.columns.push(place);
            index.keys.push(key);
        }
        _ => table.indexes.push(CatalogIndex {
            name,
            columns: vec![place],
            keys: vec![key],
            is_unique: text(line, 4) == "0",
        }),
    }
}

fn add_to_key(tables: &mut HashMap<TableName, CatalogTable>, line: &Line) {
    let target = TableName::new(text(line, 4), text(line, 5));
    let Some(table) = tables.get_mut(&name_of(line)) else {
        return;
    };
    let (name, own, other) = (text(line, 2), text(line, 3), text(line, 6));
    match table.foreign_keys.last_mut() {
        Some(key) if key.name == name => {
            key.columns.push(own);
            key.target_columns.push(other);
        }
        _ => table.foreign_keys.push(CatalogForeignKey {
            name,
            columns: vec![own],
            target,
            target_columns: vec![other],
            equalities: Vec::new(),
        }),
    }
}

/// How each key compares: its columns are of one type and one collation, so in the way of the column that is referred to.
fn settle_keys(tables: &mut HashMap<TableName, CatalogTable>) {
    use crate::data::equality::RowOperators;
    let columns: HashMap<TableName, Vec<CatalogColumn>> = tables
        .iter()
        .map(|(name, table)| (name.clone(), table.columns.clone()))
        .collect();
    for table in tables.values_mut() {
        let own = table.columns.clone();
        for key in &mut table.foreign_keys {
            let others = columns.get(&key.target);
            let equality = |own_name: &String, other_name: &String| {
                let own = own.iter().find(|c| c.name == *own_name)?;
                let other = others?.iter().find(|c| c.name == *other_name)?;
                Operators.equality(other, own).map(Arc::new)
            };
            let all: Option<Vec<_>> = (key.columns.iter().zip(&key.target_columns))
                .map(|(own, other)| equality(own, other))
                .collect();
            key.equalities = all.unwrap_or_default();
        }
    }
}

/// The tables that this user may not read, found out by trying: rights come from roles and patterns as well.
async fn refused_tables(link: &Link, mut names: Vec<TableName>) -> Result<HashSet<TableName>, SourceError> {
    names.sort();
    let mut refused = HashSet::new();
    for some in names.chunks(TRIED_AT_ONCE) {
        if link.prepare(&trial(some)).await.is_ok() {
            continue;
        }
        for name in some {
            match link.prepare(&trial(std::slice::from_ref(name))).await {
                Err(SourceError::NoRight { .. }) => {
                    refused.insert(name.clone());
                }
                // A table that is broken says so when it is read.
                Ok(()) | Err(SourceError::Query { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(refused)
}

fn trial(names: &[TableName]) -> String {
    let tried: Vec<String> = (names.iter())
        .map(|name| format!("(SELECT 1 FROM {} LIMIT 0)", table_name(name)))
        .collect();
    format!("SELECT {}", tried.join(", "))
}
