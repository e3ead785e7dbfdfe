//! What a publication gives of the tables of a plan. One reading and one judgement, before a job and while it runs.
//!
//! The server decodes every change with the publication as it was then. One that was narrow for a moment has lost the
//! changes of that moment, however wide it is now. So it is not enough that it is wide at two looks: what made it wide
//! at the first one must have been there all the time, which the versions of its rows in the catalog tell.

use super::client::{PgClient, query_error};
use crate::data::catalog::CatalogTable;
use crate::source::SourceError;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// From this version on tables can be published in part, and schemas as a whole.
const PARTS_SINCE: i32 = 15_00_00;
/// From this version on the log can hold generated columns that are stored.
pub const GENERATED_SINCE: i32 = 18_00_00;

/// A relation whose changes a job needs.
#[derive(Debug, Clone)]
pub struct Needed {
    pub oid: u32,
    /// Columns whose values are taken from the log.
    pub columns: Vec<String>,
    /// Those of them that are generated.
    pub generated: Vec<String>,
    pub is_partition: bool,
}

impl Needed {
    /// A relation of a table: the table itself, or a partition of it.
    pub fn of(oid: u32, table: &CatalogTable, columns: &[String], is_partition: bool) -> Self {
        let is_generated = |name: &&String| table.columns.iter().any(|c| c.is_generated && c.name == **name);
        Self {
            oid,
            columns: columns.to_vec(),
            generated: columns.iter().filter(is_generated).cloned().collect(),
            is_partition,
        }
    }
}

/// A publication as it is in one point in time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicationState {
    /// Its own row in the catalog: another one after a change of its options, its owner, its name.
    version: String,
    /// Kinds of changes that it leaves out.
    lacks: Vec<String>,
    /// By object id.
    relations: BTreeMap<u32, Given>,
}

/// What is published of one relation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    /// Every way in which it is published, with the versions of the rows that say so. Each is enough alone.
    ways: BTreeSet<String>,
    /// It is named itself: the server then keeps it in the log.
    is_listed: bool,
    /// Why not all that is needed of it is published.
    faults: Vec<String>,
}

/// What one row of the catalog says.
#[derive(Debug, Clone)]
struct Entry {
    /// Of the relation itself, not of a table above it.
    is_own: bool,
    /// By the schema.
    is_schema: bool,
    way: String,
    has_filter: bool,
    columns: Option<Vec<String>>,
}

/// What holds for all tables of the publication.
#[derive(Debug, Clone, Default)]
struct Whole {
    is_for_all: bool,
    is_via_root: bool,
    /// Stored generated columns are not in it unless a list names them.
    lacks_generated: bool,
}

const PUBLICATION: &str = "
    SELECT p.oid, p.oid::text || '.' || p.xmin::text, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete,
           coalesce((to_jsonb(p) ->> 'pubtruncate')::bool, true),
           coalesce((to_jsonb(p) ->> 'pubviaroot')::bool, false),
           coalesce(to_jsonb(p) ->> 'pubgencols' = 's', false), current_setting('server_version_num')::int4
    FROM pg_publication p WHERE p.pubname = $1";

/// A partition is published with every table above it. What lies between the two counts as well: one that was detached
/// for a while was not published meanwhile.
const ABOVE: &str = "
    WITH RECURSIVE up(leaf, oid, way) AS (
        SELECT r, r, ''::text FROM unnest($1::oid[]) r
        UNION ALL
        SELECT up.leaf, i.inhparent, up.way || '/' || i.xmin::text FROM up JOIN pg_inherits i ON i.inhrelid = up.oid
        JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
        WHERE NOT coalesce((to_jsonb(i) ->> 'inhdetachpending')::bool, false))";

const LISTED: &str = "
    SELECT up.leaf, up.oid = up.leaf, false, e.oid::text || '.' || e.xmin::text || up.way, false, NULL::text[]
    FROM up JOIN pg_publication_rel e ON e.prrelid = up.oid AND e.prpubid = $2";

const LISTED_IN_PART: &str = "
    SELECT up.leaf, up.oid = up.leaf, false, e.oid::text || '.' || e.xmin::text || up.way, e.prqual IS NOT NULL,
           CASE WHEN e.prattrs IS NOT NULL THEN ARRAY(
               SELECT a.attname::text FROM pg_attribute a
               WHERE a.attrelid = e.prrelid AND a.attnum = ANY (e.prattrs::int2[])) END
    FROM up JOIN pg_publication_rel e ON e.prrelid = up.oid AND e.prpubid = $2
    UNION ALL
    SELECT up.leaf, up.oid = up.leaf, true,
           'schema ' || e.oid::text || '.' || e.xmin::text || '.' || coalesce(d.xmin::text, '') || up.way,
           false, NULL
    FROM up JOIN pg_class c ON c.oid = up.oid
    JOIN pg_publication_namespace e ON e.pnnspid = c.relnamespace AND e.pnpubid = $2
    LEFT JOIN pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
         AND d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = c.relnamespace";

