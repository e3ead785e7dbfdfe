//! Sums that a source and a destination can both compute exactly, each by itself: a way to compare them on which nothing
//! of what makes documents lies.

/// What a column is summed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SumKind {
    /// The sum, the lowest, the highest.
    Integer,
    /// The sum.
    Decimal,
    /// Characters and bytes (UTF-8) of all texts.
    Text,
    /// Milliseconds since 1970: the sum, the lowest, the highest.
    Date,
    /// How many are true.
    Boolean,
}

/// What one column comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSum {
    pub kind: SumKind,
    /// Values that are not null, and that the destination can hold.
    pub count: u64,
    /// In the order of [`SumKind`], as decimal numbers; nothing of no values.
    pub values: Vec<Option<String>>,
}

/// What the rows of a node come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    pub rows: u64,
    /// For each column that was asked for; `None` where it has no exact sum.
    pub columns: Vec<Option<ColumnSum>>,
}
