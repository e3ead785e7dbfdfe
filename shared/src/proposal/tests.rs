//! What a MongoDB expert would defend for well-known schemas.

use super::*;
use crate::casing::Casing;
use crate::edit::testing::table;
use crate::edit::{Draft, apply, joins, tree};
use crate::forest::{check_forest, check_places};
use crate::initial::{InitialMapping, content_of};
use crate::mapping::KeyHandling;
use crate::schema::RelationalModel;
use serde_json::{Map, Value, json};

/// Tables by name: columns, keys, rows, and how many rows belong to one by each key (average, largest).
type Spec<'s> = (
    &'s str,
    &'s str,
    &'s [(&'s str, &'s str, &'s str)],
    f64,
    &'s [(&'s str, f64, f64)],
);

fn model_of(specs: &[Spec<'_>]) -> (RelationalModel, Facts) {
    let tables: Map<String, Value> = specs
        .iter()
        .map(|(name, columns, keys, ..)| ((*name).to_owned(), table(columns, keys)))
        .collect();
    let model = json!({"databases": {"db": {"schemas": {"s": {"tables": tables}}}}});
    let mut facts = Facts {
        figures: Figures::Catalog,
        ..Facts::default()
    };
    for (name, _, _, rows, fans) in specs {
        let name = TableName::new("s", *name);
        let of_table = TableFacts {
            rows: Some(*rows),
            row_bytes: Some(100.0),
            inserts: Some(*rows as u64),
            changes: Some(0),
        };
        facts.tables.insert(name.clone(), of_table);
        for (key, average, largest) in *fans {
            let fan = Fan {
                average: *average,
                p99: None,
                largest: Some(*largest),
            };
            facts.fans.insert((name.clone(), (*key).to_owned()), fan);
        }
    }
    (serde_json::from_value(model).unwrap(), facts)
}

/// The decisions as lines: `orders`, `orders [order_details]`, `orders {shippers}`, `products +categories`.
fn shown(proposal: &Proposal) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut paths: std::collections::HashMap<&str, String> = std::collections::HashMap::new();
    for decision in &proposal.decisions {
        let table = &decision.table.table;
        let line = match &decision.choice {
            Choice::Collection => table.clone(),
            Choice::Embed { under, shape, .. } => {
                let above = &paths[under.as_str()];
                match shape {
                    Shape::Array | Shape::Values => format!("{above} [{table}]"),
                    Shape::Document => format!("{above} {{{table}}}"),
                    Shape::Merged => format!("{above} +{table}"),
                }
            }
            Choice::Refer { .. } => continue,
        };
        paths.insert(&decision.id, line.clone());
        lines.push(line);
    }
    lines
}

/// Takes everything and checks what every proposal has to keep.
fn taken(model: &RelationalModel, proposal: &Proposal) -> Draft {
    let content = content_of(model, Casing::CamelCase, KeyHandling::Single, InitialMapping::Empty);
    let mut draft = Draft {
        name: "p".into(),
        content,
        model: model.clone(),
        revision: 0,
    };
    let all: Vec<String> = proposal.decisions.iter().map(|d| d.id.clone()).collect();
    let edit = take(&draft, proposal, &all);
    let change = apply(&mut draft, &edit).unwrap();
    assert_eq!(check_forest(&draft.content), Ok(()));
    assert_eq!(check_places(&draft.content), Ok(()));
    let rules = proposal
        .decisions
        .iter()
        .filter(|d| !matches!(d.choice, Choice::Refer { .. }))
        .count();
    assert_eq!(
        draft.content.mappings.len(),
        rules,
        "every decision but references is a rule"
    );
    for (id, _) in &draft.content.mappings {
        let above = std::iter::successors(draft.parent_of(id), |id| draft.parent_of(id));
        let own = &draft.rule(id).unwrap().table;
        assert!(
            above.into_iter().all(|a| draft.rule(a).unwrap().table != *own),
            "a table below itself"
        );
        assert!(
            draft.is_root(id) || joins::of_rule(&draft, id).is_some(),
            "a rule without a key"
        );
    }
    for collection in draft.content.collections.keys() {
        let tree = tree::of(&draft, collection);
        let clash = tree.walk().into_iter().find(|n| n.clashes).map(|n| n.path.clone());
        assert_eq!(clash, None, "two fields of one name");
    }
    // Every table has its rows somewhere, and every sentence a figure.
    for (path, _) in model.tables() {
        assert!(
            draft
                .content
                .mappings
                .values()
                .any(|r| draft.content.tables[&crate::ids::TableId::new(&r.table)].path == path)
        );
    }
    for decision in &proposal.decisions {
        assert!(
            decision.reason.ends_with('.') && decision.reason.chars().any(|c| c.is_ascii_digit()),
            "{}",
            decision.reason
        );
    }
    assert!(
        take_again(&draft, proposal, &all),
        "what is there is not proposed again"
    );
    change.undo(&mut draft);
    assert!(draft.content.mappings.is_empty());
    change.redo(&mut draft);
    draft
}

