//! The catalog in a fixed number of bulk queries, however many tables there are.

use super::client::{PgClient, query_error};
use super::queries::quote;
use super::values::Codec;
use crate::data::catalog::{Catalog, CatalogColumn, CatalogForeignKey, CatalogIndex, CatalogTable, TypeFamily};
use crate::source::SourceError;
use godwit_shared::mapping::FieldType;
use godwit_shared::schema::TableName;
use std::collections::HashMap;
use std::sync::Arc;

/// Partitions and chunks of hypertables belong to their root, so only roots are listed; tables that inherit are tables
/// of their own.
const TABLES: &str = "
    SELECT c.oid, n.nspname, c.relname, c.relkind = 'p', c.relpersistence::text = 'u',
           has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'),
           row_security_active(c.oid), greatest(c.reltuples, 0)::float8,
           CASE WHEN c.relkind = 'r' THEN pg_table_size(c.oid) ELSE 0 END::int8
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', '_timescaledb_internal',
                            '_timescaledb_catalog', '_timescaledb_config', '_timescaledb_cache')
      AND n.nspname NOT LIKE 'pg\\_temp\\_%' AND n.nspname NOT LIKE 'pg\\_toast\\_temp\\_%'";

/// Rows and bytes of the leaves, by root.
const LEAVES: &str = "
    WITH RECURSIVE tree(root, oid) AS (
        SELECT c.oid, c.oid FROM pg_class c WHERE c.relkind = 'p' AND NOT c.relispartition
        UNION ALL SELECT t.root, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
    SELECT t.root, sum(greatest(c.reltuples, 0))::float8, sum(pg_table_size(c.oid))::int8
    FROM tree t JOIN pg_class c ON c.oid = t.oid AND c.relkind = 'r' GROUP BY t.root";

const COLUMNS: &str = "
    SELECT a.attrelid, a.attname, a.attnum, a.atttypid, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
           coalesce(to_jsonb(a) ->> 'attgenerated', '') <> '',
           a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid), '') LIKE 'nextval(%',
           coalesce(NOT co.collisdeterministic, false)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN (SELECT oid, coalesce((to_jsonb(x) ->> 'collisdeterministic')::bool, true) AS collisdeterministic
               FROM pg_collation x) co ON co.oid = a.attcollation
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.oid >= 16384
    ORDER BY a.attrelid, a.attnum";

const CONSTRAINTS: &str = "
    SELECT con.conrelid, con.contype::text, con.conname, con.conkey, con.confrelid, con.confkey
    FROM pg_constraint con JOIN pg_class c ON c.oid = con.conrelid
    WHERE con.contype IN ('p', 'f') AND NOT c.relispartition AND con.conparentid = 0 AND c.oid >= 16384
    ORDER BY con.conname";

const INDEXES: &str = "
    SELECT i.indrelid, ic.relname, i.indkey::int2[], i.indisunique,
           coalesce((to_jsonb(i) ->> 'indnkeyatts')::int, i.indnatts::int)
    FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_am am ON am.oid = ic.relam
    WHERE i.indisvalid AND i.indpred IS NULL AND am.amname IN ('btree', 'hash')
      AND NOT c.relispartition AND c.oid >= 16384";

/// Every type that a column may have, with the schema that its name needs.
const TYPES: &str = "
    SELECT t.oid, n.nspname, t.typname, t.typtype::text, t.typelem, t.typbasetype, t.typrelid, t.typsend::oid <> 0,
           t.typcategory::text = 'A' AND t.typlen = -1,
           EXISTS (SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'
                   WHERE o.opcdefault AND o.opcintype = t.oid),
           coalesce(r.rngsubtype, 0)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_range r ON r.rngtypid = t.oid
    WHERE t.typtype <> 'p'";

/// Of a multirange the range below it: PostgreSQL 14 and later.
const MULTIRANGES: &str = "SELECT (to_jsonb(r) ->> 'rngmultitypid')::oid, rngsubtype FROM pg_range r
    WHERE to_jsonb(r) ->> 'rngmultitypid' IS NOT NULL";

