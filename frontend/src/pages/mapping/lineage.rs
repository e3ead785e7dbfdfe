//! Which column each field of the documents is made of, and what lights up with what is chosen or pointed at.

use super::diagram::marks::Marks;
use super::diagram::relational::{edge_id, key_of_edge};
use super::diagram::saved::Side;
use super::diagram::scene::Hit;
use super::rules::is_key_field;
use godwit_shared::ids::{CollectionId, MappingId, TableId};
use godwit_shared::mapping::{Content, KeyHandling, Mapping};
use std::sync::Arc;

/// Something of a project that can be chosen or pointed at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Thing {
    Table(TableId),
    Column {
        table: TableId,
        column: String,
    },
    Key {
        table: TableId,
        name: String,
    },
    Collection(CollectionId),
    Rule(MappingId),
    /// A field, by its path from the root of the document.
    Path {
        collection: CollectionId,
        path: String,
    },
}

impl Thing {
    /// What lies below the pointer on a view.
    pub fn of(side: Side, hit: &Hit) -> Option<Self> {
        let thing = match (side, hit) {
            (Side::Relational, Hit::Card(table)) => Thing::Table(TableId::new(table)),
            (Side::Relational, Hit::Row { card, row }) => Thing::Column {
                table: TableId::new(card),
                column: row.clone(),
            },
            (Side::Relational, Hit::Edge(id)) => {
                let (table, name) = key_of_edge(id)?;
                let name = name.to_owned();
                Thing::Key { table, name }
            }
            (Side::Documents, Hit::Card(collection)) => Thing::Collection(CollectionId::new(collection)),
            (Side::Documents, Hit::Row { card, row }) => Thing::Path {
                collection: CollectionId::new(card),
                path: row.clone(),
            },
            (Side::Documents, Hit::Edge(id)) => {
                let (collection, rest) = id.split_once('\n')?;
                Thing::Path {
                    collection: CollectionId::new(collection),
                    path: rest.split('\n').next()?.to_owned(),
                }
            }
        };
        Some(thing)
    }

    /// The card that it stands on, and whose view that is.
    pub fn card(&self) -> Option<(Side, &str)> {
        match self {
            Thing::Table(table) | Thing::Column { table, .. } | Thing::Key { table, .. } => {
                Some((Side::Relational, table.as_str()))
            }
            Thing::Collection(collection) | Thing::Path { collection, .. } => {
                Some((Side::Documents, collection.as_str()))
            }
            Thing::Rule(_) => None,
        }
    }
}

/// A field and the column that it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub collection: CollectionId,
    pub path: String,
    pub rule: MappingId,
    pub table: TableId,
    pub column: String,
}

/// All fields of all documents with their columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lineage {
    origins: Vec<Origin>,
    /// Rules without a field of their own count as well.
    feeds: Vec<(TableId, CollectionId)>,
}

impl Lineage {
    pub fn of(content: &Content) -> Arc<Self> {
        let mut lineage = Self::default();
        for rule in content.mappings.values() {
            lineage
                .feeds
                .push((TableId::new(&rule.table), rule.collection_id.clone()));
        }
        for collection in content.collections.keys() {
            for (id, rule) in content.roots_of(collection) {
                lineage.add(content, collection, id, rule, "");
            }
        }
        Arc::new(lineage)
    }

    fn add(&mut self, content: &Content, collection: &CollectionId, id: &MappingId, rule: &Mapping, above: &str) {
        let table = TableId::new(&rule.table);
        let is_primitive = rule.settings.primitive == Some(true);
        let key = rule.settings.key_handling.unwrap_or(content.settings.key_handling);
        let is_root = rule.settings.kind == godwit_shared::mapping::RuleType::NewDocument;
        for (column, field) in rule
            .fields
            .iter()
            .filter(|(column, field)| !is_key_field(column, field))
        {
            let mut push = |path: String| {
                self.origins.push(Origin {
                    collection: collection.clone(),
                    path,
                    rule: id.clone(),
                    table: table.clone(),
                    column: column.clone(),
                });
            };
            if is_root && field.source.is_primary_key && key != KeyHandling::Generated {
                push("_id".to_owned());
            }
            if field.target.included {
                push(match is_primitive {
                    true => above.to_owned(),
                    false => below(above, &field.target.name),
                });
            }
        }
        let rules = content.children_of(id);
        for (id, child) in rules.filter_map(|id| Some((id, content.mappings.get(id)?))) {
            match child.settings.embedded_path.as_deref() {
                Some(path) if !path.is_empty() => self.add(content, collection, id, child, &below(above, path)),
                _ => self.add(content, collection, id, child, above),
            }
        }
    }

    pub fn collections_of(&self, table: &TableId) -> impl Iterator<Item = &CollectionId> {
        self.feeds
            .iter()
            .filter(move |(own, _)| own == table)
            .map(|(_, collection)| collection)
    }

    pub fn tables_of(&self, collection: &CollectionId) -> impl Iterator<Item = &TableId> {
        self.feeds
            .iter()
            .filter(move |(_, own)| own == collection)
            .map(|(table, _)| table)
    }

