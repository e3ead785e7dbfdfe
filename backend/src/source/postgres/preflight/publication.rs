//! The publication of a job: whether it can be made, or one that is there will do, and the SQL of both.

use super::facts::Facts;
use crate::data::catalog::CatalogTable;
use crate::plan::images::TableImages;
use crate::source::postgres::identity::{LackingIdentity, Relation, ReplicaIdentity, qualified};
pub use crate::source::postgres::publication::GENERATED_SINCE;
use crate::source::postgres::publication::{Needed, PublicationState};
use crate::source::postgres::queries::{literal, quote};
use crate::source::verdict::listed;
use std::collections::BTreeMap;
use std::sync::Arc;

/// From this version on a partitioned table can be published as such, before only its partitions.
const ROOTS_SINCE: i32 = 13_00_00;
const TRUNCATE_SINCE: i32 = 11_00_00;

/// How a job comes to its publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicationPlan {
    /// The job makes one of its own with [`create_sql`] and drops it at its end.
    Create,
    /// The owner of the tables has made this one; it stays.
    Use(String),
}

/// Why there is no publication for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPublication {
    /// Of the one that is there; empty when there is none.
    pub faults: Vec<String>,
    /// Mapped tables and partitions that it does not hold.
    pub missing: Vec<String>,
    /// Why the user cannot make one.
    pub reason: String,
}

/// The name of the publication that an owner of the tables prepares for a project, and what the names of its jobs' slots
/// begin with: lower case letters, digits and `_`, which is all that the server allows in names of slots.
pub fn replication_name(project_id: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    // The server cuts names after 63 bytes.
    let id: String = project_id.chars().map(plain).take(40).collect();
    format!("godwit_{id}")
}

/// What the log has to hold of each relation.
pub fn needed(images: &[TableImages], relations: &[Relation], lacking: &[LackingIdentity]) -> Vec<Needed> {
    let of = |relation: &Relation| {
        let needs = images.iter().find(|i| i.table.name == relation.root)?;
        let table = &needs.table;
        // Where a list of columns lacks one of the identity, the server refuses updates and deletes.
        let is_full = relation.identity == ReplicaIdentity::Full || lacking.iter().any(|l| l.oid == relation.oid);
        let is_stored = |c: &usize| is_full && !table.columns[*c].is_generated || needs.inputs.contains(c);
        let columns: Vec<String> = (0..table.columns.len())
            .filter(is_stored)
            .map(|c| table.columns[c].name.clone())
            .collect();
        Some(Needed::of(relation.oid, table, &columns, relation.is_partition))
    };
    relations.iter().filter(|r| !r.is_foreign).filter_map(of).collect()
}

/// A publication that its owner has prepared is used; else the job makes one, where the user may.
///
/// # Errors
/// What is missing for either.
pub fn decide(
    facts: &Facts,
    name: &str,
    relations: &[Relation],
    existing: Option<&PublicationState>,
) -> Result<PublicationPlan, NoPublication> {
    let (mut faults, mut missing) = (Vec::new(), Vec::new());
    if let Some(existing) = existing {
        let logged = || relations.iter().filter(|r| !r.is_foreign);
        missing = logged()
            .filter(|r| !existing.holds(r.oid))
            .map(|r| r.name.to_string())
            .collect();
        faults = existing
            .lacks()
            .into_iter()
            .chain(faults_of(existing, logged()))
            .collect();
        if faults.is_empty() && missing.is_empty() {
            return Ok(PublicationPlan::Use(name.into()));
        }
    }
    let foreign: Vec<String> = {
        let mut names: Vec<String> = (relations.iter())
            .filter(|r| !r.is_root_owned || facts.version < ROOTS_SINCE && !r.is_owned)
            .map(|r| r.root.to_string())
            .collect();
        names.dedup();
        names
    };
    let reason = if facts.is_in_recovery {
        "a standby can make none".to_owned()
    } else if facts.is_superuser {
        return Ok(PublicationPlan::Create);
    } else if !facts.can_create_in_database {
        format!(
            "the user \"{}\" may not create one: it has no CREATE on the database \"{}\"",
            facts.user, facts.database
        )
    } else if foreign.is_empty() {
        return Ok(PublicationPlan::Create);
    } else {
        format!(
            "the user \"{}\" may not create one: it does not own {}",
            facts.user,
            foreign.join(", ")
        )
    };
    Err(NoPublication {
        faults,
        missing,
        reason,
    })
}