const ATTRIBUTES: &str = "
    SELECT t.oid, a.attname, a.atttypid FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
    JOIN pg_class c ON c.oid = t.typrelid
    WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY t.oid, a.attnum";

struct PgType {
    schema: String,
    name: String,
    kind: String,
    element: u32,
    base: u32,
    has_send: bool,
    is_array: bool,
    has_order: bool,
    range_of: u32,
}

struct Types {
    by_oid: HashMap<u32, PgType>,
    attributes: HashMap<u32, Vec<(String, u32)>>,
    multirange_of: HashMap<u32, u32>,
    money_scale: u32,
}

/// Reads the catalog over an open connection.
///
/// # Errors
/// When the server refuses a query or the connection is lost.
pub async fn read_catalog(pg: &PgClient) -> Result<Catalog, SourceError> {
    let query = |sql: &'static str| async move { pg.client.query(sql, &[]).await.map_err(query_error) };
    let about = query("SELECT current_setting('server_version'), current_database()::text").await?;
    let types = read_types(pg).await?;
    let mut tables: HashMap<u32, CatalogTable> = HashMap::new();
    for row in query(TABLES).await? {
        let table = CatalogTable {
            name: TableName::new(row.get::<_, String>(1), row.get::<_, String>(2)),
            columns: Vec::new(),
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            is_partitioned: row.get(3),
            is_unlogged: row.get(4),
            can_select: row.get(5),
            has_row_security: row.get(6),
            rows_estimated: row.get::<_, f64>(7) as u64,
            size_bytes: row.get::<_, i64>(8) as u64,
        };
        tables.insert(row.get(0), table);
    }
    for row in query(LEAVES).await? {
        if let Some(table) = tables.get_mut(&row.get(0)) {
            table.rows_estimated = row.get::<_, f64>(1) as u64;
            table.size_bytes = row.get::<_, i64>(2) as u64;
        }
    }
    let mut places: HashMap<(u32, i16), usize> = HashMap::new();
    for row in query(COLUMNS).await? {
        let oid: u32 = row.get(0);
        let Some(table) = tables.get_mut(&oid) else { continue };
        places.insert((oid, row.get(2)), table.columns.len());
        table.columns.push(types.column(&row));
    }
    read_keys(&query(CONSTRAINTS).await?, &mut tables, &places);
    for row in query(INDEXES).await? {
        let oid: u32 = row.get(0);
        let Some(table) = tables.get_mut(&oid) else { continue };
        let columns: Vec<i16> = row.get(2);
        let key_columns = usize::try_from(row.get::<_, i32>(4)).unwrap_or(columns.len());
        table.indexes.push(CatalogIndex {
            name: row.get(1),
            columns: columns[..key_columns.min(columns.len())]
                .iter()
                .map(|n| places.get(&(oid, *n)).copied())
                .collect(),
            is_unique: row.get(3),
        });
    }
    Ok(Catalog {
        tables: tables.into_values().map(|t| (t.name.clone(), Arc::new(t))).collect(),
        version: about[0].get(0),
        database: about[0].get(1),
    })
}

fn read_keys(
    rows: &[tokio_postgres::Row],
    tables: &mut HashMap<u32, CatalogTable>,
    places: &HashMap<(u32, i16), usize>,
) {
    let names: HashMap<u32, TableName> = tables.iter().map(|(oid, t)| (*oid, t.name.clone())).collect();
    let column_name = |tables: &HashMap<u32, CatalogTable>, oid: u32, number: i16| -> Option<String> {
        Some(tables.get(&oid)?.columns[*places.get(&(oid, number))?].name.clone())
    };
    for row in rows {
        let (oid, kind): (u32, String) = (row.get(0), row.get(1));
        let columns: Vec<i16> = row.get(3);
        if kind == "p" {
            let key = columns.iter().filter_map(|n| places.get(&(oid, *n)).copied()).collect();
            if let Some(table) = tables.get_mut(&oid) {
                table.primary_key = key;
            }
            continue;
        }
        let target_oid: u32 = row.get(4);
        let target_columns: Vec<i16> = row.get(5);
        let own: Option<Vec<String>> = columns.iter().map(|n| column_name(tables, oid, *n)).collect();
        let others: Option<Vec<String>> = target_columns
            .iter()
            .map(|n| column_name(tables, target_oid, *n))
            .collect();
        if let (Some(own), Some(others), Some(target)) = (own, others, names.get(&target_oid)) {
            let key = CatalogForeignKey {
                name: row.get(2),
                columns: own,
                target: target.clone(),
                target_columns: others,
            };
            if let Some(table) = tables.get_mut(&oid) {
                table.foreign_keys.push(key);
            }
        }
    }
}

