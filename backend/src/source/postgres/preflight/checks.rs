//! The checks as plain functions: what was read becomes a verdict, a sentence and the SQL that mends it.
//!
//! In a script the lines of [`super::script::undo`] say how the block is taken back.

use super::facts::Facts;
use super::publication::{NoPublication, PublicationPlan, prepare_sql};
use super::script::{comment, undo};
use crate::data::catalog::CatalogTable;
use crate::plan::Plan;
use crate::plan::images::{TableImages, pairs};
use crate::source::postgres::identity::{LackingIdentity, Relation, ReplicaIdentity, full_sql, qualified, restore_sql};
use crate::source::postgres::queries::quote;
use crate::source::postgres::row_filter::UnstableFilter;
use godwit_shared::preflight::{CheckStatus, PreflightCheck};
use godwit_shared::schema::TableName;
use std::collections::BTreeSet;
use std::sync::Arc;

const VERSION_MIN: i32 = 10_00_00;
/// From this version on a standby can decode its log, and the log can hold generated columns.
const STANDBY_SINCE: i32 = 16_00_00;
const GENERATED_SINCE: i32 = 18_00_00;
/// The most names in one sentence; the list of tables has them all.
const NAMES_MAX: usize = 10;
/// Slots and senders that a script makes room for, besides those in use.
const ROOM: i32 = 5;

/// What the checks of tables look at.
pub struct Subject<'a> {
    pub facts: &'a Facts,
    /// Of the publication that an owner prepares.
    pub name: &'a str,
    pub tables: &'a [Arc<CatalogTable>],
    pub images: &'a [TableImages],
    pub relations: &'a [Relation],
}

fn entry(id: &str, title: &str, status: CheckStatus, message: impl Into<String>) -> PreflightCheck {
    PreflightCheck {
        id: id.into(),
        title: title.into(),
        status,
        message: message.into(),
        tables: Vec::new(),
        script: None,
        can_be_prepared: false,
    }
}

fn passed(id: &str, title: &str, message: impl Into<String>) -> PreflightCheck {
    entry(id, title, CheckStatus::Passed, message)
}

fn failed(id: &str, title: &str, message: impl Into<String>, script: Vec<String>) -> PreflightCheck {
    PreflightCheck {
        script: Some(script.join("\n")),
        ..entry(id, title, CheckStatus::Failed, message)
    }
}

/// Names in a sentence, not more than can be read.
fn listed(names: &[String]) -> String {
    match names.len().checked_sub(NAMES_MAX) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..NAMES_MAX].join(", ")),
    }
}

pub fn version(version: i32, text: &str) -> PreflightCheck {
    let (id, title) = ("server_version", "Version of the server");
    if version >= VERSION_MIN {
        passed(id, title, format!("PostgreSQL {text}."))
    } else {
        let script = vec!["-- Upgrade the server, or migrate from a logical replica of version 10 or later.".into()];
        failed(
            id,
            title,
            format!("PostgreSQL {text} is too old: version 10 or later is needed."),
            script,
        )
    }
}

/// All that concerns the server and the right of the user to replicate.
pub fn server(facts: &Facts) -> Vec<PreflightCheck> {
    let mut checks = vec![
        wal_level(facts),
        primary(facts),
        room(
            facts,
            "replication_slots",
            "Free replication slot",
            "max_replication_slots",
            (facts.slots_used, facts.slots_max),
        ),
        room(
            facts,
            "wal_senders",
            "Free WAL sender",
            "max_wal_senders",
            (facts.senders_used, facts.senders_max),
        ),
    ];
    checks.extend(retained_log(facts));
    checks.push(replication_privilege(facts));
    checks
}

fn wal_level(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("wal_level", "Logical decoding");
    if facts.wal_level == "logical" {
        return passed(id, title, "wal_level is logical.");
    }
    let rds =
        "-- Amazon RDS and Aurora: set rds.logical_replication = 1 in the parameter group, then reboot.".to_owned();
    let script = if facts.is_rds {
        vec![rds]
    } else {
        vec![
            "ALTER SYSTEM SET wal_level = 'logical';".into(),
            "-- Then restart the server. The same can be set in postgresql.conf.".into(),
            rds,
            undo(&format!(
                "ALTER SYSTEM SET wal_level = '{}';  -- and restart",
                facts.wal_level
            )),
        ]
    };
    failed(
        id,
        title,
        format!(
            "wal_level is {}: the log does not hold what changes of rows are read from. It has to be logical, which \
             takes a restart of the server.",
            facts.wal_level
        ),
        script,
    )
}

