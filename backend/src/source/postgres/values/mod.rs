//! PostgreSQL's binary formats: every type becomes a [`Value`] here, and is printed as PostgreSQL prints it.
//!
//! One file per group of types. The formats are those of the types' `send` functions (`src/backend/utils/adt` of
//! PostgreSQL). A type without a binary form, or one this build does not know, is read as the text that its output
//! function prints.

mod geometric;
mod money;
mod nested;
mod network;
mod number;
mod text;
mod time;

use crate::data::value::{CellDecoder, Note, Value};
use crate::source::json;
use std::borrow::Cow;
use std::sync::Arc;

pub(super) use money::{MoneyFormat, SAMPLE as MONEY_SAMPLE};
pub(super) use nested::quoted_element as array_element;

/// How the cells of one type are read.
#[derive(Debug, Clone)]
pub enum Codec {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Money(Arc<MoneyFormat>),
    Text,
    /// `char(n)`: padded; its key form is not.
    PaddedText,
    /// Compared without case: citext.
    CaselessText,
    /// The one-byte type `"char"`.
    Char,
    /// A version byte, then text: jsonpath, ltree.
    VersionedText,
    Bytes,
    Date,
    Timestamp,
    TimestampTz,
    Time,
    TimeTz,
    /// From version 17 on its two ends are infinite.
    Interval {
        has_infinity: bool,
    },
    Uuid,
    Json,
    Jsonb,
    Inet,
    Cidr,
    MacAddr,
    Bits,
    Lsn,
    TsVector,
    TsQuery,
    /// A number without a sign that nobody computes with: xid, cid, xid8.
    Counter,
    Tid,
    Hstore,
    Point,
    Line,
    Segment,
    Box,
    Path,
    Polygon,
    Circle,
    Vector,
    Geometry,
    Range(Arc<Codec>),
    Multirange(Arc<Codec>),
    /// With what stands between its elements where it is printed.
    Array(Arc<Codec>, char),
    /// `int2vector`, `oidvector`: an array that is printed without braces.
    Words(Arc<Codec>),
    /// An array whose elements have no binary form: read as text.
    TextArray,
    Composite(Arc<[(String, Codec)]>),
}

impl Codec {
    /// Whether the cell has to be requested as printed text.
    pub fn reads_as_text(&self) -> bool {
        matches!(self, Codec::TextArray)
    }
}

/// What a cell's bytes are not.
pub(crate) type Broken = &'static str;

impl CellDecoder for Codec {
    fn decode<'a>(&self, cell: &'a [u8], notes: &mut Vec<Note>) -> Value<'a> {
        self.value(cell, notes).unwrap_or_else(|broken| {
            notes.push(Note::Unconvertible(Cow::Borrowed(broken)));
            Value::Null
        })
    }

    fn print(&self, cell: &[u8]) -> String {
        self.try_print(cell)
            .unwrap_or_else(|| String::from_utf8_lossy(cell).into_owned())
    }

    fn try_print(&self, cell: &[u8]) -> Option<String> {
        self.text(cell).ok()
    }

    fn key_text(&self, cell: &[u8]) -> String {
        // Our sessions read amounts with the digits of the locale C, whatever the database's locale shows.
        match self.holds_money() {
            true => self.with_plain_money().print(cell),
            false => self.print(cell),
        }
    }

    fn canonical(&self, cell: &[u8], out: &mut Vec<u8>) {
        match self {
            Codec::Numeric => number::canonical_numeric(cell, out),
            Codec::Float4 | Codec::Float8 => number::canonical_float(cell, out),
            // Integers of all widths agree, so that a key that is widened keeps its ids.
            Codec::Int2 | Codec::Int4 | Codec::Int8 => match number::integer(cell) {
                Ok(n) => out.extend_from_slice(&n.to_be_bytes()),
                Err(_) => out.extend_from_slice(cell),
            },
            _ => {
                let start = out.len();
                if self.canonical_bytes(cell, out).is_err() {
                    out.truncate(start);
                    out.extend_from_slice(cell);
                }
            }
        }
    }
}

trait TrimSpaces {
    fn trim_ascii_end_spaces(&self) -> &[u8];
}

impl TrimSpaces for [u8] {
    /// Without trailing blanks: only those pad a `char(n)`, not other white space.
    fn trim_ascii_end_spaces(&self) -> &[u8] {
        let end = self.iter().rposition(|b| *b != b' ').map_or(0, |p| p + 1);
        &self[..end]
    }
}

