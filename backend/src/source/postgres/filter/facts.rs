//! What the source's catalog says of the names in a filter.

use super::tree::{Expr, Name};
use crate::data::catalog::CatalogTable;
use crate::source::SourceError;
use crate::source::postgres::client::{PgClient, query_error};
use std::collections::HashSet;

/// A function that has a name of the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub schema: String,
    pub origin: Origin,
    pub volatility: Volatility,
    pub is_leakproof: bool,
    /// One row in, one value out, all of plain types.
    pub is_scalar: bool,
    /// Written in C, so that it does not look names up.
    pub is_native: bool,
    /// Its parameters; those from the first default on may be left out.
    pub parameters: Vec<u32>,
    pub defaults: usize,
    pub is_variadic: bool,
}

/// An operator that has a name of the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    pub name: String,
    pub schema: String,
    pub origin: Origin,
    pub volatility: Volatility,
    /// 0 for an operator in front of its operand.
    pub left: u32,
    pub right: u32,
}

/// A type that a column has or a cast names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    pub id: u32,
    pub name: String,
    pub schema: String,
    pub origin: Origin,
    pub is_enum: bool,
    /// A base type or a range, whose functions are those of its origin.
    pub is_base: bool,
    /// A column of the filter has it.
    pub is_of_column: bool,
}

/// A cast by a function that somebody declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignCast {
    pub source: u32,
    pub target: u32,
    /// In words.
    pub description: String,
}

/// Who made an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was there before the first database.
    Server,
    Extension,
    /// Anybody with the right to create it.
    Somebody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

/// Everything that has to be known of one filter.
#[derive(Debug, Default)]
pub struct Facts {
    pub functions: Vec<Function>,
    pub operators: Vec<Operator>,
    pub types: Vec<Type>,
    pub casts: Vec<ForeignCast>,
}

/// Objects that `initdb` makes have numbers below this.
/// <https://www.postgresql.org/docs/15/system-catalog-declarations.html> and `FirstNormalObjectId`
const ORIGIN: &str = "CASE WHEN {}.oid < 16384 THEN 's' \
    WHEN EXISTS (SELECT FROM pg_depend d WHERE d.classid = '{class}'::regclass AND d.objid = {}.oid AND d.deptype = 'e') \
    THEN 'e' ELSE 'u' END";

fn origin_sql(alias: &str, class: &str) -> String {
    ORIGIN.replace("{}", alias).replace("{class}", class)
}

/// Reads what the tree names. The search path is that of [`super::settle`]: the server's own schema alone.
///
/// # Errors
/// When the connection is lost or the server refuses to answer.
pub async fn read(pg: &PgClient, table: &CatalogTable, expr: &Expr) -> Result<Facts, SourceError> {
    let all = expr.all();
    let mut functions: HashSet<&str> = HashSet::new();
    let mut operators: HashSet<&str> = HashSet::new();
    let mut types: HashSet<&str> = HashSet::new();
    let mut columns: HashSet<&str> = HashSet::new();
    for node in all {
        match node {
            Expr::Call { function, .. } => _ = functions.insert(&function.name),
            Expr::Operation { operator, .. } | Expr::Quantified { operator, .. } => {
                _ = operators.insert(&operator.name)
            }
            Expr::In { .. } | Expr::Distinct { .. } | Expr::NullIf { .. } | Expr::Case { .. } => {
                _ = operators.insert("=")
            }
            Expr::Cast { to, .. } => _ = types.insert(&to.name.name),
            Expr::Column(name) => _ = columns.insert(name),
            Expr::Text(_)
            | Expr::Number(_)
            | Expr::Bits(..)
            | Expr::Bool(_)
            | Expr::Null
            | Expr::Row(_)
            | Expr::Array(_)
            | Expr::And(_)
            | Expr::Or(_)
            | Expr::Not(_)
            | Expr::Named(..)
            | Expr::Extract { .. }
            | Expr::Is { .. }
            | Expr::Choice(..)
            | Expr::Element { .. }
            | Expr::Collate { .. }
            | Expr::Clock(..) => {}
        }
    }
    let list = |set: HashSet<&str>| -> Vec<String> { set.into_iter().map(str::to_owned).collect() };
    let types = read_types(pg, table, &list(columns), &list(types)).await?;
    let ids: Vec<u32> = types.iter().map(|t| t.id).collect();
    Ok(Facts {
        functions: read_functions(pg, &list(functions)).await?,
        operators: read_operators(pg, &list(operators)).await?,
        casts: read_casts(pg, &ids).await?,
        types,
    })
}

async fn read_functions(pg: &PgClient, names: &[String]) -> Result<Vec<Function>, SourceError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    // Version 11 has one column for what two were before.
    let sql = format!(
        "SELECT p.proname::text, n.nspname::text, {}, p.provolatile::text, p.proleakproof,
            NOT p.proretset AND coalesce(to_jsonb(p) ->> 'prokind' = 'f',
                NOT ((to_jsonb(p) ->> 'proisagg')::bool OR (to_jsonb(p) ->> 'proiswindow')::bool))
            AND NOT EXISTS (SELECT FROM pg_type t WHERE (t.oid = ANY (p.proargtypes::oid[]) OR t.oid = p.prorettype)
                AND t.typtype = 'p' AND t.typname NOT LIKE 'any%' AND t.typname <> 'record'),
            l.lanname IN ('internal', 'c'), p.proargtypes::oid[], p.pronargdefaults::int4, p.provariadic <> 0
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
         WHERE p.proname = ANY ($1) ORDER BY p.oid",
        origin_sql("p", "pg_proc")
    );
    let rows = pg.client.query(&sql, &[&names]).await.map_err(query_error)?;
    Ok(rows
        .iter()
        .map(|row| Function {
            name: row.get(0),
            schema: row.get(1),
            origin: origin_of(row.get(2)),
            volatility: volatility_of(row.get(3)),
            is_leakproof: row.get(4),
            is_scalar: row.get(5),
            is_native: row.get(6),
            parameters: row.get(7),
            defaults: usize::try_from(row.get::<_, i32>(8)).unwrap_or_default(),
            is_variadic: row.get(9),
        })
        .collect())
}

