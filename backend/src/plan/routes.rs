//! Which documents a changed row may touch: for every place of a table in the plan a route from the row to its roots.
//!
//! A route starts with the values of some columns, taken from the images of a change. Both images count, of every
//! single change: a row that moves touches the documents that it leaves and those that it joins. Changes are never
//! folded before their keys are taken, because what was read in between may hold a state that folding hides.
//! Rows in the middle of a path that move are changes of their own and bring their own keys.

use super::{Node, Plan, RootPlan};
use crate::data::catalog::CatalogColumn;
use crate::data::change::{Image, ImageCell, ImageTooSmall, RowChange};
use crate::data::equality::{Equality, EqualityCollation};
use crate::data::row::push_field;

/// From a row of one node to the root rows above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub collection: usize,
    /// Which root of the collection.
    pub root: usize,
    /// The table, as a place in [`Plan::tables`].
    pub table: usize,
    /// From the root down: which child of each node. Empty for the root itself.
    pub path: Vec<usize>,
    /// The columns of the table whose values are the key, in the order that `arrival` needs.
    pub columns: Vec<usize>,
    pub arrival: Arrival,
}

/// What the key of a route is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The key of the root row itself: nothing has to be asked.
    Root,
    /// Own columns of the node's join: the source has to be asked for the roots above.
    Climb,
}

/// The routes of all nodes of a plan.
pub fn routes(plan: &Plan) -> Vec<Route> {
    let tables = plan.tables();
    let place = |node: &Node| {
        tables
            .iter()
            .position(|t| t.name == node.table.name)
            .expect("the plan lists its tables")
    };
    let mut routes = Vec::new();
    for (collection, c) in plan.collections.iter().enumerate() {
        for (root, r) in c.roots.iter().enumerate() {
            routes.push(Route {
                collection,
                root,
                table: place(&r.node),
                path: Vec::new(),
                columns: r.node.table.row_key(),
                arrival: Arrival::Root,
            });
            below(&r.node, &mut Vec::new(), &mut |path, node| {
                let (columns, arrival) = start_of(r, path, node);
                routes.push(Route {
                    collection,
                    root,
                    table: place(node),
                    path: path.to_vec(),
                    columns,
                    arrival,
                });
            });
        }
    }
    routes
}

fn below(node: &Node, path: &mut Vec<usize>, visit: &mut impl FnMut(&[usize], &Node)) {
    for (index, child) in node.children.iter().enumerate() {
        path.push(index);
        visit(path, child);
        below(child, path, visit);
        path.pop();
    }
}

/// A child of the root that points to its primary key carries the root's key itself, when both are of one type and the
/// join compares as the key does.
fn start_of(root: &RootPlan, path: &[usize], node: &Node) -> (Vec<usize>, Arrival) {
    let pairs = node.join.as_ref().map_or(&[][..], |j| &j.pairs);
    let own = pairs.iter().map(|p| p.own).collect();
    let key = &root.node.table.primary_key;
    if path.len() > 1 || key.is_empty() || pairs.len() != key.len() {
        return (own, Arrival::Climb);
    }
    let direct: Option<Vec<usize>> = key
        .iter()
        .map(|column| {
            let pair = pairs.iter().find(|p| p.parent == *column)?;
            let (of_root, of_node) = (&root.node.table.columns[*column], &node.table.columns[pair.own]);
            let is_same = of_root.cast == of_node.cast && is_that_of(of_root, &pair.equality);
            is_same.then_some(pair.own)
        })
        .collect();
    direct.map_or((own, Arrival::Climb), |columns| (columns, Arrival::Root))
}

/// Whether a join compares values as the key of the root does.
fn is_that_of(key: &CatalogColumn, join: &Equality) -> bool {
    let Some(own) = &key.equality else { return false };
    let is_same_collation = match (&own.collation, &join.collation) {
        (EqualityCollation::None | EqualityCollation::Any, EqualityCollation::None | EqualityCollation::Any) => true,
        (EqualityCollation::Only(own), EqualityCollation::Only(of_join)) => own == of_join,
        _ => false,
    };
    own.operator == join.operator && is_same_collation
}