impl Codec {
    fn holds_money(&self) -> bool {
        match self {
            Codec::Money(_) => true,
            Codec::Range(inner) | Codec::Multirange(inner) | Codec::Array(inner, _) | Codec::Words(inner) => {
                inner.holds_money()
            }
            Codec::Composite(fields) => fields.iter().any(|(_, field)| field.holds_money()),
            _ => false,
        }
    }

    /// The same with amounts as the locale C reads them.
    fn with_plain_money(&self) -> Codec {
        let plain = |inner: &Codec| Arc::new(inner.with_plain_money());
        match self {
            Codec::Money(_) => Codec::Money(Arc::new(MoneyFormat::plain(2))),
            Codec::Range(inner) => Codec::Range(plain(inner)),
            Codec::Multirange(inner) => Codec::Multirange(plain(inner)),
            Codec::Array(inner, delimiter) => Codec::Array(plain(inner), *delimiter),
            Codec::Composite(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, field)| (name.clone(), field.with_plain_money()));
                Codec::Composite(fields.collect())
            }
            other => other.clone(),
        }
    }

    /// The binary form that stands for all values that the source calls equal to this one: mostly the value's own. Of
    /// texts it is right where the collation is deterministic.
    fn canonical_bytes(&self, cell: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        match self {
            Codec::Numeric => number::canonical_numeric_bytes(cell, out)?,
            Codec::Float4 => out.extend_from_slice(&number::one_float4(f32::from_be_bytes(fixed(cell)?)).to_be_bytes()),
            Codec::Float8 => out.extend_from_slice(&number::one_float8(f64::from_be_bytes(fixed(cell)?)).to_be_bytes()),
            Codec::PaddedText => out.extend_from_slice(cell.trim_ascii_end_spaces()),
            Codec::Interval { .. } => time::canonical_interval(cell, out)?,
            Codec::Jsonb => json::canonical(cell, out),
            Codec::Range(bound) => nested::canonical_range(bound, cell, out)?,
            Codec::Multirange(bound) => nested::canonical_multirange(bound, cell, out)?,
            Codec::Array(element, _) | Codec::Words(element) => nested::canonical_array(element, cell, out)?,
            Codec::Composite(fields) => nested::canonical_composite(fields, cell, out)?,
            Codec::Vector => geometric::canonical_vector(cell, out)?,
            _ => out.extend_from_slice(cell),
        }
        Ok(())
    }

    fn value<'a>(&self, cell: &'a [u8], notes: &mut Vec<Note>) -> Result<Value<'a>, Broken> {
        Ok(match self {
            Codec::Bool => Value::Bool(cell == [1]),
            Codec::Int2 | Codec::Int4 => Value::Int(number::integer(cell)? as i32),
            Codec::Int8 => Value::Long(number::integer(cell)?),
            Codec::Oid => Value::Long(i64::from(u32::from_be_bytes(fixed(cell)?))),
            Codec::Float4 => Value::Double(number::shortest(f32::from_be_bytes(fixed(cell)?))),
            Codec::Float8 => Value::Double(f64::from_be_bytes(fixed(cell)?)),
            Codec::Numeric => number::numeric(cell, notes)?,
            Codec::Money(format) => money::money(cell, format, notes)?,
            Codec::Text | Codec::PaddedText | Codec::CaselessText => Value::Text(Cow::Borrowed(utf8(cell)?)),
            Codec::VersionedText => Value::Text(Cow::Borrowed(utf8(cell.get(1..).ok_or("it is empty")?)?)),
            Codec::Bytes => Value::Binary(Cow::Borrowed(cell)),
            Codec::Date => time::date(cell)?,
            Codec::Timestamp | Codec::TimestampTz => time::timestamp(cell, notes)?,
            Codec::Json => json::value(utf8(cell)?, notes)?,
            Codec::Jsonb => json::value(utf8(cell.get(1..).ok_or("it is empty")?)?, notes)?,
            Codec::Hstore => nested::hstore(cell)?,
            Codec::Point => geometric::point(cell)?,
            Codec::Vector => geometric::vector(cell)?,
            Codec::Geometry => geometric::geometry(cell)?,
            Codec::Array(element, _) | Codec::Words(element) => nested::array(element, cell, notes)?,
            Codec::TextArray => nested::parse_array_text(utf8(cell)?).ok_or("it is not an array")?,
            Codec::Composite(fields) => nested::composite(fields, cell, notes)?,
            _ => Value::Text(Cow::Owned(self.text(cell)?)),
        })
    }

    /// As the output function prints it.
    pub(super) fn text(&self, cell: &[u8]) -> Result<String, Broken> {
        Ok(match self {
            Codec::Bool => if cell == [1] { "t" } else { "f" }.into(),
            Codec::Int2 | Codec::Int4 | Codec::Int8 => number::integer(cell)?.to_string(),
            Codec::Oid => u32::from_be_bytes(fixed(cell)?).to_string(),
            Codec::Float4 => number::print_float4(f32::from_be_bytes(fixed(cell)?)),
            Codec::Float8 => number::print_float8(f64::from_be_bytes(fixed(cell)?)),
            Codec::Numeric => number::print_numeric(cell)?,
            Codec::Money(format) => money::print_money(cell, format)?,
            Codec::Text | Codec::PaddedText | Codec::CaselessText | Codec::Json | Codec::TextArray => {
                utf8(cell)?.into()
            }
            Codec::VersionedText | Codec::Jsonb => utf8(cell.get(1..).ok_or("it is empty")?)?.into(),
            Codec::Char => text::char_byte(cell),
            Codec::Bytes => text::bytea(cell),
            Codec::Date => time::print_date(cell)?,
            Codec::Timestamp => time::print_timestamp(cell, "")?,
            Codec::TimestampTz => time::print_timestamp(cell, "+00")?,
            Codec::Time => time::print_time(cell)?,
            Codec::TimeTz => time::print_timetz(cell)?,
            Codec::Interval { has_infinity } => time::print_interval(cell, *has_infinity)?,
            Codec::Uuid => text::uuid(cell)?,
            Codec::Inet => network::inet(cell, false)?,
            Codec::Cidr => network::inet(cell, true)?,
            Codec::MacAddr => network::mac(cell),
            Codec::Bits => text::bits(cell)?,
            Codec::Lsn => network::lsn(cell)?,
            Codec::TsVector => text::tsvector(cell)?,
            Codec::TsQuery => text::tsquery(cell)?,
            Codec::Counter => number::counter(cell)?.to_string(),
            Codec::Tid => text::tid(cell)?,
            Codec::Point => geometric::print_point(cell)?,
            Codec::Line => geometric::print_line(cell)?,
            Codec::Segment => geometric::print_segment(cell)?,
            Codec::Box => geometric::print_box(cell)?,
            Codec::Path => geometric::print_path(cell)?,
            Codec::Polygon => geometric::print_polygon(cell)?,
            Codec::Circle => geometric::print_circle(cell)?,
            Codec::Range(bound) => nested::print_range(bound, cell)?,
            Codec::Multirange(bound) => nested::print_multirange(bound, cell)?,
            Codec::Array(element, delimiter) => nested::print_array(element, *delimiter, cell)?,
            Codec::Words(element) => nested::print_words(element, cell)?,
            Codec::Composite(fields) => nested::print_composite(fields, cell)?,
            Codec::Hstore => nested::print_hstore(cell)?,
            Codec::Vector => geometric::print_vector(cell)?,
            Codec::Geometry => text::upper_hex(cell),
        })
    }
}

