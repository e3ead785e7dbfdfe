//! Models that are proposed for databases that people know: what a MongoDB expert would defend.

use crate::common::loaded;
use godwit_shared::casing::Casing;
use godwit_shared::edit::{Draft, Shape, apply};
use godwit_shared::initial::{InitialMapping, content_of};
use godwit_shared::mapping::KeyHandling;
use godwit_shared::proposal::{Choice, Proposal, take};
use godwit_shared::schema::RelationalModel;
use godwit_tests::app::App;
use godwit_tests::checkout;
use godwit_tests::servers::{Database, PASSWORD, SUPERUSER, servers};
use serde_json::json;
use std::collections::HashMap;

/// `orders`, `orders [order_lines]` for arrays, `orders {customers}` for documents, `film +language` for what is merged.
fn lines(proposal: &Proposal) -> Vec<String> {
    let mut paths: HashMap<&str, String> = HashMap::new();
    let mut lines = Vec::new();
    for decision in &proposal.decisions {
        let table = &decision.table.table;
        let line = match &decision.choice {
            Choice::Refer { .. } => continue,
            Choice::Collection => table.clone(),
            Choice::Embed { under, shape, .. } => match shape {
                Shape::Array | Shape::Values => format!("{} [{table}]", paths[under.as_str()]),
                Shape::Document => format!("{} {{{table}}}", paths[under.as_str()]),
                Shape::Merged => format!("{} +{table}", paths[under.as_str()]),
            },
        };
        paths.insert(&decision.id, line.clone());
        lines.push(line);
    }
    lines
}

/// Proposes with the statistics of the catalog and with exact counts, takes everything, and lets the source check it.
async fn proposed(source: &Database, expected: &[&str], never: &[&str]) {
    let app = App::start().await;
    let api = app.api();
    let connection = json!({"type": "POSTGRESQL", "url": source.jdbc_url(), "user": SUPERUSER, "password": PASSWORD});
    let read = json!({"jdbcConnectionDetails": connection});
    let schema = api.post("/schema/jdbc", &read).await.ok();
    let id = schema["id"].as_str().expect("an id").to_owned();
    let model: RelationalModel = serde_json::from_value(schema["full"].clone()).expect("a model");
    for exact in [false, true] {
        let ask = json!({"jdbcConnectionDetails": connection, "exact": exact});
        let answer = api.post(&format!("/schema/{id}/proposal"), &ask).await.ok();
        let proposal: Proposal = serde_json::from_value(answer).expect("a proposal");
        let found = lines(&proposal);
        for line in expected {
            assert!(
                found.iter().any(|l| l == line),
                "exact {exact}: no `{line}` in {found:#?}"
            );
        }
        for line in never {
            assert!(
                !found.iter().any(|l| l == line),
                "exact {exact}: `{line}` in {found:#?}"
            );
        }
        let reasons = proposal.decisions.iter().map(|d| &d.reason);
        reasons.for_each(|r| assert!(r.chars().any(|c| c.is_ascii_digit()), "no figure: {r}"));
        let content = content_of(&model, Casing::CamelCase, KeyHandling::Single, InitialMapping::Empty);
        let mut draft = Draft {
            name: "proposed".into(),
            content,
            model: model.clone(),
            revision: 0,
        };
        let all: Vec<String> = proposal.decisions.iter().map(|d| d.id.clone()).collect();
        let edit = take(&draft, &proposal, &all);
        apply(&mut draft, &edit).expect("a proposal can be taken");
        let save = json!({"name": format!("proposed {exact}"), "type": "POSTGRESQL", "schemasId": id, "content": draft.content});
        let project = api.post("/project", &save).await.ok();
        let path = format!("/project/{}/draft/check", project["id"].as_str().expect("an id"));
        let body = json!({"draft": {"content": draft.content}, "jdbcConnectionDetails": connection});
        let checked = api.post(&path, &body).await.ok();
        assert_eq!(
            (&checked["isLive"], &checked["faults"]),
            (&json!(true), &json!([])),
            "exact {exact}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shop() {
    let sql = std::fs::read_to_string(checkout().join("demo/shop.sql")).expect("demo/shop.sql");
    let source = servers().await.postgres.database("shop", &sql).await;
    source.run("analyze").await;
    let expected = [
        "customers",
        "orders",
        "products",
        "orders [order_lines]",
        "orders [order_coupons]",
        "products [product_prices]",
        "products [product_suppliers]",
    ];
    proposed(
        &source,
        &expected,
        &["customers [orders]", "order_lines", "products [order_lines]"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pagila() {
    let Some(source) = loaded("pagila", "pagila.sql.gz").await else {
        return;
    };
    let expected = [
        "film",
        "rental",
        "payment",
        "film [film_actor]",
        "film [film_actor] {actor}",
        "film [film_category]",
        "film [film_category] {category}",
        "film {language}",
        "customer {address}",
        "customer {address} {city}",
        "customer {address} {city} {country}",
    ];
    proposed(
        &source,
        &expected,
        &[
            "actor [film_actor]",
            "customer [rental]",
            "store [inventory]",
            "country [city]",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chinook() {
    let Some(source) = loaded("chinook", "chinook.sql").await else {
        return;
    };
    let expected = [
        "track",
        "album",
        "customer",
        "invoice",
        "invoice [invoice_line]",
        "track +genre",
        "track +media_type",
        "track [playlist_track]",
        "track [playlist_track] {playlist}",
        "album +artist",
    ];
    proposed(
        &source,
        &expected,
        &[
            "invoice_line",
            "playlist [playlist_track]",
            "customer [invoice]",
            "artist [album]",
        ],
    )
    .await;
}
