//! The relational view: a card for each table of the project, a line for each foreign key.

use super::card::{Card, CardRow};
use super::edge::{Edge, Many};
use crate::format::number;
use godwit_shared::ids::TableId;
use godwit_shared::mapping::Content;
use godwit_shared::schema::{ForeignKey, RelationalModel, Table, TableName};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The id of the line of a foreign key.
pub fn edge_id(table: &TableId, key: &str) -> String {
    format!("{table}\n{key}")
}

/// Table and name of the foreign key that a line stands for.
pub fn key_of_edge(id: &str) -> Option<(TableId, &str)> {
    id.split_once('\n').map(|(table, key)| (TableId::new(table), key))
}

/// Cards and lines of all tables that the project has.
pub fn graph(content: &Content, model: &RelationalModel) -> (Vec<Arc<Card>>, Vec<Arc<Edge>>) {
    let ids: HashMap<TableName, &TableId> = content.tables.iter().map(|(id, t)| (t.path.name(), id)).collect();
    let schemas: HashSet<&str> = content.tables.values().map(|t| t.path.schema.as_str()).collect();
    let mut cards = Vec::new();
    let mut edges = Vec::new();
    for (id, entry) in &content.tables {
        let name = entry.path.name();
        let Some(table) = model.table(&name) else { continue };
        let title = match schemas.len() {
            1 => name.table.clone(),
            _ => name.to_string(),
        };
        cards.push(Arc::new(card(id, title, table)));
        let keys = table.foreign_keys.iter().filter_map(|(key_name, key)| {
            let target = ids.get(&key.target_table.name())?;
            Some(Arc::new(edge(id, &name, key_name, key, target)))
        });
        edges.extend(keys);
    }
    (cards, edges)
}

fn card(id: &TableId, title: String, table: &Table) -> Card {
    let linked: HashSet<&str> = table
        .foreign_keys
        .values()
        .flat_map(|key| key.column_mappings.iter().map(|pair| pair.source.as_str()))
        .collect();
    let mut columns: Vec<_> = table.columns.iter().collect();
    columns.sort_by_key(|(_, column)| column.ordinal_position);
    let rows = columns.into_iter().map(|(name, column)| CardRow {
        id: name.clone(),
        label: name.clone(),
        kind: column.kind.database_specific_type.clone(),
        is_key: column.primary_key.is_some(),
        is_link: linked.contains(name.as_str()),
        ..CardRow::default()
    });
    Card {
        id: id.to_string(),
        title,
        note: number::counted(table.columns.len() as u64, "column", "columns"),
        rows: rows.collect(),
        is_proposed: false,
    }
}

fn edge(table: &TableId, own: &TableName, name: &str, key: &ForeignKey, target: &TableId) -> Edge {
    let first = key.column_mappings.first();
    let pairs = key.column_mappings.iter().map(|pair| {
        format!(
            "{}.{} = {}.{}",
            own.table, pair.source, key.target_table.table, pair.target
        )
    });
    Edge {
        id: edge_id(table, name),
        from: table.to_string(),
        from_row: first.map(|pair| pair.source.clone()),
        to: target.to_string(),
        to_row: first.map(|pair| pair.target.clone()),
        from_many: match key.cardinality.is_one() {
            true => Many::One,
            false => Many::Many,
        },
        is_synthetic: key.synthetic,
        label: pairs.collect::<Vec<_>>().join(" and "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples;

    #[test]
    fn tables_with_their_keys() {
        let (cards, edges) = graph(&samples::content(), &samples::model());
        let loans = cards.iter().find(|card| card.id == "t2").expect("the card");
        assert_eq!(loans.title, "public.loans");
        let marks: Vec<_> = loans
            .rows
            .iter()
            .map(|row| (&*row.label, row.is_key, row.is_link))
            .collect();
        assert_eq!(
            marks,
            [
                ("id", true, false),
                ("borrower_id", false, true),
                ("title", false, false)
            ]
        );
        let [edge] = edges.as_slice() else { panic!("{edges:?}") };
        assert_eq!(
            (&*edge.from, &*edge.to, &*edge.label),
            ("t2", "t1", "loans.borrower_id = borrowers.id")
        );
        assert_eq!(key_of_edge(&edge.id), Some((TableId::new("t2"), "loans_borrower")));
    }
}
