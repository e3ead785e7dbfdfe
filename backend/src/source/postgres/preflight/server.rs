//! Checks of the server and of the user, as plain functions: what was read becomes a verdict, a sentence and the SQL that
//! mends it. The lines of [`undo`] in a script say how its block is taken back.

use super::facts::{Facts, Refused};
use crate::data::catalog::CatalogTable;
use crate::source::SourceError;
use crate::source::postgres::identity::qualified;
use crate::source::postgres::queries::{literal, quote};
use crate::source::script::{comment, undo};
use crate::source::verdict::{entry, failed, listed, passed};
use godwit_shared::preflight::{CheckStatus, PreflightCheck};
use std::collections::BTreeSet;
use std::sync::Arc;

const VERSION_MIN: i32 = 10_00_00;
/// Slots and senders that a script makes room for, besides those in use.
const ROOM: i32 = 5;
/// From this size on the log of an idle slot is worth a word.
const IDLE_SLOT_MB: i64 = 1024;

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

/// Where a pooler answers: whether it lets the change log through. Other reasons against it are found by other checks.
pub fn log_is_reachable(error: Option<&SourceError>) -> PreflightCheck {
    let (id, title) = ("pooler", "Connection pooler");
    match error {
        Some(error @ SourceError::Pooler { .. }) => failed(
            id,
            title,
            format!("{error}."),
            vec!["-- Give the address of the server itself in the connection.".into()],
        ),
        _ => passed(
            id,
            title,
            "The pooler in front of the server gives sessions, and the change log.",
        ),
    }
}

/// All that concerns the server and the right of the user to replicate.
pub fn settings(facts: &Facts) -> Vec<PreflightCheck> {
    let mut checks = vec![
        wal_level(facts),
        primary(facts),
        room(
            facts,
            &Limit {
                id: "replication_slots",
                title: "Free replication slot",
                setting: "max_replication_slots",
                used: facts.slots_used,
                max: facts.slots_max,
                query: "SELECT slot_name, active, restart_lsn FROM pg_replication_slots",
            },
        ),
        room(
            facts,
            &Limit {
                id: "wal_senders",
                title: "Free WAL sender",
                setting: "max_wal_senders",
                used: facts.senders_used,
                max: facts.senders_max,
                query: "SELECT pid, usename, application_name, state FROM pg_stat_replication",
            },
        ),
    ];
    checks.extend(retained_log(facts));
    checks.extend(idle_slots(facts));
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
    match facts.is_in_recovery {
        false => passed(id, title, "The server is a primary."),
        // Slot and publication are made by the job, and on a standby they cannot be.
        true => failed(
            id,
            title,
            "The server is a standby, and only a primary can be followed.",
            vec!["-- Use a connection to the primary for this migration.".into()],
        ),
    }
}

/// Something that a setting limits and of which the job needs one.
struct Limit<'a> {
    id: &'a str,
    title: &'a str,
    setting: &'a str,
    used: i32,
    max: i32,
    /// Shows who uses them.
    query: &'a str,
}

