//! Rules about the database as a whole.

use super::{Rule, Subject, With, listed, size};
use crate::analysis::facts::{Kept, LogFacts};
use godwit_shared::analysis::{Category, Detection, Difficulty, Level, ObjectType};

const fn rule(id: &'static str, name: &'static str, category: Category) -> Rule {
    Rule {
        id,
        name,
        object: ObjectType::Database,
        category,
        difficulty: Difficulty::Medium,
        level: Level::Risk,
    }
}

const NO_KEYS: Rule = rule("no_foreign_keys", "No foreign keys found", Category::Schema);
const LARGE: Rule = rule("large_database", "Large single table", Category::Performance);
const RETENTION: Rule = rule("log_retention", "Log retention too short", Category::Performance);

const BYTES_MAX: u64 = 100 << 30;
/// What a snapshot is taken to read in a second where nothing was measured.
const SNAPSHOT_BYTES_PER_SECOND: u64 = 20 << 20;
/// What the start of a job takes, however small the source.
const SNAPSHOT_SECONDS_MIN: u64 = 60;
/// Candidates for foreign keys that are named.
const CANDIDATES_MAX: usize = 20;

/// Applies them.
pub fn look(subject: &Subject<'_>, found: &mut Vec<Detection>) {
    let has_keys = subject.tables.iter().any(|t| !t.foreign_keys.is_empty());
    if !has_keys && !subject.tables.is_empty() {
        let candidates = candidates(subject);
        let told = match candidates.as_slice() {
            [] => String::new(),
            some => format!(" These columns look like some: {}.", listed(some)),
        };
        let text = format!("No table of the project has a foreign key.{told}");
        let then = "Draw the keys in the diagram as synthetic foreign keys: without them nothing can be embedded. There, how \
                    many rows match is counted.";
        found.push(NO_KEYS.at_database(subject, text, then).members(candidates));
    }
    let bytes: u64 = subject.tables.iter().map(|t| t.size_bytes).sum();
    if bytes > BYTES_MAX {
        let text = format!(
            "The tables of the project have {}, more than {}.",
            size(bytes),
            size(BYTES_MAX)
        );
        let then = "Run Godwit close to source and destination, leave out what is not needed with table filters, and migrate \
                    in parts. Large tables are read in parallel by ranges of their keys.";
        found.push(LARGE.at_database(subject, text, then));
    }
    if let Some(log) = subject.facts.log.as_ref().filter(|_| subject.is_continuous())
        && let Some((kept, needed)) = too_short(log, bytes)
    {
        let text = format!(
            "The log of changes is kept for about {} ({}), and a snapshot may need {}: twice the time that {} take at {} a \
             second.",
            duration(kept),
            log.setting,
            duration(needed),
            size(bytes),
            size(SNAPSHOT_BYTES_PER_SECOND)
        );
        let then = "Keep the log longer before a continuous migration starts: if it is gone before the snapshot has ended, \
                    everything has to be read again.";
        found.push(
            RETENTION
                .at_database(subject, text, then)
                .members(vec![log.setting.clone()]),
        );
    }
}

/// For how long the log is kept and for how long it is needed, in seconds, where that is too short.
fn too_short(log: &LogFacts, bytes: u64) -> Option<(u64, u64)> {
    let needed = 2 * (bytes / SNAPSHOT_BYTES_PER_SECOND).max(SNAPSHOT_SECONDS_MIN);
    let kept = match log.kept {
        Kept::Always => return None,
        Kept::Seconds(seconds) => seconds,
        Kept::Bytes(kept) => (kept as f64 / log.bytes_per_second.filter(|b| *b > 0.0)?) as u64,
    };
    (kept < needed).then_some((kept, needed))
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Columns that are named after another table's key: `customer_id` for the key `id` or `customer_id` of `customer`.
fn candidates(subject: &Subject<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for table in &subject.tables {
        for (place, column) in table.columns.iter().enumerate() {
            let lower = column.name.to_lowercase();
            let Some(stem) = lower.strip_suffix("_id").or_else(|| lower.strip_suffix("id")) else {
                continue;
            };
            let target = subject.tables.iter().find(|other| {
                let name = other.name.table.to_lowercase();
                let is_named =
                    !stem.is_empty() && (name == stem || name == format!("{stem}s") || name == format!("{stem}es"));
                let [key] = other.primary_key.as_slice() else {
                    return false;
                };
                let is_itself = other.name == table.name && *key == place;
                is_named && !is_itself && other.columns[*key].cast == column.cast
            });
            if let Some(target) = target {
                let key = &target.columns[target.primary_key[0]].name;
                found.push(format!("{}.{} → {}.{key}", table.name, column.name, target.name));
            }
            if found.len() == CANDIDATES_MAX {
                return found;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::Bench;
    use godwit_shared::job::MigrationMode;

    #[test]
    fn without_foreign_keys_candidates_are_named() {
        let mut bench = Bench::clean();
        bench.change("child", |t| t.foreign_keys.clear());
        let found = bench.only("no_foreign_keys");
        assert_eq!((found.entity_name.as_str(), found.objects), ("shop", 2));
        assert_eq!(found.members, ["public.child.parent_id → public.parent.id"]);
    }

    #[test]
    fn more_than_a_hundred_gibibytes_are_a_risk() {
        let mut bench = Bench::clean();
        bench.change("parent", |t| t.size_bytes = 100 << 30);
        bench.change("child", |t| t.size_bytes = 0);
        assert!(bench.rules().is_empty());
        bench.change("child", |t| t.size_bytes = 1);
        assert_eq!(bench.only("large_database").rule_type, Level::Risk);
    }

    #[test]
    fn a_log_has_to_outlast_the_snapshot() {
        let mut bench = Bench::clean();
        bench.mode = MigrationMode::Cdc;
        let log = |kept: Kept, rate: Option<f64>| LogFacts {
            kept,
            setting: "max_slot_wal_keep_size = 1GB".into(),
            bytes_per_second: rate,
        };
        let mut rules = |log: LogFacts| {
            bench.facts.log = Some(log);
            bench.rules()
        };
        assert!(rules(log(Kept::Always, None)).is_empty());
        assert!(rules(log(Kept::Seconds(120), None)).is_empty());
        assert!(rules(log(Kept::Seconds(119), None)).contains("log_retention"));
        assert!(rules(log(Kept::Bytes(1 << 30), None)).is_empty());
        assert!(rules(log(Kept::Bytes(1 << 30), Some(1e6))).is_empty());
        assert!(rules(log(Kept::Bytes(1 << 30), Some(1e8))).contains("log_retention"));
        bench.mode = MigrationMode::Snapshot;
        assert!(bench.rules().is_empty());
    }
}
