//! Checks of the mapped tables: what the log holds of them, who publishes it, and how they are read again.

use super::facts::Facts;
use super::publication::{GENERATED_SINCE, NoPublication, PublicationPlan, prepare_sql};
use crate::data::catalog::CatalogTable;
use crate::plan::Plan;
use crate::plan::images::{TableImages, pairs};
use crate::source::filter::FilterProblem;
use crate::source::postgres::identity::{LackingIdentity, Relation, ReplicaIdentity, full_sql, qualified, restore_sql};
use crate::source::postgres::queries::quote;
use crate::source::script::{comment, undo};
use crate::source::verdict::{clauses, entry, failed, listed, passed};
use godwit_shared::preflight::{CheckStatus, PreflightCheck};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the checks look at.
pub struct Subject<'a> {
    pub facts: &'a Facts,
    /// Of the publication that an owner prepares.
    pub name: &'a str,
    pub tables: &'a [Arc<CatalogTable>],
    pub images: &'a [TableImages],
    pub relations: &'a [Relation],
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
                clauses(&problems)
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
    if lacking.iter().any(|l| l.relation != l.table) {
        script.push("-- A new partition starts with the identity DEFAULT: the same has to be done for it.".into());
    }
    // A standby cannot change anything.
    let can_be_prepared = lacking.iter().all(|l| l.can_be_prepared) && !subject.facts.is_in_recovery;
    let consent = if can_be_prepared {
        " The job can set the replica identities to FULL and restore them at its end, if you let it prepare the source."
    } else {
        " Their owner has to set the replica identities to FULL."
    };
    PreflightCheck {
        tables: lacking.iter().map(|l| l.relation.to_string()).collect(),
        can_be_prepared,
        ..failed(id, title, format!("{}.{consent}", clauses(&sentences)), script)
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
pub fn filters(plan: &Plan, invalid: &[FilterProblem], unstable: &[FilterProblem]) -> Option<PreflightCheck> {
    let (id, title) = ("table_filters", "Table filters");
    plan.nodes().find(|n| n.table_filter.is_some())?;
    let is_valid = invalid.is_empty();
    let problems = if is_valid { unstable } else { invalid };
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
