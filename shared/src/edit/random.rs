//! Random edits: whatever is applied can be undone to the byte, and every state is a project that can be stored.

use super::testing::{draft, text};
use super::*;
use crate::casing::Casing;
use crate::forest::{check_forest, check_places};
use crate::ids::{CollectionId, MappingId, TableId};
use crate::initial::InitialMapping;
use crate::job::TableFilter;
use crate::mapping::{ArraySort, FieldType, KeyHandling, SortOrder};
use crate::relmig::ProjectFile;
use crate::schema::{Cardinality, ColumnPair, ForeignKey};
use serde_json::{Map, json};

/// Numbers that are the same for a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n.max(1)
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.below(all.len())].clone())
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

fn name(dice: &mut Dice) -> String {
    let names = [
        "a",
        "b",
        "a.b",
        "a.b.c",
        "_id",
        "",
        "$x",
        "x..y",
        "שם",
        "customerId",
        "lines",
        "items",
    ];
    dice.of(&names).unwrap().to_owned()
}

fn shape(dice: &mut Dice) -> Shape {
    dice.of(&[Shape::Array, Shape::Values, Shape::Document, Shape::Merged])
        .unwrap()
}

fn into(dice: &mut Dice, draft: &Draft) -> RulePlace {
    let rules: Vec<MappingId> = draft.content.mappings.keys().cloned().collect();
    let collections: Vec<CollectionId> = draft.content.collections.keys().cloned().collect();
    match (dice.below(6), dice.of(&rules), dice.of(&collections)) {
        (0, ..) | (_, None, None) => RulePlace::NewCollection {
            collection: None,
            name: dice.coin().then(|| name(dice)),
        },
        (1, _, Some(collection)) => RulePlace::Collection { collection },
        (_, Some(parent), _) => RulePlace::Rule(Embedding {
            parent,
            shape: shape(dice),
            key: None,
            field: dice.coin().then(|| name(dice)),
        }),
        (_, None, Some(collection)) => RulePlace::Collection { collection },
    }
}

fn calculated(dice: &mut Dice) -> CalculatedEdit {
    CalculatedEdit {
        name: name(dice),
        expression: dice.of(&["1", "columns['a']", ""]).unwrap().to_owned(),
        kind: dice.coin().then_some(FieldType::Long),
        omit_null: dice.coin(),
    }
}

fn key(dice: &mut Dice, draft: &Draft) -> (TableId, ForeignKey) {
    let tables: Vec<TableId> = draft.content.tables.keys().cloned().collect();
    let (from, to) = (dice.of(&tables).unwrap(), dice.of(&tables).unwrap());
    let columns = |id: &TableId| -> Vec<String> {
        let table = draft.table(id).map(|(_, t)| t.columns.keys().cloned().collect());
        table.unwrap_or_default()
    };
    let pair = |dice: &mut Dice| ColumnPair {
        source: dice.of(&columns(&from)).unwrap_or_default(),
        target: dice.of(&columns(&to)).unwrap_or_default(),
    };
    let pairs = (0..1 + dice.below(2)).map(|_| pair(dice)).collect();
    let key = ForeignKey {
        target_table: draft.content.tables[&to].path.clone(),
        cardinality: if dice.coin() {
            Cardinality::ZeroToOne
        } else {
            Cardinality::ZeroToMany
        },
        column_mappings: pairs,
        synthetic: true,
        extra: Map::new(),
    };
    (from, key)
}

fn diagram(dice: &mut Dice, draft: &Draft) -> DiagramEdit {
    let (tabs, _) = diagrams::tabs(draft);
    let Some(tab) = dice.of(&tabs).map(|t| t.id) else {
        return DiagramEdit::AddTab {
            tab: None,
            name: diagrams::MAIN.to_owned(),
            copy_of: None,
        };
    };
    let place = NodePlace {
        x: dice.below(900) as f64,
        y: 1.5,
        width: 244.0,
        height: 100.0,
        hidden: dice.coin(),
    };
    let tables: Vec<String> = draft.content.tables.keys().map(ToString::to_string).collect();
    let collections: Vec<String> = draft.content.collections.keys().map(ToString::to_string).collect();
    let (view, ids) = if dice.coin() {
        (View::Relational, tables)
    } else {
        (View::Collection, collections)
    };
    match dice.below(8) {
        0 => DiagramEdit::AddTab {
            tab: None,
            name: name(dice),
            copy_of: Some(tab),
        },
        1 => DiagramEdit::RenameTab { tab, name: name(dice) },
        2 => DiagramEdit::RemoveTab { tab },
        3 => DiagramEdit::MoveTab { tab, to: dice.below(4) },
        4 => DiagramEdit::ActivateTab { tab },
        _ => DiagramEdit::PlaceNodes {
            tab,
            view,
            nodes: dice.of(&ids).into_iter().map(|id| (id, place)).collect(),
            words: None,
        },
    }
}