async fn read_types(pg: &PgClient) -> Result<Types, SourceError> {
    let mut types = Types {
        by_oid: HashMap::new(),
        attributes: HashMap::new(),
        multirange_of: HashMap::new(),
        money_scale: 2,
    };
    for row in pg.client.query(TYPES, &[]).await.map_err(query_error)? {
        types.by_oid.insert(
            row.get(0),
            PgType {
                schema: row.get(1),
                name: row.get(2),
                kind: row.get(3),
                element: row.get(4),
                base: row.get(5),
                has_send: row.get(7),
                is_array: row.get(8),
                has_order: row.get(9),
                range_of: row.get(10),
            },
        );
    }
    for row in pg.client.query(ATTRIBUTES, &[]).await.map_err(query_error)? {
        types
            .attributes
            .entry(row.get(0))
            .or_default()
            .push((row.get(1), row.get(2)));
    }
    for row in pg.client.query(MULTIRANGES, &[]).await.map_err(query_error)? {
        types.multirange_of.insert(row.get(0), row.get(1));
    }
    // How many digits `money` has after the point is a setting of the server's locale, not of the value.
    let row = pg
        .client
        .query_one("SELECT scale('1'::money::numeric)", &[])
        .await
        .map_err(query_error)?;
    types.money_scale = u32::try_from(row.get::<_, i32>(0)).unwrap_or(2);
    Ok(types)
}

impl Types {
    /// Below all domains.
    fn base_of(&self, mut oid: u32) -> u32 {
        while let Some(t) = self.by_oid.get(&oid)
            && t.kind == "d"
        {
            oid = t.base;
        }
        oid
    }

    fn column(&self, row: &tokio_postgres::Row) -> CatalogColumn {
        let base = self.base_of(row.get(3));
        let codec = self.codec(base);
        let has_own_equality: bool = row.get(8);
        let codec = codec.unwrap_or_else(|| {
            if self.by_oid.get(&base).is_some_and(|t| t.is_array) {
                Codec::TextArray
            } else {
                Codec::Text
            }
        });
        let codec = if has_own_equality && matches!(codec, Codec::Text) {
            Codec::CaselessText
        } else {
            codec
        };
        CatalogColumn {
            name: row.get(1),
            type_text: row.get(4),
            cast: self.cast(base),
            family: family(base, &codec),
            default_type: default_type(&codec),
            nullable: row.get(5),
            is_generated: row.get(6),
            is_auto_incremented: row.get(7),
            is_orderable: self.is_orderable(base),
            reads_as_text: self.codec(base).is_none() || codec.reads_as_text(),
            loses_identity: loses_identity(&codec),
            folds_keys: holds(&codec, &|c| matches!(c, Codec::CaselessText)),
            parts_equals: parts_equals(&codec),
            equals_as_bytes: equals_as_bytes(&codec),
            comes_apart: self.comes_apart(base),
            decoder: Arc::new(codec),
        }
    }

    fn cast(&self, oid: u32) -> String {
        match self.by_oid.get(&oid) {
            Some(t) if t.is_array => format!("{}[]", self.cast(t.element)),
            Some(t) => format!("{}.{}", quote(&t.schema), quote(&t.name)),
            None => "text".into(),
        }
    }

