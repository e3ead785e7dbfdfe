//! Types made of other types: arrays, composite types, ranges, hstore.

use super::{Broken, Codec, Cursor, utf8};
use crate::data::value::{Note, Value};
use std::borrow::Cow;

/// Dimensions, a flag for NULLs, the element's type, size and lower bound of each dimension, then the elements in row
/// order.
struct ArrayHead {
    sizes: Vec<usize>,
    /// The index of the first element, for each dimension.
    bounds: Vec<i32>,
}

/// The most dimensions that the server has.
const DIMENSIONS_MAX: i32 = 6;

fn read_head(c: &mut Cursor<'_>) -> Result<ArrayHead, Broken> {
    let (dimensions, _nulls, _element) = (c.i32()?, c.i32()?, c.i32()?);
    if !(0..=DIMENSIONS_MAX).contains(&dimensions) {
        return Err("a count of dimensions that no array has");
    }
    let mut head = ArrayHead {
        sizes: Vec::new(),
        bounds: Vec::new(),
    };
    for _ in 0..dimensions {
        head.sizes
            .push(usize::try_from(c.i32()?).map_err(|_| "a negative size")?);
        head.bounds.push(c.i32()?);
    }
    // Each element has a length of four bytes. A size of 0 beside others would make those cost nothing.
    let count = head.sizes.iter().try_fold(1usize, |n, size| n.checked_mul(*size));
    let is_possible = |n: usize| n <= c.0.len() / 4 && (n > 0 || head.sizes.len() == 1);
    if !head.sizes.is_empty() && !count.is_some_and(is_possible) {
        return Err("a count beyond its end");
    }
    Ok(head)
}

pub(super) fn array<'a>(element: &Codec, cell: &'a [u8], notes: &mut Vec<Note>) -> Result<Value<'a>, Broken> {
    let mut c = Cursor(cell);
    let head = read_head(&mut c)?;
    if head.bounds.iter().any(|b| *b != 1) {
        notes.push(Note::LowerBoundDropped);
    }
    if head.sizes.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    level(element, &head.sizes, &mut c, notes)
}

fn level<'a>(element: &Codec, sizes: &[usize], c: &mut Cursor<'a>, notes: &mut Vec<Note>) -> Result<Value<'a>, Broken> {
    let mut items = Vec::with_capacity(sizes[0].min(c.0.len()));
    for _ in 0..sizes[0] {
        items.push(if sizes.len() > 1 {
            level(element, &sizes[1..], c, notes)?
        } else {
            match c.nullable()? {
                Some(cell) => element.value(cell, notes).unwrap_or_else(|broken| {
                    notes.push(Note::Unconvertible(Cow::Borrowed(broken)));
                    Value::Null
                }),
                None => Value::Null,
            }
        });
    }
    Ok(Value::Array(items))
}

/// As `array_out` prints it: also how the source reads it.
pub(super) fn print_array(element: &Codec, delimiter: char, cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let head = read_head(&mut c)?;
    if head.sizes.is_empty() {
        return Ok("{}".into());
    }
    let mut out = String::new();
    if head.bounds.iter().any(|b| *b != 1) {
        for (first, size) in head.bounds.iter().zip(&head.sizes) {
            out.push_str(&format!("[{first}:{}]", i64::from(*first) + *size as i64 - 1));
        }
        out.push('=');
    }
    print_level(element, delimiter, &head.sizes, &mut c, &mut out)?;
    Ok(out)
}

/// As `int2vectorout` prints it.
pub(super) fn print_words(element: &Codec, cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let count = read_head(&mut c)?.sizes.first().copied().unwrap_or(0);
    let words: Result<Vec<String>, Broken> = (0..count)
        .map(|_| element.text(c.nullable()?.ok_or("a null where none can be")?))
        .collect();
    Ok(words?.join(" "))
}

fn print_level(
    element: &Codec,
    delimiter: char,
    sizes: &[usize],
    c: &mut Cursor<'_>,
    out: &mut String,
) -> Result<(), Broken> {
    out.push('{');
    for i in 0..sizes[0] {
        if i > 0 {
            out.push(delimiter);
        }
        if sizes.len() > 1 {
            print_level(element, delimiter, &sizes[1..], c, out)?;
        } else {
            match c.nullable()? {
                Some(cell) => out.push_str(&quoted_between(&element.text(cell)?, delimiter)),
                None => out.push_str("NULL"),
            }
        }
    }
    out.push('}');
    Ok(())
}

