//! What users do, step by step.

use super::drops::{DropTarget, OfferAction, offers};
use super::testing::{draft, id, text};
use super::tree::Origin;
use super::*;
use crate::ids::MappingId;
use crate::initial::InitialMapping;
use crate::mapping::{ArraySort, FieldType, KeyHandling, SortOrder};
use crate::schema::{Cardinality, ColumnPair, ForeignKey};
use serde_json::{Map, json};

fn new_documents(draft: &mut Draft, table: &str) -> MappingId {
    let rule = NewRule {
        rule: None,
        table: id(draft, table),
        into: RulePlace::NewCollection {
            collection: None,
            name: None,
        },
    };
    apply(draft, &Edit::AddRule(rule)).unwrap().made_rule().unwrap().clone()
}

fn embed(
    draft: &mut Draft,
    parent: &MappingId,
    table: &str,
    shape: Shape,
    key: Option<&str>,
) -> Result<MappingId, EditError> {
    let rule = NewRule {
        rule: None,
        table: id(draft, table),
        into: RulePlace::Rule(Embedding {
            parent: parent.clone(),
            shape,
            key: key.map(str::to_owned),
            field: None,
        }),
    };
    Ok(apply(draft, &Edit::AddRule(rule))?.made_rule().unwrap().clone())
}

/// The paths of the shown fields of the first collection.
fn paths(draft: &Draft) -> Vec<String> {
    let tree = tree::of(draft, draft.content.collections.keys().next().unwrap());
    tree.walk()
        .into_iter()
        .filter(|n| n.is_included)
        .map(|n| n.path.clone())
        .collect()
}

#[test]
fn the_whole_tree_of_the_example() {
    let mut draft = draft(InitialMapping::Empty);
    let customers = new_documents(&mut draft, "customer");
    let orders = embed(&mut draft, &customers, "sales_order", Shape::Array, None).unwrap();
    let lines = embed(&mut draft, &orders, "order_line", Shape::Array, None).unwrap();
    let product = embed(&mut draft, &lines, "product", Shape::Document, None).unwrap();
    embed(&mut draft, &orders, "address", Shape::Document, Some("order_ship")).unwrap();
    embed(&mut draft, &orders, "order_status", Shape::Merged, None).unwrap();
    embed(&mut draft, &customers, "customer_tag", Shape::Values, None).unwrap();
    embed(&mut draft, &customers, "passport", Shape::Document, None).unwrap();
    let expected = [
        "_id",
        "customerId",
        "fullName",
        "referredBy",
        "salesOrders",
        "salesOrders.orderId",
        "salesOrders.billAddr",
        "salesOrders.shipAddr",
        "salesOrders.status",
        "salesOrders.placedAt",
        "salesOrders.total",
        "salesOrders.lines",
        "salesOrders.lines.lineNo",
        "salesOrders.lines.sku",
        "salesOrders.lines.qty",
        "salesOrders.lines.product",
        "salesOrders.lines.product.sku",
        "salesOrders.lines.product.title",
        "salesOrders.lines.product.price",
        "salesOrders.shipAddr2",
        "salesOrders.shipAddr2.addressId",
        "salesOrders.shipAddr2.customerId",
        "salesOrders.shipAddr2.city",
        "salesOrders.code",
        "salesOrders.label",
        "tags",
        "tags.tag",
        "passport",
        "passport.number",
        "passport.issued",
    ];
    assert_eq!(paths(&draft), expected);
    let tree = tree::of(&draft, draft.content.collections.keys().next().unwrap());
    let title = tree.at("salesOrders.lines.product.title").unwrap();
    assert_eq!(
        (title.rule.clone(), title.origin.clone(), title.arrays),
        (product, Origin::Column("title".into()), 2)
    );
    assert_eq!(tree.at("salesOrders.lines").unwrap().kind, FieldType::Array);
}

