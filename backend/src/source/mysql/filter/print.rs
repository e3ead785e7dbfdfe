//! The kinds of expressions that a filter may have, printed with parentheses around each.
//!
//! The parser binds some operators otherwise than the server. Where the two might differ, the user is asked for
//! parentheses.

use super::ALIAS;
use super::functions::{Judged, judge};
use crate::data::catalog::CatalogTable;
use crate::source::mysql::queries::{is_number, literal, quote};
use sqlparser::ast::{
    BinaryOperator as Binary, CastKind, CeilFloorKind, DataType, DateTimeField, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArguments, Ident, ObjectName, TrimWhereField, UnaryOperator as Unary, Value,
};

type Printed = Result<String, String>;

/// How tightly an expression holds together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Logic,
    Comparison,
    Arithmetic,
    /// What needs no parentheses anywhere.
    Whole,
}

pub(super) struct Printer<'a> {
    table: &'a CatalogTable,
    /// Why it depends on more than its row, in a clause that begins with "it".
    pub(super) beyond_row: Option<String>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(table: &'a CatalogTable) -> Self {
        Self {
            table,
            beyond_row: None,
        }
    }

    /// The expression as SQL.
    pub(super) fn print(&mut self, expr: &Expr) -> Printed {
        match expr {
            Expr::Nested(inner) => self.print(inner),
            Expr::Identifier(name) => self.column(name),
            Expr::CompoundIdentifier(parts) => self.qualified(parts),
            Expr::Value(value) => value_of(&value.value),
            Expr::TypedString(typed) => {
                let Value::SingleQuotedString(text) = &typed.value.value else {
                    return Err(refused(expr));
                };
                match typed.data_type {
                    DataType::Date => Ok(format!("DATE {}", plain_text(text)?)),
                    DataType::Time(..) => Ok(format!("TIME {}", plain_text(text)?)),
                    DataType::Timestamp(..) | DataType::Datetime(_) => Ok(format!("TIMESTAMP {}", plain_text(text)?)),
                    _ => Err(refused(expr)),
                }
            }
            Expr::BinaryOp { left, op, right } => self.binary(expr, left, op, right),
            Expr::UnaryOp { op, expr: of } => self.unary(expr, op, of),
            Expr::IsNull(of) => self.is(of, "IS NULL"),
            Expr::IsNotNull(of) => self.is(of, "IS NOT NULL"),
            Expr::IsTrue(of) => self.is(of, "IS TRUE"),
            Expr::IsNotTrue(of) => self.is(of, "IS NOT TRUE"),
            Expr::IsFalse(of) => self.is(of, "IS FALSE"),
            Expr::IsNotFalse(of) => self.is(of, "IS NOT FALSE"),
            Expr::IsUnknown(of) => self.is(of, "IS UNKNOWN"),
            Expr::IsNotUnknown(of) => self.is(of, "IS NOT UNKNOWN"),
            Expr::InList { list, .. } if list.is_empty() => Err("it looks for a value in an empty list".into()),
            Expr::InList { expr, list, negated } => {
                let of = self.operand(expr, Level::Arithmetic)?;
                Ok(format!("({of} {}IN ({}))", not(*negated), self.all(list)?))
            }
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let of = self.operand(expr, Level::Arithmetic)?;
                let (low, high) = (self.operand(low, Level::Arithmetic)?, self.operand(high, Level::Arithmetic)?);
                Ok(format!("({of} {}BETWEEN {low} AND {high})", not(*negated)))
            }
            Expr::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => {
                let (of, pattern) = (self.operand(expr, Level::Arithmetic)?, self.operand(pattern, Level::Arithmetic)?);
                let escape = match escape_char {
                    Some(escape) => format!(" ESCAPE {}", self.print(escape)?),
                    None => String::new(),
                };
                Ok(format!("({of} {}LIKE {pattern}{escape})", not(*negated)))
            }
            Expr::RLike {
                negated,
                expr,
                pattern,
                ..
            } => {
                let (of, pattern) = (self.operand(expr, Level::Arithmetic)?, self.operand(pattern, Level::Arithmetic)?);
                Ok(format!("({of} {}REGEXP {pattern})", not(*negated)))
            }
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                let mut sql = "CASE".to_owned();
                if let Some(operand) = operand {
                    sql.push_str(&format!(" {}", self.print(operand)?));
                }
                for when in conditions {
                    let (condition, result) = (self.print(&when.condition)?, self.print(&when.result)?);
                    sql.push_str(&format!(" WHEN {condition} THEN {result}"));
                }
                if let Some(otherwise) = else_result {
                    sql.push_str(&format!(" ELSE {}", self.print(otherwise)?));
                }
                Ok(format!("{sql} END"))
            }
            Expr::Cast {
                kind: CastKind::Cast,
                expr,
                data_type,
                format: None,
            } => Ok(format!("CAST({} AS {})", self.print(expr)?, type_of(data_type)?)),
            Expr::Extract { field, expr, .. } => {
                Ok(format!("EXTRACT({} FROM {})", unit_of(field)?, self.print(expr)?))
            }
            Expr::Ceil {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => Ok(format!("CEILING({})", self.print(expr)?)),
            Expr::Floor {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            } => Ok(format!("FLOOR({})", self.print(expr)?)),
            Expr::Position { expr, r#in } => Ok(format!("LOCATE({}, {})", self.print(expr)?, self.print(r#in)?)),
            Expr::Substring {
                expr,
                substring_from: Some(from),
                substring_for,
                ..
            } => {
                let (of, from) = (self.print(expr)?, self.print(from)?);
                let length = match substring_for {
                    Some(length) => format!(", {}", self.print(length)?),
                    None => String::new(),
                };
                Ok(format!("SUBSTRING({of}, {from}{length})"))
            }
            Expr::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters: None,
            } => {
                let side = match trim_where {
                    None | Some(TrimWhereField::Both) => "BOTH",
                    Some(TrimWhereField::Leading) => "LEADING",
                    Some(TrimWhereField::Trailing) => "TRAILING",
                };
                let what = match trim_what {
                    Some(what) => self.print(what)?,
                    None => "' '".into(),
                };
                Ok(format!("TRIM({side} {what} FROM {})", self.print(expr)?))
            }
            Expr::Tuple(list) if list.len() > 1 => Ok(format!("({})", self.all(list)?)),
            Expr::Interval(interval) => {
                let whole = interval.last_field.is_none() && interval.leading_precision.is_none();
                let Some(unit) = interval.leading_field.as_ref().filter(|_| whole) else {
                    return Err(refused(expr));
                };
                Ok(format!("INTERVAL {} {}", self.print(&interval.value)?, unit_of(unit)?))
            }
            Expr::Function(function) => self.call(function),
            Expr::InSubquery { .. } | Expr::Exists { .. } | Expr::Subquery(_) => Err(
                "it holds a sub-select, so that it depends on other rows: a filter may use the columns of its own table"
                    .into(),
            ),
            _ => Err(refused(expr)),
        }
    }

    fn all(&mut self, list: &[Expr]) -> Printed {
        let all: Result<Vec<String>, String> = list.iter().map(|e| self.print(e)).collect();
        Ok(all?.join(", "))
    }

    /// An operand that stands without parentheses and has to hold together at least so tightly.
    fn operand(&mut self, expr: &Expr, least: Level) -> Printed {
        if level_of(expr) < least {
            return Err(format!(
                "it is not clear how {} belongs together: put parentheses around it",
                shown(expr)
            ));
        }
        self.print(expr)
    }

    fn is(&mut self, of: &Expr, what: &str) -> Printed {
        Ok(format!("({} {what})", self.operand(of, Level::Arithmetic)?))
    }

    fn column(&self, name: &Ident) -> Printed {
        // Names of columns do not tell capital letters from small ones.
        let is_it = |known: &str| known.to_lowercase() == name.value.to_lowercase();
        let known = self.table.columns.iter().find(|c| is_it(&c.name));
        match known.filter(|_| matches!(name.quote_style, None | Some('`'))) {
            Some(column) => Ok(format!("{ALIAS}.{}", quote(&column.name))),
            None => Err(format!("it names {}, which is no column of its own table", name.value)),
        }
    }

    fn qualified(&self, parts: &[Ident]) -> Printed {
        let table = &self.table.name;
        match parts {
            [of, column] if of.value == table.table => self.column(column),
            [schema, of, column] if schema.value == table.schema && of.value == table.table => self.column(column),
            _ => {
                let names: Vec<&str> = parts.iter().map(|p| p.value.as_str()).collect();
                Err(format!(
                    "it names {}, which is no column of its own table",
                    names.join(".")
                ))
            }
        }
    }

    fn binary(&mut self, whole: &Expr, left: &Expr, op: &Binary, right: &Expr) -> Printed {
        let (operator, least) = match op {
            Binary::And => ("AND", Level::Logic),
            Binary::Or => ("OR", Level::Logic),
            Binary::Xor => ("XOR", Level::Whole),
            Binary::Eq => ("=", Level::Arithmetic),
            Binary::NotEq => ("<>", Level::Arithmetic),
            Binary::Lt => ("<", Level::Arithmetic),
            Binary::LtEq => ("<=", Level::Arithmetic),
            Binary::Gt => (">", Level::Arithmetic),
            Binary::GtEq => (">=", Level::Arithmetic),
            Binary::Spaceship => ("<=>", Level::Arithmetic),
            Binary::Plus => ("+", Level::Arithmetic),
            Binary::Minus => ("-", Level::Arithmetic),
            Binary::Multiply => ("*", Level::Arithmetic),
            Binary::Divide => ("/", Level::Arithmetic),
            Binary::Modulo => ("%", Level::Arithmetic),
            Binary::MyIntegerDivide => ("DIV", Level::Whole),
            Binary::BitwiseAnd => ("&", Level::Whole),
            Binary::BitwiseOr => ("|", Level::Whole),
            Binary::Regexp => ("REGEXP", Level::Arithmetic),
            Binary::StringConcat => return Err("it holds ||, which the server takes for OR: write OR or CONCAT".into()),
            Binary::Arrow | Binary::LongArrow => return self.json_path(whole, left, op, right),
            _ => return Err(refused(whole)),
        };
        // A chain of AND or OR is as deep as it is long; it is printed flat.
        if matches!(op, Binary::And | Binary::Or) {
            let mut parts = vec![self.print(right)?];
            let mut rest = left;
            while let Expr::BinaryOp { left, op: below, right } = rest {
                if below != op {
                    break;
                }
                parts.push(self.print(right)?);
                rest = left;
            }
            parts.push(self.print(rest)?);
            parts.reverse();
            return Ok(format!("({})", parts.join(&format!(" {operator} "))));
        }
        let (left, right) = (self.operand(left, least)?, self.operand(right, least)?);
        Ok(format!("({left} {operator} {right})"))
    }

    fn json_path(&mut self, whole: &Expr, left: &Expr, op: &Binary, right: &Expr) -> Printed {
        let (Expr::Identifier(_) | Expr::CompoundIdentifier(_), Expr::Value(_)) = (left, right) else {
            return Err(refused(whole));
        };
        let extracted = format!("JSON_EXTRACT({}, {})", self.print(left)?, self.print(right)?);
        Ok(if *op == Binary::LongArrow {
            format!("JSON_UNQUOTE({extracted})")
        } else {
            extracted
        })
    }

    fn unary(&mut self, whole: &Expr, op: &Unary, of: &Expr) -> Printed {
        let (operator, least) = match op {
            Unary::Not => ("NOT", Level::Comparison),
            Unary::BangNot => ("NOT", Level::Whole),
            Unary::Minus => ("-", Level::Whole),
            Unary::Plus => ("+", Level::Whole),
            Unary::BitwiseNot => ("~", Level::Whole),
            _ => return Err(refused(whole)),
        };
        Ok(format!("({operator} {})", self.operand(of, least)?))
    }

    fn call(&mut self, function: &Function) -> Printed {
        let ObjectName(parts) = &function.name;
        let name = match parts.as_slice() {
            [one] => one
                .as_ident()
                .filter(|n| n.quote_style.is_none())
                .map(|n| n.value.to_uppercase()),
            _ => None,
        };
        let is_plain = function.over.is_none()
            && function.filter.is_none()
            && function.null_treatment.is_none()
            && function.within_group.is_empty()
            && !function.uses_odbc_syntax
            && matches!(function.parameters, FunctionArguments::None);
        let not_allowed = || format!("it calls {}, which a filter may not", function.name);
        let Some(name) = name.filter(|_| is_plain) else {
            return Err(not_allowed());
        };
        let arguments = match &function.args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::Subquery(_) => return Err(not_allowed()),
            FunctionArguments::List(list) => {
                if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
                    return Err(not_allowed());
                }
                (list.args.iter())
                    .map(|argument| match argument {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => self.print(expr),
                        _ => Err(not_allowed()),
                    })
                    .collect::<Result<Vec<_>, _>>()?
            }
        };
        let said = name.to_lowercase();
        match judge(&name, !arguments.is_empty()).ok_or_else(not_allowed)? {
            Judged::Pure => {}
            Judged::Time => self.beyond_row = Some(format!("it depends on the time: {said}")),
            Judged::Chance => self.beyond_row = Some(format!("it depends on chance: {said}")),
        }
        Ok(format!("{name}({})", arguments.join(", ")))
    }
}

