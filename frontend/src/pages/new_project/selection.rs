//! Which tables take part. Tables are known by their place in the tree.

use crate::components::choice::Share;
use godwit_shared::schema::{RelationalModel, TableName, TablePath};
use std::collections::HashSet;

/// The tables of a model by database and schema, each list by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableTree {
    pub tables: Vec<TableNode>,
    pub schemas: Vec<SchemaNode>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TableNode {
    pub path: TablePath,
    pub column_count: usize,
    pub has_key: bool,
}

/// A schema with the places of its tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaNode {
    pub database: String,
    pub name: String,
    pub tables: std::ops::Range<usize>,
}

impl TableTree {
    pub fn of(model: &RelationalModel) -> Self {
        let mut tables: Vec<TableNode> = model
            .tables()
            .map(|(path, table)| TableNode {
                path,
                column_count: table.columns.len(),
                has_key: table.columns.values().any(|c| c.primary_key.is_some()),
            })
            .collect();
        let key = |t: &TableNode| (t.path.database.clone(), t.path.schema.clone(), t.path.table.clone());
        tables.sort_by_key(key);
        let mut schemas: Vec<SchemaNode> = Vec::new();
        for (place, table) in tables.iter().enumerate() {
            match schemas.last_mut() {
                Some(s) if s.database == table.path.database && s.name == table.path.schema => s.tables.end = place + 1,
                _ => schemas.push(SchemaNode {
                    database: table.path.database.clone(),
                    name: table.path.schema.clone(),
                    tables: place..place + 1,
                }),
            }
        }
        Self { tables, schemas }
    }

    /// The databases in order, each with its schemas.
    pub fn databases(&self) -> Vec<(String, Vec<SchemaNode>)> {
        let mut databases: Vec<(String, Vec<SchemaNode>)> = Vec::new();
        for schema in &self.schemas {
            match databases.last_mut() {
                Some((name, schemas)) if *name == schema.database => schemas.push(schema.clone()),
                _ => databases.push((schema.database.clone(), vec![schema.clone()])),
            }
        }
        databases
    }
}

/// Whether a table's name holds every word of the filter, whatever its case.
pub fn is_shown(path: &TablePath, filter: &str) -> bool {
    let name = format!("{}.{}", path.schema, path.table).to_lowercase();
    filter
        .split_whitespace()
        .all(|word| name.contains(&word.to_lowercase()))
}

/// What a list of names, set apart by commas, means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedTables {
    /// Each once, in the order of the tree.
    pub places: Vec<usize>,
    /// Names of no table, and names that may mean several which differ only in their case.
    pub unknown: Vec<String>,
}

/// The tables that are named as `table` or `schema.table`. A name without its schema means every table of that name;
/// another case will do, where it leaves no doubt.
pub fn matches(names: &str, tree: &TableTree) -> NamedTables {
    let mut found = NamedTables::default();
    for name in names.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty()) {
        match places_of(name, tree) {
            places if !places.is_empty() => found.places.extend(places),
            _ if found.unknown.iter().any(|unknown| unknown == name) => {}
            _ => found.unknown.push(name.to_owned()),
        }
    }
    found.places.sort_unstable();
    found.places.dedup();
    found
}

fn places_of(name: &str, tree: &TableTree) -> Vec<usize> {
    let places = |is_meant: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let tables = tree.tables.iter().enumerate();
        let meant = tables.filter(|(_, t)| is_meant(&t.path.table) || is_meant(&t.path.name().to_string()));
        meant.map(|(place, _)| place).collect()
    };
    let exact = places(&|own| own == name);
    if !exact.is_empty() {
        return exact;
    }
    let name = name.to_lowercase();
    let alike = places(&|own| own.to_lowercase() == name);
    if alike.len() == 1 { alike } else { vec![] }
}

/// For each table of the tree whether it is selected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection(Vec<bool>);

impl Selection {
    pub fn all_of(tree: &TableTree) -> Self {
        Self(vec![true; tree.tables.len()])
    }

    /// What was selected of an older tree of the same source; tables that it did not have are selected.
    pub fn carried_over(&self, old: &TableTree, new: &TableTree) -> Self {
        let was = |path: &TablePath| {
            let place = old.tables.iter().position(|t| t.path == *path);
            place.is_none_or(|place| self.contains(place))
        };
        Self(new.tables.iter().map(|t| was(&t.path)).collect())
    }

    pub fn contains(&self, place: usize) -> bool {
        self.0.get(place).copied().unwrap_or_default()
    }

    /// The tables that are selected.
    pub fn tables<'a>(&'a self, tree: &'a TableTree) -> impl Iterator<Item = &'a TablePath> {
        let tables = tree.tables.iter().enumerate();
        tables
            .filter(|(place, _)| self.contains(*place))
            .map(|(_, table)| &table.path)
    }

    /// Of a tree the tables for which the condition holds.
    pub fn of(tree: &TableTree, is_selected: impl Fn(&TablePath) -> bool) -> Self {
        Self(tree.tables.iter().map(|table| is_selected(&table.path)).collect())
    }

    pub fn count(&self) -> usize {
        self.0.iter().filter(|is_selected| **is_selected).count()
    }

    pub fn share(&self, places: impl Iterator<Item = usize>) -> Share {
        let (mut selected, mut all) = (0, 0);
        for place in places {
            all += 1;
            selected += usize::from(self.contains(place));
        }
        match selected {
            0 => Share::None,
            n if n == all => Share::All,
            _ => Share::Some,
        }
    }

