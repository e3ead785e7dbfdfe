//! Which columns join a rule to its parent.

use crate::data::catalog::CatalogTable;
use godwit_shared::mapping::RuleType;
use godwit_shared::schema::{ForeignKey, RelationalModel, Table, TableName};

/// How rows of a node belong to rows of its parent node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    pub pairs: Vec<JoinPair>,
    /// At most one row of the node has given values in the columns of the pairs.
    pub is_unique: bool,
    /// An index of the node's table leads with the columns of the pairs.
    pub is_indexed: bool,
}

/// A column of the parent's table and the column of the own table that has to be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinPair {
    pub parent: usize,
    pub own: usize,
    /// The source cannot compare the two types: their texts are compared.
    pub as_text: bool,
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
/// A sentence for the user: no key, several keys and none chosen, or columns that are gone.
pub fn find_join(
    model: &RelationalModel,
    kind: RuleType,
    wanted: Option<&str>,
    parent: &CatalogTable,
    own: &CatalogTable,
) -> Result<Join, String> {
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
        [] => return Err(no_key(wanted, parent, own)),
        [one] => columns_of(one, parent, own)?,
        // Several synthetic keys of one column each between the same tables are one composite key.
        several
            if several
                .iter()
                .all(|c| c.key.synthetic && c.key.column_mappings.len() == 1) =>
        {
            let mut pairs = Vec::new();
            for candidate in several {
                pairs.extend(columns_of(candidate, parent, own)?);
            }
            pairs
        }
        several => {
            let names: Vec<&str> = several.iter().map(|c| c.name).collect();
            return Err(format!(
                "{} keys connect {} and {} ({}): choose one as foreign key link",
                several.len(),
                own.name,
                parent.name,
                names.join(", ")
            ));
        }
    };
    let own_columns: Vec<usize> = pairs.iter().map(|p| p.own).collect();
    Ok(Join {
        is_unique: own.is_unique_on(&own_columns),
        is_indexed: own.has_index_on(&own_columns),
        pairs,
    })
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

fn columns_of(candidate: &Candidate<'_>, parent: &CatalogTable, own: &CatalogTable) -> Result<Vec<JoinPair>, String> {
    if candidate.key.column_mappings.is_empty() {
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
    candidate
        .key
        .column_mappings
        .iter()
        .map(|pair| {
            let (of_parent, of_own) = if candidate.upwards {
                (&pair.source, &pair.target)
            } else {
                (&pair.target, &pair.source)
            };
            let (parent_column, own_column) = (find(parent, of_parent)?, find(own, of_own)?);
            let as_text = parent.columns[parent_column].family != own.columns[own_column].family;
            Ok(JoinPair {
                parent: parent_column,
                own: own_column,
                as_text,
            })
        })
        .collect()
}
