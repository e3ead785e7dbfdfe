//! Types that end as strings and have a binary form of their own.

use super::{Broken, Cursor, utf8};
use std::fmt::Write;

pub(super) fn bytea(cell: &[u8]) -> String {
    cell.iter().fold(String::from("\\x"), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// The type `"char"`: a byte of the high half prints as an octal escape, a zero byte as nothing.
pub(super) fn char_byte(cell: &[u8]) -> String {
    match cell.first() {
        None | Some(0) => String::new(),
        Some(b) if b.is_ascii() => char::from(*b).to_string(),
        Some(b) => format!("\\{b:03o}"),
    }
}

pub(super) fn uuid(cell: &[u8]) -> Result<String, Broken> {
    let bytes: [u8; 16] = super::fixed(cell)?;
    Ok(uuid::Uuid::from_bytes(bytes).to_string())
}

/// A count of bits, then the bits from the highest down.
pub(super) fn bits(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let count = usize::try_from(c.i32()?).map_err(|_| "a negative length")?;
    if c.0.len() * 8 < count {
        return Err("it ends early");
    }
    Ok((0..count)
        .map(|i| if c.0[i / 8] & (0x80 >> (i % 8)) == 0 { '0' } else { '1' })
        .collect())
}

pub(super) fn upper_hex(cell: &[u8]) -> String {
    cell.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02X}");
        out
    })
}

/// The number of a page, and the place in it.
pub(super) fn tid(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    Ok(format!("({},{})", c.i32()? as u32, c.u16()?))
}

/// A lexeme in quotes.
fn quoted(lexeme: &str) -> String {
    format!("'{}'", lexeme.replace('\\', "\\\\").replace('\'', "''"))
}

/// The parts of a query that may stand below each other; the server has a limit too, that of its stack.
const QUERY_DEPTH_MAX: usize = 1_000;

/// A query in prefix order, each operator before its right and then its left operand, printed as `tsqueryout` does.
pub(super) fn tsquery(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    match c.i32()? {
        0 => Ok(String::new()),
        _ => query_part(&mut c, 0, false, 0),
    }
}

fn query_part(c: &mut Cursor<'_>, above: u8, is_right_of_phrase: bool, depth: usize) -> Result<String, Broken> {
    const VALUE: u8 = 1;
    const NOT: u8 = 1;
    const AND: u8 = 2;
    const OR: u8 = 3;
    const PHRASE: u8 = 4;
    if depth > QUERY_DEPTH_MAX {
        return Err("a query that is nested too deeply");
    }
    if c.u8()? == VALUE {
        let (weights, is_prefix) = (c.u8()?, c.u8()? != 0);
        let mut out = quoted(utf8(c.zero_terminated()?)?);
        if weights != 0 || is_prefix {
            out.push(':');
        }
        if is_prefix {
            out.push('*');
        }
        let of_weight = |(bit, name): (u8, char)| (weights & 1 << bit != 0).then_some(name);
        out.extend(
            [(3, 'A'), (2, 'B'), (1, 'C'), (0, 'D')]
                .into_iter()
                .filter_map(of_weight),
        );
        return Ok(out);
    }
    let operator = c.u8()?;
    let (priority, sign) = match operator {
        NOT => (4, "!".to_owned()),
        AND => (2, "&".into()),
        OR => (1, "|".into()),
        PHRASE => match c.u16()? {
            1 => (3, "<->".into()),
            distance => (3, format!("<{distance}>")),
        },
        _ => return Err("an operator that is not known"),
    };
    let is_in_parentheses = priority < above || operator == PHRASE && is_right_of_phrase;
    let right = query_part(c, priority, operator == PHRASE, depth + 1)?;
    let text = if operator == NOT {
        format!("!{right}")
    } else {
        let left = query_part(c, priority, false, depth + 1)?;
        format!("{left} {sign} {right}")
    };
    Ok(if is_in_parentheses { format!("( {text} )") } else { text })
}

/// Lexemes with positions and weights, printed as `tsvectorout` does.
pub(super) fn tsvector(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let mut out = String::new();
    for i in 0..c.count()? {
        if i > 0 {
            out.push(' ');
        }
        out.push_str(&quoted(utf8(c.zero_terminated()?)?));
        for p in 0..c.u16()? {
            let position = c.u16()?;
            let weight = ["", "C", "B", "A"][usize::from(position >> 14)];
            let _ = write!(out, "{}{}{weight}", if p == 0 { ':' } else { ',' }, position & 0x3fff);
        }
    }
    Ok(out)
}