/// How tables are published in part, each fault once.
fn faults_of<'r>(existing: &PublicationState, relations: impl Iterator<Item = &'r Relation>) -> Vec<String> {
    let mut by_fault: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for relation in relations {
        for fault in existing.faults_of(relation.oid) {
            by_fault.entry(fault).or_default().push(relation.name.to_string());
        }
    }
    let told = |(fault, names): (&str, Vec<String>)| format!("it publishes {} {fault}", listed(&names));
    by_fault.into_iter().map(told).collect()
}

/// The tables as a publication names them: plain tables without those that inherit from them, partitioned ones by their
/// root, where the version can. Partitions are published as themselves.
fn table_list(version: i32, tables: &[Arc<CatalogTable>], relations: &[Relation]) -> String {
    let mut items = Vec::new();
    for table in tables {
        if !table.is_partitioned {
            items.push(format!("ONLY {}", qualified(&table.name)));
        } else if version >= ROOTS_SINCE {
            items.push(qualified(&table.name));
        } else {
            let leaves = relations.iter().filter(|r| r.root == table.name);
            items.extend(leaves.map(|r| format!("ONLY {}", qualified(&r.name))));
        }
    }
    items.join(", ")
}

fn options(version: i32, tables: &[Arc<CatalogTable>]) -> String {
    let truncate = if version >= TRUNCATE_SINCE { ", truncate" } else { "" };
    let has_generated = tables.iter().any(|t| t.columns.iter().any(|c| c.is_generated));
    let generated = if version >= GENERATED_SINCE && has_generated {
        ", publish_generated_columns = stored"
    } else {
        ""
    };
    format!("publish = 'insert, update, delete{truncate}'{generated}")
}

/// Makes a publication of the tables. No table may lack a usable replica identity by then: the server would refuse its
/// updates and deletes.
pub fn create_sql(version: i32, name: &str, tables: &[Arc<CatalogTable>], relations: &[Relation]) -> String {
    format!(
        "CREATE PUBLICATION {} FOR TABLE {} WITH ({})",
        quote(name),
        table_list(version, tables, relations),
        options(version, tables)
    )
}

/// The same for an owner of the tables to run as often as he likes.
pub fn prepare_sql(version: i32, name: &str, tables: &[Arc<CatalogTable>], relations: &[Relation]) -> String {
    let publication = quote(name);
    let via_root = if version >= ROOTS_SINCE {
        ", publish_via_partition_root = false"
    } else {
        ""
    };
    let body = format!(
        "BEGIN\n  \
           IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = {named}) THEN\n    \
             {create};\n  \
           ELSE\n    \
             IF EXISTS (SELECT FROM pg_publication WHERE pubname = {named} AND NOT puballtables) THEN\n      \
               ALTER PUBLICATION {publication} SET TABLE {list};\n    \
             END IF;\n    \
             ALTER PUBLICATION {publication} SET ({options}{via_root});\n  \
           END IF;\n\
         END",
        named = literal(name),
        create = create_sql(version, name, tables, relations),
        list = table_list(version, tables, relations),
        options = options(version, tables),
    );
    let tag = dollar_tag(&body);
    format!("DO {tag}\n{body}\n{tag};")
}

