//! What a column's declaration means: how its cells are read, compared and ordered.

use super::operators::{collation_named, has_padding, own_equality};
use super::values::{Codec, TextEquality};
use crate::data::catalog::CatalogColumn;
use crate::data::equality::{KeyClass, KeyOrder};
use godwit_shared::mapping::FieldType;
use std::sync::Arc;

/// Types whose values are compared in one way. Stands in [`CatalogColumn::cast`], with the digits of a fraction where
/// values with other ones are printed otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Decimal,
    Float,
    Double,
    Bits,
    Text,
    Enum,
    Set,
    Binary,
    Json,
    Date,
    DateTime,
    Timestamp,
    Time,
    Year,
    Geometry,
    /// Texts with a form of their own, which MariaDB has types for: uuid, inet4, inet6.
    Plain,
}

const NAMES: [(Kind, &str); 17] = [
    (Kind::Integer, "integer"),
    (Kind::Decimal, "decimal"),
    (Kind::Float, "float"),
    (Kind::Double, "double"),
    (Kind::Bits, "bits"),
    (Kind::Text, "text"),
    (Kind::Enum, "enum"),
    (Kind::Set, "set"),
    (Kind::Binary, "binary"),
    (Kind::Json, "json"),
    (Kind::Date, "date"),
    (Kind::DateTime, "datetime"),
    (Kind::Timestamp, "timestamp"),
    (Kind::Time, "time"),
    (Kind::Year, "year"),
    (Kind::Geometry, "geometry"),
    (Kind::Plain, "plain"),
];

impl Kind {
    /// That of a column of the catalog.
    pub fn of(column: &CatalogColumn) -> Kind {
        let name = column.cast.split(':').next().unwrap_or_default();
        let known = NAMES.iter().find(|(_, known)| *known == name);
        known.map_or(Kind::Text, |(kind, _)| kind.clone())
    }

    fn name(&self) -> &'static str {
        NAMES
            .iter()
            .find(|(kind, _)| kind == self)
            .map_or("text", |(_, name)| name)
    }

    /// Whether values are numbers to the source.
    pub fn is_number(&self) -> bool {
        match self {
            Kind::Integer | Kind::Decimal | Kind::Float | Kind::Double | Kind::Bits | Kind::Year => true,
            Kind::Text
            | Kind::Enum
            | Kind::Set
            | Kind::Binary
            | Kind::Json
            | Kind::Date
            | Kind::DateTime
            | Kind::Timestamp
            | Kind::Time
            | Kind::Geometry
            | Kind::Plain => false,
        }
    }

    /// Whether values are texts with a collation.
    pub fn is_text(&self) -> bool {
        matches!(self, Kind::Text | Kind::Enum | Kind::Set)
    }

    /// Whether values are days, with or without a time.
    pub fn is_date(&self) -> bool {
        matches!(self, Kind::Date | Kind::DateTime | Kind::Timestamp)
    }

    /// Stands for the types that an index finds each other's values of.
    pub fn family(&self) -> u32 {
        match self {
            Kind::Integer | Kind::Decimal | Kind::Float | Kind::Double | Kind::Year => 1,
            Kind::Bits => 2,
            Kind::Text | Kind::Enum | Kind::Set => 3,
            Kind::Binary => 4,
            Kind::Date | Kind::DateTime | Kind::Timestamp => 5,
            Kind::Time => 6,
            Kind::Json | Kind::Geometry => 7,
            Kind::Plain => 8,
        }
    }
}

/// One row of the catalog's list of columns.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    pub name: String,
    /// `bigint`
    pub data_type: String,
    /// `bigint(20) unsigned`
    pub type_text: String,
    pub nullable: bool,
    pub collation: Option<String>,
    /// `auto_increment`, `VIRTUAL GENERATED`, `INVISIBLE`
    pub extra: String,
    /// Digits of a fraction, of a number or of a second.
    pub digits: u32,
    /// All digits of a decimal.
    pub precision: u32,
    /// MariaDB's type for JSON is a text that is checked.
    pub is_checked_json: bool,
}

impl Declared {
    fn kind(&self) -> Kind {
        match self.data_type.as_str() {
            _ if self.is_checked_json => Kind::Json,
            "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" => Kind::Integer,
            "decimal" | "numeric" => Kind::Decimal,
            "float" => Kind::Float,
            "double" | "real" => Kind::Double,
            "bit" => Kind::Bits,
            "enum" => Kind::Enum,
            "set" => Kind::Set,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "vector" => Kind::Binary,
            "json" => Kind::Json,
            "date" => Kind::Date,
            "datetime" => Kind::DateTime,
            "timestamp" => Kind::Timestamp,
            "time" => Kind::Time,
            "year" => Kind::Year,
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
            | "geometrycollection" | "geomcollection" => Kind::Geometry,
            "uuid" | "inet4" | "inet6" => Kind::Plain,
            // A type that this build does not know is read as what the server prints.
            _ if self.collation.is_none() => Kind::Plain,
            _ => Kind::Text,
        }
    }

