//! Whether a table filter depends on its own row alone.
//!
//! A continuous job decides of each changed row anew whether it passes. A filter that looks at the clock, at chance or
//! at other rows would decide differently without any change of the row, and nothing in the log would tell.

use super::client::{PgClient, query_error};
use super::queries::filter_check;
use crate::data::catalog::CatalogTable;
use crate::plan::Plan;
use crate::source::SourceError;
use godwit_shared::job::TableFilter;
use godwit_shared::schema::TableName;
use std::ops::Range;
use tokio_postgres::error::SqlState;

/// A filter that a continuous job cannot follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnstableFilter {
    pub table: TableName,
    /// A clause that begins with "it".
    pub reason: String,
}

/// The filters of the plan that depend on more than their own row; each table once. The filters are valid otherwise:
/// [`super::check::check_plan`] has seen to that.
///
/// # Errors
/// When the connection is lost or the server refuses to answer.
pub async fn unstable_filters(pg: &PgClient, plan: &Plan) -> Result<Vec<UnstableFilter>, SourceError> {
    let mut seen: Vec<&TableName> = Vec::new();
    let mut unstable = Vec::new();
    for node in plan.nodes() {
        let Some(filter) = &node.table_filter else { continue };
        if seen.contains(&&node.table.name) {
            continue;
        }
        seen.push(&node.table.name);
        if let Some(reason) = instability(pg, &node.table, filter).await? {
            unstable.push(UnstableFilter {
                table: node.table.name.clone(),
                reason,
            });
        }
    }
    Ok(unstable)
}

async fn instability(pg: &PgClient, table: &CatalogTable, filter: &TableFilter) -> Result<Option<String>, SourceError> {
    if filter.row_count.is_some() {
        return Ok(Some("it limits the number of rows".into()));
    }
    let text = filter.where_clause.as_deref().unwrap_or_default();
    let found = scan(text);
    if let Some(reason) = found.reason {
        return Ok(Some(reason));
    }
    for literal in found.times {
        let word = &text[literal.clone()];
        if is_time(pg, table, text, &literal).await? {
            return Ok(Some(format!(
                "it compares with the time {word}, which is another one every day"
            )));
        }
    }
    function_instability(pg, &found.calls).await
}

/// What a text says that the server does not have to be asked for, and what it does.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scan {
    reason: Option<String>,
    calls: Vec<Call>,
    /// Texts between quotes, without them, that the server reads as the present time where it expects a time.
    times: Vec<Range<usize>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    schema: Option<String>,
    name: String,
    arguments: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A name or keyword without quotes, in lower case.
    Word(String),
    /// A name in double quotes.
    Name(String),
    /// A text in single quotes: what lies between them.
    Text(Range<usize>),
    Other(char),
}

/// Words that are functions of time without parentheses.
const CLOCK_WORDS: [&str; 5] = [
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
];

/// What a time may be written as, and means another one tomorrow.
const TIME_WORDS: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];

fn scan(text: &str) -> Scan {
    let tokens = tokens(text);
    let mut scan = Scan::default();
    for (at, token) in tokens.iter().enumerate() {
        let is_qualified = at > 0 && tokens[at - 1] == Token::Other('.');
        let is_called = tokens.get(at + 1) == Some(&Token::Other('('));
        match token {
            // `TABLE t` is short for a select.
            Token::Word(word) if !is_qualified && matches!(word.as_str(), "select" | "table") => {
                scan.reason = Some("it holds a sub-select, so that it depends on other rows".into());
            }
            Token::Word(word) if !is_qualified && CLOCK_WORDS.contains(&word.as_str()) => {
                scan.reason = Some(format!("it depends on the time: {word}"));
            }
            Token::Word(name) | Token::Name(name) if is_called => {
                let schema = match at.checked_sub(2).map(|before| &tokens[before]) {
                    Some(Token::Word(schema) | Token::Name(schema)) if is_qualified => Some(schema.clone()),
                    _ => None,
                };
                scan.calls.push(Call {
                    schema,
                    name: name.clone(),
                    arguments: count_arguments(&tokens[at + 2..]),
                });
            }
            Token::Text(range) => {
                let text = text[range.clone()].to_lowercase();
                let mut words = text.split(|c: char| !c.is_alphanumeric());
                if words.any(|w| TIME_WORDS.contains(&w)) {
                    scan.times.push(range.clone());
                }
            }
            Token::Word(_) | Token::Name(_) | Token::Other(_) => {}
        }
    }
    scan
}

