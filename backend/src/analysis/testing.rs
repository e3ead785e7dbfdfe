//! Things to look at, for the tests of the rules.

use super::facts::{ColumnFacts, KeyFacts, SourceFacts, TableFacts, Trait};
use super::rules::{Subject, detect};
use crate::data::catalog::testing::int4;
use crate::data::catalog::{Catalog, CatalogColumn, CatalogForeignKey, CatalogIndex, CatalogTable, IndexKey};
use chrono::{DateTime, Utc};
use godwit_shared::analysis::Detection;
use godwit_shared::job::MigrationMode;
use godwit_shared::mapping::Content;
use godwit_shared::proposal::Facts;
use godwit_shared::schema::TableName;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A source that is put together in a test.
pub struct Bench {
    pub catalog: Catalog,
    pub facts: SourceFacts,
    pub figures: Facts,
    pub content: Content,
    pub mode: MigrationMode,
    pub now: DateTime<Utc>,
}

pub fn column(name: &str, kind: &str) -> CatalogColumn {
    CatalogColumn {
        type_text: kind.into(),
        ..int4(name)
    }
}

pub fn index(name: &str, columns: &[usize], is_unique: bool) -> CatalogIndex {
    CatalogIndex {
        name: name.into(),
        columns: columns.iter().copied().map(Some).collect(),
        keys: columns
            .iter()
            .map(|_| IndexKey {
                family: 1,
                collation: 0,
            })
            .collect(),
        is_unique,
    }
}

/// A table with the key `id` and nothing that any rule could say of it.
pub fn table(name: &str) -> CatalogTable {
    let key = CatalogColumn {
        nullable: false,
        ..int4("id")
    };
    CatalogTable {
        columns: vec![key],
        primary_key: vec![0],
        indexes: vec![index("pkey", &[0], true)],
        rows_estimated: 10,
        size_bytes: 8_192,
        ..CatalogTable::new(TableName::new("public", name))
    }
}

pub fn key(name: &str, column: &str, target: &str) -> CatalogForeignKey {
    CatalogForeignKey {
        name: name.into(),
        columns: vec![column.into()],
        target: TableName::new("public", target),
        target_columns: vec!["id".into()],
        equalities: Vec::new(),
    }
}

impl Bench {
    /// Two tables, of which one refers to the other by a column with an index: no rule applies.
    pub fn clean() -> Self {
        let mut child = table("child");
        child.columns.push(int4("parent_id"));
        child.foreign_keys.push(key("fk", "parent_id", "parent"));
        child.indexes.push(index("by_parent", &[1], false));
        let mut bench = Self {
            catalog: Catalog {
                database: "shop".into(),
                ..Catalog::default()
            },
            facts: SourceFacts::default(),
            figures: Facts::default(),
            content: Content::default(),
            mode: MigrationMode::Snapshot,
            now: DateTime::from_timestamp(1_800_000_000, 0).expect("a date"),
        };
        bench.add(table("parent"));
        bench.add(child);
        bench
    }

    pub fn add(&mut self, table: CatalogTable) {
        self.facts.tables.entry(table.name.clone()).or_default();
        self.catalog.tables.insert(table.name.clone(), Arc::new(table));
    }

    pub fn change(&mut self, name: &str, change: impl FnOnce(&mut CatalogTable)) {
        let name = TableName::new("public", name);
        let mut table = (*self.catalog.tables[&name]).clone();
        change(&mut table);
        self.catalog.tables.insert(name, Arc::new(table));
    }

    pub fn facts(&mut self, name: &str) -> &mut TableFacts {
        self.facts.tables.entry(TableName::new("public", name)).or_default()
    }

    /// Adds a column to `parent`.
    pub fn column(&mut self, name: &str, kind: &str, traits: &[Trait]) -> &mut ColumnFacts {
        let added = column(name, kind);
        self.change("parent", |t| t.columns.push(added));
        let facts = ColumnFacts {
            traits: traits.to_vec(),
            ..ColumnFacts::default()
        };
        let columns = &mut self.facts("parent").columns;
        columns.insert(name.into(), facts);
        columns.get_mut(name).expect("it was put there")
    }

    pub fn fk(&mut self) -> &mut KeyFacts {
        self.facts("child").keys.entry("fk".into()).or_default()
    }

    pub fn detect(&self) -> Vec<Detection> {
        let mut tables: Vec<&Arc<CatalogTable>> = self.catalog.tables.values().collect();
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        detect(&Subject {
            database: &self.catalog.database,
            tables: tables.into_iter().map(AsRef::as_ref).collect(),
            facts: &self.facts,
            figures: &self.figures,
            content: &self.content,
            mode: self.mode,
            now: self.now,
        })
    }

    /// The rules that apply.
    pub fn rules(&self) -> BTreeSet<String> {
        self.detect().into_iter().map(|d| d.rule).collect()
    }

    /// The one detection that there is.
    pub fn only(&self, rule: &str) -> Detection {
        let found = self.detect();
        let rules: Vec<&str> = found.iter().map(|d| d.rule.as_str()).collect();
        assert_eq!(rules, [rule]);
        found[0].clone()
    }
}
