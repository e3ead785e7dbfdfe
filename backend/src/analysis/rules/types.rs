//! Rules about the types of columns, and about what their values are.

use super::{Rule, With, columns, listed, plural, size};
use crate::analysis::facts::{ColumnFacts, Measured, TableFacts, Trait};
use crate::data::catalog::{CatalogColumn, CatalogTable};
use godwit_shared::analysis::{Category, Detection, Difficulty, Level, ObjectType};

const fn rule(id: &'static str, name: &'static str, difficulty: Difficulty, level: Level) -> Rule {
    Rule {
        id,
        name,
        object: ObjectType::Table,
        category: Category::DataType,
        difficulty,
        level,
    }
}

const GEOSPATIAL: Rule = rule("geospatial_data", "Geospatial Data", Difficulty::High, Level::Task);
const BLOBS: Rule = rule("blob_types", "Blob Types", Difficulty::Medium, Level::Risk);
const PRECISION: Rule = rule(
    "numeric_precision_specified",
    "Numeric precision (specified)",
    Difficulty::Medium,
    Level::Risk,
);
const NO_PRECISION: Rule = rule(
    "numeric_precision_unspecified",
    "Numeric precision (unspecified)",
    Difficulty::Medium,
    Level::Notice,
);
const ZONES: Rule = rule(
    "timezones_on_dates",
    "Timezones on dates",
    Difficulty::Medium,
    Level::Notice,
);
const UNUSUAL: Rule = rule(
    "unusual_types",
    "Types with a wider range",
    Difficulty::Low,
    Level::Notice,
);
const SPECIAL: Rule = rule(
    "special_values",
    "Values outside of the usual range",
    Difficulty::Medium,
    Level::Risk,
);
const ZERO_DATES: Rule = rule("zero_dates", "Zero dates", Difficulty::Medium, Level::Risk);

/// Digits that a decimal of BSON has.
pub const DIGITS_MAX: u32 = 34;
/// A value up to this size cannot be what makes a document too large.
const HARMLESS_BYTES: u64 = 1 << 20;

