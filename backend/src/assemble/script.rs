//! What an expression came to.

use crate::data::value::Value;

/// What a message of an evaluation may have, bytes: a thrown text can be as large as it likes.
pub const MESSAGE_BYTES_MAX: usize = 1024;

/// How deep a result may be nested.
pub const RESULT_DEPTH_MAX: usize = 100;
/// What a result may come to as BSON, bytes: no document has room for more.
pub const RESULT_BYTES_MAX: usize = 16 << 20;
/// What a name in a result may have, bytes.
pub const NAME_BYTES_MAX: usize = 64 << 10;

/// Why an evaluation gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    #[error("the expression cannot be compiled: {0}")]
    Syntax(String),
    #[error("the expression threw {0}")]
    Thrown(String),
    #[error("the expression took more than a second of the processor's time")]
    TooSlow,
    #[error("the expression needs more than 64 MiB of memory")]
    OutOfMemory,
    /// A document cannot hold the result.
    #[error("the result is {0}")]
    NoValue(String),
    /// The engine did not survive it.
    #[error("the expression ended the process that evaluates it: {0}")]
    Ended(String),
}

/// What an expression gave; `None` is undefined: the field is left out.
pub type Outcome = Result<Option<Value<'static>>, ScriptError>;

/// The start of a text, as far as a message takes it.
pub fn cut(text: &str) -> String {
    if text.len() <= MESSAGE_BYTES_MAX {
        return text.to_owned();
    }
    const MORE: &str = " …";
    let end = text.floor_char_boundary(MESSAGE_BYTES_MAX - MORE.len());
    format!("{}{MORE}", &text[..end])
}

/// What the expressions of a node came to, for each of its rows.
#[derive(Debug, Clone, Default)]
pub struct Results {
    /// In the order of the node's calculated fields.
    pub calculated: Vec<Vec<Outcome>>,
    /// That of `_id`, where an expression computes it.
    pub id: Vec<Outcome>,
}
