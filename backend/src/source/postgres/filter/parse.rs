//! From the text of a filter to its tree, or the reason why it is none.
//!
//! The parser reads more than the server does, and in a few places binds operators otherwise. So only kinds of nodes are
//! taken over that are listed here, and each operand that stands without parentheses is held against the order of
//! precedence of the server's grammar: where the two might differ, the user is asked for parentheses.

use super::lexical::words;
use super::names::{column_name, field_name, name_of, operator_name};
use super::precedence::{Level, level_of, level_of_operator, level_of_prefix};
use super::tree::{Choice, Expr, Name, State, Subscript, TypeName};
use super::types::type_of;
use godwit_shared::schema::TableName;
use sqlparser::ast::{
    self, AccessExpr, BinaryOperator as Binary, CastKind, CeilFloorKind, DateTimeField, FunctionArg, FunctionArgExpr,
    FunctionArgOperator, FunctionArguments, Ident, TrimWhereField, UnaryOperator as Unary, Value,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

/// How deep expressions may lie in each other; `AND` and `OR` in a row count once.
const DEPTH_MAX: usize = 100;
/// Of the thread that parses: a chain of operators is a tree as deep as it is long.
const STACK_BYTES: usize = 256 << 20;

/// Reads the text of a filter of a table.
///
/// # Errors
/// A clause for the user that begins with "it".
pub fn parse(text: &str, table: &TableName) -> Result<Expr, String> {
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

fn parse_here(text: &str, table: &TableName) -> Result<Expr, String> {
    let words = words(text)?;
    if words.is_empty() {
        return Err("it is empty".into());
    }
    let has_query = (words.iter()).any(|w| {
        matches!(w, Token::Word(w) if w.quote_style.is_none()
            && ["select", "table", "values"].iter().any(|k| w.value.eq_ignore_ascii_case(k)))
    });
    let refused = |reason: String| match has_query {
        true => format!("{SUB_SELECT} ({reason})"),
        false => reason,
    };
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect).with_recursion_limit(DEPTH_MAX).with_tokens(words);
    let parsed = parser.parse_expr();
    let parsed = parsed.map_err(|e| refused(format!("it is not one expression: {}", reason_of(&e.to_string()))))?;
    let next = parser.peek_token().token;
    if next != Token::EOF {
        return Err(refused(format!("it is not one expression: it goes on with {next}")));
    }
    match (Reader { table, depth: 0 }.read(&parsed))? {
        // The server takes these for what they are needed as: of their own they are no truth values.
        Expr::Null | Expr::Text(_) => Err("it is a constant and no truth value: write TRUE or FALSE".into()),
        read => Ok(read),
    }
}

fn reason_of(error: &str) -> &str {
    error.trim_start_matches("sql parser error: ")
}

const SUB_SELECT: &str =
    "it holds a sub-select, so that it depends on other rows: a filter may use the columns of its own table";

struct Reader<'a> {
    table: &'a TableName,
    depth: usize,
}

type Read = Result<Expr, String>;

