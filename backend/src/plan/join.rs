//! Which columns join a rule to its parent.

use crate::data::catalog::{Catalog, CatalogColumn, CatalogForeignKey, CatalogTable};
use crate::data::equality::{Collation, Equality, EqualityCollation};
use godwit_shared::edit::FaultKind;
use godwit_shared::mapping::RuleType;
use godwit_shared::schema::{ForeignKey, RelationalModel, Table, TableName};
use std::sync::Arc;

/// How rows of a node belong to rows of its parent node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    pub pairs: Vec<JoinPair>,
    /// At most one row of the node has given values in the columns of the pairs.
    pub is_unique: bool,
    /// An index of the node's table finds the rows that have given values in the columns of the pairs.
    pub is_indexed: bool,
}

/// A column of the parent's table and the column of the own table that has to be equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinPair {
    pub parent: usize,
    pub own: usize,
    /// What equal means: as the source's constraint has it, or as the source would compare the two columns.
    pub equality: Arc<Equality>,
    /// The own column refers to the parent's; otherwise the parent's refers to it.
    pub refers_up: bool,
    /// No constraint of the source says so.
    pub is_synthetic: bool,
    /// Two values are equal exactly when their binary forms are.
    pub equals_as_bytes: bool,
}

impl JoinPair {
    /// The equality and both operands in its order: the value that is referred to, and the one that refers.
    pub fn sides<T>(&self, parent: T, own: T) -> [T; 2] {
        if self.refers_up { [parent, own] } else { [own, parent] }
    }

    /// The collation under which values of the own column are looked for.
    pub fn collation_on<'c>(&'c self, column: &'c CatalogColumn) -> Option<&'c Collation> {
        self.equality.collation_on(column.collation.as_ref())
    }
}

impl Join {
    /// For the user: how the source compares columns that no constraint of it connects.
    pub fn chosen(&self, parent: &CatalogTable, own: &CatalogTable) -> Vec<String> {
        let synthetic = self.pairs.iter().filter(|pair| pair.is_synthetic);
        let shown = synthetic.map(|pair| {
            let column = |table: &CatalogTable, column: usize| format!("{}.{}", table.name, table.columns[column].name);
            let [to, from] = pair.sides(column(parent, pair.parent), column(own, pair.own));
            let under = match &pair.equality.collation {
                EqualityCollation::Only(only) => format!(", collation {}", only.sql),
                EqualityCollation::Any | EqualityCollation::None => String::new(),
            };
            format!("{from} is compared with {to} as {}{under}", pair.equality.shown)
        });
        shown.collect()
    }
}

/// Why a rule cannot be joined to its parent, in a sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinProblem {
    pub kind: FaultKind,
    pub message: String,
}

/// One key with the way it is followed.
struct Candidate<'a> {
    name: &'a str,
    key: &'a ForeignKey,
    /// The key is on the parent's table and points to the rule's.
    upwards: bool,
}

/// Finds the key that joins a rule to its parent.
///
/// An array follows a key from the rule's table to the parent's. A document follows one in either direction, the
/// parent's own key first; from the rule's table only where it is one-to-one.
///
/// # Errors
/// A sentence for the user: no key, several keys and none chosen, columns that are gone, or that the source cannot
/// compare.
pub fn find_join(
    model: &RelationalModel,
    catalog: &Catalog,
    kind: RuleType,
    wanted: Option<&str>,
    parent: &CatalogTable,
    own: &CatalogTable,
) -> Result<Join, JoinProblem> {
    let keys_of = |name: &TableName| model.table(name).map(|t: &Table| &t.foreign_keys);
    let between = |from: &TableName, to: &TableName, upwards: bool| -> Vec<Candidate<'_>> {
        keys_of(from)
            .into_iter()
            .flatten()
            .filter(|(name, key)| key.target_table.name() == *to && wanted.is_none_or(|w| w == name.as_str()))
            .map(|(name, key)| Candidate { name, key, upwards })
            .collect()
    };
    let down = between(&own.name, &parent.name, false);
    let candidates = match kind {
        RuleType::EmbeddedDocumentArray => down,
        RuleType::EmbeddedDocument | RuleType::NewDocument => {
            let up = between(&parent.name, &own.name, true);
            if up.is_empty() {
                down.into_iter()
                    .filter(|c| wanted.is_some() || c.key.cardinality.is_one())
                    .collect()
            } else {
                up
            }
        }
    };
    let pairs = match candidates.as_slice() {
        [] => {
            return Err(JoinProblem {
                kind: FaultKind::NoKey,
                message: no_key(wanted, parent, own),
            });
        }
        [one] => columns_of(catalog, one, parent, own).map_err(unusable)?,
        // Several synthetic keys of one column each between the same tables are one composite key.
        several
            if several
                .iter()
                .all(|c| c.key.synthetic && c.key.column_mappings.len() == 1) =>
        {
            let mut pairs = Vec::new();
            for candidate in several {
                pairs.extend(columns_of(catalog, candidate, parent, own).map_err(unusable)?);
            }
            pairs
        }
        several => {
            let names: Vec<&str> = several.iter().map(|c| c.name).collect();
            return Err(JoinProblem {
                kind: FaultKind::SeveralKeys,
                message: format!(
                    "{} keys connect {} and {} ({}): choose one as foreign key link",
                    several.len(),
                    own.name,
                    parent.name,
                    names.join(", ")
                ),
            });
        }
    };
    let compared: Vec<(usize, &Equality)> = pairs.iter().map(|p| (p.own, p.equality.as_ref())).collect();
    Ok(Join {
        is_unique: own.has_one(&compared),
        is_indexed: own.finds(&compared),
        pairs,
    })
}