fn level_of(expr: &Expr) -> Level {
    match expr {
        Expr::BinaryOp { op, .. } => match op {
            Binary::And | Binary::Or | Binary::Xor => Level::Logic,
            Binary::Plus | Binary::Minus | Binary::Multiply | Binary::Divide | Binary::Modulo => Level::Arithmetic,
            Binary::Arrow | Binary::LongArrow => Level::Whole,
            _ => Level::Comparison,
        },
        Expr::UnaryOp { op: Unary::Not, .. } => Level::Logic,
        Expr::UnaryOp { .. } => Level::Arithmetic,
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::InList { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::RLike { .. } => Level::Comparison,
        Expr::Interval(_) => Level::Arithmetic,
        _ => Level::Whole,
    }
}

fn value_of(value: &Value) -> Printed {
    match value {
        Value::Number(digits, false) if is_number(digits) => Ok(digits.clone()),
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Ok(literal(text)),
        Value::HexStringLiteral(digits)
            if digits.len().is_multiple_of(2) && digits.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            Ok(format!("X'{digits}'"))
        }
        Value::Boolean(true) => Ok("TRUE".into()),
        Value::Boolean(false) => Ok("FALSE".into()),
        Value::Null => Ok("NULL".into()),
        other => Err(format!("it holds {other}, which has no meaning there")),
    }
}