fn edit(dice: &mut Dice, draft: &Draft) -> Edit {
    let rules: Vec<MappingId> = draft.content.mappings.keys().cloned().collect();
    let collections: Vec<CollectionId> = draft.content.collections.keys().cloned().collect();
    let tables: Vec<TableId> = draft.content.tables.keys().cloned().collect();
    let table = dice.of(&tables).unwrap();
    let add = |dice: &mut Dice| {
        Edit::AddRule(NewRule {
            rule: None,
            table: table.clone(),
            into: into(dice, draft),
        })
    };
    let (Some(rule), Some(collection)) = (dice.of(&rules), dice.of(&collections)) else {
        return add(dice);
    };
    let columns: Vec<String> = draft
        .table_of(&rule)
        .map(|(_, t)| t.columns.keys().cloned().collect())
        .unwrap_or_default();
    let column = dice.of(&columns).unwrap_or_default();
    let calculated_ids: Vec<String> = draft.content.mappings[&rule]
        .calculated_fields
        .keys()
        .cloned()
        .collect();
    let field = dice.of(&calculated_ids);
    match dice.below(34) {
        0..=7 => add(dice),
        8 => Edit::DeleteRule { rule },
        9 => Edit::MoveRule {
            rule,
            into: into(dice, draft),
        },
        10 => Edit::OrderRule {
            rule,
            before: dice.of(&rules),
        },
        11 => Edit::SetShape {
            rule,
            shape: shape(dice),
            field: None,
        },
        12 => Edit::SetPath { rule, path: name(dice) },
        13 => Edit::SetLink {
            rule,
            key: dice.of(&["order_bill", "order_ship", ""]).map(str::to_owned),
        },
        14 => Edit::SetKeyHandling {
            rule: dice.coin().then_some(rule),
            handling: dice
                .of(&[None, Some(KeyHandling::Single), Some(KeyHandling::Wrapped)])
                .flatten(),
        },
        15 => Edit::SetRuleFilter {
            rule,
            expression: dice.coin().then(|| "true".to_owned()),
        },
        16 => Edit::SetConditions {
            rule,
            sort: dice.coin().then_some(ArraySort {
                field: column,
                order: SortOrder::Desc,
            }),
            limit: dice.coin().then(|| dice.below(3) as u32),
            as_document: dice.coin(),
        },
        17 => Edit::SetNotes {
            rule,
            notes: name(dice),
        },
        18 | 19 => Edit::RenameField {
            rule,
            column,
            name: name(dice),
        },
        20 => Edit::RenamePath {
            rule,
            path: "a".to_owned(),
            name: name(dice),
        },
        21 => Edit::IncludeFields {
            rule,
            columns: vec![column],
            included: dice.coin(),
        },
        22 => Edit::SetFieldType {
            rule,
            column,
            kind: dice
                .of(&[FieldType::String, FieldType::Date, FieldType::Default])
                .unwrap(),
        },
        23 => Edit::SetFieldNulls {
            rule,
            columns: vec![column],
            omit: dice.coin(),
        },
        24 => Edit::AddCalculated {
            rule,
            id: None,
            field: calculated(dice),
        },
        25 => match field {
            Some(id) if dice.coin() => Edit::RemoveCalculated { rule, id },
            id => Edit::ChangeCalculated {
                rule,
                id: id.unwrap_or_default(),
                field: calculated(dice),
            },
        },
        26 => Edit::RenameCollection {
            collection,
            name: name(dice),
        },
        27 => Edit::DeleteCollection { collection },
        28 => Edit::SetTimeSeries {
            collection,
            settings: dice.coin().then(|| TimeSeries {
                time_field: "takenAt".to_owned(),
                meta_field: Some("sensor".to_owned()),
                granularity: None,
                expire_after_seconds: Some(60),
            }),
        },
        29 => {
            let (table, key) = key(dice, draft);
            let synthetic: Vec<String> = draft
                .table(&table)
                .map(|(_, t)| t.foreign_keys.keys().cloned().collect())
                .unwrap_or_default();
            match (dice.below(3), dice.of(&synthetic)) {
                (0, Some(name)) => Edit::RemoveKey { table, name },
                (1, Some(name)) => Edit::ChangeKey { table, name, key },
                _ => Edit::AddKey { table, name: None, key },
            }
        }
        30 => Edit::SetTableFilter {
            table,
            filter: dice.coin().then(|| TableFilter {
                where_clause: Some("x > 1".to_owned()),
                row_count: None,
            }),
        },
        31 => match dice.below(4) {
            0 => Edit::RemoveTables { tables: vec![table] },
            1 => Edit::TakeSchema {
                model: Box::new(testing::shop()),
                drop_gone: dice.coin(),
                renamed: match dice.below(3) {
                    0 => vec![(table, crate::schema::TableName::new("s", name(dice)))],
                    _ => Vec::new(),
                },
            },
            _ => Edit::AddTables {
                tables: testing::shop()
                    .tables()
                    .filter(|_| dice.below(9) == 0)
                    .map(|(p, t)| (p, t.clone()))
                    .collect(),
            },
        },
        32 => Edit::SetCasing {
            casing: dice.of(&Casing::ALL).unwrap(),
            rename: dice.coin(),
        },
        _ => Edit::Diagram(diagram(dice, draft)),
    }
}

