//! The live catalog in the form of a project file.

use crate::data::catalog::{Catalog, CatalogTable};
use godwit_shared::connection::SourceKind;
use godwit_shared::schema::{
    Cardinality, Column, ColumnPair, ColumnType, Database, ForeignKey, Metadata, PrimaryKeyMember, RelationalModel,
    Table, TablePath,
};
use serde_json::{Map, json};

/// All tables of a catalog as a relational model, by schema and name.
pub fn model_of(kind: SourceKind, catalog: &Catalog) -> RelationalModel {
    let mut tables: Vec<&CatalogTable> = catalog.tables.values().map(AsRef::as_ref).collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    let mut database = Database::default();
    for table in tables {
        let schema = database.schemas.entry(table.name.schema.clone()).or_default();
        schema.tables.insert(table.name.table.clone(), table_of(catalog, table));
    }
    let metadata = Metadata {
        database_type: kind.code().into(),
        database_version: catalog.version.clone(),
        extra: Map::new(),
    };
    RelationalModel {
        databases: [(catalog.database.clone(), database)].into_iter().collect(),
        metadata,
        extra: Map::new(),
    }
}

fn table_of(catalog: &Catalog, table: &CatalogTable) -> Table {
    let names = |columns: &[Option<usize>]| {
        json!(
            columns
                .iter()
                .flatten()
                .map(|c| table.columns[*c].name.as_str())
                .collect::<Vec<_>>()
        )
    };
    let indexes = |is_unique: bool| {
        table
            .indexes
            .iter()
            .filter(|i| i.is_unique == is_unique)
            .map(|i| (i.name.clone(), names(&i.columns)))
            .collect()
    };
    Table {
        kind: "TABLE".into(),
        size: i64::try_from(table.size_bytes).unwrap_or(i64::MAX),
        columns: (0..table.columns.len())
            .map(|i| (table.columns[i].name.clone(), column_of(table, i)))
            .collect(),
        unique_indexes: indexes(true),
        non_unique_indexes: indexes(false),
        foreign_keys: table
            .foreign_keys
            .iter()
            .map(|key| {
                let columns: Vec<usize> = key.columns.iter().filter_map(|c| table.column(c)).collect();
                let entry = ForeignKey {
                    target_table: TablePath {
                        database: catalog.database.clone(),
                        schema: key.target.schema.clone(),
                        table: key.target.table.clone(),
                    },
                    cardinality: if table.is_unique_on(&columns) {
                        Cardinality::ZeroToOne
                    } else {
                        Cardinality::ZeroToMany
                    },
                    column_mappings: key
                        .columns
                        .iter()
                        .zip(&key.target_columns)
                        .map(|(source, target)| ColumnPair {
                            source: source.clone(),
                            target: target.clone(),
                        })
                        .collect(),
                    synthetic: false,
                    extra: Map::new(),
                };
                (key.name.clone(), entry)
            })
            .collect(),
        extra: Map::new(),
    }
}

fn column_of(table: &CatalogTable, index: usize) -> Column {
    let column = &table.columns[index];
    let leads = |unique: bool| {
        table
            .indexes
            .iter()
            .any(|i| i.columns.first() == Some(&Some(index)) && (!unique || (i.is_unique && i.columns.len() == 1)))
    };
    let name_of =
        |t: godwit_shared::mapping::FieldType| serde_json::to_value(t).ok().and_then(|v| v.as_str().map(Into::into));
    Column {
        kind: ColumnType {
            default_mongo_field_type: name_of(column.default_type),
            database_specific_type: column.type_text.clone(),
            ..ColumnType::default()
        },
        ordinal_position: index as u32 + 1,
        nullable: column.nullable,
        auto_incremented: column.is_auto_incremented,
        generated: column.is_generated,
        hidden: false,
        indexed: leads(false),
        unique_indexed: leads(true),
        primary_key: table.primary_key.contains(&index).then(|| PrimaryKeyMember {
            name: "PRIMARY".into(),
            extra: Map::new(),
        }),
        foreign_key: None,
        extra: Map::new(),
    }
}
