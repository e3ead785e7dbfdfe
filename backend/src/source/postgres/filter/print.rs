//! The tree as SQL. This text stands in queries; what the user wrote never does.
//!
//! Every part is in parentheses, every column is quoted and belongs to the table, every function, operator and type is
//! named with its schema: the text means the same in every session, whatever its search path. Constructs of the grammar
//! that name no operator (`IN`, `BETWEEN`, `CASE` of a value, `NULLIF`, `IS DISTINCT FROM`) are taken apart.

use super::tree::{Choice, Equality, Expr, Name, State, Subscript, TypeName};
use crate::source::postgres::queries::{literal, quote};
use crate::source::postgres::values::array_element;

/// The alias of the table in every query that a filter stands in.
pub const ALIAS: &str = "t";

/// The schema of everything that belongs to the server.
pub const BUILT_IN: &str = "pg_catalog";

/// The longest text that is made of a filter, in bytes: some constructs stand in it several times.
pub const SQL_BYTES_MAX: usize = 1 << 20;

/// An expression as SQL; `None` when it comes to more than [`SQL_BYTES_MAX`].
pub fn sql(expr: &Expr) -> Option<String> {
    let mut out = String::new();
    write(expr, &mut out);
    (out.len() <= SQL_BYTES_MAX).then_some(out)
}

fn write(expr: &Expr, out: &mut String) {
    if out.len() > SQL_BYTES_MAX {
        return;
    }
    match expr {
        Expr::Column(name) => *out += &format!("{ALIAS}.{}", quote(name)),
        Expr::Text(text) => *out += &literal(text),
        Expr::Number(digits) => *out += digits,
        Expr::Bits(kind, digits) => *out += &format!("{kind}{}", literal(digits)),
        Expr::Bool(true) => *out += "TRUE",
        Expr::Bool(false) => *out += "FALSE",
        Expr::Null => *out += "NULL",
        Expr::Row(all) => list("ROW(", all, ", ", ")", out),
        Expr::Array(all) => list("ARRAY[", all, ", ", "]", out),
        Expr::And(all) => list("(", all, " AND ", ")", out),
        Expr::Or(all) => list("(", all, " OR ", ")", out),
        Expr::Not(of) => around("(NOT ", of, ")", out),
        Expr::Operation { operator, left, right } => operation(operator, left.as_deref(), right, out),
        Expr::Quantified {
            operator,
            left,
            right,
            is_all,
        } => {
            around("(", left, " ", out);
            *out += &operator_name(operator);
            *out += if *is_all { " ALL " } else { " ANY " };
            around("(", right, "))", out);
        }
        Expr::Call { function, arguments } => {
            *out += &qualified(function);
            list("(", arguments, ", ", ")", out);
        }
        Expr::Cast { of, to } => {
            around("CAST(", of, " AS ", out);
            *out += &type_name(to);
            out.push(')');
        }
        Expr::Extract { field, from } => {
            *out += &format!("EXTRACT({} FROM ", literal(field));
            around("", from, ")", out);
        }
        Expr::Is { of, state, negated } => {
            let state = match state {
                State::Null => "NULL",
                State::True => "TRUE",
                State::False => "FALSE",
                State::Unknown => "UNKNOWN",
            };
            around("(", of, " IS ", out);
            *out += &format!("{}{state})", if *negated { "NOT " } else { "" });
        }
        Expr::Named(name, of) => {
            *out += &quote(name);
            around(" => ", of, "", out);
        }
        Expr::Distinct {
            left,
            right,
            negated,
            equality,
        } => distinct(left, right, *negated, equality, out),
        Expr::In {
            of,
            list: values,
            negated,
            equality,
        } => one_of(of, values, *negated, equality, out),
        Expr::NullIf { left, right, equality } => {
            *out += "(CASE WHEN ";
            equal(left, right, equality, out);
            around(" THEN NULL ELSE ", left, " END)", out);
        }
        Expr::Case {
            operand,
            whens,
            otherwise,
            equality,
        } => {
            *out += "(CASE";
            for (when, then) in whens {
                *out += " WHEN ";
                match operand {
                    Some(operand) => equal(operand, when, equality, out),
                    None => write(when, out),
                }
                around(" THEN ", then, "", out);
            }
            if let Some(otherwise) = otherwise {
                around(" ELSE ", otherwise, "", out);
            }
            *out += " END)";
        }
        Expr::Choice(choice, all) => {
            let name = match choice {
                Choice::Coalesce => "COALESCE(",
                Choice::Greatest => "GREATEST(",
                Choice::Least => "LEAST(",
            };
            list(name, all, ", ", ")", out);
        }
        Expr::Element { of, at } => {
            around("(", of, ")", out);
            at.iter().for_each(|s| subscript(s, out));
        }
        Expr::Collate { of, collation } => {
            around("(", of, " COLLATE ", out);
            *out += &qualified(collation);
            out.push(')');
        }
        Expr::Clock(word, digits) => {
            *out += word;
            if let Some(digits) = digits {
                *out += &format!("({digits})");
            }
        }
    }
}

