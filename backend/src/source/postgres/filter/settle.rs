//! From a tree to the condition that stands in queries: every name is found in the catalog of the source, judged, and
//! written with its schema.
//!
//! Names without a schema mean the server's own objects. An extension brings operators and functions for its own types
//! into a schema of its own; where an operand has such a type, that schema is meant. What type an operand has only the
//! server knows: it is asked to prepare a query of the operand, which runs nothing.

use super::facts::{self, Facts, Origin};
use super::judge::{foreign_cast, is_time, judge_function, judge_operator, judge_type};
use super::print::{self, ALIAS, BUILT_IN};
use super::tree::{Expr, Name, TypeName};
use crate::data::catalog::CatalogTable;
use crate::plan::Condition;
use crate::source::SourceError;
use crate::source::postgres::client::{PgClient, query_error};
use crate::source::postgres::queries::only;
use futures_util::future::BoxFuture;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;

/// Why a filter is not accepted.
#[derive(Debug)]
pub enum Refusal {
    /// A clause for the user that begins with "it".
    Filter(String),
    Source(SourceError),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Refusal::Filter(reason)
    }
}

/// Nothing that a user wrote is looked at outside of this transaction. It ends whatever takes too long: planning a
/// query computes what is constant in it.
const BEGIN: &str =
    "BEGIN TRANSACTION READ ONLY; SET LOCAL search_path TO pg_catalog; SET LOCAL statement_timeout = 10000";

/// Words that mean another time every day.
const TIME_WORDS: [&str; 4] = ["now", "today", "tomorrow", "yesterday"];

/// The condition that a tree comes to.
///
/// # Errors
/// Why the filter is refused, or that the source cannot be asked.
pub async fn settle(pg: &PgClient, table: &CatalogTable, mut expr: Expr) -> Result<Condition, Refusal> {
    if let Some(unknown) = unknown_column(table, &expr) {
        return Err(Refusal::Filter(format!(
            "it names {unknown}, which is no column of its own table"
        )));
    }
    let lost = |e| Refusal::Source(query_error(e));
    pg.client.batch_execute(BEGIN).await.map_err(lost)?;
    let settled = in_transaction(pg, table, &mut expr).await;
    // After a lost connection there is nothing to end; the first error says why.
    let ended = pg.client.batch_execute("ROLLBACK").await.map_err(lost);
    let condition = settled?;
    ended?;
    Ok(condition)
}

async fn in_transaction(pg: &PgClient, table: &CatalogTable, expr: &mut Expr) -> Result<Condition, Refusal> {
    let facts = facts::read(pg, table, expr).await.map_err(Refusal::Source)?;
    for column_type in facts.types.iter().filter(|t| t.is_of_column) {
        if let Some(cast) = foreign_cast(&facts, column_type) {
            return Err(Refusal::Filter(format!(
                "it uses a column of the type {}, and {cast}",
                column_type.name
            )));
        }
    }
    let asker = Asker { pg, table };
    let mut settler = Settler {
        asker,
        facts: &facts,
        beyond: clock_of(expr),
    };
    settler.settle(expr).await?;
    let beyond = settler.beyond.take();
    let sql = print::sql(expr).ok_or_else(|| "it nests constructs that double it: write it shorter".to_owned())?;
    // Planned as well: what is constant in it is computed, and wrong texts are found.
    let prepared = asker
        .prepare(&format!("EXPLAIN SELECT FROM {} AS {ALIAS} WHERE {sql}", only(table)))
        .await?;
    let lost = |e: tokio_postgres::Error| refused_by_server(query_error(e));
    pg.client.query(&prepared, &[]).await.map_err(lost)?;
    let beyond_row = match beyond {
        Some(reason) => Some(reason),
        None => asker.time_in(expr).await?,
    };
    Ok(Condition { sql, beyond_row })
}

fn unknown_column<'e>(table: &CatalogTable, expr: &'e Expr) -> Option<&'e str> {
    expr.all().into_iter().find_map(|node| match node {
        Expr::Column(name) if table.column(name).is_none() => Some(name.as_str()),
        _ => None,
    })
}

fn clock_of(expr: &Expr) -> Option<String> {
    expr.all().into_iter().find_map(|node| match node {
        Expr::Clock(word, _) => Some(format!("it depends on the time: {}", word.to_lowercase())),
        _ => None,
    })
}