#[test]
fn keys_decide_what_can_be_embedded() {
    let mut draft = draft(InitialMapping::Empty);
    let customers = new_documents(&mut draft, "customer");
    let orders = embed(&mut draft, &customers, "sales_order", Shape::Array, None).unwrap();
    let refused = |result: Result<MappingId, EditError>| result.unwrap_err().reason;
    let several = refused(embed(&mut draft, &orders, "address", Shape::Document, None));
    assert!(matches!(several, EditReason::SeveralKeys { .. }), "{several}");
    let none = refused(embed(&mut draft, &customers, "product", Shape::Array, None));
    assert!(matches!(none, EditReason::NoKey { .. }), "{none}");
    let many = refused(embed(&mut draft, &customers, "sales_order", Shape::Document, None));
    assert!(matches!(many, EditReason::NoKey { .. }), "{many}");
    // A self reference goes both ways.
    let referrer = embed(&mut draft, &customers, "customer", Shape::Document, None).unwrap();
    let referrals = embed(&mut draft, &customers, "customer", Shape::Array, None).unwrap();
    let way = |rule: &MappingId| joins::of_rule(&draft, rule).unwrap().way;
    assert_eq!((way(&referrer), way(&referrals)), (joins::Way::Up, joins::Way::Down));
}

#[test]
fn a_synthetic_key_makes_an_embedding_possible() {
    let mut draft = draft(InitialMapping::Empty);
    let readings = new_documents(&mut draft, "reading");
    let (table, target) = (
        id(&draft, "reading"),
        draft.content.tables[&id(&draft, "product")].path.clone(),
    );
    let pair = |source: &str, target: &str| ColumnPair {
        source: source.into(),
        target: target.into(),
    };
    let key = |pairs| ForeignKey {
        target_table: target.clone(),
        cardinality: Cardinality::ZeroToMany,
        column_mappings: pairs,
        synthetic: false,
        extra: Map::new(),
    };
    let found = offers(
        &draft,
        &id(&draft, "product"),
        &DropTarget::Collection(draft.rule(&readings).unwrap().collection_id.clone()),
    );
    assert!(matches!(found.last().unwrap().action, OfferAction::DrawKey { .. }));
    let bad = Edit::AddKey {
        table: table.clone(),
        name: None,
        key: key(vec![pair("sensor", "gone")]),
    };
    assert!(matches!(
        apply(&mut draft, &bad).unwrap_err().reason,
        EditReason::NoColumn(_)
    ));
    let drawn = Edit::AddKey {
        table: table.clone(),
        name: None,
        key: key(vec![pair("sensor", "sku")]),
    };
    let Made::Key(_, name) = apply(&mut draft, &drawn).unwrap().made[0].clone() else {
        panic!("a key")
    };
    let product = embed(&mut draft, &readings, "product", Shape::Document, None).unwrap();
    assert_eq!(
        joins::of_rule(&draft, &product).unwrap().key.as_deref(),
        Some(name.as_str())
    );
    // A second one of another column: together they are one composite key.
    let second = Edit::AddKey {
        table: table.clone(),
        name: Some("second".into()),
        key: key(vec![pair("value", "price")]),
    };
    apply(&mut draft, &second).unwrap();
    assert_eq!(joins::of_rule(&draft, &product).unwrap().pairs.len(), 2);
    let declared = Edit::RemoveKey {
        table: id(&draft, "order_line"),
        name: "line_order".into(),
    };
    assert!(matches!(
        apply(&mut draft, &declared).unwrap_err().reason,
        EditReason::KeyDeclared(_)
    ));
}