impl Route {
    /// The nodes from the root to the node of the route.
    pub fn nodes<'p>(&self, plan: &'p Plan) -> Vec<&'p Node> {
        let mut node = &plan.collections[self.collection].roots[self.root].node;
        let mut nodes = vec![node];
        for child in &self.path {
            node = &node.children[*child];
            nodes.push(node);
        }
        nodes
    }

    /// Whether a null in the key leads nowhere; a row without a primary key may hold nulls.
    fn takes_nulls(&self) -> bool {
        self.path.is_empty()
    }

    /// The keys of a change: of its old image and of its new one, as [`encode_key`] writes them. Equal ones come once.
    ///
    /// # Errors
    /// When an image lacks a column of the key.
    pub fn keys(&self, change: &RowChange<'_>, mut take: impl FnMut(&[u8])) -> Result<(), ImageTooSmall> {
        let (mut old_key, mut new_key) = (Vec::new(), Vec::new());
        let has_old = match change.old {
            Some(old) => self.key(change, old, None, &mut old_key)?,
            None => false,
        };
        if has_old {
            take(&old_key);
        }
        if let Some(new) = change.new
            && self.key(change, new, change.old, &mut new_key)?
            && !(has_old && new_key == old_key)
        {
            take(&new_key);
        }
        Ok(())
    }

    /// Writes the key of an image; false where a null leads nowhere.
    fn key(
        &self,
        change: &RowChange<'_>,
        image: &Image<'_>,
        before: Option<&Image<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<bool, ImageTooSmall> {
        for column in &self.columns {
            // What the change left as it was is in the old image, if anywhere.
            let cell = match (image[*column], before) {
                (ImageCell::Unchanged, Some(before)) => before[*column],
                (cell, _) => cell,
            };
            match cell {
                ImageCell::Text(text) => push_part(out, Some(text)),
                ImageCell::Null if self.takes_nulls() => push_part(out, None),
                ImageCell::Null => return Ok(false),
                ImageCell::Unchanged | ImageCell::Absent => {
                    return Err(ImageTooSmall {
                        table: change.table,
                        column: *column,
                    });
                }
            }
        }
        Ok(true)
    }
}

const NULL_PART: u32 = u32::MAX;

fn push_part(out: &mut Vec<u8>, part: Option<&str>) {
    match part {
        Some(text) => push_field(out, text.as_bytes()),
        None => out.extend_from_slice(&NULL_PART.to_le_bytes()),
    }
}

/// A key as bytes: each part with its length in front.
pub fn encode_key<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> Vec<u8> {
    let mut out = Vec::new();
    parts.into_iter().for_each(|part| push_part(&mut out, part));
    out
}

/// The parts of a key.
pub fn decode_key(key: &[u8]) -> Vec<Option<&str>> {
    let (mut parts, mut rest) = (Vec::new(), key);
    while let Some((length, tail)) = rest.split_at_checked(4) {
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        if length == NULL_PART {
            parts.push(None);
            rest = tail;
            continue;
        }
        let (text, tail) = tail.split_at((length as usize).min(tail.len()));
        parts.push(Some(std::str::from_utf8(text).expect("keys are made of texts")));
        rest = tail;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use ImageCell::{Absent, Null, Text, Unchanged};

    fn route(columns: &[usize], path: &[usize]) -> Route {
        Route {
            collection: 0,
            root: 0,
            table: 0,
            path: path.to_vec(),
            columns: columns.to_vec(),
            arrival: Arrival::Climb,
        }
    }

    fn keys(route: &Route, old: Option<&Image<'_>>, new: Option<&Image<'_>>) -> Result<Vec<Vec<u8>>, ImageTooSmall> {
        let mut keys = Vec::new();
        route.keys(&RowChange { table: 0, old, new }, |k| keys.push(k.to_vec()))?;
        Ok(keys)
    }

    #[test]
    fn both_images_give_their_key() {
        let child = route(&[1], &[0]);
        let (a, b) = (encode_key([Some("1")]), encode_key([Some("2")]));
        let (old, new) = ([Text("10"), Text("1")], [Text("10"), Text("2")]);
        assert_eq!(keys(&child, Some(&old), Some(&new)), Ok(vec![a.clone(), b.clone()]));
        assert_eq!(keys(&child, Some(&old), Some(&old)), Ok(vec![a.clone()]));
        assert_eq!(keys(&child, Some(&old), Some(&[Text("10"), Null])), Ok(vec![a.clone()]));
        assert_eq!(keys(&child, None, Some(&new)), Ok(vec![b]));
        assert_eq!(keys(&child, Some(&old), None), Ok(vec![a]));
    }

    #[test]
    fn an_unchanged_value_is_in_the_old_image_or_the_change_cannot_be_followed() {
        let child = route(&[1], &[0]);
        let large = encode_key([Some("large")]);
        let (old, new) = ([Text("1"), Text("large")], [Text("1"), Unchanged]);
        assert_eq!(keys(&child, Some(&old), Some(&new)), Ok(vec![large]));
        let too_small = Err(ImageTooSmall { table: 0, column: 1 });
        assert_eq!(keys(&child, None, Some(&new)), too_small);
        assert_eq!(keys(&child, Some(&[Text("1"), Absent]), None), too_small);
    }

    #[test]
    fn a_null_leads_nowhere_but_is_a_part_of_a_row_without_a_key() {
        let image = [Text("a"), Null];
        assert_eq!(keys(&route(&[1], &[0]), None, Some(&image)), Ok(vec![]));
        let row = encode_key([Some("a"), None]);
        assert_eq!(decode_key(&row), [Some("a"), None]);
        assert_eq!(keys(&route(&[0, 1], &[]), None, Some(&image)), Ok(vec![row]));
    }
}
