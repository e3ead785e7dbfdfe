//! Replica identities: what the log holds of a row before its change.
//!
//! Each relation that holds rows has its own: a partitioned table passes its identity on to none of its partitions,
//! neither existing nor new ones. In a publication the server refuses updates and deletes of relations without a usable
//! identity, so a table that lacks one has to be mended before it is published.

use super::client::{PgClient, query_error};
use super::queries::quote;
use crate::data::catalog::CatalogTable;
use crate::plan::Plan;
use crate::plan::images::{TableImages, images};
use crate::source::SourceError;
use godwit_shared::schema::TableName;
use std::collections::HashSet;
use std::time::Duration;

/// How long one attempt waits for a lock: behind it waits everybody else who uses the table.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
const LOCK_ATTEMPTS: usize = 10;
/// Between two attempts, so that those who waited get through.
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// `pg_class.relreplident`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "index")]
pub enum ReplicaIdentity {
    /// The primary key, if there is one that is checked at once.
    Default,
    /// The whole row.
    Full,
    Nothing,
    /// The columns of this index; of one that is gone, nothing.
    Index(String),
}

impl std::fmt::Display for ReplicaIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReplicaIdentity::Default => f.write_str("DEFAULT"),
            ReplicaIdentity::Full => f.write_str("FULL"),
            ReplicaIdentity::Nothing => f.write_str("NOTHING"),
            ReplicaIdentity::Index(name) => write!(f, "USING INDEX {}", quote(name)),
        }
    }
}

/// One relation that holds rows of a mapped table: the table itself, or a leaf of its partitions.
#[derive(Debug, Clone)]
pub struct Relation {
    pub oid: u32,
    pub name: TableName,
    /// The mapped table; of a plain table itself.
    pub root: TableName,
    pub identity: ReplicaIdentity,
    /// The columns that the identity gives; `None` when it gives nothing at all. Of FULL it is not looked at.
    pub key: Option<Vec<String>>,
    /// The user may change the identity.
    pub is_owned: bool,
    /// The user may change the mapped table, which a publication names.
    pub is_root_owned: bool,
    pub is_partition: bool,
    pub is_unlogged: bool,
    /// A partition that lies in another server.
    pub is_foreign: bool,
    /// Columns that are computed when they are read: the log never holds them.
    pub virtual_columns: Vec<String>,
}

/// A relation whose old images do not hold what the plan needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LackingIdentity {
    pub oid: u32,
    pub relation: TableName,
    /// The mapped table.
    pub table: TableName,
    pub identity: ReplicaIdentity,
    /// The columns that its old images lack.
    pub missing: Vec<String>,
    /// It gives no old image at all, so that the server would refuse updates and deletes once it is published.
    pub is_unusable: bool,
    pub reasons: Vec<String>,
    /// The user may change it.
    pub can_be_prepared: bool,
}

/// What a relation's identity was before the job changed it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviousIdentity {
    /// Stays the same when the relation is renamed.
    pub oid: u32,
    /// As it was named then, for messages.
    pub relation: String,
    pub identity: ReplicaIdentity,
}

impl PreviousIdentity {
    /// The statement that gives it back, by the name of then.
    pub fn restore_sql(&self) -> String {
        let name = self.relation.split_once('.').unwrap_or(("public", &self.relation));
        restore_sql(&TableName::new(name.0, name.1), &self.identity)
    }
}

impl LackingIdentity {
    /// What [`set_full`] replaces: to be stored before it is called.
    pub fn previous(&self) -> PreviousIdentity {
        PreviousIdentity {
            oid: self.oid,
            relation: self.relation.to_string(),
            identity: self.identity.clone(),
        }
    }
}

const RELATIONS: &str = "
    WITH RECURSIVE mapped(root, oid) AS (
        SELECT c.oid, c.oid FROM unnest($1::text[], $2::text[]) AS m(nspname, relname)
        JOIN pg_namespace n ON n.nspname = m.nspname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = m.relname
        WHERE c.relkind IN ('r', 'p')
        UNION ALL
        SELECT m.root, i.inhrelid FROM mapped m JOIN pg_class p ON p.oid = m.oid AND p.relkind = 'p'
        JOIN pg_inherits i ON i.inhparent = m.oid)
    SELECT c.oid, n.nspname::text, c.relname::text, rn.nspname::text, r.relname::text, c.relreplident::text,
           k.name, k.columns, pg_has_role(c.relowner, 'USAGE'), pg_has_role(r.relowner, 'USAGE'),
           c.relispartition, c.relpersistence = 'u', c.relkind = 'f',
           ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                 AND NOT a.attisdropped AND to_jsonb(a) ->> 'attgenerated' = 'v')
    FROM mapped m JOIN pg_class c ON c.oid = m.oid AND c.relkind <> 'p' JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class r ON r.oid = m.root JOIN pg_namespace rn ON rn.oid = r.relnamespace
    LEFT JOIN LATERAL (
        SELECT x.relname::text AS name,
               ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (
                     (i.indkey::int2[])[0:coalesce((to_jsonb(i) ->> 'indnkeyatts')::int, i.indnatts::int) - 1])) AS columns
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
          AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
        LIMIT 1) k ON true
    ORDER BY 4, 5, 2, 3";

