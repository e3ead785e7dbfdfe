//! Conventions as checks: who may import whom, and how long a file may be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The rooms of the server by level. A room may import those of lower levels, and the ones named beside it.
const LEVELS: [(&str, u8, &[&str]); 26] = [
    ("certificates", 0, &[]),
    ("data", 0, &[]),
    ("lease", 0, &[]),
    ("hooks", 0, &[]),
    ("plan", 1, &[]),
    ("analysis", 1, &[]),
    ("assemble", 1, &["plan"]),
    ("source", 2, &[]),
    ("sink", 2, &[]),
    ("store", 2, &[]),
    ("scripts", 2, &[]),
    ("webhook", 2, &[]),
    ("documents", 3, &[]),
    ("snapshot", 4, &[]),
    ("cdc", 4, &[]),
    ("verify", 4, &[]),
    ("jobs", 5, &[]),
    ("drafts", 5, &["jobs"]),
    ("api", 6, &[]),
    ("config", 7, &[]),
    ("crash", 7, &[]),
    ("check_report", 7, &[]),
    ("engine", 7, &["crash"]),
    ("serve", 8, &[]),
    ("cli", 9, &[]),
    ("main", 10, &[]),
];

/// Crates that stay in their rooms.
const KEPT: [(&str, &[&str]); 10] = [
    ("mongodb", &["sink", "store"]),
    ("tokio_postgres", &["source"]),
    ("postgres_protocol", &["source"]),
    ("rusqlite", &["source"]),
    ("mysql_async", &["source"]),
    ("sqlparser", &["source"]),
    ("axum", &["api", "serve"]),
    ("rquickjs", &["scripts"]),
    ("aes_gcm", &["store"]),
    ("tokio_rustls", &["webhook", "cli"]),
];

/// Production lines of a file; beyond this it has two reasons to change.
const LINES_MAX: usize = 700;

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie in the checkout")
        .to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").path())
    {
        if entry.is_dir() {
            files.extend(rust_files(&entry));
        } else if entry.extension().is_some_and(|e| e == "rs") {
            files.push(entry);
        }
    }
    files.sort();
    files
}

/// The room of a file: its folder below `src`, or its own name.
fn room_of(file: &Path, src: &Path) -> String {
    let inner = file.strip_prefix(src).expect("below src");
    let first = inner
        .components()
        .next()
        .expect("a name")
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// What stands before the tests of a file.
fn production(text: &str) -> &str {
    let tests = ["#[cfg(test)]\nmod tests", "#[cfg(test)]\npub mod testing"];
    let begin = tests.iter().filter_map(|begin| text.find(begin)).min();
    &text[..begin.unwrap_or(text.len())]
}

#[test]
fn an_arrow_never_points_up() {
    let src = checkout().join("backend/src");
    let levels: BTreeMap<&str, (u8, &[&str])> = LEVELS
        .iter()
        .map(|(room, level, also)| (*room, (*level, *also)))
        .collect();
    let mut wrong = Vec::new();
    for file in rust_files(&src) {
        let room = room_of(&file, &src);
        if room == "lib" {
            continue;
        }
        let (own, also) = levels
            .get(room.as_str())
            .copied()
            .unwrap_or_else(|| panic!("the room {room} has no level"));
        let text = std::fs::read_to_string(&file).expect("a readable file");
        for (number, line) in production(&text).lines().enumerate() {
            for part in line.split("crate::").skip(1) {
                let other: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let is_fine = other == room
                    || also.contains(&other.as_str())
                    || levels.get(other.as_str()).is_none_or(|(level, _)| *level < own);
                if !is_fine {
                    wrong.push(format!("{}:{}: {room} imports {other}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn drivers_stay_in_their_rooms() {
    let src = checkout().join("backend/src");
    let mut wrong = Vec::new();
    for file in rust_files(&src) {
        let room = room_of(&file, &src);
        let text = std::fs::read_to_string(&file).expect("a readable file");
        for (driver, rooms) in KEPT {
            let uses = production(&text).lines().any(|l| l.contains(&format!("{driver}::")));
            if uses && !rooms.contains(&room.as_str()) {
                wrong.push(format!("{} uses {driver}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What reads snapshots, follows changes and verifies asks a source through traits, and knows none.
#[test]
fn nobody_above_the_sources_names_a_database() {
    let src = checkout().join("backend/src");
    let mut named = Vec::new();
    for file in rust_files(&src) {
        let text = std::fs::read_to_string(&file).expect("a readable file");
        let names = ["source::postgres", "source::mysql", "source::sqlite", "postgres::"];
        let is_above = room_of(&file, &src) != "source" && room_of(&file, &src) != "serve";
        if is_above && names.iter().any(|name| production(&text).contains(name)) {
            named.push(file.display().to_string());
        }
    }
    assert!(named.is_empty(), "{}", named.join("\n"));
}

#[test]
fn files_have_one_reason_to_change() {
    let checkout = checkout();
    let mut long = Vec::new();
    for folder in ["shared/src", "backend/src", "frontend/src", "tests/src"] {
        for file in rust_files(&checkout.join(folder)) {
            let text = std::fs::read_to_string(&file).expect("a readable file");
            let lines = production(&text).lines().count();
            if lines > LINES_MAX {
                long.push(format!("{} has {lines} lines", file.display()));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}