/// The project as a file, read again: what an export and an import make of it.
fn round_trip(draft: &Draft) -> (String, String) {
    let file = json!({"version": "1.14.0", "project": {"id": "p", "name": draft.name, "type": "POSTGRESQL", "schemasId": "s",
        "connectionDetails": {}, "content": draft.content}, "schema": {"id": "s", "imported": {}, "full": draft.model}});
    let read = ProjectFile::from_value(file).expect("a draft is a project that can be stored");
    let again = (read.project.content.clone(), read.schema.full.clone());
    (
        text(draft),
        serde_json::to_string(&Draft {
            content: again.0,
            model: again.1,
            ..draft.clone()
        })
        .unwrap(),
    )
}

#[test]
fn what_is_undone_never_happened() {
    let mut applied = 0;
    for seed in 1..=60u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let initial = if seed % 2 == 0 {
            InitialMapping::Empty
        } else {
            InitialMapping::Relational
        };
        let mut draft = draft(initial);
        draft
            .content
            .extra
            .insert("unknown".to_owned(), json!({"kept": [1, 2]}));
        let start = text(&draft);
        let mut history = History::default();
        let mut states = vec![start.clone()];
        for step in 0..120 {
            let edit = edit(&mut dice, &draft);
            let before = text(&draft);
            match history.apply(&mut draft, &edit) {
                Ok(change) => {
                    assert!(!change.words.is_empty(), "{edit:?}");
                    applied += 1;
                    states.push(text(&draft));
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    assert_eq!(
                        text(&draft),
                        before,
                        "seed {seed}, step {step}: refused with a change: {edit:?}"
                    );
                }
            }
            assert_eq!(
                check_forest(&draft.content),
                Ok(()),
                "seed {seed}, step {step}: {edit:?}"
            );
            assert_eq!(
                check_places(&draft.content),
                Ok(()),
                "seed {seed}, step {step}: {edit:?}"
            );
            for collection in draft.content.collections.keys() {
                let tree = tree::of(&draft, collection);
                assert!(tree.walk().iter().all(|n| draft.rule(&n.rule).is_some()));
            }
            if step % 20 == 0 {
                let (before, after) = round_trip(&draft);
                assert_eq!(before, after, "seed {seed}, step {step}");
            }
        }
        let end = text(&draft);
        for state in states.iter().rev().skip(1) {
            assert!(history.undo(&mut draft).is_some());
            assert_eq!(
                text(&draft),
                *state,
                "seed {seed}: {:?}",
                history.list().nth(history.done())
            );
        }
        assert_eq!(text(&draft), start);
        history.go_to(&mut draft, states.len() - 1);
        assert_eq!(text(&draft), end, "seed {seed}: redone");
    }
    assert!(
        applied > 2_000,
        "only {applied} edits were possible: the test says little"
    );
}

#[test]
fn edits_are_values_that_can_be_sent() {
    let mut dice = Dice(7);
    let mut draft = draft(InitialMapping::Relational);
    for _ in 0..400 {
        let edit = edit(&mut dice, &draft);
        let sent = serde_json::to_string(&edit).unwrap();
        assert_eq!(serde_json::from_str::<Edit>(&sent).unwrap(), edit, "{sent}");
        _ = apply(&mut draft, &edit);
    }
}