/// Reads every relation that holds rows of the tables, leaves of partitions included.
///
/// # Errors
/// When the server refuses or the connection is lost.
pub async fn read_relations<'a>(
    pg: &PgClient,
    tables: impl IntoIterator<Item = &'a CatalogTable>,
) -> Result<Vec<Relation>, SourceError> {
    let (schemas, names): (Vec<String>, Vec<String>) = tables
        .into_iter()
        .map(|t| (t.name.schema.clone(), t.name.table.clone()))
        .unzip();
    let rows = pg
        .client
        .query(RELATIONS, &[&schemas, &names])
        .await
        .map_err(query_error)?;
    let relation = |row: &tokio_postgres::Row| {
        let kind: String = row.get(5);
        let index: Option<String> = row.get(6);
        Relation {
            oid: row.get(0),
            name: TableName::new(row.get::<_, String>(1), row.get::<_, String>(2)),
            root: TableName::new(row.get::<_, String>(3), row.get::<_, String>(4)),
            identity: match kind.as_str() {
                "f" => ReplicaIdentity::Full,
                "n" => ReplicaIdentity::Nothing,
                // An index that has been dropped leaves its mark.
                "i" => ReplicaIdentity::Index(index.unwrap_or_default()),
                _ => ReplicaIdentity::Default,
            },
            key: row.get(7),
            is_owned: row.get(8),
            is_root_owned: row.get(9),
            is_partition: row.get(10),
            is_unlogged: row.get(11),
            is_foreign: row.get(12),
            virtual_columns: row.get(13),
        }
    };
    Ok(rows.iter().map(relation).collect())
}

/// Reads and decides which relations of the plan lack something: at the start of a job, and again whenever a partition
/// appears.
///
/// # Errors
/// As [`read_relations`].
pub async fn read_lacking(pg: &PgClient, plan: &Plan) -> Result<Vec<LackingIdentity>, SourceError> {
    let images = images(plan);
    let relations = read_relations(pg, images.iter().map(|i| &*i.table)).await?;
    Ok(lacking(&images, &relations))
}

/// The relations whose old images are too small for the plan.
pub fn lacking(images: &[TableImages], relations: &[Relation]) -> Vec<LackingIdentity> {
    let of_relation = |relation: &Relation| {
        let needs = images.iter().find(|i| i.table.name == relation.root)?;
        let missing = missing(needs, relation)?;
        Some(LackingIdentity {
            oid: relation.oid,
            relation: relation.name.clone(),
            table: relation.root.clone(),
            identity: relation.identity.clone(),
            missing,
            is_unusable: relation.key.is_none(),
            reasons: needs.reasons.clone(),
            can_be_prepared: relation.is_owned,
        })
    };
    // What lies in another server has no identity here; it is refused for that.
    relations
        .iter()
        .filter(|r| !r.is_foreign)
        .filter_map(of_relation)
        .collect()
}

/// The columns that the old images of a relation lack; `None` where nothing is wrong.
fn missing(needs: &TableImages, relation: &Relation) -> Option<Vec<String>> {
    let has: HashSet<&str> = match (&relation.identity, &relation.key) {
        (ReplicaIdentity::Full, _) => return None,
        (ReplicaIdentity::Default | ReplicaIdentity::Index(_), Some(key)) => key.iter().map(String::as_str).collect(),
        (ReplicaIdentity::Default | ReplicaIdentity::Index(_) | ReplicaIdentity::Nothing, _) => HashSet::new(),
    };
    let lacks: Vec<String> = needs
        .columns
        .iter()
        .map(|c| needs.table.columns[*c].name.clone())
        .filter(|name| !has.contains(name.as_str()))
        .collect();
    (!lacks.is_empty() || relation.key.is_none()).then_some(lacks)
}

