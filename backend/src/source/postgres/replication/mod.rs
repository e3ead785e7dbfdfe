//! The change log: PostgreSQL's logical decoding with the output plugin `pgoutput`.
//!
//! ```text
//! wire: a connection in replication mode ─▶ messages ─▶ pgoutput: decoded ─▶ changes: tables of the plan ─▶ ChangeSink
//!   ▲ status: what is durable                                                (leaves folded into their root)
//! ```
//!
//! Transactions arrive whole and in the order of their commits. Streaming of transactions that are not committed yet
//! (`streaming 'on'`) is not asked for: everything is read again after the commit anyway, so it would only move what
//! the server spills to its disk into this process, and bring back changes of transactions that roll back. A large
//! transaction still needs no memory here: a batch may end in its middle, only its position may not.

pub mod changes;
pub mod pgoutput;
pub mod slot;
pub mod wire;

use crate::data::position::LogPosition;
use std::fmt;
use std::str::FromStr;

/// A position in the write-ahead log, in bytes from its beginning. Above this folder it is a [`LogPosition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(pub u64);

impl From<LogPosition> for Lsn {
    fn from(position: LogPosition) -> Self {
        Lsn(position.0)
    }
}

impl From<Lsn> for LogPosition {
    fn from(lsn: Lsn) -> Self {
        LogPosition(lsn.0)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

impl FromStr for Lsn {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = |part: &str| u32::from_str_radix(part, 16).ok();
        text.split_once('/')
            .and_then(|(high, low)| Some(Lsn(u64::from(parse(high)?) << 32 | u64::from(parse(low)?))))
            .ok_or("not a position of the log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_written_as_the_source_writes_them() {
        for text in ["0/0", "0/16B3748", "FFFFFFFF/FFFFFFFF", "1A/2B"] {
            assert_eq!(text.parse::<Lsn>().unwrap().to_string(), text);
        }
        assert!("16B3748".parse::<Lsn>().is_err() && "0/".parse::<Lsn>().is_err());
    }
}
