//! The catalog in a fixed number of bulk queries, however many tables there are.

use super::client::{PgClient, query_error};
use super::operators::{Operators, citext_class};
use super::queries::quote;
use super::values::{Codec, MONEY_SAMPLE, MoneyFormat};
use crate::data::catalog::{Catalog, CatalogColumn, CatalogForeignKey, CatalogIndex, CatalogTable, IndexKey};
use crate::data::equality::{Collation, Equality, KeyClass};
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
           a.attcollation
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.oid >= 16384
    ORDER BY a.attrelid, a.attnum";

/// A nondeterministic one calls different texts equal: PostgreSQL 12 and later.
const COLLATIONS: &str = "
    SELECT co.oid, n.nspname::text, co.collname::text, coalesce((to_jsonb(co) ->> 'collisdeterministic')::bool, true)
    FROM pg_collation co JOIN pg_namespace n ON n.oid = co.collnamespace";

/// That of the database.
const DEFAULT_COLLATION: u32 = 100;

/// A foreign key of a period (PostgreSQL 18) refers to rows that cover it, not to those with an equal value.
const CONSTRAINTS: &str = "
    SELECT con.conrelid, con.contype::text, con.conname, con.conkey, con.confrelid, con.confkey,
           coalesce(con.conpfeqop, '{}')
    FROM pg_constraint con JOIN pg_class c ON c.oid = con.conrelid
    WHERE con.contype IN ('p', 'f')
      AND (con.contype = 'p' OR NOT coalesce((to_jsonb(con) ->> 'conperiod')::bool, false)) AND NOT c.relispartition
      AND coalesce(to_jsonb(con) ->> 'conparentid', '0') = '0' AND c.oid >= 16384
    ORDER BY con.conname";

const INDEXES: &str = "
    SELECT i.indrelid, ic.relname, i.indkey::int2[], i.indisunique,
           coalesce((to_jsonb(i) ->> 'indnkeyatts')::int, i.indnatts::int),
           ARRAY(SELECT o.opcfamily FROM unnest(i.indclass::oid[]) WITH ORDINALITY k(class, n)
                 JOIN pg_opclass o ON o.oid = k.class ORDER BY k.n), i.indcollation::oid[]
    FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_am am ON am.oid = ic.relam
    WHERE i.indisvalid AND i.indpred IS NULL AND am.amname IN ('btree', 'hash')
      AND NOT c.relispartition AND c.oid >= 16384";

/// Every type that a column may have, with the schema that its name needs.
const TYPES: &str = "
    SELECT t.oid, n.nspname, t.typname, t.typtype::text, t.typelem, t.typbasetype, t.typrelid, t.typsend::oid <> 0,
           t.typcategory::text = 'A' AND t.typlen = -1,
           coalesce(r.rngsubtype, 0), t.typdelim::text, ps.nspname::text, p.proname::text,
           coalesce(r.rngcollation, 0)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_range r ON r.rngtypid = t.oid
    LEFT JOIN pg_proc p ON p.oid = t.typsend LEFT JOIN pg_namespace ps ON ps.oid = p.pronamespace
    WHERE t.typtype <> 'p'";

/// Of a multirange the range below it: PostgreSQL 14 and later.
const MULTIRANGES: &str = "SELECT (to_jsonb(r) ->> 'rngmultitypid')::oid, rngsubtype FROM pg_range r
    WHERE to_jsonb(r) ->> 'rngmultitypid' IS NOT NULL";

const ATTRIBUTES: &str = "
    SELECT t.oid, a.attname, a.atttypid, a.attcollation FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
    JOIN pg_class c ON c.oid = t.typrelid
    WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY t.oid, a.attnum";

/// From this version on the two ends of `interval` are infinite.
const INFINITE_INTERVALS_SINCE: i32 = 17_00_00;