/// Applies them to one table.
pub fn look(table: &CatalogTable, facts: &TableFacts, found: &mut Vec<Detection>) {
    let with = |matches: &dyn Fn(&ColumnFacts) -> bool| -> Vec<(&CatalogColumn, &ColumnFacts)> {
        columns(table, facts).filter(|(_, facts)| matches(facts)).collect()
    };
    let named = |columns: &[(&CatalogColumn, &ColumnFacts)]| -> (Vec<String>, String) {
        let shown: Vec<String> = (columns.iter())
            .map(|(c, _)| format!("{} ({})", c.name, c.type_text))
            .collect();
        (columns.iter().map(|(c, _)| c.name.clone()).collect(), listed(&shown))
    };
    let mut add = |rule: &Rule, level: Level, columns: &[(&CatalogColumn, &ColumnFacts)], text: &str, then: &str| {
        if columns.is_empty() {
            return;
        }
        let (members, shown) = named(columns);
        let text = format!("Column{} {shown} {text}", plural(columns.len()));
        found.push(rule.at_table(table, text, then).members(members).level(level));
    };

    let geospatial = with(&|c| c.is(Trait::Geospatial));
    add(
        &GEOSPATIAL,
        GEOSPATIAL.level,
        &geospatial,
        "hold geometric values, which MongoDB does not know in this form.",
        "Choose for each field what it becomes: GeoJSON can be searched with a 2dsphere index, the plain form keeps every \
         digit. Queries on these columns have to be written anew.",
    );
    blobs(&with(&|c| largest_by_type(c).is_some()), &mut add);
    let digits = |c: &ColumnFacts| c.measured.as_ref().and_then(|m| m.digits);
    let declared = with(&|c| {
        c.traits
            .iter()
            .any(|t| matches!(t, Trait::Numeric { precision: Some(p) } if *p > DIGITS_MAX))
    });
    add(
        &PRECISION,
        PRECISION.level,
        &declared,
        "may hold more than 34 digits, which is what a decimal of MongoDB has.",
        "Store them as String where every digit counts; otherwise the values are rounded to 34 digits, and the job says so.",
    );
    let undeclared = with(&|c| c.is(Trait::Numeric { precision: None }));
    let most = undeclared.iter().filter_map(|(_, c)| digits(c)).max();
    let is_sample = undeclared
        .iter()
        .any(|(_, c)| c.measured.as_ref().is_some_and(|m| m.is_sample));
    let level = if most.is_some_and(|digits| digits > DIGITS_MAX) {
        Level::Risk
    } else {
        Level::Notice
    };
    let told = match most {
        Some(digits) => format!(
            "have no declared precision. The longest value {} has {digits} digit{}; a decimal of MongoDB has 34.",
            where_from(is_sample),
            plural(digits as usize)
        ),
        None => "have no declared precision: a value may have more than the 34 digits of a decimal of MongoDB.".into(),
    };
    add(
        &NO_PRECISION,
        level,
        &undeclared,
        &told,
        "Nothing is to be done while no value has more than 34 digits. Beyond that, store them as String, or accept that they \
         are rounded.",
    );
    add(
        &ZONES,
        ZONES.level,
        &with(&|c| c.is(Trait::Zoned)),
        "are moments: the source keeps no time zone with them, it shows them in that of the session.",
        "They become dates in UTC. An application that showed them in the zone of its session has to convert them itself.",
    );
    let wide = |c: &ColumnFacts| {
        [Trait::UnsignedBigint, Trait::Bits, Trait::LongTime]
            .iter()
            .any(|t| c.is(*t))
    };
    add(
        &UNUSUAL,
        UNUSUAL.level,
        &with(&wide),
        "have types whose values the usual type of MongoDB does not hold in full: numbers above 2^63, groups of bits, times \
         beyond a day.",
        "Look at the target type of each field: a decimal for large numbers, binary data for bits, a text for times.",
    );
    let special = with(&|c| c.measured.as_ref().is_some_and(|m| !m.special.is_empty()));
    let mut words: Vec<&str> = (special.iter())
        .flat_map(|(_, c)| c.measured.iter().flat_map(|m| m.special.iter().map(String::as_str)))
        .collect();
    words.sort_unstable();
    words.dedup();
    add(
        &SPECIAL,
        SPECIAL.level,
        &special,
        &format!("have rows with {}.", words.join(", ")),
        "Decide what stands for such values in the documents: a job tells of each that a field of its type cannot hold, and \
         leaves the row out or the value, as it is set. A target type String holds them all.",
    );
    add(
        &ZERO_DATES,
        ZERO_DATES.level,
        &with(&|c| c.measured.as_ref().is_some_and(|m| m.has_zero_dates)),
        "have rows with dates that are none, such as 0000-00-00.",
        "Set them to NULL or to a date in the source, or choose String for these fields.",
    );
}

/// Adds a detection for some columns of a table: its text begins with them.
type Add<'a> = dyn FnMut(&Rule, Level, &[(&CatalogColumn, &ColumnFacts)], &str, &str) + 'a;

fn where_from(is_sample: bool) -> &'static str {
    if is_sample { "in a sample" } else { "that there is" }
}

/// The bytes that a type lets a value have, where it may be large at all.
fn largest_by_type(column: &ColumnFacts) -> Option<Option<u64>> {
    column.traits.iter().find_map(|t| match t {
        Trait::Large { bytes_max } => Some(*bytes_max),
        _ => None,
    })
}

/// The bytes of the largest value, as far as they are known: measured in all rows or in some, or bound by the type.
fn largest(column: &ColumnFacts) -> Option<(u64, bool)> {
    let by_type = largest_by_type(column)
        .flatten()
        .filter(|bytes| *bytes <= HARMLESS_BYTES);
    let measured = |m: &Measured| Some((m.bytes?, m.is_sample));
    by_type
        .map(|bytes| (bytes, false))
        .or_else(|| column.measured.as_ref().and_then(measured))
}

