//! The tables of the source as a tree, and which collections each of them feeds.

use crate::components::icon::Icon;
use crate::components::tree::TreeNode;
use crate::format::number;
use godwit_shared::ids::{CollectionId, TableId};
use godwit_shared::mapping::Content;
use godwit_shared::schema::{Column, RelationalModel, Table, TableName, TablePath};
use std::collections::{HashMap, HashSet};

/// Schemas, their tables, their columns, each by name but the columns. A project has the tables that it took over.
pub fn relational_tree(model: &RelationalModel, content: &Content) -> Vec<TreeNode> {
    let taken: HashSet<TableName> = content.tables.values().map(|entry| entry.path.name()).collect();
    let is_taken = |path: &TablePath| taken.is_empty() || taken.contains(&path.name());
    let mut tables: Vec<(TablePath, &Table)> = model.tables().filter(|(path, _)| is_taken(path)).collect();
    let fed = fed(content);
    tables.sort_by(|(a, _), (b, _)| (&a.schema, &a.table).cmp(&(&b.schema, &b.table)));
    let mut schemas: Vec<TreeNode> = Vec::new();
    for (path, table) in tables {
        let line = table_line(&path, table, fed.get(&path.name()).map_or(0, HashSet::len));
        match schemas.last_mut().filter(|schema| schema.label == path.schema) {
            Some(schema) => schema.children.push(line),
            None => schemas.push(TreeNode {
                id: path.schema.clone(),
                label: path.schema.clone(),
                note: String::new(),
                icon: Icon::Schema,
                children: vec![line],
            }),
        }
    }
    for schema in &mut schemas {
        schema.note = number::counted(schema.children.len() as u64, "table", "tables");
    }
    schemas
}

/// The collections that each table feeds.
fn fed(content: &Content) -> HashMap<TableName, HashSet<&CollectionId>> {
    let mut fed: HashMap<TableName, HashSet<&CollectionId>> = HashMap::new();
    for rule in content.mappings.values() {
        if let Some(entry) = content.tables.get(&TableId::new(&rule.table)) {
            fed.entry(entry.path.name()).or_default().insert(&rule.collection_id);
        }
    }
    fed
}

/// `schema.table`: what the id of a table's line is, too.
pub fn table_line_id(name: &TableName) -> String {
    name.to_string()
}

fn table_line(path: &TablePath, table: &Table, collections: usize) -> TreeNode {
    let id = table_line_id(&path.name());
    let note = match collections as u64 {
        0 => "not mapped".to_owned(),
        n => number::counted(n, "collection", "collections"),
    };
    TreeNode {
        label: path.table.clone(),
        note,
        icon: Icon::Table,
        children: table
            .columns
            .iter()
            .map(|(name, column)| column_line(&id, name, column))
            .collect(),
        id,
    }
}

fn column_line(table: &str, name: &str, column: &Column) -> TreeNode {
    TreeNode {
        // No name holds a line break by accident: it cannot be taken for a table.
        id: format!("{table}\n{name}"),
        label: name.to_owned(),
        note: column.kind.database_specific_type.clone(),
        icon: match column.primary_key {
            Some(_) => Icon::Key,
            None => Icon::Column,
        },
        children: Vec::new(),
    }
}

/// The table that a line belongs to: that of its table, or of the table of its column.
pub fn table_of_line(id: &str) -> &str {
    id.split_once('\n').map_or(id, |(table, _)| table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples::{content, model};

    fn lines(nodes: &[TreeNode]) -> Vec<String> {
        let line = |node: &TreeNode| {
            let below = lines(&node.children).join(", ");
            format!("{} ({}) [{below}]", node.label, node.note)
        };
        nodes.iter().map(line).collect()
    }

    #[test]
    fn tables_with_their_columns_and_what_they_feed() {
        assert_eq!(
            lines(&relational_tree(&model(), &content())),
            [
                "public (2 tables) [borrowers (1 collection) [id (integer) [], name (text) []], \
                 loans (1 collection) [id (integer) [], borrower_id (integer) [], title (text) []]]",
                "staff (1 table) [desks (not mapped) [id (integer) []]]",
            ]
        );
    }

    #[test]
    fn tables_and_collections_know_each_other() {
        let content = content();
        let fed = fed(&content);
        assert!(fed[&TableName::new("public", "loans")].contains(&CollectionId::new("c1")));
        assert!(!fed.contains_key(&TableName::new("staff", "desks")));
        assert_eq!(table_of_line("public.loans\ntitle"), "public.loans");
        assert_eq!(table_of_line("public.loans"), "public.loans");
    }
}
