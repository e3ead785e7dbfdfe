//! Whether the binary log can be followed, and what mends it where it cannot.

use super::change_log::{LogSettings, Proof, created, log_end, log_files, read_settings};
use super::client::MySqlSource;
use super::link::Link;
use super::queries::literal;
use super::snapshot::without_transactions;
use crate::plan::Plan;
use crate::source::SourceError;
use crate::source::filter::unstable_filters;
use crate::source::script::comment;
use crate::source::verdict::{clauses, entry, failed, listed, passed};
use godwit_shared::preflight::{CheckStatus, PreflightCheck};

/// Files of the log should stay for longer than a source may be away.
const KEPT_SECONDS_MIN: f64 = 86_400.0;

/// What the server says, and what this user may do.
struct Facts {
    settings: LogSettings,
    is_mariadb: bool,
    version: String,
    /// `'godwit'@'%'`, as the server knows who asks.
    user: String,
    grants: Vec<String>,
    may_see_log: bool,
    /// Why the log cannot be read.
    refusal: Option<String>,
}

/// Checks all that a continuous job needs of the server. Nothing is changed, and nothing has to be made in it.
///
/// # Errors
/// When the checks themselves cannot run; what they find is no error.
pub async fn examine(source: &MySqlSource, link: &Link, plan: &Plan) -> Result<Vec<PreflightCheck>, SourceError> {
    let settings = read_settings(link).await?;
    let one = |line: Vec<Option<String>>| line.into_iter().next().flatten().unwrap_or_default();
    let user = one(link.one("SELECT CURRENT_USER()").await?);
    let grants = link.query("SHOW GRANTS").await.unwrap_or_default();
    let files = match log_end(link).await {
        Ok(_) => log_files(link).await.ok(),
        Err(SourceError::LogUnusable { .. }) => Some(Vec::new()),
        Err(_) => None,
    };
    // Rights come from roles as well: it is tried.
    let refusal = match files.as_deref().and_then(<[_]>::last) {
        Some(file) => created(source, file).await.err().map(|error| error.to_string()),
        None => None,
    };
    let (name, host) = user.rsplit_once('@').unwrap_or((&user, "%"));
    let facts = Facts {
        is_mariadb: link.server().is_mariadb(),
        version: link.server().version.clone(),
        user: format!("{}@{}", literal(name), literal(host)),
        grants: grants.into_iter().map(one).collect(),
        may_see_log: files.is_some(),
        refusal,
        settings,
    };
    let mut checks = vec![
        log_is_on(&facts),
        server_id(&facts),
        format(&facts),
        row_image(&facts),
        compression(&facts),
        replication_right(&facts),
        client_right(&facts),
        proof(&facts),
        retention(&facts),
        durability(&facts),
    ];
    checks.push(transactions(without_transactions(link, &plan.tables()).await?));
    checks.push(keys(plan));
    checks.push(filters(plan));
    Ok(checks)
}

/// Why not every change is in the log, by the settings that new sessions begin with.
pub fn not_logged(settings: &LogSettings) -> Option<String> {
    if !settings.is_on("log_bin") {
        return Some("the server writes no binary log any more (log_bin)".into());
    }
    let format = settings.get("binlog_format");
    (format != "ROW" && !format.is_empty())
        .then(|| format!("binlog_format is {format}: set it to ROW, for the sessions of the application too"))
}

fn log_is_on(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("log_bin", "Binary log");
    if facts.settings.is_on("log_bin") {
        return passed(id, title, "The server writes a binary log.");
    }
    let script = vec![
        comment("In the server's configuration, then restart it:"),
        comment("[mysqld]"),
        comment("server-id = 1    # another one for each server"),
        comment("log_bin = mysql-bin"),
        comment("binlog_format = ROW"),
        comment("On Amazon RDS: switch automated backups on."),
    ];
    failed(id, title, "The server writes no binary log (log_bin is off).", script)
}

fn server_id(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("server_id", "Identifier of the server");
    match facts.settings.get("server_id") {
        "0" | "" => failed(
            id,
            title,
            "server_id is 0: such a server lets no replica read its log.",
            vec![
                "SET GLOBAL server_id = 1;".into(),
                comment("And in its configuration, with a number that no other server of the same replication has."),
            ],
        ),
        number => passed(id, title, format!("server_id is {number}.")),
    }
}

fn format(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("binlog_format", "Format of the log");
    match facts.settings.get("binlog_format") {
        // What a later version may have taken away.
        "ROW" | "" => passed(id, title, "The log has rows (binlog_format=ROW)."),
        other => failed(
            id,
            title,
            format!("binlog_format is {other}: the log has statements in place of the rows that they change."),
            vec![
                "SET GLOBAL binlog_format = 'ROW';".into(),
                comment(
                    "Sessions that are open keep theirs: let the application connect anew. And in the configuration:",
                ),
                comment("binlog_format = ROW"),
            ],
        ),
    }
}