fn primary(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("primary_server", "Server that can be followed");
    match (facts.is_in_recovery, facts.version >= STANDBY_SINCE) {
        (false, _) => passed(id, title, "The server is a primary."),
        (true, true) => passed(
            id,
            title,
            "The server is a standby of a version that can be followed as well. Publication and replica identities \
             have to be made on its primary.",
        ),
        (true, false) => failed(
            id,
            title,
            format!(
                "The server is a standby, and one of version {} cannot be followed: only 16 and later can.",
                facts.version_text
            ),
            vec!["-- Use a connection to the primary for this migration.".into()],
        ),
    }
}

fn room(facts: &Facts, id: &str, title: &str, setting: &str, (used, max): (i32, i32)) -> PreflightCheck {
    if facts.has_own_slot {
        return passed(id, title, "A job of this project has its own already.");
    }
    if used < max {
        return passed(id, title, format!("{used} of {max} are in use ({setting})."));
    }
    let wanted = (used + ROOM).max(10);
    let rds = format!("-- Amazon RDS and Aurora: set {setting} = {wanted} in the parameter group, then reboot.");
    let mut script = vec![
        "-- See whether all are needed: SELECT slot_name, active, restart_lsn FROM pg_replication_slots;".to_owned(),
    ];
    if !facts.is_rds {
        script.push(format!("ALTER SYSTEM SET {setting} = {wanted};"));
        script.push("-- Then restart the server. The same can be set in postgresql.conf.".into());
        script.push(undo(&format!("ALTER SYSTEM SET {setting} = {max};  -- and restart")));
    }
    script.push(rds);
    failed(
        id,
        title,
        format!("All {max} are in use ({setting}): the job needs one."),
        script,
    )
}

/// Only where there is something to say.
fn retained_log(facts: &Facts) -> Option<PreflightCheck> {
    let mut limits = Vec::new();
    let mut script = Vec::new();
    if let Some(mb) = facts.slot_keep_mb {
        limits.push(format!(
            "The server keeps at most {mb} MB of its log for a slot (max_slot_wal_keep_size): a job that is paused or \
             behind for longer than that takes to write has to start again."
        ));
        script.push(format!(
            "-- ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf();  -- it is {mb} MB now"
        ));
    }
    if let Some(seconds) = facts.slot_idle_seconds {
        limits.push(format!(
            "The server drops a slot that nobody has read from for {} minutes (idle_replication_slot_timeout): a job \
             that is paused for longer has to start again.",
            seconds / 60
        ));
        script.push(
            "-- ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf();  -- no limit".into(),
        );
    }
    (!limits.is_empty()).then(|| PreflightCheck {
        script: Some(script.join("\n")),
        ..entry(
            "retained_log",
            "Log kept for the job",
            CheckStatus::Warning,
            limits.join(" "),
        )
    })
}

fn replication_privilege(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("replication_privilege", "Right to replicate");
    let user = quote(&facts.user);
    if facts.can_replicate {
        return passed(id, title, format!("The user {user} may read the log."));
    }
    let script = if facts.is_rds {
        vec![
            format!("GRANT rds_replication TO {user};"),
            undo(&format!("REVOKE rds_replication FROM {user};")),
        ]
    } else {
        vec![
            format!("ALTER ROLE {user} REPLICATION;"),
            comment(&format!("Amazon RDS and Aurora: GRANT rds_replication TO {user};")),
            undo(&format!("ALTER ROLE {user} NOREPLICATION;")),
        ]
    };
    failed(
        id,
        title,
        format!("The user {user} has no REPLICATION, so that it may not read the log."),
        script,
    )
}