fn around(before: &str, expr: &Expr, after: &str, out: &mut String) {
    *out += before;
    write(expr, out);
    *out += after;
}

fn list(before: &str, all: &[Expr], between: &str, after: &str, out: &mut String) {
    *out += before;
    for (place, expr) in all.iter().enumerate() {
        around(if place == 0 { "" } else { between }, expr, "", out);
    }
    *out += after;
}

fn operation(operator: &Name, left: Option<&Expr>, right: &Expr, out: &mut String) {
    // The sign of a number is part of the number.
    if let (None, "-", Expr::Number(digits), None) = (left, operator.name.as_str(), right, &operator.schema) {
        *out += &format!("(-{digits})");
        return;
    }
    out.push('(');
    if let Some(left) = left {
        around("", left, " ", out);
    }
    *out += &operator_name(operator);
    around(" ", right, ")", out);
}

fn equal(left: &Expr, right: &Expr, equality: &Equality, out: &mut String) {
    around("(", left, " ", out);
    *out += &operator_name(&Name {
        schema: equality.clone(),
        name: "=".into(),
    });
    around(" ", right, ")", out);
}

/// Not distinct: both are null, or they are equal.
fn distinct(left: &Expr, right: &Expr, negated: bool, equality: &Equality, out: &mut String) {
    *out += if negated { "(CASE WHEN " } else { "(NOT CASE WHEN " };
    nulls(left, out);
    *out += " OR ";
    nulls(right, out);
    *out += " THEN ";
    nulls(left, out);
    *out += " AND ";
    nulls(right, out);
    *out += " ELSE ";
    equal(left, right, equality, out);
    *out += " END)";
}

/// `IS NULL` says of a row that all its fields are.
fn nulls(expr: &Expr, out: &mut String) {
    around("(pg_catalog.num_nulls(", expr, ") OPERATOR(pg_catalog.=) 1)", out);
}

/// Up to so many values are compared one by one: that means what `IN` means for all types.
const COMPARED_MAX: usize = 32;

/// `IN` names no operator, and would take the one of the search path.
fn one_of(of: &Expr, values: &[Expr], negated: bool, equality: &Equality, out: &mut String) {
    *out += if negated { "(NOT (" } else { "(" };
    let is_long = values.len() > COMPARED_MAX && equality.is_none();
    let texts: Option<Vec<&str>> = (values.iter())
        .map(|v| match v {
            Expr::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    match texts {
        Some(texts) if is_long => {
            let items: Vec<String> = texts.into_iter().map(array_element).collect();
            around("", of, " OPERATOR(pg_catalog.=) ANY (", out);
            *out += &literal(&format!("{{{}}}", items.join(",")));
            out.push(')');
        }
        _ if is_long && values.iter().all(is_number) => {
            around("", of, " OPERATOR(pg_catalog.=) ANY (", out);
            list("ARRAY[", values, ", ", "])", out);
        }
        _ => {
            for (place, value) in values.iter().enumerate() {
                *out += if place == 0 { "" } else { " OR " };
                equal(of, value, equality, out);
            }
        }
    }
    *out += if negated { "))" } else { ")" };
}

fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Number(_) => true,
        Expr::Operation {
            operator,
            left: None,
            right,
        } => operator.name == "-" && matches!(&**right, Expr::Number(_)),
        _ => false,
    }
}

fn subscript(subscript: &Subscript, out: &mut String) {
    out.push('[');
    match subscript {
        Subscript::Index(index) => write(index, out),
        Subscript::Slice(from, to) => {
            from.iter().for_each(|e| write(e, out));
            *out += " : ";
            to.iter().for_each(|e| write(e, out));
        }
    }
    out.push(']');
}

fn schema_of(name: &Name) -> &str {
    name.schema.as_deref().unwrap_or(BUILT_IN)
}

/// The name of a function, a type or a collation with its schema.
pub fn qualified(name: &Name) -> String {
    format!("{}.{}", quote(schema_of(name)), quote(&name.name))
}

fn operator_name(name: &Name) -> String {
    format!("OPERATOR({}.{})", quote(schema_of(name)), name.name)
}

fn type_name(to: &TypeName) -> String {
    let brackets = if to.is_array { "[]" } else { "" };
    let modifiers = match to.modifiers.as_slice() {
        [] => String::new(),
        all => format!(
            "({})",
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ),
    };
    match to.fields {
        // Only the keyword takes them, and it means the server's own type.
        Some(fields) => format!("interval {fields}{modifiers}{brackets}"),
        None => format!("{}{modifiers}{brackets}", qualified(&to.name)),
    }
}