/// What the server says of a text that it was asked to plan.
fn refused_by_server(error: SourceError) -> Refusal {
    match error {
        SourceError::Query { reason } => Refusal::Filter(reason),
        SourceError::Cancelled => Refusal::Filter("it takes the server longer than 10 seconds to plan".into()),
        other => Refusal::Source(other),
    }
}

/// Asks the server what it makes of an expression, without running anything.
#[derive(Clone, Copy)]
struct Asker<'a> {
    pg: &'a PgClient,
    table: &'a CatalogTable,
}

impl Asker<'_> {
    /// One statement, in the protocol that takes no second one.
    async fn prepare(&self, sql: &str) -> Result<Statement, Refusal> {
        (self.pg.client.prepare(sql).await).map_err(|e| refused_by_server(query_error(e)))
    }

    /// As [`Asker::prepare`], when a refusal is an answer: the transaction goes on after it.
    async fn attempt(&self, sql: &str) -> Result<Result<Statement, tokio_postgres::Error>, Refusal> {
        let lost = |e| Refusal::Source(query_error(e));
        self.pg.client.batch_execute("SAVEPOINT asked").await.map_err(lost)?;
        let answer = self.pg.client.prepare(sql).await;
        if answer.as_ref().is_err_and(|e| e.code().is_none()) {
            return answer.map(Ok).map_err(lost);
        }
        self.pg.client.batch_execute("ROLLBACK TO asked").await.map_err(lost)?;
        Ok(answer)
    }

    /// The type of an expression; `None` where the server decides by what stands around it, or does not know it.
    async fn type_of(&self, expr: &Expr) -> Result<Option<u32>, Refusal> {
        let is_open = matches!(expr, Expr::Text(_) | Expr::Null | Expr::Row(_) | Expr::Array(_));
        let Some(sql) = print::sql(expr).filter(|_| !is_open) else {
            return Ok(None);
        };
        let answer = self
            .attempt(&format!("SELECT {sql} FROM {} AS {ALIAS}", only(self.table)))
            .await?;
        Ok(answer.ok().and_then(|s| s.columns().first().map(|c| c.type_().oid())))
    }

    /// Whether the server accepts an expression.
    async fn accepts(&self, expr: &Expr) -> Result<bool, Refusal> {
        let Some(sql) = print::sql(expr) else { return Ok(false) };
        let answer = self
            .attempt(&format!("SELECT {sql} FROM {} AS {ALIAS}", only(self.table)))
            .await?;
        Ok(answer.is_ok())
    }

    /// What the filter says of a time that is another one every day, in words.
    async fn time_in(&self, expr: &Expr) -> Result<Option<String>, Refusal> {
        for (place, text) in texts(expr).into_iter().enumerate() {
            let Some(changed) = without_time(&text) else { continue };
            let mut probe = expr.clone();
            replace_text(&mut probe, place, changed);
            let Some(sql) = print::sql(&probe) else { continue };
            let asked = self
                .attempt(&format!("SELECT FROM {} AS {ALIAS} WHERE {sql}", only(self.table)))
                .await?;
            let is_time = asked.err().is_some_and(|e| {
                matches!(
                    e.code(),
                    Some(&SqlState::INVALID_DATETIME_FORMAT | &SqlState::DATETIME_FIELD_OVERFLOW)
                )
            });
            if is_time {
                return Ok(Some(format!(
                    "it compares with the time {text}, which is another one every day"
                )));
            }
        }
        for node in expr.all() {
            let of = match node {
                Expr::Cast { of, to } if is_time(to) => of,
                Expr::Call { function, arguments }
                    if ["date", "time", "timetz", "timestamp", "timestamptz"].contains(&function.name.as_str()) =>
                {
                    let [of] = arguments.as_slice() else { continue };
                    of
                }
                _ => continue,
            };
            if self.is_computed_time(of).await? {
                return Ok(Some(
                    "it makes a time of a text that is not the row's alone, and that may be another one every day"
                        .into(),
                ));
            }
        }
        Ok(None)
    }

    /// Whether a text that is cast to a time might say `today` whatever the row holds.
    async fn is_computed_time(&self, of: &Expr) -> Result<bool, Refusal> {
        let parts = of.all();
        let has_column = parts.iter().any(|e| matches!(e, Expr::Column(_)));
        let has_word = parts
            .iter()
            .any(|e| matches!(e, Expr::Text(text) if without_time(text).is_some()));
        // A literal alone was looked at before.
        if matches!(of, Expr::Text(_)) || (has_column && !has_word) {
            return Ok(false);
        }
        const TEXTS: [u32; 6] = [18, 19, 25, 1042, 1043, 705];
        Ok(self.type_of(of).await?.is_some_and(|t| TEXTS.contains(&t)))
    }
}