fn blobs(columns: &[(&CatalogColumn, &ColumnFacts)], add: &mut Add<'_>) {
    let known: Vec<Option<(u64, bool)>> = columns.iter().map(|(_, c)| largest(c)).collect();
    let most = known.iter().flatten().map(|(bytes, _)| *bytes).max().unwrap_or(0);
    let is_sample = known.iter().flatten().any(|(_, is_sample)| *is_sample);
    let is_known = known.iter().all(Option::is_some);
    let level = if is_known && most <= HARMLESS_BYTES {
        Level::Notice
    } else {
        Level::Risk
    };
    let measured = match (is_known, is_sample) {
        (true, false) => format!("The largest value has at most {}.", size(most)),
        (true, true) => format!("The largest value in a sample has {}.", size(most)),
        (false, _) => "How large the values are could not be measured.".into(),
    };
    let mitigation = if level == Level::Notice {
        "Nothing is to be done while the values stay that small: a document with all that is embedded in it stops at 16 MiB."
    } else {
        "A document stops at 16 MiB: keep large values in an object store or in GridFS, or exclude the columns."
    };
    add(
        &BLOBS,
        level,
        columns,
        &format!("may hold large values. {measured}"),
        mitigation,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::Bench;

    fn of(kind: &str, traits: &[Trait], measured: Option<Measured>) -> Bench {
        let mut bench = Bench::clean();
        bench.column("c", kind, traits).measured = measured;
        bench
    }

    #[test]
    fn geometric_columns_are_a_task() {
        let found = of("point", &[Trait::Geospatial], None).only("geospatial_data");
        assert_eq!((found.rule_type, found.difficulty), (Level::Task, Difficulty::High));
        assert_eq!(
            (found.id.as_str(), &found.members[..]),
            ("geospatial_data:public.parent", &["c".to_owned()][..])
        );
        assert!(
            found.detection_text.starts_with("Column c (point) hold"),
            "{}",
            found.detection_text
        );
    }

    #[test]
    fn large_values_are_a_risk_until_they_are_measured_to_be_small() {
        let large = [Trait::Large { bytes_max: None }];
        let level = |measured: Option<Measured>| of("text", &large, measured).only("blob_types").rule_type;
        let bytes = |bytes: u64, is_sample: bool| {
            Some(Measured {
                bytes: Some(bytes),
                is_sample,
                ..Measured::default()
            })
        };
        assert_eq!(level(None), Level::Risk);
        assert_eq!(level(bytes(2 << 20, false)), Level::Risk);
        assert_eq!(level(bytes(1_000, false)), Level::Notice);
        let sampled = of("text", &large, bytes(1_000, true)).only("blob_types");
        assert!(
            sampled.detection_text.contains("in a sample"),
            "{}",
            sampled.detection_text
        );
        let bounded = of("character(20)", &[Trait::Large { bytes_max: Some(80) }], None).only("blob_types");
        assert_eq!(bounded.rule_type, Level::Notice);
    }

    #[test]
    fn numbers_of_more_than_34_digits_are_a_risk() {
        let declared = |p: u32| of("numeric", &[Trait::Numeric { precision: Some(p) }], None);
        assert!(declared(34).rules().is_empty());
        assert_eq!(declared(35).only("numeric_precision_specified").rule_type, Level::Risk);
        let digits = |digits: u32| {
            let measured = Measured {
                digits: Some(digits),
                ..Measured::default()
            };
            of("numeric", &[Trait::Numeric { precision: None }], Some(measured)).only("numeric_precision_unspecified")
        };
        assert_eq!(
            (digits(34).rule_type, digits(35).rule_type),
            (Level::Notice, Level::Risk)
        );
        assert!(digits(12).detection_text.contains("12 digits"));
    }

    #[test]
    fn types_and_values_that_need_a_look_are_named() {
        assert_eq!(
            of("timestamptz", &[Trait::Zoned], None)
                .only("timezones_on_dates")
                .rule_type,
            Level::Notice
        );
        for wide in [Trait::UnsignedBigint, Trait::Bits, Trait::LongTime] {
            assert_eq!(of("t", &[wide], None).only("unusual_types").rule_type, Level::Notice);
        }
        let special = Measured {
            special: vec!["NaN".into(), "infinity".into()],
            ..Measured::default()
        };
        let found = of("float8", &[], Some(special)).only("special_values");
        assert!(
            found.detection_text.contains("NaN, infinity"),
            "{}",
            found.detection_text
        );
        let zero = Measured {
            has_zero_dates: true,
            ..Measured::default()
        };
        assert_eq!(of("date", &[], Some(zero)).only("zero_dates").rule_type, Level::Risk);
        assert!(of("float8", &[], Some(Measured::default())).rules().is_empty());
    }
}
