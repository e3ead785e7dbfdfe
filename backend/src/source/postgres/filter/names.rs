//! Names in a filter, as the server reads them.

use super::tree::Name;
use sqlparser::ast::{BinaryOperator as Binary, DateTimeField, Ident, ObjectName};

/// A name as the server folds it.
pub(super) fn column_name(name: &Ident) -> Result<String, String> {
    match name.quote_style {
        None => Ok(name.value.to_ascii_lowercase()),
        Some('"') => Ok(name.value.clone()),
        Some(_) => Err(format!("it holds a name in other quotes than \": {}", name.value)),
    }
}

/// A name with or without a schema.
pub(super) fn name_of(name: &ObjectName) -> Result<Name, String> {
    let parts: Option<Vec<&Ident>> = name.0.iter().map(|p| p.as_ident()).collect();
    match parts.as_deref() {
        Some([name]) => Ok(Name::plain(column_name(name)?)),
        Some([schema, name]) => Ok(Name {
            schema: Some(column_name(schema)?),
            name: column_name(name)?,
        }),
        _ => Err(format!("it names {name}, which cannot be looked up")),
    }
}

/// The characters of an operator, with its schema where it was given.
pub(super) fn operator_name(operator: &Binary) -> Result<Name, String> {
    let (schema, name) = match operator {
        Binary::NotEq => (None, "<>".to_owned()),
        Binary::PGCustomBinaryOperator(parts) => match parts.as_slice() {
            [name] => (None, name.clone()),
            // The parser does not say whether it stood in quotes.
            [schema, name] => (Some(schema.trim_matches('"').to_owned()), name.clone()),
            _ => return Err(format!("it names the operator {operator}, which cannot be looked up")),
        },
        other => (None, other.to_string()),
    };
    let is_operator = !name.is_empty() && name.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c));
    match is_operator && !name.contains("--") && !name.contains("/*") {
        true => Ok(Name { schema, name }),
        false => Err(format!("it uses the operator {operator} of another database")),
    }
}

pub(super) fn field_name(field: &DateTimeField) -> Result<String, String> {
    let text = match field {
        DateTimeField::Custom(name) => name.value.clone(),
        other => other.to_string(),
    };
    let text = text.trim_matches('\'').to_ascii_lowercase();
    match text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
        true => Ok(text),
        false => Err(format!("it extracts {field}, which no time has")),
    }
}
