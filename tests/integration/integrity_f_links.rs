//! Group F of the integrity cases: links to MongoDB that break, and members that step down.

use crate::common::{assert_completed, coll, issues, spec};
use crate::family::{COLD, RANGE, ROWS, TABLES, mapping, streaming_family};
use bson::doc;
use godwit_shared::job::{EventType, JobStatus};
use godwit_tests::api::LONG;
use godwit_tests::continuous::{Continuous, continuous_job, full_identity};
use godwit_tests::docs::{documents, without_ids};
use godwit_tests::migrate::Migration;
use godwit_tests::proxy::{Links, Proxy};
use godwit_tests::servers::{PrivateMongo, servers};
use godwit_tests::writers::Writers;
use serde_json::json;
use std::time::Duration;

/// F11, F12: what was written before a link broke is written again, and nothing is doubled, lost, or counted.
#[tokio::test(flavor = "multi_thread")]
async fn f11_f12_links_break_while_rows_are_copied() {
    let sql = "create table k(id int primary key, v text); insert into k select i, repeat('v', 200) from generate_series(1, 20000) i;
        create table n(v int); insert into n select i % 100 from generate_series(1, 3000) i";
    let mapping = spec([
        coll("generated", "k", "*").with("key", "GENERATED"),
        coll("single", "k", "v"),
        coll("keyless", "n", "v"),
    ]);
    let source = servers().await.postgres.database("breaking", sql).await;
    let mongo = &servers().await.mongo;
    let proxy = Proxy::before(mongo.port).await;
    let target = mongo.target_at(proxy.port, "breaking").await;
    let m = Migration::between(source, target, mapping).await;
    let api = m.app.api();
    let (mut cuts, mut delay) = (0, Duration::from_millis(10));
    let job = loop {
        proxy.delay(delay);
        let id = api.start_job(&m.job()).await;
        api.wait_job(&id, "the first documents", LONG, |job| {
            job.statistics.documents_written > 0 || job.status.is_ended()
        })
        .await;
        while !api.job(&id).await.status.is_ended() && cuts < 30 {
            // What was asked for before is done, and nobody hears of it.
            proxy.stick(Links::All);
            tokio::time::sleep(Duration::from_millis(20)).await;
            proxy.cut(Links::All);
            proxy.flow();
            tokio::time::sleep(Duration::from_millis(30 + cuts % 7 * 20)).await;
            cuts += 1;
        }
        proxy.delay(Duration::ZERO);
        let job = api.wait_ended(&id, LONG).await;
        if cuts >= 3 {
            break job;
        }
        delay *= 2;
    };
    assert_completed(&job);
    assert_eq!(issues(&job, EventType::Error), [""; 0], "F12, {cuts} cuts");
    let names = ["generated", "single", "keyless"];
    let found = async |name: &str| match name {
        "single" => documents(&m.target.database, name).await,
        _ => without_ids(&m.target.database, name).await,
    };
    let mut first = Vec::new();
    for name in names {
        first.push(found(name).await);
    }
    m.complete().await;
    for (name, first) in names.iter().zip(first) {
        assert!(found(name).await == first, "F12, {cuts} cuts: {name}");
    }
}

/// F14: the primary steps down again and again, which is no reason to fail and no error of any document.
#[tokio::test(flavor = "multi_thread")]
async fn f14_the_primary_steps_down() {
    let mongo = PrivateMongo::start().await;
    let sql = format!("{TABLES}{ROWS}{COLD}");
    let source = servers().await.postgres.database("stepping", &sql).await;
    full_identity(&source).await;
    let target = mongo.target_at(mongo.port, "stepping").await;
    let m = Migration::between(source, target, mapping()).await;
    let admin = m.target.database.client().database("admin");
    let step_down = async || {
        // Its connection may break before it answers.
        let _ = admin.run_command(doc! {"replSetStepDown": 1, "force": true}).await;
    };
    let writers = Writers::start(&m.source, 2, RANGE, Duration::from_millis(2));
    let job = continuous_job(&m);
    let c = Continuous::begin(m, &job).await;
    step_down().await;
    c.streaming().await;
    for _ in 0..3 {
        writers.more(60).await;
        step_down().await;
    }
    writers.more(60).await;
    writers.stop().await;
    mongo.is_primary().await;
    c.streaming().await;
    c.expect_like_snapshot("F14").await;
    let job = c.complete().await;
    assert_eq!(issues(&job, EventType::Error), [""; 0], "F14");
}

/// F15: who asks for less than a majority is warned.
#[tokio::test(flavor = "multi_thread")]
async fn f15_less_than_a_majority_is_told() {
    let c = streaming_family(ROWS).await;
    c.complete().await;
    let m = c.m;
    let weak = format!("{}&w=1", m.target.uri);
    let job = m.job().with("/mongodbConnectionDetails/connectionString", json!(weak));
    let snapshot = m.run(&job).await;
    assert_completed(&snapshot);
    let continuous = job.with("/options/mode", json!("CDC"));
    let c = Continuous::start_job(m, &continuous).await;
    c.run("update p set n = 'weak'").await;
    c.expect_like_snapshot("F15").await;
    let job = c.complete().await;
    assert_eq!(job.status, JobStatus::Completed);
    for job in [snapshot, job] {
        let warnings = issues(&job, EventType::Warning);
        assert!(
            warnings.iter().any(|w| w.starts_with("write_concern_weak")),
            "F15: {warnings:?}"
        );
    }
}
