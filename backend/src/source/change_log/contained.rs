//! Which transactions a point in time contains.

use crate::data::position::{LogPosition, TransactionId};
use crate::source::mysql::binlog::gtid::GtidSet;
use crate::source::postgres::reader::TransactionSet;

/// The transactions that a point in time contains, as its source can tell them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contained {
    /// PostgreSQL: what had ended, by number.
    Numbers(TransactionSet),
    /// All whose place in the log is this one or before it.
    UpTo(LogPosition),
    /// MySQL: what was executed. A server with GTIDs has no transaction without one that is not long over.
    Gtids(GtidSet),
}

impl Contained {
    /// Whether a transaction of the log is contained. Of one that is named in another way nothing is known: it is not.
    pub fn contains(&self, transaction: &TransactionId) -> bool {
        match (self, transaction) {
            (Contained::Numbers(set), TransactionId::Number(number)) => set.contains(*number),
            (Contained::UpTo(end), TransactionId::Position(position)) => *position <= end.0,
            (Contained::Gtids(set), TransactionId::Gtid { source, number }) => set.contains(*source, *number),
            (Contained::Gtids(_), TransactionId::Position(_)) => true,
            (Contained::Numbers(_) | Contained::UpTo(_) | Contained::Gtids(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_contained_as_it_is_named() {
        let numbers = Contained::Numbers(TransactionSet::parse("5:5:").expect("a set"));
        let up_to = Contained::UpTo(LogPosition(100));
        let position = TransactionId::Position;
        assert!(numbers.contains(&TransactionId::Number(4)) && !numbers.contains(&TransactionId::Number(5)));
        assert!(up_to.contains(&position(99)) && up_to.contains(&position(100)) && !up_to.contains(&position(101)));
        // What cannot be compared is not proven.
        assert!(!numbers.contains(&position(4)) && !up_to.contains(&TransactionId::Number(4)));
        assert!(!up_to.contains(&TransactionId::Gtid { source: 1, number: 1 }));
    }
}