    fn codec(&self, kind: &Kind) -> Codec {
        let is_unsigned = self.type_text.contains("unsigned");
        match kind {
            Kind::Integer => match self.data_type.as_str() {
                "tinyint" if self.type_text == "tinyint(1)" => Codec::Bool,
                "bigint" if is_unsigned => Codec::UnsignedLong,
                "bigint" => Codec::Long,
                "int" | "integer" if is_unsigned => Codec::Long,
                _ => Codec::Int,
            },
            Kind::Year => Codec::Int,
            Kind::Decimal => Codec::Decimal,
            Kind::Float => Codec::Float,
            Kind::Double => Codec::Double,
            Kind::Bits if self.type_text == "bit(1)" => Codec::Flag,
            Kind::Bits => Codec::Bits,
            Kind::Text => Codec::Text(self.text_equality()),
            // The server prints the label as it is declared.
            Kind::Enum | Kind::Time | Kind::Plain => Codec::Text(TextEquality::Bytes),
            Kind::Set => Codec::Set,
            Kind::Binary => Codec::Binary,
            Kind::Json => Codec::Json,
            Kind::Date => Codec::Date,
            Kind::DateTime | Kind::Timestamp => Codec::DateTime,
            Kind::Geometry => Codec::Geometry,
        }
    }

    fn text_equality(&self) -> TextEquality {
        let name = self.collation.as_deref().unwrap_or("utf8mb4_bin");
        match (name.ends_with("_bin"), has_padding(name)) {
            (true, true) => TextEquality::Padded,
            (true, false) => TextEquality::Bytes,
            (false, _) => TextEquality::Asked,
        }
    }

    /// Whether its values may have megabytes.
    fn is_long(&self) -> bool {
        self.data_type.ends_with("text") || self.data_type.ends_with("blob")
    }

    /// As the catalog has it.
    pub fn column(self) -> CatalogColumn {
        let kind = self.kind();
        let codec = self.codec(&kind);
        let is_orderable = !matches!(kind, Kind::Json | Kind::Geometry);
        let collation = (kind.is_text()).then(|| collation_named(self.collation.as_deref().unwrap_or("utf8mb4_bin")));
        let class = match &codec {
            Codec::Text(TextEquality::Asked) if !self.is_long() => KeyClass::Asked(class_parts(&self)),
            Codec::Text(TextEquality::Asked) | Codec::Json | Codec::Geometry => KeyClass::Printed,
            _ if self.is_long() => KeyClass::Printed,
            _ => KeyClass::Canonical,
        };
        let equals_as_bytes = match kind {
            Kind::Integer
            | Kind::Decimal
            | Kind::Bits
            | Kind::Binary
            | Kind::Date
            | Kind::DateTime
            | Kind::Timestamp
            | Kind::Time
            | Kind::Year
            | Kind::Plain => true,
            Kind::Text => codec == Codec::Text(TextEquality::Bytes),
            Kind::Float | Kind::Double | Kind::Enum | Kind::Set | Kind::Json | Kind::Geometry => false,
        };
        CatalogColumn {
            cast: self.cast(&kind),
            declared_type: kind.family(),
            equality: is_orderable.then(|| Arc::new(own_equality(&kind, collation.as_ref(), &self.data_type))),
            key_order: is_orderable.then(order),
            class,
            default_type: default_type(&codec),
            nullable: self.nullable,
            is_generated: self.extra.contains("GENERATED") && !self.extra.contains("DEFAULT_GENERATED"),
            is_auto_incremented: self.extra.contains("auto_increment"),
            is_orderable,
            sent_by: None,
            // All cells are, and those of keys are the same wherever they are read.
            reads_as_text: false,
            loses_identity: match kind {
                Kind::DateTime | Kind::Timestamp => self.digits > 3,
                Kind::Decimal => self.precision > crate::data::decimal::DIGITS_MAX as u32,
                _ => false,
            },
            equals_as_bytes,
            comes_apart: false,
            decoder: Arc::new(codec),
            collation,
            name: self.name,
            type_text: self.type_text,
        }
    }

    fn cast(&self, kind: &Kind) -> String {
        match kind {
            Kind::Decimal | Kind::DateTime | Kind::Timestamp | Kind::Time => format!("{}:{}", kind.name(), self.digits),
            Kind::Bits | Kind::Plain => format!("{}:{}", kind.name(), self.type_text),
            Kind::Integer
            | Kind::Float
            | Kind::Double
            | Kind::Text
            | Kind::Enum
            | Kind::Set
            | Kind::Binary
            | Kind::Json
            | Kind::Date
            | Kind::Year
            | Kind::Geometry => kind.name().into(),
        }
    }
}

