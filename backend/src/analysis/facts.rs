//! What a source says of itself beyond its catalog, in words that are the same for every database.

use chrono::{DateTime, Utc};
use godwit_shared::schema::TableName;
use std::collections::HashMap;

/// What an analysis asks a source for. What could not be read is missing, and named in `gaps`.
#[derive(Debug, Clone, Default)]
pub struct SourceFacts {
    /// Since when reads and writes are counted.
    pub counted_since: Option<DateTime<Utc>>,
    pub tables: HashMap<TableName, TableFacts>,
    /// Tables whose rows lie elsewhere or do not stay, which no migration reads; each with what it is.
    pub unread: Vec<(TableName, String)>,
    pub views: Vec<ObjectFacts>,
    pub routines: Vec<ObjectFacts>,
    pub triggers: Vec<ObjectFacts>,
    /// The change log; nothing where there is none.
    pub log: Option<LogFacts>,
    /// What could not be read, each a sentence.
    pub gaps: Vec<String>,
}

/// What is known of one table.
#[derive(Debug, Clone, Default)]
pub struct TableFacts {
    /// Bytes of its indexes.
    pub index_bytes: Option<u64>,
    /// Rows read, and rows written, since the source counts.
    pub reads: Option<u64>,
    pub writes: Option<u64>,
    pub analysed: Analysed,
    /// What is special about it, each a few words: `has 7 partitions`, `inherits from "a"`.
    pub forms: Vec<String>,
    /// What the change log holds of an old row.
    pub identity: Identity,
    /// Policies that decide which rows somebody sees; those that hold for this user stand in the catalog.
    pub policies: Vec<String>,
    /// Check constraints.
    pub checks: Vec<String>,
    /// By the name of the foreign key.
    pub keys: HashMap<String, KeyFacts>,
    pub columns: HashMap<String, ColumnFacts>,
}

/// When a source has looked at the rows of a table for its statistics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Analysed {
    /// It does not tell.
    #[default]
    Unknown,
    Never,
    At(DateTime<Utc>),
}

/// What the change log holds of a row that is changed or deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Identity {
    /// The source knows no such setting.
    #[default]
    None,
    /// The primary key, if there is one.
    Default,
    /// The columns of an index.
    Index,
    Full,
    Nothing,
}

/// What a foreign key does when the row that it refers to changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// `CASCADE`, `SET NULL`, `SET DEFAULT`; nothing where it forbids the change.
    pub on_delete: Option<String>,
    pub on_update: Option<String>,
    pub is_deferrable: bool,
    /// Some rows refer to a value that is written in other letters, capital or small.
    pub has_other_case: bool,
}

/// What is true of one column.
#[derive(Debug, Clone, Default)]
pub struct ColumnFacts {
    pub traits: Vec<Trait>,
    /// Its default expression, where it is more than a constant NULL and no counter.
    pub default: Option<String>,
    pub measured: Option<Measured>,
}

impl ColumnFacts {
    /// Whether something is true of it.
    pub fn is(&self, wanted: Trait) -> bool {
        self.traits.contains(&wanted)
    }
}

/// What a type means for a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    /// A geometric or geographic value.
    Geospatial,
    /// A value that may become large; so many bytes at most where the type says so.
    Large {
        bytes_max: Option<u64>,
    },
    /// A decimal number; digits where they are declared.
    Numeric {
        precision: Option<u32>,
    },
    /// A moment that is stored without the zone that it was given in.
    Zoned,
    /// Filled up with blanks to its length.
    Padded,
    /// A text without a fixed length that is not filled up.
    Varying,
    UnsignedBigint,
    /// More than one bit.
    Bits,
    /// A time that may be longer than a day, or negative.
    LongTime,
    /// Values from a list.
    Enumerated,
    /// A domain with conditions of its own.
    Constrained,
}

/// What was found in the values of a column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// Not all rows were looked at.
    pub is_sample: bool,
    /// Of the largest value.
    pub bytes: Option<u64>,
    /// Significant digits of the longest number.
    pub digits: Option<u32>,
    /// What some values are that many systems do not have: `infinity`, `NaN`, `a year before 1 or after 9999`.
    pub special: Vec<String>,
    /// Some dates are `0000-00-00`, or have a month or day 0.
    pub has_zero_dates: bool,
}

/// A view, a routine or a trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectFacts {
    pub schema: String,
    /// Unique in its schema: a routine with the types of its arguments, a trigger behind its table.
    pub name: String,
    pub kind: ObjectKind,
    /// The language of a routine.
    pub language: Option<String>,
    /// The table of a trigger.
    pub table: Option<TableName>,
    /// Its SQL; empty where this user may not see it.
    pub definition: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ObjectKind {
    #[default]
    View,
    MaterializedView,
    Function,
    Procedure,
    Aggregate,
    Trigger,
}

impl ObjectKind {
    /// In plain words.
    pub fn word(self) -> &'static str {
        match self {
            ObjectKind::View => "view",
            ObjectKind::MaterializedView => "materialized view",
            ObjectKind::Function => "function",
            ObjectKind::Procedure => "procedure",
            ObjectKind::Aggregate => "aggregate",
            ObjectKind::Trigger => "trigger",
        }
    }
}

/// How long a change log is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct LogFacts {
    pub kept: Kept,
    /// The setting that says so.
    pub setting: String,
    /// What is written to it in a second, on average.
    pub bytes_per_second: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Until whoever follows it has taken it.
    Always,
    Seconds(u64),
    Bytes(u64),
}
