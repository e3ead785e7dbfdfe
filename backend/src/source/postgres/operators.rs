//! Which operator compares two columns: that of the constraint, that of the type's own operator class, or the one that
//! the server's parser would take for `a = b`.
//!
//! All of it is read from the catalog. The parser is followed in its rules for operators, but not in the search path of a
//! session: it is given the operators of `pg_catalog` and of the schemas that the two types are from.
//! <https://www.postgresql.org/docs/15/typeconv-oper.html>

use super::client::{PgClient, query_error};
use super::queries::quote;
use crate::data::catalog::CatalogColumn;
use crate::data::equality::{Collation, Equality, EqualityCollation, KeyOrder, RowOperators};
use crate::source::SourceError;
use std::collections::{HashMap, HashSet};

const TYPES: &str = "
    SELECT t.oid, n.nspname::text, t.typname::text, t.typtype::text, t.typcategory::text, t.typispreferred, t.typbasetype,
           t.typelem, t.typlen = -1 AND t.typelem <> 0 AND t.typcategory = 'A', t.typcollation <> 0
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace";

/// All that are called `=`, and all that an index may use.
const OPERATORS: &str = "
    SELECT o.oid, n.nspname::text, o.oprname::text, o.oprleft, o.oprright
    FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    WHERE o.oprkind = 'b' AND o.oprresult = 16
      AND (o.oprname = '=' OR o.oid IN (SELECT amopopr FROM pg_catalog.pg_amop WHERE amoppurpose = 's'))";

/// The numbers of the ways of comparing: of btree from `<` to `>`, of hash only equality.
/// <https://www.postgresql.org/docs/15/xindex.html#XINDEX-STRATEGIES>
const MEMBERS: &str = "
    SELECT a.amopfamily, a.amopopr, a.amoplefttype, a.amoprighttype,
           CASE WHEN m.amname = 'hash' THEN 3 ELSE a.amopstrategy END::int4
    FROM pg_catalog.pg_amop a JOIN pg_catalog.pg_am m ON m.oid = a.amopmethod
    WHERE m.amname IN ('btree', 'hash') AND a.amoppurpose = 's'";

const CLASSES: &str = "
    SELECT o.opcintype, o.opcfamily, m.amname = 'btree'
    FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
    WHERE o.opcdefault AND m.amname IN ('btree', 'hash')";

/// Casts that the server makes by itself, and whether they leave the bytes as they are.
const CASTS: &str = "
    SELECT castsource, casttarget, castmethod = 'b' FROM pg_catalog.pg_cast WHERE castcontext = 'i'";

/// Functions that give 64 bits of hash with a seed: PostgreSQL 11 and later.
const HASHES: &str = "
    SELECT p.amprocfamily, p.amproclefttype, n.nspname::text, f.proname::text
    FROM pg_catalog.pg_amproc p JOIN pg_catalog.pg_opfamily o ON o.oid = p.amprocfamily
    JOIN pg_catalog.pg_am m ON m.oid = o.opfmethod AND m.amname = 'hash'
    JOIN pg_catalog.pg_proc f ON f.oid = p.amproc JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
    WHERE p.amprocnum = 2 AND p.amproclefttype = p.amprocrighttype";

const BELOW: i32 = 1;
const NOT_ABOVE: i32 = 2;
const EQUAL: i32 = 3;
const NOT_BELOW: i32 = 4;
const ABOVE: i32 = 5;

/// Types that stand for many: their ids have never changed.
const ANY: u32 = 2276;
const ANY_ARRAY: u32 = 2277;
const ANY_ELEMENT: u32 = 2283;
const ANY_NON_ARRAY: u32 = 2776;
const ANY_ENUM: u32 = 3500;
const ANY_RANGE: u32 = 3831;
const ANY_MULTIRANGE: u32 = 4537;
const RECORD: u32 = 2249;
const RECORD_ARRAY: u32 = 2287;
/// Arrays whose elements are not to be cast one by one.
const VECTORS: [u32; 2] = [22, 30];