pub fn row_security(facts: &Facts, tables: &[Arc<CatalogTable>]) -> PreflightCheck {
    let (id, title) = ("row_security", "Row security");
    let hidden: Vec<String> = (tables.iter().filter(|t| t.has_row_security))
        .map(|t| t.name.to_string())
        .collect();
    if hidden.is_empty() {
        return passed(id, title, "No rows are hidden from the user.");
    }
    let user = quote(&facts.user);
    PreflightCheck {
        tables: hidden.clone(),
        ..failed(
            id,
            title,
            format!(
                "Row security hides rows of {} from the user {user}: the result would not be complete.",
                listed(&hidden)
            ),
            vec![
                "-- Or use the owner of the tables for this migration.".into(),
                format!("ALTER ROLE {user} BYPASSRLS;"),
                undo(&format!("ALTER ROLE {user} NOBYPASSRLS;")),
            ],
        )
    }
}

pub fn select_privilege(facts: &Facts, tables: &[Arc<CatalogTable>]) -> PreflightCheck {
    let (id, title) = ("select_privilege", "Right to read the tables");
    let refused: Vec<&TableName> = tables.iter().filter(|t| !t.can_select).map(|t| &t.name).collect();
    if refused.is_empty() {
        return passed(id, title, format!("All {} mapped tables can be read.", tables.len()));
    }
    let user = quote(&facts.user);
    let schemas: BTreeSet<&str> = refused.iter().map(|t| t.schema.as_str()).collect();
    let mut script: Vec<String> = (schemas.iter())
        .map(|s| format!("GRANT USAGE ON SCHEMA {} TO {user};", quote(s)))
        .collect();
    script.extend(
        refused
            .iter()
            .map(|t| format!("GRANT SELECT ON {} TO {user};", qualified(t))),
    );
    script.extend(
        refused
            .iter()
            .map(|t| undo(&format!("REVOKE SELECT ON {} FROM {user};", qualified(t)))),
    );
    let names: Vec<String> = refused.iter().map(ToString::to_string).collect();
    PreflightCheck {
        tables: names.clone(),
        ..failed(
            id,
            title,
            format!("The user {user} has no SELECT on {}.", listed(&names)),
            script,
        )
    }
}

/// Changes of unlogged tables and of foreign ones are not in the log.
pub fn logged(subject: &Subject<'_>) -> PreflightCheck {
    let (id, title) = ("logged_tables", "Tables in the log");
    let absent: Vec<&Relation> = subject
        .relations
        .iter()
        .filter(|r| r.is_unlogged || r.is_foreign)
        .collect();
    if absent.is_empty() {
        return passed(id, title, "Changes of all mapped tables are in the log.");
    }
    let script = absent
        .iter()
        .flat_map(|r| {
            let name = qualified(&r.name);
            if r.is_foreign {
                let advice = format!("{name} lies in another server: detach this partition, or leave the table out.");
                vec![comment(&advice)]
            } else {
                vec![
                    format!("ALTER TABLE {name} SET LOGGED;  -- writes the whole table once"),
                    undo(&format!("ALTER TABLE {name} SET UNLOGGED;")),
                ]
            }
        })
        .collect();
    let names: Vec<String> = absent.iter().map(|r| r.name.to_string()).collect();
    PreflightCheck {
        tables: names.clone(),
        ..failed(
            id,
            title,
            format!(
                "Changes of {} are not in the log, because they are unlogged or lie in another server: they would \
                 never arrive.",
                listed(&names)
            ),
            script,
        )
    }
}

/// Old images do not hold what is generated.
pub fn generated(subject: &Subject<'_>, lacking: &[LackingIdentity]) -> PreflightCheck {
    let (id, title) = ("generated_columns", "Generated columns");
    let logs_stored = subject.facts.version >= GENERATED_SINCE;
    let (mut problems, mut tables) = (Vec::new(), Vec::new());
    for needs in subject.images {
        let relations: Vec<&Relation> = subject
            .relations
            .iter()
            .filter(|r| r.root == needs.table.name)
            .collect();
        for column in needs.inputs.iter().map(|c| &needs.table.columns[*c]) {
            let is_virtual = relations.iter().any(|r| r.virtual_columns.contains(&column.name));
            if column.is_generated && (is_virtual || !logs_stored) {
                let why = needs.reasons.join("; ");
                problems.push(format!("{} of {} ({why})", column.name, needs.table.name));
                tables.push(needs.table.name.to_string());
            }
        }
        for relation in relations.iter().filter(|r| !r.virtual_columns.is_empty()) {
            let is_full = relation.identity == ReplicaIdentity::Full;
            if is_full || lacking.iter().any(|l| l.oid == relation.oid) {
                // The server would refuse updates and deletes of it in a publication.
                problems.push(format!(
                    "{} of {}, whose replica identity FULL would hold it",
                    relation.virtual_columns.join(", "),
                    relation.name
                ));
                tables.push(relation.name.to_string());
            }
        }
    }
    if problems.is_empty() {
        return passed(id, title, "Nothing that has to be followed is generated.");
    }
    tables.dedup();
    PreflightCheck {
        tables,
        ..failed(
            id,
            title,
            format!(
                "The log does not hold these generated columns, which the mapping needs of rows before their change: {}.",
                listed(&problems)
            ),
            vec!["-- Join by a column that is not generated, or migrate with the mode SNAPSHOT.".into()],
        )
    }
}