fn room(facts: &Facts, limit: &Limit<'_>) -> PreflightCheck {
    let Limit {
        id,
        title,
        setting,
        used,
        max,
        query,
    } = *limit;
    if facts.has_own_slot {
        return passed(id, title, "A job of this project has its own already.");
    }
    if used < max {
        return passed(id, title, format!("{used} of {max} are in use ({setting})."));
    }
    let wanted = (used + ROOM).max(10);
    let mut script = Vec::new();
    if max > 0 {
        script.push(format!("-- See whether all are needed: {query};"));
    }
    if !facts.is_rds {
        script.push(format!("ALTER SYSTEM SET {setting} = {wanted};"));
        script.push("-- Then restart the server. The same can be set in postgresql.conf.".into());
        script.push(undo(&format!("ALTER SYSTEM SET {setting} = {max};  -- and restart")));
    }
    script.push(format!(
        "-- Amazon RDS and Aurora: set {setting} = {wanted} in the parameter group, then reboot."
    ));
    let state = if max > 0 {
        format!("All {max} are in use ({setting})")
    } else {
        format!("The server allows none ({setting} is 0)")
    };
    failed(id, title, format!("{state}: the job needs one."), script)
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

/// What nobody reads fills the disk of the server, and the job will be blamed.
fn idle_slots(facts: &Facts) -> Option<PreflightCheck> {
    let large: Vec<&(String, i64)> = (facts.idle_slots.iter())
        .filter(|(_, mb)| *mb >= IDLE_SLOT_MB)
        .collect();
    let names: Vec<String> = large
        .iter()
        .map(|(name, mb)| format!("{} ({mb} MB)", quote(name)))
        .collect();
    let script: Vec<String> = large
        .iter()
        .map(|(name, _)| comment(&format!("SELECT pg_drop_replication_slot({});", literal(name))))
        .collect();
    (!large.is_empty()).then(|| PreflightCheck {
        script: Some(script.join("\n")),
        ..entry(
            "idle_slots",
            "Idle replication slots",
            CheckStatus::Warning,
            format!(
                "Nobody reads from these slots, for which the server keeps its log: {}. Drop those that are not needed \
                 any more.",
                listed(&names)
            ),
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

pub fn select_privilege(facts: &Facts, refused: &[Refused]) -> PreflightCheck {
    let (id, title) = ("select_privilege", "Right to read the tables");
    if refused.is_empty() {
        return passed(id, title, "All mapped tables can be read.");
    }
    let user = quote(&facts.user);
    let hidden = refused.iter().filter(|r| r.lacks_usage);
    let schemas: BTreeSet<&str> = hidden.map(|r| r.table.schema.as_str()).collect();
    let mut rights: Vec<String> = schemas
        .iter()
        .map(|s| format!("USAGE ON SCHEMA {}", quote(s)))
        .collect();
    let unreadable = refused.iter().filter(|r| r.lacks_select);
    rights.extend(unreadable.map(|r| format!("SELECT ON {}", qualified(&r.table))));
    let grants = rights.iter().map(|r| format!("GRANT {r} TO {user};"));
    let revokes = rights.iter().map(|r| undo(&format!("REVOKE {r} FROM {user};")));
    let names: Vec<String> = refused.iter().map(|r| r.table.to_string()).collect();
    PreflightCheck {
        tables: names.clone(),
        ..failed(
            id,
            title,
            format!("The user {user} may not read {}.", listed(&names)),
            grants.chain(revokes).collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> Facts {
        Facts {
            version: 15_00_04,
            version_text: "15.4".into(),
            user: "u\"x".into(),
            wal_level: "logical".into(),
            slots_max: 10,
            senders_max: 10,
            can_replicate: true,
            ..Facts::default()
        }
    }

    /// The checks of the server that did not pass, as `id: first line of the script`.
    fn check(facts: &Facts, expected: &[&str]) {
        let checks = settings(facts);
        let lines: Vec<String> = checks
            .iter()
            .filter(|c| c.status != CheckStatus::Passed)
            .map(|c| {
                let script = c.script.as_deref().expect("what has not passed has a script");
                format!("{}: {}", c.id, script.lines().next().unwrap_or_default())
            })
            .collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn servers_and_how_they_are_mended() {
        check(&ready(), &[]);
        let bare = Facts {
            wal_level: "replica".into(),
            can_replicate: false,
            ..ready()
        };
        check(
            &bare,
            &[
                "wal_level: ALTER SYSTEM SET wal_level = 'logical';",
                "replication_privilege: ALTER ROLE \"u\"\"x\" REPLICATION;",
            ],
        );
        check(
            &Facts { is_rds: true, ..bare },
            &[
                "wal_level: -- Amazon RDS and Aurora: set rds.logical_replication = 1 in the parameter group, then reboot.",
                "replication_privilege: GRANT rds_replication TO \"u\"\"x\";",
            ],
        );
    }

    #[test]
    fn the_slot_of_a_job_that_goes_on_needs_no_other() {
        let full = Facts {
            slots_used: 10,
            senders_used: 10,
            ..ready()
        };
        let slots = "SELECT slot_name, active, restart_lsn FROM pg_replication_slots;";
        let senders = "SELECT pid, usename, application_name, state FROM pg_stat_replication;";
        check(
            &full,
            &[
                &format!("replication_slots: -- See whether all are needed: {slots}"),
                &format!("wal_senders: -- See whether all are needed: {senders}"),
            ],
        );
        check(
            &Facts {
                has_own_slot: true,
                ..full
            },
            &[],
        );
    }

    #[test]
    fn a_standby_cannot_be_followed() {
        let standby = Facts {
            is_in_recovery: true,
            ..ready()
        };
        check(
            &standby,
            &["primary_server: -- Use a connection to the primary for this migration."],
        );
    }

    #[test]
    fn limits_of_the_kept_log_are_told() {
        assert!(retained_log(&ready()).is_none());
        let limited = Facts {
            slot_keep_mb: Some(1024),
            slot_idle_seconds: Some(600),
            ..ready()
        };
        let warning = retained_log(&limited).expect("a warning");
        assert_eq!(warning.status, CheckStatus::Warning);
        assert!(
            warning.message.contains("1024 MB") && warning.message.contains("10 minutes"),
            "{warning:?}"
        );
        let script = warning.script.expect("advice");
        assert!(script.lines().all(|l| l.starts_with("-- ")), "{script}");
    }

    #[test]
    fn slots_that_nobody_reads_are_named_when_they_hold_much() {
        let idle = Facts {
            idle_slots: vec![("a'b".into(), 5000), ("small".into(), 1)],
            ..ready()
        };
        check(&idle, &["idle_slots: -- SELECT pg_drop_replication_slot('a''b');"]);
    }

    #[test]
    fn old_servers_are_refused() {
        assert_eq!(version(9_06_24, "9.6.24").status, CheckStatus::Failed);
        assert_eq!(version(10_00_01, "10.1").status, CheckStatus::Passed);
    }
}
