//! JSON text as a value. Numbers are the reason for a parser of our own: 1 is an integer, 1.0 a double, and what a
//! double cannot print again is a decimal.

use crate::data::decimal::{Decimal, Fit, same_value, split_number};
use crate::data::value::{Note, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// What a text is not.
type Broken = &'static str;

/// Below MongoDB's own limit, which lies between 180 and 190 levels, by the levels that the document around it may add.
const DEPTH_MAX: usize = 150;
const BAD: Broken = "the text is not JSON";

/// The value of a text.
///
/// # Errors
/// When it is not JSON, or is something that no document can hold.
pub fn value<'a>(text: &'a str, notes: &mut Vec<Note>) -> Result<Value<'a>, Broken> {
    let mut parser = Parser { text, at: 0, notes };
    let value = parser.value(0)?;
    parser.blanks();
    if parser.at == text.len() { Ok(value) } else { Err(BAD) }
}

/// A decimal with a note where it did not fit.
///
/// # Errors
/// Beyond the range of the type.
pub fn decimal(negative: bool, digits: &[u8], exponent: i64, notes: &mut Vec<Note>) -> Result<Value<'static>, Broken> {
    let (value, fit) =
        Decimal::from_digits(negative, digits, exponent).map_err(|_| "the number is beyond ±9.99E6144")?;
    match fit {
        Fit::Exact => {}
        Fit::Rounded => notes.push(Note::Rounded),
        Fit::Underflow => notes.push(Note::TooSmall),
    }
    Ok(Value::Decimal(value))
}

/// The binary form of a jsonb with no zeros at the end of a fraction: the source compares numbers by their value.
pub fn canonical(cell: &[u8], out: &mut Vec<u8>) {
    let mut is_text = false;
    let mut at = 0;
    while let Some(byte) = cell.get(at) {
        let length = match byte {
            // What follows an escape is part of it.
            b'\\' if is_text => 2,
            b'0'..=b'9' if !is_text => {
                let is_number = |b: &&u8| matches!(b, b'0'..=b'9' | b'.');
                cell[at..].iter().take_while(is_number).count()
            }
            _ => 1,
        };
        is_text ^= *byte == b'"';
        let part = &cell[at..(at + length).min(cell.len())];
        let kept = match part.contains(&b'.') && part.len() > 1 && !is_text {
            true => {
                let end = part.iter().rposition(|b| *b != b'0').map_or(0, |last| last + 1);
                part[..end].strip_suffix(b".").unwrap_or(&part[..end])
            }
            false => part,
        };
        out.extend_from_slice(kept);
        at += length;
    }
}

struct Parser<'a, 'n> {
    text: &'a str,
    at: usize,
    notes: &'n mut Vec<Note>,
}

