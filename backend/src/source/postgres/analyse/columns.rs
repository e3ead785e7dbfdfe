//! What types mean: of a domain the type below it counts, of an array that of its elements.

use super::super::client::PgClient;
use super::{asked, name_of};
use crate::analysis::facts::{ColumnFacts, SourceFacts, Trait};
use crate::source::SourceError;
use tokio_postgres::Row;

const COLUMNS: &str = "
    WITH RECURSIVE d(oid, base, mod, is_checked) AS (
        SELECT t.oid, t.typbasetype, t.typtypmod, EXISTS (SELECT 1 FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')
        FROM pg_type t WHERE t.typtype = 'd'
        UNION ALL SELECT d.oid, t.typbasetype, CASE WHEN d.mod <> -1 THEN d.mod ELSE t.typtypmod END,
               d.is_checked OR EXISTS (SELECT 1 FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')
        FROM d JOIN pg_type t ON t.oid = d.base AND t.typtype = 'd')
    SELECT n.nspname::text, c.relname::text, a.attname::text, b.typname::text,
           CASE WHEN b.typcategory = 'A' AND b.typlen = -1 THEN e.typname::text END, coalesce(nullif(d.mod, -1), a.atttypmod),
           b.typtype::text = 'e' OR coalesce(e.typtype::text = 'e' AND b.typcategory = 'A', false),
           coalesce(d.is_checked, false),
           CASE WHEN coalesce(to_jsonb(a) ->> 'attgenerated', '') = '' THEN pg_get_expr(v.adbin, v.adrelid) END
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN d ON d.oid = a.atttypid
    JOIN pg_type b ON b.oid = coalesce(d.base, a.atttypid) AND b.typtype <> 'd'
    LEFT JOIN pg_type e ON e.oid = b.typelem
    LEFT JOIN pg_attrdef v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.oid >= 16384";

/// Reads the columns of all tables.
///
/// # Errors
/// When the connection is lost.
pub(super) async fn read(pg: &PgClient, facts: &mut SourceFacts) -> Result<(), SourceError> {
    for row in asked(pg, COLUMNS, "columns", &mut facts.gaps).await? {
        let table = facts.tables.entry(name_of(&row)).or_default();
        table.columns.insert(row.get(2), facts_of(&row));
    }
    Ok(())
}

fn facts_of(row: &Row) -> ColumnFacts {
    let (base, element): (&str, Option<&str>) = (row.get(3), row.get(4));
    let mut traits = traits_of(base, element, row.get(5));
    if row.get(6) {
        traits.push(Trait::Enumerated);
    }
    if row.get(7) {
        traits.push(Trait::Constrained);
    }
    let default: Option<String> = row.get(8);
    ColumnFacts {
        traits,
        default: default.filter(|d| !d.starts_with("nextval(") && !d.starts_with("NULL")),
        measured: None,
    }
}

/// What a header of a value with a declared length takes.
const HEADER: i32 = 4;
/// Bytes that one character may take.
const CHARACTER_BYTES: u64 = 4;

/// What a type means, by its name, that of its elements, and its declared length or precision.
pub(super) fn traits_of(base: &str, element: Option<&str>, modifier: i32) -> Vec<Trait> {
    let mut traits = Vec::new();
    let declared = (modifier >= HEADER).then(|| modifier - HEADER);
    let length = declared.and_then(|n| u64::try_from(n).ok());
    match base {
        "text" | "bytea" => traits.push(Trait::Large { bytes_max: None }),
        "varchar" if length.is_none() => traits.push(Trait::Large { bytes_max: None }),
        "bpchar" => traits.push(Trait::Large {
            bytes_max: length.map(|n| n * CHARACTER_BYTES),
        }),
        _ => {}
    }
    match base {
        "bpchar" => traits.push(Trait::Padded),
        "varchar" | "text" => traits.push(Trait::Varying),
        _ => {}
    }
    match element.unwrap_or(base) {
        "point" | "line" | "lseg" | "box" | "path" | "polygon" | "circle" | "geometry" | "geography" | "raster" => {
            traits.push(Trait::Geospatial);
        }
        "numeric" => traits.push(Trait::Numeric {
            precision: declared.and_then(|n| u32::try_from((n >> 16) & 0xffff).ok()),
        }),
        "timestamptz" => traits.push(Trait::Zoned),
        _ => {}
    }
    traits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_mean_what_their_modifier_says() {
        let numeric = |precision: i32, scale: i32| traits_of("numeric", None, ((precision << 16) | scale) + 4);
        assert_eq!(numeric(40, 2), [Trait::Numeric { precision: Some(40) }]);
        assert_eq!(traits_of("numeric", None, -1), [Trait::Numeric { precision: None }]);
        assert_eq!(
            traits_of("_numeric", Some("numeric"), -1),
            [Trait::Numeric { precision: None }]
        );
        assert_eq!(
            traits_of("bpchar", None, 24),
            [Trait::Large { bytes_max: Some(80) }, Trait::Padded]
        );
        assert_eq!(traits_of("varchar", None, 24), [Trait::Varying]);
        assert_eq!(
            traits_of("varchar", None, -1),
            [Trait::Large { bytes_max: None }, Trait::Varying]
        );
        assert_eq!(traits_of("_point", Some("point"), -1), [Trait::Geospatial]);
        assert_eq!(traits_of("timestamptz", None, 7), [Trait::Zoned]);
        // The elements of an array of texts are bounded by nothing that could be measured here.
        assert!(traits_of("_text", Some("text"), -1).is_empty());
        assert!(traits_of("timestamp", None, -1).is_empty() && traits_of("int4", None, -1).is_empty());
    }
}
