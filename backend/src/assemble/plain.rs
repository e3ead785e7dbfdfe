//! Plain expressions for one row, with the meaning that JavaScript gives them.

use super::convert::number_of;
use crate::data::value::Value;
use crate::plan::plain::{Comparison, Operator, Plain};
use std::borrow::Cow;

/// Whole numbers up to here are exact in a JavaScript number; larger ones come as BigInt.
const SAFE_INTEGER_MAX: i64 = 1 << 53;
/// Longer texts are put together where memory has limits.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// What a value is while it is calculated with.
#[derive(Debug, Clone, PartialEq)]
enum Js<'v> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'v, str>),
}

/// What the expression comes to; `input` gives the row's values. The outer `None` leaves the row to the engine, the inner
/// one is undefined.
pub fn evaluate<'v>(plain: &Plain, input: &impl Fn(usize) -> Value<'v>) -> Option<Option<Value<'static>>> {
    Some(match of(plain, input)? {
        Js::Undefined => None,
        Js::Null => Some(Value::Null),
        Js::Bool(v) => Some(Value::Bool(v)),
        Js::Number(v) => Some(smallest(v)),
        Js::Text(v) => Some(Value::Text(Cow::Owned(v.into_owned()))),
    })
}

/// A whole number is int, then long, where it fits; any other a double.
pub fn smallest(v: f64) -> Value<'static> {
    if v.fract() != 0.0 || !v.is_finite() {
        return Value::Double(v);
    }
    if (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&v) {
        Value::Int(v as i32)
    } else if (-(2f64.powi(63))..2f64.powi(63)).contains(&v) {
        Value::Long(v as i64)
    } else {
        Value::Double(v)
    }
}

fn of<'v>(plain: &Plain, input: &impl Fn(usize) -> Value<'v>) -> Option<Js<'v>> {
    Some(match plain {
        Plain::Column(place) => column(input(*place))?,
        Plain::Number(v) => Js::Number(*v),
        Plain::Text(v) => Js::Text(Cow::Owned(v.clone())),
        Plain::Bool(v) => Js::Bool(*v),
        Plain::Null => Js::Null,
        Plain::Undefined => Js::Undefined,
        Plain::Not(inner) => Js::Bool(!is_true(&of(inner, input)?)),
        Plain::Minus(inner) => Js::Number(-number(&of(inner, input)?)?),
        Plain::Plus(inner) => Js::Number(number(&of(inner, input)?)?),
        Plain::Calculate(operator, a, b) => calculate(*operator, of(a, input)?, of(b, input)?)?,
        Plain::Compare(comparison, a, b) => Js::Bool(compare(*comparison, &of(a, input)?, &of(b, input)?)?),
        Plain::And(a, b) => match of(a, input)? {
            left if is_true(&left) => of(b, input)?,
            left => left,
        },
        Plain::Or(a, b) => match of(a, input)? {
            left if is_true(&left) => left,
            _ => of(b, input)?,
        },
        Plain::Else(a, b) => match of(a, input)? {
            Js::Undefined | Js::Null => of(b, input)?,
            left => left,
        },
        Plain::If(condition, yes, no) => {
            let chosen = if is_true(&of(condition, input)?) { yes } else { no };
            of(chosen, input)?
        }
    })
}

fn column(value: Value<'_>) -> Option<Js<'_>> {
    Some(match value {
        Value::Null => Js::Null,
        Value::Bool(v) => Js::Bool(v),
        Value::Int(v) => Js::Number(f64::from(v)),
        Value::Long(v) if (-SAFE_INTEGER_MAX..=SAFE_INTEGER_MAX).contains(&v) => Js::Number(v as f64),
        Value::Double(v) => Js::Number(v),
        Value::Decimal(v) => Js::Number(number_of(v)),
        Value::Text(v) => Js::Text(v),
        Value::Long(_)
        | Value::Date(_)
        | Value::Binary(_)
        | Value::Uuid(_)
        | Value::ObjectId(_)
        | Value::Array(_)
        | Value::Document(_) => return None,
    })
}

fn is_true(value: &Js<'_>) -> bool {
    match value {
        Js::Undefined | Js::Null => false,
        Js::Bool(v) => *v,
        Js::Number(v) => *v != 0.0 && !v.is_nan(),
        Js::Text(v) => !v.is_empty(),
    }
}

/// A text as a number has rules of its own.
fn number(value: &Js<'_>) -> Option<f64> {
    Some(match value {
        Js::Undefined => f64::NAN,
        Js::Null => 0.0,
        Js::Bool(v) => f64::from(u8::from(*v)),
        Js::Number(v) => *v,
        Js::Text(_) => return None,
    })
}

fn calculate<'v>(operator: Operator, a: Js<'v>, b: Js<'v>) -> Option<Js<'v>> {
    if operator == Operator::Add && (matches!(a, Js::Text(_)) || matches!(b, Js::Text(_))) {
        let (a, b) = (text(a)?, text(b)?);
        let is_short = a.len() + b.len() <= TEXT_BYTES_MAX;
        return is_short.then(|| Js::Text(a + b));
    }
    let (a, b) = (number(&a)?, number(&b)?);
    Some(Js::Number(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Remainder => a % b,
    }))
}

