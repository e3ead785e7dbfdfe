//! Which lines of a tree are in sight, and what a key does there. Plain functions.

use crate::components::icon::Icon;
use std::collections::HashSet;

/// A line of the tree with what lies below it.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeNode {
    /// Unlike that of every other line of the tree.
    pub id: String,
    pub label: String,
    /// Behind the label: a type, a count.
    pub note: String,
    pub icon: Icon,
    pub children: Vec<TreeNode>,
}

/// A line in sight.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeRow {
    pub id: String,
    pub label: String,
    pub note: String,
    pub icon: Icon,
    /// From 1.
    pub level: usize,
    pub has_children: bool,
    pub parent: Option<String>,
}

/// The lines in sight, and those that are open because of what is searched below them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shown {
    pub rows: Vec<TreeRow>,
    pub forced_open: HashSet<String>,
}

/// `search` keeps lines that have it in their label, whatever its case, with all that is above and below them.
pub fn shown(nodes: &[TreeNode], open: &HashSet<String>, search: &str) -> Shown {
    let mut shown = Shown::default();
    let search = search.trim().to_lowercase();
    let above = Above {
        open,
        search: &search,
        is_match: search.is_empty(),
    };
    add(nodes, &above, 1, None, &mut shown);
    shown
}

/// What the lines above say of those below.
#[derive(Clone, Copy)]
struct Above<'a> {
    open: &'a HashSet<String>,
    search: &'a str,
    /// A line above has what is searched.
    is_match: bool,
}

fn add(nodes: &[TreeNode], above: &Above<'_>, level: usize, parent: Option<&str>, shown: &mut Shown) {
    for node in nodes {
        let is_match = above.is_match || has(node, above.search);
        let is_below = !is_match && node.children.iter().any(|child| finds(child, above.search));
        if !is_match && !is_below {
            continue;
        }
        shown.rows.push(TreeRow {
            id: node.id.clone(),
            label: node.label.clone(),
            note: node.note.clone(),
            icon: node.icon,
            level,
            has_children: !node.children.is_empty(),
            parent: parent.map(ToOwned::to_owned),
        });
        if is_below {
            shown.forced_open.insert(node.id.clone());
        }
        if is_below || above.open.contains(&node.id) {
            let below = Above { is_match, ..*above };
            add(&node.children, &below, level + 1, Some(&node.id), shown);
        }
    }
}

fn has(node: &TreeNode, search: &str) -> bool {
    node.label.to_lowercase().contains(search)
}

fn finds(node: &TreeNode, search: &str) -> bool {
    has(node, search) || node.children.iter().any(|child| finds(child, search))
}

/// What a key does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Focus(String),
    Open(String),
    Close(String),
    Select(String),
}

/// What a key does on a line, as in the trees of operating systems; `None` where it does nothing.
pub fn step(shown: &Shown, open: &HashSet<String>, at: &str, key: &str) -> Option<Step> {
    let rows = &shown.rows;
    let place = rows.iter().position(|row| row.id == at)?;
    let row = &rows[place];
    let focus = |place: usize| rows.get(place).map(|row| Step::Focus(row.id.clone()));
    let is_open = open.contains(at) || shown.forced_open.contains(at);
    match key {
        "ArrowDown" => focus(place + 1),
        "ArrowUp" => focus(place.checked_sub(1)?),
        "Home" => focus(0),
        "End" => focus(rows.len().checked_sub(1)?),
        "ArrowRight" if row.has_children && !is_open => Some(Step::Open(at.to_owned())),
        "ArrowRight" if row.has_children => focus(place + 1),
        "ArrowLeft" if row.has_children && open.contains(at) => Some(Step::Close(at.to_owned())),
        "ArrowLeft" => row.parent.clone().map(Step::Focus),
        "Enter" | " " => Some(Step::Select(at.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, children: Vec<TreeNode>) -> TreeNode {
        TreeNode {
            id: id.into(),
            label: id.into(),
            note: String::new(),
            icon: Icon::Database,
            children,
        }
    }

    fn tree() -> Vec<TreeNode> {
        vec![
            node("Orders", vec![node("o.id", vec![]), node("o.note", vec![])]),
            node("Lines", vec![node("l.id", vec![])]),
        ]
    }

    fn open(ids: &[&str]) -> HashSet<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_in_sight() {
        let check = |opened: &[&str], search: &str, expected: &[(&str, usize)]| {
            let shown = shown(&tree(), &open(opened), search);
            let found: Vec<_> = shown.rows.iter().map(|row| (&*row.id, row.level)).collect();
            assert_eq!(found, expected, "{opened:?} {search:?}");
        };
        check(&[], "", &[("Orders", 1), ("Lines", 1)]);
        check(&["Lines"], " ", &[("Orders", 1), ("Lines", 1), ("l.id", 2)]);
        check(&[], "NOTE", &[("Orders", 1), ("o.note", 2)]);
        // What lies below a line that was found stays where it is.
        check(&[], "orders", &[("Orders", 1)]);
        check(&["Orders"], "orders", &[("Orders", 1), ("o.id", 2), ("o.note", 2)]);
        check(&[], "nothing", &[]);
    }

    #[test]
    fn what_keys_do() {
        let opened = open(&["Orders"]);
        let shown = shown(&tree(), &opened, "");
        let check = |at: &str, key: &str, expected: Option<Step>| {
            assert_eq!(step(&shown, &opened, at, key), expected, "{at} {key}");
        };
        let focus = |id: &str| Some(Step::Focus(id.into()));
        check("Orders", "ArrowDown", focus("o.id"));
        check("Orders", "ArrowUp", None);
        check("Orders", "ArrowRight", focus("o.id"));
        check("Orders", "ArrowLeft", Some(Step::Close("Orders".into())));
        check("o.note", "ArrowLeft", focus("Orders"));
        check("Lines", "ArrowRight", Some(Step::Open("Lines".into())));
        check("Lines", "ArrowDown", None);
        check("Lines", "Home", focus("Orders"));
        check("Orders", "End", focus("Lines"));
        check("o.id", "Enter", Some(Step::Select("o.id".into())));
        check("o.id", "x", None);
        check("gone", "Enter", None);
    }
}
