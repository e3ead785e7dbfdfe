//! What a table can become where it is dropped.

use super::joins::{self, Join, Way};
use super::{Draft, Edit, Embedding, NewRule, RulePlace, Shape, going, level, names};
use crate::ids::{CollectionId, MappingId, TableId};
use crate::schema::TableName;

/// Where a table is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DropTarget {
    /// Beside the cards.
    Canvas,
    /// On the card of a collection.
    Collection(CollectionId),
    /// On a field, object or array: the rule that it belongs to, and its path in the documents.
    Field { rule: MappingId, path: String },
}

/// One thing that can be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// *Embed as an array `lines`*.
    pub label: String,
    /// Where, and by which key: *in `orders`, by `order_id`*.
    pub detail: String,
    pub action: OfferAction,
}

#[derive(Debug, Clone, PartialEq)]
pub enum OfferAction {
    Edit(Box<Edit>),
    /// No key connects the two tables: a synthetic one has to be drawn first.
    DrawKey {
        from: TableId,
        to: TableId,
    },
}

/// The edits that are offered: those along keys that exist first, where the table was dropped before elsewhere in the
/// collection.
pub fn offers(draft: &Draft, table: &TableId, onto: &DropTarget) -> Vec<Offer> {
    let Some((path, _)) = draft.table(table) else {
        return Vec::new();
    };
    let name = path.name();
    let mut offers = Vec::new();
    let (collection, first) = match onto {
        DropTarget::Canvas => (None, None),
        DropTarget::Collection(collection) => (Some(collection.clone()), None),
        DropTarget::Field { rule, .. } => (draft.rule(rule).map(|r| r.collection_id.clone()), Some(rule.clone())),
    };
    let parents = collection
        .as_ref()
        .map(|c| parents(draft, c, first.as_ref()))
        .unwrap_or_default();
    let prefix = match onto {
        DropTarget::Field { rule, path } => group_of(draft, rule, path),
        DropTarget::Canvas | DropTarget::Collection(_) => None,
    };
    for parent in &parents {
        let prefix = prefix.as_deref().filter(|_| first.as_ref() == Some(parent));
        offers.extend(below(draft, table, &name, parent, prefix));
    }
    if let Some(collection) = &collection {
        let into = RulePlace::Collection {
            collection: collection.clone(),
        };
        offers.push(added(
            table,
            into,
            "New documents".to_owned(),
            format!("beside those of {}", of(draft, collection)),
        ));
    }
    let into = RulePlace::NewCollection {
        collection: None,
        name: None,
    };
    let wanted = names::collection(draft, &name);
    offers.push(added(
        table,
        into,
        format!("New collection `{wanted}`"),
        "one document for each row".to_owned(),
    ));
    let connected: Vec<&MappingId> = parents.iter().filter(|p| !ways(draft, p, &name).is_empty()).collect();
    let target = first.as_ref().or(parents.first());
    if let Some(parent) = target.filter(|p| !connected.contains(p))
        && let Some(to) = draft.rule(parent).map(|r| TableId::new(&r.table))
    {
        offers.push(Offer {
            label: "Draw a synthetic key…".to_owned(),
            detail: format!("no key connects {name} with `{}`", going::path_of(draft, parent)),
            action: OfferAction::DrawKey {
                from: table.clone(),
                to,
            },
        });
    }
    offers
}

/// What an embedded rule may become, by the keys that there are.
pub fn shapes(draft: &Draft, rule: &MappingId) -> Vec<Shape> {
    let (Some(parent), Some((path, _))) = (draft.parent_of(rule), draft.table_of(rule)) else {
        return Vec::new();
    };
    let ways = ways(draft, parent, &path.name());
    let all = [Shape::Array, Shape::Values, Shape::Document, Shape::Merged];
    all.into_iter()
        .filter(|shape| ways.iter().any(|way| way.suits(*shape)))
        .collect()
}

fn ways(draft: &Draft, parent: &MappingId, own: &TableName) -> Vec<Join> {
    let above = draft.table_of(parent).map(|(path, _)| path.name());
    above
        .map(|above| joins::between(&draft.model, &above, own))
        .unwrap_or_default()
}

