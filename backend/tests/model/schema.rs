//! Random tables: with a key of one or two columns or none, and foreign keys from any columns of any table to any
//! columns of any table. So there are cycles, self references, shared keys, and keys that lead to several rows; nothing
//! holds a row back whose key leads nowhere.

use crate::random::Random;
use godwit::data::catalog::{Catalog, CatalogColumn, CatalogTable};
use godwit::data::equality::{Equality, EqualityCollation, KeyClass, RowOperators};
use godwit::source::postgres::values::Codec;
use godwit_shared::mapping::FieldType;
use godwit_shared::schema::TableName;
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub struct Schema {
    pub tables: Vec<Table>,
    names: Vec<TableName>,
    pub keys: Vec<ForeignKey>,
    /// Values of cells are below it.
    pub values: usize,
}

pub struct Table {
    pub columns: Vec<Column>,
    pub primary_key: Vec<usize>,
}

pub struct Column {
    /// Keys of two types are compared by the source; a child's key is then not the root's as it stands.
    pub cast: &'static str,
    /// Its values are stored apart: the log leaves them out where a change does.
    pub is_large: bool,
}

pub struct ForeignKey {
    /// Tables.
    pub from: usize,
    pub to: usize,
    /// A column of `from` and the one of `to` that it refers to.
    pub pairs: Vec<(usize, usize)>,
}

pub fn column_name(column: usize) -> String {
    format!("c{column}")
}

pub fn key_name(key: usize) -> String {
    format!("k{key}")
}

pub fn table_name(table: usize) -> TableName {
    TableName::new("public", format!("t{table}"))
}

impl Schema {
    pub fn random(random: &mut Random) -> Self {
        let tables: Vec<Table> = (0..random.between(2, 5)).map(|_| Table::random(random)).collect();
        let keys = (0..random.between(2, 8))
            .map(|_| {
                let (from, to) = (random.below(tables.len()), random.below(tables.len()));
                ForeignKey::random(random, (from, &tables[from]), (to, &tables[to]))
            })
            .collect();
        Self {
            names: (0..tables.len()).map(table_name).collect(),
            tables,
            keys,
            values: random.between(2, 5),
        }
    }

    /// Which table this is.
    pub fn number_of(&self, table: &CatalogTable) -> usize {
        let found = self.names.iter().position(|name| *name == table.name);
        found.expect("the catalog was made from the schema")
    }

    /// What the source's catalog would say.
    pub fn catalog(&self) -> Catalog {
        let tables = self.tables.iter().enumerate().map(|(number, table)| {
            let table = CatalogTable {
                columns: (0..table.columns.len()).map(|c| table.catalog_column(c)).collect(),
                primary_key: table.primary_key.clone(),
                ..CatalogTable::new(table_name(number))
            };
            (table.name.clone(), Arc::new(table))
        });
        Catalog {
            tables: tables.collect(),
            version: "15.0".into(),
            database: "db".into(),
            operators: Some(Arc::new(Integers)),
        }
    }

    /// The same as it stands in a project file: `schema.full`.
    pub fn in_project(&self) -> Value {
        let tables: Map<String, Value> = (0..self.tables.len())
            .map(|t| (table_name(t).table, json!({ "foreignKeys": self.keys_of(t) })))
            .collect();
        json!({ "databases": { "db": { "schemas": { "public": { "tables": tables } } } } })
    }

    fn keys_of(&self, table: usize) -> Map<String, Value> {
        let keys = self.keys.iter().enumerate().filter(|(_, k)| k.from == table);
        keys.map(|(number, key)| {
            let pair =
                |(from, to): &(usize, usize)| json!({ "source": column_name(*from), "target": column_name(*to) });
            let value = json!({
                "targetTable": { "database": "db", "schema": "public", "table": table_name(key.to).table },
                "columnMappings": key.pairs.iter().map(pair).collect::<Vec<Value>>(),
            });
            (key_name(number), value)
        })
        .collect()
    }
}

impl Table {
    fn random(random: &mut Random) -> Self {
        let columns = random.between(2, 5);
        let key_columns = random.pick(&[0, 1, 1, 1, 2]);
        Self {
            columns: (0..columns).map(|_| Column::random(random)).collect(),
            primary_key: random.distinct(key_columns, columns),
        }
    }

    fn catalog_column(&self, column: usize) -> CatalogColumn {
        CatalogColumn {
            name: column_name(column),
            type_text: self.columns[column].cast.into(),
            cast: self.columns[column].cast.into(),
            declared_type: 23,
            collation: None,
            equality: Some(Arc::new(equality())),
            key_order: None,
            class: KeyClass::Canonical,
            default_type: FieldType::Integer,
            nullable: !self.primary_key.contains(&column),
            is_generated: false,
            is_auto_incremented: false,
            is_orderable: true,
            sent_by: None,
            reads_as_text: false,
            loses_identity: false,
            equals_as_bytes: true,
            comes_apart: false,
            decoder: Arc::new(Codec::Int4),
        }
    }
}

impl Column {
    fn random(random: &mut Random) -> Self {
        Self {
            cast: random.pick(&["int4", "int4", "int4", "int8"]),
            is_large: random.percent(15),
        }
    }
}

impl ForeignKey {
    /// Mostly to the primary key.
    fn random(random: &mut Random, (from, source): (usize, &Table), (to, target): (usize, &Table)) -> Self {
        let (source_columns, target_columns) = (source.columns.len(), target.columns.len());
        let columns = if !target.primary_key.is_empty() && random.percent(75) {
            target.primary_key.clone()
        } else {
            let count = random.pick(&[1, 1, 2]);
            random.distinct(count, target_columns)
        };
        let own = random.distinct(columns.len(), source_columns);
        let mut pairs: Vec<(usize, usize)> = own.into_iter().zip(columns).collect();
        if random.percent(50) {
            // In another order than that of the primary key.
            pairs.reverse();
        }
        Self { from, to, pairs }
    }
}

/// All columns hold integers, which are compared with each other whatever their width.
#[derive(Debug)]
struct Integers;

impl RowOperators for Integers {
    fn equality(&self, _: &CatalogColumn, _: &CatalogColumn) -> Option<Equality> {
        Some(equality())
    }
}

fn equality() -> Equality {
    Equality {
        operator: "OPERATOR(\"pg_catalog\".=)".into(),
        casts: [None, None],
        collation: EqualityCollation::None,
        families: Vec::new(),
        shown: "integer = integer".into(),
    }
}
