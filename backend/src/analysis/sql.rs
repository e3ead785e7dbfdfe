//! What can be said of a piece of SQL without understanding it: which tables it names, and what makes it hard to carry over.

use std::collections::{HashMap, HashSet};

/// Words outside of comments and texts, in small letters; what stands in quotes as it is.
pub fn words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = sql.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '-' if sql[at..].starts_with("--") => skip(&mut rest, |_, c| c == '\n'),
            '#' => skip(&mut rest, |_, c| c == '\n'),
            '/' if sql[at..].starts_with("/*") => {
                rest.next();
                skip(&mut rest, |at, c| c == '/' && sql[..at].ends_with('*'));
            }
            '\'' => skip(&mut rest, |_, c| c == '\''),
            '"' | '`' | '[' => {
                let end = if c == '[' { ']' } else { c };
                let begin = at + c.len_utf8();
                let inner = sql[begin..]
                    .find(end)
                    .map_or(&sql[begin..], |len| &sql[begin..begin + len]);
                skip(&mut rest, |_, c| c == end);
                words.push(inner.to_owned());
            }
            c if c.is_alphabetic() || c == '_' => {
                let len = sql[at..].find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
                let end = len.map_or(sql.len(), |len| at + len);
                while rest.next_if(|(at, _)| *at < end).is_some() {}
                words.push(sql[at..end].to_lowercase());
            }
            _ => {}
        }
    }
    words
}

/// Passes over everything up to and with the first that matches.
fn skip(rest: &mut std::iter::Peekable<std::str::CharIndices<'_>>, is_end: impl Fn(usize, char) -> bool) {
    for (at, c) in rest.by_ref() {
        if is_end(at, c) {
            return;
        }
    }
}

/// What makes a routine hard to carry over.
pub fn traits(sql: &str) -> Vec<String> {
    let found: HashSet<String> = body_of(words(sql)).into_iter().collect();
    let any = |wanted: &[&str]| wanted.iter().any(|word| found.contains(*word));
    let all = [
        (
            "dynamic SQL",
            any(&["execute", "prepare", "sp_executesql"]) && !only_calls_a_function(sql),
        ),
        ("cursor", any(&["cursor", "fetch"])),
        ("loop", any(&["loop", "while", "foreach", "repeat"])),
        ("writes rows", any(&["insert", "update", "delete", "truncate", "merge"])),
        ("transaction", any(&["commit", "rollback", "savepoint"])),
        ("changes the schema", any(&["alter", "drop"])),
        ("raises errors", any(&["raise", "signal", "raiserror"])),
    ];
    all.iter()
        .filter(|(_, is)| *is)
        .map(|(name, _)| (*name).to_owned())
        .collect()
}

/// What a trigger does, without the events that it waits for; of anything else all of it.
fn body_of(words: Vec<String>) -> Vec<String> {
    let is_trigger = words.iter().take(4).any(|word| word == "trigger");
    let table = words.iter().position(|word| word == "on").filter(|_| is_trigger);
    match table {
        Some(place) => words[place..].to_vec(),
        None => words,
    }
}

/// `EXECUTE FUNCTION f()` of a trigger is a call, not dynamic SQL.
fn only_calls_a_function(sql: &str) -> bool {
    let words = words(sql);
    let mut is_call = (words.iter().enumerate()).filter(|(_, word)| *word == "execute" || *word == "prepare");
    is_call.all(|(place, _)| matches!(words.get(place + 1).map(String::as_str), Some("function" | "procedure")))
}

/// The tables that it names, of those that are known: by the name alone, or behind the schema.
pub fn tables_in<'t>(sql: &str, by_name: &HashMap<String, Vec<&'t str>>) -> Vec<&'t str> {
    let mut found: Vec<&str> = words(sql)
        .iter()
        .filter_map(|word| by_name.get(word))
        .flatten()
        .copied()
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_no_words() {
        let sql =
            "SELECT a, 'insert it''s' -- update\n FROM \"My Table\" /* delete * / x */ WHERE `b` = [c d] # drop\n;";
        assert_eq!(words(sql), ["select", "a", "from", "My Table", "where", "b", "c d"]);
        // What is not closed ends with the text.
        assert_eq!(words("a 'b"), ["a"]);
        assert_eq!(words("a /* b"), ["a"]);
        assert_eq!(words("ä_1 \"ö"), ["ä_1", "ö"]);
    }

    #[test]
    fn what_makes_a_routine_hard_is_named() {
        assert_eq!(traits("BEGIN EXECUTE 'DROP TABLE x'; END"), ["dynamic SQL"]);
        assert!(
            traits("CREATE TRIGGER t BEFORE INSERT ON x EXECUTE FUNCTION f()")
                .iter()
                .all(|t| t != "dynamic SQL")
        );
        assert_eq!(
            traits("FOR r IN SELECT 1 LOOP UPDATE x SET a = 1; END LOOP"),
            ["loop", "writes rows"]
        );
        assert!(traits("SELECT 1").is_empty());
        assert!(
            traits("CREATE TRIGGER t AFTER INSERT OR UPDATE OF a ON x FOR EACH ROW EXECUTE FUNCTION f()").is_empty()
        );
        assert_eq!(
            traits("CREATE TRIGGER t AFTER INSERT ON x BEGIN DELETE FROM y; END"),
            ["writes rows"]
        );
    }

    #[test]
    fn tables_are_found_by_their_names() {
        let by_name = HashMap::from([("orders".to_owned(), vec!["public.orders", "old.orders"])]);
        assert_eq!(
            tables_in("SELECT * FROM public.Orders", &by_name),
            ["old.orders", "public.orders"]
        );
        assert!(tables_in("SELECT 'orders'", &by_name).is_empty());
    }
}
