//! One SQL value, free of any database's own format, on its way into a document.

use super::decimal::Decimal;
use std::borrow::Cow;
use std::fmt;

/// A value as BSON will hold it where the field asks for no other type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Double(f64),
    Decimal(Decimal),
    Text(Cow<'a, str>),
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Date(i64),
    /// Subtype 0.
    Binary(Cow<'a, [u8]>),
    /// Binary of subtype 4; only where a field asks for it.
    Uuid([u8; 16]),
    /// Only where a field asks for it.
    ObjectId([u8; 12]),
    Array(Vec<Value<'a>>),
    Document(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// What is to be told of a value's way into BSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Note {
    /// The value cannot be converted: null was stored. An error.
    Unconvertible(Cow<'static, str>),
    /// More than 34 digits: rounded half even. A warning.
    Rounded,
    /// Nearer to 0 than a decimal128 can be: 0 was stored. A warning.
    TooSmall,
    /// A time below a millisecond was cut towards the past. A warning.
    BelowMillisecond,
    /// A fraction was cut towards zero because the field is an integer. A warning.
    FractionCut,
    /// More digits than a double holds, which the field asks for: the nearest one was stored. A warning.
    RoundedToDouble,
    /// An array's lower bound is not 1: BSON arrays have none. A warning.
    LowerBoundDropped,
    /// A date of zeros or one that no calendar has, which some sources store: null was stored. A warning.
    NoSuchDate,
    /// Another number than 0 and 1 where the type says yes or no: the number was stored. A warning.
    NotBoolean,
}

impl Note {
    /// Whether it counts towards *Stop after errors*.
    pub fn is_error(&self) -> bool {
        match self {
            Note::Unconvertible(_) => true,
            Note::Rounded
            | Note::TooSmall
            | Note::BelowMillisecond
            | Note::FractionCut
            | Note::RoundedToDouble
            | Note::LowerBoundDropped
            | Note::NoSuchDate
            | Note::NotBoolean => false,
        }
    }
}

/// Reads the cells of one column.
pub trait CellDecoder: Send + Sync + fmt::Debug {
    /// The value of a cell that is not NULL. What cannot be converted is null, with a note.
    fn decode<'a>(&self, cell: &'a [u8], notes: &mut Vec<Note>) -> Value<'a>;

    /// The value as the source prints it, which is also how the source reads it.
    fn print(&self, cell: &[u8]) -> String;

    /// The same; `None` of types and bytes that have no such form.
    fn try_print(&self, cell: &[u8]) -> Option<String>;

    /// The value as the source reads it in our sessions, to look for it. It may be printed otherwise for users.
    fn key_text(&self, cell: &[u8]) -> String {
        self.print(cell)
    }

    /// Appends bytes that are equal exactly for values that the source calls equal, where the column's
    /// [class](super::equality::KeyClass) says that this can be known here.
    fn canonical(&self, cell: &[u8], out: &mut Vec<u8>);
}