fn take_again(draft: &Draft, proposal: &Proposal, all: &[String]) -> bool {
    matches!(take(draft, proposal, all), crate::edit::Edit::All { edits, .. } if edits.is_empty())
}

fn northwind() -> (RelationalModel, Facts) {
    model_of(&[
        (
            "categories",
            "*category_id: int4, category_name: text, description: text",
            &[],
            8.0,
            &[],
        ),
        (
            "customers",
            "*customer_id: char(5), company_name: text, city: text",
            &[],
            91.0,
            &[],
        ),
        (
            "employees",
            "*employee_id: int4, last_name: text, reports_to: int4",
            &[("fk_boss", "reports_to", "employees.employee_id")],
            9.0,
            &[("fk_boss", 4.0, 5.0)],
        ),
        (
            "employee_territories",
            "*employee_id: int4, *territory_id: text",
            &[
                ("fk_et_e", "employee_id", "employees.employee_id"),
                ("fk_et_t", "territory_id", "territories.territory_id"),
            ],
            49.0,
            &[("fk_et_e", 5.4, 10.0), ("fk_et_t", 1.0, 1.0)],
        ),
        (
            "orders",
            "*order_id: int4, customer_id!: char(5), employee_id!: int4, ship_via!: int4, order_date: timestamp",
            &[
                ("fk_o_c", "customer_id", "customers.customer_id"),
                ("fk_o_e", "employee_id", "employees.employee_id"),
                ("fk_o_s", "ship_via", "shippers.shipper_id"),
            ],
            830.0,
            &[("fk_o_c", 9.3, 31.0), ("fk_o_e", 92.2, 156.0), ("fk_o_s", 276.7, 326.0)],
        ),
        (
            "order_details",
            "*order_id: int4, *product_id: int4, unit_price: numeric, quantity: int2",
            &[
                ("fk_d_o", "order_id", "orders.order_id"),
                ("fk_d_p", "product_id", "products.product_id"),
            ],
            2155.0,
            &[("fk_d_o", 2.6, 25.0), ("fk_d_p", 28.0, 54.0)],
        ),
        (
            "products",
            "*product_id: int4, product_name: text, supplier_id!: int4, category_id!: int4, unit_price: numeric",
            &[
                ("fk_p_s", "supplier_id", "suppliers.supplier_id"),
                ("fk_p_c", "category_id", "categories.category_id"),
            ],
            77.0,
            &[("fk_p_s", 2.7, 5.0), ("fk_p_c", 9.6, 13.0)],
        ),
        ("region", "*region_id: int4, region_description: text", &[], 4.0, &[]),
        (
            "shippers",
            "*shipper_id: int4, company_name: text, phone: text",
            &[],
            3.0,
            &[],
        ),
        (
            "suppliers",
            "*supplier_id: int4, company_name: text, city: text",
            &[],
            29.0,
            &[],
        ),
        (
            "territories",
            "*territory_id: text, territory_description: text, region_id!: int4",
            &[("fk_t_r", "region_id", "region.region_id")],
            53.0,
            &[("fk_t_r", 13.3, 19.0)],
        ),
    ])
}

#[test]
fn northwind_with_figures() {
    let (model, mut facts) = northwind();
    // Customers are no list of values: they change.
    let customers = facts.tables.get_mut(&TableName::new("s", "customers")).unwrap();
    customers.changes = Some(500);
    let proposal = propose(&model, &facts);
    let lines = shown(&proposal);
    for expected in [
        "orders [order_details]",
        "orders [order_details] {products}",
        "orders {shippers}",
        "products {categories}",
        "products {suppliers}",
        "territories +region",
        "customers",
        "employees",
    ] {
        assert!(
            lines.iter().any(|l| l == expected),
            "{expected} is not among {lines:#?}"
        );
    }
    assert!(
        !lines
            .iter()
            .any(|l| l.starts_with("customers [") || l == "order_details"),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|l| l == "territories [employee_territories]" || l == "employees [employee_territories]")
    );
    let details = proposal
        .decisions
        .iter()
        .find(|d| d.id.ends_with("order_details by fk_d_o"))
        .unwrap();
    assert_eq!(
        details.reason,
        "`order_details` links `orders` and `products`, with 2.6 on average, 25 at most by the statistics of the catalog, about 2.4 KiB in a document for each of `orders`: an array on this side."
    );
    taken(&model, &proposal);
}