#[test]
fn dropped_tables_are_offered_what_exists_first() {
    let mut draft = draft(InitialMapping::Empty);
    let orders = new_documents(&mut draft, "sales_order");
    let collection = draft.rule(&orders).unwrap().collection_id.clone();
    let labels = |draft: &Draft, table: &str, onto: &DropTarget| -> Vec<String> {
        let offers = offers(draft, &id(draft, table), onto);
        offers
            .into_iter()
            .map(|o| format!("{} ({})", o.label, o.detail))
            .collect()
    };
    let onto = DropTarget::Collection(collection.clone());
    assert_eq!(
        labels(&draft, "order_line", &onto),
        [
            "Embed as an array `lines` (in `salesOrder`, by the key order_id)",
            "Embed as an array of values `lines` (in `salesOrder`, by the key order_id)",
            "New documents (beside those of `salesOrder`)",
            "New collection `orderLine` (one document for each row)",
        ]
    );
    let found = labels(&draft, "address", &onto);
    assert!(
        found[0].contains("Embed as a document `billAddr2`") && found[2].contains("`shipAddr2`"),
        "{found:?}"
    );
    assert_eq!(labels(&draft, "order_line", &DropTarget::Canvas).len(), 1);
    // On a field inside of an object, the new one lies in it too.
    for (column, name) in [("total", "money.total"), ("placed_at", "money.at")] {
        let rename = Edit::RenameField {
            rule: orders.clone(),
            column: column.into(),
            name: name.into(),
        };
        apply(&mut draft, &rename).unwrap();
    }
    let onto = DropTarget::Field {
        rule: orders.clone(),
        path: "money.total".into(),
    };
    assert!(labels(&draft, "order_line", &onto)[0].contains("`money.lines`"));
    // Every offer that is an edit can be applied.
    for table in [
        "customer",
        "address",
        "order_line",
        "order_status",
        "product",
        "reading",
        "sales_order",
    ] {
        for offer in offers(&draft, &id(&draft, table), &onto) {
            if let OfferAction::Edit(edit) = offer.action {
                let mut tried = draft.clone();
                let change = apply(&mut tried, &edit).unwrap_or_else(|e| panic!("{}: {e}", offer.label));
                change.undo(&mut tried);
                assert_eq!(text(&tried), text(&draft));
            }
        }
    }
}

#[test]
fn deleting_says_what_goes_along() {
    let mut draft = draft(InitialMapping::Empty);
    let customers = new_documents(&mut draft, "customer");
    let orders = embed(&mut draft, &customers, "sales_order", Shape::Array, None).unwrap();
    embed(&mut draft, &orders, "order_line", Shape::Array, None).unwrap();
    let going: Vec<String> = going::with_rule(&draft, &orders)
        .into_iter()
        .map(|g| format!("{} {}", g.path, g.table))
        .collect();
    assert_eq!(
        going,
        [
            "customer.salesOrders s.sales_order",
            "customer.salesOrders.lines s.order_line"
        ]
    );
    assert_eq!(going::with_tables(&draft, &[id(&draft, "sales_order")]).len(), 2);
    let change = apply(&mut draft, &Edit::DeleteRule { rule: orders }).unwrap();
    assert_eq!(
        change.words,
        "deleted the rule of `customer.salesOrders` and 1 below it"
    );
    assert_eq!(draft.content.mappings.len(), 1);
}

#[test]
fn words_of_the_history() {
    let mut draft = draft(InitialMapping::Relational);
    let mut history = History::default();
    let rule = draft.rules_of(&id(&draft, "customer")).next().unwrap().clone();
    let column = || "full_name".to_owned();
    let edits = [
        Edit::RenameField {
            rule: rule.clone(),
            column: column(),
            name: "name.full".into(),
        },
        Edit::IncludeFields {
            rule: rule.clone(),
            columns: vec![column(), "referred_by".into()],
            included: false,
        },
        Edit::SetFieldType {
            rule: rule.clone(),
            column: "customer_id".into(),
            kind: FieldType::String,
        },
        Edit::SetKeyHandling {
            rule: None,
            handling: Some(KeyHandling::Single),
        },
        Edit::RenameCollection {
            collection: draft.rule(&rule).unwrap().collection_id.clone(),
            name: "clients".into(),
        },
    ];
    for edit in &edits {
        history.apply(&mut draft, edit).unwrap();
    }
    let words: Vec<&str> = history.list().map(|(words, _)| words).collect();
    assert_eq!(
        words,
        [
            "renamed `fullName` to `name.full`",
            "excluded `name.full` and `referredBy`",
            "`customerId` is a string",
            "`_id` of the project: the primary key",
            "renamed the collection `customer` to `clients`",
        ]
    );
    history.undo(&mut draft);
    assert_eq!(history.list().filter(|(_, done)| *done).count(), 4);
    assert!(history.apply(&mut draft, &edits[0]).is_err(), "it is named so already");
    assert!(history.can_redo(), "a refused edit leaves what can be redone");
}

