//! Where something stands in a source's change log, and which transaction it belongs to, free of any database's own
//! notation.

use std::fmt;

/// A position in the change log of a source: positions of one log are ordered as what is written there. PostgreSQL counts
/// bytes from the beginning of its log; a log in numbered files has the number of the file above the offset. How it is
/// written for people, and how many bytes lie between two, the source knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct LogPosition(pub u64);

/// A transaction of the change log, by what points in time of its source are known to contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionId {
    /// A number that starts anew after 32 bits.
    Number(u32),
    /// The number that the server of its origin gave it.
    Gtid { source: u128, number: u64 },
    /// A place of it in the log: a point in time that stands there or behind it has all of the transaction.
    Position(u64),
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransactionId::Number(number) => number.fmt(f),
            TransactionId::Gtid { source, number } => write!(f, "{source:032x}:{number}"),
            TransactionId::Position(position) => write!(f, "@{position}"),
        }
    }
}