impl Reader<'_> {
    /// An operand that stands without parentheses, which has to bind at least so tightly.
    fn operand(&mut self, expr: &ast::Expr, least: Level, is_least_enough: bool) -> Read {
        let level = level_of(expr);
        if level > least || (level == least && is_least_enough) {
            return self.read(expr);
        }
        Err(format!(
            "it is not clear how {} belongs together: put parentheses around it",
            shown(expr)
        ))
    }

    fn boxed(&mut self, expr: &ast::Expr, least: Level, is_least_enough: bool) -> Result<Box<Expr>, String> {
        self.operand(expr, least, is_least_enough).map(Box::new)
    }

    /// What stands between parentheses or commas.
    fn read(&mut self, expr: &ast::Expr) -> Read {
        if self.depth == DEPTH_MAX {
            return Err(format!("it is nested deeper than {DEPTH_MAX} levels"));
        }
        self.depth += 1;
        let read = self.read_node(expr);
        self.depth -= 1;
        read
    }

    fn all(&mut self, list: &[ast::Expr]) -> Result<Vec<Expr>, String> {
        list.iter().map(|e| self.read(e)).collect()
    }

    fn read_node(&mut self, expr: &ast::Expr) -> Read {
        use ast::Expr as E;
        let is = |of: Expr, state, negated| Expr::Is {
            of: Box::new(of),
            state,
            negated,
        };
        match expr {
            E::Nested(inner) => self.read(inner),
            E::Identifier(name) => Ok(Expr::Column(column_name(name)?)),
            E::CompoundIdentifier(parts) => self.column(parts),
            E::Value(value) => literal(&value.value),
            E::TypedString(typed) => Ok(Expr::Cast {
                of: Box::new(text_literal(&typed.value.value)?),
                to: type_of(&typed.data_type)?,
            }),
            E::Interval(interval) => self.interval(interval),
            E::Tuple(list) => Ok(Expr::Row(self.all(list)?)),
            E::Array(array) => self.array(array),
            E::BinaryOp {
                op: op @ (Binary::And | Binary::Or),
                ..
            } => self.junction(expr, op),
            E::BinaryOp { left, op, right } => self.binary(left, op, right),
            E::UnaryOp { op, expr } => self.unary(op, expr),
            E::AnyOp {
                left,
                compare_op,
                right,
                ..
            } => self.quantified(left, compare_op, right, false),
            E::AllOp {
                left,
                compare_op,
                right,
            } => self.quantified(left, compare_op, right, true),
            E::IsNull(of) => Ok(is(self.operand(of, Level::Is, false)?, State::Null, false)),
            E::IsNotNull(of) => Ok(is(self.operand(of, Level::Is, false)?, State::Null, true)),
            E::IsTrue(of) => Ok(is(self.operand(of, Level::Is, false)?, State::True, false)),
            E::IsNotTrue(of) => Ok(is(self.operand(of, Level::Is, false)?, State::True, true)),
            E::IsFalse(of) => Ok(is(self.operand(of, Level::Is, false)?, State::False, false)),
            E::IsNotFalse(of) => Ok(is(self.operand(of, Level::Is, false)?, State::False, true)),
            E::IsUnknown(of) => Ok(is(self.operand(of, Level::Is, false)?, State::Unknown, false)),
            E::IsNotUnknown(of) => Ok(is(self.operand(of, Level::Is, false)?, State::Unknown, true)),
            E::IsDistinctFrom(left, right) => self.distinct(left, right, false),
            E::IsNotDistinctFrom(left, right) => self.distinct(left, right, true),
            E::InList { list, .. } if list.is_empty() => Err("it looks for a value in an empty list".into()),
            E::InList { expr, list, negated } => Ok(Expr::In {
                of: self.boxed(expr, Level::Like, false)?,
                list: self.all(list)?,
                negated: *negated,
                equality: None,
            }),
            E::Between {
                expr,
                negated,
                low,
                high,
            } => self.between(expr, low, high, *negated),
            E::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => {
                let operator = if *negated { "!~~" } else { "~~" };
                self.like(expr, operator, pattern, escape_char.as_deref())
            }
            E::ILike {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => {
                let operator = if *negated { "!~~*" } else { "~~*" };
                self.like(expr, operator, pattern, escape_char.as_deref())
            }
            E::Like {
                negated,
                any: true,
                expr,
                pattern,
                escape_char: None,
            } => self.like_any(expr, if *negated { "!~~" } else { "~~" }, pattern),
            E::ILike {
                negated,
                any: true,
                expr,
                pattern,
                escape_char: None,
            } => self.like_any(expr, if *negated { "!~~*" } else { "~~*" }, pattern),
            E::SimilarTo {
                negated,
                expr,
                pattern,
                escape_char,
            } => {
                let escape = escape_char.as_deref().map(|e| self.read(e)).transpose()?;
                let pattern = self.operand(pattern, Level::Like, false)?;
                Ok(operation(
                    if *negated { "!~" } else { "~" },
                    self.operand(expr, Level::Like, false)?,
                    call("similar_escape", vec![pattern, escape.unwrap_or(Expr::Null)]),
                ))
            }
            E::Cast {
                kind,
                expr,
                data_type,
                format: None,
            } => {
                let of = match kind {
                    CastKind::DoubleColon => self.operand(expr, Level::Cast, true)?,
                    CastKind::Cast => self.read(expr)?,
                    CastKind::TryCast | CastKind::SafeCast => return Err(unknown(expr)),
                };
                Ok(Expr::Cast {
                    of: Box::new(of),
                    to: type_of(data_type)?,
                })
            }
            E::AtTimeZone { timestamp, time_zone } => {
                let timestamp = self.operand(timestamp, Level::TimeZone, true)?;
                let zone = self.operand(time_zone, Level::TimeZone, false)?;
                Ok(call("timezone", vec![zone, timestamp]))
            }
            E::Extract { field, expr, .. } => Ok(Expr::Extract {
                field: field_name(field)?,
                from: Box::new(self.read(expr)?),
            }),
            E::Ceil {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => Ok(call("ceil", vec![self.read(expr)?])),
            E::Floor {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => Ok(call("floor", vec![self.read(expr)?])),
            E::Position { expr, r#in } => {
                let (what, within) = (self.read(expr)?, self.read(r#in)?);
                Ok(call("position", vec![within, what]))
            }
            E::Substring {
                expr,
                substring_from,
                substring_for,
                shorthand,
                ..
            } => {
                let mut arguments = vec![self.read(expr)?];
                match (substring_from, substring_for) {
                    (Some(from), _) => arguments.push(self.read(from)?),
                    (None, Some(_)) => arguments.push(Expr::Number("1".into())),
                    (None, None) => {}
                }
                if let Some(length) = substring_for {
                    arguments.push(self.read(length)?);
                }
                Ok(call(if *shorthand { "substr" } else { "substring" }, arguments))
            }
            E::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters,
            } => {
                let name = match trim_where {
                    None | Some(TrimWhereField::Both) => "btrim",
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                };
                let mut arguments = vec![self.read(expr)?];
                for what in trim_what.iter().map(|e| &**e).chain(trim_characters.iter().flatten()) {
                    arguments.push(self.read(what)?);
                }
                Ok(call(name, arguments))
            }
            E::Overlay {
                expr,
                overlay_what,
                overlay_from,
                overlay_for,
            } => {
                let mut arguments = vec![self.read(expr)?, self.read(overlay_what)?, self.read(overlay_from)?];
                if let Some(length) = overlay_for {
                    arguments.push(self.read(length)?);
                }
                Ok(call("overlay", arguments))
            }
            E::Collate { expr, collation } => Ok(Expr::Collate {
                of: self.boxed(expr, Level::Collation, true)?,
                collation: name_of(collation)?,
            }),
            E::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                let mut whens = Vec::new();
                for when in conditions {
                    whens.push((self.read(&when.condition)?, self.read(&when.result)?));
                }
                let mut optional =
                    |e: &Option<Box<ast::Expr>>| e.as_ref().map(|e| self.read(e).map(Box::new)).transpose();
                Ok(Expr::Case {
                    operand: optional(operand)?,
                    otherwise: optional(else_result)?,
                    whens,
                    equality: None,
                })
            }
            E::CompoundFieldAccess { root, access_chain } => self.element(root, access_chain),
            E::Function(function) => self.function(function),
            E::InSubquery { .. } | E::Exists { .. } | E::Subquery(_) => Err(SUB_SELECT.into()),
            // The parser knows more dialects than one, and more with every release.
            _ => Err(unknown(expr)),
        }
    }

    /// `t.a`, `table.a` or `schema.table.a`.
    fn column(&self, parts: &[Ident]) -> Read {
        let names = parts.iter().map(column_name).collect::<Result<Vec<_>, _>>()?;
        let (schema, table) = (&self.table.schema, &self.table.table);
        match names.as_slice() {
            [alias, column] if alias == table || alias == super::print::ALIAS => Ok(Expr::Column(column.clone())),
            [s, t, column] if s == schema && t == table => Ok(Expr::Column(column.clone())),
            _ => Err(format!(
                "it names {}, which is no column of its own table",
                names.join(".")
            )),
        }
    }

    /// A chain of `AND` or of `OR`, however long.
    fn junction(&mut self, expr: &ast::Expr, operator: &Binary) -> Read {
        let mut parts = Vec::new();
        let mut rest = expr;
        let level = level_of_operator(operator);
        while let ast::Expr::BinaryOp { left, op, right } = rest
            && op == operator
        {
            parts.push(self.operand(right, level, true)?);
            rest = left;
        }
        parts.push(self.operand(rest, level, true)?);
        parts.reverse();
        Ok(match operator {
            Binary::And => Expr::And(parts),
            _ => Expr::Or(parts),
        })
    }

    fn binary(&mut self, left: &ast::Expr, op: &Binary, right: &ast::Expr) -> Read {
        if *op == Binary::Overlaps {
            let (ast::Expr::Tuple(a), ast::Expr::Tuple(b)) = (left, right) else {
                return Err("it compares with OVERLAPS what is no pair".into());
            };
            let mut arguments = self.all(a)?;
            arguments.extend(self.all(b)?);
            return Ok(call("overlaps", arguments));
        }
        let operator = operator_name(op)?;
        let level = level_of_operator(op);
        // Comparisons have no order among themselves.
        let left = self.boxed(left, level, level != Level::Comparison)?;
        let right = self.boxed(right, level, false)?;
        Ok(Expr::Operation {
            operator,
            left: Some(left),
            right,
        })
    }

    fn unary(&mut self, op: &Unary, of: &ast::Expr) -> Read {
        let name = match op {
            Unary::Not => return Ok(Expr::Not(self.boxed(of, Level::Not, true)?)),
            Unary::Minus => "-",
            Unary::Plus => "+",
            Unary::BitwiseNot => "~",
            Unary::PGAbs => "@",
            Unary::PGSquareRoot => "|/",
            Unary::PGCubeRoot => "||/",
            Unary::PGPrefixFactorial => "!!",
            Unary::DoubleAt => "@@",
            Unary::AtDashAt => "@-@",
            Unary::Hash => "#",
            Unary::QuestionDash => "?-",
            Unary::QuestionPipe => "?|",
            Unary::BangNot | Unary::PGPostfixFactorial => {
                return Err(format!("it uses the operator {op} of another database"));
            }
        };
        let level = level_of_prefix(op);
        let is_prefix = matches!(of, ast::Expr::UnaryOp { .. });
        Ok(Expr::Operation {
            operator: Name::plain(name),
            left: None,
            right: self.boxed(of, level, is_prefix)?,
        })
    }

    fn quantified(&mut self, left: &ast::Expr, op: &Binary, right: &ast::Expr, is_all: bool) -> Read {
        Ok(Expr::Quantified {
            operator: operator_name(op)?,
            left: self.boxed(left, level_of_operator(op), false)?,
            right: Box::new(self.read(right)?),
            is_all,
        })
    }

    fn distinct(&mut self, left: &ast::Expr, right: &ast::Expr, negated: bool) -> Read {
        Ok(Expr::Distinct {
            left: self.boxed(left, Level::Is, false)?,
            right: self.boxed(right, Level::Is, false)?,
            negated,
            equality: None,
        })
    }

    fn between(&mut self, of: &ast::Expr, low: &ast::Expr, high: &ast::Expr, negated: bool) -> Read {
        let of = self.operand(of, Level::Like, false)?;
        let low = self.operand(low, Level::Like, false)?;
        let high = self.operand(high, Level::Like, false)?;
        let within = Expr::And(vec![operation(">=", of.clone(), low), operation("<=", of, high)]);
        Ok(if negated { Expr::Not(Box::new(within)) } else { within })
    }

    fn like(&mut self, of: &ast::Expr, operator: &str, pattern: &ast::Expr, escape: Option<&ast::Expr>) -> Read {
        let of = self.operand(of, Level::Like, false)?;
        let pattern = self.operand(pattern, Level::Like, false)?;
        let pattern = match escape {
            Some(escape) => call("like_escape", vec![pattern, self.operand(escape, Level::Like, false)?]),
            None => pattern,
        };
        Ok(operation(operator, of, pattern))
    }

    fn like_any(&mut self, of: &ast::Expr, operator: &str, patterns: &ast::Expr) -> Read {
        let ast::Expr::Nested(patterns) = patterns else {
            return Err("it compares with LIKE ANY what is no array between parentheses".into());
        };
        Ok(Expr::Quantified {
            operator: Name::plain(operator),
            left: self.boxed(of, Level::Like, false)?,
            right: Box::new(self.read(patterns)?),
            is_all: false,
        })
    }

    fn array(&mut self, array: &ast::Array) -> Read {
        let items = array.elem.iter().map(|e| match e {
            ast::Expr::Array(inner) => self.array(inner),
            other => self.read(other),
        });
        Ok(Expr::Array(items.collect::<Result<_, _>>()?))
    }

    fn element(&mut self, root: &ast::Expr, chain: &[AccessExpr]) -> Read {
        // `t.a[1]`: the names come as a chain of their own.
        let mut names = Vec::new();
        let mut rest = chain;
        let of = match root {
            ast::Expr::Identifier(first) => {
                names.push(first.clone());
                while let [AccessExpr::Dot(ast::Expr::Identifier(name)), more @ ..] = rest {
                    names.push(name.clone());
                    rest = more;
                }
                match names.as_slice() {
                    [one] => Expr::Column(column_name(one)?),
                    several => self.column(several)?,
                }
            }
            ast::Expr::CompoundIdentifier(parts) => self.column(parts)?,
            ast::Expr::Nested(inner) => self.read(inner)?,
            other => {
                return Err(format!(
                    "it takes an element of {}: put parentheses around it",
                    shown(other)
                ));
            }
        };
        let mut at = Vec::new();
        for access in rest {
            let AccessExpr::Subscript(subscript) = access else {
                return Err("it takes a field of a row: compare the whole, or its text".into());
            };
            at.push(match subscript {
                ast::Subscript::Index { index } => Subscript::Index(self.read(index)?),
                ast::Subscript::Slice {
                    lower_bound,
                    upper_bound,
                    stride: None,
                } => {
                    let from = lower_bound.as_ref().map(|e| self.read(e)).transpose()?;
                    Subscript::Slice(from, upper_bound.as_ref().map(|e| self.read(e)).transpose()?)
                }
                ast::Subscript::Slice { .. } => return Err("it takes every n-th element of an array".into()),
            });
        }
        Ok(match at.is_empty() {
            true => of,
            false => Expr::Element { of: Box::new(of), at },
        })
    }

    fn interval(&mut self, interval: &ast::Interval) -> Read {
        let ast::Expr::Value(value) = &*interval.value else {
            return Err("it writes an interval without quotes".into());
        };
        let fields = super::types::interval_fields(interval)?;
        Ok(Expr::Cast {
            of: Box::new(text_literal(&value.value)?),
            to: TypeName {
                name: Name::plain("interval"),
                modifiers: Vec::new(),
                fields,
                is_array: false,
            },
        })
    }

    fn function(&mut self, function: &ast::Function) -> Read {
        let name = name_of(&function.name)?;
        let is_plain = !function.uses_odbc_syntax
            && function.over.is_none()
            && function.filter.is_none()
            && function.within_group.is_empty()
            && function.null_treatment.is_none()
            && matches!(function.parameters, FunctionArguments::None);
        if !is_plain {
            return Err(format!("it calls {} over several rows", name.name));
        }
        let list = match &function.args {
            FunctionArguments::Subquery(_) => return Err(SUB_SELECT.into()),
            FunctionArguments::None => {
                return clock(&name, None)
                    .ok_or_else(|| format!("it names {}, which is no column of its own table", name.name));
            }
            FunctionArguments::List(list) => list,
        };
        if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
            return Err(format!("it calls {} over several rows", name.name));
        }
        let mut arguments = Vec::new();
        for argument in &list.args {
            arguments.push(match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => self.read(e)?,
                FunctionArg::Named {
                    name,
                    arg: FunctionArgExpr::Expr(e),
                    operator: FunctionArgOperator::RightArrow | FunctionArgOperator::Assignment,
                } => Expr::Named(column_name(name)?, Box::new(self.read(e)?)),
                FunctionArg::ExprNamed {
                    name: ast::Expr::Identifier(name),
                    arg: FunctionArgExpr::Expr(e),
                    operator: FunctionArgOperator::RightArrow | FunctionArgOperator::Assignment,
                } => Expr::Named(column_name(name)?, Box::new(self.read(e)?)),
                other => return Err(format!("it calls {} with {other}", name.name)),
            });
        }
        let is_quoted = (function.name.0.last()).is_some_and(|p| p.as_ident().is_some_and(|i| i.quote_style.is_some()));
        if name.schema.is_some() || is_quoted {
            return Ok(Expr::Call {
                function: name,
                arguments,
            });
        }
        let choice = |choice| match arguments.iter().any(|a| matches!(a, Expr::Named(..))) || arguments.is_empty() {
            true => Err(format!("it calls {} with other arguments than it has", name.name)),
            false => Ok(Expr::Choice(choice, arguments.clone())),
        };
        match (name.name.as_str(), arguments.as_slice()) {
            ("coalesce", _) => choice(Choice::Coalesce),
            ("greatest", _) => choice(Choice::Greatest),
            ("least", _) => choice(Choice::Least),
            ("nullif", [left, right]) => Ok(Expr::NullIf {
                left: Box::new(left.clone()),
                right: Box::new(right.clone()),
                equality: None,
            }),
            ("row", _) => Ok(Expr::Row(arguments)),
            // The parser takes other things for `CAST` and `EXTRACT` than the server does.
            ("current_time" | "current_timestamp" | "localtime" | "localtimestamp", [Expr::Number(digits)]) => {
                let digits = digits.parse().ok().filter(|d: &u64| *d <= 6);
                (digits.and_then(|d| clock(&name, Some(d))))
                    .ok_or_else(|| format!("it asks for other digits of {} than 0 to 6", name.name))
            }
            _ => Ok(Expr::Call {
                function: name,
                arguments,
            }),
        }
    }
}