pub fn replica_identity(subject: &Subject<'_>, lacking: &[LackingIdentity]) -> PreflightCheck {
    let (id, title) = ("replica_identity", "Rows before their change");
    if lacking.is_empty() {
        let count = subject.relations.len();
        return passed(
            id,
            title,
            format!("The replica identities of all {count} tables and partitions hold what the mapping needs."),
        );
    }
    let sentences: Vec<String> = lacking.iter().map(lack).collect();
    let mut script = Vec::new();
    for l in lacking {
        script.extend(
            l.reasons
                .iter()
                .map(|reason| comment(&format!("{}: {reason}", l.relation))),
        );
        script.push(full_sql(&l.relation));
        script.push(undo(&restore_sql(&l.relation, &l.identity)));
    }
    if subject.relations.iter().any(|r| r.is_partition) {
        script.push("-- A new partition starts with the identity DEFAULT: the same has to be done for it.".into());
    }
    // A standby cannot change anything.
    let can_be_prepared = lacking.iter().all(|l| l.can_be_prepared) && !subject.facts.is_in_recovery;
    let consent = if can_be_prepared {
        " The job can set the replica identities to FULL and restore them at its end, if it is allowed to."
    } else {
        " Their owner has to set the replica identities to FULL."
    };
    PreflightCheck {
        tables: lacking.iter().map(|l| l.relation.to_string()).collect(),
        can_be_prepared,
        ..failed(id, title, format!("{}.{consent}", listed(&sentences)), script)
    }
}

fn lack(lacking: &LackingIdentity) -> String {
    let (name, identity) = (&lacking.relation, &lacking.identity);
    let of_root = if lacking.relation == lacking.table {
        String::new()
    } else {
        format!(", a partition of {},", lacking.table)
    };
    if lacking.is_unusable {
        let state = match identity {
            ReplicaIdentity::Nothing => "has the replica identity NOTHING".to_owned(),
            ReplicaIdentity::Index(_) => "has lost the index of its replica identity".to_owned(),
            ReplicaIdentity::Default => "has no primary key for its replica identity".to_owned(),
            ReplicaIdentity::Full => "has the replica identity FULL".to_owned(),
        };
        format!("{name}{of_root} {state}, so that the server would refuse its updates and deletes once it is published")
    } else {
        format!(
            "{name}{of_root} has the replica identity {identity}, which lacks {}",
            lacking.missing.join(", ")
        )
    }
}

pub fn publication(
    subject: &Subject<'_>,
    plan: &Result<PublicationPlan, NoPublication>,
    exists: bool,
) -> PreflightCheck {
    let (id, title) = ("publication", "Publication");
    let name = quote(subject.name);
    let none = match plan {
        Ok(PublicationPlan::Create) => {
            return passed(id, title, "The job makes a publication and drops it at its end.");
        }
        Ok(PublicationPlan::Use(_)) => {
            return passed(id, title, format!("The publication {name} holds all mapped tables."));
        }
        Err(none) => none,
    };
    let mut faults = none.faults.clone();
    if !none.missing.is_empty() {
        faults.push(format!("it lacks {}", listed(&none.missing)));
    }
    let state = if exists {
        format!("The publication {name} will not do: {}", faults.join("; "))
    } else {
        format!("There is no publication {name}")
    };
    let all = || subject.tables.iter().map(|t| t.name.to_string()).collect();
    PreflightCheck {
        tables: if exists { none.missing.clone() } else { all() },
        ..failed(
            id,
            title,
            format!("{state}, and {}.", none.reason),
            vec![
                "-- After the replica identities: in a publication the server refuses UPDATE and DELETE of tables \
                 without one."
                    .into(),
                prepare_sql(subject.facts.version, subject.name, subject.tables, subject.relations),
                undo(&format!("DROP PUBLICATION IF EXISTS {name};")),
            ],
        )
    }
}

