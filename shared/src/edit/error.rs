//! Why an edit is refused.

use super::Place;
use crate::mapping::FieldType;
use std::fmt;
use thiserror::Error;

/// An edit that was not applied: the draft is as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditError {
    pub place: Box<Place>,
    pub reason: EditReason,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for EditError {}

/// What is wrong, as a sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditReason {
    #[error("the project has no such collection any more")]
    NoCollection,
    #[error("the project has no such rule any more")]
    NoRule,
    #[error("the project has no such table any more")]
    NoTable,
    #[error("the table has no column \"{0}\"")]
    NoColumn(String),
    #[error("the rule has no field \"{0}\"")]
    NoField(String),
    #[error("there is no diagram of this id any more")]
    NoDiagram,
    #[error("the id {0} is taken")]
    IdTaken(String),
    #[error("a name is needed")]
    NameBlank,
    #[error("\"{0}\" is taken: another one has this name")]
    NameTaken(String),
    #[error("\"{name}\" is no name that MongoDB takes: {problem}")]
    NameInvalid { name: String, problem: &'static str },
    #[error("no foreign key connects {own} and {parent} so that this shape is possible; draw a synthetic one first")]
    NoKey { own: String, parent: String },
    #[error("several keys connect {own} and {parent}: choose one")]
    SeveralKeys { own: String, parent: String },
    #[error("no foreign key \"{0}\" connects the two tables for this shape")]
    NoSuchKey(String),
    #[error("only an embedded rule has this")]
    NotEmbedded,
    #[error("only a rule that makes documents of its own has this")]
    NotRoot,
    #[error("only an embedded array has this")]
    NoArray,
    #[error("a rule cannot lie below itself")]
    BelowItself,
    #[error("rules lie at most {0} levels deep")]
    TooDeep(usize),
    #[error("a project has at most {0} of them")]
    TooMany(usize),
    #[error("a column of the type {column_type} cannot become {kind:?}")]
    TypeImpossible { column_type: String, kind: FieldType },
    #[error("an array of values has exactly one field: no field of the rule can be its value")]
    NoValue,
    #[error("only the limit 1 can be embedded as a document")]
    LimitNotOne,
    #[error("a limit is at least 1")]
    LimitZero,
    #[error("the key \"{0}\" is declared by the source: only synthetic keys can be changed")]
    KeyDeclared(String),
    #[error("a key needs at least one pair of columns, each column once")]
    KeyColumns,
    #[error("the time field has to be a date")]
    TimeFieldNoDate,
    #[error("the last diagram cannot be removed")]
    LastDiagram,
    #[error("an expression is needed")]
    ExpressionBlank,
    #[error("nothing would change")]
    NothingChanges,
}

impl EditReason {
    /// The error at its place.
    pub fn at(self, place: Place) -> EditError {
        EditError {
            place: Box::new(place),
            reason: self,
        }
    }
}
