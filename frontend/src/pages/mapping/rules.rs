//! What fields and keys are called.

use godwit_shared::mapping::{Field, FieldType, KeyHandling};

/// What the `_id` of a document is.
pub fn key_label(key: KeyHandling) -> &'static str {
    match key {
        KeyHandling::Generated => "generated",
        KeyHandling::Single => "primary key",
        KeyHandling::Wrapped => "document of the key",
    }
}

/// The field that stands for the `_id` is no column: what it is made of is a setting of the rule.
pub fn is_key_field(column: &str, field: &Field) -> bool {
    column == "_id" && matches!(field.source.database_specific_type.as_str(), "NONE" | "")
}

/// The type that is asked for; where none is, `default`.
pub fn field_type(kind: FieldType, default: &str) -> String {
    let name = match kind {
        FieldType::Bool => "Boolean",
        FieldType::Date => "Date",
        FieldType::Decimal => "Decimal128",
        FieldType::Double => "Double",
        FieldType::Integer => "Int32",
        FieldType::Long => "Int64",
        FieldType::String => "String",
        FieldType::ObjectId => "ObjectId",
        FieldType::BinData => "Binary",
        FieldType::Array => "Array",
        FieldType::Object => "Object",
        FieldType::Default => default,
    };
    name.to_owned()
}