#[derive(Debug, Clone, PartialEq, Eq)]
struct TypeFacts {
    schema: String,
    name: String,
    kind: char,
    category: char,
    is_preferred: bool,
    base: u32,
    element: u32,
    is_array: bool,
    has_collation: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Operator {
    id: u32,
    schema: String,
    name: String,
    left: u32,
    right: u32,
}

/// What the catalog says of operators.
#[derive(Debug, Default)]
pub struct Operators {
    types: HashMap<u32, TypeFacts>,
    operators: HashMap<u32, Operator>,
    /// Those called `=`.
    equals: Vec<u32>,
    /// Families in which an operator is the equality.
    families: HashMap<u32, Vec<u32>>,
    /// By family, type and way of comparing, both operands of one type.
    members: HashMap<(u32, u32, i32), u32>,
    /// Default families for indexes, with the type that each is for.
    btree: Vec<(u32, u32)>,
    hash: Vec<(u32, u32)>,
    /// Casts that are made without being asked for; of each whether the bytes stay.
    casts: HashMap<(u32, u32), bool>,
    hashes: HashMap<(u32, u32), String>,
}

impl Operators {
    /// Reads them over an open connection.
    ///
    /// # Errors
    /// When the server refuses a query or the connection is lost.
    pub async fn read(pg: &PgClient) -> Result<Self, SourceError> {
        let query = |sql: &'static str| async move { pg.client.query(sql, &[]).await.map_err(query_error) };
        let mut all = Self::default();
        let first = |text: String| text.chars().next().unwrap_or_default();
        for row in query(TYPES).await? {
            let facts = TypeFacts {
                schema: row.get(1),
                name: row.get(2),
                kind: first(row.get(3)),
                category: first(row.get(4)),
                is_preferred: row.get(5),
                base: row.get(6),
                element: row.get(7),
                is_array: row.get(8),
                has_collation: row.get(9),
            };
            all.types.insert(row.get(0), facts);
        }
        for row in query(OPERATORS).await? {
            let operator = Operator {
                id: row.get(0),
                schema: row.get(1),
                name: row.get(2),
                left: row.get(3),
                right: row.get(4),
            };
            if operator.name == "=" {
                all.equals.push(operator.id);
            }
            all.operators.insert(operator.id, operator);
        }
        // The order of the answer must not decide.
        all.equals.sort_unstable();
        for row in query(MEMBERS).await? {
            let (family, operator, left, right, way): (u32, u32, u32, u32, i32) =
                (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
            if way == EQUAL {
                all.families.entry(operator).or_default().push(family);
            }
            if left == right {
                all.members.insert((family, left, way), operator);
            }
        }
        for row in query(CLASSES).await? {
            let of = if row.get(2) { &mut all.btree } else { &mut all.hash };
            of.push((row.get(0), row.get(1)));
        }
        for row in query(CASTS).await? {
            all.casts.insert((row.get(0), row.get(1)), row.get(2));
        }
        for row in query(HASHES).await? {
            let name = format!("{}.{}", quote(row.get(2)), quote(row.get(3)));
            all.hashes.insert((row.get(0), row.get(1)), name);
        }
        Ok(all)
    }

    fn facts(&self, id: u32) -> Option<&TypeFacts> {
        self.types.get(&id)
    }

    /// Below all domains.
    fn base_of(&self, mut id: u32) -> u32 {
        while let Some(facts) = self.types.get(&id)
            && facts.kind == 'd'
        {
            id = facts.base;
        }
        id
    }

    fn is_array(&self, id: u32) -> bool {
        self.facts(id).is_some_and(|t| t.is_array)
    }

    fn is_kind(&self, id: u32, kind: char) -> bool {
        self.facts(id).is_some_and(|t| t.kind == kind)
    }

    /// Whether a value may stand where one of the other type is wanted, its bytes as they are.
    fn is_binary_coercible(&self, from: u32, to: u32) -> bool {
        let from = self.base_of(from);
        from == to || self.stands_for(to, from) || self.casts.get(&(from, to)) == Some(&true)
    }

    /// Whether a type that stands for many stands for this one, which is no domain.
    fn stands_for(&self, many: u32, one: u32) -> bool {
        match many {
            ANY | ANY_ELEMENT => true,
            ANY_NON_ARRAY => !self.is_array(one),
            ANY_ARRAY => self.is_array(one),
            ANY_ENUM => self.is_kind(one, 'e'),
            ANY_RANGE => self.is_kind(one, 'r'),
            ANY_MULTIRANGE => self.is_kind(one, 'm'),
            RECORD => self.is_kind(one, 'c'),
            RECORD_ARRAY => self
                .facts(one)
                .is_some_and(|t| t.is_array && self.is_kind(t.element, 'c')),
            _ => false,
        }
    }

    /// Whether the server makes one type of the other without being asked to.
    fn is_coercible(&self, from: u32, to: u32) -> bool {
        let (base, target) = (self.base_of(from), self.base_of(to));
        if from == to || base == target || self.stands_for(to, base) || self.casts.contains_key(&(base, target)) {
            return true;
        }
        let element = |id: u32| {
            let facts = self.facts(id).filter(|t| t.is_array && !VECTORS.contains(&id))?;
            Some(facts.element)
        };
        match (element(base), element(target)) {
            (Some(from), Some(to)) => self.is_coercible(from, to),
            _ => false,
        }
    }

    /// The family that an index on a column of this type uses, with the type that the family is for.
    fn default_family(&self, classes: &[(u32, u32)], id: u32) -> Option<(u32, u32)> {
        let id = self.base_of(id);
        if let Some(exact) = classes.iter().find(|(of, _)| *of == id) {
            return Some(*exact);
        }
        let category = self.facts(id)?.category;
        let fits = |(of, _): &&(u32, u32)| self.is_binary_coercible(id, *of);
        let fitting: Vec<&(u32, u32)> = classes.iter().filter(fits).collect();
        let is_preferred = |(of, _): &&&(u32, u32)| self.is_preferred(*of, category);
        let preferred: Vec<&&(u32, u32)> = fitting.iter().filter(is_preferred).collect();
        match (preferred.as_slice(), fitting.as_slice()) {
            ([one], _) => Some(***one),
            (_, [one]) => Some(**one),
            _ => None,
        }
    }

    fn is_preferred(&self, id: u32, category: char) -> bool {
        self.facts(id).is_some_and(|t| t.is_preferred && t.category == category)
    }

    /// The equality of values of one type: that of its order, and of types that have none that of its hashes.
    fn own_operator(&self, id: u32) -> Option<&Operator> {
        let of = |classes: &[(u32, u32)]| {
            let (of, family) = self.default_family(classes, id)?;
            self.operators.get(self.members.get(&(family, of, EQUAL))?)
        };
        of(&self.btree).or_else(|| of(&self.hash))
    }

    /// The operator that the server's parser takes for `left = right`.
    fn chosen(&self, left: u32, right: u32) -> Option<&Operator> {
        let mut schemas: HashSet<&str> = ["pg_catalog"].into();
        for id in [left, right] {
            let base = self.base_of(id);
            let element = self.facts(base).filter(|t| t.is_array).map_or(base, |t| t.element);
            let of = [id, base, element].into_iter().filter_map(|id| self.facts(id));
            schemas.extend(of.map(|t| t.schema.as_str()));
        }
        let all = (self.equals.iter().filter_map(|id| self.operators.get(id)))
            .filter(|o| schemas.contains(o.schema.as_str()));
        let all: Vec<&Operator> = all.collect();
        if let Some(exact) = all.iter().find(|o| (o.left, o.right) == (left, right)) {
            return Some(exact);
        }
        let (left_base, right_base) = (self.base_of(left), self.base_of(right));
        let is_candidate = |o: &&&Operator| {
            self.is_coercible(left, o.left) && self.is_coercible(right, o.right) && self.agree(o, left_base, right_base)
        };
        let candidates: Vec<&Operator> = all.iter().filter(is_candidate).copied().collect();
        let is_same = |o: &Operator| u8::from(o.left == left_base) + u8::from(o.right == right_base);
        let category = |id: u32| self.facts(id).map_or('\0', |t| t.category);
        let (of_left, of_right) = (category(left_base), category(right_base));
        let is_same_or_preferred = |o: &Operator| {
            u8::from(o.left == left_base || self.is_preferred(o.left, of_left))
                + u8::from(o.right == right_base || self.is_preferred(o.right, of_right))
        };
        // Most exact matches first, then most preferred types; what is left then is for the user to decide.
        let best = most(most(candidates, is_same), is_same_or_preferred);
        match best.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Operators for many types compare two values of one type.
    fn agree(&self, operator: &Operator, left: u32, right: u32) -> bool {
        match (operator.left, operator.right) {
            // Rows of different types have columns that cannot be compared, which the server finds out when it does.
            (
                ANY_ARRAY | ANY_ELEMENT | ANY_NON_ARRAY | ANY_ENUM | ANY_RANGE | ANY_MULTIRANGE | RECORD | RECORD_ARRAY,
                _,
            ) => left == right,
            _ => true,
        }
    }

    fn spelt(&self, id: u32) -> String {
        match self.facts(id) {
            Some(t) if t.schema == "pg_catalog" => t.name.clone(),
            Some(t) => format!("{}.{}", t.schema, t.name),
            None => "?".into(),
        }
    }

    /// A type as SQL, without length or precision.
    fn sql_of(&self, id: u32) -> String {
        let facts = self.facts(id);
        facts.map_or_else(|| "text".into(), |t| format!("{}.{}", quote(&t.schema), quote(&t.name)))
    }

    /// Whether an operand is for many types, so that a value of any of them is taken as it is.
    fn is_for_many(&self, id: u32) -> bool {
        self.is_kind(id, 'p')
    }

    /// What an operand of a type is cast to before the operator takes it.
    fn cast_for(&self, operand: u32, id: u32) -> Option<String> {
        (operand != id && !self.is_for_many(operand)).then(|| self.sql_of(operand))
    }

    fn takes_collation(&self, operand: u32, id: u32) -> bool {
        let id = if self.is_for_many(operand) {
            self.base_of(id)
        } else {
            operand
        };
        self.facts(id).is_some_and(|t| t.has_collation)
    }

    fn equality(&self, operator: &Operator, types: [u32; 2], collation: EqualityCollation) -> Equality {
        let [referenced, referencing] = types;
        let has_collation =
            self.takes_collation(operator.left, referenced) && self.takes_collation(operator.right, referencing);
        let of = |operand: u32, id: u32| {
            self.spelt(if self.is_for_many(operand) {
                self.base_of(id)
            } else {
                operand
            })
        };
        Equality {
            operator: sql(operator),
            casts: [
                self.cast_for(operator.left, referenced),
                self.cast_for(operator.right, referencing),
            ],
            collation: if has_collation {
                collation
            } else {
                EqualityCollation::None
            },
            families: self.families.get(&operator.id).cloned().unwrap_or_default(),
            shown: format!(
                "{} = {}",
                of(operator.left, referenced),
                of(operator.right, referencing)
            ),
        }
    }

    /// How a foreign key compares, by the operator that its constraint names: under the collation of the column that is
    /// referred to, as `ri_triggers.c` does. (Where both are deterministic it does not say so, for it comes to the same.)
    pub fn of_constraint(&self, operator: u32, columns: [&CatalogColumn; 2]) -> Option<Equality> {
        let operator = self.operators.get(&operator)?;
        let [referenced, referencing] = columns.map(|c| c.collation.as_ref());
        let types = columns.map(|c| c.declared_type);
        Some(self.equality(operator, types, under(referenced, referencing)))
    }

    /// How values of one column are compared; `id` is its type, which may be a domain.
    pub fn own(&self, id: u32, collation: Option<&Collation>) -> Option<Equality> {
        Some(self.equality(self.own_operator(id)?, [id, id], under(collation, collation)))
    }

    /// How they are put in order.
    pub fn order(&self, id: u32) -> Option<KeyOrder> {
        let (of, family) = self.default_family(&self.btree, id)?;
        let way = |way: i32| Some(sql(self.operators.get(self.members.get(&(family, of, way))?)?));
        Some(KeyOrder {
            below: way(BELOW)?,
            not_above: way(NOT_ABOVE)?,
            equal: way(EQUAL)?,
            not_below: way(NOT_BELOW)?,
            above: way(ABOVE)?,
            cast: self.cast_for(of, id),
        })
    }

    /// An expression that is equal for values that the source calls equal, and for others differs but for odds of 1 in
    /// 2¹²⁸: two hashes of the kind by which the source itself finds equal values.
    pub fn class(&self, id: u32, collation: Option<&Collation>) -> Option<Vec<String>> {
        let (of, family) = self.default_family(&self.hash, id)?;
        // The hashes have to be those of the equality.
        let equal = self.members.get(&(family, of, EQUAL))?;
        if self.own_operator(id)?.id != *equal {
            return None;
        }
        let function = self.hashes.get(&(family, of))?;
        let cast = self.sql_of(if self.is_for_many(of) { self.base_of(id) } else { of });
        let under = match collation {
            Some(collation) if self.takes_collation(of, id) => format!(" COLLATE {}", collation.sql),
            _ => String::new(),
        };
        let begin = format!("pg_catalog.int8send({function}((");
        let end = |seed: u64| format!(")::{cast}{under}, '{seed}'::pg_catalog.int8))");
        let (first, second) = (end(SEEDS[0]), end(SEEDS[1]));
        Some(vec![
            begin.clone(),
            format!("{first} OPERATOR(pg_catalog.||) {begin}"),
            second,
        ])
    }
}

/// Any two numbers: they are part of every id that is made of such a hash.
const SEEDS: [u64; 2] = [0x676f_6477_6974_0001, 0x676f_6477_6974_0002];

/// The class of a citext: as it folds texts for its comparison.
pub fn citext_class() -> Vec<String> {
    vec![
        "pg_catalog.lower((".into(),
        ")::pg_catalog.text COLLATE pg_catalog.\"default\")".into(),
    ]
}

fn sql(operator: &Operator) -> String {
    format!("OPERATOR({}.{})", quote(&operator.schema), operator.name)
}

/// Those for which the number is the highest.
fn most(all: Vec<&Operator>, count: impl Fn(&Operator) -> u8) -> Vec<&Operator> {
    let highest = all.iter().map(|o| count(o)).max();
    all.into_iter().filter(|o| Some(count(o)) == highest).collect()
}

/// The collation of a constraint.
fn under(referenced: Option<&Collation>, referencing: Option<&Collation>) -> EqualityCollation {
    match (referenced, referencing) {
        (Some(a), Some(b)) if a.is_deterministic && b.is_deterministic => EqualityCollation::Any,
        (Some(a), _) => EqualityCollation::Only(a.clone()),
        (None, _) => EqualityCollation::None,
    }
}

impl RowOperators for Operators {
    fn equality(&self, referenced: &CatalogColumn, referencing: &CatalogColumn) -> Option<Equality> {
        let types = [referenced.declared_type, referencing.declared_type];
        let operator = self.chosen(types[0], types[1])?;
        let collation = match (&referenced.collation, &referencing.collation) {
            (Some(a), Some(b)) if a.is_deterministic && b.is_deterministic => EqualityCollation::Any,
            (Some(a), Some(b)) if a.id == b.id || b.is_default => EqualityCollation::Only(a.clone()),
            (Some(a), Some(b)) if a.is_default => EqualityCollation::Only(b.clone()),
            // The server would ask which of the two is meant.
            (Some(_), Some(_)) => return None,
            (Some(one), None) | (None, Some(one)) => EqualityCollation::Only(one.clone()),
            (None, None) => EqualityCollation::None,
        };
        Some(self.equality(operator, types, collation))
    }
}