fn clock(name: &Name, digits: Option<u64>) -> Option<Expr> {
    let word = match name.name.as_str() {
        "current_date" if digits.is_none() => "CURRENT_DATE",
        "current_time" => "CURRENT_TIME",
        "current_timestamp" => "CURRENT_TIMESTAMP",
        "localtime" => "LOCALTIME",
        "localtimestamp" => "LOCALTIMESTAMP",
        _ => return None,
    };
    name.schema.is_none().then_some(Expr::Clock(word, digits))
}

fn operation(operator: &str, left: Expr, right: Expr) -> Expr {
    Expr::Operation {
        operator: Name::plain(operator),
        left: Some(Box::new(left)),
        right: Box::new(right),
    }
}

fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Call {
        function: Name::plain(name),
        arguments,
    }
}

fn literal(value: &Value) -> Read {
    Ok(match value {
        Value::Number(digits, _) => Expr::Number(digits.clone()),
        Value::Boolean(value) => Expr::Bool(*value),
        Value::Null => Expr::Null,
        Value::SingleQuotedByteStringLiteral(digits) => Expr::Bits('B', digits.clone()),
        Value::HexStringLiteral(digits) => Expr::Bits('X', digits.clone()),
        other => text_literal(other)?,
    })
}

fn text_literal(value: &Value) -> Read {
    match value {
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) if !text.contains('\0') => {
            Ok(Expr::Text(text.clone()))
        }
        other => Err(format!("it holds the literal {other}, which it may not")),
    }
}