/// How many arguments stand before the parenthesis that closes the call.
fn count_arguments(rest: &[Token]) -> i32 {
    if rest.first() == Some(&Token::Other(')')) {
        return 0;
    }
    let (mut depth, mut count) = (0, 1);
    for token in rest {
        match token {
            Token::Other('(' | '[') => depth += 1,
            Token::Other(')') if depth == 0 => break,
            Token::Other(')' | ']') => depth -= 1,
            Token::Other(',') if depth == 0 => count += 1,
            _ => {}
        }
    }
    count
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        at += if c.is_whitespace() {
            c.len_utf8()
        } else if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if c == '\'' || c == '"' {
            let is_prefixed = matches!(tokens.last(), Some(Token::Word(word)) if word == "e");
            let escapes = c == '\'' && is_prefixed && text[..at].ends_with(['e', 'E']);
            let inner = quoted_length(&rest[1..], c, escapes);
            let range = at + 1..at + 1 + inner;
            tokens.push(if c == '"' {
                Token::Name(text[range].replace("\"\"", "\""))
            } else {
                Token::Text(range)
            });
            (inner + 2).min(rest.len())
        } else if c.is_alphanumeric() || c == '_' {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
                .unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_lowercase()));
            end
        } else {
            tokens.push(Token::Other(c));
            c.len_utf8()
        };
    }
    tokens
}

/// How long the text is before the quote that closes it.
fn quoted_length(rest: &str, quote: char, escapes: bool) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'\\' && escapes {
            at += 1;
        } else if bytes[at] == quote as u8 {
            if bytes.get(at + 1) != Some(&bytes[at]) {
                return at;
            }
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}

/// Whether the server reads a literal as a time. Put anything else in its place, and it complains of a wrong time.
async fn is_time(pg: &PgClient, table: &CatalogTable, text: &str, literal: &Range<usize>) -> Result<bool, SourceError> {
    let probe = TableFilter {
        where_clause: Some(format!("{}no time{}", &text[..literal.start], &text[literal.end..])),
        row_count: None,
    };
    let Err(error) = pg.client.batch_execute(&filter_check(table, &probe)).await else {
        return Ok(false);
    };
    let is_time = matches!(
        error.code(),
        Some(&SqlState::INVALID_DATETIME_FORMAT | &SqlState::DATETIME_FIELD_OVERFLOW)
    );
    match query_error(error) {
        // Some other type, or a text whose change makes the filter something else: not a time.
        SourceError::Query { .. } | SourceError::NoRight { .. } => Ok(is_time),
        other => Err(other),
    }
}

const FUNCTIONS: &str = "
    SELECT DISTINCT f.name, n.nspname::text, p.provolatile::text, f.arguments,
           EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    FROM unnest($1::text[], $2::text[], $3::int4[]) AS f(schema, name, arguments)
    JOIN pg_proc p ON p.proname = f.name JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE CASE WHEN f.schema IS NULL THEN pg_function_is_visible(p.oid) ELSE n.nspname = f.schema END
      AND (p.provariadic <> 0 OR f.arguments BETWEEN p.pronargs - p.pronargdefaults AND p.pronargs)
    ORDER BY 1, 2, 3";

async fn function_instability(pg: &PgClient, calls: &[Call]) -> Result<Option<String>, SourceError> {
    if calls.is_empty() {
        return Ok(None);
    }
    let schemas: Vec<Option<&str>> = calls.iter().map(|c| c.schema.as_deref()).collect();
    let names: Vec<&str> = calls.iter().map(|c| c.name.as_str()).collect();
    let arguments: Vec<i32> = calls.iter().map(|c| c.arguments).collect();
    let rows = pg
        .client
        .query(FUNCTIONS, &[&schemas, &names, &arguments])
        .await
        .map_err(query_error)?;
    Ok(rows.iter().find_map(|row| {
        let (name, schema, volatility): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        let is_of_extension: bool = row.get(4);
        judge(name, schema, volatility, row.get(3), is_of_extension)
    }))
}