impl<'a> Parser<'a, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn accept(&mut self, byte: u8) -> bool {
        self.blanks();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Broken> {
        if depth > DEPTH_MAX {
            return Err("the JSON is nested too deeply for a document");
        }
        self.blanks();
        match self.peek().ok_or(BAD)? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => Ok(Value::Text(self.string()?)),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Broken> {
        if !self.text[self.at..].starts_with(word) {
            return Err(BAD);
        }
        self.at += word.len();
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, Broken> {
        self.at += 1;
        let mut items = Vec::new();
        if self.accept(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.accept(b']') {
                return Ok(Value::Array(items));
            }
            if !self.accept(b',') {
                return Err(BAD);
            }
        }
    }

    /// Of equal names the last value wins, at the place of the first.
    fn object(&mut self, depth: usize) -> Result<Value<'a>, Broken> {
        self.at += 1;
        let mut members: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
        // Few names are compared one by one, many are looked up.
        let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
        if self.accept(b'}') {
            return Ok(Value::Document(members));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(BAD);
            }
            let name = self.string()?;
            if name.contains('\0') {
                return Err("a name in the JSON holds a zero byte");
            }
            if !self.accept(b':') {
                return Err(BAD);
            }
            let value = self.value(depth + 1)?;
            let known = if members.len() < 16 {
                members.iter().position(|(n, _)| *n == name)
            } else {
                if places.is_empty() {
                    places = members.iter().enumerate().map(|(i, (n, _))| (n.clone(), i)).collect();
                }
                places.get(&name).copied()
            };
            match known {
                Some(place) => members[place].1 = value,
                None => {
                    if !places.is_empty() {
                        places.insert(name.clone(), members.len());
                    }
                    members.push((name, value));
                }
            }
            if self.accept(b'}') {
                return Ok(Value::Document(members));
            }
            if !self.accept(b',') {
                return Err(BAD);
            }
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Broken> {
        self.at += 1;
        let start = self.at;
        let rest = &self.text[start..];
        let end = rest.find(['"', '\\']).ok_or(BAD)?;
        if rest.as_bytes()[end] == b'"' {
            self.at = start + end + 1;
            return Ok(Cow::Borrowed(&rest[..end]));
        }
        let mut out = rest[..end].to_owned();
        self.at = start + end;
        loop {
            match self.peek().ok_or(BAD)? {
                b'"' => {
                    self.at += 1;
                    return Ok(Cow::Owned(out));
                }
                b'\\' => self.escape(&mut out)?,
                _ => {
                    let rest = &self.text[self.at..];
                    let end = rest.find(['"', '\\']).ok_or(BAD)?;
                    out.push_str(&rest[..end]);
                    self.at += end;
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), Broken> {
        self.at += 2;
        let plain = match self.text.as_bytes().get(self.at - 1).ok_or(BAD)? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex()?;
                let code = if (0xd800..0xdc00).contains(&first) {
                    if !self.text[self.at..].starts_with("\\u") {
                        return Err("half a surrogate pair");
                    }
                    self.at += 2;
                    let second = self.hex()?;
                    if !(0xdc00..0xe000).contains(&second) {
                        return Err("half a surrogate pair");
                    }
                    0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                } else {
                    first
                };
                char::from_u32(code).ok_or("half a surrogate pair")?
            }
            _ => return Err(BAD),
        };
        out.push(plain);
        Ok(())
    }

    fn hex(&mut self) -> Result<u32, Broken> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(BAD)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| BAD)
    }

    fn number(&mut self) -> Result<Value<'a>, Broken> {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let text = &rest[..end];
        self.at += end;
        if let Ok(whole) = text.parse::<i64>() {
            return Ok(i32::try_from(whole).map_or(Value::Long(whole), Value::Int));
        }
        let (negative, digits, exponent) = split_number(text).ok_or(BAD)?;
        if text.contains(['.', 'e', 'E']) {
            let double: f64 = text.parse().map_err(|_| BAD)?;
            if double.is_finite() && same_value(&format!("{double:e}"), text) {
                return Ok(Value::Double(double));
            }
        }
        decimal(negative, &digits, exponent, self.notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value<'_>, Broken> {
        value(text, &mut Vec::new())
    }

    #[test]
    fn numbers_take_the_smallest_type_that_holds_them() {
        let decimal = |text: &str| Value::Decimal(Decimal::parse(text).unwrap().unwrap().0);
        for (text, expected) in [
            ("0", Value::Int(0)),
            ("-2147483648", Value::Int(i32::MIN)),
            ("2147483648", Value::Long(2_147_483_648)),
            ("9223372036854775808", decimal("9223372036854775808")),
            ("1.50", Value::Double(1.5)),
            ("1e2", Value::Double(100.0)),
            ("0.1234567890123456789", decimal("0.1234567890123456789")),
            ("1e400", decimal("1e400")),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn the_last_of_equal_names_wins_at_the_first_place() {
        let name = |n: &'static str| Cow::Borrowed(n);
        assert_eq!(
            read(r#" {"a":1, "b":[null,true,"x\u00e9\ud83d\ude00"], "a":{"":0}} "#),
            Ok(Value::Document(vec![
                (name("a"), Value::Document(vec![(name(""), Value::Int(0))])),
                (
                    name("b"),
                    Value::Array(vec![Value::Null, Value::Bool(true), Value::Text("xé😀".into())])
                ),
            ]))
        );
    }

    #[test]
    fn equal_numbers_have_one_form_and_texts_stay() {
        let check = |text: &str, expected: &str| {
            let mut out = Vec::new();
            canonical(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check(
            r#"\u{1}{"a": 1.00, "b": [10, 0.50, 1.05]}"#.replace("\\u{1}", "\u{1}").as_str(),
            "\u{1}{\"a\": 1, \"b\": [10, 0.5, 1.05]}",
        );
        check(r#"{"1.0": "1.0", "q\"1.0": -2.0}"#, r#"{"1.0": "1.0", "q\"1.0": -2}"#);
        check("100", "100");
        check("0.0", "0");
    }

    #[test]
    fn what_no_document_can_hold_is_refused() {
        assert!(read(r#"{"a\u0000":1}"#).is_err());
        assert_eq!(read(r#""a\u0000""#), Ok(Value::Text("a\0".into())));
        assert!(read(&"[".repeat(200)).unwrap_err().contains("deeply"));
        for broken in ["", "{", "[1,", "tru", "\"\\ud800\"", "1 2", "{\"a\"}", "-"] {
            assert!(read(broken).is_err(), "{broken}");
        }
    }
}