fn unknown(expr: &ast::Expr) -> String {
    format!("it holds {}, which a filter may not", shown(expr))
}

fn shown(expr: &ast::Expr) -> String {
    let text: String = expr.to_string().chars().take(60).collect();
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Result<String, String> {
        crate::source::postgres::filter::printed(text, &TableName::new("public", "p"))
    }

    #[test]
    fn a_filter_is_printed_with_every_part_in_parentheses_and_every_name_qualified() {
        for (text, expected) in [
            (
                "id > 3 and v <> 'v4'",
                "((t.\"id\" OPERATOR(\"pg_catalog\".>) 3) AND (t.\"v\" OPERATOR(\"pg_catalog\".<>) 'v4'))",
            ),
            ("TRUE", "TRUE"),
            ("a OR b or c", "(t.\"a\" OR t.\"b\" OR t.\"c\")"),
            (
                "\"odd \"\"name\" = -20 -- a remark",
                "(t.\"odd \"\"name\" OPERATOR(\"pg_catalog\".=) (-20))",
            ),
            ("v = E'it\\'s'", "(t.\"v\" OPERATOR(\"pg_catalog\".=) 'it''s')"),
            (
                "p.id = 1 and public.p.id = 1 and T.Id = 1",
                "((t.\"id\" OPERATOR(\"pg_catalog\".=) 1) AND (t.\"id\" OPERATOR(\"pg_catalog\".=) 1) AND (t.\"id\" OPERATOR(\"pg_catalog\".=) 1))",
            ),
            (
                "lower(v) like 'a%'",
                "(\"pg_catalog\".\"lower\"(t.\"v\") OPERATOR(\"pg_catalog\".~~) 'a%')",
            ),
            (
                "a not between 1 and 2",
                "(NOT ((t.\"a\" OPERATOR(\"pg_catalog\".>=) 1) AND (t.\"a\" OPERATOR(\"pg_catalog\".<=) 2)))",
            ),
            (
                "a not in (1, 2)",
                "(NOT ((t.\"a\" OPERATOR(\"pg_catalog\".=) 1) OR (t.\"a\" OPERATOR(\"pg_catalog\".=) 2)))",
            ),
            (
                "d::date >= date '2024-01-01'",
                "(CAST(t.\"d\" AS \"pg_catalog\".\"date\") OPERATOR(\"pg_catalog\".>=) CAST('2024-01-01' AS \"pg_catalog\".\"date\"))",
            ),
            (
                "a is distinct from b",
                "(NOT CASE WHEN (pg_catalog.num_nulls(t.\"a\") OPERATOR(pg_catalog.=) 1) OR (pg_catalog.num_nulls(t.\"b\") OPERATOR(pg_catalog.=) 1) THEN (pg_catalog.num_nulls(t.\"a\") OPERATOR(pg_catalog.=) 1) AND (pg_catalog.num_nulls(t.\"b\") OPERATOR(pg_catalog.=) 1) ELSE (t.\"a\" OPERATOR(\"pg_catalog\".=) t.\"b\") END)",
            ),
        ] {
            assert_eq!(printed(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_people_write_is_understood() {
        for text in [
            "status in ('a', 'b') and amount >= 10.5",
            "name ilike '%x%' escape '!' or name not like 'y_'",
            "name ~ '^a' and name !~* 'b$' and name similar to '(a|b)%'",
            "doc ->> 'a' = 'b' and doc @> '{\"a\": 1}' and doc ? 'a' and doc #>> '{a,b}' is not null",
            "doc -> 'a' -> 'b' ->> 'c' = 'x'",
            "tags @> array['a', 'b'] and 'x' = any(tags) and tags[1] = 'a' and tags[1:2] <> '{}'",
            "n = any(array[1, 2, 3]) and n <> all('{4,5}')",
            "extract(year from d) = 2024 and date_trunc('day', at) < '2024-01-01'",
            "at at time zone 'UTC' > '2024-01-01' and at > timestamp with time zone '2024-01-01 00:00+00'",
            "d + interval '1 day' > '2024-01-01' and d - 7 < '2024-01-01' and at > now() - interval '1' year",
            "a is null and b is not null and c is true and d is not false and e is unknown",
            "coalesce(a, 0) > 1 and nullif(b, '') is not null and greatest(a, 2) = least(3, a)",
            "case when a > 1 then true else false end and case a when 1 then 'x' when 2 then 'y' end = 'x'",
            "(a, b) = (1, 2) or row(a, b) < row(3, 4) or (a, b) in ((1, 2), (3, 4))",
            "substring(name from 1 for 2) = 'ab' and position('a' in name) > 0 and trim(both ' ' from name) = 'x'",
            "not active and not (a = 1 or b = 2)",
            "cast(a as numeric(10, 2)) > 1.5 and a::text = '1' and b::varchar(10) = 'x'",
            "name collate \"C\" < 'b' and - a < 3 and a % 2 = 0 and a ^ 2 > 4 and a / 2 * 3 = 1",
            "r && '[1,5)'::int4range and r @> 3 and inet '10.0.0.1' << ip",
            "(start_date, end_date) overlaps (date '2024-01-01', date '2024-02-01')",
            "a OPERATOR(pg_catalog.=) 1 and name || 'x' = 'yx'",
            "to_tsvector('english', name) @@ to_tsquery('english', 'a & b')",
            "make_interval(days => 3) > dur and length(name) between 1 and 10",
            "current_date > d and localtimestamp(0) > at and bits = B'101' and name is not distinct from 'x'",
            "name like any (array['a%', 'b%']) or name not ilike any ('{c%}') or a isnull",
            "a notnull or length(name) > 3 and date > '2020-01-01' and interval is null",
        ] {
            assert!(printed(text).is_ok(), "{text}: {:?}", printed(text));
        }
    }

    #[test]
    fn what_is_no_expression_over_the_table_is_refused() {
        for text in [
            "",
            " -- nothing",
            "id =",
            "id = 1; drop table c",
            "id = 1) union select 1 --",
            "true) or (true",
            "(id = 1",
            "id = 1 order by id",
            "true limit 1",
            "id = 1 returning id",
            "id in (select 1)",
            "exists (select from x)",
            "exists (table x)",
            "id = (select 1)",
            "id = any(select 1)",
            "id = any(array(select 1))",
            "id in (values (1))",
            "count(*) > 1",
            "count(distinct id) > 1",
            "row_number() over () = 1",
            "sum(id) filter (where true) > 1",
            "other.id = 1",
            "id = $1",
            "id = ?",
            "(c).field = 1",
            "p.* is not null",
            "a regexp 'x'",
            "a rlike 'x'",
            "a <=> 1",
            "a xor b",
            "try_cast(a as int) = 1",
            "a::regclass = 1",
            "{'a': 1}",
            "a member of (b)",
            "a OPERATOR(pg_catalog.--) 1",
            "user = 'x'",
            "current_user = 'x'",
            "id as x",
            "id, 1",
            "*",
            "t is not null for update",
            "null",
            "(NULL)",
            "'t'",
            "id * -1in (1)",
            "id = 1or true",
            "id = 1b'0'",
        ] {
            assert!(printed(text).is_err(), "{text}: {:?}", printed(text));
        }
    }

    #[test]
    fn what_the_parser_binds_otherwise_than_the_server_asks_for_parentheses() {
        for text in [
            "-a ^ 2 = 4",
            "~ a + b = 1",
            "@ a - b = 1",
            "a = b = c",
            "a < b < c",
            "a is null is null",
            "a like b like c",
        ] {
            assert!(printed(text).is_err(), "{text}: {:?}", printed(text));
        }
        for text in [
            "(-a) ^ 2 = 4",
            "(~ a) + b = 1",
            "@ (a - b) = 1",
            "(a = b) = c",
            "not not a",
            "- - a = 1",
        ] {
            assert!(printed(text).is_ok(), "{text}: {:?}", printed(text));
        }
    }

    #[test]
    fn long_and_deep_texts_end_in_an_answer() {
        let long = (0..4_000).map(|n| format!("id = {n}")).collect::<Vec<_>>().join(" or ");
        assert!(printed(&long).is_ok());
        let list = (0..9_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        assert!(printed(&format!("id in ({list})")).is_ok());
        let deep = |open: &str, close: &str, n: usize| format!("{}true{}", open.repeat(n), close.repeat(n));
        for text in [
            deep("(", ")", 9_000),
            deep("not ", "", 9_000),
            deep("f(", ")", 5_000),
            deep("case when ", " then true end", 2_000),
            deep("(a is distinct from ", ")", 60),
            "1+".repeat(9_000) + "1 = 1",
            "- ".repeat(9_000) + "1 = 1",
            "a[".repeat(3_000),
            "((((((((case-".repeat(500),
            "x".repeat(70_000),
        ] {
            assert!(printed(&text).is_err(), "{}", &text[..20]);
        }
    }
}
