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

/// Lexemes with positions and weights, printed as `tsvectorout` does.
pub(super) fn tsvector(cell: &[u8]) -> Result<String, Broken> {
    let mut c = Cursor(cell);
    let mut out = String::new();
    for i in 0..c.count()? {
        if i > 0 {
            out.push(' ');
        }
        let lexeme = utf8(c.zero_terminated()?)?.replace('\\', "\\\\").replace('\'', "''");
        let _ = write!(out, "'{lexeme}'");
        for p in 0..c.u16()? {
            let position = c.u16()?;
            let weight = ["", "C", "B", "A"][usize::from(position >> 14)];
            let _ = write!(out, "{}{}{weight}", if p == 0 { ':' } else { ',' }, position & 0x3fff);
        }
    }
    Ok(out)
}
