//! From the text of a filter to the condition that stands for it, or the reason why it is none.

use super::print::Printer;
use crate::data::catalog::CatalogTable;
use crate::plan::Condition;
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

/// The longest text of a filter, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// How deep expressions may lie in each other.
const DEPTH_MAX: usize = 100;
/// Of the thread that parses: a chain of operators is a tree as deep as it is long.
const STACK_BYTES: usize = 256 << 20;

/// Reads the text of a filter of a table.
///
/// # Errors
/// A clause for the user that begins with "it".
pub(super) fn condition(text: &str, table: &CatalogTable) -> Result<Condition, String> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("filter".into())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || parse_here(text, table))
            .map_err(|e| format!("it cannot be read now: {e}"))?
            .join()
            .unwrap_or_else(|_| Err("it cannot be read".into()))
    })
}

fn parse_here(text: &str, table: &CatalogTable) -> Result<Condition, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("it has {} bytes, more than {TEXT_BYTES_MAX}", text.len()));
    }
    if let Some(c) = text
        .chars()
        .find(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
    {
        return Err(format!("it holds the control character {}", c.escape_unicode()));
    }
    // Of these the server runs what is inside, and the parser takes some for words.
    if text.contains("/*!") || text.contains("/*M!") {
        return Err("it holds a comment".into());
    }
    let dialect = MySqlDialect {};
    let tokens = Tokenizer::new(&dialect, text)
        .tokenize()
        .map_err(|e| format!("it cannot be read: {e}"))?;
    for token in &tokens {
        match token {
            // Where a comment ends, and what is in one that the server runs, is not for a filter to say.
            Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => {
                return Err("it holds a comment".into());
            }
            Token::SemiColon => return Err("it holds a semicolon".into()),
            Token::Placeholder(_) => return Err("it holds a parameter, for which there is no value".into()),
            _ => {}
        }
    }
    let words: Vec<Token> = tokens
        .into_iter()
        .filter(|t| !matches!(t, Token::Whitespace(_)))
        .collect();
    if words.is_empty() {
        return Err("it is empty".into());
    }
    let mut parser = Parser::new(&dialect).with_recursion_limit(DEPTH_MAX).with_tokens(words);
    let parsed = parser.parse_expr().map_err(|e| {
        let reason = e.to_string();
        format!(
            "it is not one expression: {}",
            reason.trim_start_matches("sql parser error: ")
        )
    })?;
    let next = parser.peek_token().token;
    if next != Token::EOF {
        return Err(format!("it is not one expression: it goes on with {next}"));
    }
    let mut printer = Printer::new(table);
    let sql = printer.print(&parsed)?;
    Ok(Condition {
        sql: format!("({sql})"),
        beyond_row: printer.beyond_row,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::catalog::CatalogColumn;
    use crate::data::catalog::testing::int4;

    fn table() -> CatalogTable {
        CatalogTable {
            columns: ["id", "status", "it's `q`"]
                .map(|name| CatalogColumn {
                    cast: "text".into(),
                    ..int4(name)
                })
                .into(),
            primary_key: vec![0],
            ..CatalogTable::new(godwit_shared::schema::TableName::new("shop", "orders"))
        }
    }

    fn check(text: &str, expected: &str) {
        let found = condition(text, &table());
        assert_eq!(
            found.as_ref().map(|c| c.sql.as_str()),
            Ok(expected),
            "{text}: {found:?}"
        );
    }

    #[test]
    fn an_expression_is_printed_anew() {
        check("id > 5", "((t.`id` > 5))");
        check(
            "STATUS = 'it''s' AND id IN (1, 2)",
            "(((t.`status` = 'it''s') AND (t.`id` IN (1, 2))))",
        );
        check("orders.id = -1", "((t.`id` = (- 1)))");
        check(r#"status = "a\"b""#, r#"((t.`status` = 'a"b'))"#);
        check(r"status LIKE 'a\_%'", r"((t.`status` LIKE _utf8mb4 X'615C5F25'))");
        check("`it's ``q``` is null", "((t.`it's ``q``` IS NULL))");
        check("NOT id BETWEEN 1 AND 2", "((NOT (t.`id` BETWEEN 1 AND 2)))");
        check("id + 1 * 2 > 3", "(((t.`id` + (1 * 2)) > 3))");
        check(
            "DATEDIFF(CURDATE(), status) <= 1",
            "((DATEDIFF(CURDATE(), t.`status`) <= 1))",
        );
        check("status REGEXP '^a'", "((t.`status` REGEXP '^a'))");
        check(
            "case when id = 1 then 2 else 3 end = 2",
            "((CASE WHEN (t.`id` = 1) THEN 2 ELSE 3 END = 2))",
        );
        check(
            "status > now() - interval 1 day",
            "((t.`status` > (NOW() - INTERVAL 1 DAY)))",
        );
        check("TRUE", "(TRUE)");
    }

    #[test]
    fn what_is_not_one_expression_over_its_row_is_refused() {
        for bad in [
            "",
            "1; DROP TABLE orders",
            "1) OR (1",
            "id = 1 -- )",
            "id = 1 # )",
            "id = 1 /* x */",
            "id = 1 /*!50000 or 1 */",
            "id IN (SELECT 1)",
            "EXISTS (SELECT 1)",
            "(SELECT 1)",
            "sleep(10)",
            "benchmark(1, 2)",
            "load_file('/etc/passwd')",
            "my.function(1)",
            "@x := 1",
            "@@version = 1",
            "id = ?",
            "other = 1",
            "t2.id = 1",
            "id = 1 LIMIT 1",
            "id = 1 FOR UPDATE",
            "id = 1 INTO OUTFILE 'x'",
            "id = 1 ORDER BY id",
            "id || 1",
            "status = _latin1'x'",
            "count(*) > 1",
            "id = 1 = 1",
            "status = 'a\u{0}'",
            "now(6) over ()",
            "group_concat(id)",
        ] {
            let found = condition(bad, &table());
            assert!(found.is_err(), "{bad}: {found:?}");
        }
    }

    #[test]
    fn what_depends_on_more_than_its_row_is_told() {
        let beyond = |text: &str| condition(text, &table()).unwrap().beyond_row;
        assert_eq!(beyond("id = 1"), None);
        assert!(beyond("status > now()").is_some_and(|r| r.contains("time")));
        assert!(beyond("rand() < 0.5").is_some_and(|r| r.contains("chance")));
        assert!(beyond("status > current_date").is_some());
    }

    #[test]
    fn a_long_chain_is_read_and_a_deep_nest_refused() {
        let long = vec!["id = 1"; 5000].join(" OR ");
        assert!(condition(&long, &table()).is_ok());
        let deep = format!("{}1{}", "(".repeat(2000), ")".repeat(2000));
        assert!(condition(&deep, &table()).is_err());
    }
}