#[test]
fn without_figures_only_parts_by_their_key_are_embedded() {
    let (model, _) = northwind();
    let proposal = propose(&model, &Facts::default());
    let lines = shown(&proposal);
    assert!(lines.contains(&"orders [order_details]".to_owned()), "{lines:#?}");
    assert!(!lines.iter().any(|l| l.contains("{shippers}")), "{lines:#?}");
    let reasons: Vec<&str> = proposal.decisions.iter().map(|d| d.reason.as_str()).collect();
    assert!(
        reasons
            .iter()
            .any(|r| r.contains("as far as can be said without figures"))
    );
}

#[test]
fn what_has_no_bound_stays_apart() {
    let line = |largest: f64, average: f64, changes: Option<u64>| {
        let (model, mut facts) = model_of(&[
            ("sensors", "*id: int4, name: text, place: text", &[], 5_000.0, &[]),
            (
                "readings",
                "*id: int8, sensor_id!: int4, taken_at: timestamptz, value: float8",
                &[("fk", "sensor_id", "sensors.id")],
                1e6,
                &[("fk", average, largest)],
            ),
        ]);
        facts.tables.get_mut(&TableName::new("s", "readings")).unwrap().changes = changes;
        let proposal = propose(&model, &facts);
        taken(&model, &proposal);
        let reason = proposal
            .decisions
            .iter()
            .find(|d| d.table.table == "readings")
            .unwrap()
            .reason
            .clone();
        (shown(&proposal).contains(&"sensors [readings]".to_owned()), reason)
    };
    assert!(line(40.0, 8.0, Some(0)).0);
    let (embedded, reason) = line(90_000.0, 200.0, Some(0));
    assert!(!embedded && reason.contains("could be a time series"), "{reason}");
    let (embedded, reason) = line(90_000.0, 200.0, Some(7));
    assert!(!embedded && reason.contains("too many for an array"), "{reason}");
    let (embedded, reason) = line(2_000.0, 1.0, Some(0));
    assert!(!embedded, "one parent with very many: {reason}");
    let (embedded, reason) = line(40.0, 8.0, Some(3_000_000));
    assert!(!embedded && reason.contains("changed 3 times on average"), "{reason}");
}

#[test]
fn rows_that_may_belong_to_nothing_are_not_lost() {
    let (model, facts) = model_of(&[
        ("shops", "*id: int4, name: text, city: text", &[], 5_000.0, &[]),
        (
            "notes",
            "*id: int4, shop_id: int4, text: text",
            &[("fk", "shop_id", "shops.id")],
            9_000.0,
            &[("fk", 2.0, 9.0)],
        ),
    ]);
    let proposal = propose(&model, &facts);
    assert_eq!(shown(&proposal), ["notes", "shops"]);
    taken(&model, &proposal);
}

#[test]
fn circles_of_keys_are_no_circles_of_documents() {
    let (model, facts) = model_of(&[
        (
            "a",
            "*id: int4, b_id!: int4, text: text",
            &[("a_b", "b_id", "b.id")],
            10.0,
            &[("a_b", 1.0, 1.0)],
        ),
        (
            "b",
            "*id: int4, c_id!: int4, text: text",
            &[("b_c", "c_id", "c.id")],
            10.0,
            &[("b_c", 1.0, 1.0)],
        ),
        (
            "c",
            "*id: int4, a_id!: int4, text: text",
            &[("c_a", "a_id", "a.id")],
            10.0,
            &[("c_a", 1.0, 1.0)],
        ),
        (
            "d",
            "*id: int4, d_id: int4, a_id!: int4",
            &[("d_d", "d_id", "d.id"), ("d_a", "a_id", "a.id")],
            10.0,
            &[("d_a", 1.0, 1.0)],
        ),
    ]);
    let proposal = propose(&model, &facts);
    taken(&model, &proposal);
    // Any two tables may refer to each other; nothing goes on without an end.
    assert!(proposal.decisions.len() < 40, "{:#?}", shown(&proposal));
}

#[test]
fn a_part_of_a_proposal_can_be_taken() {
    let (model, facts) = northwind();
    let proposal = propose(&model, &facts);
    let content = content_of(
        &model,
        Casing::CamelCase,
        KeyHandling::Single,
        InitialMapping::Relational,
    );
    let mut draft = Draft {
        name: "p".into(),
        content,
        model,
        revision: 0,
    };
    let before = draft.content.mappings.len();
    let orders = proposal
        .decisions
        .iter()
        .find(|d| d.choice == Choice::Collection && d.table.table == "orders")
        .unwrap();
    let details = proposal
        .decisions
        .iter()
        .find(|d| d.id.ends_with("order_details by fk_d_o"))
        .unwrap();
    assert!(!details.needs.is_empty());
    // Without what it needs it is not taken.
    assert!(take_again(&draft, &proposal, std::slice::from_ref(&details.id)));
    let edit = take(&draft, &proposal, &[orders.id.clone(), details.id.clone()]);
    apply(&mut draft, &edit).unwrap();
    // The collection was there: the details lie in it now.
    assert_eq!(draft.content.mappings.len(), before + 1);
}