struct PgType {
    schema: String,
    name: String,
    kind: String,
    element: u32,
    base: u32,
    has_send: bool,
    is_array: bool,
    range_of: u32,
    /// What stands between values of it in an array that is printed.
    delimiter: char,
    /// The function that makes its binary form, as SQL.
    send: Option<String>,
    range_collation: u32,
}

struct Types {
    by_oid: HashMap<u32, PgType>,
    /// Of a composite type name, type and collation of each.
    attributes: HashMap<u32, Vec<(String, u32, u32)>>,
    collations: HashMap<u32, Collation>,
    multirange_of: HashMap<u32, u32>,
    money: Arc<MoneyFormat>,
    has_infinite_intervals: bool,
}

/// Reads the catalog over an open connection.
///
/// # Errors
/// When the server refuses a query or the connection is lost.
pub async fn read_catalog(pg: &PgClient) -> Result<Catalog, SourceError> {
    let query = |sql: &'static str| async move { pg.client.query(sql, &[]).await.map_err(query_error) };
    let about = query("SELECT current_setting('server_version'), current_database()::text").await?;
    let types = read_types(pg).await?;
    let operators = Arc::new(Operators::read(pg).await?);
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
        table.columns.push(types.column(&row, &operators));
    }
    read_keys(&query(CONSTRAINTS).await?, &mut tables, &places, &operators);
    for row in query(INDEXES).await? {
        let oid: u32 = row.get(0);
        let Some(table) = tables.get_mut(&oid) else { continue };
        let columns: Vec<i16> = row.get(2);
        let key_columns = usize::try_from(row.get::<_, i32>(4)).unwrap_or(columns.len());
        let (families, collations): (Vec<u32>, Vec<u32>) = (row.get(5), row.get(6));
        table.indexes.push(CatalogIndex {
            name: row.get(1),
            columns: columns[..key_columns.min(columns.len())]
                .iter()
                .map(|n| places.get(&(oid, *n)).copied())
                .collect(),
            keys: families
                .into_iter()
                .zip(collations)
                .map(|(family, collation)| IndexKey { family, collation })
                .collect(),
            is_unique: row.get(3),
        });
    }
    Ok(Catalog {
        tables: tables.into_values().map(|t| (t.name.clone(), Arc::new(t))).collect(),
        version: about[0].get(0),
        database: about[0].get(1),
        operators: Some(operators),
    })
}

fn read_keys(
    rows: &[tokio_postgres::Row],
    tables: &mut HashMap<u32, CatalogTable>,
    places: &HashMap<(u32, i16), usize>,
    operators: &Operators,
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
        let column = |tables: &HashMap<u32, CatalogTable>, oid: u32, number: i16| -> Option<CatalogColumn> {
            Some(tables.get(&oid)?.columns[*places.get(&(oid, number))?].clone())
        };
        let compared: Vec<u32> = row.get(6);
        let equalities: Option<Vec<Arc<Equality>>> = (compared.iter().zip(columns.iter().zip(&target_columns)))
            .map(|(operator, (own, other))| {
                let (own, other) = (column(tables, oid, *own)?, column(tables, target_oid, *other)?);
                operators.of_constraint(*operator, [&other, &own]).map(Arc::new)
            })
            .collect();
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
                equalities: equalities.unwrap_or_default(),
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
        collations: HashMap::new(),
        multirange_of: HashMap::new(),
        money: Arc::new(MoneyFormat::plain(2)),
        has_infinite_intervals: false,
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
                range_of: row.get(9),
                delimiter: row.get::<_, String>(10).chars().next().unwrap_or(','),
                send: match (row.get::<_, Option<&str>>(11), row.get::<_, Option<&str>>(12)) {
                    (Some(schema), Some(name)) => Some(format!("{}.{}", quote(schema), quote(name))),
                    _ => None,
                },
                range_collation: row.get(13),
            },
        );
    }
    for row in pg.client.query(COLLATIONS, &[]).await.map_err(query_error)? {
        let id: u32 = row.get(0);
        let collation = Collation {
            id,
            sql: format!("{}.{}", quote(row.get(1)), quote(row.get(2))),
            is_deterministic: row.get(3),
            is_default: id == DEFAULT_COLLATION,
        };
        types.collations.insert(id, collation);
    }
    for row in pg.client.query(ATTRIBUTES, &[]).await.map_err(query_error)? {
        types
            .attributes
            .entry(row.get(0))
            .or_default()
            .push((row.get(1), row.get(2), row.get(3)));
    }
    for row in pg.client.query(MULTIRANGES, &[]).await.map_err(query_error)? {
        types.multirange_of.insert(row.get(0), row.get(1));
    }
    types.money = Arc::new(money_format(pg).await?);
    let sql = "SELECT pg_catalog.current_setting('server_version_num')::int4";
    let row = pg.client.query_one(sql, &[]).await.map_err(query_error)?;
    types.has_infinite_intervals = row.get::<_, i32>(0) >= INFINITE_INTERVALS_SINCE;
    Ok(types)
}