/// The publication of that name, as far as it concerns the relations; `None` when there is none.
///
/// # Errors
/// When the source does not answer.
pub async fn read_publication(
    pg: &PgClient,
    name: &str,
    needed: &[Needed],
) -> Result<Option<PublicationState>, SourceError> {
    let Some(row) = pg.client.query_opt(PUBLICATION, &[&name]).await.map_err(query_error)? else {
        return Ok(None);
    };
    let kinds = ["inserts", "updates", "deletes", "truncates"];
    let (oid, version): (u32, i32) = (row.get(0), row.get(9));
    let whole = Whole {
        is_for_all: row.get(2),
        is_via_root: row.get(7),
        lacks_generated: version >= GENERATED_SINCE && !row.get::<_, bool>(8),
    };
    let oids: Vec<u32> = needed.iter().map(|n| n.oid).collect();
    let listed = if version >= PARTS_SINCE { LISTED_IN_PART } else { LISTED };
    let sql = format!("{ABOVE}{listed}");
    let rows = pg.client.query(&sql, &[&oids, &oid]).await.map_err(query_error)?;
    let mut entries: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
    for row in &rows {
        entries.entry(row.get(0)).or_default().push(Entry {
            is_own: row.get(1),
            is_schema: row.get(2),
            way: row.get(3),
            has_filter: row.get(4),
            columns: row.get(5),
        });
    }
    let given = |n: &Needed| (n.oid, given(n, &whole, entries.get(&n.oid).map_or(&[], Vec::as_slice)));
    Ok(Some(PublicationState {
        version: row.get(1),
        lacks: (kinds.iter().enumerate())
            .filter(|(i, _)| !row.get::<_, bool>(3 + i))
            .map(|(_, kind)| (*kind).to_owned())
            .collect(),
        relations: needed.iter().map(given).collect(),
    }))
}

/// As the server decides it when it decodes a change:
/// <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/replication/pgoutput/pgoutput.c>.
fn given(needed: &Needed, whole: &Whole, entries: &[Entry]) -> Given {
    let mut ways: BTreeSet<String> = entries.iter().map(|e| e.way.clone()).collect();
    if whole.is_for_all {
        ways.insert("all".into());
    }
    let is_above = entries.iter().any(|e| !e.is_own) || whole.is_for_all && needed.is_partition;
    let is_whole = whole.is_for_all || entries.iter().any(|e| e.is_own && e.is_schema);
    // Filter and list of the relation itself hold even where a table above it is published without them.
    let own = entries.iter().find(|e| e.is_own && !e.is_schema);
    let mut faults = Vec::new();
    if whole.is_via_root && is_above {
        // The server does not log the TRUNCATE of a single partition then.
        faults.push("as its root (publish_via_partition_root)".to_owned());
    }
    if let Some(own) = own.filter(|_| !is_whole) {
        if own.has_filter {
            faults.push("with a row filter".into());
        }
        let lacks = |c: &&String| own.columns.as_ref().is_some_and(|list| !list.contains(c));
        let lacking: Vec<&str> = needed.columns.iter().filter(lacks).map(String::as_str).collect();
        if !lacking.is_empty() {
            faults.push(format!("with a list of columns that lacks {}", lacking.join(", ")));
        }
    }
    let listed = own.and_then(|o| o.columns.as_deref()).unwrap_or_default();
    let not_listed = needed.generated.iter().filter(|c| !listed.contains(c));
    let generated: Vec<&str> = not_listed.map(String::as_str).collect();
    if whole.lacks_generated && !generated.is_empty() {
        faults.push(format!(
            "without its generated columns {} (publish_generated_columns)",
            generated.join(", ")
        ));
    }
    Given {
        ways,
        is_listed: own.is_some(),
        faults,
    }
}

impl PublicationState {
    /// What it leaves out of all tables, in words: `it leaves out updates`.
    pub fn lacks(&self) -> Option<String> {
        (!self.lacks.is_empty()).then(|| format!("it leaves out {}", self.lacks.join(", ")))
    }

    /// Whether it holds a relation at all.
    pub fn holds(&self, oid: u32) -> bool {
        self.relations.get(&oid).is_some_and(|g| !g.ways.is_empty())
    }

    /// How it publishes less of a relation than is needed, in words that follow *it publishes it*.
    pub fn faults_of(&self, oid: u32) -> &[String] {
        self.relations.get(&oid).map_or(&[], |g| &g.faults)
    }