fn row_image(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("binlog_row_image", "Old values in the log");
    match facts.settings.get("binlog_row_image") {
        "FULL" | "" => passed(id, title, "The log has whole rows (binlog_row_image=FULL)."),
        other => failed(
            id,
            title,
            format!("binlog_row_image is {other}: the log lacks values that tell which documents held a row."),
            vec![
                "SET GLOBAL binlog_row_image = 'FULL';".into(),
                comment(
                    "Sessions that are open keep theirs: let the application connect anew. And in the configuration:",
                ),
                comment("binlog_row_image = FULL"),
            ],
        ),
    }
}

fn compression(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("binlog_transaction_compression", "Compressed transactions");
    if !facts.settings.is_on("binlog_transaction_compression") {
        return passed(
            id,
            title,
            "Transactions are not compressed in the log, or in a way that can be read.",
        );
    }
    let script = vec![
        "SET GLOBAL binlog_transaction_compression = OFF;".into(),
        comment("Sessions that are open keep theirs: let the application connect anew."),
    ];
    let message = "binlog_transaction_compression is on: such transactions cannot be read.";
    failed(id, title, message, script)
}

impl Facts {
    /// Whether a right on everything was granted, or a role that may have it.
    fn has_right(&self, names: &[&str]) -> bool {
        self.grants.iter().any(|grant| {
            let upper = grant.to_uppercase();
            let is_role = !upper.contains(" ON ");
            let Some((rights, _)) = upper.strip_prefix("GRANT ").and_then(|g| g.split_once(" ON *.* ")) else {
                return is_role;
            };
            let rights: Vec<&str> = rights.split(',').map(str::trim).collect();
            rights.iter().any(|r| *r == "ALL PRIVILEGES" || names.contains(r))
        })
    }
}

fn replication_right(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("replication_slave", "Right to read the log");
    let script = vec![format!("GRANT REPLICATION SLAVE ON *.* TO {};", facts.user)];
    match &facts.refusal {
        None if facts.may_see_log => passed(id, title, "The user may read the log."),
        None if facts.has_right(&["REPLICATION SLAVE", "REPLICATION REPLICA"]) => {
            passed(id, title, "The user may read the log.")
        }
        None => failed(id, title, format!("{} has no REPLICATION SLAVE.", facts.user), script),
        Some(reason) => failed(
            id,
            title,
            format!("{} cannot read the log: {reason}.", facts.user),
            script,
        ),
    }
}

fn client_right(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("replication_client", "Right to ask for the log's files");
    if facts.may_see_log {
        return passed(id, title, "The user may ask where the log stands.");
    }
    let right = if facts.is_mariadb {
        "BINLOG MONITOR"
    } else {
        "REPLICATION CLIENT"
    };
    let script = vec![format!("GRANT {right} ON *.* TO {};", facts.user)];
    failed(id, title, format!("{} has no {right}.", facts.user), script)
}

fn proof(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("point_in_time", "Reading what the log tells");
    match facts.settings.proof(facts.is_mariadb) {
        Proof::SnapshotPlace => passed(id, title, "A snapshot tells where in the log it stands."),
        Proof::Gtids => passed(id, title, "GTIDs tell which transactions a snapshot has."),
        Proof::Lock if facts.has_right(&["RELOAD"]) => entry(
            id,
            title,
            CheckStatus::Warning,
            "Without GTIDs every read of changes takes a short global read lock. With gtid_mode=ON none is taken.",
        ),
        Proof::Lock => failed(
            id,
            title,
            "Without GTIDs nothing proves that a read has what the log tells, unless the user may lock all tables for a \
             moment.",
            vec![
                comment("Either switch GTIDs on, which a running server can, one step after the other:"),
                "SET GLOBAL enforce_gtid_consistency = ON;".into(),
                "SET GLOBAL gtid_mode = OFF_PERMISSIVE;".into(),
                "SET GLOBAL gtid_mode = ON_PERMISSIVE;".into(),
                comment("when SHOW STATUS LIKE 'ONGOING_ANONYMOUS_TRANSACTION_COUNT' says 0:"),
                "SET GLOBAL gtid_mode = ON;".into(),
                comment("or let the user take the lock:"),
                comment(&format!("GRANT RELOAD ON *.* TO {};", facts.user)),
            ],
        ),
    }
}