/// How many digits `money` has after the point, and how it is printed, is a setting of the server's locale, not of the
/// value: that of the database and the user, which our sessions have put aside.
async fn money_format(pg: &PgClient) -> Result<MoneyFormat, SourceError> {
    const LOCALE: &str = "SELECT pg_catalog.set_config('lc_monetary',
        coalesce((SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'lc_monetary' AND $1), 'C'), false)";
    let client = &pg.client;
    client.query(LOCALE, &[&true]).await.map_err(query_error)?;
    let sql = format!(
        "SELECT pg_catalog.scale('1'::money::numeric), {MONEY_SAMPLE}::money::text, (-{MONEY_SAMPLE})::money::text"
    );
    let row = client.query_one(&sql, &[]).await.map_err(query_error)?;
    client.query(LOCALE, &[&false]).await.map_err(query_error)?;
    let scale = usize::try_from(row.get::<_, i32>(0)).unwrap_or(2);
    Ok(MoneyFormat::learn(scale, row.get(1), row.get(2)).unwrap_or_else(|| MoneyFormat::plain(scale)))
}

impl PgType {
    /// An array that is printed and read as words.
    fn is_vector(&self) -> bool {
        self.schema == "pg_catalog" && matches!(self.name.as_str(), "int2vector" | "oidvector")
    }
}

impl Types {
    fn builtin(&self, name: &str) -> Option<Codec> {
        match name {
            "money" => Some(Codec::Money(self.money.clone())),
            "interval" => Some(Codec::Interval {
                has_infinity: self.has_infinite_intervals,
            }),
            name => builtin(name),
        }
    }

    /// Below all domains.
    fn base_of(&self, mut oid: u32) -> u32 {
        while let Some(t) = self.by_oid.get(&oid)
            && t.kind == "d"
        {
            oid = t.base;
        }
        oid
    }

    fn column(&self, row: &tokio_postgres::Row, operators: &Operators) -> CatalogColumn {
        let declared: u32 = row.get(3);
        let base = self.base_of(declared);
        let known = self.codec(base);
        let reads_as_text = known.as_ref().is_none_or(Codec::reads_as_text);
        let collation = self.collations.get(&row.get(8)).cloned();
        let class = self.class(base, known.as_ref(), collation.as_ref(), operators);
        let codec = known.unwrap_or_else(|| {
            if self.by_oid.get(&base).is_some_and(|t| t.is_array) {
                Codec::TextArray
            } else {
                Codec::Text
            }
        });
        let is_deterministic = collation.as_ref().is_none_or(|c| c.is_deterministic);
        CatalogColumn {
            name: row.get(1),
            type_text: row.get(4),
            cast: self.cast(base),
            declared_type: declared,
            equality: (self.has_equality(base, operators))
                .then(|| operators.own(declared, collation.as_ref()))
                .flatten()
                .map(Arc::new),
            key_order: operators.order(declared),
            class,
            default_type: default_type(&codec),
            nullable: row.get(5),
            is_generated: row.get(6),
            is_auto_incremented: row.get(7),
            is_orderable: self.is_orderable(base, operators),
            sent_by: self
                .by_oid
                .get(&base)
                .and_then(|t| t.send.clone())
                .filter(|_| !reads_as_text),
            reads_as_text,
            loses_identity: loses_identity(&codec),
            equals_as_bytes: !reads_as_text && is_deterministic && equals_as_bytes(base, &codec),
            comes_apart: self.comes_apart(base),
            collation,
            decoder: Arc::new(codec),
        }
    }

