//! Table filters. A text that somebody wrote is read by a parser as one expression and printed anew, so that it cannot end
//! its brackets; then the database itself says what it would touch, and nothing but reading is let through.

use super::client::query_error;
use super::queries::{FILTERED, table_name};
use crate::data::catalog::CatalogTable;
use crate::plan::Condition;
use crate::source::SourceError;
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;
use std::sync::{Arc, Mutex, PoisonError};

const TEXT_BYTES_MAX: usize = 64 << 10;

/// What an expression touches, as the database finds it.
#[derive(Debug, Default)]
struct Touched {
    refused: Option<String>,
    beyond_row: Option<String>,
}

/// Judges a text: what it comes to, or why it is refused, in a clause that begins with "it".
///
/// # Errors
/// When the database cannot be asked.
pub(super) fn judge(
    connection: &Connection,
    table: &CatalogTable,
    text: &str,
) -> Result<Result<Condition, String>, SourceError> {
    let sql = match expression(text) {
        Ok(sql) => sql,
        Err(reason) => return Ok(Err(reason)),
    };
    let touched = Arc::new(Mutex::new(Touched::default()));
    let (seen, own) = (touched.clone(), table.name.table.clone());
    let watch = move |context: AuthContext<'_>| {
        let mut touched = seen.lock().unwrap_or_else(PoisonError::into_inner);
        touch(&mut touched, &own, context.action)
    };
    connection.authorizer(Some(watch)).map_err(query_error)?;
    let select = format!("SELECT 1 FROM {} AS {FILTERED} WHERE ({sql})", table_name(table));
    let prepared = connection.prepare(&select).map(|statement| statement.parameter_count());
    let none: Option<fn(AuthContext<'_>) -> Authorization> = None;
    connection.authorizer(none).map_err(query_error)?;
    let touched = std::mem::take(&mut *touched.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(match (touched.refused, prepared) {
        (Some(reason), _) => Err(reason),
        (None, Err(error)) => Err(error.to_string()),
        (None, Ok(1..)) => Err("it has a parameter".into()),
        (None, Ok(0)) => Ok(Condition {
            sql: format!("({sql})"),
            beyond_row: touched.beyond_row,
        }),
    })
}

/// The text as one expression, printed anew.
fn expression(text: &str) -> Result<String, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("it has more than {TEXT_BYTES_MAX} bytes"));
    }
    let not_one = |error: String| format!("it is not one expression: {error}");
    let mut parser = Parser::new(&SQLiteDialect {})
        .try_with_sql(text)
        .map_err(|e| not_one(e.to_string()))?;
    let expression = parser.parse_expr().map_err(|e| not_one(e.to_string()))?;
    match parser.peek_token().token {
        Token::EOF => Ok(expression.to_string()),
        other => Err(not_one(format!("something follows it: {other}"))),
    }
}

/// Functions whose answer is another one at another time, or that look beyond their arguments.
const UNSTABLE: [&str; 13] = [
    "random",
    "randomblob",
    "date",
    "time",
    "datetime",
    "julianday",
    "unixepoch",
    "strftime",
    "timediff",
    "changes",
    "total_changes",
    "last_insert_rowid",
    "current_timestamp",
];

/// Functions that reach beyond the database.
const REFUSED: [&str; 5] = ["load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"];

fn touch(touched: &mut Touched, own: &str, action: AuthAction<'_>) -> Authorization {
    let beyond = match action {
        AuthAction::Select => None,
        AuthAction::Read { table_name, .. } if table_name.is_empty() || table_name.eq_ignore_ascii_case(own) => None,
        AuthAction::Read { table_name, .. } => Some(format!("it reads the table {table_name}")),
        AuthAction::Function { function_name } if REFUSED.contains(&function_name) => {
            touched
                .refused
                .get_or_insert_with(|| format!("it calls {function_name}"));
            return Authorization::Deny;
        }
        AuthAction::Function { function_name } => {
            let lower = function_name.to_ascii_lowercase();
            let is_unstable = UNSTABLE.contains(&lower.as_str()) || lower.starts_with("sqlite_");
            is_unstable.then(|| format!("it calls {lower}, which may say something else at another time"))
        }
        _ => {
            touched
                .refused
                .get_or_insert_with(|| "it does more than look at rows".into());
            return Authorization::Deny;
        }
    };
    if let Some(reason) = beyond {
        touched.beyond_row.get_or_insert(reason);
    }
    Authorization::Allow
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::sqlite::schema::read_catalog;
    use godwit_shared::schema::TableName;

    #[test]
    fn a_filter_is_one_expression_over_one_table() {
        let connection = Connection::open_in_memory().expect("a database");
        connection
            .execute_batch("CREATE TABLE a(id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE b(id INTEGER, secret TEXT)")
            .expect("tables");
        let catalog = read_catalog(&connection, "d".into()).expect("a catalog");
        let table = &catalog.tables[&TableName::new("main", "a")];
        let judged = |text: &str| judge(&connection, table, text).expect("an answer");
        for text in [
            "id > 1",
            "name LIKE 'a%' AND id IN (1, 2) -- comment",
            "t.id = 1 OR name IS NULL",
            "upper(name) = 'A' COLLATE NOCASE",
            "name = 'it''s'",
        ] {
            let condition = judged(text).expect(text);
            assert_eq!(condition.beyond_row, None, "{text}");
            let sql = format!("SELECT count(*) FROM main.a AS t WHERE {}", condition.sql);
            assert!(connection.prepare(&sql).is_ok(), "{sql}");
        }
        for text in ["id IN (SELECT id FROM b)", "date('now') > name", "random() > 0"] {
            assert!(judged(text).expect(text).beyond_row.is_some(), "{text}");
        }
        for text in [
            "",
            "id = 1) OR (1 = 1",
            "id = 1; DELETE FROM a",
            "1 UNION SELECT 1",
            "id = ?",
            "id = :x",
            "missing = 1",
            "load_extension('x')",
            "id = 1 LIMIT 1",
            "id IN (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r)",
            "count(*) > 1",
        ] {
            assert!(judged(text).is_err(), "{text}");
        }
        assert!(judged(&format!("name = '{}'", "x".repeat(TEXT_BYTES_MAX))).is_err());
        // Whatever was judged, nothing of it stays with the connection.
        connection
            .execute_batch("DELETE FROM b")
            .expect("no authorizer is left");
    }
}