    fn comes_apart(&self, oid: u32) -> bool {
        self.by_oid.get(&oid).is_some_and(|t| t.is_array || t.kind == "c")
    }

    fn is_orderable(&self, oid: u32) -> bool {
        let oid = self.base_of(oid);
        let Some(t) = self.by_oid.get(&oid) else { return false };
        if t.is_array {
            return self.is_orderable(t.element);
        }
        match t.kind.as_str() {
            "e" | "r" | "m" => true,
            "c" => self
                .attributes
                .get(&oid)
                .is_some_and(|a| a.iter().all(|(_, t)| self.is_orderable(*t))),
            // varchar has no operator class of its own: it is compared as text
            _ => t.has_order || t.name == "varchar",
        }
    }

    /// How the binary form is read; `None` when the type has none that this build knows.
    fn codec(&self, oid: u32) -> Option<Codec> {
        let oid = self.base_of(oid);
        let t = self.by_oid.get(&oid)?;
        if !t.has_send {
            return None;
        }
        if t.is_array {
            return Some(Codec::Array(Arc::new(
                self.codec(t.element).filter(|c| !c.reads_as_text())?,
            )));
        }
        match t.kind.as_str() {
            "e" => return Some(Codec::Text),
            "r" => return Some(Codec::Range(Arc::new(self.codec(t.range_of)?))),
            "m" => return Some(Codec::Multirange(Arc::new(self.codec(*self.multirange_of.get(&oid)?)?))),
            "c" => {
                let fields: Option<Vec<_>> = self
                    .attributes
                    .get(&oid)?
                    .iter()
                    .map(|(name, t)| Some((name.clone(), self.codec(*t)?)))
                    .collect();
                return Some(Codec::Composite(fields?.into()));
            }
            _ => {}
        }
        if t.schema == "pg_catalog" {
            builtin(&t.name, self.money_scale)
        } else {
            extension(&t.name)
        }
    }
}

fn builtin(name: &str, money_scale: u32) -> Option<Codec> {
    Some(match name {
        "bool" => Codec::Bool,
        "int2" => Codec::Int2,
        "int4" => Codec::Int4,
        "int8" => Codec::Int8,
        "oid" => Codec::Oid,
        "float4" => Codec::Float4,
        "float8" => Codec::Float8,
        "numeric" => Codec::Numeric,
        "money" => Codec::Money(money_scale),
        "text" | "varchar" | "name" | "xml" => Codec::Text,
        "bpchar" => Codec::PaddedText,
        "char" => Codec::Char,
        "bytea" => Codec::Bytes,
        "date" => Codec::Date,
        "timestamp" => Codec::Timestamp,
        "timestamptz" => Codec::TimestampTz,
        "time" => Codec::Time,
        "timetz" => Codec::TimeTz,
        "interval" => Codec::Interval,
        "uuid" => Codec::Uuid,
        "json" => Codec::Json,
        "jsonb" => Codec::Jsonb,
        "jsonpath" => Codec::VersionedText,
        "inet" => Codec::Inet,
        "cidr" => Codec::Cidr,
        "macaddr" | "macaddr8" => Codec::MacAddr,
        "bit" | "varbit" => Codec::Bits,
        "pg_lsn" => Codec::Lsn,
        "tsvector" => Codec::TsVector,
        "point" => Codec::Point,
        "line" => Codec::Line,
        "lseg" => Codec::Segment,
        "box" => Codec::Box,
        "path" => Codec::Path,
        "polygon" => Codec::Polygon,
        "circle" => Codec::Circle,
        _ => return None,
    })
}

fn extension(name: &str) -> Option<Codec> {
    Some(match name {
        "citext" => Codec::CaselessText,
        "hstore" => Codec::Hstore,
        "ltree" | "lquery" | "ltxtquery" => Codec::VersionedText,
        "geometry" | "geography" => Codec::Geometry,
        "vector" => Codec::Vector,
        _ => return None,
    })
}