    /// What values have in common that the source calls equal: see [`KeyClass`].
    fn class(
        &self,
        base: u32,
        known: Option<&Codec>,
        collation: Option<&Collation>,
        operators: &Operators,
    ) -> KeyClass {
        let is_deterministic = collation.is_none_or(|c| c.is_deterministic);
        if known.is_some() && self.is_canonical(base, is_deterministic) {
            return KeyClass::Canonical;
        }
        if matches!(known, Some(Codec::CaselessText)) {
            return KeyClass::Asked(citext_class());
        }
        let can_be_hashed = self.every_part(base, &|oid| operators.class(oid, None).is_some());
        let asked = can_be_hashed.then(|| operators.class(base, collation)).flatten();
        asked.map_or(KeyClass::Printed, KeyClass::Asked)
    }

    /// Whether the codec knows which values of a type are equal. Of texts it does where their bytes decide.
    fn is_canonical(&self, oid: u32, is_deterministic: bool) -> bool {
        let oid = self.base_of(oid);
        let Some(t) = self.by_oid.get(&oid) else { return false };
        let is_deterministic_by = |id: u32| self.collations.get(&id).is_none_or(|c| c.is_deterministic);
        match t.kind.as_str() {
            _ if t.is_array => self.is_canonical(t.element, is_deterministic),
            "r" => self.is_canonical(t.range_of, is_deterministic_by(t.range_collation)),
            "m" => (self.multirange_of.get(&oid)).is_some_and(|of| self.is_canonical(*of, is_deterministic)),
            "c" => (self.attributes.get(&oid)).is_some_and(|all| {
                all.iter()
                    .all(|(_, of, by)| self.is_canonical(*of, is_deterministic_by(*by)))
            }),
            _ => match self.codec(oid) {
                None | Some(Codec::CaselessText) => false,
                Some(Codec::Text | Codec::PaddedText) => is_deterministic,
                Some(_) => true,
            },
        }
    }

    /// Whether something holds for a type and everything in it.
    fn every_part(&self, oid: u32, holds: &impl Fn(u32) -> bool) -> bool {
        let oid = self.base_of(oid);
        let Some(t) = self.by_oid.get(&oid) else { return false };
        let parts: Vec<u32> = match t.kind.as_str() {
            _ if t.is_array => vec![t.element],
            "r" => vec![t.range_of],
            "m" => self.multirange_of.get(&oid).into_iter().copied().collect(),
            "c" => self
                .attributes
                .get(&oid)
                .into_iter()
                .flatten()
                .map(|(_, of, _)| *of)
                .collect(),
            _ => Vec::new(),
        };
        holds(oid) && parts.into_iter().all(|part| self.every_part(part, holds))
    }

    fn has_equality(&self, base: u32, operators: &Operators) -> bool {
        self.every_part(base, &|oid| operators.own(oid, None).is_some())
    }

    fn cast(&self, oid: u32) -> String {
        match self.by_oid.get(&oid) {
            Some(t) if t.is_array && !t.is_vector() => format!("{}[]", self.cast(t.element)),
            Some(t) => format!("{}.{}", quote(&t.schema), quote(&t.name)),
            None => "text".into(),
        }
    }

