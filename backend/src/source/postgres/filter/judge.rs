//! Which functions, operators and types a filter may use: by what the catalog says of them, and by name only where the
//! catalog does not say enough.
//!
//! | what | may be used |
//! | --- | --- |
//! | a function of the server that is IMMUTABLE | yes, but for those that read catalogs all the same ([`NEVER`]) |
//! | a function of the server that is STABLE | those of [`STABLE`]: they depend on settings that all sessions share |
//! | the clock, and chance | in a snapshot, by name ([`OF_TIME`], [`OF_CHANCE`]) |
//! | a function of an extension, in C and IMMUTABLE | yes, and those of [`STABLE_OF_EXTENSIONS`] |
//! | somebody's function that is IMMUTABLE and LEAKPROOF | yes, with its schema: only a superuser can declare it so |
//! | any other | no |
//! | an operator of the server or of an extension, not VOLATILE | yes |
//! | a type of the server ([`TYPES`]), an enum, a type of an extension | yes |
//!
//! A name stands for all functions that the server might choose for so many arguments: the worst of them decides.

use super::facts::{Facts, Function, Operator, Origin, Type, Volatility};
use super::print::BUILT_IN;
use super::tree::{Name, TypeName};

/// Functions that are only STABLE, because they depend on settings of the session, not on other rows.
const STABLE: &[&str] = &[
    "age",
    "array_to_json",
    "array_to_string",
    "concat",
    "concat_ws",
    "convert_from",
    "convert_to",
    "date",
    "date_add",
    "date_part",
    "date_subtract",
    "date_trunc",
    "enum_first",
    "enum_last",
    "enum_range",
    "extract",
    "format",
    "json_build_array",
    "json_build_object",
    "json_to_tsvector",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_path_exists_tz",
    "jsonb_path_match_tz",
    "jsonb_path_query_array_tz",
    "jsonb_path_query_first_tz",
    "jsonb_to_tsvector",
    "length",
    "make_timestamptz",
    "money",
    "numeric",
    "overlaps",
    "phraseto_tsquery",
    "plainto_tsquery",
    "quote_literal",
    "quote_nullable",
    "row_to_json",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "ts_headline",
    "ts_match_tq",
    "ts_match_tt",
    "websearch_to_tsquery",
];

/// Functions of extensions that are only STABLE because they read their own dictionary or setting.
const STABLE_OF_EXTENSIONS: &[&str] = &["unaccent"];

/// Functions of the server whose result is another one with time.
const OF_TIME: &[&str] = &[
    "now",
    "transaction_timestamp",
    "statement_timestamp",
    "clock_timestamp",
    "timeofday",
];

/// Functions of the server that give something else each time and do nothing else.
const OF_CHANCE: &[&str] = &["random", "gen_random_uuid"];

/// How names of functions begin that are not for filters, whatever the catalog says of them.
const NEVER: &[&str] = &[
    "pg_",
    "acl",
    "makeaclitem",
    "hash_aclitem",
    "amvalidate",
    "xmlvalidate",
    "fmgr_",
    "binary_upgrade",
    "lo_",
];
/// Those of them that only compute.
const HARMLESS: &[&str] = &["pg_size_bytes", "pg_size_pretty", "pg_lsn_mi", "pg_wal_lsn_diff"];

/// Types of the server that hold their value and nothing else: reading and printing one looks nothing up.
const TYPES: &[&str] = &[
    "bit",
    "bool",
    "box",
    "bpchar",
    "bytea",
    "char",
    "cidr",
    "circle",
    "date",
    "datemultirange",
    "daterange",
    "float4",
    "float8",
    "inet",
    "int2",
    "int4",
    "int4multirange",
    "int4range",
    "int8",
    "int8multirange",
    "int8range",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "nummultirange",
    "numrange",
    "oid",
    "path",
    "pg_lsn",
    "point",
    "polygon",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "uuid",
    "varbit",
    "varchar",
];

/// Types whose input reads `today` as the present day.
const TIMES: &[&str] = &["date", "time", "timetz", "timestamp", "timestamptz"];

/// Whether the functions of a schema may be called by this name; `Some` says that the result depends on more than the
/// row.
///
/// # Errors
/// Why not, in a clause that begins with "it".
pub fn judge_function(candidates: &[&Function], name: &Name, arguments: usize) -> Result<Option<String>, String> {
    let mut beyond = None;
    for function in candidates {
        if let Some(reason) =
            judge_one(function, arguments).map_err(|why| format!("it calls {}, {why}", shown(name)))?
        {
            beyond = Some(format!("{reason}: {}", shown(name)));
        }
    }
    Ok(beyond)
}

fn judge_one(function: &Function, arguments: usize) -> Result<Option<&'static str>, &'static str> {
    let name = function.name.as_str();
    if !function.is_scalar {
        return Err("which does not make one value of one row");
    }
    match function.origin {
        Origin::Server => {
            if NEVER.iter().any(|prefix| name.starts_with(prefix)) && !HARMLESS.contains(&name) {
                return Err("which looks at more than the row or has side effects");
            }
            if OF_TIME.contains(&name) || (name == "age" && arguments == 1) {
                return Ok(Some("it depends on the time"));
            }
            if OF_CHANCE.contains(&name) {
                return Ok(Some("it depends on chance"));
            }
            match function.volatility {
                Volatility::Immutable => Ok(None),
                Volatility::Stable if STABLE.contains(&name) => Ok(None),
                Volatility::Stable => Err("which depends on more than the row"),
                Volatility::Volatile => Err("which has side effects or looks at more than the row"),
            }
        }
        Origin::Extension => match function.volatility {
            Volatility::Immutable if function.is_native => Ok(None),
            Volatility::Stable if function.is_native && STABLE_OF_EXTENSIONS.contains(&name) => Ok(None),
            Volatility::Immutable | Volatility::Stable | Volatility::Volatile => {
                Err("whose extension does not declare it free of side effects and of other rows (C, IMMUTABLE)")
            }
        },
        Origin::Somebody if function.volatility == Volatility::Immutable && function.is_leakproof => Ok(None),
        Origin::Somebody => Err("which is neither of the server nor of an extension, and not IMMUTABLE and LEAKPROOF"),
    }
}