#[test]
fn types_and_names_that_cannot_be_are_refused() {
    let mut draft = draft(InitialMapping::Relational);
    let rule = draft.rules_of(&id(&draft, "sales_order")).next().unwrap().clone();
    let kind = |column: &str, kind| Edit::SetFieldType {
        rule: rule.clone(),
        column: column.into(),
        kind,
    };
    for (column, wrong) in [
        ("total", FieldType::Date),
        ("placed_at", FieldType::Bool),
        ("order_id", FieldType::Object),
    ] {
        let error = apply(&mut draft, &kind(column, wrong)).unwrap_err();
        assert!(matches!(error.reason, EditReason::TypeImpossible { .. }), "{error}");
        assert_eq!(error.place.part, Part::Column { column: column.into() });
    }
    assert!(apply(&mut draft, &kind("total", FieldType::Long)).is_ok());
    let rename = |name: &str| Edit::RenameField {
        rule: rule.clone(),
        column: "total".into(),
        name: name.into(),
    };
    for name in ["", "_id", "_id.x", "$a", "a..b", "a\0"] {
        assert!(apply(&mut draft, &rename(name)).is_err(), "{name}");
    }
    assert!(apply(&mut draft, &rename("sum.total")).is_ok());
    let collection = draft.rule(&rule).unwrap().collection_id.clone();
    let rename = |name: &str| Edit::RenameCollection {
        collection: collection.clone(),
        name: name.into(),
    };
    for name in ["", "customer", "system.x", "a$"] {
        let error = apply(&mut draft, &rename(name)).unwrap_err();
        assert_eq!(error.place.part, Part::Name);
    }
}

#[test]
fn an_object_is_renamed_with_all_that_lies_in_it() {
    let mut draft = draft(InitialMapping::Empty);
    let customers = new_documents(&mut draft, "customer");
    let passport = embed(&mut draft, &customers, "passport", Shape::Document, None).unwrap();
    let rename = |rule: &MappingId, column: &str, name: &str| Edit::RenameField {
        rule: rule.clone(),
        column: column.into(),
        name: name.into(),
    };
    apply(&mut draft, &rename(&customers, "full_name", "who.name")).unwrap();
    apply(
        &mut draft,
        &Edit::SetPath {
            rule: passport.clone(),
            path: "who.passport".into(),
        },
    )
    .unwrap();
    apply(
        &mut draft,
        &Edit::RenamePath {
            rule: customers.clone(),
            path: "who".into(),
            name: "person".into(),
        },
    )
    .unwrap();
    let paths = paths(&draft);
    assert!(
        paths.contains(&"person.name".to_owned()) && paths.contains(&"person.passport.number".to_owned()),
        "{paths:?}"
    );
    assert!(
        apply(
            &mut draft,
            &Edit::RenamePath {
                rule: customers,
                path: "nothing".into(),
                name: "x".into()
            }
        )
        .is_err()
    );
}

