//! A catalog of what a project says of its tables: for drafts whose source is away, or that never had one.
//!
//! Enough for the plan's validation; no row can be read with it.

use crate::data::catalog::{Catalog, CatalogColumn, CatalogForeignKey, CatalogTable};
use crate::data::equality::{Equality, EqualityCollation, KeyClass};
use crate::data::value::{CellDecoder, Note, Value};
use godwit_shared::edit::types::default_of;
use godwit_shared::schema::{Column, RelationalModel, Table, TableName};
use std::collections::HashMap;
use std::sync::Arc;

/// The tables of a relational model.
pub fn catalog_of(model: &RelationalModel) -> Catalog {
    let tables: HashMap<TableName, Arc<CatalogTable>> = model
        .tables()
        .map(|(path, table)| (path.name(), Arc::new(table_of(path.name(), table))))
        .collect();
    Catalog {
        tables,
        version: model.metadata.database_version.clone(),
        database: model.databases.keys().next().cloned().unwrap_or_default(),
        operators: None,
    }
}

fn table_of(name: TableName, table: &Table) -> CatalogTable {
    let mut columns: Vec<(&String, &Column)> = table.columns.iter().collect();
    columns.sort_by_key(|(_, c)| c.ordinal_position);
    let keys = columns.iter().enumerate().filter(|(_, (_, c))| c.primary_key.is_some());
    CatalogTable {
        primary_key: keys.map(|(place, _)| place).collect(),
        columns: columns.iter().map(|(name, column)| column_of(name, column)).collect(),
        foreign_keys: table
            .foreign_keys
            .iter()
            .map(|(name, key)| CatalogForeignKey {
                name: name.clone(),
                columns: key.column_mappings.iter().map(|p| p.source.clone()).collect(),
                target: key.target_table.name(),
                target_columns: key.column_mappings.iter().map(|p| p.target.clone()).collect(),
                // Whether the source can compare them is for the source to say.
                equalities: key.column_mappings.iter().map(|_| Arc::new(any_equality())).collect(),
            })
            .collect(),
        ..CatalogTable::new(name)
    }
}

fn any_equality() -> Equality {
    Equality {
        operator: "OPERATOR(\"pg_catalog\".=)".into(),
        casts: [None, None],
        collation: EqualityCollation::None,
        families: Vec::new(),
        shown: "as the source compares them".into(),
    }
}

fn column_of(name: &str, column: &Column) -> CatalogColumn {
    CatalogColumn {
        name: name.to_owned(),
        type_text: column.kind.database_specific_type.clone(),
        cast: "\"pg_catalog\".\"text\"".into(),
        declared_type: 25,
        collation: None,
        equality: Some(Arc::new(any_equality())),
        key_order: None,
        class: KeyClass::Canonical,
        default_type: default_of(column),
        nullable: column.nullable,
        is_generated: column.generated,
        is_auto_incremented: column.auto_incremented,
        is_orderable: true,
        sent_by: None,
        reads_as_text: true,
        loses_identity: false,
        equals_as_bytes: true,
        comes_apart: false,
        decoder: Arc::new(NoRows),
    }
}

/// The decoder of columns of which no cell ever comes.
#[derive(Debug)]
struct NoRows;

impl CellDecoder for NoRows {
    fn decode<'a>(&self, _cell: &'a [u8], _notes: &mut Vec<Note>) -> Value<'a> {
        Value::Null
    }

    fn print(&self, _cell: &[u8]) -> String {
        String::new()
    }

    fn try_print(&self, _cell: &[u8]) -> Option<String> {
        None
    }

    fn canonical(&self, _cell: &[u8], _out: &mut Vec<u8>) {}
}