fn retention(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("retention", "How long the log is kept");
    match facts.settings.kept_seconds() {
        None => passed(id, title, "The server does not take files of its log away by itself."),
        Some(seconds) if seconds >= KEPT_SECONDS_MIN => {
            let days = seconds / 86_400.0;
            passed(id, title, format!("Files of the log are kept for {days:.1} days."))
        }
        Some(seconds) => {
            let hours = seconds / 3_600.0;
            let is_old = !facts.is_mariadb && facts.version.starts_with("5.");
            let statement = match is_old {
                true => "SET GLOBAL expire_logs_days = 10;",
                false => "SET GLOBAL binlog_expire_logs_seconds = 864000;",
            };
            PreflightCheck {
                script: Some(format!(
                    "{statement}\n{}",
                    comment("And the same in the server's configuration.")
                )),
                ..entry(
                    id,
                    title,
                    CheckStatus::Warning,
                    format!(
                        "Files of the log are kept for {hours:.1} hours: a job that is paused for longer, or whose \
                         snapshot takes longer, has to begin anew."
                    ),
                )
            }
        }
    }
}

/// What a crash takes back in the engine and not in the log, documents keep, and no change tells.
fn durability(facts: &Facts) -> PreflightCheck {
    let (id, title) = ("durability", "What a crash of the source takes back");
    let lax: Vec<String> = ["innodb_flush_log_at_trx_commit", "sync_binlog"]
        .into_iter()
        .filter(|name| !matches!(facts.settings.get(name), "1" | ""))
        .map(|name| format!("{name} is {}", facts.settings.get(name)))
        .collect();
    if lax.is_empty() {
        return passed(
            id,
            title,
            "Commits are on disk, in the engine and in the log, before they are seen.",
        );
    }
    PreflightCheck {
        script: Some("SET GLOBAL innodb_flush_log_at_trx_commit = 1, GLOBAL sync_binlog = 1;".into()),
        ..entry(
            id,
            title,
            CheckStatus::Warning,
            format!(
                "{}: after a crash of the source, engine and log may differ, and documents with them. Verify after one.",
                lax.join(", ")
            ),
        )
    }
}

fn transactions(engines: Vec<String>) -> PreflightCheck {
    let (id, title) = ("engines", "Engines with transactions");
    if engines.is_empty() {
        return passed(id, title, "All mapped tables have transactions.");
    }
    let message = format!(
        "These tables have an engine without transactions, so that a read may have more than the log: {}. Their documents \
         are right again when the log has told all.",
        listed(&engines)
    );
    PreflightCheck {
        tables: engines,
        ..entry(id, title, CheckStatus::Warning, message)
    }
}

fn keys(plan: &Plan) -> PreflightCheck {
    let (id, title) = ("primary_keys", "Primary keys");
    let keyless: Vec<String> = (plan.tables().iter())
        .filter(|table| table.primary_key.is_empty())
        .map(|table| table.name.to_string())
        .collect();
    if keyless.is_empty() {
        return passed(id, title, "All mapped tables have a primary key.");
    }
    let message = format!(
        "These tables have no primary key, so that only whole rows tell them apart: {}. Each change is looked for by all \
         columns.",
        listed(&keyless)
    );
    PreflightCheck {
        tables: keyless,
        ..entry(id, title, CheckStatus::Warning, message)
    }
}

fn filters(plan: &Plan) -> PreflightCheck {
    let (id, title) = ("stable_filters", "Table filters of a continuous job");
    match unstable_filters(plan).as_slice() {
        [] => passed(id, title, "No table filter depends on more than its own row."),
        some => {
            let reasons: Vec<String> = some.iter().map(|p| format!("{}: {}", p.table, p.reason)).collect();
            entry(id, title, CheckStatus::Failed, clauses(&reasons))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(grants: &[&str]) -> Facts {
        Facts {
            settings: LogSettings::default(),
            is_mariadb: false,
            version: "5.7.29".into(),
            user: "'u'@'%'".into(),
            grants: grants.iter().map(|g| (*g).to_owned()).collect(),
            may_see_log: true,
            refusal: None,
        }
    }

    #[test]
    fn rights_are_those_on_everything() {
        let some = facts(&["GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `u`@`%`"]);
        assert!(some.has_right(&["REPLICATION SLAVE"]) && !some.has_right(&["RELOAD"]));
        assert!(facts(&["GRANT ALL PRIVILEGES ON *.* TO 'u'@'%' WITH GRANT OPTION"]).has_right(&["RELOAD"]));
        assert!(!facts(&["GRANT ALL PRIVILEGES ON `d`.* TO 'u'@'%'"]).has_right(&["RELOAD"]));
        let check = proof(&facts(&["GRANT SELECT ON *.* TO `u`@`%`"]));
        assert_eq!(check.status, CheckStatus::Failed);
        assert!(
            check
                .script
                .is_some_and(|s| s.contains("gtid_mode = ON;") && s.contains("GRANT RELOAD"))
        );
    }
}