    fn comes_apart(&self, oid: u32) -> bool {
        self.by_oid
            .get(&oid)
            .is_some_and(|t| t.is_array || t.kind == "c" || t.delimiter != ',')
    }

    fn is_orderable(&self, oid: u32, operators: &Operators) -> bool {
        let oid = self.base_of(oid);
        let Some(t) = self.by_oid.get(&oid) else { return false };
        if t.is_array {
            return self.is_orderable(t.element, operators);
        }
        match t.kind.as_str() {
            "e" | "r" | "m" => true,
            "c" => self
                .attributes
                .get(&oid)
                .is_some_and(|a| a.iter().all(|(_, t, _)| self.is_orderable(*t, operators))),
            _ => operators.order(oid).is_some(),
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
            let element = Arc::new(self.codec(t.element).filter(|c| !c.reads_as_text())?);
            if t.is_vector() {
                return Some(Codec::Words(element));
            }
            let delimiter = self.by_oid.get(&t.element).map_or(',', |e| e.delimiter);
            return Some(Codec::Array(element, delimiter));
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
                    // A zero byte ends a name in BSON; no PostgreSQL sends one.
                    .map(|(name, t, _)| (!name.contains('\0')).then_some((name.clone(), self.codec(*t)?)))
                    .collect();
                return Some(Codec::Composite(fields?.into()));
            }
            _ => {}
        }
        if t.schema == "pg_catalog" {
            self.builtin(&t.name)
        } else {
            extension(&t.name)
        }
    }
}

fn builtin(name: &str) -> Option<Codec> {
    Some(match name {
        "bool" => Codec::Bool,
        "int2" => Codec::Int2,
        "int4" => Codec::Int4,
        "int8" => Codec::Int8,
        "oid" => Codec::Oid,
        "float4" => Codec::Float4,
        "float8" => Codec::Float8,
        "numeric" => Codec::Numeric,
        "text" | "varchar" | "name" | "xml" => Codec::Text,
        "bpchar" => Codec::PaddedText,
        "char" => Codec::Char,
        "bytea" => Codec::Bytes,
        "date" => Codec::Date,
        "timestamp" => Codec::Timestamp,
        "timestamptz" => Codec::TimestampTz,
        "time" => Codec::Time,
        "timetz" => Codec::TimeTz,
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
        "tsquery" => Codec::TsQuery,
        "xid" | "cid" | "xid8" => Codec::Counter,
        "tid" => Codec::Tid,
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

/// Whether equal values have equal bytes, and different ones different bytes, texts under a deterministic collation. Only
/// of types that keys mostly have: for others it may be so as well.
fn equals_as_bytes(oid: u32, codec: &Codec) -> bool {
    match codec {
        Codec::Int2 | Codec::Int4 | Codec::Int8 | Codec::Uuid => true,
        Codec::Text => matches!(oid, TEXT | VARCHAR),
        _ => false,
    }
}

const TEXT: u32 = 25;
const VARCHAR: u32 = 1043;

fn default_type(codec: &Codec) -> FieldType {
    match codec {
        Codec::Bool => FieldType::Bool,
        Codec::Int2 | Codec::Int4 => FieldType::Integer,
        Codec::Int8 | Codec::Oid => FieldType::Long,
        Codec::Float4 | Codec::Float8 => FieldType::Double,
        Codec::Numeric | Codec::Money(_) => FieldType::Decimal,
        Codec::Date | Codec::Timestamp | Codec::TimestampTz => FieldType::Date,
        Codec::Bytes => FieldType::BinData,
        Codec::Array(..) | Codec::Words(_) | Codec::TextArray | Codec::Vector => FieldType::Array,
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
        | Codec::Interval { .. }
        | Codec::Uuid
        | Codec::Inet
        | Codec::Cidr
        | Codec::MacAddr
        | Codec::Bits
        | Codec::Lsn
        | Codec::TsVector
        | Codec::TsQuery
        | Codec::Counter
        | Codec::Tid
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