/// All texts, in an order that [`replace_text`] shares: as they were written, for the most part.
fn texts(expr: &Expr) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![expr]);
    while let Some(next) = open.pop() {
        if let Expr::Text(text) = next {
            found.push(text.clone());
        }
        open.extend(next.children().into_iter().rev());
    }
    found
}

fn replace_text(expr: &mut Expr, place: usize, by: String) {
    let (mut seen, mut open) = (0, vec![expr]);
    while let Some(next) = open.pop() {
        if let Expr::Text(text) = next {
            if seen == place {
                *text = by;
                return;
            }
            seen += 1;
            continue;
        }
        open.extend(next.children_mut().into_iter().rev());
    }
}

/// The text with every word that means a time replaced by one that means none; `None` where it has no such word.
fn without_time(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut has_word = false;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_time = TIME_WORDS.contains(&word.to_lowercase().as_str());
        has_word |= is_time;
        out += if is_time { "notime" } else { word };
        let other = after.find(char::is_alphabetic).unwrap_or(after.len());
        out += &after[..other];
        rest = &after[other..];
    }
    has_word.then_some(out)
}

/// A cast to a type of the server.
fn cast(of: Expr, to: &str) -> Expr {
    Expr::Cast {
        of: Box::new(of),
        to: TypeName {
            name: Name {
                schema: Some(BUILT_IN.to_owned()),
                name: to.to_owned(),
            },
            modifiers: Vec::new(),
            fields: None,
            is_array: false,
        },
    }
}

struct Settler<'a> {
    asker: Asker<'a>,
    facts: &'a Facts,
    /// Why the filter depends on more than the row.
    beyond: Option<String>,
}