/// As it stands in a text; of numbers only whole ones, which every language prints alike.
fn text(value: Js<'_>) -> Option<Cow<'_, str>> {
    Some(match value {
        Js::Undefined => "undefined".into(),
        Js::Null => "null".into(),
        Js::Bool(v) => if v { "true" } else { "false" }.into(),
        Js::Number(v) if v.fract() == 0.0 && v.abs() <= SAFE_INTEGER_MAX as f64 => (v as i64).to_string().into(),
        Js::Number(_) => return None,
        Js::Text(v) => v,
    })
}

fn compare(comparison: Comparison, a: &Js<'_>, b: &Js<'_>) -> Option<bool> {
    Some(match comparison {
        // Numbers compare as in IEEE 754 here too, NaN is not itself.
        Comparison::Same => a == b,
        Comparison::NotSame => a != b,
        Comparison::Equal => is_equal(a, b)?,
        Comparison::NotEqual => !is_equal(a, b)?,
        Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
            let order = match (a, b) {
                // Others are ordered by UTF-16.
                (Js::Text(a), Js::Text(b)) if a.is_ascii() && b.is_ascii() => Some(a.cmp(b)),
                (Js::Text(_), _) | (_, Js::Text(_)) => return None,
                _ => number(a)?.partial_cmp(&number(b)?),
            };
            order.is_some_and(|order| match comparison {
                Comparison::Less => order.is_lt(),
                Comparison::LessOrEqual => order.is_le(),
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterOrEqual => order.is_ge(),
                Comparison::Same | Comparison::NotSame | Comparison::Equal | Comparison::NotEqual => false,
            })
        }
    })
}

fn is_equal(a: &Js<'_>, b: &Js<'_>) -> Option<bool> {
    Some(match (a, b) {
        (Js::Undefined | Js::Null, Js::Undefined | Js::Null) => true,
        (Js::Undefined | Js::Null, _) | (_, Js::Undefined | Js::Null) => false,
        (Js::Text(a), Js::Text(b)) => a == b,
        _ => number(a)? == number(b)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::plain::parse;

    fn check(source: &str, expected: Option<Option<Value<'static>>>) {
        let columns = [
            ("n", Value::Int(7)),
            ("none", Value::Null),
            ("t", Value::Text("x".into())),
            ("big", Value::Long((1 << 53) + 2)),
            ("at", Value::Date(5)),
        ];
        let inputs: Vec<(String, usize)> = columns.iter().map(|(n, _)| ((*n).to_owned(), 0)).collect();
        let plain = parse(source, &inputs).unwrap_or_else(|| panic!("{source} is plain"));
        assert_eq!(evaluate(&plain, &|i| columns[i].1.clone()), expected, "{source}");
    }

    #[test]
    fn it_means_what_javascript_means() {
        let is = |v: Value<'static>| Some(Some(v));
        check("columns.n * 2 - 1", is(Value::Int(13)));
        check("columns.n / 2", is(Value::Double(3.5)));
        check("-columns.n % 4", is(Value::Int(-3)));
        check("columns.none * 5 + true", is(Value::Int(1)));
        check("0 / 0 === 0 / 0", is(Value::Bool(false)));
        check(
            "columns.t + '-' + columns.n + columns.none",
            is(Value::Text("x-7null".into())),
        );
        check("columns.none ?? columns.t", is(Value::Text("x".into())));
        check(
            "columns.none == undefined && columns.none !== undefined",
            is(Value::Bool(true)),
        );
        check("columns.t > 'a' ? columns.n > 6 : 0", is(Value::Bool(true)));
        check("columns.t || 1", is(Value::Text("x".into())));
        check("undefined", Some(None));
        check("true == 1", is(Value::Bool(true)));
        check("true === 1", is(Value::Bool(false)));
    }

    #[test]
    fn what_has_rules_of_its_own_is_left_to_the_engine() {
        for source in [
            "columns.big + 1",
            "columns.at",
            "columns.t * 2",
            "columns.t == 1",
            "columns.t < 1",
            "'' + 0.1",
            "'é' < 'f'",
        ] {
            check(source, None);
        }
    }
}