/// What the server takes for white space where it prints and reads values: none beyond ASCII.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

/// An element of an array literal, in quotes where it needs them.
pub(in crate::source::postgres) fn quoted_element(text: &str) -> String {
    quoted_between(text, ',')
}

fn quoted_between(text: &str, delimiter: char) -> String {
    let plain = !text.is_empty()
        && !text.eq_ignore_ascii_case("null")
        && !text.contains(|c: char| matches!(c, '{' | '}' | '"' | '\\') || c == delimiter || is_space(c));
    if plain {
        text.into()
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// Reads what `array_out` prints, elements as strings. `None` when it is not that.
pub(super) fn parse_array_text(text: &str) -> Option<Value<'static>> {
    // A lower bound other than 1 stands in front: [0:2]={7,8,9}
    let body = if text.starts_with('[') {
        text.split_once('=')?.1
    } else {
        text
    };
    let mut chars = body.chars().peekable();
    let value = text_level(&mut chars)?;
    chars.next().is_none().then_some(value)
}

fn text_level(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Value<'static>> {
    if chars.next()? != '{' {
        return None;
    }
    let mut items = Vec::new();
    if chars.peek() == Some(&'}') {
        chars.next();
        return Some(Value::Array(items));
    }
    loop {
        items.push(match chars.peek()? {
            '{' => text_level(chars)?,
            '"' => Value::Text(quoted(chars)?.into()),
            _ => {
                let mut word = String::new();
                while !matches!(chars.peek()?, ',' | '}') {
                    word.push(match chars.next()? {
                        '\\' => chars.next()?,
                        c => c,
                    });
                }
                if word == "NULL" {
                    Value::Null
                } else {
                    Value::Text(word.into())
                }
            }
        });
        match chars.next()? {
            ',' => {}
            '}' => return Some(Value::Array(items)),
            _ => return None,
        }
    }
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut out = String::new();
    chars.next();
    loop {
        match chars.next()? {
            '"' => return Some(out),
            '\\' => out.push(chars.next()?),
            c => out.push(c),
        }
    }
}

/// A count of attributes, then type and value of each.
fn attributes<'a>(fields: &[(String, Codec)], cell: &'a [u8]) -> Result<Vec<Option<&'a [u8]>>, Broken> {
    let mut c = Cursor(cell);
    if usize::try_from(c.i32()?) != Ok(fields.len()) {
        return Err("the composite type has changed");
    }
    fields
        .iter()
        .map(|_| {
            c.i32()?;
            c.nullable()
        })
        .collect()
}

pub(super) fn composite<'a>(
    fields: &[(String, Codec)],
    cell: &'a [u8],
    notes: &mut Vec<Note>,
) -> Result<Value<'a>, Broken> {
    let mut members = Vec::with_capacity(fields.len());
    for ((name, codec), value) in fields.iter().zip(attributes(fields, cell)?) {
        let value = match value {
            Some(cell) => codec.value(cell, notes)?,
            None => Value::Null,
        };
        members.push((Cow::Owned(name.clone()), value));
    }
    Ok(Value::Document(members))
}

/// As `record_out` prints it.
pub(super) fn print_composite(fields: &[(String, Codec)], cell: &[u8]) -> Result<String, Broken> {
    let mut parts = Vec::with_capacity(fields.len());
    for ((_, codec), value) in fields.iter().zip(attributes(fields, cell)?) {
        parts.push(match value {
            None => String::new(),
            Some(cell) => {
                let text = codec.text(cell)?;
                let special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | ',') || is_space(c);
                if text.is_empty() || text.contains(special) {
                    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\""))
                } else {
                    text
                }
            }
        });
    }
    Ok(format!("({})", parts.join(",")))
}

const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