impl Settler<'_> {
    fn settle<'s>(&'s mut self, expr: &'s mut Expr) -> BoxFuture<'s, Result<(), Refusal>> {
        Box::pin(async move {
            // Operands first: what an operator means depends on them.
            for child in expr.children_mut() {
                self.settle(child).await?;
            }
            self.settle_node(expr).await
        })
    }

    async fn settle_node(&mut self, expr: &mut Expr) -> Result<(), Refusal> {
        match expr {
            Expr::Operation { operator, left, right } => {
                let schema = self.schema_of_operator(operator, left.as_deref(), right).await?;
                // The sign of a number needs no operator.
                let is_sign = left.is_none() && operator.name == "-" && matches!(&**right, Expr::Number(_));
                operator.schema = schema.filter(|_| !is_sign);
            }
            Expr::Quantified {
                operator, left, right, ..
            } => operator.schema = self.schema_of_operator(operator, Some(left), right).await?,
            Expr::NullIf { left, right, equality } => {
                self.promote(left, right).await?;
                *equality = self.schema_of_operator(&Name::plain("="), Some(left), right).await?;
            }
            Expr::Distinct {
                left, right, equality, ..
            } => {
                *equality = self.schema_of_operator(&Name::plain("="), Some(left), right).await?;
            }
            Expr::In { of, list, equality, .. } => {
                self.compare_as_single(of, list).await?;
                for value in list {
                    let schema = self.schema_of_operator(&Name::plain("="), Some(of), value).await?;
                    *equality = schema.or(equality.take());
                }
            }
            Expr::Case {
                operand: Some(operand),
                whens,
                equality,
                ..
            } => {
                for (when, _) in whens {
                    let schema = self.schema_of_operator(&Name::plain("="), Some(operand), when).await?;
                    *equality = schema.or(equality.take());
                }
            }
            Expr::Call { function, arguments } => {
                function.schema = Some(self.schema_of_function(function, arguments).await?);
            }
            Expr::Cast { to, .. } => {
                to.name = judge_type(self.facts, to, &self.asker.table.name.schema)?;
            }
            Expr::Column(_)
            | Expr::Text(_)
            | Expr::Number(_)
            | Expr::Bits(..)
            | Expr::Bool(_)
            | Expr::Null
            | Expr::Row(_)
            | Expr::Array(_)
            | Expr::And(_)
            | Expr::Or(_)
            | Expr::Not(_)
            | Expr::Named(..)
            | Expr::Extract { .. }
            | Expr::Is { .. }
            | Expr::Case { operand: None, .. }
            | Expr::Choice(..)
            | Expr::Element { .. }
            | Expr::Collate { .. }
            | Expr::Clock(..) => {}
        }
        Ok(())
    }

    /// The server takes a list of several numbers for numbers of the type in front of it; one number alone is as exact as
    /// it is written. That makes a difference where the type is the one of least precision.
    async fn compare_as_single(&self, of: &Expr, list: &mut [Expr]) -> Result<(), Refusal> {
        let is_fraction = |e: &Expr| matches!(e, Expr::Number(digits) if digits.contains(['.', 'e', 'E']));
        const FLOAT4: u32 = 700;
        if list.len() < 2 || !list.iter().any(is_fraction) || self.asker.type_of(of).await? != Some(FLOAT4) {
            return Ok(());
        }
        for value in list.iter_mut().filter(|v| matches!(v, Expr::Number(_))) {
            *value = cast(value.clone(), "float4");
        }
        Ok(())
    }

    /// `NULLIF` gives its first value as the comparison takes it, which is another type where the second is wider.
    async fn promote(&self, left: &mut Box<Expr>, right: &Expr) -> Result<(), Refusal> {
        let rank = |of: Option<u32>| match of {
            // int2, int4, int8, oid; numeric; float4 and float8
            Some(20 | 21 | 23 | 26) => Some(0),
            Some(1700) => Some(1),
            Some(700 | 701) => Some(2),
            _ => None,
        };
        let (own, other) = (
            rank(self.asker.type_of(left).await?),
            rank(self.asker.type_of(right).await?),
        );
        let wider = match (own, other) {
            (Some(0), Some(1)) => "numeric",
            (Some(0 | 1), Some(2)) => "float8",
            _ => return Ok(()),
        };
        **left = cast((**left).clone(), wider);
        Ok(())
    }

    /// Where an operator is declared; `None` for the server's own.
    async fn schema_of_operator(
        &self,
        name: &Name,
        left: Option<&Expr>,
        right: &Expr,
    ) -> Result<Option<String>, Refusal> {
        let in_schema = |schema: &str| -> Vec<&facts::Operator> {
            let named = self.facts.operators.iter();
            named.filter(|o| o.name == name.name && o.schema == schema).collect()
        };
        if let Some(schema) = name.schema.as_deref().filter(|s| *s != BUILT_IN) {
            judge_operator(&in_schema(schema), name)?;
            return Ok(Some(schema.to_owned()));
        }
        let own = in_schema(BUILT_IN);
        let brought: Vec<&facts::Operator> = (self.facts.operators.iter())
            .filter(|o| o.name == name.name && o.schema != BUILT_IN && o.origin == Origin::Extension)
            .collect();
        if name.schema.is_none() && !brought.is_empty() {
            let operands: Vec<&Expr> = left.into_iter().chain([right]).collect();
            self.check_rows(&brought, &operands).await?;
            let left_type = match left {
                Some(left) => self.asker.type_of(left).await?,
                None => Some(0),
            };
            let right_type = self.asker.type_of(right).await?;
            let fits =
                |o: &&&facts::Operator| Some(o.left) == left_type || (o.right != 0 && Some(o.right) == right_type);
            let is_own = own.iter().any(|o| fits(&o) && left.is_some() == (o.left != 0));
            let found = brought.iter().find(|o| fits(o) && left.is_some() == (o.left != 0));
            if let Some(found) = found.filter(|_| !is_own) {
                let tried = Expr::Operation {
                    operator: Name {
                        schema: Some(found.schema.clone()),
                        name: name.name.clone(),
                    },
                    left: left.cloned().map(Box::new),
                    right: Box::new(right.clone()),
                };
                // Of a row's elements, or against an array, the server is not asked.
                let is_open = matches!(right, Expr::Row(_) | Expr::Array(_));
                if is_open || self.asker.accepts(&tried).await? || !self.is_accepted_as_own(name, left, right).await? {
                    judge_operator(&in_schema(&found.schema), name)?;
                    return Ok(Some(found.schema.clone()));
                }
            }
        }
        judge_operator(&own, name)?;
        Ok(None)
    }

    /// An operator between rows means the same one for all their columns.
    async fn check_rows(&self, brought: &[&facts::Operator], operands: &[&Expr]) -> Result<(), Refusal> {
        for operand in operands {
            let Expr::Row(columns) = operand else { continue };
            for column in columns {
                let found = self.asker.type_of(column).await?;
                if brought.iter().any(|o| o.left != 0 && Some(o.left) == found) {
                    return Err(Refusal::Filter(
                        "it compares rows that hold a type of an extension: compare column by column".into(),
                    ));
                }
            }
        }
        Ok(())
    }

    async fn is_accepted_as_own(&self, name: &Name, left: Option<&Expr>, right: &Expr) -> Result<bool, Refusal> {
        let tried = Expr::Operation {
            operator: Name::plain(&name.name),
            left: left.cloned().map(Box::new),
            right: Box::new(right.clone()),
        };
        self.asker.accepts(&tried).await
    }

    /// Where a function is declared.
    async fn schema_of_function(&mut self, name: &Name, arguments: &[Expr]) -> Result<String, Refusal> {
        let count = arguments.len();
        let facts = self.facts;
        let in_schema = |schema: &str| -> Vec<&facts::Function> {
            let named = facts.functions.iter();
            named
                .filter(|f| f.name == name.name && f.schema == schema && f.takes(count))
                .collect()
        };
        let mut schema = name.schema.clone().unwrap_or_else(|| BUILT_IN.to_owned());
        if name.schema.is_none() {
            let brought: Vec<&facts::Function> = (facts.functions.iter())
                .filter(|f| f.name == name.name && f.schema != BUILT_IN)
                .filter(|f| f.origin == Origin::Extension && f.takes(count))
                .collect();
            let own = in_schema(BUILT_IN);
            if let Some(found) = self.brought(&brought, &own, arguments).await? {
                schema = found;
            }
        }
        let candidates = in_schema(&schema);
        if candidates.is_empty() {
            let elsewhere = facts.functions.iter().find(|f| f.name == name.name && f.takes(count));
            return Err(Refusal::Filter(match elsewhere {
                Some(other) if name.schema.is_none() && other.origin == Origin::Somebody => format!(
                    "it calls {}.{}, which is neither of the server nor of an extension",
                    other.schema, other.name
                ),
                _ => format!(
                    "it calls {} with {count} arguments, which the source does not have",
                    name.name
                ),
            }));
        }
        let beyond = judge_function(&candidates, name, count)?;
        self.beyond = self.beyond.take().or(beyond);
        Ok(schema)
    }

    /// The schema of an extension whose function takes one of the arguments by its very type.
    async fn brought(
        &self,
        brought: &[&facts::Function],
        own: &[&facts::Function],
        arguments: &[Expr],
    ) -> Result<Option<String>, Refusal> {
        let Some(first) = brought.first() else { return Ok(None) };
        if own.is_empty() {
            return Ok(Some(first.schema.clone()));
        }
        for (place, argument) in arguments.iter().enumerate() {
            let Some(found) = self.asker.type_of(argument).await? else {
                continue;
            };
            let takes = |f: &&&facts::Function| f.parameters.get(place) == Some(&found);
            if let Some(function) = brought.iter().find(takes)
                && !own.iter().any(|f| takes(&f))
            {
                return Ok(Some(function.schema.clone()));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_mean_a_time() {
        assert_eq!(without_time("today").as_deref(), Some("notime"));
        assert_eq!(
            without_time("[Today, 2024-01-01)").as_deref(),
            Some("[notime, 2024-01-01)")
        );
        assert_eq!(without_time(" Yesterday 10:00").as_deref(), Some(" notime 10:00"));
        for text in ["nowhere", "2024-01-01", "", "ünow"] {
            assert_eq!(without_time(text), None, "{text}");
        }
    }

    #[test]
    fn texts_are_replaced_by_their_place() {
        let text = |t: &str| Expr::Text(t.into());
        let mut expr = Expr::And(vec![text("a"), Expr::Not(Box::new(text("b"))), text("c")]);
        let all = texts(&expr);
        for (place, expected) in all.iter().enumerate() {
            let mut changed = expr.clone();
            replace_text(&mut changed, place, "x".into());
            let mut others = texts(&changed);
            assert_eq!(others.remove(place), "x");
            assert!(!others.contains(expected));
        }
        replace_text(&mut expr, 9, "x".into());
        assert_eq!(texts(&expr), all);
    }
}