    /// The columns of a field; of an object or array all that lie in it.
    pub fn columns_of(&self, collection: &CollectionId, path: &str) -> impl Iterator<Item = &Origin> {
        let is_in = move |own: &str| {
            own.strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.origins
            .iter()
            .filter(move |origin| origin.collection == *collection && is_in(&origin.path))
    }

    /// The fields that a column is part of.
    pub fn fields_of(&self, table: &TableId, column: &str) -> impl Iterator<Item = &Origin> {
        self.origins
            .iter()
            .filter(move |origin| origin.table == *table && origin.column == column)
    }
}

pub fn below(above: &str, name: &str) -> String {
    match above {
        "" => name.to_owned(),
        _ => format!("{above}.{name}"),
    }
}

/// What is marked on one view.
pub fn marks(side: Side, chosen: &[Thing], pointed: Option<&Thing>, lineage: &Lineage) -> Marks {
    let mut marks = Marks::default();
    for thing in chosen {
        let card = thing
            .card()
            .filter(|(own, _)| *own == side && !matches!(thing, Thing::Key { .. }));
        marks.chosen.extend(card.map(|(_, card)| card.to_owned()));
    }
    chosen
        .iter()
        .chain(pointed)
        .for_each(|thing| light(&mut marks, side, thing, lineage));
    marks
}

fn light(marks: &mut Marks, side: Side, thing: &Thing, lineage: &Lineage) {
    let row = |card: &str, row: &str| (card.to_owned(), row.to_owned());
    match (side, thing) {
        (Side::Documents, Thing::Table(table)) => {
            marks
                .cards
                .extend(lineage.collections_of(table).map(ToString::to_string));
        }
        (Side::Relational, Thing::Collection(collection)) => {
            marks
                .cards
                .extend(lineage.tables_of(collection).map(ToString::to_string));
        }
        (Side::Relational, Thing::Column { table, column }) => {
            marks.rows.insert(row(table.as_str(), column));
        }
        (Side::Documents, Thing::Column { table, column }) => {
            let fields = lineage.fields_of(table, column);
            marks
                .rows
                .extend(fields.map(|origin| row(origin.collection.as_str(), &origin.path)));
        }
        (Side::Documents, Thing::Path { collection, path }) => {
            marks.rows.insert(row(collection.as_str(), path));
        }
        (Side::Relational, Thing::Path { collection, path }) => {
            let columns = lineage.columns_of(collection, path);
            for origin in columns {
                marks.rows.insert(row(origin.table.as_str(), &origin.column));
                marks.cards.insert(origin.table.to_string());
            }
        }
        (Side::Relational, Thing::Key { table, name }) => {
            marks.edges.insert(edge_id(table, name));
        }
        (_, Thing::Rule(rule)) => {
            for origin in lineage.origins.iter().filter(|origin| origin.rule == *rule) {
                marks.rows.insert(match side {
                    Side::Documents => row(origin.collection.as_str(), &origin.path),
                    Side::Relational => row(origin.table.as_str(), &origin.column),
                });
                if side == Side::Relational {
                    marks.cards.insert(origin.table.to_string());
                }
            }
        }
        (Side::Documents, Thing::Key { .. } | Thing::Collection(_)) | (Side::Relational, Thing::Table(_)) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mapping::samples::content;

    fn rows(side: Side, thing: Thing) -> Vec<String> {
        let marks = marks(side, &[], Some(&thing), &Lineage::of(&content()));
        let mut rows: Vec<_> = marks
            .rows
            .into_iter()
            .map(|(card, row)| format!("{card}/{row}"))
            .collect();
        rows.sort();
        rows
    }

    #[test]
    fn fields_and_columns_light_up_together() {
        let path = |path: &str| Thing::Path {
            collection: CollectionId::new("c1"),
            path: path.into(),
        };
        let column = |table: &str, column: &str| Thing::Column {
            table: TableId::new(table),
            column: column.into(),
        };
        assert_eq!(rows(Side::Relational, path("person.name")), ["t1/name"]);
        assert_eq!(rows(Side::Relational, path("loans")), ["t2/id", "t2/title"]);
        assert_eq!(rows(Side::Relational, path("_id")), ["t1/id"]);
        assert_eq!(rows(Side::Documents, column("t2", "title")), ["c1/loans.title"]);
        assert_eq!(rows(Side::Documents, column("t2", "borrower_id")), [""; 0]);
    }

    #[test]
    fn what_is_chosen_lights_up_its_counterparts() {
        let lineage = Lineage::of(&content());
        let table = [Thing::Table(TableId::new("t2"))];
        let own = marks(Side::Relational, &table, None, &lineage);
        assert_eq!((own.chosen, own.cards.len()), (vec!["t2".to_owned()], 0));
        let other = marks(Side::Documents, &table, None, &lineage);
        assert!(other.chosen.is_empty() && other.cards.contains("c1"));
        let collection = [Thing::Collection(CollectionId::new("c1"))];
        let tables = marks(Side::Relational, &collection, None, &lineage).cards;
        assert!(tables.contains("t1") && tables.contains("t2") && tables.len() == 2);
    }

    #[test]
    fn what_lies_below_the_pointer_is_a_thing() {
        let check = |side, hit, thing| assert_eq!(Thing::of(side, &hit), Some(thing));
        let (table, name) = (TableId::new("t2"), "fk".to_owned());
        let id = edge_id(&table, &name);
        check(Side::Relational, Hit::Edge(id), Thing::Key { table, name });
        let path = Thing::Path {
            collection: CollectionId::new("c1"),
            path: "a.b".into(),
        };
        check(Side::Documents, Hit::Edge("c1\na.b\nc2\nfk".into()), path);
    }
}