#[test]
fn conditions_and_the_key_of_documents() {
    let mut draft = draft(InitialMapping::Empty);
    let customers = new_documents(&mut draft, "customer");
    let orders = embed(&mut draft, &customers, "sales_order", Shape::Array, None).unwrap();
    let conditions = |sort: Option<&str>, limit, as_document| Edit::SetConditions {
        rule: orders.clone(),
        sort: sort.map(|field| ArraySort {
            field: field.into(),
            order: SortOrder::Desc,
        }),
        limit,
        as_document,
    };
    for (wrong, reason) in [
        (
            conditions(Some("gone"), None, false),
            EditReason::NoColumn("gone".into()),
        ),
        (conditions(None, Some(0), false), EditReason::LimitZero),
        (conditions(None, Some(2), true), EditReason::LimitNotOne),
    ] {
        assert_eq!(apply(&mut draft, &wrong).unwrap_err().reason, reason);
    }
    apply(&mut draft, &conditions(Some("placed_at"), Some(1), true)).unwrap();
    let tree = tree::of(&draft, draft.content.collections.keys().next().unwrap());
    assert_eq!(tree.at("salesOrders").unwrap().kind, FieldType::Object);
    let id = CalculatedEdit {
        name: "_id".into(),
        expression: "columns['full_name']".into(),
        ..CalculatedEdit::default()
    };
    let add = |rule: &MappingId| Edit::AddCalculated {
        rule: rule.clone(),
        id: None,
        field: id.clone(),
    };
    apply(&mut draft, &add(&customers)).unwrap();
    assert!(apply(&mut draft, &add(&customers)).is_err(), "one `_id`");
    // An embedded document may have a field of this name: it is no key.
    apply(&mut draft, &add(&orders)).unwrap();
    let wrapped = Edit::SetKeyHandling {
        rule: Some(orders),
        handling: Some(KeyHandling::Wrapped),
    };
    assert_eq!(apply(&mut draft, &wrapped).unwrap_err().reason, EditReason::NotRoot);
}

#[test]
fn a_schema_that_was_read_again() {
    let mut draft = draft(InitialMapping::Relational);
    let (table, target) = (
        id(&draft, "reading"),
        draft.content.tables[&id(&draft, "product")].path.clone(),
    );
    let key = ForeignKey {
        target_table: target,
        cardinality: Cardinality::ZeroToMany,
        column_mappings: vec![ColumnPair {
            source: "sensor".into(),
            target: "sku".into(),
        }],
        synthetic: true,
        extra: Map::new(),
    };
    apply(
        &mut draft,
        &Edit::AddKey {
            table,
            name: Some("drawn".into()),
            key,
        },
    )
    .unwrap();
    assert!(schema::changes(&draft, &testing::shop()).is_empty());
    let mut new = serde_json::to_value(testing::shop()).unwrap();
    let tables = &mut new["databases"]["db"]["schemas"]["s"]["tables"];
    tables["reading"] = testing::table("sensor: int4, taken_at: timestamptz, place: text", &[]);
    tables["extra"] = testing::table("*id: int4", &[]);
    tables.as_object_mut().unwrap().shift_remove("passport");
    let new: crate::schema::RelationalModel = serde_json::from_value(new).unwrap();
    let found = schema::changes(&draft, &new);
    let words: Vec<&str> = found.iter().map(|c| c.words.as_str()).collect();
    assert_eq!(
        words,
        [
            "the table s.passport is gone",
            "the column \"sensor\" of s.reading was text and is int4",
            "s.reading has the new column \"place\" (text)",
            "the column \"value\" of s.reading is gone",
            "the table s.extra is new",
        ]
    );
    assert!(found.iter().take(4).all(|c| c.rules.len() == 1));
    let start = text(&draft);
    let change = apply(
        &mut draft,
        &Edit::TakeSchema {
            model: Box::new(new),
            drop_gone: true,
            renamed: Vec::new(),
        },
    )
    .unwrap();
    let readings = draft.rules_of(&id(&draft, "reading")).next().unwrap().clone();
    let fields = &draft.rule(&readings).unwrap().fields;
    assert!(fields["place"].target.included && fields.contains_key("value"));
    assert!(draft.table(&id(&draft, "reading")).unwrap().1.foreign_keys["drawn"].synthetic);
    assert!(!draft.content.tables.values().any(|t| t.path.table == "passport"));
    change.undo(&mut draft);
    assert_eq!(text(&draft), start);
}