/// The rules of a collection that something can lie below: the one that it was dropped on, then those above it, then all
/// others, parents first.
fn parents(draft: &Draft, collection: &CollectionId, first: Option<&MappingId>) -> Vec<MappingId> {
    let up = |id: &MappingId| draft.parent_of(id).cloned();
    let mut all: Vec<MappingId> = std::iter::successors(first.cloned(), up)
        .take(crate::forest::DEPTH_MAX)
        .collect();
    for (root, _) in draft.content.roots_of(collection) {
        for rule in draft.with_below(root) {
            if !all.contains(&rule) {
                all.push(rule);
            }
        }
    }
    all
}

/// The object of dotted names that a path lies in, as a beginning for new names: `contact.email` → `contact`.
fn group_of(draft: &Draft, rule: &MappingId, path: &str) -> Option<String> {
    let names = level::names(draft, &level::owner(draft, rule));
    // The path is from the document's root; the names are from the rule's own place.
    let is_group = |group: &str| names.iter().any(|n| n.name.starts_with(&format!("{group}.")));
    let starts = path.match_indices('.').map(|(at, _)| at + 1);
    let mut own = std::iter::once(0).chain(starts).map(|at| &path[at..]);
    own.find_map(|own| match own.rsplit_once('.') {
        _ if is_group(own) => Some(own.to_owned()),
        Some((group, _)) if is_group(group) => Some(group.to_owned()),
        _ => None,
    })
}

fn below(draft: &Draft, table: &TableId, name: &TableName, parent: &MappingId, prefix: Option<&str>) -> Vec<Offer> {
    let ways = ways(draft, parent, name);
    let place = going::path_of(draft, parent);
    let mut offers = Vec::new();
    for way in &ways {
        let columns: Vec<&str> = match way.way {
            Way::Down => way.own_columns().collect(),
            Way::Up => way.parent_columns().collect(),
        };
        let kind = if way.synthetic { "synthetic key" } else { "key" };
        let detail = format!("in `{place}`, by the {kind} {}", columns.join(", "));
        let shapes: &[Shape] = match way.way {
            Way::Down if way.is_one => &[Shape::Document, Shape::Merged, Shape::Array],
            Way::Down => &[Shape::Array, Shape::Values],
            Way::Up => &[Shape::Document, Shape::Merged],
        };
        for shape in shapes {
            let refers_up = if way.way == Way::Up { way.pairs.as_slice() } else { &[] };
            let field = names::embedding(draft, parent, name, *shape, refers_up);
            let field = match (field, prefix) {
                (Some(field), Some(prefix)) => {
                    let wanted = format!("{prefix}.{field}");
                    Some(names::free(draft, &level::owner(draft, parent), &wanted, None))
                }
                (field, _) => field,
            };
            let shown = field.as_deref().unwrap_or_default();
            let label = match shape {
                Shape::Array => format!("Embed as an array `{shown}`"),
                Shape::Values => format!("Embed as an array of values `{shown}`"),
                Shape::Document => format!("Embed as a document `{shown}`"),
                Shape::Merged => "Merge its fields".to_owned(),
            };
            let embedding = Embedding {
                parent: parent.clone(),
                shape: *shape,
                key: joins::needs_name(&ways, *shape, way).then(|| way.key.clone()).flatten(),
                field,
            };
            offers.push(added(table, RulePlace::Rule(embedding), label, detail.clone()));
        }
    }
    offers
}

fn added(table: &TableId, into: RulePlace, label: String, detail: String) -> Offer {
    let rule = NewRule {
        rule: None,
        table: table.clone(),
        into,
    };
    Offer {
        label,
        detail,
        action: OfferAction::Edit(Box::new(Edit::AddRule(rule))),
    }
}

fn of(draft: &Draft, collection: &CollectionId) -> String {
    let found = draft.content.collections.get(collection);
    found.map_or_else(|| collection.to_string(), |c| format!("`{}`", c.name))
}