fn unusable(message: String) -> JoinProblem {
    JoinProblem {
        kind: FaultKind::KeyUnusable,
        message,
    }
}

fn no_key(wanted: Option<&str>, parent: &CatalogTable, own: &CatalogTable) -> String {
    match wanted {
        Some(name) => format!("no foreign key \"{name}\" connects {} and {}", own.name, parent.name),
        None => format!(
            "no foreign key connects {} and {}; add a synthetic one",
            own.name, parent.name
        ),
    }
}

fn columns_of(
    catalog: &Catalog,
    candidate: &Candidate<'_>,
    parent: &CatalogTable,
    own: &CatalogTable,
) -> Result<Vec<JoinPair>, String> {
    let mappings = &candidate.key.column_mappings;
    if mappings.is_empty() {
        return Err(format!("the foreign key \"{}\" has no columns", candidate.name));
    }
    let find = |table: &CatalogTable, column: &str| {
        table.column(column).ok_or_else(|| {
            format!(
                "the column \"{column}\" of {}, which the key \"{}\" needs, is gone",
                table.name, candidate.name
            )
        })
    };
    let (referring, referred) = if candidate.upwards {
        (parent, own)
    } else {
        (own, parent)
    };
    let pairs: Vec<(&str, &str)> = mappings
        .iter()
        .map(|m| (m.source.as_str(), m.target.as_str()))
        .collect();
    let constraint = referring
        .foreign_keys
        .iter()
        .find(|key| is_of(key, &referred.name, &pairs));
    pairs
        .into_iter()
        .map(|(source, target)| {
            let (from, to) = (find(referring, source)?, find(referred, target)?);
            let (from_column, to_column) = (&referring.columns[from], &referred.columns[to]);
            let declared = constraint.and_then(|key| {
                let place = key.columns.iter().position(|c| c == source)?;
                key.equalities.get(place).cloned()
            });
            let is_synthetic = declared.is_none();
            let chosen = || {
                let operators = catalog.operators.as_ref()?;
                operators.equality(to_column, from_column).map(Arc::new)
            };
            let equality = declared.or_else(chosen).ok_or_else(|| {
                format!(
                    "the source has no operator that compares {}.{target} ({}) with {}.{source} ({}): choose other columns for the key \"{}\"",
                    referred.name, spelt(to_column), referring.name, spelt(from_column), candidate.name
                )
            })?;
            let (parent, own) = if candidate.upwards { (from, to) } else { (to, from) };
            Ok(JoinPair {
                parent,
                own,
                equals_as_bytes: are_bytes(to_column, from_column, &equality),
                equality,
                refers_up: !candidate.upwards,
                is_synthetic,
            })
        })
        .collect()
}

/// The type of a column as it decides what it can be compared with.
fn spelt(column: &CatalogColumn) -> String {
    match &column.collation {
        Some(collation) if !collation.is_default => format!("{}, collation {}", column.type_text, collation.sql),
        _ => column.type_text.clone(),
    }
}

/// Whether a constraint refers to the table by these pairs of columns, in any order.
fn is_of(key: &CatalogForeignKey, target: &TableName, pairs: &[(&str, &str)]) -> bool {
    let has = |pair: (&String, &String)| pairs.contains(&(pair.0.as_str(), pair.1.as_str()));
    key.target == *target && key.columns.len() == pairs.len() && key.columns.iter().zip(&key.target_columns).all(has)
}

/// Whether values of two columns are equal exactly when their binary forms are: one type, compared in its own way.
fn are_bytes(a: &CatalogColumn, b: &CatalogColumn, equality: &Equality) -> bool {
    let is_own = |column: &CatalogColumn| {
        column.equals_as_bytes
            && column
                .equality
                .as_ref()
                .is_some_and(|own| own.operator == equality.operator)
    };
    a.cast == b.cast && is_own(a) && is_own(b)
}