/// Why the result of a function can change while its arguments stay. The functions of the server and of extensions
/// that are only stable depend on settings, which are the same in all sessions of a job, but for those named here.
fn judge(name: &str, schema: &str, volatility: &str, arguments: i32, is_of_extension: bool) -> Option<String> {
    const OF_TIME: [&str; 3] = ["now", "transaction_timestamp", "statement_timestamp"];
    const OF_OTHER_ROWS: [&str; 11] = [
        "pg_",
        "has_",
        "txid_",
        "table_to_",
        "schema_to_",
        "database_to_",
        "query_to_",
        "cursor_to_",
        "inet_",
        "row_security_",
        "current_setting",
    ];
    let is_builtin = schema == "pg_catalog";
    if volatility == "v" {
        return Some(format!("it calls {name}, whose result is another one every time"));
    }
    if is_builtin && (OF_TIME.contains(&name) || name == "age" && arguments == 1) {
        return Some(format!("it depends on the time: {name}"));
    }
    if is_builtin && volatility == "s" && OF_OTHER_ROWS.iter().any(|prefix| name.starts_with(prefix)) {
        return Some(format!("it calls {name}, which depends on more than the row"));
    }
    (!is_builtin && volatility == "s" && !is_of_extension)
        .then(|| format!("it calls {schema}.{name}, which is declared STABLE and may read other rows"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(text: &str) -> Vec<String> {
        let call = |c: &Call| {
            let schema = c.schema.as_ref().map(|s| format!("{s}.")).unwrap_or_default();
            format!("{schema}{}/{}", c.name, c.arguments)
        };
        scan(text).calls.iter().map(call).collect()
    }

    #[test]
    fn sub_selects_and_the_clock_are_seen_outside_of_quotes_only() {
        for bad in [
            "id IN (SELECT 1)",
            "exists(select from x)",
            "id in (table x)",
            "d < CURRENT_DATE",
            "t<localtimestamp(0)",
            "a = 'it''s' and d = current_timestamp",
            "a = E'\\'' and d = current_timestamp --'",
        ] {
            assert!(scan(bad).reason.is_some(), "{bad}");
        }
        for good in [
            "status = 'select'",
            "\"select\" = 1",
            "selected = 1 and tables = 2",
            "a = 1 -- select",
            "t.current_date = 'x'",
            "a = E'\\' current_date'",
            "is_current_date",
        ] {
            assert_eq!(scan(good).reason, None, "{good}");
        }
    }

    #[test]
    fn calls_are_found_with_their_schema_and_arguments() {
        assert_eq!(calls("a > 1 and (b)"), ["and/1"]);
        assert_eq!(calls("Now() < d"), ["now/0"]);
        assert_eq!(
            calls("s.\"F\" (a, g(b, (c, d)), array[1,2]) = 'h(1)'"),
            ["s.F/3", "g/2"]
        );
        assert_eq!(calls("age(d) > x or age(d, e) > x"), ["age/1", "age/2"]);
    }

    #[test]
    fn words_that_mean_a_time() {
        let texts = |text: &'static str| -> Vec<&str> { scan(text).times.into_iter().map(|r| &text[r]).collect() };
        assert_eq!(texts("d >= 'today'"), ["today"]);
        assert_eq!(texts("d >= date ' Tomorrow ' or a = 'nowhere'"), [" Tomorrow "]);
        assert_eq!(texts("\"now\" = 'a' -- 'now'"), [""; 0]);
        assert_eq!(texts("ü = 'ß' and d > 'yesterday 10:00'"), ["yesterday 10:00"]);
    }

    #[test]
    fn functions_are_judged_by_what_they_can_see() {
        let builtin = |name, volatility, arguments| judge(name, "pg_catalog", volatility, arguments, false).is_some();
        assert!(builtin("random", "v", 0) && builtin("nextval", "v", 1) && builtin("now", "s", 0));
        assert!(builtin("age", "s", 1) && !builtin("age", "i", 2) && builtin("pg_table_size", "s", 1));
        assert!(!builtin("lower", "i", 1) && !builtin("to_char", "s", 2) && !builtin("date_trunc", "s", 2));
        assert!(judge("f", "public", "s", 1, false).is_some());
        assert!(judge("unaccent", "public", "s", 1, true).is_none());
        assert!(judge("f", "public", "i", 1, false).is_none());
        assert!(judge("uuid_generate_v4", "public", "v", 0, true).is_some());
    }
}