/// The statement that lets a relation log whole rows.
pub fn full_sql(relation: &TableName) -> String {
    format!("ALTER TABLE ONLY {} REPLICA IDENTITY FULL;", qualified(relation))
}

/// The statement that gives a relation back what it had.
pub fn restore_sql(relation: &TableName, identity: &ReplicaIdentity) -> String {
    let identity = match identity {
        // The index is gone and cannot be named any more: without it there was no identity at all.
        ReplicaIdentity::Index(name) if name.is_empty() => ReplicaIdentity::Nothing,
        other => other.clone(),
    };
    format!("ALTER TABLE ONLY {} REPLICA IDENTITY {identity};", qualified(relation))
}

pub(super) fn qualified(name: &TableName) -> String {
    format!("{}.{}", quote(&name.schema), quote(&name.table))
}

/// Lets the relations log whole rows; those that do already, or are gone, are left alone. What it gives back is what
/// [`LackingIdentity::previous`] gives: a job stores that first.
///
/// Changes of rows that are committed after this have whole old images: the statement waits for all who write.
///
/// # Errors
/// When the user may not change a relation, or it stays locked.
pub async fn set_full(pg: &PgClient, relations: &[LackingIdentity]) -> Result<Vec<PreviousIdentity>, SourceError> {
    for relation in relations {
        if let Some((name, identity)) = current(pg, relation.oid).await?
            && identity != "f"
        {
            alter(pg, &name, &full_sql(&name)).await?;
        }
    }
    Ok(relations.iter().map(LackingIdentity::previous).collect())
}

/// Takes back a [`restore`] of one relation.
///
/// # Errors
/// When the user may not change it, or it stays locked.
pub async fn set_full_again(pg: &PgClient, was: &PreviousIdentity) -> Result<(), SourceError> {
    match current(pg, was.oid).await? {
        Some((name, identity)) if identity != "f" => alter(pg, &name, &full_sql(&name)).await,
        Some(_) | None => Ok(()),
    }
}

/// Gives relations back what they had before [`set_full`]. May be repeated. A relation that is gone, or that somebody
/// else has changed since, is left alone; where the index of an identity is gone, the identity becomes the default.
///
/// # Errors
/// When the user may not change a relation, or it stays locked.
pub async fn restore(pg: &PgClient, previous: &[PreviousIdentity]) -> Result<(), SourceError> {
    for was in previous {
        let Some((name, identity)) = current(pg, was.oid).await? else {
            continue;
        };
        if identity != "f" {
            continue;
        }
        let identity = match &was.identity {
            ReplicaIdentity::Index(index) if !has_index(pg, was.oid, index).await? => &ReplicaIdentity::Default,
            other => other,
        };
        alter(pg, &name, &restore_sql(&name, identity)).await?;
    }
    Ok(())
}

/// Name and identity of a relation now; `None` when it is gone.
async fn current(pg: &PgClient, oid: u32) -> Result<Option<(TableName, String)>, SourceError> {
    let sql = "SELECT n.nspname::text, c.relname::text, c.relreplident::text
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1";
    let row = pg.client.query_opt(sql, &[&oid]).await.map_err(query_error)?;
    Ok(row.map(|r| {
        let name = TableName::new(r.get::<_, String>(0), r.get::<_, String>(1));
        (name, r.get(2))
    }))
}

async fn has_index(pg: &PgClient, oid: u32, index: &str) -> Result<bool, SourceError> {
    let sql = "SELECT EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        WHERE i.indrelid = $1 AND x.relname = $2::text AND i.indisvalid)";
    let row = pg.client.query_one(sql, &[&oid, &index]).await.map_err(query_error)?;
    Ok(row.get(0))
}