async fn read_operators(pg: &PgClient, names: &[String]) -> Result<Vec<Operator>, SourceError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT o.oprname::text, n.nspname::text, {}, p.provolatile::text, o.oprleft, o.oprright
         FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace JOIN pg_proc p ON p.oid = o.oprcode
         WHERE o.oprname = ANY ($1) ORDER BY o.oid",
        origin_sql("o", "pg_operator")
    );
    let rows = pg.client.query(&sql, &[&names]).await.map_err(query_error)?;
    Ok(rows
        .iter()
        .map(|row| Operator {
            name: row.get(0),
            schema: row.get(1),
            origin: origin_of(row.get(2)),
            volatility: volatility_of(row.get(3)),
            left: row.get(4),
            right: row.get(5),
        })
        .collect())
}

/// Types of the columns with what they are made of, and those that casts name.
async fn read_types(
    pg: &PgClient,
    table: &CatalogTable,
    columns: &[String],
    named: &[String],
) -> Result<Vec<Type>, SourceError> {
    let sql = format!(
        "WITH RECURSIVE used(oid) AS (
            SELECT a.atttypid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = ANY ($3) AND NOT a.attisdropped
            UNION SELECT below.oid FROM used u JOIN pg_type t ON t.oid = u.oid
                CROSS JOIN LATERAL unnest(ARRAY[t.typbasetype, t.typelem]) AS below(oid) WHERE below.oid <> 0)
         SELECT t.oid, t.typname::text, n.nspname::text, {}, t.typtype = 'e',
            t.typtype IN ('b', 'r', 'm') AND t.typcategory <> 'A', EXISTS (SELECT FROM used u WHERE u.oid = t.oid)
         FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
         WHERE t.oid IN (SELECT u.oid FROM used u) OR t.typname = ANY ($4) ORDER BY t.oid",
        origin_sql("t", "pg_type")
    );
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&table.name.schema, &table.name.table, &columns, &named];
    let rows = pg.client.query(&sql, &parameters).await.map_err(query_error)?;
    Ok(rows
        .iter()
        .map(|row| Type {
            id: row.get(0),
            name: row.get(1),
            schema: row.get(2),
            origin: origin_of(row.get(3)),
            is_enum: row.get(4),
            is_base: row.get(5),
            is_of_column: row.get(6),
        })
        .collect())
}

/// Casts that run somebody's function and that the types take part in.
async fn read_casts(pg: &PgClient, types: &[u32]) -> Result<Vec<ForeignCast>, SourceError> {
    let sql = format!(
        "SELECT c.castsource, c.casttarget, format('the cast from %s to %s runs the function %s',
            c.castsource::regtype, c.casttarget::regtype, c.castfunc::regproc)
         FROM pg_cast c JOIN pg_proc p ON p.oid = c.castfunc
         WHERE (c.castsource = ANY ($1) OR c.casttarget = ANY ($1)) AND {} = 'u' ORDER BY c.oid",
        origin_sql("p", "pg_proc")
    );
    let rows = pg.client.query(&sql, &[&types]).await.map_err(query_error)?;
    Ok(rows
        .iter()
        .map(|row| ForeignCast {
            source: row.get(0),
            target: row.get(1),
            description: row.get(2),
        })
        .collect())
}

fn origin_of(letter: &str) -> Origin {
    match letter {
        "s" => Origin::Server,
        "e" => Origin::Extension,
        _ => Origin::Somebody,
    }
}

fn volatility_of(letter: &str) -> Volatility {
    match letter {
        "i" => Volatility::Immutable,
        "s" => Volatility::Stable,
        _ => Volatility::Volatile,
    }
}

impl Function {
    /// Whether it can be called with so many arguments.
    pub fn takes(&self, arguments: usize) -> bool {
        let most = self.parameters.len();
        let least = most.saturating_sub(self.defaults + usize::from(self.is_variadic));
        arguments >= least && (arguments <= most || self.is_variadic)
    }
}

impl Facts {
    /// The type that a name of a cast means: the server's own, else the one of a column, else one of these schemas.
    pub fn type_named(&self, name: &Name, schemas: &[&str]) -> Option<&Type> {
        let named: Vec<&Type> = (self.types.iter())
            .filter(|t| t.name == name.name && name.schema.as_ref().is_none_or(|s| *s == t.schema))
            .collect();
        let of_server = named.iter().find(|t| t.schema == super::print::BUILT_IN);
        let of_column = named.iter().find(|t| t.is_of_column);
        let of_schema = schemas.iter().find_map(|s| named.iter().find(|t| t.schema == *s));
        let of_extension = named.iter().find(|t| t.origin == Origin::Extension);
        let only = named.first().filter(|_| named.len() == 1);
        (of_server.or(of_column).or(of_schema).or(of_extension).or(only)).copied()
    }
}
