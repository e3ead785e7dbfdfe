//! Changes that the log does not tell of: DDL, partitions that come and go, renamed labels. They are found by comparing
//! the catalog as it was with the catalog as it is.

use super::client::{PgClient, query_error};
use super::publication::{Needed, PublicationState, read_publication};
use super::queries::quote;
use crate::data::catalog::CatalogTable;
use crate::source::SourceError;
use crate::source::change_log::{Leaf, SchemaChange, Watched};
use crate::source::postgres::change_log::PgLogState;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What the catalog says of the tables of a plan, as far as documents depend on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PgSchema {
    /// In the order of the tables; `None` where there is no such table.
    pub tables: Vec<Option<TableState>>,
    /// Labels of enums by object id.
    labels: BTreeMap<u32, String>,
    /// Attributes of composite types, in order with their types, by object id.
    #[serde(default)]
    composites: BTreeMap<u32, String>,
    /// `None` where there is none.
    #[serde(default)]
    publication: Option<PublicationState>,
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
    /// Nothing of it is in the log.
    #[serde(default)]
    is_unlogged: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ColumnState {
    /// Another one has the name when this changes: its values are others.
    number: i16,
    type_oid: u32,
    modifier: i32,
}

/// Why changes may be missing that are published now.
const ANEW: &str = "the publication was changed";

const RELATIONS: &str = "
    WITH RECURSIVE tree(n, root, oid) AS (
        SELECT u.n, c.oid, c.oid FROM unnest($1::text[], $2::text[]) WITH ORDINALITY u(s, t, n)
        JOIN pg_namespace ns ON ns.nspname = u.s
        JOIN pg_class c ON c.relnamespace = ns.oid AND c.relname = u.t AND c.relkind IN ('r', 'p')
        UNION ALL
        SELECT t.n, t.root, i.inhrelid FROM tree t JOIN pg_class p ON p.oid = t.oid AND p.relkind = 'p'
        JOIN pg_inherits i ON i.inhparent = t.oid
        WHERE NOT coalesce((to_jsonb(i) ->> 'inhdetachpending')::bool, false))
    SELECT (t.n - 1)::int4, t.root, t.oid, c.relkind::text, c.relfilenode, ns.nspname::text, c.relname::text,
           CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) ELSE 0 END, c.relpersistence = 'u'
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

/// Reads the state in the point in time of the connection.
///
/// # Errors
/// When the source does not answer.
pub async fn read_state(pg: &PgClient, watched: &Watched) -> Result<PgSchema, SourceError> {
    let log = PgLogState::of(&watched.log)?;
    let (tables, columns) = (&watched.tables, &watched.columns);
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
    let needed: Vec<Needed> = relations.iter().filter_map(|row| needed(watched, row)).collect();
    let publication = read_publication(pg, &log.publication, &needed).await?;

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
    let mut state = PgSchema {
        tables: vec![None; tables.len()],
        labels: labels.iter().map(|r| (r.get(0), r.get(1))).collect(),
        composites: composites.iter().map(|r| (r.get(0), r.get(1))).collect(),
        publication,
    };
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
                is_unlogged: row.get(8),
            });
        }
    }
    Ok(state)
}

