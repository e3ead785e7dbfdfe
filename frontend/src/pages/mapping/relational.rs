//! The tables of the source as a tree, and which collections each of them feeds.

use crate::components::icon::Icon;
use crate::components::tree::TreeNode;
use crate::format::number;
use godwit_shared::ids::{CollectionId, TableId};
use godwit_shared::mapping::{Content, Mapping};
use godwit_shared::schema::{Column, RelationalModel, Table, TableName, TablePath};

/// Schemas, their tables, their columns, each by name but the columns. A project has the tables that it took over.
pub fn relational_tree(model: &RelationalModel, content: &Content) -> Vec<TreeNode> {
    let mut tables: Vec<(TablePath, &Table)> = model.tables().filter(|(path, _)| is_taken(content, path)).collect();
    tables.sort_by(|(a, _), (b, _)| (&a.schema, &a.table).cmp(&(&b.schema, &b.table)));
    let mut schemas: Vec<TreeNode> = Vec::new();
    for (path, table) in tables {
        let line = table_line(&path, table, content);
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

fn is_taken(content: &Content, path: &TablePath) -> bool {
    content.tables.is_empty() || content.tables.values().any(|entry| entry.path.name() == path.name())
}

/// `schema.table`: what the id of a table's line is, too.
pub fn table_line_id(name: &TableName) -> String {
    name.to_string()
}

fn table_line(path: &TablePath, table: &Table, content: &Content) -> TreeNode {
    let id = table_line_id(&path.name());
    let note = match collections_of(content, &id).len() as u64 {
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

/// The collections that a table feeds, in the order of the project.
pub fn collections_of(content: &Content, table: &str) -> Vec<CollectionId> {
    let feeds = |collection: &CollectionId| {
        let mut rules = content.mappings.values();
        rules.any(|rule| rule.collection_id == *collection && table_name(content, rule).as_deref() == Some(table))
    };
    content.collections.keys().filter(|id| feeds(id)).cloned().collect()
}

/// `schema.table` of a rule.
pub fn table_name(content: &Content, rule: &Mapping) -> Option<String> {
    let entry = content.tables.get(&TableId::new(&rule.table))?;
    Some(table_line_id(&entry.path.name()))
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
        let borrowers = CollectionId::new("c1");
        assert_eq!(collections_of(&content, "public.loans"), [borrowers]);
        assert_eq!(collections_of(&content, "staff.desks"), []);
        assert_eq!(table_of_line("public.loans\ntitle"), "public.loans");
        assert_eq!(table_of_line("public.loans"), "public.loans");
    }
}