/// A quote that the text does not hold.
fn dollar_tag(body: &str) -> String {
    (0..)
        .map(|n| {
            if n == 0 {
                "$godwit$".to_owned()
            } else {
                format!("$godwit{n}$")
            }
        })
        .find(|tag| !body.contains(tag.as_str()))
        .expect("a text holds finitely many tags")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::postgres::identity::ReplicaIdentity;
    use crate::source::postgres::publication::tests::listing;
    use godwit_shared::schema::TableName;

    fn table(name: &str, is_partitioned: bool) -> Arc<CatalogTable> {
        Arc::new(CatalogTable {
            name: TableName::new("s", name),
            columns: Vec::new(),
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            is_partitioned,
            rows_estimated: 0,
            size_bytes: 0,
            can_select: true,
            has_row_security: false,
            is_unlogged: false,
        })
    }

    fn relation(name: &str, root: &str, is_owned: bool) -> Relation {
        Relation {
            oid: name.bytes().map(u32::from).sum(),
            name: TableName::new("s", name),
            root: TableName::new("s", root),
            identity: ReplicaIdentity::Default,
            key: None,
            is_owned,
            is_root_owned: is_owned,
            is_partition: name != root,
            is_unlogged: false,
            is_foreign: false,
            virtual_columns: Vec::new(),
        }
    }

    fn facts() -> Facts {
        Facts {
            version: 15_00_00,
            user: "u".into(),
            database: "d".into(),
            can_create_in_database: true,
            ..Facts::default()
        }
    }

    fn sample() -> (Vec<Arc<CatalogTable>>, Vec<Relation>) {
        (
            vec![table("t", false), table("p", true)],
            vec![
                relation("t", "t", true),
                relation("p1", "p", true),
                relation("p2", "p", true),
            ],
        )
    }

    #[test]
    fn names_hold_what_slots_allow() {
        assert_eq!(replication_name("0A-b"), "godwit_0a_b");
        assert_eq!(replication_name(&"x".repeat(100)).len(), 47);
    }

    #[test]
    fn tables_are_named_as_the_version_can() {
        let (tables, relations) = sample();
        assert_eq!(
            create_sql(15_00_00, "g", &tables, &relations),
            "CREATE PUBLICATION \"g\" FOR TABLE ONLY \"s\".\"t\", \"s\".\"p\" \
             WITH (publish = 'insert, update, delete, truncate')"
        );
        assert_eq!(
            create_sql(10_00_05, "g", &tables, &relations),
            "CREATE PUBLICATION \"g\" FOR TABLE ONLY \"s\".\"t\", ONLY \"s\".\"p1\", ONLY \"s\".\"p2\" \
             WITH (publish = 'insert, update, delete')"
        );
    }

    #[test]
    fn a_name_cannot_end_the_quote_of_the_script() {
        let sql = prepare_sql(15_00_00, "g", &[table("a$godwit$b", false)], &[]);
        assert!(
            sql.starts_with("DO $godwit1$\n") && sql.ends_with("\n$godwit1$;"),
            "{sql}"
        );
    }

    #[test]
    fn what_the_owner_has_prepared_is_used_and_else_one_is_made() {
        let (_, relations) = sample();
        let with = |names: &[&str]| {
            let entry = |n: &&str| (relation(n, n, true).oid, 1);
            listing(&names.iter().map(entry).collect::<Vec<_>>())
        };
        let decide = |facts: &Facts, relations: &[Relation], existing: Option<&PublicationState>| {
            decide(facts, "g", relations, existing)
        };
        let whole = with(&["t", "p1", "p2"]);
        let used = Ok(PublicationPlan::Use("g".into()));
        assert_eq!(decide(&facts(), &relations, Some(&whole)), used);
        assert_eq!(decide(&facts(), &relations, None), Ok(PublicationPlan::Create));
        let partial = with(&["t", "p1"]);
        assert_eq!(
            decide(&facts(), &relations, Some(&partial)),
            Ok(PublicationPlan::Create)
        );
        let foreign = [relation("t", "t", false), relation("p1", "p", true)];
        assert_eq!(decide(&facts(), &foreign, Some(&whole)), used);
        let refused = decide(&facts(), &foreign, Some(&with(&["p1"]))).unwrap_err();
        assert_eq!(refused.missing, ["s.t"]);
        assert!(refused.reason.contains("does not own s.t"), "{refused:?}");
        let superuser = Facts {
            is_superuser: true,
            ..facts()
        };
        assert_eq!(decide(&superuser, &foreign, None), Ok(PublicationPlan::Create));
        let standby = Facts {
            is_in_recovery: true,
            ..superuser
        };
        assert!(decide(&standby, &relations, None).is_err());
        let poor = Facts {
            can_create_in_database: false,
            ..facts()
        };
        assert!(decide(&poor, &relations, None).is_err());
    }
}