    /// Why not every change of a relation is in the log; nothing where each is.
    pub fn lack_of(&self, oid: u32) -> Option<String> {
        match (self.lacks(), self.faults_of(oid)) {
            (Some(lacks), _) => Some(lacks),
            (None, _) if !self.holds(oid) => Some("it does not hold it".into()),
            (None, []) => None,
            (None, faults) => Some(format!("it publishes it {}", faults.join(" and "))),
        }
    }

    /// Whether the relation was published without a break since an earlier state, as it was then.
    pub fn is_unbroken_since(&self, earlier: &PublicationState, oid: u32) -> bool {
        let ways = |state: &PublicationState| state.relations.get(&oid).map(|g| g.ways.clone()).unwrap_or_default();
        let (then, now) = (ways(earlier), ways(self));
        self.version == earlier.version && (then.is_empty() && now.is_empty() || !then.is_disjoint(&now))
    }

    /// Whether a relation is named itself.
    pub fn lists(&self, oid: u32) -> bool {
        self.relations.get(&oid).is_some_and(|g| g.is_listed)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// One that holds these relations as such, each by an entry of this number.
    pub fn listing(entries: &[(u32, u32)]) -> PublicationState {
        let given = |n: &u32| Given {
            ways: [n.to_string()].into(),
            is_listed: true,
            faults: Vec::new(),
        };
        PublicationState {
            version: "1.1".into(),
            lacks: Vec::new(),
            relations: entries.iter().map(|(oid, n)| (*oid, given(n))).collect(),
        }
    }

    fn entry(way: &str) -> Entry {
        Entry {
            is_own: true,
            is_schema: false,
            way: way.into(),
            has_filter: false,
            columns: None,
        }
    }

    fn needed(is_partition: bool) -> Needed {
        Needed {
            oid: 1,
            columns: vec!["id".into(), "p_id".into()],
            generated: Vec::new(),
            is_partition,
        }
    }

    fn faults(is_partition: bool, whole: &Whole, entries: &[Entry]) -> Vec<String> {
        given(&needed(is_partition), whole, entries).faults
    }

    #[test]
    fn wide_enough_in_any_form() {
        let whole = Whole::default();
        let list = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect());
        let schema = Entry {
            is_schema: true,
            ..entry("s")
        };
        let above = Entry {
            is_own: false,
            ..entry("a")
        };
        let columns = Entry {
            columns: list(&["x", "id", "p_id"]),
            ..entry("c")
        };
        for entries in [vec![entry("t")], vec![schema.clone()], vec![above], vec![columns]] {
            assert_eq!(faults(true, &whole, &entries), [""; 0], "{entries:?}");
        }
        let all = Whole {
            is_for_all: true,
            ..Whole::default()
        };
        assert_eq!(faults(true, &all, &[]), [""; 0]);
        // A schema is published as a whole, whatever its tables are listed with.
        let filtered = Entry {
            has_filter: true,
            ..entry("f")
        };
        assert_eq!(faults(false, &whole, &[filtered, schema]), [""; 0]);
    }

    #[test]
    fn what_is_narrow_is_named() {
        let whole = Whole::default();
        let filtered = Entry {
            has_filter: true,
            ..entry("f")
        };
        let above = Entry {
            is_own: false,
            ..entry("a")
        };
        let columns = Entry {
            columns: Some(vec!["id".into()]),
            ..entry("c")
        };
        assert_eq!(faults(true, &whole, &[filtered, above.clone()]), ["with a row filter"]);
        assert_eq!(
            faults(false, &whole, &[columns]),
            ["with a list of columns that lacks p_id"]
        );
        let via_root = Whole {
            is_via_root: true,
            ..Whole::default()
        };
        assert_eq!(faults(true, &via_root, &[entry("t")]), [""; 0]);
        assert_eq!(faults(true, &via_root, &[above]).len(), 1);
        let all = Whole {
            is_for_all: true,
            ..via_root
        };
        assert_eq!(faults(false, &all, &[]), [""; 0]);
        assert_eq!(faults(true, &all, &[]).len(), 1);
    }

    #[test]
    fn a_way_that_was_there_all_the_time_is_no_break() {
        let by = |ways: &[&str], version: &str| {
            let mut state = listing(&[(1, 7)]);
            state.version = version.into();
            state.relations.get_mut(&1).unwrap().ways = ways.iter().map(|w| (*w).to_owned()).collect();
            state
        };
        let before = by(&["t", "s"], "1");
        assert!(by(&["s", "u"], "1").is_unbroken_since(&before, 1));
        assert!(!by(&["u"], "1").is_unbroken_since(&before, 1));
        assert!(!by(&["t", "s"], "2").is_unbroken_since(&before, 1));
        // Neither before nor now: whether it has to be is another question.
        assert!(by(&[], "1").is_unbroken_since(&by(&[], "1"), 1));
        assert_eq!(by(&[], "1").lack_of(1).unwrap(), "it does not hold it");
        assert_eq!(by(&["t"], "1").lack_of(1), None);
    }
}
