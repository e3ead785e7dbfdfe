//! Which BSON types a column can take.

use crate::mapping::FieldType;
use crate::schema::Column;
use serde::Serialize;

/// A type that works for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TypeChoice {
    pub kind: FieldType,
    /// What values can lose, or which of them do not fit; `None` where each fits.
    pub loses: Option<&'static str>,
}

/// What the column's own type gives.
pub fn default_of(column: &Column) -> FieldType {
    let named = column.kind.default_mongo_field_type.as_deref();
    let named = named.and_then(|name| serde_json::from_value(serde_json::json!(name)).ok());
    match named {
        None | Some(FieldType::Default) => of_text(&column.kind.database_specific_type),
        Some(kind) => kind,
    }
}

/// By the name of a type, for models whose columns do not say it: those of DDL files and older project files.
fn of_text(text: &str) -> FieldType {
    let lower = text.to_lowercase();
    if lower.ends_with("[]") {
        return FieldType::Array;
    }
    let word = lower.split(['(', ' ']).next().unwrap_or_default();
    match word {
        "bool" | "boolean" => FieldType::Bool,
        "bit" if matches!(lower.as_str(), "bit" | "bit(1)") => FieldType::Bool,
        "tinyint" if lower.starts_with("tinyint(1)") => FieldType::Bool,
        "smallint" | "int2" | "integer" | "int" | "int4" | "serial" | "smallserial" | "tinyint" | "mediumint"
        | "year" => FieldType::Integer,
        "bigint" | "int8" | "bigserial" | "oid" => FieldType::Long,
        "real" | "float" | "float4" | "float8" | "double" | "binary_float" | "binary_double" => FieldType::Double,
        "numeric" | "decimal" | "number" | "money" | "smallmoney" | "dec" => FieldType::Decimal,
        "date" | "timestamp" | "timestamptz" | "datetime" | "datetime2" | "smalldatetime" | "datetimeoffset" => {
            FieldType::Date
        }
        "bytea" | "blob" | "tinyblob" | "mediumblob" | "longblob" | "binary" | "varbinary" | "image" | "raw"
        | "rowversion" => FieldType::BinData,
        "json" | "jsonb" | "hstore" | "point" | "geometry" | "geography" => FieldType::Object,
        _ => FieldType::String,
    }
}

/// The types that can work for a column, the default first.
pub fn choices(column: &Column) -> Vec<TypeChoice> {
    let default = default_of(column);
    let also = |kind, loses| TypeChoice { kind, loses };
    const FRACTION: Option<&str> = Some("what stands behind the point is cut off");
    const RANGE: Option<&str> = Some("a number that is too big becomes null and is reported");
    const DIGITS: Option<&str> = Some("digits beyond the 15th may be rounded");
    const NUMBERS: Option<&str> = Some("a text that is no number becomes null and is reported");
    use FieldType as T;
    let others = match default {
        T::Bool => vec![
            also(T::Integer, None),
            also(T::Long, None),
            also(T::Double, None),
            also(T::Decimal, None),
            also(T::String, None),
        ],
        T::Integer => vec![
            also(T::Long, None),
            also(T::Double, None),
            also(T::Decimal, None),
            also(T::Bool, Some("every number but 0 becomes true")),
            also(T::Date, None),
            also(T::String, None),
        ],
        T::Long => vec![
            also(T::Integer, RANGE),
            also(T::Double, DIGITS),
            also(T::Decimal, None),
            also(T::Bool, Some("every number but 0 becomes true")),
            also(T::Date, None),
            also(T::String, None),
        ],
        T::Double => vec![
            also(T::Decimal, None),
            also(T::Integer, FRACTION),
            also(T::Long, FRACTION),
            also(T::Bool, Some("every number but 0 becomes true")),
            also(T::String, None),
        ],
        T::Decimal => vec![
            also(T::Double, DIGITS),
            also(T::Integer, FRACTION),
            also(T::Long, FRACTION),
            also(T::Bool, Some("every number but 0 becomes true")),
            also(T::String, None),
        ],
        T::Date => vec![also(T::Long, None), also(T::String, None)],
        T::BinData => vec![
            also(
                T::ObjectId,
                Some("what does not have 12 bytes becomes null and is reported"),
            ),
            also(T::String, None),
        ],
        T::String => vec![
            also(
                T::Bool,
                Some("a text that says neither true nor false becomes null and is reported"),
            ),
            also(
                T::Date,
                Some("a text that is no ISO 8601 date becomes null and is reported"),
            ),
            also(T::Decimal, NUMBERS),
            also(T::Double, NUMBERS),
            also(T::Integer, NUMBERS),
            also(T::Long, NUMBERS),
            also(
                T::ObjectId,
                Some("a text without 24 hexadecimal digits becomes null and is reported"),
            ),
            also(T::BinData, Some("a text that is no UUID becomes null and is reported")),
        ],
        // A column of JSON holds any value.
        T::Object => vec![
            also(T::Array, Some("what is no array becomes null and is reported")),
            also(T::String, None),
        ],
        T::Array => vec![also(T::String, None)],
        T::ObjectId | T::Default => vec![also(T::String, None)],
    };
    std::iter::once(also(default, None)).chain(others).collect()
}

/// Whether a column can take a type.
pub fn is_possible(column: &Column, kind: FieldType) -> bool {
    kind == FieldType::Default || choices(column).iter().any(|choice| choice.kind == kind)
}

/// What a field shows: the type that it asks for, or that of its column.
pub fn shown(column: &Column, asked: FieldType) -> FieldType {
    match asked {
        FieldType::Default => default_of(column),
        other => other,
    }
}