pub(crate) fn fixed<const N: usize>(cell: &[u8]) -> Result<[u8; N], Broken> {
    cell.try_into().map_err(|_| "it has another length than its type")
}

pub(crate) fn utf8(cell: &[u8]) -> Result<&str, Broken> {
    std::str::from_utf8(cell).map_err(|_| "the text is not UTF-8")
}

/// Reads a binary form from its start to its end.
pub(crate) struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        if self.0.len() < count {
            return Err("it ends early");
        }
        let (head, tail) = self.0.split_at(count);
        self.0 = tail;
        Ok(head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Broken> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Broken> {
        Ok(u16::from_be_bytes(fixed(self.take(2)?)?))
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Broken> {
        Ok(i32::from_be_bytes(fixed(self.take(4)?)?))
    }

    /// A count that the rest can hold at all, so that a wrong one allocates nothing.
    pub(crate) fn count(&mut self) -> Result<usize, Broken> {
        let count = usize::try_from(self.i32()?).map_err(|_| "a negative count")?;
        if count > self.0.len() {
            Err("a count beyond its end")
        } else {
            Ok(count)
        }
    }

    pub(crate) fn f64(&mut self) -> Result<f64, Broken> {
        Ok(f64::from_be_bytes(fixed(self.take(8)?)?))
    }

    /// A length, then that many bytes; -1 is NULL.
    pub(crate) fn nullable(&mut self) -> Result<Option<&'a [u8]>, Broken> {
        match self.i32()? {
            -1 => Ok(None),
            length => Ok(Some(
                self.take(usize::try_from(length).map_err(|_| "a negative length")?)?,
            )),
        }
    }

    pub(crate) fn zero_terminated(&mut self) -> Result<&'a [u8], Broken> {
        let end = self.0.iter().position(|b| *b == 0).ok_or("it ends early")?;
        let text = self.take(end)?;
        self.take(1)?;
        Ok(text)
    }
}