pub(super) fn print_range(bound: &Codec, cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let flags = c.u8()?;
    if flags & EMPTY != 0 {
        return Ok("empty".into());
    }
    let mut print = |infinite: u8| -> Result<String, Broken> {
        if flags & infinite != 0 {
            return Ok(String::new());
        }
        let text = bound.text(c.nullable()?.ok_or("a bound is missing")?)?;
        let special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | '[' | ']' | ',') || is_space(c);
        Ok(if text.is_empty() || text.contains(special) {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\""))
        } else {
            text
        })
    };
    let (lower, upper) = (print(LOWER_INFINITE)?, print(UPPER_INFINITE)?);
    let open = if flags & LOWER_INCLUSIVE != 0 { '[' } else { '(' };
    let close = if flags & UPPER_INCLUSIVE != 0 { ']' } else { ')' };
    Ok(format!("{open}{lower},{upper}{close}"))
}

pub(super) fn print_multirange(bound: &Codec, cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let ranges: Result<Vec<String>, Broken> = (0..c.count()?)
        .map(|_| print_range(bound, c.nullable()?.ok_or("a range is missing")?))
        .collect();
    Ok(format!("{{{}}}", ranges?.join(",")))
}

/// A part of a nested value: its length, or that it is NULL, then its bytes.
fn push_part(out: &mut Vec<u8>, codec: &Codec, cell: Option<&[u8]>) -> Result<(), Broken> {
    let start = out.len();
    out.extend_from_slice(&(-1i32).to_be_bytes());
    if let Some(cell) = cell {
        codec.canonical_bytes(cell, out)?;
        let length = i32::try_from(out.len() - start - 4).map_err(|_| "a part beyond 2 GiB")?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// The array with elements in their canonical form. That it may hold nulls is said only where it does.
pub(super) fn canonical_array(element: &Codec, cell: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let start = out.len();
    let mut c = Cursor(cell);
    let head = read_head(&mut c)?;
    out.extend_from_slice(&cell[..cell.len() - c.0.len()]);
    let (mut has_nulls, count) = (false, head.sizes.iter().product());
    for _ in 0..if head.sizes.is_empty() { 0 } else { count } {
        let item = c.nullable()?;
        has_nulls |= item.is_none();
        push_part(out, element, item)?;
    }
    out[start + 4..start + 8].copy_from_slice(&i32::from(has_nulls).to_be_bytes());
    Ok(())
}

pub(super) fn canonical_composite(fields: &[(String, Codec)], cell: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let mut c = Cursor(cell);
    if usize::try_from(c.i32()?) != Ok(fields.len()) {
        return Err("the composite type has changed");
    }
    out.extend_from_slice(&cell[..4]);
    for (_, codec) in fields {
        out.extend_from_slice(c.take(4)?);
        push_part(out, codec, c.nullable()?)?;
    }
    Ok(())
}

pub(super) fn canonical_range(bound: &Codec, cell: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let mut c = Cursor(cell);
    out.push(c.u8()?);
    while !c.0.is_empty() {
        push_part(out, bound, c.nullable()?)?;
    }
    Ok(())
}

pub(super) fn canonical_multirange(bound: &Codec, cell: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let mut c = Cursor(cell);
    let count = c.count()?;
    out.extend_from_slice(&cell[..4]);
    let range = Codec::Range(std::sync::Arc::new(bound.clone()));
    for _ in 0..count {
        push_part(out, &range, c.nullable()?)?;
    }
    Ok(())
}

/// As `hstore_out` prints it.
pub(super) fn print_hstore(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut pairs = Vec::new();
    for _ in 0..c.count()? {
        let name = quoted(utf8(c.nullable()?.ok_or("a name is missing")?)?);
        pairs.push(match c.nullable()? {
            Some(text) => format!("{name}=>{}", quoted(utf8(text)?)),
            None => format!("{name}=>NULL"),
        });
    }
    Ok(pairs.join(", "))
}

/// Pairs of a name and a text or NULL.
pub(super) fn hstore(cell: &[u8]) -> Result<Value<'_>, Broken> {
    let mut c = Cursor(cell);
    let mut members = Vec::new();
    for _ in 0..c.count()? {
        let name = utf8(c.nullable()?.ok_or("a name is missing")?)?;
        // PostgreSQL has no such texts, but whoever answers need not be PostgreSQL.
        if name.contains('\0') {
            return Err("a name holds a zero byte");
        }
        let value = match c.nullable()? {
            Some(text) => Value::Text(Cow::Borrowed(utf8(text)?)),
            None => Value::Null,
        };
        members.push((Cow::Borrowed(name), value));
    }
    Ok(Value::Document(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_in_text_keeps_null_and_the_word_null_apart() {
        let text = |t: &'static str| Value::Text(t.into());
        assert_eq!(
            parse_array_text(r#"{a,"",NULL,"NULL","x,y","q\"z"}"#),
            Some(Value::Array(vec![
                text("a"),
                text(""),
                Value::Null,
                text("NULL"),
                text("x,y"),
                text("q\"z")
            ]))
        );
        assert_eq!(parse_array_text("{}"), Some(Value::Array(vec![])));
        assert_eq!(
            parse_array_text("[0:1]={{1},{2}}"),
            Some(Value::Array(vec![
                Value::Array(vec![text("1")]),
                Value::Array(vec![text("2")])
            ]))
        );
        for broken in ["", "{", "{a", "a", "{a}b", "{\"a}"] {
            assert_eq!(parse_array_text(broken), None, "{broken}");
        }
    }

    #[test]
    fn equal_arrays_have_one_form_and_plain_ones_keep_theirs() {
        let array = |flag: u8, item: &[u8]| {
            let head = [0, 0, 0, 1, 0, 0, 0, flag, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1];
            [&head[..], &(item.len() as u32).to_be_bytes(), item].concat()
        };
        let form = |codec: &Codec, cell: &[u8]| {
            let mut out = Vec::new();
            canonical_array(codec, cell, &mut out).unwrap();
            out
        };
        let number = |scale: u8| array(0, &[0, 1, 0, 0, 0, 0, 0, scale, 0, 7]);
        assert_eq!(form(&Codec::Numeric, &number(2)), number(0));
        let plain = array(0, &[0, 0, 0, 9]);
        assert_eq!(form(&Codec::Int4, &plain), plain);
        // The flag says that there may be nulls.
        assert_eq!(form(&Codec::Int4, &array(1, &[0, 0, 0, 9])), plain);
        assert_eq!(form(&Codec::Int4, &[0; 12]), [0; 12]);
    }

    #[test]
    fn elements_are_quoted_where_they_need_it() {
        assert_eq!(quoted_element("plain"), "plain");
        assert_eq!(quoted_element("NULL"), "\"NULL\"");
        assert_eq!(quoted_element("a\"b\\c"), r#""a\"b\\c""#);
        assert_eq!(quoted_element(""), "\"\"");
        // White space beyond ASCII is none for the server.
        assert_eq!(quoted_element("a\u{a0}b\u{3000}"), "a\u{a0}b\u{3000}");
        assert_eq!(quoted_element("a\x0bb"), "\"a\x0bb\"");
    }

    #[test]
    fn arrays_print_their_bounds_and_their_own_delimiter() {
        let cell = |bound: i32, items: &[&[u8]]| {
            let mut out: Vec<u8> = [1, 0, 603, items.len() as i32, bound]
                .iter()
                .flat_map(|n| n.to_be_bytes())
                .collect();
            for item in items {
                out.extend((item.len() as i32).to_be_bytes());
                out.extend(*item);
            }
            out
        };
        let boxed: Vec<u8> = [2.0f64, 2.0, 0.5, 0.0].iter().flat_map(|n| n.to_be_bytes()).collect();
        assert_eq!(
            print_array(&Codec::Box, ';', &cell(1, &[&boxed, &boxed])).unwrap(),
            "{(2,2),(0.5,0);(2,2),(0.5,0)}"
        );
        let two = [&1i16.to_be_bytes()[..], &2i16.to_be_bytes()];
        assert_eq!(print_array(&Codec::Int2, ',', &cell(0, &two)).unwrap(), "[0:1]={1,2}");
        assert_eq!(print_words(&Codec::Int2, &cell(0, &two)).unwrap(), "1 2");
    }
    #[test]
    fn a_name_with_a_zero_byte_is_refused() {
        let pair = |name: &[u8]| {
            let mut out = 1i32.to_be_bytes().to_vec();
            out.extend((name.len() as i32).to_be_bytes());
            out.extend(name);
            out.extend((-1i32).to_be_bytes());
            out
        };
        assert!(hstore(&pair(b"a")).is_ok());
        assert!(hstore(&pair(b"a\0b")).is_err());
    }
}
