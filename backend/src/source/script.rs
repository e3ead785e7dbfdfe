//! The downloadable SQL of a preflight check: blocks of what is missing, and how all of it is taken back.

use godwit_shared::preflight::{CheckStatus, PreflightCheck};

/// What a line of a check's script begins with that takes the block back.
const UNDO: &str = "-- undo: ";

/// Characters of a line that is read.
const LINE_MAX: usize = 112;

const HEADER: &str = "\
-- What this source lacks for the migration. Run it in the database of the source, as a superuser; what is about tables
-- alone their owner can run as well. It can be run again. Lines that begin with -- are for you to read:
-- steps that no statement can do, and advice. What is there already is left out.
";

/// A text as a comment, however many lines it has: nothing of it can become a statement.
pub fn comment(text: &str) -> String {
    prefixed("-- ", text)
}

/// How a block is taken back, as part of its script.
pub fn undo(statement: &str) -> String {
    prefixed(UNDO, statement)
}

fn prefixed(prefix: &str, text: &str) -> String {
    let lines: Vec<String> = text.split(['\n', '\r']).map(|line| format!("{prefix}{line}")).collect();
    lines.join("\n")
}

/// Broken between words, so that it can be read in a terminal.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > LINE_MAX {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

fn is_missing(check: &PreflightCheck) -> bool {
    match check.status {
        CheckStatus::Passed => false,
        CheckStatus::Warning | CheckStatus::Failed => true,
    }
}

/// One file for all that failed or was warned of, in the order of the checks: server, user, schemas, tables.
pub fn script(checks: &[PreflightCheck]) -> String {
    let mut text = HEADER.to_owned();
    let mut undo: Vec<&str> = Vec::new();
    let mut is_empty = true;
    for check in checks.iter().filter(|c| is_missing(c)) {
        let Some(script) = &check.script else { continue };
        is_empty = false;
        let (back, block): (Vec<&str>, Vec<&str>) = script.lines().partition(|line| line.starts_with(UNDO));
        let heading = wrapped(&format!("{}: {}", check.title, check.message));
        text.push_str(&format!("\n{}\n", comment(&heading)));
        block.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        undo.extend(back);
    }
    if is_empty {
        text.push_str("\n-- Nothing is missing.\n");
    }
    if !undo.is_empty() {
        text.push_str("\n-- Undo, once no job of this project runs any more, from here to the end:\n");
        // What came last goes first.
        undo.iter()
            .rev()
            .for_each(|line| text.push_str(&format!("-- {}\n", &line[UNDO.len()..])));
    }
    text
}

/// The statements of the checks without what surrounds them, for the description of an error.
pub fn essence(checks: &[PreflightCheck]) -> String {
    let statements = checks
        .iter()
        .filter_map(|c| c.script.as_deref())
        .flat_map(str::lines)
        .filter(|line| !line.starts_with(UNDO));
    statements.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: CheckStatus, message: &str, script: Option<&str>) -> PreflightCheck {
        PreflightCheck {
            id: "id".into(),
            title: "Title".into(),
            status,
            message: message.into(),
            tables: Vec::new(),
            script: script.map(Into::into),
            can_be_prepared: false,
        }
    }

    #[test]
    fn blocks_of_what_is_missing_and_the_way_back() {
        let checks = [
            check(CheckStatus::Passed, "fine", None),
            check(CheckStatus::Failed, "one is missing", Some("A;\n-- undo: B;")),
            check(CheckStatus::Warning, "two is slow", Some("-- C;\n-- undo: D;")),
        ];
        let text = script(&checks);
        let body = text.strip_prefix(HEADER).expect("the header comes first");
        assert_eq!(
            body,
            "\n-- Title: one is missing\nA;\n\n-- Title: two is slow\n-- C;\n\n\
             -- Undo, once no job of this project runs any more, from here to the end:\n-- D;\n-- B;\n"
        );
        assert_eq!(essence(&checks), "A;\n-- C;");
        assert!(script(&checks[..1]).contains("Nothing is missing"));
    }

    #[test]
    fn long_messages_are_broken_between_words() {
        let words = ["word"; 60].join(" ");
        let text = wrapped(&words);
        assert!(
            text.lines().count() == 3 && text.lines().all(|l| l.len() <= LINE_MAX),
            "{text}"
        );
        assert_eq!(text.replace('\n', " "), words);
        assert_eq!(wrapped(&"x".repeat(200)), "x".repeat(200));
    }

    #[test]
    fn a_name_with_a_line_end_stays_in_its_comment() {
        let block = format!("X;\n{}", undo("ALTER TABLE \"a\nDROP TABLE b;\" SET LOGGED;"));
        let text = script(&[check(
            CheckStatus::Failed,
            "no SELECT on a\nDROP TABLE b;\rC",
            Some(&block),
        )]);
        let statements: Vec<&str> = text.lines().filter(|l| !l.starts_with("--") && !l.is_empty()).collect();
        assert_eq!(statements, ["X;"]);
    }
}
