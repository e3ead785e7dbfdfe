//! Changes that the log does not tell of: DDL, partitions that come and go, renamed labels. They are found by comparing
//! the catalog as it was with the catalog as it is.

use super::client::{PgClient, query_error};
use super::queries::quote;
use crate::data::catalog::CatalogTable;
use crate::source::SourceError;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What the catalog says of the tables of a plan, as far as documents depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaState {
    /// In the order of the tables; `None` where there is no such table.
    pub tables: Vec<Option<TableState>>,
    /// Labels of enums by object id.
    labels: BTreeMap<u32, String>,
    /// Attributes of composite types, in order with their types, by object id.
    #[serde(default)]
    composites: BTreeMap<u32, String>,
    /// Tables that the publication holds, each with the mark of its entry: one that was taken out and added again has
    /// another. 0 stands for all tables.
    published: Vec<(u32, u32)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableState {
    pub oid: u32,
    /// The table itself; of a partitioned one its leaves.
    pub relations: Vec<RelationState>,
    /// Columns that the plan reads, by name.
    columns: BTreeMap<String, ColumnState>,
    primary_key: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationState {
    pub oid: u32,
    /// Quoted, with its schema.
    pub name: String,
    /// The file that holds the rows: another one after a rewrite, a TRUNCATE, a VACUUM FULL.
    file: u32,
    /// When the columns that the plan reads were last changed: the rows of the catalog that describe them.
    described: Vec<String>,
    pub size_bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ColumnState {
    /// Another one has the name when this changes: its values are others.
    number: i16,
    type_oid: u32,
    modifier: i32,
}

/// One difference, for the table of this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaChange {
    /// There is no such table any more.
    TableGone(usize),
    /// A column that the plan reads is gone or has another type, or the primary key is another one.
    Columns { table: usize, gone: Vec<String> },
    /// Another table has the name now, or the rows were rewritten.
    Rewritten(usize),
    /// Partitions that were attached or made.
    LeavesAdded { table: usize, leaves: Vec<RelationState> },
    /// Partitions that were detached or dropped.
    LeavesRemoved(usize),
    /// The publication does not hold the table.
    NotPublished(usize),
    /// A label of an enum has another text, or a composite type has other attributes.
    TypeChanged,
}

const RELATIONS: &str = "
    WITH RECURSIVE tree(n, root, oid) AS (
        SELECT u.n, c.oid, c.oid FROM unnest($1::text[], $2::text[]) WITH ORDINALITY u(s, t, n)
        JOIN pg_namespace ns ON ns.nspname = u.s
        JOIN pg_class c ON c.relnamespace = ns.oid AND c.relname = u.t AND c.relkind IN ('r', 'p')
        UNION ALL
        SELECT t.n, t.root, i.inhrelid FROM tree t JOIN pg_class p ON p.oid = t.oid AND p.relkind = 'p'
        JOIN pg_inherits i ON i.inhparent = t.oid)
    SELECT (t.n - 1)::int4, t.root, t.oid, c.relkind::text, c.relfilenode, ns.nspname::text, c.relname::text,
           CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) ELSE 0 END
    FROM tree t JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace ns ON ns.oid = c.relnamespace ORDER BY t.n, t.oid";

const COLUMNS: &str = "
    SELECT a.attrelid, a.attname::text, a.atttypid, a.atttypmod, a.xmin::text, a.attnum FROM pg_attribute a
    WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attname";

const KEYS: &str = "
    SELECT con.conrelid, a.attname::text FROM pg_constraint con
    CROSS JOIN unnest(con.conkey) WITH ORDINALITY k(n, place)
    JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.n
    WHERE con.contype = 'p' AND con.conrelid = ANY ($1::oid[]) ORDER BY con.conrelid, k.place";

const LABELS: &str = "SELECT oid, enumlabel::text FROM pg_enum";

const COMPOSITES: &str = "
    SELECT t.oid, string_agg(format('%I %s %s', a.attname, a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
    FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped GROUP BY t.oid";

const PUBLISHED: &str = "
    SELECT CASE WHEN p.puballtables THEN 0::oid ELSE r.prrelid END,
           CASE WHEN p.puballtables THEN p.oid ELSE r.oid END FROM pg_publication p
    LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid
    WHERE p.pubname = $1 AND (p.puballtables OR r.prrelid IS NOT NULL)";

/// Reads the state in the point in time of the connection. `columns` are those that the plan reads of each table.
///
/// # Errors
/// When the source does not answer.
pub async fn read_state(
    pg: &PgClient,
    tables: &[Arc<CatalogTable>],
    columns: &[Vec<String>],
    publication: &str,
) -> Result<SchemaState, SourceError> {
    let schemas: Vec<&str> = tables.iter().map(|t| t.name.schema.as_str()).collect();
    let names: Vec<&str> = tables.iter().map(|t| t.name.table.as_str()).collect();
    let client = &pg.client;
    let relations = client
        .query(RELATIONS, &[&schemas, &names])
        .await
        .map_err(query_error)?;
    let oids: Vec<u32> = relations.iter().map(|r| r.get(2)).collect();
    let described = client.query(COLUMNS, &[&oids]).await.map_err(query_error)?;
    let keys = client.query(KEYS, &[&oids]).await.map_err(query_error)?;
    let labels = client.query(LABELS, &[]).await.map_err(query_error)?;
    let composites = client.query(COMPOSITES, &[]).await.map_err(query_error)?;
    let published = client.query(PUBLISHED, &[&publication]).await.map_err(query_error)?;

    let mut columns_of: HashMap<u32, Vec<(String, ColumnState, String)>> = HashMap::new();
    for row in &described {
        let state = ColumnState {
            number: row.get(5),
            type_oid: row.get(2),
            modifier: row.get(3),
        };
        columns_of
            .entry(row.get(0))
            .or_default()
            .push((row.get(1), state, row.get(4)));
    }
    let mut state = SchemaState {
        tables: vec![None; tables.len()],
        labels: labels.iter().map(|r| (r.get(0), r.get(1))).collect(),
        composites: composites.iter().map(|r| (r.get(0), r.get(1))).collect(),
        published: published.iter().map(|r| (r.get(0), r.get(1))).collect(),
    };
    state.published.sort_unstable();
    for row in &relations {
        let place = usize::try_from(row.get::<_, i32>(0)).unwrap_or(usize::MAX);
        let (Some(table), Some(used)) = (state.tables.get_mut(place), columns.get(place)) else {
            continue;
        };
        let (root, oid, kind): (u32, u32, String) = (row.get(1), row.get(2), row.get(3));
        let described = columns_of.get(&oid).map_or(&[][..], Vec::as_slice);
        let table = table.get_or_insert_with(|| TableState {
            oid: root,
            relations: Vec::new(),
            columns: BTreeMap::new(),
            primary_key: Vec::new(),
        });
        if oid == root {
            let read = described.iter().filter(|(name, ..)| used.contains(name));
            table.columns = read.map(|(name, column, _)| (name.clone(), column.clone())).collect();
            let key = keys.iter().filter(|r| r.get::<_, u32>(0) == oid);
            table.primary_key = key.map(|r| r.get(1)).collect();
        }
        if kind == "r" {
            let read = described.iter().filter(|(name, ..)| used.contains(name));
            table.relations.push(RelationState {
                oid,
                name: format!("{}.{}", quote(row.get(5)), quote(row.get(6))),
                file: row.get(4),
                described: read.map(|(.., version)| version.clone()).collect(),
                size_bytes: row.get::<_, i64>(7).max(0) as u64,
            });
        }
    }
    Ok(state)
}

/// The table of a relation that appeared meanwhile: a leaf of one of the tables. `None` when it is gone already.
///
/// # Errors
/// When the source does not answer.
pub async fn table_of_relation(
    pg: &PgClient,
    tables: &[Arc<CatalogTable>],
    oid: u32,
) -> Result<Option<usize>, SourceError> {
    let rows = pg.client.query(ANCESTORS, &[&oid]).await.map_err(query_error)?;
    let found = |r: &tokio_postgres::Row| {
        let (schema, name): (String, String) = (r.get(0), r.get(1));
        tables
            .iter()
            .position(|t| t.name.schema == schema && t.name.table == name)
    };
    Ok(rows.iter().find_map(found))
}

const ANCESTORS: &str = "
    WITH RECURSIVE up(oid) AS (
        SELECT $1::oid UNION ALL
        SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.oid
        JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p')
    SELECT n.nspname::text, c.relname::text FROM up JOIN pg_class c USING (oid)
    JOIN pg_namespace n ON n.oid = c.relnamespace";

impl SchemaState {
    /// The table of every relation, by object id.
    pub fn table_of(&self) -> HashMap<u32, usize> {
        let tables = self.tables.iter().enumerate();
        tables
            .flat_map(|(place, t)| {
                t.iter()
                    .flat_map(move |t| t.relations.iter().map(move |r| (r.oid, place)))
            })
            .collect()
    }

    /// Whether the rows lie where they lay, under the same description: nothing was rewritten, truncated or replaced.
    pub fn is_same_storage(&self, other: &SchemaState) -> bool {
        let storage = |state: &SchemaState| -> Vec<_> {
            let relations = |t: &TableState| {
                let each = t.relations.iter().map(|r| (r.oid, r.file, r.described.clone()));
                each.collect::<Vec<_>>()
            };
            state.tables.iter().map(|t| t.as_ref().map(relations)).collect()
        };
        storage(self) == storage(other)
    }

    /// What is different in a newer state.
    pub fn changes_to(&self, newer: &SchemaState) -> Vec<SchemaChange> {
        let mut changes = Vec::new();
        for (place, (old, new)) in self.tables.iter().zip(&newer.tables).enumerate() {
            match (old, new) {
                (_, None) => changes.push(SchemaChange::TableGone(place)),
                (None, Some(_)) => changes.push(SchemaChange::Rewritten(place)),
                (Some(old), Some(new)) => table_changes(place, old, new, &mut changes),
            }
            let entry = |state: &SchemaState, oid: u32| {
                let of_table = state.published.iter().find(|(table, _)| *table == oid || *table == 0);
                of_table.map(|(_, entry)| *entry)
            };
            let is_published = |t: &TableState| {
                let was = old.as_ref().and_then(|o| entry(self, o.oid));
                entry(newer, t.oid).is_some_and(|now| was.is_none_or(|was| was == now))
            };
            if new.as_ref().is_some_and(|t| !is_published(t)) {
                changes.push(SchemaChange::NotPublished(place));
            }
        }
        let differ = |old: &BTreeMap<u32, String>, new: &BTreeMap<u32, String>| {
            old.iter().any(|(oid, text)| new.get(oid).is_some_and(|t| t != text))
        };
        if differ(&self.labels, &newer.labels) || differ(&self.composites, &newer.composites) {
            changes.push(SchemaChange::TypeChanged);
        }
        changes
    }
}

fn table_changes(table: usize, old: &TableState, new: &TableState, changes: &mut Vec<SchemaChange>) {
    if old.columns != new.columns || old.primary_key != new.primary_key {
        let gone = old.columns.keys().filter(|c| !new.columns.contains_key(*c));
        changes.push(SchemaChange::Columns {
            table,
            gone: gone.cloned().collect(),
        });
    }
    let before = |r: &RelationState| old.relations.iter().find(|o| o.oid == r.oid);
    // The same name with another identity is another table; a partitioned one keeps its own.
    let is_other = old.oid != new.oid;
    // A TRUNCATE and a VACUUM FULL change the file as well, but not the description of the columns.
    let is_rewritten = new
        .relations
        .iter()
        .any(|r| before(r).is_some_and(|o| o.file != r.file && o.described != r.described));
    if is_other || is_rewritten {
        changes.push(SchemaChange::Rewritten(table));
    }
    if is_other {
        return;
    }
    let leaves: Vec<RelationState> = new.relations.iter().filter(|r| before(r).is_none()).cloned().collect();
    if !leaves.is_empty() {
        changes.push(SchemaChange::LeavesAdded { table, leaves });
    }
    let is_there = |o: &RelationState| new.relations.iter().any(|r| r.oid == o.oid);
    if !old.relations.iter().all(is_there) {
        changes.push(SchemaChange::LeavesRemoved(table));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(oid: u32, file: u32, described: &str) -> RelationState {
        RelationState {
            oid,
            name: format!("t{oid}"),
            file,
            described: vec![described.into()],
            size_bytes: 0,
        }
    }

    fn state(oid: u32, relations: Vec<RelationState>) -> SchemaState {
        let column = ColumnState {
            number: 1,
            type_oid: 23,
            modifier: -1,
        };
        let table = TableState {
            oid,
            relations,
            columns: [("id".to_owned(), column)].into(),
            primary_key: vec!["id".into()],
        };
        SchemaState {
            tables: vec![Some(table)],
            labels: [(1, "a".to_owned())].into(),
            composites: [(5, "x 23 -1".to_owned())].into(),
            published: vec![(oid, 70)],
        }
    }

    #[test]
    fn a_truncate_is_no_change_but_a_rewrite_is() {
        let old = state(1, vec![relation(1, 10, "v1")]);
        assert_eq!(old.changes_to(&state(1, vec![relation(1, 11, "v1")])), []);
        assert_eq!(old.changes_to(&state(1, vec![relation(1, 10, "v2")])), []);
        let rewritten = old.changes_to(&state(1, vec![relation(1, 11, "v2")]));
        assert_eq!(rewritten, [SchemaChange::Rewritten(0)]);
    }

    #[test]
    fn partitions_come_and_go() {
        let old = state(1, vec![relation(2, 10, "v"), relation(3, 11, "v")]);
        let new = state(1, vec![relation(3, 11, "v"), relation(4, 12, "v")]);
        let leaves = vec![relation(4, 12, "v")];
        assert_eq!(
            old.changes_to(&new),
            [
                SchemaChange::LeavesAdded { table: 0, leaves },
                SchemaChange::LeavesRemoved(0)
            ]
        );
    }

    #[test]
    fn another_table_of_the_name_has_to_be_published_anew() {
        let old = state(1, vec![relation(1, 10, "v")]);
        let mut new = state(9, vec![relation(9, 20, "w")]);
        new.published = vec![];
        assert_eq!(
            old.changes_to(&new),
            [SchemaChange::Rewritten(0), SchemaChange::NotPublished(0)]
        );
        new.tables = vec![None];
        assert_eq!(old.changes_to(&new), [SchemaChange::TableGone(0)]);
    }

    #[test]
    fn a_table_that_was_not_published_for_a_while_has_another_entry() {
        let old = state(1, vec![relation(1, 10, "v")]);
        let mut new = old.clone();
        new.published = vec![(1, 71)];
        assert_eq!(old.changes_to(&new), [SchemaChange::NotPublished(0)]);
    }

    #[test]
    fn columns_and_labels() {
        let old = state(1, vec![relation(1, 10, "v")]);
        let mut new = old.clone();
        new.labels.insert(2, "added".into());
        assert_eq!(old.changes_to(&new), []);
        let mut other = old.clone();
        other.composites.insert(5, "x 23 -1, y 25 -1".into());
        assert_eq!(old.changes_to(&other), [SchemaChange::TypeChanged]);
        new.labels.insert(1, "renamed".into());
        new.tables[0].as_mut().unwrap().columns.clear();
        let gone = vec!["id".to_owned()];
        assert_eq!(
            old.changes_to(&new),
            [SchemaChange::Columns { table: 0, gone }, SchemaChange::TypeChanged]
        );
    }
}