/// Whether two values that the source tells apart can be one in BSON: digits that are cut, or null for both.
fn loses_identity(codec: &Codec) -> bool {
    match codec {
        Codec::Date | Codec::Timestamp | Codec::TimestampTz | Codec::Float4 | Codec::Numeric | Codec::Jsonb => true,
        Codec::Composite(fields) => fields.iter().any(|(_, field)| loses_identity(field)),
        _ => false,
    }
}

/// Whether equal values have equal bytes, and different ones different bytes. Only of types that keys mostly have: for
/// others it may be so as well.
fn equals_as_bytes(codec: &Codec) -> bool {
    matches!(codec, Codec::Int2 | Codec::Int4 | Codec::Int8 | Codec::Uuid)
}

/// Whether the codec, or one inside of it, is such a one.
fn holds(codec: &Codec, is_one: &impl Fn(&Codec) -> bool) -> bool {
    is_one(codec)
        || match codec {
            Codec::Range(inner) | Codec::Multirange(inner) | Codec::Array(inner) => holds(inner, is_one),
            Codec::Composite(fields) => fields.iter().any(|(_, field)| holds(field, is_one)),
            _ => false,
        }
}

/// Whether values that the source calls equal can differ in their canonical form: the parts of nested ones keep theirs.
fn parts_equals(codec: &Codec) -> bool {
    let has_forms = |c: &Codec| {
        matches!(
            c,
            Codec::Numeric
                | Codec::Float4
                | Codec::Float8
                | Codec::PaddedText
                | Codec::CaselessText
                | Codec::Interval
                | Codec::Jsonb
                | Codec::TextArray
        )
    };
    match codec {
        Codec::Interval | Codec::Jsonb | Codec::TextArray => true,
        Codec::Range(_) | Codec::Multirange(_) | Codec::Array(_) | Codec::Composite(_) => holds(codec, &has_forms),
        _ => false,
    }
}

fn family(oid: u32, codec: &Codec) -> TypeFamily {
    match codec {
        Codec::Int2 | Codec::Int4 | Codec::Int8 | Codec::Oid | Codec::Float4 | Codec::Float8 | Codec::Numeric => {
            TypeFamily::Number
        }
        Codec::PaddedText | Codec::CaselessText => TypeFamily::Text,
        // text, varchar, name; other types that are read as text compare only with themselves
        Codec::Text if matches!(oid, 25 | 1043 | 19) => TypeFamily::Text,
        Codec::Date | Codec::Timestamp | Codec::TimestampTz => TypeFamily::Time,
        _ => TypeFamily::Own(oid),
    }
}

fn default_type(codec: &Codec) -> FieldType {
    match codec {
        Codec::Bool => FieldType::Bool,
        Codec::Int2 | Codec::Int4 => FieldType::Integer,
        Codec::Int8 | Codec::Oid => FieldType::Long,
        Codec::Float4 | Codec::Float8 => FieldType::Double,
        Codec::Numeric | Codec::Money(_) => FieldType::Decimal,
        Codec::Date | Codec::Timestamp | Codec::TimestampTz => FieldType::Date,
        Codec::Bytes => FieldType::BinData,
        Codec::Array(_) | Codec::TextArray | Codec::Vector => FieldType::Array,
        Codec::Json | Codec::Jsonb | Codec::Composite(_) | Codec::Hstore | Codec::Point | Codec::Geometry => {
            FieldType::Object
        }
        Codec::Text
        | Codec::PaddedText
        | Codec::CaselessText
        | Codec::Char
        | Codec::VersionedText
        | Codec::Time
        | Codec::TimeTz
        | Codec::Interval
        | Codec::Uuid
        | Codec::Inet
        | Codec::Cidr
        | Codec::MacAddr
        | Codec::Bits
        | Codec::Lsn
        | Codec::TsVector
        | Codec::Line
        | Codec::Segment
        | Codec::Box
        | Codec::Path
        | Codec::Polygon
        | Codec::Circle
        | Codec::Range(_)
        | Codec::Multirange(_) => FieldType::String,
    }
}