/// A text behind the name of a type, which takes no other form of it.
fn plain_text(text: &str) -> Printed {
    match text.bytes().all(|b| b.is_ascii_digit() || b"-: .T".contains(&b)) {
        true => Ok(literal(text)),
        false => Err("it holds a date that is none".into()),
    }
}

/// A type that a value may be cast to.
fn type_of(data_type: &DataType) -> Printed {
    const KNOWN: [&str; 12] = [
        "SIGNED", "UNSIGNED", "CHAR", "BINARY", "DATE", "DATETIME", "TIME", "DECIMAL", "DOUBLE", "FLOAT", "JSON",
        "NCHAR",
    ];
    let text = data_type.to_string().to_uppercase();
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"(), ".contains(&b));
    let first = text.split([' ', '(']).next().unwrap_or_default();
    match is_plain && KNOWN.contains(&first) {
        true => Ok(text),
        false => Err(format!("it casts to {data_type}, which a filter may not")),
    }
}

/// A unit of time.
fn unit_of(field: &DateTimeField) -> Printed {
    const KNOWN: [&str; 9] = [
        "MICROSECOND",
        "SECOND",
        "MINUTE",
        "HOUR",
        "DAY",
        "WEEK",
        "MONTH",
        "QUARTER",
        "YEAR",
    ];
    let text = field.to_string().to_uppercase();
    match KNOWN.contains(&text.as_str()) {
        true => Ok(text),
        false => Err(format!(
            "it holds the unit of time {text}: use one of {}",
            KNOWN.join(", ")
        )),
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

fn refused(expr: &Expr) -> String {
    format!("it holds {}, which a filter may not", shown(expr))
}

/// The beginning of an expression, for messages.
fn shown(expr: &Expr) -> String {
    let text = expr.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
