//! Names of types, as the server's catalog has them.

use super::names::name_of;
use super::tree::{Name, TypeName};
use sqlparser::ast::{
    ArrayElemTypeDef, CharacterLength, DataType, DateTimeField, ExactNumberInfo, GeometricTypeKind, Interval,
    IntervalFields, TimezoneInfo,
};

/// The type that is meant.
///
/// # Errors
/// When the server has no such type, in a clause that begins with "it".
pub fn type_of(data_type: &DataType) -> Result<TypeName, String> {
    use DataType as D;
    let plain = |name: &str| Ok(with(name, Vec::new()));
    match data_type {
        D::Bool | D::Boolean => plain("bool"),
        D::SmallInt(None) | D::Int2(None) => plain("int2"),
        D::Int(None) | D::Integer(None) | D::Int4(None) => plain("int4"),
        D::BigInt(None) | D::Int8(None) => plain("int8"),
        D::Real | D::Float4 => plain("float4"),
        D::Float8 | D::DoublePrecision | D::Double(ExactNumberInfo::None) | D::Float(ExactNumberInfo::None) => {
            plain("float8")
        }
        D::Float(ExactNumberInfo::Precision(1..=24)) => plain("float4"),
        D::Float(ExactNumberInfo::Precision(25..=53)) => plain("float8"),
        D::Numeric(info) | D::Decimal(info) | D::Dec(info) => Ok(with(
            "numeric",
            match info {
                ExactNumberInfo::None => Vec::new(),
                ExactNumberInfo::Precision(p) => vec![number(*p)?],
                ExactNumberInfo::PrecisionAndScale(p, s) => vec![number(*p)?, *s],
            },
        )),
        D::Text => plain("text"),
        D::Varchar(length) | D::CharacterVarying(length) | D::CharVarying(length) => {
            Ok(with("varchar", length_of(length, None)?))
        }
        D::Character(length) | D::Char(length) => Ok(with("bpchar", length_of(length, Some(1))?)),
        D::Bytea => plain("bytea"),
        D::Uuid => plain("uuid"),
        D::JSON => plain("json"),
        D::JSONB => plain("jsonb"),
        D::TsVector => plain("tsvector"),
        D::TsQuery => plain("tsquery"),
        D::Date => plain("date"),
        D::Time(precision, zone) => Ok(with(if has_zone(zone) { "timetz" } else { "time" }, digits(precision)?)),
        D::Timestamp(precision, zone) => Ok(with(
            if has_zone(zone) { "timestamptz" } else { "timestamp" },
            digits(precision)?,
        )),
        D::Interval { fields, precision } => Ok(TypeName {
            fields: fields.as_ref().map(fields_text),
            ..with("interval", digits(precision)?)
        }),
        D::Bit(length) => Ok(with("bit", vec![number(length.unwrap_or(1))?])),
        D::BitVarying(length) | D::VarBit(length) => Ok(with("varbit", digits(length)?)),
        D::GeometricType(kind) => plain(match kind {
            GeometricTypeKind::Point => "point",
            GeometricTypeKind::Line => "line",
            GeometricTypeKind::LineSegment => "lseg",
            GeometricTypeKind::GeometricBox => "box",
            GeometricTypeKind::GeometricPath => "path",
            GeometricTypeKind::Polygon => "polygon",
            GeometricTypeKind::Circle => "circle",
        }),
        D::Array(ArrayElemTypeDef::SquareBracket(inner, _) | ArrayElemTypeDef::Qualified(inner, _)) => Ok(TypeName {
            is_array: true,
            ..type_of(inner)?
        }),
        D::Custom(name, modifiers) => {
            let modifiers = modifiers.iter().map(|m| m.trim().parse::<i64>());
            let modifiers = modifiers.collect::<Result<_, _>>();
            Ok(TypeName {
                modifiers: modifiers.map_err(|_| format!("it casts to {data_type}, whose length is no number"))?,
                ..with_name(name_of(name)?)
            })
        }
        // The parser knows the types of many databases.
        _ => Err(format!("it casts to {data_type}, which a filter may not")),
    }
}

/// The fields behind the literal of an interval.
///
/// # Errors
/// When the server does not have them so.
pub fn interval_fields(interval: &Interval) -> Result<Option<&'static str>, String> {
    let name = |field: &Option<DateTimeField>| field.as_ref().map(|f| f.to_string().to_ascii_uppercase());
    if interval.leading_precision.is_some() || interval.fractional_seconds_precision.is_some() {
        return Err("it gives the digits of an interval: leave them out".into());
    }
    let (first, last) = (name(&interval.leading_field), name(&interval.last_field));
    let all = [
        "YEAR",
        "MONTH",
        "DAY",
        "HOUR",
        "MINUTE",
        "SECOND",
        "YEAR TO MONTH",
        "DAY TO HOUR",
        "DAY TO MINUTE",
        "DAY TO SECOND",
        "HOUR TO MINUTE",
        "HOUR TO SECOND",
        "MINUTE TO SECOND",
    ];
    let wanted = match (first, last) {
        (None, None) => return Ok(None),
        (Some(first), None) => first,
        (first, Some(last)) => format!("{} TO {last}", first.unwrap_or_default()),
    };
    (all.into_iter().find(|f| *f == wanted).map(Some))
        .ok_or_else(|| format!("it has an interval in {wanted}, which the server does not know"))
}

fn fields_text(fields: &IntervalFields) -> &'static str {
    match fields {
        IntervalFields::Year => "YEAR",
        IntervalFields::Month => "MONTH",
        IntervalFields::Day => "DAY",
        IntervalFields::Hour => "HOUR",
        IntervalFields::Minute => "MINUTE",
        IntervalFields::Second => "SECOND",
        IntervalFields::YearToMonth => "YEAR TO MONTH",
        IntervalFields::DayToHour => "DAY TO HOUR",
        IntervalFields::DayToMinute => "DAY TO MINUTE",
        IntervalFields::DayToSecond => "DAY TO SECOND",
        IntervalFields::HourToMinute => "HOUR TO MINUTE",
        IntervalFields::HourToSecond => "HOUR TO SECOND",
        IntervalFields::MinuteToSecond => "MINUTE TO SECOND",
    }
}

fn with(name: &str, modifiers: Vec<i64>) -> TypeName {
    TypeName {
        modifiers,
        ..with_name(Name::plain(name))
    }
}

fn with_name(name: Name) -> TypeName {
    TypeName {
        name,
        modifiers: Vec::new(),
        fields: None,
        is_array: false,
    }
}

fn number(value: u64) -> Result<i64, String> {
    i64::try_from(value).map_err(|_| format!("it casts to a type of the length {value}"))
}

fn digits(value: &Option<u64>) -> Result<Vec<i64>, String> {
    value.iter().map(|v| number(*v)).collect()
}

fn length_of(length: &Option<CharacterLength>, otherwise: Option<i64>) -> Result<Vec<i64>, String> {
    match length {
        None => Ok(otherwise.into_iter().collect()),
        Some(CharacterLength::IntegerLength { length, unit: None }) => Ok(vec![number(*length)?]),
        Some(other) => Err(format!("it casts to a type of the length {other}")),
    }
}

fn has_zone(zone: &TimezoneInfo) -> bool {
    match zone {
        TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => false,
        TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => true,
    }
}