/// Nothing where no table is filtered.
pub fn filters(plan: &Plan, invalid: Option<UnstableFilter>, unstable: &[UnstableFilter]) -> Option<PreflightCheck> {
    let (id, title) = ("table_filters", "Table filters");
    plan.nodes().find(|n| n.table_filter.is_some())?;
    let is_valid = invalid.is_none();
    let problems: Vec<UnstableFilter> = match invalid {
        Some(invalid) => vec![invalid],
        None => unstable.to_vec(),
    };
    if problems.is_empty() {
        return Some(passed(id, title, "All table filters can be used."));
    }
    let sentences: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.table, p.reason)).collect();
    let (message, advice) = if is_valid {
        (
            "A filter of a continuous job may depend on its own row alone",
            "-- Change the filter, or migrate with the mode SNAPSHOT.",
        )
    } else {
        ("A filter is not valid", "-- Correct the filter.")
    };
    Some(PreflightCheck {
        tables: problems.iter().map(|p| p.table.to_string()).collect(),
        ..failed(
            id,
            title,
            format!("{message}. {}.", sentences.join("; ")),
            vec![advice.into()],
        )
    })
}

/// Every change reads rows by the columns that join them: up to the root, and down again.
pub fn join_indexes(plan: &Plan) -> PreflightCheck {
    let (id, title) = ("join_indexes", "Indexes for joins");
    let mut missing: Vec<(Arc<CatalogTable>, Vec<usize>)> = Vec::new();
    let mut add = |table: &Arc<CatalogTable>, columns: Vec<usize>| {
        let distinct: BTreeSet<usize> = columns.iter().copied().collect();
        let distinct: Vec<usize> = distinct.into_iter().collect();
        let is_known = missing.iter().any(|(t, c)| t.name == table.name && *c == columns);
        if !is_known && !table.has_index_on(&distinct) {
            missing.push((table.clone(), columns));
        }
    };
    let roots = plan.collections.iter().flat_map(|c| &c.roots);
    for (parent, node) in roots.flat_map(|r| pairs(&r.node)) {
        let Some(join) = &node.join else { continue };
        add(&parent.table, join.pairs.iter().map(|p| p.parent).collect());
        add(&node.table, join.pairs.iter().map(|p| p.own).collect());
    }
    if missing.is_empty() {
        return passed(id, title, "All joins of the mapping have their indexes.");
    }
    let names = |table: &CatalogTable, columns: &[usize]| -> Vec<String> {
        columns.iter().map(|c| table.columns[*c].name.clone()).collect()
    };
    let sentences: Vec<String> = missing
        .iter()
        .map(|(table, columns)| format!("{} ({})", table.name, names(table, columns).join(", ")))
        .collect();
    let script: Vec<String> = missing
        .iter()
        .map(|(table, columns)| {
            let list: Vec<String> = names(table, columns).iter().map(|n| quote(n)).collect();
            // Of a partitioned table indexes cannot be made beside its use.
            let how = if table.is_partitioned { "" } else { "CONCURRENTLY " };
            comment(&format!(
                "CREATE INDEX {how}ON {} ({});",
                qualified(&table.name),
                list.join(", ")
            ))
        })
        .collect();
    let mut tables: Vec<String> = missing.iter().map(|(t, _)| t.name.to_string()).collect();
    tables.dedup();
    PreflightCheck {
        tables,
        script: Some(script.join("\n")),
        ..entry(
            id,
            title,
            CheckStatus::Warning,
            format!(
                "No index begins with these columns, by which every change reads the whole table: {}. With large \
                 tables the job falls behind.",
                listed(&sentences)
            ),
        )
    }
}