/// What is needed of a relation that [`RELATIONS`] has found, a partitioned table as well.
fn needed(watched: &Watched, row: &tokio_postgres::Row) -> Option<Needed> {
    let place = usize::try_from(row.get::<_, i32>(0)).ok()?;
    let (table, columns) = (watched.tables.get(place)?, watched.logged.get(place)?);
    let (root, oid): (u32, u32) = (row.get(1), row.get(2));
    Some(Needed::of(oid, table, columns, root != oid))
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

impl RelationState {
    fn leaf(&self) -> Leaf {
        Leaf {
            name: self.name.clone(),
            size_bytes: self.size_bytes,
        }
    }
}

impl PgSchema {
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
    pub fn is_same_storage(&self, other: &PgSchema) -> bool {
        let storage = |state: &PgSchema| -> Vec<_> {
            let relations = |t: &TableState| {
                let each = t.relations.iter().map(|r| (r.oid, r.file, r.described.clone()));
                each.collect::<Vec<_>>()
            };
            state.tables.iter().map(|t| t.as_ref().map(relations)).collect()
        };
        storage(self) == storage(other)
    }

    /// What is different in a newer state.
    pub fn changes_to(&self, newer: &PgSchema) -> Vec<SchemaChange> {
        let mut changes = Vec::new();
        for (place, (old, new)) in self.tables.iter().zip(&newer.tables).enumerate() {
            match (old, new) {
                (_, None) => changes.push(SchemaChange::TableGone(place)),
                (None, Some(_)) => changes.push(SchemaChange::Rewritten(place)),
                (Some(old), Some(new)) => {
                    table_changes(place, old, new, &mut changes);
                    if self.may_have_lost(newer, old, new) {
                        // The server lets a table become UNLOGGED and LOGGED again unless the publication names it.
                        changes.push(SchemaChange::Moved(place));
                    }
                }
            }
            if let Some(table) = new {
                changes.extend(self.publication_changes_to(newer, place, table));
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

impl PgSchema {
    /// Whether every change of a table is in the log, and was since this state.
    fn publication_changes_to(&self, newer: &PgSchema, place: usize, table: &TableState) -> Option<SchemaChange> {
        if let Some(reason) = newer.lack_of(table) {
            return Some(SchemaChange::NotLogged {
                table: place,
                lack: "not published",
                reason,
            });
        }
        let before = self.tables.get(place).and_then(Option::as_ref)?;
        // Of a relation that was not there no change can be missing. The partitioned table stands for those to come.
        let known = before.relations.iter().map(|r| r.oid).chain([before.oid]);
        let is_there = |oid: &u32| *oid == table.oid || table.relations.iter().any(|r| r.oid == *oid);
        let is_unbroken = known
            .filter(is_there)
            .all(|oid| match (&self.publication, &newer.publication) {
                (Some(then), Some(now)) => now.is_unbroken_since(then, oid),
                (_, _) => false,
            });
        (!is_unbroken).then_some(SchemaChange::LoggedAnew {
            table: place,
            cause: ANEW,
        })
    }

    /// Why not every change of a table is in the log.
    fn lack_of(&self, table: &TableState) -> Option<String> {
        let Some(publication) = &self.publication else {
            return Some("it is gone".into());
        };
        table.relations.iter().find_map(|relation| {
            if relation.is_unlogged {
                return Some(format!("{} is UNLOGGED", relation.name));
            }
            let lack = publication.lack_of(relation.oid)?;
            Some(format!("{lack} ({})", relation.name))
        })
    }

    /// Why the log lacks changes of some table; nothing where it lacks none.
    pub fn lack(&self) -> Option<String> {
        self.tables.iter().flatten().find_map(|table| self.lack_of(table))
    }

    /// Whether there is a publication.
    pub fn has_publication(&self) -> bool {
        self.publication.is_some()
    }

    /// Whether the publication is the very same, of the same relations.
    pub fn is_same_publication(&self, other: &PgSchema) -> bool {
        self.publication == other.publication
    }

    /// Every relation of the tables, partitioned ones too.
    pub fn relations(&self) -> Vec<u32> {
        let tables = self.tables.iter().flatten();
        tables
            .flat_map(|t| t.relations.iter().map(|r| r.oid).chain([t.oid]))
            .collect()
    }

    /// Whether a file that was replaced may have had rows that are not in the log.
    fn may_have_lost(&self, newer: &PgSchema, old: &TableState, new: &TableState) -> bool {
        let is_listed = |state: &PgSchema, oid| state.publication.as_ref().is_some_and(|p| p.lists(oid));
        new.relations.iter().any(|r| {
            let before = old.relations.iter().find(|o| o.oid == r.oid);
            let is_kept = is_listed(self, r.oid) && is_listed(newer, r.oid);
            before.is_some_and(|o| o.file != r.file && o.described == r.described) && !is_kept
        })
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
    let added = new.relations.iter().filter(|r| before(r).is_none());
    let leaves: Vec<Leaf> = added.map(RelationState::leaf).collect();
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
    use crate::source::postgres::publication::tests::listing;

    fn relation(oid: u32, file: u32, described: &str) -> RelationState {
        RelationState {
            oid,
            name: format!("t{oid}"),
            file,
            described: vec![described.into()],
            size_bytes: 0,
            is_unlogged: false,
        }
    }

    fn published(relations: &[RelationState], entry: u32) -> PublicationState {
        listing(&relations.iter().map(|r| (r.oid, entry)).collect::<Vec<_>>())
    }

    fn state(oid: u32, relations: Vec<RelationState>) -> PgSchema {
        let column = ColumnState {
            number: 1,
            type_oid: 23,
            modifier: -1,
        };
        let table = TableState {
            oid,
            relations: relations.clone(),
            columns: [("id".to_owned(), column)].into(),
            primary_key: vec!["id".into()],
        };
        PgSchema {
            tables: vec![Some(table)],
            labels: [(1, "a".to_owned())].into(),
            composites: [(5, "x 23 -1".to_owned())].into(),
            publication: Some(published(&relations, 70)),
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
        let leaves = vec![relation(4, 12, "v").leaf()];
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
        new.publication = Some(listing(&[]));
        let reason = "it does not hold it (t9)".to_owned();
        assert_eq!(
            old.changes_to(&new),
            [
                SchemaChange::Rewritten(0),
                SchemaChange::NotLogged {
                    table: 0,
                    lack: "not published",
                    reason
                }
            ]
        );
        new.tables = vec![None];
        assert_eq!(old.changes_to(&new), [SchemaChange::TableGone(0)]);
    }

    #[test]
    fn a_table_that_was_not_published_for_a_while_has_another_entry() {
        let old = state(1, vec![relation(1, 10, "v")]);
        let mut new = old.clone();
        new.publication = Some(listing(&[(1, 71)]));
        assert_eq!(
            old.changes_to(&new),
            [SchemaChange::LoggedAnew { table: 0, cause: ANEW }]
        );
        // Nothing is known of what was published before.
        let mut unknown = old.clone();
        unknown.publication = None;
        assert_eq!(
            unknown.changes_to(&old),
            [SchemaChange::LoggedAnew { table: 0, cause: ANEW }]
        );
    }

    #[test]
    fn a_file_that_the_publication_does_not_keep_logged_may_have_lost_rows() {
        let mut old = state(1, vec![relation(2, 10, "v")]);
        let mut new = state(1, vec![relation(2, 11, "v")]);
        assert_eq!(old.changes_to(&new), []);
        // Named is the partitioned table alone.
        let above = |state: &mut PgSchema| state.publication = Some(listing(&[(1, 70)]));
        above(&mut old);
        above(&mut new);
        assert!(old.changes_to(&new).contains(&SchemaChange::Moved(0)));
        new.tables[0].as_mut().unwrap().relations[0].is_unlogged = true;
        assert!(new.lack().unwrap().contains("UNLOGGED"));
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