    pub fn clear(&mut self) {
        self.0.fill(false);
    }

    pub fn set(&mut self, places: impl Iterator<Item = usize>, is_selected: bool) {
        for place in places {
            if let Some(slot) = self.0.get_mut(place) {
                *slot = is_selected;
            }
        }
    }
}

/// The model with the selected tables alone.
pub fn selected_part(model: &RelationalModel, tree: &TableTree, selection: &Selection) -> RelationalModel {
    let mut part = model.clone();
    let selected: HashSet<TableName> = selection.tables(tree).map(|path| path.name()).collect();
    part.retain_tables(|name| selected.contains(name));
    part
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::{Value, json};

    pub(crate) fn model(tables: &[(&str, &str)]) -> RelationalModel {
        let mut schemas = json!({});
        for (schema, table) in tables {
            let column = json!({"type": {"databaseSpecificType": "int4"}, "ordinalPosition": 1});
            let table_object = json!({"columns": {"ID": column}});
            if schemas[*schema].is_null() {
                schemas[*schema] = json!({"tables": {}});
            }
            schemas[*schema]["tables"][*table] = table_object;
        }
        let full: Value = json!({"databases": {"shop": {"schemas": schemas}}});
        serde_json::from_value(full).expect("a model")
    }

    fn tree() -> TableTree {
        TableTree::of(&model(&[
            ("sales", "orders"),
            ("public", "b"),
            ("public", "a"),
            ("sales", "Order Details"),
        ]))
    }

    fn names(tree: &TableTree) -> Vec<String> {
        tree.tables.iter().map(|t| t.path.name().to_string()).collect()
    }

    #[test]
    fn tables_stand_under_their_schemas_by_name() {
        let tree = tree();
        assert_eq!(
            names(&tree),
            ["public.a", "public.b", "sales.Order Details", "sales.orders"]
        );
        let places: Vec<_> = tree.schemas.iter().map(|s| (&*s.name, s.tables.clone())).collect();
        assert_eq!(places, [("public", 0..2), ("sales", 2..4)]);
        assert_eq!(tree.databases().len(), 1);
    }

    #[test]
    fn a_filter_shows_and_hides_but_selects_nothing() {
        let tree = tree();
        let shown = |filter: &str| {
            let tables = tree.tables.iter().filter(|t| is_shown(&t.path, filter));
            tables.map(|t| &*t.path.table).collect::<Vec<_>>()
        };
        assert_eq!(shown(""), ["a", "b", "Order Details", "orders"]);
        assert_eq!(shown("ORDER"), ["Order Details", "orders"]);
        assert_eq!(shown("sales det"), ["Order Details"]);
        assert_eq!(shown("x"), [""; 0]);
    }

    #[test]
    fn tables_are_selected_by_their_names() {
        let check = |tree: &TableTree, names: &str, places: &[usize], unknown: &[&str]| {
            let found = matches(names, tree);
            assert_eq!(
                (&*found.places, found.unknown),
                (places, unknown.iter().map(|n| (*n).to_owned()).collect())
            );
        };
        let shop = tree();
        check(&shop, "", &[], &[]);
        check(&shop, " , ,", &[], &[]);
        check(&shop, "sales.orders, b,a, b", &[0, 1, 3], &[]);
        check(&shop, "ORDERS, order details, Public.B", &[1, 2, 3], &[]);
        check(&shop, "c, public.orders, c", &[], &["c", "public.orders"]);
        check(&shop, "a\nb", &[0, 1], &[]);
        let twins = TableTree::of(&model(&[
            ("a", "note"),
            ("b", "note"),
            ("b", "Note"),
            ("c", "list"),
            ("d", "List"),
        ]));
        check(&twins, "note", &[0, 2], &[]);
        check(&twins, "Note", &[1], &[]);
        check(&twins, "NOTE, LIST", &[], &["NOTE", "LIST"]);
        check(&twins, "C.LIST", &[3], &[]);
    }

    #[test]
    fn shares_of_what_is_selected() {
        let tree = tree();
        let mut selection = Selection::all_of(&tree);
        assert_eq!((selection.share(0..4), selection.count()), (Share::All, 4));
        selection.set([1].into_iter(), false);
        assert_eq!(selection.share(0..2), Share::Some);
        assert_eq!(selection.share(2..4), Share::All);
        selection.set(0..2, false);
        assert_eq!(selection.share(0..2), Share::None);
        assert_eq!(selection.share(0..0), Share::None);
        selection.set(0..9, true);
        assert_eq!(selection.count(), 4);
    }

    #[test]
    fn a_schema_that_is_read_again_keeps_the_selection() {
        let old = tree();
        let mut selection = Selection::all_of(&old);
        selection.set([0].into_iter(), false);
        let new = TableTree::of(&model(&[("public", "a"), ("public", "new"), ("sales", "orders")]));
        let carried = selection.carried_over(&old, &new);
        let kept: Vec<bool> = (0..3).map(|place| carried.contains(place)).collect();
        assert_eq!(kept, [false, true, true]);
    }

    #[test]
    fn only_selected_tables_stay_in_the_model() {
        let model = model(&[("public", "a"), ("public", "b")]);
        let tree = TableTree::of(&model);
        let mut selection = Selection::all_of(&tree);
        selection.set([0].into_iter(), false);
        assert_eq!(
            names(&TableTree::of(&selected_part(&model, &tree, &selection))),
            ["public.b"]
        );
    }
}
