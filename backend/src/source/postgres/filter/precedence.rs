//! The order of precedence of the server's grammar.

use sqlparser::ast::{self, BinaryOperator as Binary, CastKind, UnaryOperator as Unary};

/// How tightly an expression binds, from the server's grammar (`gram.y`, "Precedence: lowest to highest").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Or,
    And,
    Not,
    Is,
    Comparison,
    Like,
    Operator,
    Sum,
    Product,
    Power,
    TimeZone,
    Collation,
    Sign,
    Cast,
    Closed,
}

pub(super) fn level_of_operator(operator: &Binary) -> Level {
    match operator {
        Binary::Or => Level::Or,
        Binary::And => Level::And,
        Binary::Eq | Binary::NotEq | Binary::Lt | Binary::Gt | Binary::LtEq | Binary::GtEq => Level::Comparison,
        Binary::Plus | Binary::Minus => Level::Sum,
        Binary::Multiply | Binary::Divide | Binary::Modulo => Level::Product,
        Binary::PGExp => Level::Power,
        _ => Level::Operator,
    }
}

pub(super) fn level_of(expr: &ast::Expr) -> Level {
    use ast::Expr as E;
    match expr {
        E::BinaryOp {
            op: Binary::Overlaps, ..
        } => Level::Operator,
        E::BinaryOp { op, .. } | E::AnyOp { compare_op: op, .. } | E::AllOp { compare_op: op, .. } => {
            level_of_operator(op)
        }
        E::UnaryOp { op, .. } => level_of_prefix(op),
        E::IsNull(_)
        | E::IsNotNull(_)
        | E::IsTrue(_)
        | E::IsNotTrue(_)
        | E::IsFalse(_)
        | E::IsNotFalse(_)
        | E::IsUnknown(_)
        | E::IsNotUnknown(_)
        | E::IsDistinctFrom(..)
        | E::IsNotDistinctFrom(..) => Level::Is,
        E::InList { .. } | E::Between { .. } | E::Like { .. } | E::ILike { .. } | E::SimilarTo { .. } => Level::Like,
        E::AtTimeZone { .. } => Level::TimeZone,
        E::Collate { .. } => Level::Collation,
        E::Cast {
            kind: CastKind::DoubleColon,
            ..
        } => Level::Cast,
        _ => Level::Closed,
    }
}

pub(super) fn level_of_prefix(operator: &Unary) -> Level {
    match operator {
        Unary::Not => Level::Not,
        Unary::Minus | Unary::Plus => Level::Sign,
        _ => Level::Operator,
    }
}
