//! What a filter may consist of, as a tree: everything else is refused before it becomes one.

/// One expression. Names are as the server has them: folded to lower case where they stood without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// A column of the table.
    Column(String),
    /// A text between quotes, decoded. Its type is what the server makes of it at this place.
    Text(String),
    /// Digits, a point, an exponent.
    Number(String),
    /// The digits of a bit string, with the letter in front of it.
    Bits(char, String),
    Bool(bool),
    Null,
    Row(Vec<Expr>),
    Array(Vec<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Operation {
        operator: Name,
        /// Absent in front of the operand.
        left: Option<Box<Expr>>,
        right: Box<Expr>,
    },
    /// `left operator ANY (right)`, or `ALL`.
    Quantified {
        operator: Name,
        left: Box<Expr>,
        right: Box<Expr>,
        is_all: bool,
    },
    Call {
        function: Name,
        arguments: Vec<Expr>,
    },
    /// An argument with the name of its parameter.
    Named(String, Box<Expr>),
    Cast {
        of: Box<Expr>,
        to: TypeName,
    },
    /// The field as the server names it.
    Extract {
        field: String,
        from: Box<Expr>,
    },
    Is {
        of: Box<Expr>,
        state: State,
        negated: bool,
    },
    Distinct {
        left: Box<Expr>,
        right: Box<Expr>,
        negated: bool,
        equality: Equality,
    },
    In {
        of: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
        equality: Equality,
    },
    Case {
        /// What the conditions are compared with, where they are values.
        operand: Option<Box<Expr>>,
        whens: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
        equality: Equality,
    },
    NullIf {
        left: Box<Expr>,
        right: Box<Expr>,
        equality: Equality,
    },
    Choice(Choice, Vec<Expr>),
    /// An element or a slice of an array.
    Element {
        of: Box<Expr>,
        at: Vec<Subscript>,
    },
    Collate {
        of: Box<Expr>,
        collation: Name,
    },
    /// `CURRENT_DATE` and its like, with digits of the second.
    Clock(&'static str, Option<u64>),
}

/// The schema of an operator `=` that the grammar does not name; absent: it is the server's own.
pub type Equality = Option<String>;

/// What `IS` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Null,
    True,
    False,
    Unknown,
}

/// Functions that are part of the grammar: nobody can declare another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Coalesce,
    Greatest,
    Least,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscript {
    Index(Expr),
    Slice(Option<Expr>, Option<Expr>),
}

/// A name that is looked up; without a schema it is the server's own, or that of an extension.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    pub schema: Option<String>,
    pub name: String,
}

/// The type of a cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeName {
    pub name: Name,
    /// What stands in parentheses: length, precision, scale.
    pub modifiers: Vec<i64>,
    /// `YEAR TO MONTH` of an interval.
    pub fields: Option<&'static str>,
    /// `[]` behind it.
    pub is_array: bool,
}

impl Name {
    /// A name without a schema.
    pub fn plain(name: impl Into<String>) -> Self {
        Self {
            schema: None,
            name: name.into(),
        }
    }
}

impl Expr {
    /// The expressions right below this one.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Expr::Column(_)
            | Expr::Text(_)
            | Expr::Number(_)
            | Expr::Bits(..)
            | Expr::Bool(_)
            | Expr::Null
            | Expr::Clock(..) => Vec::new(),
            Expr::Row(all) | Expr::Array(all) | Expr::And(all) | Expr::Or(all) | Expr::Choice(_, all) => {
                all.iter().collect()
            }
            Expr::Not(of)
            | Expr::Named(_, of)
            | Expr::Cast { of, .. }
            | Expr::Extract { from: of, .. }
            | Expr::Is { of, .. }
            | Expr::Collate { of, .. } => vec![of],
            Expr::Operation { left, right, .. } => left.iter().chain([right]).map(|e| &**e).collect(),
            Expr::Quantified { left, right, .. }
            | Expr::Distinct { left, right, .. }
            | Expr::NullIf { left, right, .. } => vec![left, right],
            Expr::Call { arguments, .. } => arguments.iter().collect(),
            Expr::In { of, list, .. } => std::iter::once(&**of).chain(list).collect(),
            Expr::Case {
                operand,
                whens,
                otherwise,
                ..
            } => (whens.iter().flat_map(|(when, then)| [when, then]))
                .chain(operand.iter().chain(otherwise).map(|e| &**e))
                .collect(),
            Expr::Element { of, at } => std::iter::once(&**of).chain(at.iter().flat_map(parts)).collect(),
        }
    }

    /// As [`Expr::children`], to be changed.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Expr::Column(_)
            | Expr::Text(_)
            | Expr::Number(_)
            | Expr::Bits(..)
            | Expr::Bool(_)
            | Expr::Null
            | Expr::Clock(..) => Vec::new(),
            Expr::Row(all) | Expr::Array(all) | Expr::And(all) | Expr::Or(all) | Expr::Choice(_, all) => {
                all.iter_mut().collect()
            }
            Expr::Not(of)
            | Expr::Named(_, of)
            | Expr::Cast { of, .. }
            | Expr::Extract { from: of, .. }
            | Expr::Is { of, .. }
            | Expr::Collate { of, .. } => vec![of],
            Expr::Operation { left, right, .. } => left.iter_mut().chain([right]).map(|e| &mut **e).collect(),
            Expr::Quantified { left, right, .. }
            | Expr::Distinct { left, right, .. }
            | Expr::NullIf { left, right, .. } => vec![left, right],
            Expr::Call { arguments, .. } => arguments.iter_mut().collect(),
            Expr::In { of, list, .. } => std::iter::once(&mut **of).chain(list).collect(),
            Expr::Case {
                operand,
                whens,
                otherwise,
                ..
            } => (whens.iter_mut().flat_map(|(when, then)| [when, then]))
                .chain(operand.iter_mut().chain(otherwise).map(|e| &mut **e))
                .collect(),
            Expr::Element { of, at } => std::iter::once(&mut **of)
                .chain(at.iter_mut().flat_map(parts_mut))
                .collect(),
        }
    }

    /// This expression and all below it, in no order that matters.
    pub fn all(&self) -> Vec<&Expr> {
        let (mut found, mut open) = (Vec::new(), vec![self]);
        while let Some(next) = open.pop() {
            found.push(next);
            open.extend(next.children());
        }
        found
    }
}

fn parts(subscript: &Subscript) -> Vec<&Expr> {
    match subscript {
        Subscript::Index(index) => vec![index],
        Subscript::Slice(from, to) => from.iter().chain(to).collect(),
    }
}

fn parts_mut(subscript: &mut Subscript) -> Vec<&mut Expr> {
    match subscript {
        Subscript::Index(index) => vec![index],
        Subscript::Slice(from, to) => from.iter_mut().chain(to).collect(),
    }
}