/// Weights under a collation are what equal texts have in common. They are hashed, because they are longer than the text.
fn class_parts(declared: &Declared) -> Vec<String> {
    let (start, end) = match declared.collation.as_deref().is_none_or(has_padding) {
        // Blanks at the end do not count.
        true => ("SHA2(WEIGHT_STRING(TRIM(TRAILING ' ' FROM ", ")), 256)"),
        false => ("SHA2(WEIGHT_STRING(", "), 256)"),
    };
    vec![start.into(), end.into()]
}

fn order() -> KeyOrder {
    KeyOrder {
        below: "<".into(),
        not_above: "<=".into(),
        equal: "=".into(),
        not_below: ">=".into(),
        above: ">".into(),
        cast: None,
    }
}

fn default_type(codec: &Codec) -> FieldType {
    match codec {
        Codec::Bool | Codec::Flag => FieldType::Bool,
        Codec::Int => FieldType::Integer,
        Codec::Long | Codec::UnsignedLong => FieldType::Long,
        Codec::Decimal => FieldType::Decimal,
        Codec::Float | Codec::Double => FieldType::Double,
        Codec::Bits | Codec::Binary => FieldType::BinData,
        Codec::Text(_) => FieldType::String,
        Codec::Set => FieldType::Array,
        Codec::Json | Codec::Geometry => FieldType::Object,
        Codec::Date | Codec::DateTime => FieldType::Date,
    }
}

/// The labels of an enum or set, in the order of their numbers, from `enum('a','it''s')`.
pub fn members(type_text: &str) -> Vec<String> {
    let Some((_, list)) = type_text.split_once('(') else {
        return Vec::new();
    };
    let (mut members, mut member) = (Vec::new(), None::<String>);
    let mut rest = list.chars().peekable();
    while let Some(c) = rest.next() {
        match (&mut member, c) {
            (None, '\'') => member = Some(String::new()),
            (None, _) => {}
            (Some(text), '\'') if rest.peek() == Some(&'\'') => {
                rest.next();
                text.push('\'');
            }
            (Some(_), '\'') => members.extend(member.take()),
            (Some(text), c) => text.push(c),
        }
    }
    members
}

/// How many bits a column of bits has, from `bit(5)`.
pub fn bits_of(type_text: &str) -> Option<usize> {
    type_text.strip_prefix("bit(")?.strip_suffix(')')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(data_type: &str, type_text: &str, collation: Option<&str>) -> CatalogColumn {
        Declared {
            name: "c".into(),
            data_type: data_type.into(),
            type_text: type_text.into(),
            collation: collation.map(Into::into),
            ..Declared::default()
        }
        .column()
    }

    #[test]
    fn types_become_what_the_contract_says() {
        for (data_type, type_text, expected) in [
            ("tinyint", "tinyint(1)", FieldType::Bool),
            ("tinyint", "tinyint(4)", FieldType::Integer),
            ("tinyint", "tinyint(1) unsigned", FieldType::Integer),
            ("int", "int(10) unsigned", FieldType::Long),
            ("bigint", "bigint(20) unsigned", FieldType::Long),
            ("year", "year(4)", FieldType::Integer),
            ("bit", "bit(1)", FieldType::Bool),
            ("bit", "bit(8)", FieldType::BinData),
            ("set", "set('a','b')", FieldType::Array),
            ("time", "time(6)", FieldType::String),
            ("uuid", "uuid", FieldType::String),
        ] {
            assert_eq!(column(data_type, type_text, None).default_type, expected, "{type_text}");
        }
    }

    #[test]
    fn texts_are_equal_as_their_collation_says() {
        let of = |collation: &str| column("varchar", "varchar(10)", Some(collation));
        assert!(matches!(of("utf8mb4_general_ci").class, KeyClass::Asked(_)));
        assert!(!of("utf8mb4_general_ci").equals_as_bytes && !of("utf8mb4_bin").equals_as_bytes);
        assert_eq!(of("utf8mb4_bin").class, KeyClass::Canonical);
        assert!(of("utf8mb4_nopad_bin").equals_as_bytes && of("utf8mb4_0900_bin").equals_as_bytes);
        assert_eq!(
            column("text", "text", Some("utf8mb4_general_ci")).class,
            KeyClass::Printed
        );
    }

    #[test]
    fn labels_are_read_from_the_declaration() {
        assert_eq!(members("enum('a','it''s','x,y','')"), ["a", "it's", "x,y", ""]);
        assert!(members("int").is_empty());
    }
}
