//! How rows and fields are named in what is told.

use crate::assemble::RowKey;
use crate::plan::{CollectionPlan, Node, NodeKind};
use indexmap::IndexMap;

/// Calls whose results are others each time.
const CHANCE: [&str; 6] = [
    "Math.random",
    "Date.now",
    "new Date()",
    "performance.now",
    "crypto.",
    "Date()",
];

/// The columns by which a row is known, with their printed values.
pub fn key_of(node: &Node, row: &RowKey) -> IndexMap<String, String> {
    let columns = node.table.row_key();
    let names = columns.iter().map(|c| node.table.columns[*c].name.clone());
    names
        .zip(row.values(node))
        .map(|(name, value)| (name, value.unwrap_or_else(|| "NULL".into())))
        .collect()
}

/// The paths of calculated fields that depend on time or chance, without the numbers of elements.
pub fn not_deterministic(collection: &CollectionPlan) -> Vec<String> {
    let mut found = Vec::new();
    for root in &collection.roots {
        visit(&root.node, "", &mut |path, node| {
            for calculated in &node.calculated {
                if depends_on_chance(&calculated.script.source) {
                    found.push(joined(path, &calculated.name));
                }
            }
        });
    }
    found
}

fn depends_on_chance(source: &str) -> bool {
    let text: String = source.split_whitespace().collect::<Vec<_>>().join(" ");
    CHANCE.iter().any(|call| text.contains(call))
}

/// Shows each node with the path of its documents: empty for the root.
pub fn visit<'p>(node: &'p Node, path: &str, show: &mut dyn FnMut(&str, &'p Node)) {
    show(path, node);
    for child in &node.children {
        visit(child, &path_below(node, path, child), show);
    }
}

/// Where the documents of a child lie.
pub fn path_below(node: &Node, path: &str, child: &Node) -> String {
    if child.kind == NodeKind::Merged {
        return path.to_owned();
    }
    let field = child
        .place
        .strip_prefix(&format!("{}.", node.place))
        .unwrap_or(&child.place);
    joined(path, field)
}

/// A field below a path.
pub fn joined(path: &str, field: &str) -> String {
    match path {
        "" => field.to_owned(),
        _ => format!("{path}.{field}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_time_and_chance_are_known() {
        for chance in ["Math.random() * 2", "columns.a + Date.now()", "new  Date()"] {
            assert!(depends_on_chance(chance), "{chance}");
        }
        for sure in ["columns.a + 1", "new Date(columns.at)", "columns.random"] {
            assert!(!depends_on_chance(sure), "{sure}");
        }
    }
}