/// One change of a table. It needs the table for itself, and those who come later wait behind it: so it gives up soon
/// and tries again.
async fn alter(pg: &PgClient, relation: &TableName, sql: &str) -> Result<(), SourceError> {
    use tokio_postgres::error::SqlState;
    // Sessions are read only; the settings end with the transaction, however it ends.
    let sql = format!(
        "BEGIN READ WRITE; SET LOCAL lock_timeout = {}; {sql} COMMIT",
        LOCK_TIMEOUT.as_millis()
    );
    for attempt in 1.. {
        let Err(error) = pg.client.batch_execute(&sql).await else {
            return Ok(());
        };
        let is_locked = error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
        let is_gone = error.code() == Some(&SqlState::UNDEFINED_TABLE);
        pg.client.batch_execute("ROLLBACK").await.map_err(query_error)?;
        if is_gone {
            return Ok(());
        }
        if !is_locked || attempt == LOCK_ATTEMPTS {
            let reason = match query_error(error) {
                SourceError::NoRight { reason } => reason,
                SourceError::Query { reason } => reason,
                other => return Err(other),
            };
            return Err(SourceError::IdentityNotSet {
                relation: relation.to_string(),
                reason,
            });
        }
        tracing::info!(source.table = %relation, attempt, "Table {relation} is locked, its replica identity waits");
        tokio::time::sleep(LOCK_PAUSE).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::catalog::testing::int4;
    use std::sync::Arc;

    fn needs(columns: &[usize], needs_full: bool) -> TableImages {
        TableImages {
            table: Arc::new(CatalogTable {
                columns: ["id", "a", "b"].map(int4).to_vec(),
                primary_key: vec![0],
                ..CatalogTable::new(TableName::new("public", "t"))
            }),
            columns: columns.iter().copied().collect(),
            inputs: columns.iter().copied().collect(),
            needs_full,
            reasons: vec!["why".into()],
        }
    }

    fn relation(identity: ReplicaIdentity, key: Option<&[&str]>) -> Relation {
        Relation {
            oid: 1,
            name: TableName::new("public", "t"),
            root: TableName::new("public", "t"),
            identity,
            key: key.map(|k| k.iter().map(ToString::to_string).collect()),
            is_owned: true,
            is_root_owned: true,
            is_partition: false,
            is_unlogged: false,
            is_foreign: false,
            virtual_columns: Vec::new(),
        }
    }

    fn check(needs: &TableImages, identity: ReplicaIdentity, key: Option<&[&str]>, expected: Option<&[&str]>) {
        let found = missing(needs, &relation(identity.clone(), key));
        assert_eq!(
            found.as_ref().map(|f| f.iter().map(String::as_str).collect::<Vec<_>>()),
            expected.map(<[&str]>::to_vec),
            "{identity} {key:?}"
        );
    }

    #[test]
    fn an_identity_suffices_when_it_covers_what_is_needed() {
        use ReplicaIdentity::{Default, Full, Index, Nothing};
        let index = || Index("x".into());
        let key = needs(&[0], false);
        check(&key, Default, Some(&["id"]), None);
        check(&key, Full, None, None);
        check(&key, index(), Some(&["a", "id"]), None);
        check(&key, index(), Some(&["a"]), Some(&["id"]));
        let join = needs(&[0, 2], false);
        check(&join, Default, Some(&["id"]), Some(&["b"]));
        check(&join, index(), Some(&["id", "b"]), None);
        check(&join, Full, None, None);
        let row = needs(&[0, 1, 2], true);
        check(&row, Default, Some(&["id"]), Some(&["a", "b"]));
        check(&row, Full, None, None);
        // Without any identity the server itself would refuse changes, whatever the plan needs.
        for needs in [&key, &join, &needs(&[], false)] {
            assert!(missing(needs, &relation(Nothing, None)).is_some());
            assert!(missing(needs, &relation(Default, None)).is_some());
            assert!(missing(needs, &relation(Index(String::new()), None)).is_some());
        }
    }

    #[test]
    fn statements_name_the_relation_alone() {
        let name = TableName::new("s", "a\"b");
        assert_eq!(
            full_sql(&name),
            "ALTER TABLE ONLY \"s\".\"a\"\"b\" REPLICA IDENTITY FULL;"
        );
        assert_eq!(
            restore_sql(&name, &ReplicaIdentity::Index("i".into())),
            "ALTER TABLE ONLY \"s\".\"a\"\"b\" REPLICA IDENTITY USING INDEX \"i\";"
        );
        assert_eq!(
            restore_sql(&name, &ReplicaIdentity::Index(String::new())),
            "ALTER TABLE ONLY \"s\".\"a\"\"b\" REPLICA IDENTITY NOTHING;"
        );
    }

    #[test]
    fn what_was_is_stored_as_json() {
        let previous = PreviousIdentity {
            oid: 7,
            relation: "s.t".into(),
            identity: ReplicaIdentity::Index("i".into()),
        };
        let json = serde_json::to_value(&previous).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"oid": 7, "relation": "s.t", "identity": {"kind": "index", "index": "i"}})
        );
        assert_eq!(serde_json::from_value::<PreviousIdentity>(json).unwrap(), previous);
    }
}