#[test]
fn members_that_nobody_knows_stay() {
    let mut draft = draft(InitialMapping::Relational);
    let rule = draft.rules_of(&id(&draft, "customer")).next().unwrap().clone();
    let mapping = draft.content.mappings.get_mut(&rule).unwrap();
    mapping.extra.insert("mine".into(), json!(1));
    mapping.settings.extra.insert("mine".into(), json!(2));
    mapping
        .fields
        .get_mut("full_name")
        .unwrap()
        .target
        .extra
        .insert("conversionStrategy".into(), json!("DEFAULT"));
    draft.content.diagrams = Some(
        json!({"mine": 3, "activeTab": "t", "tabs": [{"id": "t", "name": "Main Diagram", "mine": 4,
        "collection": {"nodes": [{"id": "customer", "mine": 5, "position": {"x": 1, "y": 2}}], "edges": [{"id": "e"}]}}]}),
    );
    let collection = draft.rule(&rule).unwrap().collection_id.clone();
    let place = NodePlace {
        x: 7.0,
        y: 8.0,
        width: 1.0,
        height: 1.0,
        hidden: false,
    };
    let edits = [
        Edit::RenameField {
            rule: rule.clone(),
            column: "full_name".into(),
            name: "name".into(),
        },
        Edit::SetNotes {
            rule: rule.clone(),
            notes: "n".into(),
        },
        Edit::RenameCollection {
            collection: collection.clone(),
            name: "clients".into(),
        },
        Edit::Diagram(DiagramEdit::PlaceNodes {
            tab: "t".into(),
            view: View::Collection,
            nodes: vec![(collection.to_string(), place)],
            words: None,
        }),
    ];
    for edit in &edits {
        apply(&mut draft, edit).unwrap();
    }
    let mapping = draft.rule(&rule).unwrap();
    assert_eq!(
        (mapping.extra["mine"].clone(), mapping.settings.extra["mine"].clone()),
        (json!(1), json!(2))
    );
    assert_eq!(
        mapping.fields["full_name"].target.extra["conversionStrategy"],
        "DEFAULT"
    );
    let diagrams = draft.content.diagrams.as_ref().unwrap();
    let node = &diagrams["tabs"][0]["collection"]["nodes"][0];
    assert_eq!(
        (&node["id"], &node["mine"], &node["position"]["x"]),
        (&json!("clients"), &json!(5), &json!(7.0))
    );
    assert_eq!(
        (&diagrams["mine"], &diagrams["tabs"][0]["mine"]),
        (&json!(3), &json!(4))
    );
}

#[test]
fn what_another_window_changed() {
    let before = draft(InitialMapping::Relational);
    let mut after = before.clone();
    let rule = before.rules_of(&id(&before, "customer")).next().unwrap().clone();
    let other = before.rules_of(&id(&before, "reading")).next().unwrap().clone();
    assert_eq!(differences::between(&before, &after), []);
    let collection = before.rule(&rule).unwrap().collection_id.clone();
    let edits = [
        Edit::RenameField {
            rule: rule.clone(),
            column: "full_name".into(),
            name: "name".into(),
        },
        Edit::RenameCollection {
            collection,
            name: "clients".into(),
        },
        Edit::DeleteRule { rule: other },
        Edit::SetRuleFilter {
            rule: rule.clone(),
            expression: Some("true".into()),
        },
    ];
    for edit in &edits {
        apply(&mut after, edit).unwrap();
    }
    embed(&mut after, &rule, "sales_order", Shape::Array, None).unwrap();
    let words: Vec<String> = differences::between(&before, &after)
        .into_iter()
        .map(|d| d.words)
        .collect();
    assert_eq!(
        words,
        [
            "renamed the collection `customer` to `clients`",
            "changed the filter of `clients`",
            "renamed `fullName` to `name` in `clients`",
            "added the rule `clients.salesOrders`",
            "deleted the rule `reading`",
        ]
    );
}