/// Whether the operators of a schema may be used by this name.
///
/// # Errors
/// Why not, in a clause that begins with "it".
pub fn judge_operator(candidates: &[&Operator], name: &Name) -> Result<(), String> {
    let refused = |why: &str| Err(format!("it uses the operator {}, {why}", shown(name)));
    if candidates.is_empty() {
        return refused("which neither the server nor an extension has");
    }
    for operator in candidates {
        match (operator.origin, operator.volatility) {
            (Origin::Server | Origin::Extension, Volatility::Immutable | Volatility::Stable) => {}
            (Origin::Server | Origin::Extension, Volatility::Volatile) => return refused("which has side effects"),
            (Origin::Somebody, _) => return refused("which somebody has declared in that schema"),
        }
    }
    Ok(())
}

/// The type that a cast may go to, with its schema.
///
/// # Errors
/// Why not, in a clause that begins with "it".
pub fn judge_type(facts: &Facts, to: &TypeName, schema: &str) -> Result<Name, String> {
    let refused = |why: &str| Err(format!("it casts to {}, {why}", shown(&to.name)));
    let Some(found) = facts.type_named(&to.name, &[schema, "public"]) else {
        return refused("which the source does not have");
    };
    if let Some(cast) = foreign_cast(facts, found) {
        return refused(&format!("but {cast}"));
    }
    let is_plain = found.schema == BUILT_IN && found.origin == Origin::Server && TYPES.contains(&found.name.as_str());
    match is_plain || found.is_enum || (found.origin == Origin::Extension && found.is_base) {
        true => Ok(Name {
            schema: Some(found.schema.clone()),
            name: found.name.clone(),
        }),
        false => refused("which looks things up or runs what somebody has declared"),
    }
}

/// A cast of somebody's that the server might choose for a value of the type.
pub fn foreign_cast<'f>(facts: &'f Facts, of: &Type) -> Option<&'f str> {
    (facts.casts.iter())
        .find(|c| c.source == of.id || c.target == of.id)
        .map(|c| c.description.as_str())
}

/// Whether a type reads a text as a time.
pub fn is_time(to: &TypeName) -> bool {
    let name = to.name.name.as_str();
    TIMES.contains(&name) || name.starts_with("ts") && name.ends_with("range") || name.starts_with("date")
}

fn shown(name: &Name) -> String {
    match &name.schema {
        Some(schema) if schema != BUILT_IN => format!("{schema}.{}", name.name),
        _ => name.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, origin: Origin, volatility: Volatility) -> Function {
        Function {
            name: name.into(),
            schema: BUILT_IN.into(),
            origin,
            volatility,
            is_leakproof: false,
            is_scalar: true,
            is_native: true,
            parameters: vec![25],
            defaults: 0,
            is_variadic: false,
        }
    }

    fn judged(function: &Function) -> Result<Option<String>, String> {
        judge_function(&[function], &Name::plain(&function.name), 1)
    }

    #[test]
    fn functions_are_judged_by_origin_and_volatility() {
        use Origin::{Extension, Server, Somebody};
        use Volatility::{Immutable, Stable, Volatile};
        for (name, origin, volatility) in [
            ("lower", Server, Immutable),
            ("to_char", Server, Stable),
            ("digest", Extension, Immutable),
            ("unaccent", Extension, Stable),
        ] {
            assert_eq!(judged(&function(name, origin, volatility)), Ok(None), "{name}");
        }
        for name in ["now", "age", "random"] {
            assert!(
                judged(&function(name, Server, Stable)).is_ok_and(|b| b.is_some()),
                "{name}"
            );
        }
        for (name, origin, volatility) in [
            ("nextval", Server, Volatile),
            ("query_to_xml", Server, Volatile),
            ("table_to_xml", Server, Stable),
            ("current_setting", Server, Stable),
            ("pg_partition_root", Server, Immutable),
            ("dblink_exec", Extension, Volatile),
            ("crosstab", Extension, Stable),
            ("mine", Somebody, Immutable),
            ("mine", Somebody, Stable),
        ] {
            let refused = judged(&function(name, origin, volatility));
            assert!(refused.as_ref().is_err_and(|e| e.contains(name)), "{name}: {refused:?}");
        }
        let vouched = Function {
            is_leakproof: true,
            ..function("mine", Somebody, Immutable)
        };
        assert_eq!(judged(&vouched), Ok(None));
        let of_rows = Function {
            is_scalar: false,
            ..function("generate_series", Server, Immutable)
        };
        assert!(judged(&of_rows).is_err());
    }

    #[test]
    fn the_worst_of_several_decides() {
        let good = function("ts_rewrite", Origin::Server, Volatility::Immutable);
        let bad = function("ts_rewrite", Origin::Server, Volatility::Volatile);
        assert!(judge_function(&[&good, &bad], &Name::plain("ts_rewrite"), 2).is_err());
    }
}
